"""Claims on correlations and the conclusions: Secs. V C and VI, Fig. 8."""

from __future__ import annotations

import numpy as np

from ensemble import Cumulant
from heatcat.claims.collective_gain import gain
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
from heatcat.claims.points import (
    CLOSURE,
    EXACT,
    FIG_6,
    FIG_7,
    LIMIT,
    SOLVED,
    engine,
    rank_correlation,
    solve,
)

MEAN_FIELD = Cumulant(order=2)
STRONG, MODERATE = 0.9, 0.5
"""Rank correlations at which two maps look alike, and at which they have the same trend (a quarter
of the variance)."""
EVEN = [
    engine(FIG_6, delta_E=float(dE), T_mean=float(T))
    for dE in np.linspace(8, 148, 8)
    for T in np.linspace(10.5, 30, 6)
]
"""Engines at equal spacings, as in a figure with linear axes."""
LOGARITHMIC = [
    engine(FIG_6, delta_E=float(dE), T_mean=10.0 + float(T_1))
    for dE in np.geomspace(1, 250, 8)
    for T_1 in np.geomspace(0.02, 40, 8)
]
"""Engines at equal factors of ΔE and T₁, the range of our Figs. 6 and 8."""
POINTS = [engine(FIG_6, delta_E=dE, T_mean=T) for dE, T in GRID]


def _qualitative(n: Numbers) -> Judgement:
    signed, absolute = n["limit_signed"], n["limit_absolute"]
    if signed >= STRONG:
        return confirmed()
    if min(absolute, n["limit_absolute_log"]) >= MODERATE:
        return within(
            f"the power's size: rank correlation with |P| {absolute:.2f} at equal steps of ΔE and "
            f"T̄, as on linear axes, but {n['limit_absolute_log']:.2f} at equal "
            f"factors of ΔE and T₁, as on our figure, where more points are cold; {signed:.2f} "
            "with P, whose sign changes on the Carnot line, where both vanish.  With the quanta "
            f"current it is {n['limit_current']:.2f} and {n['limit_current_log']:.2f}"
        )
    return contradicted(f"rank correlation {absolute:.2f} with |P|")


@claim(
    id="fig-8-power",
    where="Fig. 8, Sec. V C, Sec. VI",
    statement="The mutual information of two spins is qualitatively related to the power.",
    check="Rank correlation of I with |P/N|, P/N and |J/N|, exact limit and closure: 8 × 6 points, "
    "ΔE from 8 to 148, T̄ from 10.5 to 30; and 8 × 8 with logarithmic ΔE from 1 to 250 and T̄ − 10 "
    "from 0.02 to 40.",
    judge=_qualitative,
)
def information_and_power() -> Numbers:
    found = {}
    names = ("mutual_information", "power_per_pair", "quanta_current_per_pair")
    for name, method, ending, points in (
        ("limit", LIMIT, "", EVEN),
        ("limit", LIMIT, "_log", LOGARITHMIC),
        ("closure", CLOSURE, "", EVEN),
    ):
        values = [solve(method, at, *names) for at in points]
        shared = [v["mutual_information"] for v in values]
        P = [v["power_per_pair"] for v in values]
        J = [abs(v["quanta_current_per_pair"]) for v in values]
        found[f"{name}_absolute{ending}"] = rank_correlation(shared, [abs(p) for p in P])
        found[f"{name}_signed{ending}"] = rank_correlation(shared, P)
        found[f"{name}_current{ending}"] = rank_correlation(shared, J)
    return found


@claim(
    id="no-entanglement",
    where="Sec. V C, Sec. VI",
    statement="In the limit two spins of different ensembles are not entangled.",
    check="Largest concurrence over 28 points, exact limit, closure and N = 8.",
    judge=small("limit", "closure", "N_8", tolerance=0.0),
)
def no_entanglement() -> Numbers:
    finite = [engine(FIG_6, delta_E=dE, T_mean=T, N=8) for dE, T in GRID]
    return {
        "limit": max(solve(LIMIT, at, "concurrence")["concurrence"] for at in POINTS),
        "closure": max(solve(CLOSURE, at, "concurrence")["concurrence"] for at in POINTS),
        "N_8": max(solve(EXACT, at, "concurrence")["concurrence"] for at in finite),
    }


@claim(
    id="mean-field-uncorrelated",
    where="Sec. V C",
    statement="A second-order (mean-field) closure has no correlations between the spins.",
    check="Largest mutual information and |P/N| of the closure of order 2 over 28 points.",
    judge=small("mutual_information", "power", tolerance=0.0),
)
def mean_field() -> Numbers:
    values = [solve(MEAN_FIELD, at, "mutual_information", "power_per_pair") for at in POINTS]
    return {
        "mutual_information": max(v["mutual_information"] for v in values),
        "power": max(abs(v["power_per_pair"]) for v in values),
    }


