"""Direct solves with the Fokker–Planck generator on a selection of modes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, get_lapack_funcs

from ensemble.arrays import FloatArray
from ensemble.errors import Unsolvable
from ensemble.limits.pair_sector import PairSector

Mask = NDArray[np.bool_]
REFINEMENTS = 3
"""Most steps of iterative refinement; one or two reach rounding."""
GETRF, GETRS = (
    {kind: get_lapack_funcs(name, dtype=kind) for kind in "dD"} for name in ("getrf", "getrs")
)
"""LAPACK's factorisation and substitution by type, looked up once: each look-up takes as long as a
small block."""


@dataclass(frozen=True, eq=False)
class BlockTridiagonal:
    """G − σ restricted to a selection of modes, to be factorised from the highest block down.

    Attributes
    ----------
    sector : PairSector
    selection : ndarray of bool, shape ``sector.shape``
    diagonal, upward, downward : list of ndarray
        Dense blocks of the restricted G (without σ): ``upward[b]`` from block b to b + 1.
    shift : complex
        σ.
    """

    sector: PairSector
    selection: Mask
    diagonal: list[FloatArray]
    upward: list[FloatArray]
    downward: list[FloatArray]
    shift: complex = 0.0

    @classmethod
    def of(cls, sector: PairSector, selection: Mask, *, shift: complex = 0.0) -> BlockTridiagonal:
        """Assemble; blocks beyond the first and last selected modes are left out.

        Every block in between needs a selected mode.
        """
        occupied = np.flatnonzero(selection.any(axis=(1, 2)))
        first = int(occupied[0])
        kept = [np.nonzero(selection[b]) for b in range(first, occupied[-1] + 1)]
        diagonal = [
            _at(sector.bath_1[b], i, i) * (j[:, np.newaxis] == j)
            + _at(sector.bath_2[b], j, j) * (i[:, np.newaxis] == i)
            for b, (i, j) in enumerate(kept, start=first)
        ]
        nu_1, nu_2 = sector.pair.share
        turn, tilt = -sector.pair.drive / 4, -sector.tilt * sector.pair.flux / 2
        upward, downward = [], []
        for b, ((i, j), (k, m)) in enumerate(itertools.pairwise(kept), start=first):
            m_1, L_1 = _at(sector.raising_1[b], k, i), _at(sector.rotation_1[b], k, i)
            m_2, L_2 = _at(sector.lowering_2[b], m, j), _at(sector.rotation_2[b], m, j)
            U = turn * (nu_2 * L_1 * m_2 + nu_1 * m_1 * L_2)
            T = tilt * m_1 * m_2
            upward.append(U + T)
            downward.append((T - U).T)
        return cls(sector, selection, diagonal, upward, downward, shift)

    @cached_property
    def factors(self) -> list[tuple[FloatArray, NDArray]]:
        """LU factors of the Schur complements, one a block, made when they are first needed.

        Raises
        ------
        Unsolvable
            If a block is singular or not finite.
        """
        factors: list[tuple[FloatArray, NDArray]] = []
        schur = self.diagonal[-1]
        for b in range(len(self.diagonal) - 1, -1, -1):
            shifted = schur - self.shift * np.eye(len(schur)) if self.shift else schur
            factors.insert(0, _factorised(shifted))
            if b > 0:
                coupling = _divide(factors[0], self.upward[b - 1])
                schur = self.diagonal[b - 1] - self.downward[b - 1] @ coupling
        return factors

    def solve(self, right: FloatArray) -> tuple[FloatArray, float]:
        """x with G x = right on the selection (σ = 0), and its relative residual.

        Parameters
        ----------
        right : ndarray, shape ``sector.shape``
            Its elements outside the selection are left out.

        Returns
        -------
        x : ndarray, shape ``sector.shape``
            0 outside the selection.
        residual : float
            ‖right − G x‖₁ over ‖right‖₁ + ‖|diag G| |x|‖₁, on the selection.
        """
        b = right[self.selection]
        x = self.back_substitute(b)
        weight = self.sector.decay[self.selection]
        best, kept = np.inf, x
        for _ in range(REFINEMENTS):
            defect = b - self.multiply(x)
            scale = np.abs(b).sum() + np.abs(weight * x).sum()
            size = np.abs(defect).sum() / scale if scale > 0 else 0.0
            if not size < best / 2:
                break
            best, kept = size, x
            x = x + self.back_substitute(defect)
        else:
            kept = x
        full = np.zeros(self.sector.shape)
        full[self.selection] = kept
        return full, float(best)

    def multiply(self, x: NDArray[Any]) -> NDArray[Any]:
        """The restricted G times x, both of shape (selected,)."""
        parts = self._split(x)
        y = [D @ part for D, part in zip(self.diagonal, parts, strict=True)]
        for b, (up, down) in enumerate(zip(self.upward, self.downward, strict=True)):
            y[b + 1] += up @ parts[b]
            y[b] += down @ parts[b + 1]
        return np.concatenate(y)

    def back_substitute(self, right: NDArray[Any]) -> NDArray[Any]:
        """(G − σ)⁻¹ right by the factors, without refinement; shapes (selected,)."""
        parts = self._split(right.astype(np.result_type(right, self.factors[0][0])))
        for b in range(len(parts) - 1, 0, -1):
            parts[b - 1] -= self.downward[b - 1] @ _divide(self.factors[b], parts[b])
        parts[0] = _divide(self.factors[0], parts[0])
        for b in range(1, len(parts)):
            parts[b] = _divide(self.factors[b], parts[b] - self.upward[b - 1] @ parts[b - 1])
        return np.concatenate(parts)

    def dense(self) -> FloatArray:
        """The restricted G as one matrix."""
        matrix = block_diag(*self.diagonal)
        edge = np.cumsum([0, *(len(D) for D in self.diagonal)])
        for b, (up, down) in enumerate(zip(self.upward, self.downward, strict=True)):
            here, there = slice(edge[b], edge[b + 1]), slice(edge[b + 1], edge[b + 2])
            matrix[there, here], matrix[here, there] = up, down
        return np.asarray(matrix)

    def _split(self, x: NDArray[Any]) -> list[NDArray[Any]]:
        return [x[block] for block in self._blocks]

    @cached_property
    def _blocks(self) -> list[slice]:
        edges = np.cumsum([0, *(len(D) for D in self.diagonal)]).tolist()
        return [slice(low, high) for low, high in itertools.pairwise(edges)]


def _factorised(matrix: NDArray[Any]) -> tuple[NDArray[Any], NDArray]:
    lu, pivots, info = GETRF[matrix.dtype.char](matrix)
    if info != 0 or not np.isfinite(lu.diagonal()).all():
        raise Unsolvable(
            "the generator on the selected modes is singular in double precision: bring ω₀/Γ₀ and "
            "T/E nearer to 1"
        )
    return lu, pivots


def _divide(factors: tuple[FloatArray, NDArray], right: NDArray[Any]) -> NDArray[Any]:
    """Like lu_solve without its checks, which take longer than the solve of a small block."""
    lu, pivots = factors
    return np.asarray(GETRS[np.result_type(lu, right).char](lu, pivots, right)[0])


def _at(matrix: FloatArray, rows: NDArray, columns: NDArray) -> FloatArray:
    return np.asarray(matrix[rows[:, np.newaxis], columns])
