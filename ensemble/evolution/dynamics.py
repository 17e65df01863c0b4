"""Time evolution in the symmetry sector, with the two laws along it (Eqs. 5, 13 and 14; Fig. 9)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ensemble.arrays import FloatArray
from ensemble.checks import checked_times
from ensemble.counting.currents import absorption
from ensemble.engine import Engine
from ensemble.errors import InvalidInput
from ensemble.evolution.entropy import entropy_rate, von_neumann_entropy
from ensemble.evolution.propagation import Propagator
from ensemble.generator.sector import Sector

PHYSICAL = 1e-9
"""Rounding allowed to the trace and the smallest eigenvalue of a supplied state."""


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Evolution of a state towards the stationary one; arrays of shape (times,) (ħ = k_B = 1).

    Attributes
    ----------
    sector : Sector
    times : ndarray
        In the inverse unit of the scaled Γ₀.
    states : ndarray, shape (times, sector.size)
        Elements of ρ in the real gauge.
    power, heat_current_1, heat_current_2 : ndarray
        P and Q̇ᵢ (Eqs. 10 and 12), Q̇ᵢ with the heat Eᵢ − μᵢ a quantum.
    chemical_power : ndarray
        Power −μ₁ṅ₁ − μ₂ṅ₂ of the particles, with ṅᵢ those that bath i gives per time; it tends to
        (μ₁ − μ₂)J.
    work, chemical_work, heat_1, heat_2 : ndarray
        Their integrals since t = 0: the work done by the engine and the heats from the baths.
    energy_change : ndarray
        E₁ Δ⟨k₁⟩ + E₂ Δ⟨k₂⟩ since t = 0, which is heat_1 + heat_2 − work − chemical_work.
    magnetization_1, magnetization_2 : ndarray
        ⟨mᵢᶻ⟩ = 2⟨kᵢ⟩/nᵢ − 1.
    entropy : ndarray
        Von Neumann entropy of the state, in nats.
    entropy_production : ndarray
        ΔS_tot of system and baths since t = 0 (Eq. 14), βᵢQᵢ taken as ln(γ↓ᵢ/γ↑ᵢ) for each quantum
        that bath i gives.
    entropy_production_rate : ndarray
        Its time derivative, ≥ 0; infinite at t = 0 if the initial state is not of full rank.
    lowest_eigenvalue : ndarray
        Of ρ; below 0 by rounding only.
    stationary_residual, trace_error, propagation_error : float
        Certificates of the stationary state and of the propagation: see ``Propagator.residual``
        and ``Relaxation``, whose observables are the three currents.
    first_law_error : float
        Certificate of the integrals: the largest |energy_change − heat_1 − heat_2 + work +
        chemical_work| over the largest of the five.
    """

    sector: Sector
    times: FloatArray
    states: FloatArray
    power: FloatArray
    heat_current_1: FloatArray
    heat_current_2: FloatArray
    chemical_power: FloatArray
    work: FloatArray
    chemical_work: FloatArray
    heat_1: FloatArray
    heat_2: FloatArray
    energy_change: FloatArray
    magnetization_1: FloatArray
    magnetization_2: FloatArray
    entropy: FloatArray
    entropy_production: FloatArray
    entropy_production_rate: FloatArray
    lowest_eigenvalue: FloatArray
    stationary_residual: float
    trace_error: float
    propagation_error: float
    first_law_error: float


def fock(engine: Engine, k_1: int, k_2: int) -> FloatArray:
    """The state |k₁, k₂⟩: (0, 0) is the ground state, ``engine.levels`` the fully excited one.

    Raises
    ------
    InvalidInput
        If a number is out of range.
    """
    n_1, n_2 = engine.levels
    if not (0 <= k_1 <= n_1 and 0 <= k_2 <= n_2):
        raise InvalidInput(
            f"excitation numbers must lie within {(0, 0)} and {(n_1, n_2)}, but are {(k_1, k_2)}"
        )
    sector = Sector(n_1, n_2)
    return ((sector.k_1 == k_1) & (sector.k_2 == k_2) & (sector.q == 0)).astype(float)


def thermal(engine: Engine, temperature_1: float, temperature_2: float) -> FloatArray:
    """Product of thermal states of the two spins.

    Parameters
    ----------
    engine : Engine
    temperature_1, temperature_2 : float
        Positive, in the unit of E₁ and after the scaling, like ``engine.cold.temperature``;
        infinite for a mixture of all levels.

    Raises
    ------
    InvalidInput
        If a temperature is not positive.
    """
    if not (temperature_1 > 0 and temperature_2 > 0):
        raise InvalidInput(
            f"temperatures must be positive, but are {(temperature_1, temperature_2)}: "
            "use fock(engine, 0, 0) for the ground state"
        )
    sector = Sector(*engine.levels)
    weights = sector.thermal(engine.E_1 / temperature_1, engine.E_2 / temperature_2)
    return weights / weights.sum()


