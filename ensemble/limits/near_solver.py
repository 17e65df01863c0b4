"""Equations of many similar pairs on one selection of modes, solved together.

One of the pairs is factorised; its inverse makes the equations of all others well conditioned, so
that each needs a few steps of GMRES.  The steps of all pairs are matrix products.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ensemble.arrays import FloatArray, IntArray
from ensemble.limits.near_generator import NearGenerator
from ensemble.limits.near_pairs import central, coordinates, halved

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
