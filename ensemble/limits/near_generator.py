"""The generators of many similar pairs on one selection of modes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from ensemble.arrays import FloatArray, IntArray
from ensemble.limits.block_tridiagonal import Mask
from ensemble.limits.near_pairs import Densities, NearPairs


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
    places: list[tuple[IntArray, IntArray]]
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
