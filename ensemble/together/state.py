"""The stationary states of many engines, split at the state that carries no current."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ensemble.arrays import FloatArray
from ensemble.steady.truncated_solve import UNEVEN
from ensemble.together.baths import Baths
from ensemble.together.certified import Solver, ratio, total
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
    rho, delta : ndarray, shape (size, points)
    largest : ndarray, shape (points,)
        The largest element of ρ₀, in the normalisation of ρ = ρ₀ + s δ.
    contrast, residual : ndarray, shape (points,)
    even : ndarray of bool, shape (points,)
        Whether the populations' own equations are solved to `UNEVEN`.
    solver : Solver
    """

    engines: Engines
    rho: FloatArray
    delta: FloatArray
    largest: FloatArray
    contrast: FloatArray
    residual: FloatArray
    even: NDArray[np.bool_]
    solver: Solver

    @property
    def layout(self) -> Layout:
        """The sector."""
        return self.solver.layout

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

    def respond(
        self, source: FloatArray, magnitude: FloatArray | float = 0.0
    ) -> tuple[FloatArray, FloatArray]:
        """Solve L y = source with Tr y = 0, vectors of shape (size, sources, points)."""
        y, residual = self.solver.solve(source, magnitude)
        y -= total(self.layout.trace[:, np.newaxis] * y) * self.rho[:, np.newaxis]
        return y, residual

    def current(self, row: FloatArray) -> FloatArray:
        """Expectation value of an observable that vanishes in ρ₀, free of cancellation."""
        return self.contrast * total(row * self.delta)


def stationary(engines: Engines) -> States:
    """Solve L ρ = 0, Tr ρ = 1 for engines of one size.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a pivot vanishes, for any of the engines.
    """
    place = layout(int(engines.n_1[0]), int(engines.n_2[0]))
    cold, hot = engines.bright_baths
    coefficients = np.stack(
        [engines.drive, cold.gamma_down, cold.gamma_up, hot.gamma_down, hot.gamma_up]
    )
    exponent = -(place.k_1 * cold.log_ratio) - place.k_2 * hot.log_ratio
    exponent = np.where(place.trace > 0, exponent, -np.inf)
    ground = exponent.argmax(axis=0)
    rho_0 = np.exp(exponent - exponent.max(axis=0))
    solver = Solver(place, coefficients, Elimination.of(place, coefficients, ground))
    affinity = engines.affinity
    contrast = np.copysign(-np.expm1(-np.abs(affinity)), affinity)

    # −L ρ₀/s, see `ensemble.steady.truncated_solve.source_of_deviation`.
    source = np.zeros_like(rho_0)
    larger = np.maximum(rho_0[place.ket], rho_0[place.bra])
    source[place.first] = engines.drive / 2 * place.hop[place.first] * larger
    solved, residuals = solver.solve(source[:, np.newaxis])
    delta = solved[:, 0]
    rho = rho_0 + contrast * delta
    norm = total(place.trace * rho)
    return States(
        engines=engines,
        rho=rho / norm,
        delta=delta / norm,
        largest=1 / norm,
        contrast=contrast,
        residual=np.maximum(residuals[0], solver.null_residual(rho)),
        even=_unevenness(solver, delta) <= UNEVEN,
        solver=solver,
    )


def _unevenness(solver: Solver, delta: FloatArray) -> FloatArray:
    """Relative residual of the equation of δ in the populations, where its source vanishes."""
    populations = solver.layout.populations
    defect = np.abs(solver.apply(delta)[populations])
    return ratio(total(defect), total(solver.apply_magnitude(np.abs(delta))[populations]))
