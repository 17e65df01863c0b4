"""The stationary state of an engine, with the solver that made it and serves every response."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.generator.generator import Generator
from ensemble.generator.sector import Sector
from ensemble.steady.certified_solve import Solver
from ensemble.steady.truncation import Truncation


@dataclass(frozen=True, eq=False)
class Stationary:
    r"""The stationary state of an engine, split at the state that carries no current.

    With xᵢ = γ↑ᵢ/γ↓ᵢ the product state :math:`\rho_0 \propto x_1^{k_1} x_2^{k_2}` is stationary for
    both baths, and the drive acts on it as 1 − exp(−a), a the affinity.  So

    .. math:: \rho = \rho_0 + s\,\delta, \qquad L\delta = -L\rho_0/s, \qquad
              s = \mathrm{sign}(a)\,(1 - e^{-|a|}),

    where the right-hand side has no cancellation.  Every current vanishes in ρ₀ and is therefore
    s times its value in δ, with full relative accuracy through the Carnot point a = 0.

    Attributes
    ----------
    engine : Engine
    rho, rho_0, delta : ndarray, shape (sector.size,)
        The state, Tr ρ = 1, the product state and the deviation, in the same normalisation.
    contrast : float
        The factor s.
    residual : float
        The certificate: the larger of ‖Lρ‖₁ / ‖|L||ρ|‖₁ and the same for the equation of δ.
    truncation : Truncation
        What was kept of the sector.  The state is padded by one step wherever it is truncated, so
        that residuals include all that leaks out.
    solver : Solver
    solver_name : str
        "superlu", "pardiso" or "gmres".
    """

    engine: Engine
    rho: FloatArray
    rho_0: FloatArray
    delta: FloatArray
    contrast: float
    residual: float
    truncation: Truncation
    solver: Solver
    solver_name: str

    @classmethod
    def of(
        cls,
        engine: Engine,
        solver: Solver,
        rho_0: FloatArray,
        delta: FloatArray,
        *,
        residual: float,
        truncation: Truncation,
        solver_name: str,
    ) -> Stationary:
        """The state of a product state and a deviation in any common normalisation.

        Parameters
        ----------
        engine : Engine
        solver : Solver
            The one that ``delta`` was found with.
        rho_0, delta : ndarray, shape (sector.size,)
        residual : float
            Of the equation of δ.
        truncation, solver_name
            As in the attributes.
        """
        s = contrast(engine.affinity)
        rho = rho_0 + s * delta
        norm = float(solver.generator.sector.trace @ rho)
        return cls(
            engine=engine,
            rho=rho / norm,
            rho_0=rho_0 / norm,
            delta=delta / norm,
            contrast=s,
            residual=max(residual, solver.null_residual(rho)),
            truncation=truncation,
            solver=solver,
            solver_name=solver_name,
        )

    @property
    def generator(self) -> Generator:
        """L on the sector of the state."""
        return self.solver.generator

    @property
    def sector(self) -> Sector:
        """The sector of a state of two collective spins.

        Raises
        ------
        TypeError
            If the state has local noise, and with it all total spins.
        """
        return self.solver.sector

    @property
    def contrast_per_affinity(self) -> float:
        """s/a, which is 1 at a = 0."""
        a = self.engine.affinity
        return self.contrast / a if a else 1.0

    def respond(self, source: FloatArray, *, magnitude: float = 0.0) -> tuple[FloatArray, float]:
        """Solve L y = source with Tr y = 0: the Drazin inverse on traceless sources.

        Parameters
        ----------
        source : ndarray, shape (sector.size,)
            A traceless element of the sector.
        magnitude : float
            1-norm of the terms whose difference ``source`` is, where these cancel.

        Returns
        -------
        y : ndarray, shape (sector.size,)
        residual : float
            The relative residual of the solve.
        """
        y, residual = self.solver.solve(source, magnitude=magnitude)
        return y - (self.generator.sector.trace @ y) * self.rho, residual

    def current(self, row: FloatArray) -> float:
        """Expectation value of an observable that vanishes in ρ₀, free of cancellation."""
        return float(self.contrast * (row @ self.delta))


def contrast(affinity: float) -> float:
    """The factor s = sign(a)(1 − exp(−|a|)) of `Stationary`.

    Examples
    --------
    >>> contrast(1e-20), contrast(-math.inf)
    (1e-20, -1.0)
    """
    return math.copysign(-math.expm1(-abs(affinity)), affinity)
