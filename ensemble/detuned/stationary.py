"""The stationary state of a detuned engine: one factorisation of real and imaginary parts."""

from __future__ import annotations

from dataclasses import replace

from ensemble.detuned.generator import DetunedGenerator
from ensemble.detuned.sector import DetunedSector
from ensemble.engine import Engine
from ensemble.errors import InvalidInput, Unsolvable
from ensemble.steady.certified_solve import Solver
from ensemble.steady.factorization import Factorization
from ensemble.steady.sector_forecast import complete_size
from ensemble.steady.state import Stationary
from ensemble.steady.truncated_solve import PIVOTED_SIZE, source_of_deviation
from ensemble.steady.truncation import complete

MOST_ELEMENTS = 60_000
"""Elements with q ≥ 0 of the largest sector that is factorised, N = 55."""


def require_solvable(
    engine: Engine, *, solver: str = "auto", coherence_order: int | None = None
) -> None:
    """Refuse a detuned engine, or an option, with which no stationary state is found; cheap.

    Raises
    ------
    InvalidInput
        If the engine has local noise or is too large, ``solver`` is "gmres", or an order of
        coherence is given.
    """
    if solver == "gmres":
        raise InvalidInput(
            "solver gmres is made for a resonant drive: use solver auto, or set detuning to 0"
        )
    if coherence_order is not None:
        raise InvalidInput(
            f"coherence_order is {coherence_order}, but a detuned engine is solved with all of "
            "its coherences: leave coherence_order out, or set detuning to 0"
        )
    if engine.has_local_noise:
        raise InvalidInput(
            f"detuning is {engine.detuning:g} and there is local noise, which no method treats "
            "together: set detuning to 0, or Gamma_local and Gamma_dephasing"
        )
    if complete_size(*(float(level) for level in engine.levels)) > MOST_ELEMENTS:
        raise InvalidInput(
            f"method exact factorises a detuned engine whole, up to {MOST_ELEMENTS} elements "
            f"(N = 55), but {engine.levels[0]} and {engine.levels[1]} levels have more: choose a "
            "smaller N, or set detuning to 0"
        )


def detuned_stationary(
    engine: Engine, *, tolerance: float = 1e-10, solver: str = "auto"
) -> Stationary:
    """Solve L ρ = 0, Tr ρ = 1 with a detuned drive, in the split of `Stationary`.

    The product state ρ₀ has no coherences, so that it is stationary for the detuning, too.

    Parameters
    ----------
    engine : Engine
    tolerance : float
        Relative residual from which a small factorisation is repeated with row exchanges.
    solver : {"auto", "superlu", "pardiso", "gmres"}
        The sector is factorised; GMRES is refused.

    Raises
    ------
    InvalidInput
        See `require_solvable`.
    Unsolvable
        If a pivot vanishes whatever the order of the rows.
    """
    require_solvable(engine, solver=solver)
    name = "superlu" if solver == "auto" else solver
    try:
        state = _solved(engine, name, name)
        if state.residual <= tolerance or state.rho.size > 2 * PIVOTED_SIZE:
            return state
    except Unsolvable:
        if complete_size(*(float(level) for level in engine.levels)) > PIVOTED_SIZE:
            raise
    return _solved(engine, name, "pivoted")


def _solved(engine: Engine, name: str, library: str) -> Stationary:
    sector = DetunedSector(*engine.levels)
    generator = DetunedGenerator.of(engine, sector)
    rho_0 = sector.thermal(engine.cold.log_ratio, engine.hot.log_ratio)
    factors = Factorization.of(generator, ground=int(rho_0.argmax()), library=library)
    # Cumulants that pair time-reversed partners are derived for a real ρ: they are not used here.
    solver = Solver(generator, replace(factors, transposed=None))
    delta, residual = solver.solve(source_of_deviation(sector, engine, rho_0))
    return Stationary.of(
        engine,
        solver,
        rho_0,
        delta,
        residual=residual,
        truncation=complete(engine),
        solver_name=name,
    )
