"""The stationary density on as many modes as it needs: which reference, and which modes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal, overload

import numpy as np
from scipy.ndimage import binary_dilation

from ensemble.arrays import FloatArray
from ensemble.errors import Unsolvable
from ensemble.limits.bath_modes import BathModes, work_of
from ensemble.limits.block_tridiagonal import BlockTridiagonal, Mask
from ensemble.limits.classical_pair import ClassicalPair
from ensemble.limits.classical_state import ClassicalState, average, normalised
from ensemble.limits.pair_sector import PairSector
from ensemble.limits.work import OutOfWork, Work

FIRST_MODES = 8
"""Modes of each spin, and orders, of the first pool."""
FIRST_SELECTION = 4
"""The first selection holds the modes with k₁ + k₂ + μ below this."""
MARKED = 0.02
"""Modes whose estimated amplitude exceeds this fraction of the largest neglected one are added."""
SLOW = 0.3
"""Fall of the tail in one step beyond which the next one reaches farther."""
FAR_FROM_BATHS = 3.0
"""Norm of the deviation beyond which the baths' own density is a poor reference."""
LARGE_AFFINITY = 10.0
"""aN beyond which the baths' own density is not tried: G would be far from normal in it."""
ROUNDED = 1e-13
"""Residual that the baths' own density can be expected to reach; there G is nearly normal."""
NEUTRAL = 4.0
"""Largest reference b̃ of the sketch, which is made before the magnetisations are known."""
MOST_WORK = 1e11
"""Multiplications that one factorisation may take, some seconds."""
MOST_STEPS = 40


def classical_state(pair: ClassicalPair, *, tolerance: float = 1e-10) -> ClassicalState:
    """Stationary density and noise, on as many modes as the tolerance requires.

    Modes with a large residual are added, until the averages change by no more than ``tolerance``
    and the neglected tail is below its square root.  The error of an average is the truncation
    error of the density times that of an adjoint, and both are of the same size.

    Parameters
    ----------
    pair : ClassicalPair
    tolerance : float

    Returns
    -------
    ClassicalState
        Not ``complete`` if it would take more work than allowed: ``MOST_WORK`` for one
        factorisation, `work.MOST_WORK` in all, ``MOST_STEPS`` enlargements.

    Raises
    ------
    Unsolvable
        If a bath is too cold, or the work does not suffice for any state.
    """
    near = pair.drive == 0 or abs(pair.affinity) <= LARGE_AFFINITY
    if near:
        try:
            state = _refined(pair, pair.b, tolerance, attempt=True)
        except Unsolvable:  # too cold for that reference; another one may work
            state = None
        if state is not None:
            return state
    # The baths' own density may be far from the state: find the magnetisations first.
    reference = min(pair.b[0], NEUTRAL), min(pair.b[1], NEUTRAL)
    sketch = _refined(pair, reference, tolerance, sketch=True)
    return _refined(pair, _fitted(pair, sketch), tolerance)


def _fitted(pair: ClassicalPair, sketch: ClassicalState) -> tuple[float, float]:
    """The references with the magnetisations of a sketch: coth(b̃/2) − 2/b̃ = −⟨mᶻ⟩, nearly."""
    first, second = (max(-z, 0.0) for z in sketch.magnetizations)
    coldest = max(pair.b)
    fits = (
        min(2 * z * (3 - z * z) / (1 - z * z), coldest) if z < 1 else coldest
        for z in (first, second)
    )
    first, second = fits
    return first, second


@overload
def _refined(
    pair: ClassicalPair, reference: tuple[float, float], tolerance: float, *, attempt: Literal[True]
) -> ClassicalState | None: ...


@overload
def _refined(
    pair: ClassicalPair, reference: tuple[float, float], tolerance: float, *, sketch: bool = False
) -> ClassicalState: ...


def _refined(
    pair: ClassicalPair,
    reference: tuple[float, float],
    tolerance: float,
    *,
    attempt: bool = False,
    sketch: bool = False,
) -> ClassicalState | None:
    """The state in the modes of a reference.

    An attempt returns None as soon as the state proves to be far from the reference.  A sketch
    ends as soon as 1 + ⟨mᵢᶻ⟩ are known to a tenth.
    """
    work = Work()
    matched = reference == pair.b
    modes_1, modes_2, orders = FIRST_MODES, FIRST_MODES, FIRST_MODES
    modes = _pool(work, reference, modes_1, modes_2, orders)
    sector = PairSector.of(pair, modes)
    mu, k_1, k_2 = np.indices(sector.shape)
    selection = mu + k_1 + k_2 < FIRST_SELECTION
    selection[0, 0, 0] = False
    smaller: Mask | None = None
    before: FloatArray | None = None
    tail: float | None = None
    best: ClassicalState | None = None
    reach = worse = 0
    state: ClassicalState | None = None
    for _ in range(MOST_STEPS):
        needed = work_on(selection)
        try:
            work.take(needed if needed <= MOST_WORK else math.inf)
        except OutOfWork:
            break
        state, missed = _solved(sector, selection, matched, modes)
        if attempt and (np.linalg.norm(state.density) > FAR_FROM_BATHS or state.residual > ROUNDED):
            return None
        now = _averages(state)
        change = float(relative_change(before, now)) if before is not None else math.inf
        state = replace(state, change=change, smaller=smaller)
        if change <= tolerance and state.tail <= math.sqrt(tolerance):
            return state
        if state.tail <= math.sqrt(tolerance):
            if best is None or change < best.change:
                best, worse = state, 0
            elif worse == 2:
                # More modes add rounding only, which a G far from normal amplifies.
                return best
            else:
                worse += 1
        if (
            sketch
            and before is not None
            and np.all(np.abs(now - before)[2:4] <= 0.1 * np.abs(1 + now[2:4]))
        ):
            return state
        before = now
        if state.tail == 0:  # no mode is missing: without a drive the first selection is complete
            return replace(state, change=0.0)
        if tail is not None and state.tail > SLOW * tail:
            reach += 1
        tail = state.tail
        smaller = selection
        selection = enlarged(selection, reached(missed > MARKED * missed.max(), reach))
        grown = selection.shape
        if grown != sector.shape:
            try:
                modes = _pool(work, reference, grown[1], grown[2], grown[0] - 1)
            except Unsolvable:
                break
            sector = PairSector.of(pair, modes)
    if state is None:  # the first selection has 20 modes: only if the limits are set very low
        raise OutOfWork("the work allowed does not suffice for any state: raise the limits")
    return replace(state, complete=False)


