"""Search for the slowest modes of one sector of the Fokker–Planck generator.

The whole spectrum of G on a few hundred modes shows which eigenvalues may be the slowest
(`candidates`).  Then one of them at a time is followed while modes with a large residual are added
(`refined`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eig, lu_factor, lu_solve
from scipy.ndimage import binary_dilation
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs

from ensemble.arrays import ComplexArray, FloatArray
from ensemble.errors import Unsolvable
from ensemble.limits.bath_modes import BathModes, work_of
from ensemble.limits.block_tridiagonal import BlockTridiagonal, Mask
from ensemble.limits.classical_pair import ClassicalPair
from ensemble.limits.classical_state import ClassicalState
from ensemble.limits.mode_selection import SLOW
from ensemble.limits.pair_sector import PairSector
from ensemble.limits.work import Work

COARSE = (64, 200, 600)
"""Numbers of modes whose whole spectrum is computed: the next if the last misses too much."""
MARKED = 0.003
"""As in `mode_selection`; smaller, since steps take more time than additional modes."""
MISSED = 0.3
"""Part of a mode, by its residual over the decay rates, that a whole spectrum may miss."""
NEAR = 1.3
"""Modes up to this factor faster than the slowest of the whole spectrum are refined with it."""
IRRELEVANT = 1.5
"""A mode that is faster than another by this factor is not followed, however coarsely both are
known."""
MOST_WORK = 1e10
"""Multiplications that one factorisation may take, a few seconds in complex arithmetic."""
MOST_STEPS = 30
"""Enlargements of the selection for one mode."""
MOST_CANDIDATES = 4
"""Modes of one sector that are taken from the whole spectrum."""
SMALL = 300
"""Number of modes up to which one dense factorisation is faster than many small ones."""
STEPS = 4
"""Steps of inverse iteration with the dense factors."""
NEARLY = 1 + 1e-6
"""Keeps G − λ from being singular, near enough to converge in a few steps."""
WANTED = 2
"""Eigenvectors that ARPACK is asked for, so that the nearest one can be chosen."""
SUBSPACE = 10
"""Dimension of its Krylov space."""
RESTARTS = 100
"""Restarts before its search is given up."""
CONVERGED = 1e-11
"""Accuracy that ARPACK is asked for, relative to the eigenvalue of the inverse."""


@dataclass(frozen=True)
class ClassicalMode:
    """One decaying mode of the Fokker–Planck generator.

    Attributes
    ----------
    eigenvalue : complex
        λ with Re λ < 0 and Im λ ≥ 0; its conjugate is an eigenvalue too.
    difference, parity : int
        Sector: μ₁ + μ₂ of the mode (−d has the same modes), and at d = 0 its parity under y → −y.
    residual : float
        ‖(G − λ)x‖ / (|λ| ‖x‖) on the selected modes: rounding.
    change : float
        Relative change of λ in the last enlargement of the selection.
    tail : float
        Norm of the neglected part, by its residual over its decay rate, relative to the mode.
    complete : bool
        False if the work or the steps ran out before the tolerance was met.
    """

    eigenvalue: complex
    difference: int
    parity: int
    residual: float
    change: float
    tail: float
    complete: bool

    @property
    def rate(self) -> float:
        """Decay rate −Re λ."""
        return -self.eigenvalue.real


@dataclass(frozen=True, eq=False)
class Pool:
    """A sector that can grow: the modes of each spin up to now."""

    pair: ClassicalPair
    sector: PairSector
    reference: tuple[float, float]
    work: Work

    @classmethod
    def of(cls, state: ClassicalState, difference: int, parity: int, work: Work) -> Pool:
        reference = state.modes[0].reference, state.modes[1].reference
        sizes = (8, 8, 4 + difference)
        return cls._made(work, state.pair, reference, difference, parity, sizes)

    @classmethod
    def _made(
        cls,
        work: Work,
        pair: ClassicalPair,
        reference: tuple[float, float],
        difference: int,
        parity: int,
        sizes: tuple[int, int, int],
    ) -> Pool:
        work.take(
            work_of(reference[0], sizes[0], sizes[2]) + work_of(reference[1], sizes[1], sizes[2])
        )
        modes = (
            BathModes.of(reference[0], modes=sizes[0], orders=sizes[2]),
            BathModes.of(reference[1], modes=sizes[1], orders=sizes[2]),
        )
        sector = PairSector.of(pair, modes, difference=difference, parity=parity)
        return cls(pair, sector, reference, work)

    @property
    def usable(self) -> Mask:
        """All modes but the reference itself, whose amplitude is the conserved norm."""
        usable = np.ones(self.sector.shape, dtype=bool)
        if self.sector.parity == 1:
            usable[0, 0, 0] = False
        return usable

    def missed(self, selection: Mask, value: complex, x: ComplexArray) -> FloatArray:
        """Estimated amplitudes of the neglected modes, relative to ‖x‖; shape of the sector."""
        # The apply of a complex density is that of its two real parts.
        image = self.sector.apply(x.real.copy()) + 1j * self.sector.apply(x.imag.copy())
        gain = np.maximum(np.abs(self.sector.decay + value), abs(value.real))
        amplitude = np.abs(image) / gain
        amplitude[selection] = 0.0
        amplitude[~self.usable] = 0.0
        return np.asarray(amplitude / np.linalg.norm(x))

    def grown(self, selection: Mask) -> tuple[Pool, Mask]:
        """A pool with one free layer of modes around the selection, and the selection in it."""
        B, K_1, K_2 = self.sector.shape
        used = [
            np.flatnonzero(selection.any(axis=tuple(other for other in range(3) if other != axis)))
            for axis in range(3)
        ]
        top = int(np.abs(self.sector.orders).max())
        if self.sector.difference:  # both ends count
            top = max(top, int(np.abs(self.sector.difference - self.sector.orders).max()))
        orders_full = used[0][-1] >= B - 2 or (self.sector.difference and used[0][0] <= 1)
        sizes = (
            K_1 if used[1][-1] < K_1 - 2 else K_1 + K_1 // 2,
            K_2 if used[2][-1] < K_2 - 2 else K_2 + K_2 // 2,
            top if not orders_full else top + max(top // 2, 2),
        )
        if sizes == (K_1, K_2, top):
            return self, selection
        sector = self.sector
        larger = self._made(
            self.work, self.pair, self.reference, sector.difference, sector.parity, sizes
        )
        offset = int(self.sector.orders[0] - larger.sector.orders[0])
        moved = np.zeros(larger.sector.shape, dtype=bool)
        moved[offset : offset + B, :K_1, :K_2] = selection
        return larger, moved

    def embedded(self, smaller: Pool, x: ComplexArray) -> ComplexArray:
        """x of a smaller pool, in this one; modes may differ in sign, which iterations correct."""
        if smaller is self:
            return x
        B, K_1, K_2 = smaller.sector.shape
        offset = int(smaller.sector.orders[0] - self.sector.orders[0])
        y = np.zeros(self.sector.shape, dtype=complex)
        y[offset : offset + B, :K_1, :K_2] = x
        return y


@dataclass(frozen=True, eq=False)
class Candidate:
    """A slow mode of the whole spectrum on a selection."""

    pool: Pool
    selection: Mask
    value: complex
    vector: ComplexArray
    missed: float

    @property
    def rate(self) -> float:
        return -self.value.real

    @property
    def likely_rate(self) -> float:
        """Estimate of the converged rate: ``rate`` is too low where much of the mode is missed."""
        return self.rate * (1 + 4 * self.missed**2)


def candidates(pool: Pool, relevant: float) -> list[Candidate]:
    """The slowest modes of a sector by the whole spectrum on its slowest undriven modes.

    Modes much faster than ``relevant`` need not be known well.
    """
    found: list[Candidate] = []
    for size in COARSE:
        pool, selection = _slowest_modes(pool, size)
        pool.work.take(25.0 * float(selection.sum()) ** 3)
        solver = BlockTridiagonal.of(pool.sector, selection)
        values, vectors = eig(solver.dense())
        rightmost = values.real.max()
        near = (values.imag >= 0) & (values.real >= rightmost - (NEAR - 1) * abs(rightmost))
        wanted = np.flatnonzero(near)
        found = []
        for i in wanted[np.argsort(-values[wanted].real)][:MOST_CANDIDATES]:
            x = np.zeros(pool.sector.shape, dtype=complex)
            x[selection] = vectors[:, i]
            value = complex(values[i])
            missed = float(np.linalg.norm(pool.missed(selection, value, x)))
            found.append(Candidate(pool, selection, value, x, missed))
        if found[0].missed <= MISSED or (size > COARSE[0] and found[0].rate > relevant):
            break
    return found


def _slowest_modes(pool: Pool, size: int) -> tuple[Pool, Mask]:
    """The ``size`` modes of the sector that decay most slowly, with room around them."""
    while True:
        decay = np.where(pool.usable, pool.sector.decay, np.inf)
        selection = decay <= np.partition(decay, size, axis=None)[size]
        larger, _ = pool.grown(selection)
        if larger is pool:
            return pool, _without_gaps(pool, selection)
        pool = larger


def _without_gaps(pool: Pool, selection: Mask) -> Mask:
    """The selection with at least one mode in every block between its first and last."""
    filled = np.flatnonzero(selection.any(axis=(1, 2)))
    selection = selection.copy()
    selection[filled[0] : filled[-1] + 1, 0, 0] = True
    return np.asarray(selection & pool.usable)


def refined(candidate: Candidate, tolerance: float, rival: float) -> ClassicalMode | None:
    """One eigenvalue on a growing selection; None once its rate must exceed another mode's.

    The error of an eigenvalue is of the order of the square of what its mode misses.  If that is
    large, the decay rate is too low, since modes that decay fast are not included yet.
    """
    pool, selection = candidate.pool, candidate.selection
    value, x = candidate.value, candidate.vector
    tail, reach, earlier = math.inf, 0, math.inf
    mode = ClassicalMode(
        value, pool.sector.difference, pool.sector.parity, math.inf, math.inf, math.inf, False
    )
    for _ in range(MOST_STEPS):
        missed = pool.missed(selection, value, x)
        before, tail = tail, float(np.linalg.norm(missed))
        mode = replace(mode, tail=tail)
        margin = 1 - 2 * tail**2 if tail <= MISSED else 1 / IRRELEVANT
        if -value.real * margin > rival:
            return None
        # Two small changes in a row count too: where the generator is far from normal the tail is
        # large although the eigenvalue has converged, and more modes would add rounding only.
        if mode.change <= tolerance and (
            tail <= math.sqrt(tolerance) or earlier <= 100 * tolerance
        ):
            return replace(mode, complete=True)
        earlier = mode.change
        if tail > SLOW * before:
            reach += 1
        marked = missed > MARKED * missed.max()
        if reach:
            marked = binary_dilation(marked, iterations=reach)
        smaller = pool
        try:
            pool, selection = pool.grown(_without_gaps(pool, (selection | marked) & pool.usable))
            needed = 4.0 * float(np.sum(selection.sum(axis=(1, 2), dtype=float) ** 3))
            pool.work.take(needed if needed <= MOST_WORK else math.inf)
        except Unsolvable:
            return mode
        x = pool.embedded(smaller, x)
        new, x, residual = _tracked(pool.sector, selection, value, x)
        change = abs(new - value) / abs(new)
        mode = replace(
            mode,
            eigenvalue=complex(new.real, abs(new.imag)),
            residual=residual,
            change=max(change, residual),
        )
        value = new
    return mode


def _tracked(
    sector: PairSector, selection: Mask, value: complex, x: ComplexArray
) -> tuple[complex, ComplexArray, float]:
    """The eigenvalue of the restricted G that is nearest to a value, and its vector."""
    solver = BlockTridiagonal.of(sector, selection, shift=1j * value.imag if value.imag else 0.0)
    start = x[selection] if value.imag else x[selection].real
    search = _by_inverse_iteration if len(start) <= SMALL else _by_arnoldi
    vector = search(solver, value, start / np.linalg.norm(start))
    image = solver.multiply(vector)
    value = complex(np.vdot(vector, image))
    full = np.zeros(sector.shape, dtype=complex)
    full[selection] = vector
    # Each element in units of its decay rate: fast modes contribute little to the eigenvector.
    gain = np.maximum(np.abs(sector.decay[selection] + value), abs(value.real))
    return value, full, float(np.linalg.norm((image - value * vector) / gain))


def _by_inverse_iteration(solver: BlockTridiagonal, value: complex, y: NDArray) -> NDArray:
    """Eigenvector by a few steps with the dense (G − λ)⁻¹."""
    shift = value * NEARLY if value.imag else value.real * NEARLY
    factors = lu_factor(solver.dense() - shift * np.eye(len(y)))
    for _ in range(STEPS):
        y = lu_solve(factors, y, check_finite=False)
        y = y / np.linalg.norm(y)
    return np.asarray(y)


def _by_arnoldi(solver: BlockTridiagonal, value: complex, y: NDArray) -> NDArray:
    """Eigenvector by Arnoldi iteration on (G − i Im λ)⁻¹; the start itself if that fails.

    The shift is to the right of the spectrum, where the factors need no pivots between blocks; at
    λ itself they would.
    """
    try:
        inverse, vectors = eigs(
            LinearOperator((len(y), len(y)), matvec=solver.back_substitute, dtype=y.dtype),
            k=WANTED,
            v0=y,
            tol=CONVERGED,
            ncv=SUBSPACE,
            maxiter=RESTARTS,
        )
    except ArpackNoConvergence as failure:  # the other one may have converged
        inverse, vectors = failure.eigenvalues, failure.eigenvectors
    if not inverse.size:
        return y
    best = vectors[:, np.abs(solver.shift + 1 / inverse - value).argmin()]
    return np.asarray(best if value.imag else best.real / np.linalg.norm(best.real))
