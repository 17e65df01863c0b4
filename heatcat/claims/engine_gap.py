"""Claims on the gap of the driven engine in the limit: Fig. 5."""

from __future__ import annotations

import numpy as np

from analyses import carnot_T_mean
from ensemble.method import Method
from heatcat.claims.ledger import (
    Claim,
    Judgement,
    Numbers,
    claim,
    confirmed,
    contradicted,
    within,
)
from heatcat.claims.macroscopic import RATE, TENTH
from heatcat.claims.points import (
    CLOSURE,
    FIG_6,
    LIMIT,
    engine,
    solve,
)


def _slopes(method: Method, delta_E: float, means: tuple[float, ...]) -> list[float]:
    """Slope of the gap in T̄ between successive means, over Γ₀/E₁."""
    gaps = [solve(method, engine(FIG_6, delta_E=delta_E, T_mean=T), "gap")["gap"] for T in means]
    return [float(s) for s in np.diff(gaps) / np.diff(means) / RATE]


def _linear(n: Numbers) -> Judgement:
    narrow = [n["closure_least"], n["closure_largest"], n["limit_least"], n["limit_largest"]]
    if not all(abs(slope - 1) <= TENTH for slope in narrow):
        return contradicted(f"slopes from {min(narrow):.2f} to {max(narrow):.2f} Γ₀/E₁")
    wide = [n["closure_wide_least"], n["closure_wide_largest"]]
    if all(abs(slope - 1) <= TENTH for slope in wide):
        return confirmed()
    return within(
        "ΔE ≤ 2E₁ and T₁ ≥ 2E₁, closure and exact limit alike: slope Γ₀/E₁ within 10 %; at "
        f"ΔE = 9E₁ the closure's slopes run from {wide[0]:.2f} to {wide[1]:.2f} Γ₀/E₁"
    )


@claim(
    id="fig-5-engine-slope",
    where="Fig. 5, its caption and text",
    statement="In the engine mode the gap is linear in T̄ with a slope that is independent of ΔE.",
    check="Slopes between T̄ = 12, 14, 16, 18 at ΔE = 0.5, 1, 2 (closure and limit), and between "
    "10.5, 11, 12 at ΔE = 9 (closure), over Γ₀/E₁.",
    judge=_linear,
)
def engine_slope() -> Numbers:
    found: dict[str, float] = {}
    for name, method in (("closure", CLOSURE), ("limit", LIMIT)):
        slopes = [
            s for dE in (0.5, 1.0, 2.0) for s in _slopes(method, dE, (12.0, 14.0, 16.0, 18.0))
        ]
        found |= {f"{name}_least": min(slopes), f"{name}_largest": max(slopes)}
    wide = _slopes(CLOSURE, 9.0, (10.5, 11.0, 12.0))
    return {**found, "closure_wide_least": min(wide), "closure_wide_largest": max(wide)}


def _kink(n: Numbers) -> Judgement:
    for name in ("closure", "limit"):
        if not (n[f"{name}_before"] > 1 - TENTH and n[f"{name}_drop"] < TENTH):
            return contradicted(f"{name}: no change of slope at the Carnot point")
    if n["closure_wide_before"] < 1 - TENTH:
        return within(
            "ΔE ≤ 2E₁, closure and exact limit alike: Γ₀/E₁ before and Γ₀/E₂ after, as spins 1 and "
            f"2 decay alone; at ΔE = 9E₁ the slope before is {n['closure_wide_before']:.2f} Γ₀/E₁"
        )
    return confirmed()


@claim(
    id="fig-5-carnot-kink",
    where="Fig. 5 and text before Eq. 21 is recalled",
    statement="The slope changes exactly at the Carnot point and depends on ΔE beyond it.",
    check="Slopes over Γ₀/E₁ from 0.9 to 0.98 and from 1.05 to 1.25 T̄*, at ΔE = 1, 2 and 9; "
    "after: over Γ₀/E₂.",
    judge=_kink,
)
def carnot_kink() -> Numbers:
    found: dict[str, float] = {}
    for name, method in (("closure", CLOSURE), ("limit", LIMIT)):
        before, after = [], []
        for delta_E in (1.0, 2.0):
            T = float(carnot_T_mean(delta_E, E_1=1.0, delta_T=20.0))
            before.append(_slopes(method, delta_E, (0.9 * T, 0.98 * T))[0])
            after.append(_slopes(method, delta_E, (1.05 * T, 1.25 * T))[0] * (1 + delta_E))
        found |= {
            f"{name}_before": min(before),
            f"{name}_drop": max(abs(slope - 1) for slope in after),
        }
    T = float(carnot_T_mean(9.0, E_1=1.0, delta_T=20.0))
    return {**found, "closure_wide_before": _slopes(CLOSURE, 9.0, (0.95 * T, 0.99 * T))[0]}


def _faster(n: Numbers) -> Judgement:
    if min(n.values()) > 0:
        return confirmed()
    if n["limit_narrow"] > 0 and n["closure_narrow"] > 0:
        return within(
            "ΔE ≤ 5E₁; at ΔE = 9E₁ the gap falls beyond the Carnot point, slope "
            f"{n['closure_wide']:.2f} (closure) and {n['limit_wide']:.2f} Γ₀/E₁ (limit)"
        )
    return contradicted("the gap falls with T̄ at ΔE ≤ 5E₁ as well")


@claim(
    id="fig-5-faster-when-hot",
    where="Fig. 5's caption and text",
    statement="The relaxation is faster for higher average temperatures.",
    check="Least slope of the gap between T̄ = 10.5 and 40, over Γ₀/E₁, at ΔE = 1, 5 and at 9.",
    judge=_faster,
)
def faster_when_hot() -> Numbers:
    means, found = (10.5, 11.0, 12.0, 13.0, 14.0, 16.0, 20.0, 30.0, 40.0), {}
    for name, method in (("closure", CLOSURE), ("limit", LIMIT)):
        narrow = [s for dE in (1.0, 5.0) for s in _slopes(method, dE, means)]
        found[f"{name}_narrow"] = min(narrow)
        found[f"{name}_wide"] = min(_slopes(method, 9.0, means))
    return found


CLAIMS: tuple[Claim, ...] = (
    engine_slope,
    carnot_kink,
    faster_when_hot,
)
