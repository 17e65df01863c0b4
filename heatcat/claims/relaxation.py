"""Claims on decay rates without the drive: Eqs. 40 to 46, Fig. 4."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from ensemble.closed_forms.classical_spin import (
    closure_rates,
    jacobian,
    jacobian_eigenvalues,
    jacobian_gap,
    magnetization,
    second_moment,
)
from heatcat.claims.dissipative import BETA_E, closure_fixed_point
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
from heatcat.claims.points import CLOSURE, FIG_6, LIMIT, engine, solve

LINE = 0.01
"""Relative deviation that can be seen in a figure: about the width of a line."""


TENTH = 0.1


@cache
def lindbladian_gap(x: float) -> float:
    """Gap of one undriven spin for N → ∞, in Γ₀ (two spins alike, one limit)."""
    at = engine(FIG_6, omega_0=0.0, E_1=1.0, delta_E=0.0, T_mean=1 / x, delta_T=0.0, Gamma_0=1.0)
    return solve(LIMIT, at, "gap")["gap"]


@claim(
    id="eq-42-jacobian",
    where="Eqs. 41 and 42",
    statement="The Jacobian of Eqs. 38 and 39 has the given elements.",
    check="Against central differences of Eqs. 38–39 at Eqs. 33–34, βE from 0.1 to 100 (the "
    "equations are cubic: differences with h = 1e-3 are good to h²).",
    judge=small("deviation", tolerance=1e-5),
)
def eq_42() -> Numbers:
    worst, h = 0.0, 1e-3
    for x in (0.1, 1.0, 10.0, 100.0):
        m, s = magnetization(x), second_moment(x)
        printed = np.array(
            [[-2 / x, 0.5], [-1 + 3 * s - 6 * m**2, 3 * (m - 2 / x)]],
        )
        columns = [
            (np.array(closure_rates(m + a, s + b, x)) - closure_rates(m - a, s - b, x)) / (2 * h)
            for a, b in ((h, 0.0), (0.0, h))
        ]
        worst = max(worst, float(np.abs(np.array(columns).T - printed).max()))
    return {"deviation": worst}


@claim(
    id="eqs-44-45-eigenvalues",
    where="Eqs. 44 and 45",
    statement="Closed form of the Jacobian's eigenvalues.",
    check="Printed form against numerical eigenvalues of Eq. 42, relative, βE from 0.1 to 100.",
    judge=small("deviation", tolerance=1e-10),
)
def eqs_44_45() -> Numbers:
    worst = 0.0
    for x in np.geomspace(0.1, 100, 16):
        coth = 1 / math.tanh(x / 2)
        root = math.sqrt(4 + 4 / x**2 + 12 * coth / x - 3 * coth**2)
        printed = [(-2 / x - 3 * coth + sign * root) / 2 for sign in (-1, 1)]
        numerical = np.sort(np.linalg.eigvals(jacobian(float(x))).real)
        worst = max(worst, float(np.abs(printed / numerical - 1).max()))
    return {"deviation": worst}


def _taken_elsewhere(n: Numbers) -> Judgement:
    if n["largest"] <= LINE:
        return confirmed()
    if max(n["cold_end"], n["hot_end"]) <= LINE:
        return within(
            f"βE → 0 and βE → ∞: between, the rate differs by up to {100 * n['largest']:.0f} % "
            "since Eqs. 33–34 are not the fixed point of Eqs. 38–39"
        )
    return contradicted(f"it differs by {100 * n['largest']:.0f} %")


@claim(
    id="eq-44-at-fixed-point",
    where="text before Eq. 43 and before Eq. 44",
    statement="Eq. 44 is the relaxation rate of Eqs. 38 and 39 at their fixed point.",
    check="Eq. 44 against the Jacobian at the fixed point of Eqs. 38–39, βE from 0.01 to 1000.",
    judge=_taken_elsewhere,
)
def at_fixed_point() -> Numbers:
    found = []
    for x in BETA_E:
        m, s = closure_fixed_point(x)
        matrix = [[-2 / x, 0.5], [-1 + 3 * s - 6 * m**2, 3 * (m - 2 / x)]]
        rate = -float(np.linalg.eigvals(np.array(matrix)).real.max())
        found.append(abs(jacobian_gap(x) / rate - 1))
    return {"largest": max(found), "hot_end": found[0], "cold_end": found[-1]}


def positive(n: Numbers) -> Judgement:
    least = min(n.values())
    return confirmed() if least > 0 else contradicted(f"a rate is {least:.2g}")


@claim(
    id="stable-fixed-points",
    where="text after Eq. 42",
    statement="The stationary states of the closed equations are stable fixed points.",
    check="Least decay rate over Γ₀: Eq. 44 for βE from 0.01 to 1000; closure with the drive on a "
    "grid of Fig. 6's range.",
    judge=positive,
)
def stable() -> Numbers:
    driven = [
        solve(CLOSURE, engine(FIG_6, delta_E=delta_E, T_mean=T_mean), "gap")["gap"] / 0.001
        for delta_E in (1.0, 9.0, 50.0, 150.0)
        for T_mean in (10.1, 11.0, 14.0, 30.0)
    ]
    return {
        "least_undriven": min(-jacobian_eigenvalues(x)[0] for x in BETA_E),
        "least_driven": min(driven),
    }


def _proportional(n: Numbers) -> Judgement:
    varies = n["largest_ratio"] / n["least_ratio"] - 1
    if varies <= LINE:
        return confirmed()
    if abs(n["hot_end"] / n["cold_end"] - 1) <= LINE:
        return within(
            f"βE → 0 and βE → ∞, where the ratio is {n['hot_end']:.3f}; between, it runs from "
            f"{n['least_ratio']:.4f} to {n['largest_ratio']:.4f}"
        )
    return contradicted(f"the ratio varies by {100 * varies:.0f} %")


@claim(
    id="gaps-proportional",
    where="text after Eq. 43, Fig. 4, top right",
    statement="Lindbladian gap and Jacobian gap are proportional to each other.",
    check="Ratio of the Fokker–Planck limit's gap to Eq. 44, βE from 0.01 to 1000.",
    judge=_proportional,
)
def proportional() -> Numbers:
    points = (*BETA_E, 2.2, 7.0)
    ratios = {x: lindbladian_gap(x) / jacobian_gap(x) for x in points}
    return {
        "hot_end": ratios[BETA_E[0]],
        "cold_end": ratios[BETA_E[-1]],
        "at_2.2": ratios[2.2],
        "at_7.0": ratios[7.0],
        "least_ratio": min(ratios.values()),
        "largest_ratio": max(ratios.values()),
    }


def _analytic(n: Numbers) -> Judgement:
    if max(abs(n["least_over"]), abs(n["largest_over"])) <= LINE:
        return confirmed()
    worst = max(abs(n["half_least_over"]), abs(n["half_largest_over"]))
    if worst <= TENTH:
        return within(
            f"up to the constant of proportionality that the paper allows for: half of Eq. 44 is "
            f"the gap within {100 * worst:.1f} %, and at both ends of βE exactly.  Eq. 44 itself "
            f"is {1 + n['least_over']:.2f} to {1 + n['largest_over']:.2f} times the gap: the "
            "slowest mode is a coherence, which Eqs. 38–39 do not contain"
        )
    return contradicted(f"half of Eq. 44 is off by up to {100 * worst:.0f} %")


@claim(
    id="analytic-gap",
    where="Sec. V A, first paragraph; Sec. VI",
    statement="The Jacobian gives an analytical expression for the Lindbladian gap of the limit "
    "(to which it is proportional).",
    check="Eq. 44 and half of it over the Fokker–Planck limit's gap, less 1, βE from 0.01 to 1000.",
    judge=_analytic,
)
def analytic_gap() -> Numbers:
    ratios = [jacobian_gap(x) / lindbladian_gap(x) for x in (*BETA_E, 2.2, 7.0)]
    least, largest = min(ratios), max(ratios)
    return {
        "least_over": least - 1,
        "largest_over": largest - 1,
        "half_least_over": least / 2 - 1,
        "half_largest_over": largest / 2 - 1,
    }


def _two_regimes(n: Numbers) -> Judgement:
    if not (abs(n["slope_hot"] + 1) <= LINE and abs(n["slope_cold"]) <= LINE):
        return contradicted("the gap has not these asymptotes")
    if n["within_tenth_below"] < 1 or n["within_tenth_above"] > 1:
        return within(
            f"gap = Γ₀/βE within 10 % for βE < {n['within_tenth_below']:.2g} and Γ₀/2 for "
            f"βE > {n['within_tenth_above']:.2g}; between it dips to {n['least']:.3f} Γ₀"
        )
    return confirmed()


@claim(
    id="eq-46-regimes",
    where="Eq. 46",
    statement="The gap is constant for βE ≳ 1 and falls as 1/βE for βE ≲ 1.",
    check="Fokker–Planck limit's gap, βE from 0.01 to 1000: log-slopes at the ends, and the "
    "ranges in which each asymptote holds within 10 %.",
    judge=_two_regimes,
)
def two_regimes() -> Numbers:
    gaps = {x: lindbladian_gap(x) for x in BETA_E}
    hot, cold = BETA_E[:2], BETA_E[-2:]

    def slope(a: float, b: float) -> float:
        return math.log(gaps[b] / gaps[a]) / math.log(b / a)

    below = [x for x in BETA_E if abs(gaps[x] * x - 1) > TENTH]
    above = [x for x in BETA_E if abs(gaps[x] / 0.5 - 1) > TENTH]
    return {
        "slope_hot": slope(*hot),
        "slope_cold": slope(*cold),
        "within_tenth_below": min(below),
        "within_tenth_above": max(above),
        "least": min(gaps.values()),
    }


CLAIMS: tuple[Claim, ...] = (
    eq_42,
    eqs_44_45,
    at_fixed_point,
    stable,
    proportional,
    analytic_gap,
    two_regimes,
)
