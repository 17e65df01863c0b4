"""Values of a batch of engines from compressed equations, with bounds of all residuals.

Each residual is that of `ensemble.together.certified.Solver` or larger: the defects of high
coherence orders are bounded from above, and the size of the terms, which a defect is divided by,
is summed over the low orders.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from ensemble.arrays import FloatArray, IntArray
from ensemble.basis.compressed import CHUNK, Compression
from ensemble.together import state
from ensemble.together.baths import Baths
from ensemble.together.certified import ratio, total, weight
from ensemble.together.engines import Engines
from ensemble.together.flows import Noise, absorption, compared, jumps, shifts, source_at_drive
from ensemble.together.layout import Layout
from ensemble.together.solve import Found, Known, found_of
from ensemble.variables import FROM_NOISE


class Batch:
    """Engines that are solved at a time.

    Parameters
    ----------
    engines : Engines
        All of one size.
    compression : Compression
    """

    def __init__(self, engines: Engines, compression: Compression) -> None:
        self._compression, self._c = compression, state.coefficients(engines)
        place, equation, c = self._place, compression.deviation, self._c
        rho_0, s, source = state.Origin.of(engines, place)
        y = equation.family.coordinates(c, equation.low[place.first].T @ source[place.first])
        x = equation.low @ y
        moved = place.parts(c, x)
        self._defect = source[: place.known] - moved
        self._beyond = equation.bounds(c, y)
        left = total(np.abs(self._defect)) + self._beyond[0]
        rho = rho_0 + s * x
        norm = total(place.trace * rho)
        self._scale = s / norm
        self._y = self._scale * y
        self.states = state.States(
            engines=engines,
            layout=place,
            rho=rho / norm,
            delta=x / norm,
            largest=1 / norm,
            contrast=s,
            residual=np.maximum(
                ratio(left, weight(place.weights, c, x) + total(np.abs(source))),
                ratio(np.abs(s) * left, weight(place.weights, c, rho)),  # Lρ = −s times the defect
            ),
            unevenness=state.unevenness(place, c, x, moved),
        )

    @property
    def _place(self) -> Layout:
        return self._compression.layout

    def found(self, names: Collection[str], accepted: float) -> Found:
        """Values and residuals, certified where these are at most ``accepted``."""
        known = Known(
            noise=self._noise() if FROM_NOISE.intersection(names) else None,
            l1_coherence=self._l1_coherence() if "l1_coherence" in names else None,
        )
        return found_of(self.states, known, names, accepted, even=accepted)

    def _noise(self) -> Noise:
        """The noise by three routes, as `ensemble.together.flows.noise`.

        The response of counting at a bath is x − (κ + t) ρ, x the one of counting at the drive and
        t such that the trace vanishes; so its defect is that of x minus s (κ + t) times that of δ.
        """
        equation = self._compression.noise
        if equation is None:
            raise ValueError("the noise has no basis here: compress its family too")
        place, c, states = self._place, self._c, self.states
        drive, rho, known = states.engines.drive, states.rho, place.known
        mean = states.current(-drive * place.hop)
        source = source_at_drive(states, mean)
        others = drive * self._y, mean * self._y
        right = equation.low[:known].T @ source
        for overlap, other in zip(self._compression.overlaps, others, strict=True):
            right -= overlap @ other
        v = equation.family.coordinates(c, right)
        x = equation.low @ v
        defect = source - place.parts(c, x)
        left = total(np.abs(defect)) + equation.bounds(c, v, others)[0]

        # Of the responses at the baths only the populations are read.
        among, kappa = place.populations, shifts(place)
        shifted = x[among, np.newaxis] - kappa[among] * rho[among, np.newaxis]
        t = total(shifted)
        at_hot, at_cold = np.moveaxis(shifted - t * rho[among, np.newaxis], 1, 0)[1:]
        x -= t[0] * rho
        moved = total(np.abs(self._defect)) + self._beyond[0]
        by_shift = np.abs(kappa[:known, 1:, 0]).T @ np.abs(self._defect) + self._beyond[1:]
        lost = np.abs(t) * moved
        lost[1:] += by_shift
        of_populations = place.weights[:, : among.size]
        size = np.stack(
            [
                weight(place.weights, c, x) + total(np.abs(source)),
                *(
                    weight(of_populations, c, response) + np.abs(mean) * total(np.abs(rho))
                    for response in (at_hot, at_cold)
                ),
            ]
        )
        by_hot = self._counted(states.hot, place.k_2[among], place.n_2, at_hot)
        by_cold = self._counted(states.cold, place.k_1[among], place.n_1, -at_cold)
        return compared(
            2 * drive * total(place.hop * x),
            by_hot[0],
            by_cold[0],
            np.stack([by_hot[1], by_cold[1]]),
            2 * drive * np.abs(place.hop).max() * total(np.abs(x)),
            ratio(left + np.abs(self._scale) * lost, size).max(axis=0),
        )

    def _counted(
        self, bath: Baths, k: IntArray, top: int, response: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """The noise by counting at a bath, and the quanta that it exchanges per time."""
        activity = total(sum(jumps(bath, k, top)) * self.states.rho[self._place.populations])
        return activity - 2 * total(absorption(bath, k, top) * response), activity

    def _l1_coherence(self) -> FloatArray:
        """Σ |ρ| over all elements off the diagonal, for which all of them are formed."""
        vectors = self._compression.deviation.family.vectors
        found = np.zeros(self._y.shape[1])
        for start in range(self._place.populations.size, len(vectors), CHUNK):
            found += 2 * np.abs(vectors[start : start + CHUNK] @ self._y).sum(axis=0)
        return found
