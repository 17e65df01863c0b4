"""Claims on efficiency and the Carnot point: Eqs. 18 and 21 to 23, Fig. 2a."""

from __future__ import annotations

import numpy as np

from analyses import carnot_delta_E, carnot_T_mean
from heatcat.claims.dense import Dense
from heatcat.claims.ledger import (
    Claim,
    Judgement,
    Numbers,
    claim,
    confirmed,
    contradicted,
    misprint,
    small,
)
from heatcat.claims.model import DENSE
from heatcat.claims.points import EXACT, FIG_2, SOLVED, engine, solve

CARNOT = [(T_mean, carnot_delta_E(T_mean, E_1=100.0, delta_T=100.0)) for T_mean in (80.0, 150.0)]
"""Mean temperatures of Fig. 2 and their Carnot spacings (Eq. 23)."""


def _temperatures(T_mean: float) -> tuple[float, float]:
    return T_mean - FIG_2["delta_T"] / 2, T_mean + FIG_2["delta_T"] / 2


@claim(
    id="eq-18-efficiency",
    where="Eq. 18, left",
    statement="The Carnot efficiency is 1 − β₁/β₂.",
    check="Against Eq. 22's ΔE/E₂ at the point where all currents vanish (bath 1 is the cold one).",
    judge=misprint(
        printed="as_printed",
        corrected="with_beta_2_over_beta_1",
        tolerance=SOLVED,
        correction="η_C = 1 − β₂/β₁ = 1 − T₁/T₂",
        ocr="no",
    ),
)
def carnot_efficiency() -> Numbers:
    printed = corrected = 0.0
    for T_mean, delta_E in CARNOT:
        cold, hot = _temperatures(T_mean)
        reached = delta_E / (FIG_2["E_1"] + delta_E)
        printed = max(printed, abs(1 - hot / cold - reached))
        corrected = max(corrected, abs(1 - cold / hot - reached))
    return {"as_printed": printed, "with_beta_2_over_beta_1": corrected}


@claim(
    id="eq-18-cop",
    where="Eq. 18, right",
    statement="The Carnot COP is β₂/(β₁ − β₂).",
    check="Against Eq. 22's E₁/ΔE at the point where all currents vanish.",
    judge=small("deviation", tolerance=SOLVED),
)
def carnot_cop() -> Numbers:
    worst = 0.0
    for T_mean, delta_E in CARNOT:
        cold, hot = _temperatures(T_mean)
        bound = (1 / hot) / (1 / cold - 1 / hot)
        worst = max(worst, abs(bound / (FIG_2["E_1"] / delta_E) - 1))
    return {"deviation": worst}


@claim(
    id="eq-21-proportionality",
    where="Eq. 21",
    statement="Power and heats are in the ratio ΔE : −E₁ : E₂.",
    check="Eq. 10 and Tr[H₀Dᵢ(ρ)] in the product basis, N = 1, 2, 3, engines and refrigerators.",
    judge=small("cold", "hot", tolerance=SOLVED),
)
def proportionality() -> Numbers:
    quanta = [(d, d.power / d.engine.delta_E) for d in DENSE]
    return {
        "cold": max(abs(-d.heat(1) / d.engine.E_1 / J - 1) for d, J in quanta),
        "hot": max(abs(d.heat(2) / d.engine.E_2 / J - 1) for d, J in quanta),
    }


@claim(
    id="eq-22-efficiency",
    where="Eq. 22 and the text after it",
    statement="Efficiency ΔE/E₂ and COP E₁/ΔE do not depend on N.",
    check="P/Q̇₂ of engines and −Q̇₁/P of refrigerators in the product basis; N = 1, 2, 3.",
    judge=small("efficiency", "cop", tolerance=SOLVED),
)
def efficiency() -> Numbers:
    engines = [d for d in DENSE if d.power > 0]
    refrigerators = [d for d in DENSE if d.power < 0]
    return {
        "efficiency": max(
            abs(d.power / d.heat(2) - d.engine.delta_E / d.engine.E_2) for d in engines
        ),
        "cop": max(
            abs(-d.heat(1) / d.power / (d.engine.E_1 / d.engine.delta_E) - 1) for d in refrigerators
        ),
    }


