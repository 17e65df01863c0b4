"""Claims on what the third-cumulant closure gives: Sec. V, App. D."""

from __future__ import annotations

from heatcat.claims.constancy import ABOVE, PRINTED, excess
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
from heatcat.claims.macroscopic import GRID
from heatcat.claims.points import CLOSURE, FIG_6, FIG_7, LIMIT, engine, solve


@claim(
    id="d1-prefactor",
    where="Eqs. D1 and D3",
    statement="The variance has the prefactor ω₀²ΔE²/8.",
    check="Weak drive between hot baths, where moments are Gaussian enough: C of D1–D5 less the "
    "exact limit's (a wrong factor f would give 1/f).",
    judge=small("difference", tolerance=1e-6),
)
def prefactor() -> Numbers:
    at = engine(FIG_6, delta_E=9.0, T_mean=300.0, omega_0=1e-4)
    return {"difference": excess(at, True) - excess(at)}


def _linear_response(n: Numbers) -> Judgement:
    if abs(n["closure"] - 1) <= PRINTED:
        return confirmed()
    if abs(n["limit"] - 1) <= ABOVE:
        return contradicted(
            f"C = {n['closure']:.3f} at a Carnot point, where linear response demands 1 and the "
            "exact limit has it"
        )
    return contradicted("neither the closure nor the limit obeys linear response")


@claim(
    id="app-d-fluctuations",
    where="App. D, Sec. V B",
    statement="Closing fourth moments and time correlations (D2–D5) gives the power fluctuations.",
    check="C of closure and exact limit at the Carnot point of Fig. 7's temperatures (ΔE = 11.5).",
    judge=_linear_response,
)
def fluctuations() -> Numbers:
    at = engine(FIG_7, omega_0=0.006, delta_E=11.5)
    return {"closure": 1 + excess(at, True), "limit": 1 + excess(at)}


def _closure_power(n: Numbers) -> Judgement:
    if n["largest"] <= 0.01:
        return confirmed()
    if n["largest"] <= 0.1:
        return within(
            f"power within {100 * n['largest']:.0f} % over the grid (median "
            f"{100 * n['median']:.1f} %): a figure hides it"
        )
    return contradicted(f"off by up to {100 * n['largest']:.0f} %")


@claim(
    id="closure-power",
    where="Sec. V, third-cumulant approach; Fig. 6a",
    statement="The third-cumulant closure gives the power of the limit.",
    check="|P_closure/P_exact − 1| over the 28 points of Fig. 6.",
    judge=_closure_power,
)
def closure_power() -> Numbers:
    errors = []
    for dE, T in GRID:
        at = engine(FIG_6, delta_E=dE, T_mean=T)
        one, two = (
            solve(method, at, "power_per_pair")["power_per_pair"] for method in (CLOSURE, LIMIT)
        )
        errors.append(abs(one / two - 1))
    errors.sort()
    return {"largest": errors[-1], "median": errors[len(errors) // 2]}


CLAIMS: tuple[Claim, ...] = (
    prefactor,
    fluctuations,
    closure_power,
)
