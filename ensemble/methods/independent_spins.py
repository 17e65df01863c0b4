"""N spins ½ that were independent before the collective coupling: an average over total spins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from ensemble.engine import Engine
from ensemble.errors import InvalidInput
from ensemble.laws import first_law_error, second_law_error
from ensemble.local_noise.spins import spin_weights
from ensemble.method import AGREEMENT, Method
from ensemble.methods.exact import Exact
from ensemble.parameters.bath import Bath
from ensemble.solution import Solution, Status
from ensemble.units import in_natural_units
from ensemble.variables import CURRENTS

LARGEST_N = 2000
"""N up to which the weights of all pairs (S₁, S₂) are formed: 10⁶ of them."""
MOST_ENGINES = 10_000
"""Pairs (S₁, S₂) that may be solved for one average, N = 200 if none is neglected."""

AVERAGED = (*CURRENTS, "entropy_production", "quanta_noise")


@dataclass(frozen=True)
class SpinAverage:
    r"""Average over the total spins S₁ and S₂, which the collective dynamics conserves.

    Attributes
    ----------
    power, heat_current_1, heat_current_2, chemical_power : float
    energy_current_1, energy_current_2, quanta_current, entropy_production : float
        Averages Σ w(S₁) w(S₂) X(S₁, S₂).
    quanta_noise : float
        Average of D(S₁, S₂), the noise within a realisation of the total spins.
    dynamical_activity : float
        Average number of jumps per time; a spin whose partner is in a singlet exchanges quanta
        with its own bath, as many as it gives back.
    current_spread : float
        Variance of J(S₁, S₂) between realisations: it adds t² times this to the variance of the
        quanta counted in a time t, which differ from one preparation to the next.
    neglected : float
        Weight of the pairs (S₁, S₂) that were left out.
    status, message : Status and str
        The worst among the engines solved, and what its message says.
    engines : int
        Number of engines solved.
    """

    power: float
    heat_current_1: float
    heat_current_2: float
    chemical_power: float
    energy_current_1: float
    energy_current_2: float
    quanta_current: float
    entropy_production: float
    quanta_noise: float
    dynamical_activity: float
    current_spread: float
    neglected: float
    status: Status
    message: str
    engines: int


def thermal_activity(bath: Bath, spin: float) -> float:
    r"""Jumps per time, up and down, of a collective spin in equilibrium with its bath.

    .. math:: \mathcal A = 2 \gamma_\uparrow \langle S^- S^+ \rangle

    Examples
    --------
    >>> thermal_activity(Bath(energy=1, temperature=1e9, Gamma_0=1e-9), 0.5)  # γ↑ = γ↓ = 1
    1.0
    """
    top = round(2 * spin)
    k = np.arange(top + 1)
    weights = special.softmax(-bath.log_ratio * k)
    return float(2 * bath.gamma_up * (weights @ ((k + 1) * (top - k))))


def spin_average(
    engine: Engine, *, method: Exact | None = None, neglect: float = 0.0
) -> SpinAverage:
    r"""Average of an engine whose spins were thermalised one by one before they were coupled.

    Ensemble i holds Nᵢ independent spins ½ at the temperature of its bath, Nᵢ = N or twice the
    given spin; then the collective coupling is switched on and conserves the total spins S₁ and S₂
    drawn from ``spin_weights``.  The symmetric state S = N/2, which the paper assumes, has the
    weight w(N/2).

    Parameters
    ----------
    engine : Engine
        Its spins are the largest total spins, Nᵢ/2.
    method : Exact, optional
        Solver of each engine.
    neglect : float
        Leave out the least likely pairs (S₁, S₂) up to this total weight.

    Raises
    ------
    InvalidInput
        If ``neglect`` is not in [0, 1), more than ``MOST_ENGINES`` pairs are left, or the engine
        has local noise, which mixes the total spins.

    Examples
    --------
    >>> engine = Engine(N=2, E_1=100, delta_E=50, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1)
    >>> average = spin_average(engine)
    >>> average.engines, average.neglected
    (1, 0.0)
    >>> round(average.power / Exact().solve(engine).values["power"], 6)  # triplet and triplet
    0.628334
    """
    if not 0 <= neglect < 1:
        raise InvalidInput(f"neglect must lie in [0, 1), but is {neglect!r}: try 1e-9")
    engine.require_collective("an average over total spins", detuned=True)
    method = method if method is not None else Exact()
    n_1, n_2 = engine.levels
    spins_1, cold = spin_weights(n_1, engine.cold.log_ratio)
    spins_2, hot = spin_weights(n_2, engine.hot.log_ratio)
    weights = np.outer(cold, hot)
    order = np.argsort(weights, axis=None)
    left_out = order[np.cumsum(weights.ravel()[order]) <= neglect]
    kept = np.ones(weights.size, dtype=bool)
    kept[left_out] = False
    if kept.sum() > MOST_ENGINES:
        raise InvalidInput(
            f"an average solves at most {MOST_ENGINES} pairs of total spins, but N = {engine.N} "
            f"has {kept.sum()}: choose a smaller N, or raise neglect to leave out unlikely ones"
        )

    sums = dict.fromkeys((*AVERAGED, "dynamical_activity"), 0.0)
    square, status, message, solved = 0.0, Status.OK, "", 0
    for flat in np.flatnonzero(kept):
        i, j = np.unravel_index(flat, weights.shape)
        if spins_1[i] == 0 or spins_2[j] == 0:
            # A singlet takes no part: no current and no noise, and its partner is in equilibrium.
            resting = thermal_activity(engine.cold, spins_1[i])
            resting += thermal_activity(engine.hot, spins_2[j])
            sums["dynamical_activity"] += float(weights[i, j]) * resting
            continue
        solution = method.solve(
            engine.collective(float(spins_1[i]), float(spins_2[j])),
            sums,
        )
        weight = float(weights[i, j])
        for name in sums:
            sums[name] += weight * solution.values[name]
        square += weight * solution.values["quanta_current"] ** 2
        if solution.status > status:
            status, message = solution.status, solution.message
        solved += 1
    return SpinAverage(
        **sums,
        current_spread=max(square - sums["quanta_current"] ** 2, 0.0),
        neglected=float(weights.ravel()[left_out].sum()),
        status=status,
        message=message,
        engines=solved,
    )


@dataclass(frozen=True)
class IndependentSpins(Method):
    """``spin_average`` as a method, for sweeps and the command line.

    Parameters
    ----------
    tolerance : float
        As in `Exact`, for each engine of the average.
    neglect : float
        Total weight of the least likely pairs (S₁, S₂) that may be left out.

    Examples
    --------
    >>> engine = Engine(N=2, E_1=100, delta_E=50, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1)
    >>> IndependentSpins().solve(engine, ["power"]).status.label
    'ok'
    """

    neglect: float = 0.0

    name: ClassVar[str] = "independent-spins"
    detuned: ClassVar[bool] = True
    variables: ClassVar[tuple[str, ...]] = (
        *AVERAGED, "current_spread", "power_per_pair", "affinity", "efficiency", "cop",
        "dynamical_activity",
    )  # fmt: skip
    on_request: ClassVar[tuple[str, ...]] = ("dynamical_activity",)
    diagnostics: ClassVar[tuple[str, ...]] = ("neglected", "self_check", "affinity_rounding")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.neglect < 1:
            raise InvalidInput(f"neglect must lie in [0, 1), but is {self.neglect!r}: try 1e-9")

    def accept(self, engine: Engine) -> None:
        """Refuse more spins than weights can be formed for."""
        super().accept(engine)
        if max(engine.levels) > LARGEST_N:
            raise InvalidInput(
                f"method independent-spins takes up to {LARGEST_N} spins an ensemble, but this "
                f"engine has {max(engine.levels)}: choose a smaller N, or use method exact"
            )

    @in_natural_units
    def solve(self, engine: Engine, variables: Iterable[str] | None = None) -> Solution:
        """Average over the total spins; the status is the worst of the engines solved."""
        names = self.chosen(variables)
        self.accept(engine)
        average = spin_average(engine, method=Exact(tolerance=self.tolerance), neglect=self.neglect)
        values = {name: getattr(average, name) for name in (*AVERAGED, "current_spread")}
        values["dynamical_activity"] = average.dynamical_activity
        self_check = max(
            first_law_error(
                average.power,
                average.chemical_power,
                average.heat_current_1,
                average.heat_current_2,
            ),
            second_law_error(
                engine,
                average.heat_current_1,
                average.heat_current_2,
                engine.affinity * average.quanta_current,
            ),
        )
        values |= {
            "power_per_pair": average.power / engine.N,
            "affinity": engine.affinity,
            "efficiency": engine.efficiency,
            "cop": engine.cop,
        }
        status, message = average.status, ""
        if status is not Status.OK:
            message = f"an engine of the average is {status.label}: {average.message}"
        elif not self_check <= AGREEMENT:
            status = Status.UNPHYSICAL
            message = f"a law of thermodynamics is violated by {self_check:.1e} (relative)"
        return Solution(
            values={name: values[name] for name in names},
            status=status,
            message=message,
            diagnostics={
                "neglected": average.neglected,
                "self_check": self_check,
                "affinity_rounding": engine.affinity_rounding,
            },
        )
