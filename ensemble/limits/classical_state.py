"""Stationary density of the classical limit on the modes that it needs, and its noise."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import binary_dilation

from ensemble.limits.bath_modes import BathModes
from ensemble.limits.block_tridiagonal import BlockTridiagonal, Mask
from ensemble.limits.classical_pair import ClassicalPair
from ensemble.limits.pair_sector import PairSector
from ensemble.sector import FloatArray

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
"""Reference b̃ that serves until the magnetisations are known."""
MOST_WORK = 1e11
"""Multiplications that one factorisation may take, some seconds."""
MOST_STEPS = 40


@dataclass(frozen=True)
class BathCount:
    """Current and noise by counting the quanta that one bath exchanges.

    Attributes
    ----------
    current, noise : float
        J/N and D/N².
    activity : float
        ⟨𝒜⟩, which at weak drive cancels against the rest of the noise.
    residual : float
        Of the solve.
    """

    current: float
    noise: float
    activity: float
    residual: float


@dataclass(frozen=True, eq=False)
class ClassicalState:
    r"""Stationary density f = e^{−c₁z₁−c₂z₂} g of a `ClassicalPair`, g = Σ x_μ[k₁, k₂] modes.

    Attributes
    ----------
    sector : PairSector
        At d = 0 and parity 1, on the whole pool of modes.
    solver : BlockTridiagonal
        Factors of G on the modes that were selected, the norm left out.
    deviation : ndarray, shape ``sector.shape``
        x − e₀, where e₀ is the reference; over aN if ``matched``.
    response : ndarray, shape ``sector.shape``
        h of G h = −(p − J/N) x, whose average of p is D/(2N²).
    matched : bool
        Whether the reference is the baths' own product density, so that the deviation is
        proportional to the affinity and keeps its relative accuracy where that vanishes.
    residual : float
        Largest relative residual of the solves on the selection.
    change : float
        Largest relative change of J/N, D/N² and (against 1) the moments of the magnetisations in
        the last enlargement of the selection: the error that remains is smaller.
    tail : float
        Norm of the neglected modes by their residual over their decay rate, relative to that of
        the deviation and the response (the larger one).  Averages err by its square at most,
        times the sensitivity of the state.
    modes : tuple of BathModes
        The pool of each spin.
    complete : bool
        False if the work would have exceeded ``MOST_WORK``.
    """

    sector: PairSector
    solver: BlockTridiagonal
    deviation: FloatArray
    response: FloatArray
    matched: bool
    residual: float
    change: float
    tail: float
    modes: tuple[BathModes, BathModes]
    complete: bool

    @property
    def pair(self) -> ClassicalPair:
        """The engine in the limit."""
        return self.sector.pair

    @property
    def harmonics(self) -> int:
        """Highest degree l of the spherical harmonics behind the modes."""
        return max(mode.harmonics for mode in self.modes)

    @property
    def density(self) -> FloatArray:
        """x, normalised."""
        return _density(self.deviation, self._scale)

    @property
    def _scale(self) -> float:
        return self.pair.affinity if self.matched else 1.0

    @property
    def current_per_affinity(self) -> float:
        """(J/N)/(aN); at the Carnot point its limit, NaN if the reference is not the baths'."""
        slope = _average(self.sector.current(self.deviation))
        if self.matched:
            return slope
        return slope / self.pair.affinity if self.pair.affinity else math.nan

    @property
    def current(self) -> float:
        """J/N."""
        return self._scale * _average(self.sector.current(self.deviation))

    @property
    def noise(self) -> float:
        """D/N²."""
        return 2 * _average(self.sector.current(self.response))

    @property
    def magnetizations(self) -> tuple[float, float]:
        """⟨m₁ᶻ⟩ and ⟨m₂ᶻ⟩."""
        first, second = self._marginals()
        return float(self.sector.z_1[0, 0] @ first), float(self.sector.z_2[0, 0] @ second)

    @property
    def second_moments(self) -> tuple[float, float]:
        """⟨(m₁ᶻ)²⟩ and ⟨(m₂ᶻ)²⟩."""
        first, second = self._marginals()
        return float(self.sector.square_1 @ first), float(self.sector.square_2 @ second)

    @property
    def covariance(self) -> float:
        """⟨m₁ᶻm₂ᶻ⟩ − ⟨m₁ᶻ⟩⟨m₂ᶻ⟩, which is of second order in the deviation: no cancellation."""
        d = self._scale * self.deviation[0]
        correlated = d - np.outer(d[:, 0], d[0])
        # e₀ itself is a product; so are e₀'s products with the marginals, row and column 0.
        correlated[:, 0] = correlated[0, :] = 0.0
        return float(self.sector.z_1[0, 0] @ correlated @ self.sector.z_2[0, 0])

    def _marginals(self) -> tuple[FloatArray, FloatArray]:
        x = self.density[0]
        return x[:, 0], x[0]

    def at_bath(self, bath: int) -> BathCount:
        r"""J/N and D/N² once more, counted at one bath.

        .. math:: \mathcal{J} = [u, D_i], \quad \mathcal{A} = [u, [u, D_i]], \quad
                  \frac{D}{N^2} = \langle\mathcal{A}\rangle
                  - 2 \langle\mathcal{J} G^{+} (\mathcal{J} - J/N)\rangle

        with u = −ν₁m₁ᶻ/2 at the cold bath (quanta that it takes) and ν₂m₂ᶻ/2 at the hot one.
        """
        sector, share = self.sector, self.pair.share
        if bath == 1:
            u, D = -share[0] / 2 * sector.z_1, sector.bath_1

            def left(matrix: FloatArray, x: FloatArray) -> FloatArray:
                return np.asarray(matrix @ x)
        else:
            u, D = share[1] / 2 * sector.z_2, sector.bath_2

            def left(matrix: FloatArray, x: FloatArray) -> FloatArray:
                return np.asarray(x @ matrix.swapaxes(-1, -2))

        def flow(x: FloatArray) -> FloatArray:
            return left(u, left(D, x)) - left(D, left(u, x))

        current = _average(left(u, left(D, self.deviation)))
        if not self.matched:
            current += _average(left(u, left(D, _density(0 * self.deviation, 0.0))))
        x = self.density
        source = self._scale * current * x - flow(x)
        response, residual = self.solver.solve(source)
        activity = _average(left(u, left(u, left(D, x)))) - 2 * _average(
            left(u, left(D, left(u, x)))
        )
        noise = activity + 2 * _average(left(u, left(D, response)))
        return BathCount(self._scale * current, noise, activity, residual)


