"""Equations of many similar pairs on one selection of modes, solved together.

One of the pairs is factorised; its inverse makes the equations of all others well conditioned, so
that each needs a few steps of GMRES.  The steps of all pairs are matrix products.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ensemble.arrays import FloatArray, IntArray
from ensemble.limits.block_tridiagonal import Mask
from ensemble.limits.near_pairs import Densities, NearPairs, central, coordinates, halved

MOST_STEPS = 40
"""Steps of GMRES.  Pairs that take more are not similar enough."""
WIDEST = 0.6
"""Range of the logarithm of a ratio of parameters within which one factorisation serves."""
MOST_PAIRS = 32
"""Pairs that it serves at most."""
FEW_MODES = 300
"""Modes up to which steps of many pairs at once cost less than factorisations."""
WIDEST_OF_FEW = 1.2
"""In place of ``WIDEST`` there; then a factorisation serves any number of pairs."""
INVARIANT = 1e-15
"""Part of a new vector that is left of it where the Krylov space is exhausted."""
IN_CACHE = 2**16
"""Numbers that a processor reads twice without going to memory."""
HUGE = 1e100
"""Reduction of the residual that stands for an infinite one."""


@dataclass(frozen=True, eq=False)
class NearGenerator:
    """The five matrices of `NearPairs` on a selection of modes.

    Densities on the selection have the shape (modes, pairs).

    Attributes
    ----------
    near : NearPairs
    selection : ndarray of bool, shape ``near.sector.shape``
    places : list of tuple
        k₁ and k₂ of the modes of each order from the first to the last with a selected one.
    first : int
        The first of these orders.
    """

    near: NearPairs
    selection: Mask
    places: list[tuple[NDArray[np.int64], NDArray[np.int64]]]
    first: int

    @classmethod
    def of(cls, near: NearPairs, selection: Mask) -> NearGenerator:
        """Every order between the first and the last that is selected needs a selected mode."""
        orders = np.flatnonzero(selection.any(axis=(1, 2)))
        first, last = int(orders[0]), int(orders[-1])
        places = []
        for order in range(first, last + 1):
            k_1, k_2 = np.nonzero(selection[order])
            places.append((k_1, k_2))
        return cls(near, selection, places, first)

    @cached_property
    def blocks(self) -> list[slice]:
        """Where the modes of each order are."""
        edges = np.cumsum([0, *(len(k_1) for k_1, _ in self.places)]).tolist()
        return [slice(low, high) for low, high in itertools.pairwise(edges)]

    @property
    def size(self) -> int:
        """Number of modes."""
        return self.blocks[-1].stop

    @cached_property
    def rates(self) -> FloatArray:
        """Diagonals of −H₁ and −H₂, shape (2, modes)."""
        return np.stack(
            [
                np.concatenate(
                    [mode.rates[b][k[i]] for b, k in enumerate(self.places, start=self.first)]
                )
                for i, mode in enumerate(self.near.modes)
            ]
        )

    @cached_property
    def drifts(self) -> tuple[csr_array, csr_array]:
        """W₁ and W₂: each changes the mode of one spin only."""
        found = []
        for i, mode in enumerate(self.near.modes):
            rows, columns, values = [], [], []
            for b, (k, block) in enumerate(zip(self.places, self.blocks, strict=True), self.first):
                row, column = np.nonzero(k[1 - i][:, np.newaxis] == k[1 - i])
                rows.append(row + block.start)
                columns.append(column + block.start)
                values.append(mode.drift[b][k[i][row], k[i][column]])
            where = np.concatenate(rows), np.concatenate(columns)
            found.append(csr_array((np.concatenate(values), where), shape=(self.size, self.size)))
        return found[0], found[1]

    @cached_property
    def hops(self) -> tuple[list[FloatArray], list[FloatArray]]:
        """Blocks of X from each order to the next, and back."""
        sector = self.near.sector
        nu_1, nu_2 = sector.pair.share
        tilt = sector.tilt * nu_1 * nu_2 / 8
        up, down = [], []
        for b, ((i, j), (k, m)) in enumerate(itertools.pairwise(self.places), start=self.first):
            m_1, L_1 = (a[b][np.ix_(k, i)] for a in (sector.raising_1, sector.rotation_1))
            m_2, L_2 = (a[b][np.ix_(m, j)] for a in (sector.lowering_2, sector.rotation_2))
            turn = -(nu_2 * L_1 * m_2 + nu_1 * m_1 * L_2) / 4
            against = tilt * m_1 * m_2
            up.append(turn - against)
            down.append((-turn - against).T)
        return up, down

    def multiply(self, coefficients: FloatArray, x: FloatArray) -> FloatArray:
        """Σ coefficients · matrices · x, shape (modes, pairs); coefficients of shape (5, pairs)."""
        rate_1, drift_1, rate_2, drift_2, drive = coefficients
        y = -(np.outer(self.rates[0], rate_1) + np.outer(self.rates[1], rate_2)) * x
        for matrix, drift in zip(self.drifts, (drift_1, drift_2), strict=True):
            if drift.any():
                y += drift * (matrix @ x)
        if drive.any():
            for b, (up, down) in enumerate(zip(*self.hops, strict=True)):
                low, high = self.blocks[b], self.blocks[b + 1]
                y[high] += drive * (up @ x[low])
                y[low] += drive * (down @ x[high])
        return np.asarray(y)

    def weight(self, coefficients: FloatArray) -> FloatArray:
        """Magnitude of the diagonal of G, shape (modes, pairs)."""
        rate_1, drift_1, rate_2, drift_2, _ = coefficients
        W_1, W_2 = (matrix.diagonal() for matrix in self.drifts)
        return np.abs(
            np.outer(W_1, drift_1) + np.outer(W_2, drift_2)
            - np.outer(self.rates[0], rate_1) - np.outer(self.rates[1], rate_2)
        )  # fmt: skip

    def restricted(self, x: Densities) -> FloatArray:
        """The elements of densities on the selection."""
        return np.concatenate(
            [x[b][k_1, :, k_2] for b, (k_1, k_2) in enumerate(self.places, start=self.first)]
        )

    def spread(self, x: FloatArray, sizes: list[tuple[int, int]]) -> Densities:
        """Densities with zeros outside the selection, of sizes (K₁, K₂) for each order."""
        full = [np.zeros((K_1, x.shape[1], K_2)) for K_1, K_2 in sizes]
        parts = zip(self.places, self.blocks, strict=True)
        for b, ((k_1, k_2), block) in enumerate(parts, start=self.first):
            full[b][k_1, :, k_2] = x[block]
        return full


@dataclass(frozen=True, eq=False)
class NearInverse:
    """The inverse of one pair's generator by blocks, for products with many densities.

    Attributes
    ----------
    blocks : list of slice
    pivots : list of ndarray
        Inverses of the Schur complements.
    down : list of ndarray
    back : list of ndarray
        ``pivots[b + 1] @ up[b]``.
    """

    blocks: list[slice]
    pivots: list[FloatArray]
    down: list[FloatArray]
    back: list[FloatArray]

    @classmethod
    def of(cls, generator: NearGenerator, coefficients: FloatArray) -> NearInverse:
        """For the coefficients of one pair, shape (5,).

        Raises
        ------
        numpy.linalg.LinAlgError
            If a block is singular.
        """
        rate_1, drift_1, rate_2, drift_2, drive = coefficients.tolist()
        decay = rate_1 * generator.rates[0] + rate_2 * generator.rates[1]
        baths = drift_1 * generator.drifts[0] + drift_2 * generator.drifts[1]
        diagonal = []
        for block in generator.blocks:
            dense = baths[block, block].toarray()
            dense[np.diag_indices_from(dense)] -= decay[block]
            diagonal.append(dense)
        up, down = generator.hops
        down = [drive * part for part in down]
        pivots: list[FloatArray] = [np.linalg.inv(diagonal[-1])]
        back: list[FloatArray] = []
        for b in range(len(diagonal) - 2, -1, -1):
            back.insert(0, pivots[0] @ (drive * up[b]))
            pivots.insert(0, np.linalg.inv(diagonal[b] - down[b] @ back[0]))
        return cls(generator.blocks, pivots, down, back)

    def __matmul__(self, x: FloatArray) -> FloatArray:
        """The inverse times densities, shape (modes, pairs)."""
        parts = [x[block] for block in self.blocks]
        parts[-1] = self.pivots[-1] @ parts[-1]
        for b in range(len(parts) - 2, -1, -1):
            parts[b] = self.pivots[b] @ (parts[b] - self.down[b] @ parts[b + 1])
        for b, back in enumerate(self.back):
            parts[b + 1] -= back @ parts[b]
        return np.concatenate(parts)


@dataclass(frozen=True, eq=False)
class NearSolver:
    """Solves for all pairs, each by the inverse of one that is nearest to it.

    Attributes
    ----------
    generator : NearGenerator
    parts : list of tuple
        Positions of pairs, the inverse that serves them, and the coefficients it was made with.
    """

    generator: NearGenerator
    parts: list[tuple[IntArray, NearInverse, FloatArray]]

    @classmethod
    def of(cls, generator: NearGenerator) -> NearSolver:
        """One factorisation for every few pairs.

        Raises
        ------
        numpy.linalg.LinAlgError
            If a block is singular.
        """
        places = coordinates(generator.near.pairs)
        parts = []
        widest, most = WIDEST, MOST_PAIRS
        if generator.size <= FEW_MODES:
            widest, most = WIDEST_OF_FEW, len(places)
        for part in halved(np.arange(len(places)), places, widest=widest, most=most):
            centre = generator.near.coefficients[:, part[central(places[part])]]
            parts.append((part, NearInverse.of(generator, centre), centre))
        return cls(generator, parts)

    def solve(
        self, right: FloatArray, guess: FloatArray | None = None, *, accuracy: float
    ) -> FloatArray:
        """x with G x = right for every pair, shape (modes, pairs).

        By GMRES with the inverse from the left, until what is left is at most ``accuracy`` of the
        first residual without a guess, or for ``MOST_STEPS`` steps: see `residual`.
        """
        found = np.zeros(right.shape)
        for part, inverse, centre in self.parts:
            coefficients = self.generator.near.coefficients[:, part]
            off = coefficients - centre[:, np.newaxis]

            def rest(
                v: FloatArray, inverse: NearInverse = inverse, off: FloatArray = off
            ) -> FloatArray:
                return inverse @ self.generator.multiply(off, v)

            start = inverse @ right[:, part]
            goal = accuracy * np.linalg.norm(start, axis=0)
            if guess is None:
                found[:, part] = _near_identity(rest, start, goal)
            else:
                x = guess[:, part]
                defect = right[:, part] - self.generator.multiply(coefficients, x)
                found[:, part] = x + _near_identity(rest, inverse @ defect, goal)
        return found

    def residual(self, x: FloatArray, right: FloatArray) -> FloatArray:
        """‖right − G x‖₁ over ‖right‖₁ + ‖|diag G| |x|‖₁ of every pair."""
        coefficients = self.generator.near.coefficients
        defect = np.abs(right - self.generator.multiply(coefficients, x)).sum(axis=0)
        scale = np.abs(right).sum(axis=0)
        scale += (self.generator.weight(coefficients) * np.abs(x)).sum(axis=0)
        return np.asarray(np.where(scale > 0, defect / np.where(scale > 0, scale, 1.0), 0.0))


def _near_identity(
    rest: Callable[[FloatArray], FloatArray], right: FloatArray, goal: FloatArray
) -> FloatArray:
    """x with (1 + E) x = right for every column, by GMRES.

    Parameters
    ----------
    rest : callable
        E times columns.
    right : ndarray, shape (modes, columns)
    goal : ndarray, shape (columns,)
        Norms that the residuals may have.
    """
    size = np.linalg.norm(right, axis=0)
    modes, columns = right.shape
    vectors = np.zeros((columns, MOST_STEPS + 1, modes))
    vectors[:, 0] = (right / np.where(size > 0, size, 1.0)).T
    H = np.zeros((columns, MOST_STEPS + 1, MOST_STEPS))
    # Orthogonal to all columns of H, with 1 in front: its norm is that of the reduction.
    across = np.ones((columns, MOST_STEPS + 1))
    steps = 0
    while steps < MOST_STEPS:
        v = vectors[:, steps]
        image = rest(np.ascontiguousarray(v.T)).T
        H[:, : steps + 2, steps], vectors[:, steps + 1] = _orthogonalised(
            vectors[:, : steps + 1], image
        )
        H[:, steps, steps] += 1.0
        below = H[:, steps + 1, steps]
        along = (across[:, : steps + 1] * H[:, : steps + 1, steps]).sum(axis=1)
        # Where the space is exhausted further vectors are zero, and have no part in x.
        across[:, steps + 1] = np.where(below > 0, -along / np.where(below > 0, below, 1.0), HUGE)
        steps += 1
        if np.all(size <= goal * np.linalg.norm(across[:, : steps + 1], axis=1)):
            break
    Q, R = np.linalg.qr(H[:, : steps + 1, :steps])
    y = np.linalg.solve(R, Q[:, 0, :, np.newaxis])[..., 0]
    return np.asarray(size * (y[:, np.newaxis] @ vectors[:, :steps])[:, 0].T)


def _orthogonalised(vectors: FloatArray, image: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Components of images along their Krylov vectors and the norm of the rest; the rest."""
    columns, steps, modes = vectors.shape
    column, rest = np.zeros((columns, steps + 1)), np.array(image)
    few = max(1, IN_CACHE // (steps * modes))
    for start in range(0, columns, few):
        own, some = vectors[start : start + few], rest[start : start + few]
        whole = np.linalg.norm(some, axis=1)
        for _ in range(2):
            along = own @ some[:, :, np.newaxis]
            some -= (along.swapaxes(1, 2) @ own)[:, 0]
            column[start : start + few, :-1] += along[:, :, 0]
        norm = np.linalg.norm(some, axis=1)
        norm[norm <= INVARIANT * whole] = 0.0
        column[start : start + few, -1] = norm
        some *= np.where(norm > 0, 1 / np.where(norm > 0, norm, 1.0), 0.0)[:, np.newaxis]
    return column, rest
