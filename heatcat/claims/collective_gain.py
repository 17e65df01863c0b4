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
    undecidable,
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


def _algebraic(n: Numbers) -> Judgement:
    if abs(n["steepest"] / n["flattest"] - 1) > TENTH:
        if n["power_residual"] > 0.5 * n["exponential_residual"]:
            return undecidable(
                f"over T̄ = 10.05–10.5 d ln(ΔE)c/d ln T̄ runs from {n['flattest']:.0f} to "
                f"{n['steepest']:.0f}, and an exponential fits as well "
                f"({n['exponential_residual']:.3f} against {n['power_residual']:.3f}): no "
                "range, exponent or tolerance is given"
            )
        return contradicted("the exponent is not constant")
    return confirmed(f"exponent {n['flattest']:.0f} to {n['steepest']:.0f}")


@claim(
    id="fig-6b-critical-spacing",
    where="text on Fig. 6b",
    statement="The (ΔE)_c of gain 1 depends on T̄ roughly algebraically.",
    check="Root of the exact gain = 1 at six T̄; local exponents; residuals of ln (ΔE)_c in a power "
    "law and in an exponential of T̄.",
    judge=_algebraic,
)
def critical_spacing() -> Numbers:
    means = np.array([10.05, 10.1, 10.2, 10.3, 10.4, 10.5])
    roots = [
        brentq(lambda x, T=float(T): math.log(gain(math.exp(x), T)), math.log(15), math.log(200),
               xtol=1e-4)
        for T in means
    ]  # fmt: skip
    logs = np.array(roots)
    local = np.diff(logs) / np.diff(np.log(means))

    def residual(axis: np.ndarray) -> float:
        return float(np.abs(np.polyval(np.polyfit(axis, logs, 1), axis) - logs).max())

    return {
        "flattest": float(local.min()),
        "steepest": float(local.max()),
        "power_residual": residual(np.log(means)),
        "exponential_residual": residual(means),
        "delta_E_c_at_10.1": math.exp(logs[1]),
        "delta_E_c_at_10.5": math.exp(logs[-1]),
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


SPACINGS = (50.0, 100.0, 200.0, 300.0, 400.0, 600.0)


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
    varies = n["limit_steepest"] / n["limit_flattest"] - 1
    if varies > TENTH:
        return contradicted(f"the slope varies by {100 * varies:.0f} %")
    return within(
        f"ΔE from 50 to 600 E₁: ln gain has the slope {n['limit_flattest']:.2f} to "
        f"{n['limit_steepest']:.2f} per T₂ in the limit (not 1/E₁, as ∝ exp ΔE would say)"
    )


@claim(
    id="fig-10-exponential",
    where="App. E, Fig. 10; text on Fig. 6b",
    statement="The gain grows exponentially with ΔE, P_N/(N P₁) ∝ exp(ΔE).",
    check="Slopes of ln gain between six ΔE at Fig. 10's parameters, times T₂ = 100; exact.",
    judge=_exponential,
)
def exponential() -> Numbers:
    limit, finite = _fig_10(0), _fig_10(8)
    return {
        "limit_flattest": min(limit),
        "limit_steepest": max(limit),
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