def evolve(engine: Engine, initial: ArrayLike, times: ArrayLike) -> Trajectory:
    r"""Evolve a state of the symmetry sector.

    .. math:: \rho(t) = \rho_{ss} + e^{Lt} (\rho(0) - \rho_{ss}), \qquad
              \int_0^t \rho\,dt' = t \rho_{ss} + L^+ (\rho(t) - \rho(0))

    Only the deviation from the stationary state is propagated, by truncated Taylor series
    (``expm_multiply``), and kept traceless: it decays with its own relative accuracy, and the
    trajectory ends in the stationary state even at very long times.  The equation is stiff, but
    the fastest rate is only about N² times the slowest, and the deviation is below rounding after
    some 40 slowest decay times, so that matrix products take less time than the factorisations of
    an implicit method at the accuracy of rounding.  Heats and work need no quadrature: L⁺ is one
    sparse factorisation.

    Parameters
    ----------
    engine : Engine
    initial : array_like, shape ``(Sector(*engine.levels).size,)``
        A physical state in the real gauge (`fock` and `thermal` make such states).
    times : array_like
        Increasing and ≥ 0.

    Returns
    -------
    Trajectory

    Raises
    ------
    InvalidInput
        If the state is not one of the sector or the times are not increasing.

    Notes
    -----
    States whose matrix is not real in this gauge are not covered.  A state that evolves from
    populations is always real.  Errors are absolute, of the order of rounding times ‖L‖₁ over the
    slowest rate: for currents at stationarity close to the Carnot point use ``Exact``.

    Examples
    --------
    An undriven spin ½ relaxes at γ↓ + γ↑:

    >>> engine = Engine(N=1, E_1=1, delta_E=1, T_mean=1.5, delta_T=1, omega_0=0, Gamma_0=1)
    >>> path = evolve(engine, fock(engine, 1, 1), [0.0, 0.7, 1e9])
    >>> rate = engine.cold.gamma_down + engine.cold.gamma_up
    >>> start, later, end = path.magnetization_1
    >>> round(float((later - end) / (start - end) * np.exp(0.7 * rate)), 12)
    1.0
    """
    propagator = Propagator.of(engine)
    sector, final = propagator.sector, propagator.final
    start = _checked_state(sector, initial)
    instants = checked_times(times)

    populations = sector.q == 0
    quanta = np.stack(  # rows: the current J seen at the drive, and absorption at either bath
        [
            -engine.drive * sector.hop,
            np.where(populations, absorption(engine.cold, sector.k_1, sector.n_1), 0.0),
            np.where(populations, absorption(engine.hot, sector.k_2, sector.n_2), 0.0),
        ]
    )
    relaxation = propagator.relax(start - final, instants, quanta)
    deviations = relaxation.deviations
    states = final + deviations
    integrals = propagator.integrate(deviations - (start - final))

    numbers = np.stack([np.where(populations, k, 0.0) for k in (sector.k_1, sector.k_2)])
    excitations = numbers @ states.T
    carried = np.array([engine.delta_E, *engine.quantum_heats])[:, np.newaxis]
    potentials = np.array([engine.mu_1, engine.mu_2])
    flows = quanta @ states.T
    exchanged = np.outer(quanta @ final, instants) + quanta @ integrals.T
    power, heat_current_1, heat_current_2 = carried * flows
    work, heat_1, heat_2 = carried * exchanged
    chemical_power, chemical_work = (-potentials @ taken[1:] for taken in (flows, exchanged))
    energy_change = np.array([engine.E_1, engine.E_2]) @ (excitations - (numbers @ start)[:, None])
    terms = (energy_change, -heat_1, -heat_2, work, chemical_work)
    violation = np.abs(np.sum(terms, axis=0)).max()
    largest = np.abs(terms).max()

    ratios = np.array([engine.cold.log_ratio, engine.hot.log_ratio])
    entropy, lowest = von_neumann_entropy(sector, states)
    rate = entropy_rate(sector, states, (propagator.matrix @ deviations.T).T)
    return Trajectory(
        sector=sector,
        times=instants,
        states=states,
        power=power,
        heat_current_1=heat_current_1,
        heat_current_2=heat_current_2,
        chemical_power=chemical_power,
        work=work,
        chemical_work=chemical_work,
        heat_1=heat_1,
        heat_2=heat_2,
        energy_change=energy_change,
        magnetization_1=2 * excitations[0] / sector.n_1 - 1,
        magnetization_2=2 * excitations[1] / sector.n_2 - 1,
        entropy=entropy,
        entropy_production=entropy - von_neumann_entropy(sector, start)[0] - ratios @ exchanged[1:],
        entropy_production_rate=rate - ratios @ flows[1:],
        lowest_eigenvalue=lowest,
        stationary_residual=propagator.residual,
        trace_error=relaxation.trace_error,
        propagation_error=relaxation.error,
        first_law_error=float(violation / largest) if largest else 0.0,
    )


def _checked_state(sector: Sector, initial: ArrayLike) -> FloatArray:
    state = np.asarray(initial, dtype=float)
    if state.shape != (sector.size,) or not np.isfinite(state).all():
        raise InvalidInput(
            f"initial must hold {sector.size} finite numbers, the elements of the sector, but has "
            f"shape {state.shape}: start from fock or thermal"
        )
    trace, lowest = float(sector.trace @ state), float(von_neumann_entropy(sector, state)[1])
    if not (abs(trace - 1) <= PHYSICAL and lowest >= -PHYSICAL):
        raise InvalidInput(
            f"initial must be a state, but its trace is {trace:g} and its smallest eigenvalue "
            f"{lowest:.1e}: start from fock or thermal"
        )
    return state
