"""Factorise the generator once; the stationary state and every response follow by substitution."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.errors import InvalidInput, Unsolvable
from ensemble.generator.liouvillian import Liouvillian, liouvillian
from ensemble.generator.sector import Sector
from ensemble.generator.stencil import Stencil
from ensemble.steady.certified_solve import Solver
from ensemble.steady.factorization import Factorization, has_pardiso
from ensemble.steady.krylov import Krylov, too_cold
from ensemble.steady.truncation import AIM, Truncation, complete, first_guess

SolverName = Literal["auto", "superlu", "pardiso", "gmres"]

DIRECT_SIZE = 25_000
"""Unknowns up to which factorising is always chosen: it costs less than a second."""
PARDISO_SIZE = 100_000
"""Unknowns beyond which PARDISO, if installed, factorises faster than SuperLU."""
MAX_TRUNCATIONS = 5
"""Truncations tried; the last one is returned, with its residual."""
PIVOTED_SIZE = 25_000
"""Unknowns up to which a factorisation is repeated with row exchanges, if it proves inaccurate."""
UNEVEN = 1e-14
"""Relative residual of the populations' equations from which a factorisation counts as inaccurate.
With good pivots it is 1e-16 to 4e-15.  Without row exchanges a strong drive can leave them
unsolved (1e-12 … 1), although the whole residual looks well: the drive's terms in the equations of
the coherences lead it."""
FACTORIZABLE = 400_000
"""Most unknowns that "auto" factorises when GMRES has failed (about 20 GB with SuperLU)."""


@dataclass(frozen=True, eq=False)
class Stationary:
    r"""The stationary state of an engine, split at the state that carries no current.

    With xᵢ = γ↑ᵢ/γ↓ᵢ the product state ρ₀ ∝ x₁^{k₁} x₂^{k₂} is stationary for both baths, and the
    drive acts on it as 1 − exp(−a), a the affinity.  So

    .. math:: \rho = \rho_0 + s\,\delta, \qquad L\delta = -L\rho_0/s, \qquad
              s = \mathrm{sign}(a)\,(1 - e^{-|a|}),

    where the right-hand side has no cancellation.  Every current vanishes in ρ₀ and is therefore
    s times its value in δ, with full relative accuracy through the Carnot point a = 0.

    Attributes
    ----------
    engine : Engine
    generator : Liouvillian
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
    generator: Liouvillian | Stencil
    rho: FloatArray
    rho_0: FloatArray
    delta: FloatArray
    contrast: float
    residual: float
    truncation: Truncation
    solver: Solver
    solver_name: str

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


