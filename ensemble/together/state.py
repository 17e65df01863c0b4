"""The stationary states of many engines, split at the state that carries no current."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ensemble.arrays import FloatArray, IntArray
from ensemble.together.baths import Baths
from ensemble.together.blocks import blocks
from ensemble.together.certified import Solver, ratio, total, weight
from ensemble.together.elimination import Elimination
from ensemble.together.engines import Engines
from ensemble.together.layout import Layout, layout


@dataclass(frozen=True, eq=False)
class States:
    """As `ensemble.steady.state.Stationary`, vectors of shape (size, points).

    Attributes
    ----------
    engines : Engines
        All of one size.
    layout : Layout
        The elements that are known: of all coherence orders, or of the lowest.
    rho, delta : ndarray, shape (size, points)
    largest : ndarray, shape (points,)
        The largest element of ρ₀, in the normalisation of ρ = ρ₀ + s δ.
    contrast, residual : ndarray, shape (points,)
    unevenness : ndarray, shape (points,)
        Relative residual of the populations' own equations.
    """

    engines: Engines
    layout: Layout
    rho: FloatArray
    delta: FloatArray
    largest: FloatArray
    contrast: FloatArray
    residual: FloatArray
    unevenness: FloatArray

    @property
    def cold(self) -> Baths:
        """The cold bath that the state was solved with."""
        return self.engines.bright_baths[0]

    @property
    def hot(self) -> Baths:
        """The hot bath that the state was solved with."""
        return self.engines.bright_baths[1]

    @property
    def contrast_per_affinity(self) -> FloatArray:
        """s/a, which is 1 at a = 0."""
        a = self.engines.affinity
        return np.where(a == 0, 1.0, self.contrast / np.where(a == 0, 1.0, a))

    def traceless(self, y: FloatArray) -> FloatArray:
        """The vectors without their trace, from which a multiple of ρ is subtracted."""
        trace = self.layout.trace[:, np.newaxis]
        return np.asarray(y - total(trace * y) * self.rho[:, np.newaxis])

    def current(self, row: FloatArray) -> FloatArray:
        """Expectation value of an observable that vanishes in ρ₀, free of cancellation."""
        return self.contrast * total(row * self.delta)


@dataclass(frozen=True, eq=False)
class Solved(States):
    """States with the solver that found them, which serves their responses.

    Attributes
    ----------
    solver : Solver
    """

    solver: Solver

    def respond(
        self, source: FloatArray, magnitude: FloatArray | float = 0.0, *, name: str
    ) -> tuple[FloatArray, FloatArray]:
        """Solve L y = source with Tr y = 0, vectors of shape (size, sources, points)."""
        y, residual = self.solver.solve(source, magnitude, name=name)
        return self.traceless(y), residual


class Origin(NamedTuple):
    """The state that carries no current, and the equation of the deviation from it.

    Attributes
    ----------
    rho_0 : ndarray, shape (size, points)
        Largest element 1.
    contrast : ndarray, shape (points,)
        s of ρ = ρ₀ + s δ.
    source : ndarray, shape (size, points)
        −L ρ₀/s, which vanishes but for q = 1.
    """

    rho_0: FloatArray
    contrast: FloatArray
    source: FloatArray

    @classmethod
    def of(cls, engines: Engines, place: Layout) -> Origin:
        """That of engines of one size."""
        exponent = _exponent(place, engines)
        rho_0 = np.exp(exponent - exponent.max(axis=0))
        affinity = engines.affinity
        contrast = np.copysign(-np.expm1(-np.abs(affinity)), affinity)
        source = np.zeros_like(rho_0)  # as `ensemble.steady.truncated_solve.source_of_deviation`
        larger = np.maximum(rho_0[place.ket], rho_0[place.bra])
        source[place.first] = engines.drive / 2 * place.hop[place.first] * larger
        return cls(rho_0, contrast, source)


def eliminated(engines: Engines) -> Solver:
    """The solver of engines of one size by elimination.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a pivot vanishes, for any of the engines.
    """
    n_1, n_2 = int(engines.n_1[0]), int(engines.n_2[0])
    place, c = layout(n_1, n_2), coefficients(engines)
    return Solver(place, c, Elimination.of(blocks(n_1, n_2), c, ground(place, engines)))


def coefficients(engines: Engines) -> FloatArray:
    """ω₀, γ↓₁, γ↑₁, γ↓₂ and γ↑₂ of each engine, shape (5, points)."""
    cold, hot = engines.bright_baths
    return np.stack([engines.drive, cold.gamma_down, cold.gamma_up, hot.gamma_down, hot.gamma_up])


def ground(place: Layout, engines: Engines) -> IntArray:
    """The largest population of ρ₀ of each engine: the element that is fixed."""
    return _exponent(place, engines).argmax(axis=0)


def _exponent(place: Layout, engines: Engines) -> FloatArray:
    """ln ρ₀ up to a constant, shape (size, points)."""
    cold, hot = engines.bright_baths
    exponent = -(place.k_1 * cold.log_ratio) - place.k_2 * hot.log_ratio
    return np.where(place.trace * place.inner > 0, exponent, -np.inf)


def stationary(engines: Engines, solver: Solver) -> Solved:
    """Solve L ρ = 0, Tr ρ = 1 for engines of one size, with a solver made for them."""
    place = solver.layout
    rho_0, contrast, source = Origin.of(engines, place)
    solved, residuals = solver.solve(source[:, np.newaxis], name="deviation")
    delta = solved[:, 0]
    rho = rho_0 + contrast * delta
    norm = total(place.trace * rho)
    return Solved(
        engines=engines,
        layout=place,
        rho=rho / norm,
        delta=delta / norm,
        largest=1 / norm,
        contrast=contrast,
        residual=np.maximum(residuals[0], solver.null_residual(rho)),
        unevenness=unevenness(place, solver.coefficients, delta, solver.apply(delta)),
        solver=solver,
    )


def unevenness(place: Layout, c: FloatArray, delta: FloatArray, moved: FloatArray) -> FloatArray:
    """Relative residual of the equation of δ in the populations, where its source vanishes.

    Parameters
    ----------
    place : Layout
    c : ndarray, shape (5, points)
        Coefficients of the parts of L.
    delta, moved : ndarray, shape (size, points)
        δ and L δ; of the latter the populations are read.
    """
    among = place.populations
    defect = place.inner[among] * np.abs(moved[among])
    return ratio(total(defect), weight(place.population_weights, c, delta))
