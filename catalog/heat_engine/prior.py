"""Time and memory of one point as measured once: what is known of a sweep before it has run.

The constants were fitted to CPU times of single points on one core of a present-day server; they
hold within a factor of two or three there.  `catalog.cost.model` rescales them by a sweep's own
timings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.heat_engine.derived import completed
from catalog.models.contract import Columns, Cost
from ensemble.limits.near_search import LEAST_PAIRS, MOST_PAIRS, WIDEST
from ensemble.local_noise.sector import spin_sector_size
from ensemble.local_noise.stationary import factorised_size
from ensemble.method import Method
from ensemble.methods.exact import Exact
from ensemble.methods.macroscopic import Macroscopic
from ensemble.steady.krylov import BASIS_BYTES
from ensemble.steady.sector_forecast import (
    complete_size,
    coupling,
    excitation_cuts,
    factorised_seconds,
    factorises,
    iterated_seconds,
    kept_whole,
    largest_fall,
    sector_size,
)
from ensemble.together.solve import BATCH_BYTES, MOST_POINTS, MOST_UNKNOWNS
from ensemble.variables import FROM_CUMULANTS, NEED_NOISE

DENSE_GAP = 6
"""N up to which the gap is found by diagonalising whole sectors."""
ABSURD = 1e6
VECTORS = (1, 60, 216, 300)
"""Vectors that a basis has where none, one, two or more parameters vary."""


@dataclass(frozen=True)
class Engines:
    """Many engines as columns of parameters, which broadcast to one shape."""

    method: Method
    scaling: str
    statistics: str
    points: Columns
    variables: Sequence[str]

    def column(self, name: str, default: float = math.nan) -> NDArray:
        """A parameter of each engine."""
        return self.points.get(name, np.asarray(default))

    @property
    def shape(self) -> tuple[int, ...]:
        """Common shape of the columns."""
        return np.broadcast_shapes(*(column.shape for column in self.points.values()))


def predicted(
    method: Method,
    scaling: str,
    statistics: str,
    points: Columns,
    variables: Sequence[str],
    *,
    block_points: int = 1,
) -> Cost:
    """Time and memory of engines in blocks of so many points.

    Their size is the larger of 2S₁ and 2S₂ (1 if N → ∞).
    """
    engines = Engines(method, scaling, statistics, {**points, **completed(points)}, variables)
    together = isinstance(method, Exact) and method.batches(variables)
    least, smallest = method.least_for_basis if isinstance(method, Exact) else (math.inf, 0)
    unknowns = complete_size(*_levels(engines))
    small = (unknowns <= MOST_UNKNOWNS) & together
    small &= ~(_has_local_noise(engines) | _is_detuned(engines))
    used = _bytes(engines) + np.where(small, _batch_bytes(unknowns, block_points), 0.0)
    seconds = np.where(small, 4e-5 + 1.1e-6 * unknowns**1.15, _seconds(engines))
    if together and block_points >= least:
        reduced = (unknowns > smallest) & ~(
            small | _has_local_noise(engines) | _is_detuned(engines)
        )
        share, of_basis = _from_basis(engines, block_points)
        seconds = np.where(reduced, np.minimum(seconds, share), seconds)
        used = used + np.where(reduced, of_basis, 0.0)
    if isinstance(method, Macroscopic) and method.batches(variables):
        shared, of_group = _in_groups(engines, block_points)
        seconds, used = seconds * shared, used + of_group
    return Cost(
        seconds=seconds,
        bytes=np.broadcast_to(used, engines.shape),
        size=np.maximum(*_levels(engines)),
        block=np.where(small, 2.5e-3 + 4e-6 * unknowns, 0.0),
    )


def _seconds(engines: Engines) -> NDArray:
    """Time of each engine on one core."""
    N = np.maximum(*_levels(engines))
    coupling, (cold, hot) = _coupling(engines), _log_ratios(engines)
    match engines.method.name:
        case "exact":
            seconds = _exact(engines)
            noisy = _has_local_noise(engines)
            if noisy.any():  # to count the elements of their sectors takes a while
                seconds = np.where(noisy, _noisy(engines)[0], seconds)
            seconds = np.where(_is_detuned(engines), seconds + 4e-3 + 2.4e-9 * N**6, seconds)
            if "gap" in engines.variables:
                dense, searched = 8e-7 * N**6, 0.02 + 2e-5 * N**3 * (1 + 1.2 * coupling)
                search = np.where(N <= DENSE_GAP, dense, searched)
                unlike = np.maximum(cold / np.where(hot > 0, hot, np.inf), 1)
                seconds = seconds + 1e-3 + search * np.sqrt(unlike)
        case "independent-spins":  # one engine for each pair of total spins, few as large as N
            seconds = ((N + 1) // 2) ** 2 * (8e-4 + _exact(engines) / 6)
        case "weak-local":  # likewise, up to the symmetric pair, but without noise and cumulants
            seconds = _pairs_kept(engines) * (1e-3 + 0.7 * N / (N + 50) * _exact(engines))
        case "qutip":
            seconds = 0.02 + 2e-7 * N**6
        case "undriven":
            seconds = 2e-4 + 5e-5 * N + 3e-7 * N**2
        case "macroscopic":  # a density: sharp in the cold, with many modes under a strong drive
            seconds = 7e-3 * (1 + 1.3 * coupling**0.7) * np.sqrt(np.maximum(cold, 1))
        case "cumulant":
            seconds = np.asarray(2e-3)
        case "bosonic":
            seconds = np.asarray(3e-4)
        case other:
            raise ValueError(f"no time is known for method {other}: add it here")
    return seconds


def _bytes(engines: Engines) -> NDArray:
    """Memory of one solve beyond that of the process: factors, or the vectors of an iteration."""
    N = np.maximum(*_levels(engines))
    match engines.method.name:
        case "exact" | "independent-spins" | "weak-local":
            unknowns, *_, direct = _sector(engines)
            used = 1e7 + np.where(direct, 170 * unknowns ** (4 / 3), 550 * unknowns)
            if engines.method.name == "exact":
                noisy = _has_local_noise(engines)
                if noisy.any():
                    used = np.where(noisy, _noisy(engines)[1], used)
                used = np.where(_is_detuned(engines), used + 0.13 * N**6, used)
        case "qutip":  # QuTiP itself, and factors in the product basis
            used = 8e7 + 45 * N**6
        case "macroscopic":
            coldness = np.maximum(_log_ratios(engines)[0], 1)
            used = 1e7 + 2.8e5 * _coupling(engines) * coldness
        case _:
            used = np.asarray(1e7)
    return used


def _batch_bytes(unknowns: NDArray, block_points: int) -> NDArray:
    """Memory of the engines of a block that are solved together.

    Every point keeps its solution until the block is solved; factors and vectors are those of one
    batch.  Measured within a factor of 1.7 for N = 1 to 12 and 1 to 4096 points.
    """
    factors = 14 * unknowns**1.67  # `ensemble.together.layout.Layout.bytes_per_point`
    batch = np.minimum(block_points, np.clip(BATCH_BYTES / factors, 8, MOST_POINTS))
    return 8e3 * block_points + batch * (400 * unknowns + 1.1 * factors)


def _from_basis(engines: Engines, block_points: int) -> tuple[NDArray, NDArray]:
    """Time of each engine of a block that is solved from a basis, and memory of the block.

    Measured: 60 vectors where one parameter varies, 216 where two vary over the box of Fig. 2 (360
    over that of Fig. 6).  Each costs a full solve to a smaller residual, and a part of the time in
    which bases are made, which grows as the square of their number.  Without cumulants equations
    are compressed: an engine of 58,000 elements takes 4 ms then.
    """
    varied = sum(column.size > 1 and np.ptp(column) > 0 for column in engines.points.values())
    varied -= "N" in engines.points and np.ptp(engines.points["N"]) > 0
    vectors = min(VECTORS[min(varied, len(VECTORS) - 1)], block_points / 2)
    unknowns = _sector(engines)[0]
    whole = bool(FROM_CUMULANTS.intersection(engines.variables))
    projected = 1e-3 + (7e-7 if whole else 5e-8) * unknowns
    made = 1.2 * _seconds(engines) + 2.6e-8 * vectors * unknowns
    seconds = projected + vectors / block_points * made
    return seconds, 100 * vectors * unknowns + 8e3 * block_points + 4e7


def _in_groups(engines: Engines, block_points: int) -> tuple[float, float]:
    """Time of engines in groups of similar ones over that of them alone, and memory of a group.

    A group spans a factor exp(``WIDEST``) of each ratio of parameters.  Measured for method
    macroscopic and Fig. 6's box: 0.16 in groups of 128, 0.7 in groups of 15.
    """
    ratios = [*_log_ratios(engines), engines.column("omega_0") / _spontaneous(engines)[0]]
    points, groups = math.prod(engines.shape), 1.0
    for ratio in ratios:
        positive = ratio[ratio > 0] if np.ndim(ratio) else np.ravel(ratio)
        spread = np.log(positive.max() / positive.min()) if positive.size else 0.0
        groups *= max(float(spread) / WIDEST, 1.0)
    group = min(points / groups, block_points, MOST_PAIRS)
    if group < LEAST_PAIRS:
        return 1.0, 0.0
    return min(0.09 + 8.5 / group, 1.0), 4e5 * group


def _exact(engines: Engines) -> NDArray:
    """State and noise, cumulants and pair: a factorisation, or solves by iteration."""
    unknowns, width, fall, strength, direct = _sector(engines)
    cumulants = 1.0 if not FROM_CUMULANTS.intersection(engines.variables) else 1.75
    iterated = 0.012 + cumulants * iterated_seconds(unknowns, fall, strength)
    return 1.9e-3 + np.where(direct, factorised_seconds(unknowns, width), iterated)


def _has_local_noise(engines: Engines) -> NDArray:
    """Where single spins have baths of their own, or dephase."""
    return (engines.column("Gamma_local", 0) > 0) | (engines.column("Gamma_dephasing", 0) > 0)


def _is_detuned(engines: Engines) -> NDArray:
    """Where coherences are complex: the whole sector is factorised, with twice the unknowns."""
    return engines.column("detuning", 0) != 0


def _noisy(engines: Engines) -> tuple[NDArray, NDArray]:
    """Time and memory of the exact method with local noise.

    Measured: 4 ms at N = 1, 0.3 s at N = 10, 2.1 s at N = 20, 15 s at N = 30 and 43 s at N = 36
    for all variables; ω₀/Γ₀ = 6 takes four times as many iterations as 1, and 50 twenty times.
    """
    n_1, n_2 = (np.minimum(n, 200) for n in _levels(engines))  # larger ones are refused
    unknowns, widest = spin_sector_size(n_1, n_2), (np.maximum(n_1, n_2) + 2) ** 2 / 4
    solves = 1.0
    for variables in (NEED_NOISE, FROM_CUMULANTS):
        solves += 3 * bool(variables.intersection(engines.variables))
    steps = np.minimum(20 + 20 * _coupling(engines), 1200)
    step = 1e-3 + unknowns * (1e-7 + 1e-10 * widest)
    drive, rate = engines.column("omega_0"), engines.column("Gamma_0")
    direct = unknowns <= factorised_size(drive, rate)
    seconds = np.where(direct, 3.8e-3 + 1.7e-8 * unknowns**2, solves * steps * step)
    basis = np.minimum(8 * np.minimum(steps, 150) * unknowns, BASIS_BYTES)
    return seconds, 1e7 + np.where(direct, 3.5 * unknowns**2, basis + 300 * unknowns)


def _pairs_kept(engines: Engines) -> NDArray:
    """Pairs of total spins that the weak-local method solves: those that have any weight."""
    excited = 1 / (np.exp(np.minimum(*(np.abs(ratio) for ratio in _log_ratios(engines)))) + 1)
    counts = [
        np.minimum(n / 2 + 1, n * excited + 6 * np.sqrt(n * excited) + 6) for n in _levels(engines)
    ]
    return np.asarray(counts[0] * counts[1])


def _sector(engines: Engines) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
    """Unknowns of the exact method; width, fall and coupling of their sector; the choice.

    The choice is True where it factorises.  By the rules of the solver itself
    (`ensemble.steady.sector_forecast`), but for the coherence order, which the solver takes from a
    small engine: seen from 5 at weak coupling to 25 at a strong drive.
    """
    n_1, n_2 = _levels(engines)
    ratios = _log_ratios(engines)
    cuts = excitation_cuts(n_1, n_2, *ratios, tolerance=engines.method.tolerance)
    whole = kept_whole(n_1, n_2)
    c_1, c_2 = np.where(whole, n_1, cuts[0]), np.where(whole, n_2, cuts[1])
    strength = _coupling(engines)
    order = np.ceil(1 + 8 * strength**0.35)
    unknowns = np.where(whole, complete_size(n_1, n_2), sector_size(order, c_1, c_2))
    width, fall = np.sqrt((c_1 + 1) * (c_2 + 1)), largest_fall(c_1, c_2, *ratios)
    return unknowns, width, fall, strength, factorises(unknowns, width, fall, strength)


def _levels(engines: Engines) -> tuple[NDArray, NDArray]:
    """2S₁ and 2S₂ at every point."""
    N = engines.column("N", 1)
    spins = (engines.column(name, math.nan) for name in ("spin_1", "spin_2"))
    n_1, n_2 = (np.where(np.isnan(spin), N, 2 * spin) for spin in spins)
    return np.broadcast_to(n_1, engines.shape), np.broadcast_to(n_2, engines.shape)


def _log_ratios(engines: Engines) -> tuple[NDArray, NDArray]:
    """ln(γ↓/γ↑) = (E − μ)/T of the cold and the hot bath, broadcastable to the shape."""
    E_1, E_2, T_1, T_2 = (engines.column(name) for name in ("E_1", "E_2", "T_1", "T_2"))
    factor = 1.0 if engines.scaling == "bare" else engines.column("N", 1)
    mu_1, mu_2 = (engines.column(name, 0) for name in ("mu_1", "mu_2"))
    return (E_1 - mu_1) / (factor * T_1), (E_2 - mu_2) / (factor * T_2)


def _spontaneous(engines: Engines) -> tuple[NDArray, NDArray]:
    """Γ₁ and Γ₂."""
    common = engines.column("Gamma_0")
    first, second = (engines.column(name, math.nan) for name in ("Gamma_1", "Gamma_2"))
    return np.where(np.isnan(first), common, first), np.where(np.isnan(second), common, second)


def _coupling(engines: Engines) -> NDArray:
    """Drive over damping, as the solver sees it (`sector_forecast.coupling`)."""
    ratio = coupling(
        engines.column("omega_0") / np.sqrt(np.multiply(*_spontaneous(engines))),
        engines.column("N", 1),
        *_log_ratios(engines),
        bosonic=engines.statistics == "bosonic",
    )
    # A ratio above that of any real engine is cut off: it must only stay finite.
    return np.minimum(ratio, ABSURD)
