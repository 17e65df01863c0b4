"""Claims on gain and constancy together: Sec. VI, and Sec. IV without scalings."""

from __future__ import annotations

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
from heatcat.claims.points import (
    EXACT,
    FIG_6,
    FIG_7,
    LIMIT,
    SOLVED,
    Parameters,
    engine,
    finite_gain,
    solve,
)

BARE: Parameters = {
    "E_1": 1.0,
    "delta_E": 18.0,
    "T_mean": 87.0,
    "delta_T": 166.0,
    "omega_0": 0.0022,
    "Gamma_0": 0.001,
    "scaling": "bare",
}
"""An unscaled engine with gain and C > 1 together: E₁/T₁ = 1/4, E₂/T₂ = 0.112, ω₀/Γ₀ = 2.2."""
HEATED: Parameters = {
    "E_1": 1.0,
    "delta_E": 9.0,
    "T_mean": 6.46,
    "delta_T": 12.08,
    "omega_0": 0.0012,
    "Gamma_0": 0.001,
}
"""An engine whose baths are N times as hot at N pairs, with nearly the largest C − 1 of all."""


def _excess(*parts: Parameters, **parameters: float) -> float:
    at = engine(*parts, **parameters)
    return solve(EXACT, at, "constancy", "quanta_noise")["constancy"] - 1


def _bare_gain(fixed: Parameters, N: int, **changed: float) -> float:
    return finite_gain(engine(fixed, N=N, **changed), engine(fixed, **changed))


def _as_it_runs(fixed: Parameters, N: int) -> Parameters:
    """Without scalings: the parameters that Eq. 28 gives the scaled engine of N pairs."""
    scaled = {name: fixed[name] / N for name in ("omega_0", "Gamma_0")}
    heated = {name: fixed[name] * N for name in ("T_mean", "delta_T")}
    return {**fixed, **scaled, **heated, "scaling": "bare"}


def _simultaneous(n: Numbers) -> Judgement:
    if n["points_with_both"] > 0:
        return confirmed(f"{n['points_with_both']:g} of {n['points']:g} points")
    readings = []
    if n["C_16"] > n["C_1"] and n["gain_16"] > 1:
        readings.append(
            f"with C_N > C₁ for enhanced, the scaled engine has both (ΔE = 150, T̄ = 10.1: C from "
            f"{n['C_1']:.3f} to {n['C_16']:.3f}, gain {n['gain_16']:.0f} at N = 16)"
        )
    if n["same_baths_gain_8"] > 1 and n["excess_8"] > SOLVED:
        readings.append(
            "with C > 1, it has both where the gain is counted over pairs with the baths, drive "
            f"and rate that it has (Fig. 7, ω₀ = 0.006, N = 8: C − 1 = {n['excess_8']:.2g}, gain "
            f"{n['same_baths_gain_8']:.1f})"
        )
    searched = (
        "With C > 1 and the paper's gain, over pairs at N = 1 of Eq. 28, none of "
        f"{n['points']:g} points has both ({n['points_with_gain']:g} have gain, "
        f"{n['points_with_excess']:g} C > 1)"
    )
    if readings:
        return within("; ".join(readings) + ".  " + searched)
    return undecidable(searched)


