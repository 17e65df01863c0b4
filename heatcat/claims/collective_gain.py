"""Claims on the collective gain in the limit: Figs. 6b and 10."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq

from heatcat.claims.ledger import (
    Claim,
    Judgement,
    Numbers,
    claim,
    confirmed,
    contradicted,
    within,
)
from heatcat.claims.macroscopic import GRID, TENTH
from heatcat.claims.points import (
    CLOSURE,
    FIG_6,
    FIG_10,
    LIMIT,
    engine,
    finite_gain,
    limit_gain,
    rank_correlation,
    solve,
)


@cache
def gain(delta_E: float, T_mean: float, *, closure: bool = False) -> float:
    """P_N/(N P₁) at Fig. 6's parameters."""
    return limit_gain(CLOSURE if closure else LIMIT, engine(FIG_6, delta_E=delta_E, T_mean=T_mean))


def _regions(n: Numbers) -> Judgement:
    if not (min(n["engine_gain"], n["refrigerator_gain"]) > 1):
        return contradicted("no collective gain in one of the modes")
    if not (max(n["engine_loss"], n["refrigerator_loss"]) < 1):
        return contradicted("no collective loss in one of the modes")
    return confirmed()


@claim(
    id="fig-6b-regions",
    where="Fig. 6b and its text; Sec. VI",
    statement="Regions of gain and of loss remain in the limit; each holds engines and "
    "refrigerators.",
    check="Exact gain at (ΔE, T̄) = (150, 10.1) engine, (250, 10.1) refrigerator, (5, 13) engine "
    "and (50, 20) refrigerator.",
    judge=_regions,
)
def regions() -> Numbers:
    return {
        "engine_gain": gain(150.0, 10.1),
        "refrigerator_gain": gain(250.0, 10.1),
        "engine_loss": gain(5.0, 13.0),
        "refrigerator_loss": gain(50.0, 20.0),
    }


def _trend(n: Numbers) -> Judgement:
    if n["rises_with_delta_E"] == 1 and n["falls_with_T_mean"] == 1:
        return confirmed()
    return contradicted("the gain is not monotonic on the grid")


@claim(
    id="fig-6b-trend",
    where="text on Fig. 6b; Sec. VI",
    statement="Larger ΔE and smaller T̄ give the larger gain.",
    check="Fraction of steps of a 7 × 4 grid along which the exact gain rises with ΔE, falls with "
    "T̄.",
    judge=_trend,
)
def trend() -> Numbers:
    energies, means = sorted({dE for dE, _ in GRID}), sorted({T for _, T in GRID})
    values = np.array([[gain(dE, T) for T in means] for dE in energies])
    return {
        "rises_with_delta_E": float((np.diff(values, axis=0) > 0).mean()),
        "falls_with_T_mean": float((np.diff(values, axis=1) < 0).mean()),
    }


def _thousand(n: Numbers) -> Judgement:
    if not n["largest"] >= 1e3:
        return contradicted(f"the gain reaches {n['largest']:.3g}")
    return within(
        f"T₁ ≲ 0.1 E₁: reached at ΔE = {n['delta_E_at_T_mean_10.05']:.0f} for T̄ = 10.05; at T̄ = "
        f"10.1 it is {n['at_150_10.1']:.0f} for ΔE = 150 (the axes' ranges are not in the text)"
    )


@claim(
    id="fig-6b-thousand",
    where="Fig. 6's caption",
    statement="The collective gain reaches about 10³.",
    check="Exact gain at ΔE = 250, T̄ = 10.05; the ΔE at which it is 10³ there; its value at "
    "ΔE = 150, T̄ = 10.1.",
    judge=_thousand,
)
def thousand() -> Numbers:
    root = brentq(lambda dE: math.log(gain(dE, 10.05) / 1e3), 150.0, 250.0, xtol=0.01)
    return {
        "largest": gain(250.0, 10.05),
        "delta_E_at_T_mean_10.05": float(root),
        "at_150_10.1": gain(150.0, 10.1),
        "closure_at_150_10.1": gain(150.0, 10.1, closure=True),
    }


CRITICAL = (10.05, 10.1, 10.2, 10.3, 10.4, 10.5, 10.65, 10.8)
"""Mean temperatures at which the line of gain 1 is followed; it rises without bound soon after."""


def _algebraic(n: Numbers) -> Judgement:
    if abs(n["steepest"] / n["flattest"] - 1) <= TENTH:
        return confirmed(f"exponent {n['flattest']:.0f} to {n['steepest']:.0f}")
    note = (
        f"the local exponent rises from {n['flattest']:.0f} to {n['steepest']:.0f} over T̄ = 10.05 "
        f"to 10.8, where (ΔE)_c = {n['delta_E_c_at_10.5']:.0f}, {n['delta_E_c_at_10.65']:.0f} and "
        f"{n['delta_E_c_at_10.8']:.0f} at T̄ = 10.5, 10.65 and 10.8.  Read with a subscript, "
        f"(T₁)ᶜ, it rises from {n['flattest_in_T_1']:.2g} to {n['steepest_in_T_1']:.2g}"
    )
    if abs(n["steepest_to_10.5"] / n["flattest"] - 1) <= 2 * TENTH:
        return within(
            f"T̄ ≤ 10.5, a change of 4 %: roughly, with exponents of {n['flattest']:.0f} to "
            f"{n['steepest_to_10.5']:.0f}.  Not beyond: {note}"
        )
    return contradicted(note)


