"""The stationary state with local baths and dephasing, factorised or iterated, certified."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.errors import InvalidInput
from ensemble.local_noise.assembled import AssembledNoise
from ensemble.local_noise.generator import NoisyGenerator
from ensemble.local_noise.krylov import NoisyKrylov
from ensemble.local_noise.sector import SpinSector, spin_sector_size
from ensemble.local_noise.spins import SpinBasis, spin_parts
from ensemble.local_noise.weights import NoisySolver, WeightBalance, WeightRepair
from ensemble.parameters.bath import Bath
from ensemble.steady.factorization import Factorization
from ensemble.steady.state import Stationary, contrast
from ensemble.steady.truncation import Truncation

FACTORISED, FACTORISED_STRONG = 4000, 9000
"""Unknowns up to which "auto" factorises (N = 10; N = 12 for a strong drive); beyond, iterating is
faster."""
STRONG_DRIVE = 5.0
"""ω₀/Γ₀ from which a drive counts as strong."""
WEAK = 1e-2
"""Local rates over Γ₀ up to which cumulants are computed without solves with the transposed L."""
MOST_UNKNOWNS = 10_000_000
"""Unknowns that the iteration may have (N = 62, 4 GB)."""


def require_size(engine: Engine) -> None:
    """Raise ``InvalidInput`` if an engine with local noise has too many unknowns; cheap."""
    # Beyond 2000 spins one order of coherence alone is too large.
    if max(engine.levels) > 2000 or spin_sector_size(*engine.levels) > MOST_UNKNOWNS:
        raise InvalidInput(
            f"method exact with local noise takes at most {MOST_UNKNOWNS:.0e} unknowns (N = 62), "
            f"but {engine.levels[0]} and {engine.levels[1]} spins need more: choose a smaller N, "
            "or method weak-local for the limit Gamma_local → 0"
        )


def noisy_stationary(
    engine: Engine,
    *,
    solver: str = "auto",
    coherence_order: int | None = None,
) -> Stationary:
    """Solve L ρ = 0, Tr ρ = 1 with local baths and dephasing.

    The state is split as that of collective baths (`ensemble.steady.state.Stationary`): the product
    state ρ₀ of all spins, each in the thermal state of its bath, is stationary for collective and
    local baths and for dephasing.

    Parameters
    ----------
    engine : Engine
    solver : {"auto", "superlu", "pardiso", "gmres"}
        "auto" factorises small sectors and iterates on the rest.
    coherence_order : int, optional
        Keep exactly this order, even if the result is not certified; all orders by default.

    Returns
    -------
    Stationary
        Its ``residual`` is the largest of the relative residuals of all equations and of the
        balance of the weights of the total spins (``ensemble/local_noise/weights.py``).
    """
    sector = SpinSector(*engine.levels, -1 if coherence_order is None else coherence_order)
    if solver == "auto":
        direct = sector.size <= factorised_size(engine.omega_0, engine.Gamma_0)
        solver = "superlu" if direct else "gmres"
    found = _solver(engine, sector, solver)
    padded = found.balance.sector
    rho_0 = padded.thermal(engine.cold.log_ratio, engine.hot.log_ratio)
    source = _source(padded, engine)
    delta, residual = found.solve(source)
    if padded.n_1 > 1 or padded.n_2 > 1:  # there is more than one pair of total spins
        repair = WeightRepair.of(found.balance, rho_0 + contrast(engine.affinity) * delta)
        weak = engine.Gamma_local + engine.Gamma_dephasing < WEAK * engine.Gamma_0
        found = replace(found, repair=repair, weak=weak)
        delta, residual = found.repaired(delta, source, repair)
    return Stationary.of(
        engine,
        found,
        rho_0,
        delta,
        residual=residual,
        truncation=Truncation(sector.coherence_order, *engine.levels),
        solver_name=solver,
    )


def factorised_size(omega_0: ArrayLike, Gamma_0: ArrayLike) -> FloatArray:
    """Most unknowns that are factorised: a strong drive takes many iterations.

    Examples
    --------
    >>> factorised_size([1.0, 10.0], 1.0).tolist()
    [4000.0, 9000.0]
    """
    strong = np.asarray(omega_0) > STRONG_DRIVE * np.asarray(Gamma_0)
    return np.where(strong, float(FACTORISED_STRONG), float(FACTORISED))


def _solver(engine: Engine, sector: SpinSector, library: str) -> NoisySolver:
    generator: NoisyGenerator | AssembledNoise
    if library == "gmres":
        generator = plain = NoisyGenerator(engine, sector)
        corrector: NoisyKrylov | Factorization = NoisyKrylov.of(plain)
    else:
        generator = assembled = AssembledNoise(engine, sector)
        rho_0 = sector.thermal(engine.cold.log_ratio, engine.hot.log_ratio)
        corrector = Factorization.of(assembled, ground=int(rho_0.argmax()), library=library)
    if sector.complete:
        return NoisySolver(generator, corrector, balance=WeightBalance.of(engine, sector))
    padded = sector.padded()
    return NoisySolver(
        NoisyGenerator(engine, padded),
        corrector,
        sector.positions_in(padded),
        balance=WeightBalance.of(engine, padded),
    )


def _source(sector: SpinSector, engine: Engine) -> FloatArray:
    """−L ρ₀ / s = (ω₀/2) h · max(ρ₀ of the ket, ρ₀ of the bra), at q = 1.

    Ket and bra have the same total spins, and ρ₀ is √(ρ₀(ket) ρ₀(bra)) exp(±a/2) in them.
    """
    first = sector.q == 1
    exponent = sector.log_weight(engine.cold.log_ratio, engine.hot.log_ratio)
    exponent -= exponent[sector.q == 0].max()
    # ρ₀(ket)/ρ₀(bra) = x₁⁻¹x₂ = exp(ℓ₁ − ℓ₂); the exponent is that of their geometric mean.
    larger = exponent[first] + abs(engine.cold.log_ratio - engine.hot.log_ratio) / 2
    source = np.zeros(sector.size)
    source[first] = engine.drive / 2 * sector.hop[first] * np.exp(larger)
    return source


def absorptions(engine: Engine, sector: SpinSector) -> tuple[FloatArray, FloatArray]:
    """Rows of the net quanta per time that ensembles 1 and 2 take, collectively and locally."""
    one, two = (np.ones(size) for size in sector.shape(0))
    rows = (
        np.outer(_taken(engine.cold, sector.bases_1[0], engine.local_shares[0]), two),
        np.outer(one, _taken(engine.hot, sector.bases_2[0], engine.local_shares[1])),
    )
    cold, hot = np.zeros(sector.size), np.zeros(sector.size)
    for row, taken in zip((cold, hot), rows, strict=True):
        sector.block(row, 0)[...] = taken
    return cold, hot


def _taken(bath: Bath, basis: SpinBasis, share: float) -> FloatArray:
    parts = spin_parts(basis.n, 0)
    absorbed = parts.up_loss + share * parts.local_up_loss
    emitted = parts.down_loss + share * parts.local_down_loss
    return bath.gamma_up * absorbed - bath.gamma_down * emitted