def _vanishes_and_changes_sign(n: Numbers) -> Judgement:
    if not abs(n["current_there"]) <= SOLVED:
        return contradicted(f"the current there is {n['current_there']:.3g} of that 1 % away")
    if not (n["least_below"] > 0 > n["largest_above"]):
        return contradicted("the current does not change sign there")
    return confirmed()


@claim(
    id="eq-23-spacing",
    where="Eq. 23, left",
    statement="All currents vanish at ΔE* = E₁ΔT/(T̄ − ΔT/2), where engine turns to refrigerator.",
    check="Quanta current in the product basis at ΔE* and 1 % to either side, relative to those; "
    "N = 1, 2, 3.",
    judge=_vanishes_and_changes_sign,
)
def carnot_spacing() -> Numbers:
    there, below, above = [], [], []
    for T_mean, delta_E in CARNOT:
        for N in (1, 2, 3):
            at, less, more = (
                Dense(engine(FIG_2, N=N, T_mean=T_mean, delta_E=delta_E * factor)).power
                for factor in (1.0, 0.99, 1.01)
            )
            there.append(abs(at / less))
            below.append(less)
            above.append(more)
    return {"current_there": max(there), "least_below": min(below), "largest_above": max(above)}


@claim(
    id="eq-23-temperature",
    where="Eq. 23, right",
    statement="All currents vanish at T̄* = (ΔT/2)(ΔE − 2E₁)/ΔE.",
    check="Inverse of the left equation: relative deviation from the T̄ that gives the ΔE back.",
    judge=misprint(
        printed="as_printed",
        corrected="with_plus",
        tolerance=SOLVED,
        correction="T̄* = (ΔT/2)(ΔE + 2E₁)/ΔE",
        ocr="possible",
    ),
)
def carnot_temperature() -> Numbers:
    printed = corrected = 0.0
    coldest = np.inf
    E_1, delta_T = FIG_2["E_1"], FIG_2["delta_T"]
    for T_mean, delta_E in CARNOT:
        value = delta_T / 2 * (delta_E - 2 * E_1) / delta_E
        coldest = min(coldest, value - delta_T / 2)
        printed = max(printed, abs(value / T_mean - 1))
        right = carnot_T_mean(delta_E, E_1=E_1, delta_T=delta_T)
        corrected = max(corrected, abs(right / T_mean - 1))
    return {"as_printed": printed, "with_plus": corrected, "printed_T_1": coldest}


def _all_of_them(n: Numbers) -> Judgement:
    wrong = n["points"] - n["right"]
    return (
        confirmed() if wrong == 0 else contradicted(f"{wrong:g} of {n['points']:g} points differ")
    )


@claim(
    id="fig-2a-modes",
    where="Fig. 2a and its text",
    statement="An engine for ΔE < ΔE*, a refrigerator beyond; heats change sign with it.",
    check="Signs of P, Q̇₁ and Q̇₂ at N = 1 and 4 on a 12 × 12 grid of the figure's range.",
    judge=_all_of_them,
)
def modes() -> Numbers:
    right = points = 0
    for T_mean in np.linspace(55, 250, 12):
        border = carnot_delta_E(float(T_mean), E_1=FIG_2["E_1"], delta_T=FIG_2["delta_T"])
        for delta_E in np.linspace(5, 250, 12):
            for N in (1, 4):
                found = solve(
                    EXACT,
                    engine(FIG_2, N=N, T_mean=float(T_mean), delta_E=float(delta_E)),
                    "power",
                    "heat_current_1",
                    "heat_current_2",
                )
                sign = np.sign(border - delta_E)
                signs = np.sign([found[name] for name in found])
                points += 1
                right += bool(np.array_equal(signs, sign * np.array([1, -1, 1])))
    return {"points": points, "right": right}


CLAIMS: tuple[Claim, ...] = (
    carnot_efficiency,
    carnot_cop,
    proportionality,
    efficiency,
    carnot_spacing,
    carnot_temperature,
    modes,
)