def stationary(
    engine: Engine,
    *,
    tolerance: float = 1e-10,
    solver: SolverName = "auto",
    coherence_order: int | None = None,
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
        Keep exactly this order, certified or not.

    Returns
    -------
    Stationary
        Its ``residual`` may exceed the tolerance: look at it.
    """
    if solver not in get_args(SolverName):
        raise InvalidInput(
            f"solver must be one of {', '.join(get_args(SolverName))}, but is {solver!r}"
        )
    truncation = first_guess(engine, tolerance=tolerance)
    if coherence_order is not None:
        truncation = replace(truncation, coherence_order=min(coherence_order, *engine.levels))
    for attempt in range(MAX_TRUNCATIONS):
        sector = truncation.sector(engine)
        state = _solve(engine, truncation, _choose(solver, engine, sector))
        final = (
            attempt == MAX_TRUNCATIONS - 1
            or coherence_order is not None
            or truncation == complete(engine)
        )
        if state.residual <= AIM * tolerance:
            break
        source = _source(state.generator.sector, engine, state.rho_0)
        defect = state.solver.generator.apply(state.delta) - source
        leaks = np.ones(defect.size, dtype=bool)
        leaks[sector.positions_in(state.generator.sector)] = False
        if np.abs(defect[leaks]).sum() <= np.abs(defect[~leaks]).sum():
            # It is the truncated equations that are not solved: a larger truncation is no help.
            stalled = state.residual > tolerance and state.solver_name == "gmres"
            if stalled and solver == "auto" and sector.size <= FACTORIZABLE:
                state = _solve(engine, truncation, _library(sector.size))
            break
        if final:
            break
        truncation = truncation.grown(engine, state.delta, defect, AIM * tolerance)
    return state


def _choose(solver: SolverName, engine: Engine, sector: Sector) -> str:
    """The faster way to solve the equations of a sector, for "auto".

    Measured: GMRES takes about 20 + 15 ω₀/Γ₀ iterations of 60 ns an unknown in each of four solves,
    SuperLU about 0.1 µs · size^1.5 in all.  Baths too cold for eigenvectors slow GMRES a lot.
    """
    if solver != "auto":
        return solver
    iterations = 20 + 15 * engine.omega_0 / engine.Gamma_0
    slow = 4 * iterations * 60e-9 > 1e-7 * math.sqrt(sector.size) or too_cold(engine, sector)
    factorise = sector.size <= DIRECT_SIZE or (slow and sector.size <= FACTORIZABLE)
    return _library(sector.size) if factorise else "gmres"


def _library(size: int) -> str:
    return "pardiso" if size > PARDISO_SIZE and has_pardiso() else "superlu"


def _solve(engine: Engine, truncation: Truncation, name: str) -> Stationary:
    """Solve on one truncation with one solver, which may exchange rows if that is needed."""
    if name == "gmres":
        return _solve_with(engine, truncation, name, name)
    small = truncation.sector(engine).size <= PIVOTED_SIZE
    try:
        state = _solve_with(engine, truncation, name, name)
    except Unsolvable:
        if not small:
            raise
    else:
        if not small or _unevenness(state) <= UNEVEN:
            return state
    return _solve_with(engine, truncation, name, "pivoted")


def _unevenness(state: Stationary) -> float:
    """Relative residual of the equation of δ in the populations that were kept."""
    padded, generator = state.generator.sector, state.solver.generator
    defect = generator.apply(state.delta)  # the source has no populations
    weight = generator.apply_magnitude(np.abs(state.delta))
    populations = padded.q == 0
    if state.solver.positions is not None:  # what leaks out of the truncation is another matter
        inside = np.zeros(padded.size, dtype=bool)
        inside[state.solver.positions] = True
        populations &= inside
    scale = float(weight[populations].sum())
    return float(np.abs(defect[populations]).sum()) / scale if scale > 0 else 0.0


def _solve_with(engine: Engine, truncation: Truncation, name: str, library: str) -> Stationary:
    """Solve on one truncation with one library, or with GMRES."""
    sector = truncation.sector(engine)
    generator: Liouvillian | Stencil
    if name == "gmres":
        closed = Krylov.of(Stencil(engine, sector, closed=True))
        generator = Stencil(engine, sector.padded())
        solver = Solver(generator, closed, sector.positions_in(generator.sector))
    else:
        assembled = liouvillian(*engine.levels, sector.coherence_order, sector.cut_1, sector.cut_2)
        # The largest population of ρ₀: that of |0, 0⟩, unless a fermionic bath is inverted.
        rho_0 = sector.thermal(engine.cold.log_ratio, engine.hot.log_ratio)
        factorization = Factorization.of(
            assembled, assembled.values(engine), ground=int(rho_0.argmax()), library=library
        )
        if sector.complete:
            generator, solver = assembled, Solver(factorization, factorization)
        else:
            generator = Stencil(engine, sector.padded())
            solver = Solver(generator, factorization, sector.positions_in(generator.sector))

    affinity = engine.affinity
    contrast = math.copysign(-math.expm1(-abs(affinity)), affinity)
    rho_0 = generator.sector.thermal(engine.cold.log_ratio, engine.hot.log_ratio)
    delta, residual = solver.solve(_source(generator.sector, engine, rho_0))
    rho = rho_0 + contrast * delta
    norm = generator.sector.trace @ rho
    return Stationary(
        engine=engine,
        generator=generator,
        rho=rho / norm,
        rho_0=rho_0 / norm,
        delta=delta / norm,
        contrast=contrast,
        residual=max(residual, solver.null_residual(rho)),
        truncation=truncation,
        solver=solver,
        solver_name=name,
    )


def _source(sector: Sector, engine: Engine, rho_0: FloatArray) -> FloatArray:
    """−L ρ₀ / s = (ω₀/2) h · max(ρ₀ of the ket, ρ₀ of the bra), at q = 1."""
    first = sector.q == 1
    k_1, k_2, zero = sector.k_1[first], sector.k_2[first], np.zeros(first.sum(), dtype=int)
    ket = rho_0[sector.index(k_1, k_2, zero)]
    bra = rho_0[sector.index(k_1 + 1, k_2 - 1, zero)]
    source = np.zeros(sector.size)
    source[first] = engine.drive / 2 * sector.hop[first] * np.maximum(ket, bra)
    return source