def _discord(n: Numbers) -> Judgement:
    if not n["least_share"] > 0:
        return contradicted("the discord vanishes at a point with a current")
    return confirmed(
        f"discord is {100 * n['least_share']:.0f} to {100 * n['largest_share']:.0f} % of the "
        "mutual information"
    )


@claim(
    id="discord",
    where="Sec. VI",
    statement="Without entanglement, quantum correlations may still show as discord.",
    check="Discord over mutual information in the exact limit, 28 points (none at a Carnot point).",
    judge=_discord,
)
def discord() -> Numbers:
    values = [solve(LIMIT, at, "discord", "mutual_information") for at in POINTS]
    shares = [v["discord"] / v["mutual_information"] for v in values]
    return {"least_share": min(shares), "largest_share": max(shares)}


def _weak_correlations(n: Numbers) -> Judgement:
    if n["concurrence"] != 0:
        return contradicted("spins are entangled")
    # An error that falls as 1/N halves with each doubling of N, up to terms of order 1/N².
    if not abs(n["error_at_32"] / n["error_at_16"] - 0.5) <= 0.1:
        return contradicted("the pair's state does not approach the limit's as 1/N")
    if n["discord_share"] > 0:
        return within(
            "in the sense of separable: no concurrence, but discord, "
            f"{100 * n['discord_share']:.0f} % of the mutual information"
        )
    return confirmed()


@claim(
    id="de-finetti-correlations",
    where="text on Fig. 6c, Sec. VI",
    statement="In the limit local correlations can be described by classical ones (quantum de "
    "Finetti).",
    check="Concurrence and discord of the limit's spin pair, and relative distance of I at N = 16 "
    "and 32 from the limit's, Fig. 7's ω₀ = 0.006.",
    judge=_weak_correlations,
)
def classical_correlations() -> Numbers:
    names = ("mutual_information", "concurrence", "discord")
    limit = solve(LIMIT, engine(FIG_7, omega_0=0.006), *names)
    errors = {}
    for N in (16, 32):
        finite = solve(EXACT, engine(FIG_7, omega_0=0.006, N=N), "mutual_information")
        ratio = finite["mutual_information"] / limit["mutual_information"]
        errors[f"error_at_{N}"] = abs(ratio - 1)
    share = limit["discord"] / limit["mutual_information"]
    return {"concurrence": limit["concurrence"], "discord_share": share, **errors}


@claim(
    id="constant-efficiency",
    where="abstract, Sec. VI",
    statement="The gain comes at constant efficiency, for every N and in the limit.",
    check="P/Q̇₂ less ΔE/E₂ at N = 1, 4, 16 (heats from the baths) and in the limit, (ΔE, T̄) = "
    "(150, 10.1), where the gain is 51.",
    judge=small("deviation", tolerance=SOLVED),
)
def constant_efficiency() -> Numbers:
    at = {"delta_E": 150.0, "T_mean": 10.1}
    expected = 150 / 151
    names = ("power", "heat_current_2")
    found = [solve(EXACT, engine(FIG_6, N=N, **at), *names) for N in (1, 4, 16)]
    ratios = [v["power"] / v["heat_current_2"] for v in found]
    limit = solve(LIMIT, engine(FIG_6, **at), "power_per_pair", "heat_current_2_per_pair")
    ratios.append(limit["power_per_pair"] / limit["heat_current_2_per_pair"])
    return {"deviation": max(abs(r - expected) for r in ratios), "gain": gain(150.0, 10.1)}


def _survives(n: Numbers) -> Judgement:
    if not n["limit"] > 1:
        return contradicted(f"the gain of the limit is {n['limit']:.3g}")
    return confirmed(
        f"wide ΔE and cold bath 1: gain {n['limit']:.3g} at ΔE = 150, T̄ = 10.1, but "
        f"{n['limit_at_fig_7']:.2g} at ΔE = 9, T̄ = 13.5 (ΔT = 20)"
    )


@claim(
    id="gain-survives",
    where="abstract, Sec. VI",
    statement="A linear gain over independent engines survives in the limit for certain sets of "
    "parameters.",
    check="Exact gain in the limit at (ΔE, T̄) = (150, 10.1) and (9, 13.5), ΔT = 20.",
    judge=_survives,
)
def survives() -> Numbers:
    return {"limit": gain(150.0, 10.1), "limit_at_fig_7": gain(9.0, 13.5)}


CLAIMS: tuple[Claim, ...] = (
    information_and_power,
    no_entanglement,
    mean_field,
    discord,
    classical_correlations,
    constant_efficiency,
    survives,
)