@claim(
    id="fig-6b-critical-spacing",
    where="text on Fig. 6b",
    statement="The (ΔE)_c of gain 1 seems to depend on T̄ (roughly) algebraically (our text has a "
    "subscript 1 there, perhaps of T₁).",
    check="Root of the exact gain = 1 at eight T̄ from 10.05 to 10.8; local exponents in T̄ and in "
    "T₁ = T̄ − 10.",
    judge=_algebraic,
)
def critical_spacing() -> Numbers:
    means = np.array(CRITICAL)
    logs = np.array(
        [
            brentq(
                lambda x, T=float(T): math.log(gain(math.exp(x), T)),
                math.log(15),
                math.log(1000),
                xtol=1e-4,
            )
            for T in means
        ]
    )
    local = np.diff(logs) / np.diff(np.log(means))
    cold = np.diff(logs) / np.diff(np.log(means - FIG_6["delta_T"] / 2))
    roots = {f"delta_E_c_at_{T:g}": math.exp(x) for T, x in zip(means, logs, strict=True)}
    return {
        "flattest": float(local.min()),
        "steepest": float(local.max()),
        "steepest_to_10.5": float(local[means[1:] <= 10.5].max()),
        "flattest_in_T_1": float(cold.min()),
        "steepest_in_T_1": float(cold.max()),
        **{
            name: roots[name]
            for name in roots
            if name.split("_")[-1] in ("10.1", "10.5", "10.65", "10.8")
        },
    }


def _unrelated(n: Numbers) -> Judgement:
    if n["rank_correlation"] > 0.9:
        return contradicted(f"they do, rank correlation {n['rank_correlation']:.2f}")
    return confirmed()


@claim(
    id="gain-is-not-power",
    where="text on Fig. 6b, Sec. VI",
    statement="Regions of large gain need not be those of large power.",
    check="Rank correlation of the exact gain and |P/N| over 28 points of Fig. 6.",
    judge=_unrelated,
)
def gain_is_not_power() -> Numbers:
    gains = [gain(dE, T) for dE, T in GRID]
    P = [
        abs(solve(LIMIT, engine(FIG_6, delta_E=dE, T_mean=T), "power_per_pair")["power_per_pair"])
        for dE, T in GRID
    ]
    best = int(np.argmax(P))
    return {
        "rank_correlation": rank_correlation(gains, P),
        "gain_at_largest_power": gains[best],
        "largest_gain": max(gains),
    }


SPACINGS = (25.0, 50.0, 100.0, 200.0, 400.0, 600.0, 1000.0, 1500.0, 2500.0)
"""Range of our Fig. 10 (that of the printed one is not in the text)."""
WIDE = 400.0
"""ΔE from which the slopes are compared with a constant."""


@cache
def _fig_10(N: int) -> list[float]:
    """Slopes of ln gain in ΔE, times T₂ = 100; N = 0 stands for the limit."""
    logs = []
    for delta_E in SPACINGS:
        single = engine(FIG_10, delta_E=delta_E)
        at = engine(FIG_10, delta_E=delta_E, N=max(N, 1))
        one = finite_gain(at, single) if N else limit_gain(LIMIT, single)
        logs.append(math.log(one))
    return [float(s) for s in np.diff(logs) / np.diff(SPACINGS) * 100]


def _exponential(n: Numbers) -> Judgement:
    flattest, steepest = n["limit_flattest"], n["limit_steepest"]
    if steepest / flattest - 1 <= TENTH:
        return confirmed(f"slope {flattest:.2f} to {steepest:.2f} per T₂")
    if steepest / n["limit_flattest_from_400"] - 1 <= 2 * TENTH:
        return within(
            f"ΔE from 400 E₁ = 4T₂ to 2500 E₁: ln gain has the slope "
            f"{n['limit_flattest_from_400']:.2f} to {steepest:.2f} per T₂ in the limit, towards 1 "
            f"(not 1/E₁, as ∝ exp ΔE would say); from 25 E₁ on it starts at {flattest:.2f}, where "
            f"the gain is {n['limit_gain_at_25']:.2f}"
        )
    return contradicted(f"the slope runs from {flattest:.2f} to {steepest:.2f} per T₂")


@claim(
    id="fig-10-exponential",
    where="App. E, Fig. 10; text on Fig. 6b",
    statement="The gain grows exponentially with ΔE, P_N/(N P₁) ∝ exp(ΔE).",
    check="Slopes of ln gain between nine ΔE from 25 to 2500 at Fig. 10's parameters, times "
    "T₂ = 100; exact.",
    judge=_exponential,
)
def exponential() -> Numbers:
    limit, finite = _fig_10(0), _fig_10(8)
    wide = [slope for slope, start in zip(limit, SPACINGS[:-1], strict=True) if start >= WIDE]
    return {
        "limit_flattest": min(limit),
        "limit_flattest_from_400": min(wide),
        "limit_steepest": max(limit),
        "limit_gain_at_25": limit_gain(LIMIT, engine(FIG_10, delta_E=25.0)),
        "N_8_flattest": min(finite),
        "N_8_steepest": max(finite),
    }


def _increase(n: Numbers) -> Judgement:
    slopes = list(n.values())
    if all(a < b for a, b in pairwise(slopes)):
        return confirmed()
    return contradicted("they do not increase in order")


@claim(
    id="fig-10-slopes",
    where="App. E",
    statement="The slopes of Fig. 10 increase with N.",
    check="Mean slope of ln gain times T₂ at N = 2, 4, 8, 16 and N → ∞.",
    judge=_increase,
)
def slopes() -> Numbers:
    finite = {f"N_{N}": float(np.mean(_fig_10(N))) for N in (2, 4, 8, 16)}
    return {**finite, "limit": float(np.mean(_fig_10(0)))}


CLAIMS: tuple[Claim, ...] = (
    regions,
    trend,
    thousand,
    critical_spacing,
    gain_is_not_power,
    exponential,
    slopes,
)
