"""Stationary densities and noise of many similar pairs on common modes, each with a certificate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.limits.block_tridiagonal import Mask
from ensemble.limits.classical_averages import ClassicalAverages
from ensemble.limits.classical_state import BathCount
from ensemble.limits.near_counts import BathCounter
from ensemble.limits.near_pairs import Densities, NearPairs
from ensemble.limits.near_solver import NearGenerator, NearSolver

FREE = 2
"""Free layers of modes around the selection in which neglected modes are looked for."""


@dataclass(frozen=True, eq=False)
class NearStates:
    """Deviations and responses on a selection, as of `ClassicalState`, shape (modes, pairs).

    Attributes
    ----------
    generator : NearGenerator
    solver : NearSolver
    deviation, response : ndarray
    residual : ndarray, shape (pairs,)
    sizes : list of tuple
        K₁ and K₂ at each order that are looked at: the selection with free layers.
    """

    generator: NearGenerator
    solver: NearSolver
    deviation: FloatArray
    response: FloatArray
    residual: FloatArray
    sizes: list[tuple[int, int]]

    @classmethod
    def solved(
        cls,
        near: NearPairs,
        selection: Mask,
        accuracy: float,
        guesses: tuple[FloatArray, FloatArray] | None,
    ) -> NearStates:
        """Solve on a selection; guesses are a deviation and a response on it."""
        generator = NearGenerator.of(near, selection)
        sizes = _sizes(selection)
        solver = NearSolver.of(generator)
        deviation, response = guesses if guesses is not None else (None, None)
        source = generator.restricted(_source(near, sizes))
        deviation = solver.solve(source, deviation, accuracy=accuracy)
        x = _density(near, generator.spread(deviation, sizes))
        excess = generator.restricted(_excess(near, x))
        response = solver.solve(excess, response, accuracy=accuracy)
        residual = np.maximum(solver.residual(deviation, source), solver.residual(response, excess))
        return cls(generator, solver, deviation, response, residual, sizes)

    @property
    def near(self) -> NearPairs:
        """The pairs."""
        return self.generator.near

    @property
    def averages(self) -> FloatArray:
        """(J/N)/(aN) or J/N, D/N², ⟨mᵢᶻ⟩, ⟨(mᵢᶻ)²⟩ and the covariance, shape (7, pairs)."""
        near, sector = self.near, self.near.sector
        deviation = self.generator.spread(self.deviation, self.sizes)
        response = self.generator.spread(self.response, self.sizes)
        (start_1, start_2), scale = near.start, near.scale
        pair = deviation[0]
        row, column = pair[:, :, 0], pair[0].T
        marginal_1, marginal_2 = start_1 + scale * row, start_2 + scale * column
        # Row and column 0 of this are zero but for rounding: no cancellation.
        correlated = pair - start_1[:, :, np.newaxis] * column.T
        correlated -= row[:, :, np.newaxis] * start_2.T
        correlated -= (scale * row)[:, :, np.newaxis] * column.T
        correlated[0] = correlated[:, :, 0] = 0.0
        z_1, z_2 = sector.z_1[0, 0], sector.z_2[0, 0]
        return np.stack(
            [
                near.current(deviation[:2])[0][0, :, 0],
                2 * near.current(response[:2])[0][0, :, 0],
                z_1 @ marginal_1,
                z_2 @ marginal_2,
                sector.square_1 @ marginal_1,
                sector.square_2 @ marginal_2,
                scale * np.einsum("i,ipj,j->p", z_1, correlated, z_2),
            ]
        )

    def missed(self) -> Densities:
        """Estimated amplitudes of the neglected modes, as in `mode_selection`."""
        near, generator = self.near, self.generator
        deviation = generator.spread(self.deviation, self.sizes)
        response = generator.spread(self.response, self.sizes)
        x = _density(near, deviation)
        excess = _excess(near, x)
        missed = [np.zeros(part.shape) for part in x]
        for found, wanted in ((deviation, _source(near, self.sizes)), (response, excess)):
            squares = np.stack([(part**2).sum(axis=(0, 2)) for part in found])
            norms = np.sqrt([squares[0], squares.sum(axis=0)])
            image = near.apply(found)
            for b, part in enumerate(missed):
                norm = norms[min(b, 1)][:, np.newaxis]
                decay = np.abs(near.decay(b, self.sizes[b]))
                if b == 0:
                    decay[0, :, 0] = 1.0
                amplitude = np.abs(wanted[b] - image[b]) / decay
                amplitude *= np.where(norm > 0, 1 / np.where(norm > 0, norm, 1.0), 0.0)
                np.maximum(part, amplitude, out=part)
        for b, part in enumerate(missed):
            K_1, K_2 = self.sizes[b]
            k_1, k_2 = np.nonzero(generator.selection[b, :K_1, :K_2])
            part[k_1, :, k_2] = 0.0
        missed[0][0, :, 0] = 0.0
        return missed

    def averages_of(
        self,
        position: int,
        averages: FloatArray,
        change: float,
        tail: float,
        counts: list[tuple[BathCount, ...]],
    ) -> ClassicalAverages:
        """Those of one pair."""
        slope, noise, z_1, z_2, square_1, square_2, covariance = averages[:, position].tolist()
        affinity = float(self.near.affinity[position])
        if self.near.matched:
            current = affinity * slope
        else:
            current, slope = slope, slope / affinity if affinity else math.nan
        return ClassicalAverages(
            current=current,
            current_per_affinity=slope,
            noise=noise,
            magnetizations=(z_1, z_2),
            second_moments=(square_1, square_2),
            covariance=covariance,
            residual=float(self.residual[position]),
            change=change,
            tail=tail,
            complete=True,
            mode_count=self.generator.size + 1,
            harmonics=max(mode.harmonics for mode in self.near.modes),
            counts=counts[position],
        )

    def counts(self, accuracy: float) -> list[tuple[BathCount, ...]]:
        """J/N and D/N² once more, counted at either bath, for every pair."""
        near, generator = self.near, self.generator
        deviation = generator.spread(self.deviation, self.sizes)
        x = _density(near, deviation)
        counts = []
        for counter in (BathCounter.of(near, bath) for bath in (1, 2)):
            slope = counter.average(counter.current, deviation)
            if not near.matched:  # the start is stationary in the baths only if it is their own
                start = _density(near, [np.zeros(part.shape) for part in deviation])
                slope = slope + counter.average(counter.current, start)
            current = near.scale * slope
            source = generator.restricted(
                [
                    current[:, np.newaxis] * part - moved
                    for part, moved in zip(x, counter.flow(x), strict=True)
                ]
            )
            guess = self.response + generator.restricted(counter.counted(x))
            response = self.solver.solve(source, guess, accuracy=accuracy)
            noise = counter.average(counter.activity, x) + 2 * counter.average(
                counter.current, generator.spread(response, self.sizes)
            )
            residual = self.solver.residual(response, source)
            columns = current, noise, counter.average(counter.activity, x), residual
            rows = zip(*(column.tolist() for column in columns), strict=True)
            counts.append([BathCount(*row) for row in rows])
        return list(zip(*counts, strict=True))


def _sizes(selection: Mask) -> list[tuple[int, int]]:
    """K₁ and K₂ of each order: the selection of the order and of its neighbours with free layers.

    All of the pool at the first two orders, which the start and its flux fill.
    """
    orders, pool_1, pool_2 = selection.shape
    used = np.array(
        [
            [places[axis].max(initial=-1) for axis in (0, 1)]
            for places in (np.nonzero(order) for order in selection)
        ]
    ).T
    last = min(int(np.flatnonzero(used[0] >= 0)[-1]) + 1, orders - 1)
    sizes = []
    for b in range(last + 1):
        near = used[:, max(b - 1, 0) : b + 2].max(axis=1) + 1 + FREE
        sizes.append((min(int(near[0]), pool_1), min(int(near[1]), pool_2)))
    return [(pool_1, pool_2) if b < 2 else size for b, size in enumerate(sizes)]


def _density(near: NearPairs, deviation: Densities) -> Densities:
    """The start and a multiple of the deviation."""
    x = [near.scale[:, np.newaxis] * part for part in deviation]
    first, second = near.start
    x[0] += first[:, :, np.newaxis] * second.T
    return x


def _excess(near: NearPairs, x: Densities) -> Densities:
    """Of the response: (J/N − p) x."""
    flow = near.current(x)
    current = flow[0][0, :, 0].copy()[:, np.newaxis]
    return [current * part - moved for part, moved in zip(x, flow, strict=True)]


def _source(near: NearPairs, sizes: list[tuple[int, int]]) -> Densities:
    """Of the deviation: −G start, which is −aN p start where that is the baths' own density."""
    start = _density(near, [np.zeros((K_1, len(near.pairs), K_2)) for K_1, K_2 in sizes])
    return [-part for part in (near.current(start) if near.matched else near.apply(start))]
