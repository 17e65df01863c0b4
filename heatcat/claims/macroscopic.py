"""Claims on the power in the limit of the scaled engine: Fig. 6a."""

from __future__ import annotations

import math

from analyses import carnot_delta_E
from heatcat.claims.ledger import (
    Claim,
    Judgement,
    Numbers,
    claim,
    confirmed,
    contradicted,
    small,
    within,
)
from heatcat.claims.points import (
    CLOSURE,
    EXACT,
    FIG_6,
    LIMIT,
    engine,
    solve,
)

TENTH = 0.1


RATE = 0.001
"""Γ₀ of all these figures."""


GRID = [
    (dE, T) for dE in (2.0, 5.0, 10.0, 20.0, 40.0, 90.0, 150.0) for T in (10.2, 11.1, 13.0, 24.0)
]
"""Points (ΔE, T̄) across Fig. 6, where E₁ = 1 and ΔT = 20; none is on the Carnot line."""


@claim(
    id="limit-proportionality",
    where="Sec. V B, third paragraph",
    statement="Eq. 21, hence Eq. 22, holds in the limit as well.",
    check="Heats at the baths from the moments (z equation of Eq. 47) against −E₁J and E₂J from "
    "the coherence; closure and exact limit, four engines and refrigerators.",
    judge=small("closure", "limit", tolerance=1e-8),
)
def limit_proportionality() -> Numbers:
    found = {}
    for name, method in (("closure", CLOSURE), ("limit", LIMIT)):
        worst = 0.0
        for delta_E, T_mean in ((2.0, 14.0), (9.0, 11.0), (9.0, 14.0), (40.0, 11.0)):
            at = engine(FIG_6, delta_E=delta_E, T_mean=T_mean)
            moments = [f"magnetization_{i}{end}" for i in (1, 2) for end in ("", "_squared")]
            v = solve(method, at, "quanta_current_per_pair", *moments)
            J = v["quanta_current_per_pair"]
            for i, energy, T, sign in (
                (1, at.E_1, T_mean - 10, -1),
                (2, at.E_2, T_mean + 10, 1),
            ):
                z, square = v[f"magnetization_{i}"], v[f"magnetization_{i}_squared"]
                absorbed = -RATE / 2 * (1 - square) - 2 * RATE * T / energy * z
                worst = max(worst, abs(absorbed / 2 / (sign * J) - 1))
        found[name] = worst
    return found


def _signs(n: Numbers) -> Judgement:
    wrong = n["points"] - min(n["closure_right"], n["limit_right"])
    return (
        confirmed() if wrong == 0 else contradicted(f"{wrong:g} of {n['points']:g} points differ")
    )


@claim(
    id="fig-6a-boundary",
    where="Fig. 6a and its text",
    statement="In the limit, too, Eq. 23 separates engine and refrigerator.",
    check="Sign of P/N on 28 points of the figure and 0.1 % to either side of the line.",
    judge=_signs,
)
def boundary() -> Numbers:
    border = {T: float(carnot_delta_E(T, E_1=1.0, delta_T=20.0)) for T in (10.5, 12.0, 20.0)}
    points = GRID + [(dE * f, T) for T, dE in border.items() for f in (0.999, 1.001)]
    right = {"closure_right": 0, "limit_right": 0}
    for delta_E, T_mean in points:
        side = float(carnot_delta_E(T_mean, E_1=1.0, delta_T=20.0)) - delta_E
        for name, method in (("closure", CLOSURE), ("limit", LIMIT)):
            at = engine(FIG_6, delta_E=delta_E, T_mean=T_mean)
            P = solve(method, at, "power_per_pair")["power_per_pair"]
            right[f"{name}_right"] += P * side > 0
    return {"points": len(points), **right}


def _bounded(n: Numbers) -> Judgement:
    # The deviation from the limit falls as 1/N, with factors of order one.
    if not abs(n["N_24_per_pair"] / n["limit"] - 1) <= 3 / 24:
        return contradicted("P per pair does not saturate")
    if n["first_exponent"] > 1:
        return within(
            "N → ∞: P ~ N there; at finite N it may grow faster, with exponents "
            f"{n['first_exponent']:.2f} over N = 2–4 and {n['last_exponent']:.2f} over 16–24 at "
            "the high gain"
        )
    return confirmed()


@claim(
    id="fig-6a-linear-power",
    where="paragraph after Fig. 6a's reference",
    statement="With the scalings P is bounded by O(N): no super-linear growth.",
    check="Exponent of P over N = 2–4 and 16–24 and the limit of P/(NΓ₀) at ΔE = 150, T̄ = 10.1.",
    judge=_bounded,
)
def linear_power() -> Numbers:
    at = {"delta_E": 150.0, "T_mean": 10.1}
    P = {N: solve(EXACT, engine(FIG_6, N=N, **at), "power")["power"] for N in (2, 4, 16, 24)}
    limit = solve(LIMIT, engine(FIG_6, **at), "power_per_pair")["power_per_pair"]
    return {
        "first_exponent": math.log(P[4] / P[2]) / math.log(2),
        "last_exponent": math.log(P[24] / P[16]) / math.log(1.5),
        "limit": limit / RATE,
        "N_24_per_pair": P[24] / 24 / RATE,
    }


CLAIMS: tuple[Claim, ...] = (
    limit_proportionality,
    boundary,
    linear_power,
)
