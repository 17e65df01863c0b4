"""Time evolution of the limit N → ∞ from thermal states of the two spins."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import binary_dilation
from scipy.sparse import csr_array
from scipy.sparse.linalg import expm_multiply
from scipy.special import ive

from ensemble.arrays import FloatArray
from ensemble.checks import checked_times
from ensemble.engine import Engine
from ensemble.errors import InvalidInput
from ensemble.limits.bath_modes import BathModes
from ensemble.limits.block_tridiagonal import BlockTridiagonal, Mask
from ensemble.limits.classical_pair import ClassicalPair
from ensemble.limits.classical_state import ClassicalState
from ensemble.limits.mode_selection import (
    FIRST_MODES,
    FIRST_SELECTION,
    NEUTRAL,
    SLOW,
    classical_state,
    outgrown,
)
from ensemble.limits.pair_sector import PairSector

COLDEST = 1000.0
"""Largest |b| of an initial state: a sharper density would need too many modes."""
MARKED = 0.01
"""Modes whose estimated amplitude exceeds this fraction of the largest neglected one are added."""
MOST_MODES = 4000
"""Modes at which the propagation takes minutes."""
GONE = 1e-16
"""Amplitude below which a mode has faded."""


@dataclass(frozen=True, eq=False)
class ClassicalTrajectory:
    """Averages on the way to the stationary state, arrays of shape (times,), per N.

    Attributes
    ----------
    times : ndarray
        In the inverse unit of Γ₀.
    power_per_pair, heat_current_1_per_pair, heat_current_2_per_pair : ndarray
        P/N at the drive and Q̇ᵢ/N at the baths.
    magnetization_1, magnetization_2 : ndarray
        ⟨mᵢᶻ⟩.
    magnetization_1_squared, magnetization_2_squared : ndarray
        ⟨(mᵢᶻ)²⟩.
    spin_correlation_zz : ndarray
        ⟨m₁ᶻm₂ᶻ⟩.
    change : float
        Certificate: largest change of ⟨mᵢᶻ⟩, their second moments and J/(NΓ₀) in the last
        enlargement of the basis.
    complete : bool
        Whether it met the tolerance.
    """

    times: FloatArray
    power_per_pair: FloatArray
    heat_current_1_per_pair: FloatArray
    heat_current_2_per_pair: FloatArray
    magnetization_1: FloatArray
    magnetization_2: FloatArray
    magnetization_1_squared: FloatArray
    magnetization_2_squared: FloatArray
    spin_correlation_zz: FloatArray
    change: float
    complete: bool


def relax(
    engine: Engine,
    times: ArrayLike,
    *,
    initial: tuple[float, float] = (0.0, 0.0),
    tolerance: float = 1e-8,
) -> ClassicalTrajectory:
    r"""Evolve the product of two thermal densities, f ∝ exp(−b₁m₁ᶻ/2 − b₂m₂ᶻ/2).

    .. math:: x(t) = x_\infty + e^{Gt} (x(0) - x_\infty)

    Parameters
    ----------
    engine : Engine
        In the high-temperature scaling; its N counts only in the ratios 2Sᵢ/N.
    times : array_like
        Increasing and ≥ 0, in the inverse unit of Γ₀.
    initial : tuple of float
        b₁ and b₂, which are βᵢEᵢ of the initial states: 0 is uniform on the sphere, 100 nearly the
        ground state and −100 nearly the fully excited one.
    tolerance : float
        Of the certificate ``change``.

    Returns
    -------
    ClassicalTrajectory

    Raises
    ------
    InvalidInput
        If the engine has no such limit, the times are not increasing or \|bᵢ\| exceeds 1000.

    Examples
    --------
    An undriven spin starts at the magnetisation of Eq. 33 for b and ends at that of its bath:

    >>> engine = Engine(N=1, E_1=1, delta_E=1, T_mean=1.5, delta_T=1, omega_0=0, Gamma_0=1,
    ...                 scaling="high-temperature")
    >>> path = relax(engine, [0.0, 50.0], initial=(4.0, 0.0))
    >>> [round(float(z), 9) for z in path.magnetization_1]
    [-0.537314721, -0.163953414]
    """
    pair = ClassicalPair(engine)
    instants = checked_times(times)
    for b in initial:
        if not abs(b) <= COLDEST:
            raise InvalidInput(
                f"initial must be two numbers between −{COLDEST:g} and {COLDEST:g}, but one is "
                f"{b!r}: use ±100 for nearly the excited or ground state"
            )
    state = classical_state(pair, tolerance=tolerance)
    reference = [
        min(mode.reference, max(b, NEUTRAL)) for mode, b in zip(state.modes, initial, strict=True)
    ]
    shape = (FIRST_MODES + 1, FIRST_MODES, FIRST_MODES)
    lasting = np.sum(np.indices(shape), axis=0) < FIRST_SELECTION
    path: ClassicalTrajectory | None = None
    tail, reach = math.inf, 0
    while True:
        modes = tuple(
            BathModes.of(b, modes=size, orders=shape[0] - 1)
            for b, size in zip(reference, shape[1:], strict=True)
        )
        sector = PairSector.of(pair, (modes[0], modes[1]))
        start = np.zeros(sector.shape)
        start[0] = np.outer(*(_thermal(mode, b) for mode, b in zip(modes, initial, strict=True)))
        lasting = _enlarged(lasting, shape)
        fading = np.abs(start) > tolerance * np.abs(start).max()
        shape = outgrown(lasting | fading, sector.shape)
        if shape != sector.shape and math.prod(shape[1:]) <= MOST_MODES:
            continue
        shape = sector.shape
        before = path
        path, missed, marked = _propagated(sector, lasting, fading, start, instants)
        change = _change(before, path, pair) if before is not None else math.inf
        path = replace(path, change=change)
        earlier, tail = tail, float(np.linalg.norm(missed))
        if change <= tolerance and tail <= tolerance**0.75:
            return replace(path, complete=True)
        if tail == 0:
            return replace(path, change=0.0, complete=True)
        if lasting.sum() > MOST_MODES:
            return path
        reach += tail > SLOW * earlier
        lasting = lasting | (binary_dilation(marked, iterations=reach) if reach else marked)


def _enlarged(selection: Mask, shape: tuple[int, int, int]) -> Mask:
    """The selection in a larger pool, the norm left out, with a mode in every block in between."""
    larger = np.zeros(shape, dtype=bool)
    larger[tuple(slice(n) for n in selection.shape)] = selection
    top = np.flatnonzero(larger.any(axis=(1, 2)))[-1]
    larger[: top + 1, 0, 0] = True
    larger[0, 0, 0] = False
    return larger


def current_correlation(state: ClassicalState, times: ArrayLike) -> FloatArray:
    r"""Stationary correlation function of the drive's current.

    .. math:: c(\tau) = \langle p(\tau) p(0)\rangle - \langle p\rangle^2
              = \langle p\, e^{G\tau} (p - J/N) \rangle, \qquad
              \frac{D}{N^2} = 2\int_0^\infty c\,d\tau

    Parameters
    ----------
    state : ClassicalState
        Its modes were chosen for the integral: at τ = 0 and shortly after, c is less accurate.
    times : array_like
        τ, increasing and ≥ 0, in the inverse unit of Γ₀.

    Returns
    -------
    ndarray, shape (times,)
        In the squared unit of Γ₀.
    """
    instants = checked_times(times)
    sector = state.sector
    selection = np.ones(sector.shape, dtype=bool)
    selection[0, 0, 0] = False
    flow = sector.current(state.density)
    x = (flow - flow[0, 0, 0] * state.density)[selection]
    matrix, trace = _restricted(sector, selection)
    current = np.zeros(sector.shape)
    values, now = [], 0.0
    for time in instants:
        if time > now:
            x = expm_multiply(matrix * (time - now), x, traceA=trace * (time - now))
            now = time
        current[selection] = x
        values.append(float(sector.current(current)[0, 0, 0]))
    return np.array(values)


def _thermal(modes: BathModes, b: float) -> FloatArray:
    """Coefficients of exp(−bz/2), normalised, in the modes: those of exp(κz), κ = c − b/2.

    exp(κz) = Σ √(2l + 1) i_l(κ) P̄_l with the modified spherical Bessel functions i_l.
    """
    kappa = modes.reference / 4 - b / 2
    degree = np.arange(modes.vectors.shape[1])
    size = abs(kappa)
    bessel = ive(degree + 0.5, size) if size > 0 else (degree == 0).astype(float)
    sign = np.where(degree % 2 == 1, np.sign(kappa), 1.0)
    x = (sign * np.sqrt(2 * degree + 1) * bessel) @ modes.vectors[0]
    return np.asarray(x / x[0])


def _propagated(
    sector: PairSector, lasting: Mask, fading: Mask, start: FloatArray, times: FloatArray
) -> tuple[ClassicalTrajectory, FloatArray, Mask]:
    """The trajectory, the largest estimated amplitudes of what it neglects, and what to add.

    The initial state has fast modes that decay soon: steps double in length, and after each the
    modes that have decayed are dropped, so that the remaining steps are not stiff.
    """
    e_0 = np.zeros(sector.shape)
    e_0[0, 0, 0] = 1.0
    active = lasting | fading
    active[0, 0, 0] = False
    # Stationary on all modes that take part: the deviation obeys a homogeneous equation on them.
    final, _ = BlockTridiagonal.of(sector, active).solve(-sector.apply(e_0))
    lasting = lasting | (np.abs(final) > GONE)
    final[0, 0, 0] = 1.0
    decay = sector.decay
    decay[0, 0, 0] = 1.0
    missed = np.zeros(sector.shape)
    marked = np.zeros(sector.shape, dtype=bool)
    rows = []
    deviation = np.where(active, start - final, 0.0)
    matrix, trace = _restricted(sector, active)
    now = 0.0
    for time in times:
        while now < time and np.abs(deviation).max() > GONE:
            span = min(time - now, max(now, 1 / float(decay[active].max())))
            x = expm_multiply(matrix * span, deviation[active], traceA=trace * span)
            deviation[active] = x
            now += span
            kept = lasting | (active & (np.abs(deviation) > GONE))
            if kept.sum() < active.sum():
                active = kept
                deviation[~active] = 0.0
                matrix, trace = _restricted(sector, active)
        if now < time:  # nothing is left of the deviation
            deviation[:], now = 0.0, time
        density = final + deviation
        amplitude = np.abs(sector.apply(density)) / decay
        amplitude[active] = amplitude[0, 0, 0] = 0.0
        missed = np.maximum(missed, amplitude / np.linalg.norm(density))
        marked |= amplitude > MARKED * amplitude.max()  # for each time: less is neglected later
        rows.append(_averages(sector, density))
    engine = sector.pair.engine
    columns = np.array(rows).T
    return (
        ClassicalTrajectory(
            times=times,
            power_per_pair=engine.delta_E * columns[0],
            heat_current_1_per_pair=engine.E_1 * columns[1],
            heat_current_2_per_pair=engine.E_2 * columns[2],
            magnetization_1=columns[3],
            magnetization_2=columns[4],
            magnetization_1_squared=columns[5],
            magnetization_2_squared=columns[6],
            spin_correlation_zz=columns[7],
            change=math.inf,
            complete=False,
        ),
        missed,
        marked,
    )


def _restricted(sector: PairSector, selection: Mask) -> tuple[csr_array, float]:
    """G on a selection as a sparse matrix, and its trace."""
    matrix = csr_array(BlockTridiagonal.of(sector, selection).dense())
    return matrix, float(matrix.diagonal().sum())


def _averages(sector: PairSector, x: FloatArray) -> list[float]:
    z_1, z_2 = sector.z_1[0], sector.z_2[0]
    nu_1, nu_2 = sector.pair.share
    low = x[0]
    return [
        float(sector.current(x)[0, 0, 0]),
        float(nu_1 / 2 * z_1[0] @ sector.bath_1[0] @ low[:, 0]),
        float(nu_2 / 2 * z_2[0] @ sector.bath_2[0] @ low[0]),
        float(z_1[0] @ low[:, 0]),
        float(z_2[0] @ low[0]),
        float(sector.square_1 @ low[:, 0]),
        float(sector.square_2 @ low[0]),
        float(z_1[0] @ low @ z_2[0]),
    ]


def _change(before: ClassicalTrajectory, now: ClassicalTrajectory, pair: ClassicalPair) -> float:
    """Largest difference of two trajectories in the moments and in J/(NΓ₀)."""
    names = [name for name in vars(now) if name.startswith(("magnetization", "spin"))]
    differences = [np.abs(getattr(now, name) - getattr(before, name)).max() for name in names]
    scale = max(pair.rates) * max(pair.engine.delta_E, np.finfo(float).tiny)
    differences.append(np.abs(now.power_per_pair - before.power_per_pair).max() / scale)
    return float(max(differences))
