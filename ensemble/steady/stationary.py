"""Solve for the stationary state: on a truncation that is enlarged until it is certified."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from ensemble.engine import Engine
from ensemble.errors import InvalidInput
from ensemble.generator.sector import Sector
from ensemble.steady.factorization import has_pardiso
from ensemble.steady.first_guess import first_guess
from ensemble.steady.sector_forecast import (
    AIM,
    FACTORIZABLE,
    SOLVES,
    coupling,
    factorises,
    largest_fall,
)
from ensemble.steady.start import Start
from ensemble.steady.state import Stationary
from ensemble.steady.truncated_solve import solve_truncated, source_of_deviation
from ensemble.steady.truncation import complete

SolverName = Literal["auto", "superlu", "pardiso", "gmres"]

PARDISO_SIZE = 100_000
"""Unknowns beyond which PARDISO, if installed, factorises faster than SuperLU."""
MAX_TRUNCATIONS = 5
"""Truncations tried; the last one is returned, with its residual."""


def stationary(
    engine: Engine,
    *,
    tolerance: float = 1e-10,
    solver: SolverName = "auto",
    coherence_order: int | None = None,
    start: Start | None = None,
) -> Stationary:
    """Solve L ρ = 0, Tr ρ = 1 (Eq. 9).

    Parameters
    ----------
    engine : Engine
    tolerance : float
        Relative residual to reach.  A large sector is truncated in coherence order and, where
        populations fall fast, in excitation number, and enlarged until its residual in the
        padded sector is below this.
    solver : {"auto", "superlu", "pardiso", "gmres"}
        "auto" takes what should be faster: it factorises small sectors and strongly driven ones
        (with PARDISO if pypardiso is installed and the sector is large) and iterates on the rest;
        if GMRES does not converge, it factorises up to ``FACTORIZABLE`` unknowns.
    coherence_order : int, optional
        Keep exactly this order, even if the result is not certified.
    start : Start, optional
        Approximate solutions from which the solves for the state and its responses start.

    Returns
    -------
    Stationary
        Its ``residual`` may exceed the tolerance: the caller checks it.

    Raises
    ------
    InvalidInput
        If the solver is unknown, the engine has local noise, or the start is not of this engine.
    """
    engine.require_collective("this stationary state")
    if solver not in get_args(SolverName):
        raise InvalidInput(
            f"solver must be one of {', '.join(get_args(SolverName))}, but is {solver!r}"
        )
    if start is not None and coherence_order is not None:
        raise InvalidInput("start has a coherence order of its own: leave out coherence_order")
    truncation = start.truncation if start else first_guess(engine, tolerance=tolerance)
    if coherence_order is not None:
        truncation = replace(truncation, coherence_order=min(coherence_order, *engine.levels))
    for attempt in range(MAX_TRUNCATIONS):
        sector = truncation.sector(engine)
        name = choose(solver, engine, sector)
        state = solve_truncated(engine, truncation, name, start=start)
        final = (
            attempt == MAX_TRUNCATIONS - 1
            or coherence_order is not None
            or truncation == complete(engine)
        )
        if state.residual <= AIM * tolerance:
            break
        generator = state.generator
        source = source_of_deviation(state.sector, engine, state.rho_0)
        defect = generator.apply(state.delta) - source
        leaks = np.ones(defect.size, dtype=bool)
        leaks[sector.positions_in(state.sector)] = False
        if np.abs(defect[leaks]).sum() <= np.abs(defect[~leaks]).sum():
            # The truncated equations themselves are not solved: a larger truncation would not help.
            stalled = state.residual > tolerance and state.solver_name == "gmres"
            if stalled and solver == "auto" and sector.size <= FACTORIZABLE:
                state = solve_truncated(engine, truncation, _library(sector.size), start=start)
            break
        if final:
            break
        truncation = truncation.grown(engine, state.delta, defect, AIM * tolerance)
    return state


def choose(solver: SolverName, engine: Engine, sector: Sector, *, solves: int = SOLVES) -> str:
    """The solver asked for; for "auto", the faster one for that number of right-hand sides."""
    if solver != "auto":
        return solver
    ratios = engine.cold.log_ratio, engine.hot.log_ratio
    fall = largest_fall(sector.cut_1, sector.cut_2, *ratios)
    drive = engine.omega_0 / math.sqrt(math.prod(engine.rates))
    strength = coupling(drive, engine.N, *ratios, bosonic=engine.statistics == "bosonic")
    width = math.sqrt((sector.cut_1 + 1) * (sector.cut_2 + 1))
    direct = factorises(sector.size, width, fall, strength, solves=solves)
    return _library(sector.size) if direct else "gmres"


def _library(size: int) -> str:
    return "pardiso" if size > PARDISO_SIZE and has_pardiso() else "superlu"