@claim(
    id="simultaneous-enhancement",
    where="first sentence of Sec. VI",
    statement="The scaled engine has power gains that can, simultaneously, achieve "
    "coherence-enhanced constancy for finite sizes.",
    check="Gain and constancy in three readings, exact: C_N > C₁; C > 1 with the gain over pairs "
    "that have the same baths; C > 1 with the gain of Fig. 6b at N = 4, on a grid of E₁ = 1, "
    "ΔT = 20, ω₀ = 0.001, 0.003 and 0.006, ΔE from 2 to 150, T̄ from 10.05 to 14.",
    judge=_simultaneous,
)
def simultaneous() -> Numbers:
    both = gains = excesses = points = 0
    for omega_0 in (0.001, 0.003, 0.006):
        for dE in (2.0, 5.0, 9.0, 14.0, 25.0, 50.0, 75.0, 110.0, 150.0):
            for T in (10.05, 10.12, 10.18, 10.3, 10.42, 10.6, 11.1, 11.6, 14.0):
                at = {"omega_0": omega_0, "delta_E": dE, "T_mean": T}
                gained = finite_gain(engine(FIG_6, N=4, **at), engine(FIG_6, **at)) > 1
                steady = _excess(FIG_6, N=4, **at) > SOLVED
                points += 1
                gains += gained
                excesses += steady
                both += gained and steady
    wide = {"delta_E": 150.0, "T_mean": 10.1}
    running = _as_it_runs({**FIG_7, "omega_0": 0.006}, 8)
    return {
        "C_1": 1 + _excess(FIG_6, **wide),
        "C_16": 1 + _excess(FIG_6, N=16, **wide),
        "gain_16": finite_gain(engine(FIG_6, N=16, **wide), engine(FIG_6, **wide)),
        "excess_8": _excess(FIG_7, omega_0=0.006, N=8),
        "same_baths_gain_8": _bare_gain(running, 8),
        "points": points,
        "points_with_gain": gains,
        "points_with_excess": excesses,
        "points_with_both": both,
    }


def _spoilt(n: Numbers) -> Judgement:
    rises = n["excess_6"] > max(n["excess_1"], SOLVED) and n["gain_6"] > 1
    if not rises:
        return confirmed()
    if not (n["excess_12"] < 0 and n["excess_24"] < n["excess_12"]):
        return contradicted("the constancy does not fall at larger N either")
    note = (
        f"where it falls.  At E₁ = 1, ΔE = 18, T̄ = 87, ΔT = 166, ω₀ = 0.0022, Γ₀ = 0.001 it rises "
        f"with N at first: C − 1 = {n['excess_1']:.1e}, {n['excess_4']:.1e}, {n['excess_6']:.1e} "
        f"at N = 1, 4, 6, with a gain of {n['gain_6']:.1f} at 6; then it falls, "
        f"{n['excess_8']:.1e} at 8"
    )
    if n["hot_excess_16"] > SOLVED and n["hot_gain_16"] > 1:
        note += (
            f".  With baths N times as hot both grow with N: C − 1 = {n['hot_excess_16']:.1e} and "
            f"gain {n['hot_gain_16']:.0f} at N = 16, {n['hot_excess_48']:.1e} and "
            f"{n['hot_gain_48']:.0f} at 48 (limit {n['hot_excess_limit']:.1e})"
        )
    return within(note)


@claim(
    id="bare-gain-and-constancy",
    where="paragraph before Fig. 3; Sec. VI, third paragraph",
    statement="Without scalings the constancy decreases with N and tends to drop quickly below the "
    "bound, which spoils the gain.",
    check="C − 1 and gain P_N/(N P₁) of other unscaled engines, N = 1 to 24, exact; and of one "
    "with T₁ = 0.42 N, T₂ = 12.5 N, E₂ = 10, ω₀ = 1.2 Γ₀ (E₁ = 1), N = 16 and 48.",
    judge=_spoilt,
)
def bare_gain_and_constancy() -> Numbers:
    found = {f"excess_{N}": _excess(BARE, N=N) for N in (1, 4, 6, 8, 12, 24)}
    found["gain_6"] = _bare_gain(BARE, 6)
    for N in (16, 48):
        running = _as_it_runs(HEATED, N)
        found[f"hot_excess_{N}"] = _excess(running, N=N)
        found[f"hot_gain_{N}"] = _bare_gain(running, N)
    limit = engine(HEATED, scaling="high-temperature")
    found["hot_excess_limit"] = solve(LIMIT, limit, "constancy")["constancy"] - 1
    return found


CLAIMS: tuple[Claim, ...] = (
    simultaneous,
    bare_gain_and_constancy,
)