def _pool(
    work: Work, reference: tuple[float, float], modes_1: int, modes_2: int, orders: int
) -> tuple[BathModes, BathModes]:
    # Counted even if they are cached: a result must not depend on what was solved before.
    work.take(work_of(reference[0], modes_1, orders) + work_of(reference[1], modes_2, orders))
    return (
        BathModes.of(reference[0], modes=modes_1, orders=orders),
        BathModes.of(reference[1], modes=modes_2, orders=orders),
    )


def outgrown(selection: Mask, shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Shape of the pool that leaves one layer free in every direction, half as large again."""
    sizes = []
    for axis, size in enumerate(shape):
        others = tuple(other for other in range(3) if other != axis)
        used = np.flatnonzero(selection.any(axis=others))[-1] + 1
        sizes.append(size if used < size - 1 else size + size // 2)
    return sizes[0], sizes[1], sizes[2]


def reached(marked: Mask, reach: int) -> Mask:
    """Marked modes and their neighbours as far as ``reach``.

    Where the drive is stronger than the baths, each enlargement by direct neighbours moves the
    residual one neighbour further: larger steps are needed.
    """
    return np.asarray(binary_dilation(marked, iterations=reach) if reach else marked)


def enlarged(selection: Mask, marked: Mask) -> Mask:
    """A selection with more modes, on a pool that leaves a free layer around them."""
    both = selection | marked
    both[0, 0, 0] = False
    larger = np.zeros(outgrown(both, both.shape), dtype=bool)
    larger[tuple(slice(n) for n in both.shape)] = both
    top = np.flatnonzero(larger.any(axis=(1, 2)))[-1]
    larger[1 : top + 1, 0, 0] = True  # no empty block in between
    return larger


def work_on(selection: Mask) -> float:
    """Multiplications of a factorisation on a selection."""
    return 4.0 * float(np.sum(selection.sum(axis=(1, 2), dtype=float) ** 3))


def _solved(
    sector: PairSector, selection: Mask, matched: bool, modes: tuple[BathModes, BathModes]
) -> tuple[ClassicalState, FloatArray]:
    """The state on a selection, and the estimated amplitudes of the modes that it neglects."""
    solver = BlockTridiagonal.of(sector, selection)
    e_0 = np.zeros(sector.shape)
    e_0[0, 0, 0] = 1.0
    # G e₀ = aN p e₀ if the reference is the baths'.
    source = -sector.current(e_0) if matched else -sector.apply(e_0)
    deviation, residual = solver.solve(source)
    x = normalised(deviation, sector.pair.affinity if matched else 1.0)
    flow = sector.current(x)
    excess = flow[0, 0, 0] * x - flow
    response, residual_2 = solver.solve(excess)
    decay = sector.decay
    decay[0, 0, 0] = 1.0
    missed = np.zeros(sector.shape)
    for found, wanted in ((deviation, source), (response, excess)):
        amplitude = np.abs(wanted - sector.apply(found)) / decay
        amplitude[selection] = amplitude[0, 0, 0] = 0.0
        # Under a weak drive populations change in second order, coherences in first: the former
        # carry the currents at the baths, and are measured by themselves.
        for part in (slice(1), slice(1, None)):
            size = np.linalg.norm(found[part] if part.stop else found)
            if size > 0:
                missed[part] = np.maximum(missed[part], amplitude[part] / size)
    state = ClassicalState(
        sector=sector,
        solver=solver,
        deviation=deviation,
        response=response,
        matched=matched,
        residual=max(residual, residual_2),
        change=math.inf,
        tail=float(np.linalg.norm(missed)),
        modes=modes,
        complete=True,
    )
    return state, missed


def _averages(state: ClassicalState) -> FloatArray:
    slope = average(state.sector.current(state.deviation))
    return np.array(
        [slope, state.noise, *state.magnetizations, *state.second_moments, state.covariance]
    )


def relative_change(before: FloatArray, now: FloatArray) -> FloatArray:
    """Of the current and the noise relative to themselves, of moments relative to 1.

    The largest one, over the first axis.
    """
    scale = np.ones(now.shape)
    scale[:2] = np.maximum(np.abs(now[:2]), np.finfo(float).tiny)
    return np.asarray(np.max(np.abs(now - before) / scale, axis=0))
