"""The stationary state on one given truncation of the sector, with one given solver."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.errors import Unsolvable
from ensemble.generator.assembled import Assembled
from ensemble.generator.sector import Sector
from ensemble.generator.stencil import Stencil
from ensemble.steady.certified_solve import Solver
from ensemble.steady.factorization import Factorization
from ensemble.steady.krylov import Krylov
from ensemble.steady.start import Start, Subspace
from ensemble.steady.state import Stationary
from ensemble.steady.truncation import Truncation

PIVOTED_SIZE = 25_000
"""Unknowns up to which a factorisation is repeated with row exchanges, if it proves inaccurate."""
UNEVEN = 1e-14
"""Relative residual of the populations' equations from which a factorisation counts as inaccurate.
With good pivots it is 1e-16 to 4e-15.  Without row exchanges and at a strong drive it can be 1e-12
to 1, while the residual of all equations together is still small: the drive's terms in the
equations of the coherences are the largest terms in it."""


def solve_truncated(
    engine: Engine, truncation: Truncation, name: str, *, start: Start | None = None
) -> Stationary:
    """Solve on one truncation; a small factorisation that is inaccurate is repeated with pivots.

    Parameters
    ----------
    engine : Engine
    truncation : Truncation
    name : {"superlu", "pardiso", "gmres"}
    start : Start, optional
        Approximate solutions on the same truncation or a smaller one.

    Raises
    ------
    Unsolvable
        If the sector is too large, or a pivot vanishes whatever the rows' order.
    """
    if name == "gmres":
        return _solve_with(engine, truncation, name, name, start)
    small = truncation.sector(engine).size <= PIVOTED_SIZE
    try:
        state = _solve_with(engine, truncation, name, name, start)
    except Unsolvable:
        if not small:
            raise
    else:
        if not small or _unevenness(state) <= UNEVEN:
            return state
    return _solve_with(engine, truncation, name, "pivoted", start)


def source_of_deviation(sector: Sector, engine: Engine, rho_0: FloatArray) -> FloatArray:
    """−L ρ₀ / s = (ω₀/2) h · max(ρ₀ of the ket, ρ₀ of the bra), at q = 1."""
    first = sector.q == 1
    k_1, k_2, zero = sector.k_1[first], sector.k_2[first], np.zeros(first.sum(), dtype=int)
    ket = rho_0[sector.index(k_1, k_2, zero)]
    bra = rho_0[sector.index(k_1 + 1, k_2 - 1, zero)]
    source = np.zeros(sector.size)
    source[first] = engine.drive / 2 * sector.hop[first] * np.maximum(ket, bra)
    return source


def _unevenness(state: Stationary) -> float:
    """Relative residual of the equation of δ in the populations that were kept."""
    generator = state.generator
    defect = generator.apply(state.delta)  # the source has no populations
    weight = generator.apply_magnitude(np.abs(state.delta))
    populations = generator.sector.q == 0
    if state.solver.positions is not None:  # leave out what leaks out of the truncation
        inside = np.zeros(populations.size, dtype=bool)
        inside[state.solver.positions] = True
        populations &= inside
    scale = float(weight[populations].sum())
    return float(np.abs(defect[populations]).sum()) / scale if scale > 0 else 0.0


def _solve_with(
    engine: Engine, truncation: Truncation, name: str, library: str, start: Start | None
) -> Stationary:
    """Solve on one truncation with one library, or with GMRES."""
    solver = _solver(engine, truncation.sector(engine), library)
    sector = solver.sector
    if start is not None:
        vectors = start.on(engine, sector)
        solver = replace(solver, start=Subspace.of(solver.generator, vectors))
    rho_0 = sector.thermal(engine.cold.log_ratio, engine.hot.log_ratio)
    delta, residual = solver.solve(source_of_deviation(sector, engine, rho_0))
    return Stationary.of(
        engine, solver, rho_0, delta, residual=residual, truncation=truncation, solver_name=name
    )


def _solver(engine: Engine, sector: Sector, library: str) -> Solver:
    """The solver on a sector; its residuals are formed on the padded one if that is larger."""
    if library == "gmres":
        padded = Stencil(engine, sector.padded())
        closed = Krylov.of(Stencil(engine, sector, closed=True))
        return Solver(padded, closed, sector.positions_in(padded.sector))
    assembled = Assembled.of(engine, sector)
    # The largest population of ρ₀: that of |0, 0⟩, unless a fermionic bath is inverted.
    rho_0 = sector.thermal(engine.cold.log_ratio, engine.hot.log_ratio)
    factorization = Factorization.of(assembled, ground=int(rho_0.argmax()), library=library)
    if sector.complete:
        return Solver(assembled, factorization)
    padded = Stencil(engine, sector.padded())
    return Solver(padded, factorization, sector.positions_in(padded.sector))