def _density(deviation: FloatArray, scale: float) -> FloatArray:
    x = scale * deviation
    x[0, 0, 0] = 1.0
    return x


def _average(x: FloatArray) -> float:
    """Integral of a density: its element along the reference."""
    return float(x[0, 0, 0])


def classical_state(pair: ClassicalPair, *, tolerance: float = 1e-10) -> ClassicalState:
    """Stationary density and noise, on as many modes as the tolerance asks for.

    Modes are added where the residual says that they are missed, until the averages change by no
    more than ``tolerance`` and the neglected tail is below its square root: an average is a
    product of the density and of an adjoint, which have tails of the same size.

    Parameters
    ----------
    pair : ClassicalPair
    tolerance : float

    Returns
    -------
    ClassicalState
        Not ``complete`` if it would take more work than ``MOST_WORK``.
    """
    near = pair.drive == 0 or abs(pair.affinity) <= LARGE_AFFINITY
    state = _refined(pair, pair.b, tolerance) if near else None
    if state is None:
        # The baths' own density may be far from the state: learn the magnetisations first.
        reference = min(pair.b[0], NEUTRAL), min(pair.b[1], NEUTRAL)
        sketch = _refined(pair, reference, tolerance, sketch=True)
        assert sketch is not None
        state = _refined(pair, _fitted(pair, sketch), tolerance)
        assert state is not None
    return state


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


def _refined(
    pair: ClassicalPair, reference: tuple[float, float], tolerance: float, *, sketch: bool = False
) -> ClassicalState | None:
    """The state in the modes of a reference; None if that is the baths' and far from the state.

    A sketch is done as soon as 1 + ⟨mᵢᶻ⟩ are known to a tenth.
    """
    matched = reference == pair.b
    modes_1, modes_2, orders = FIRST_MODES, FIRST_MODES, FIRST_MODES
    modes = _pool(reference, modes_1, modes_2, orders)
    sector = PairSector.of(pair, modes)
    mu, k_1, k_2 = np.indices(sector.shape)
    selection = mu + k_1 + k_2 < FIRST_SELECTION
    selection[0, 0, 0] = False
    before: FloatArray | None = None
    tail: float | None = None
    best: ClassicalState | None = None
    reach = worse = 0
    state: ClassicalState | None = None
    for _ in range(MOST_STEPS):
        if _work(selection) > MOST_WORK:
            return replace(state, complete=False) if state is not None else None
        state, missed = _solved(sector, selection, matched, modes)
        if matched and (np.linalg.norm(state.density) > FAR_FROM_BATHS or state.residual > ROUNDED):
            return None
        now = _averages(state)
        change = _relative_change(before, now) if before is not None else math.inf
        state = replace(state, change=change)
        if change <= tolerance and state.tail <= math.sqrt(tolerance):
            return state
        if state.tail <= math.sqrt(tolerance):
            if best is None or change < best.change:
                best, worse = state, 0
            elif worse == 2:
                # More modes only bring rounding now: far from normal, G amplifies it.
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
        if state.tail == 0:  # nothing is missed: without a drive the first selection is complete
            return replace(state, change=0.0)
        if tail is not None and state.tail > SLOW * tail:
            reach += 1
        tail = state.tail
        selection = selection | _marked(missed, reach)
        selection[0, 0, 0] = False
        grown = outgrown(selection, sector.shape)
        if grown != sector.shape:
            modes = _pool(reference, grown[1], grown[2], grown[0] - 1)
            sector = PairSector.of(pair, modes)
            larger = np.zeros(sector.shape, dtype=bool)
            larger[tuple(slice(n) for n in selection.shape)] = selection
            selection = larger
        top = np.flatnonzero(selection.any(axis=(1, 2)))[-1]
        selection[1 : top + 1, 0, 0] = True  # no empty block in between
    assert state is not None
    return replace(state, complete=False)


def _pool(
    reference: tuple[float, float], modes_1: int, modes_2: int, orders: int
) -> tuple[BathModes, BathModes]:
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


def _marked(missed: FloatArray, reach: int) -> Mask:
    """The modes to add, and their neighbours as far as ``reach``.

    Where the drive outruns the baths a residual moves on by one neighbour at a time, and each
    neighbour alone would seem enough.
    """
    marked = missed > MARKED * missed.max()
    return np.asarray(binary_dilation(marked, iterations=reach) if reach else marked)


def _work(selection: Mask) -> float:
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
    x = _density(deviation, sector.pair.affinity if matched else 1.0)
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
    slope = _average(state.sector.current(state.deviation))
    return np.array(
        [slope, state.noise, *state.magnetizations, *state.second_moments, state.covariance]
    )


def _relative_change(before: FloatArray, now: FloatArray) -> float:
    """Of the current and the noise relative to themselves, of moments relative to 1."""
    scale = np.ones(now.size)
    scale[:2] = np.maximum(np.abs(now[:2]), np.finfo(float).tiny)
    return float(np.max(np.abs(now - before) / scale))
