"""The paper's statements on gain and constancy where each spin also has noise of its own.

The paper assumes collective baths throughout.  These entries do not judge what it says of them, but
how far it carries over to spins that also relax or dephase alone.
"""

from __future__ import annotations

import math

from ensemble import WeakLocal
from heatcat.claims.ledger import (
    Claim,
    Judgement,
    Numbers,
    claim,
    confirmed,
    contradicted,
    within,
)
from heatcat.claims.points import (
    EXACT,
    FIG_2,
    FIG_6,
    FIG_7,
    LIMIT,
    SOLVED,
    Parameters,
    engine,
    limit_gain,
    solve,
)
from heatcat.claims.simultaneous import BARE

WEAK = WeakLocal()
FIG_2B: Parameters = {**FIG_2, "delta_E": 125.0, "T_mean": 150.0}
ASSUMED = "with collective baths alone, as the paper assumes"


def _gain(fixed: Parameters, N: int, *, weak: bool = False, **noise: float) -> float:
    """P_N/(N P₁) with the same noise of every spin in both."""
    method = WEAK if weak else EXACT
    many, one = (solve(method, engine(fixed, N=n, **noise), "power")["power"] for n in (N, 1))
    return many / (N * one)


def _survives(n: Numbers) -> Judgement:
    lost = [name for name, value in n.items() if value <= 1]
    if any(name.endswith("without_noise") for name in lost):
        return contradicted("it does not hold without noise")
    if lost:
        return within(f"{ASSUMED}; lost for {', '.join(lost)}")
    return confirmed(
        f"With local noise, too: the gain at N = 12 falls from {n['gain_without_noise']:.2f} to "
        f"{n['gain_vanishing']:.2f} for vanishing local rates, however small, and tends to N for "
        f"large ones ({n['gain_local_100']:.1f} at 100 Γ₀), over pairs with the same noise"
    )


@claim(
    id="local-noise-gain",
    where="Sec. IV, Eq. 24 and Fig. 2, of spins with local noise",
    statement="N pairs give more power than N engines of one pair, and P_N ~ Nᵅ with α > 1.",
    check="Gain at N = 12 and local exponent between N = 8 and 12 at Fig. 2's ΔE = 125, T̄ = 150: "
    "without noise, for Γ_loc → 0⁺, and at Γ_loc or Γ_φ = Γ₀ and 100 Γ₀.",
    judge=_survives,
)
def local_noise_gain() -> Numbers:
    cases = {
        "without_noise": {},
        "vanishing": {"weak": True, "Gamma_local": 1.0},
        "local_1": {"Gamma_local": 1.0},
        "local_100": {"Gamma_local": 100.0},
        "dephasing_1": {"Gamma_dephasing": 1.0},
        "dephasing_100": {"Gamma_dephasing": 100.0},
    }
    found = {}
    for name, noise in cases.items():
        small, large = (_gain(FIG_2B, N, **noise) for N in (8, 12))  # type: ignore[arg-type]
        found[f"gain_{name}"] = large
        found[f"exponent_{name}"] = 1 + math.log(large / small) / math.log(12 / 8)
    return found


def _macroscopic(n: Numbers) -> Judgement:
    if not n["limit_without_noise"] > 1:
        return contradicted("there is no gain in the limit without noise either")
    if n["slope_vanishing"] > -0.5 and n["slope_local_1"] > -0.5:
        return confirmed("with local noise, too")
    return within(
        f"{ASSUMED}.  With local noise, however slow, P/N vanishes for N → ∞ (as 1/N²), and the "
        f"gain with it.  At ΔE = 150, T̄ = 10.1 it is {n['limit_without_noise']:.0f} in the limit "
        f"without noise; for Γ_loc → 0⁺ it falls from {n['gain_8_vanishing']:.0f} at N = 8 to "
        f"{n['gain_16_vanishing']:.0f} at 16, so that finite engines keep a gain"
    )


@claim(
    id="local-noise-macroscopic-gain",
    where="Fig. 6b and Sec. VI, of spins with local noise",
    statement="In the scaling of Eq. 28 regions of gain remain for N → ∞.",
    check="Gain at ΔE = 150, T̄ = 10.1 of Fig. 6 in the limit without noise, for Γ_loc → 0⁺ at "
    "N = 8 and 16, and at Γ_loc = Γ₀, N = 6 and 12; slopes of ln gain against ln N.",
    judge=_macroscopic,
)
def local_noise_macroscopic_gain() -> Numbers:
    point: Parameters = {**FIG_6, "delta_E": 150.0, "T_mean": 10.1}
    rate = point["Gamma_0"]
    vanishing = {N: _gain(point, N, weak=True, Gamma_local=rate) for N in (8, 16)}
    local = {N: _gain(point, N, Gamma_local=rate) for N in (6, 12)}
    return {
        "limit_without_noise": limit_gain(LIMIT, engine(point)),
        "gain_8_vanishing": vanishing[8],
        "gain_16_vanishing": vanishing[16],
        "slope_vanishing": math.log2(vanishing[16] / vanishing[8]),
        "gain_12_local_1": local[12],
        "slope_local_1": math.log2(local[12] / local[6]),
    }


RATIOS = (1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0)
"""Rates of the noise over Γ₀ at which the constancy is looked at."""


def _violation(n: Numbers) -> Judgement:
    if not min(n["excess_fig_7"], n["excess_bare"]) > SOLVED:
        return contradicted("C does not exceed 1 without noise either")
    if max(n["largest_with_noise_fig_7"], n["largest_with_noise_bare"]) > SOLVED:
        return confirmed("at some of the rates of local noise, too")
    return within(
        f"{ASSUMED}.  At none of {n['engines']:g} engines with local noise is C > 1; for "
        f"Γ_loc → 0⁺ it vanishes as {n['slope_fig_7']:.0f} Γ_loc/Γ₀ (Fig. 7, N = 4), and the "
        f"largest C − 1 with noise is {n['largest_with_noise_fig_7']:.1e}"
    )


@claim(
    id="local-noise-constancy",
    where="Fig. 7 and Sec. VI, of spins with local noise",
    statement="The constancy exceeds the classical bound at finite sizes.",
    check="C − 1 at N = 4 of Fig. 7 with ω₀ = 0.006, and at N = 4 of an unscaled engine that has "
    "gain and C > 1: without noise, and largest over six Γ_loc/Γ₀ and six Γ_φ/Γ₀ from 10⁻³ to "
    "100; C/Γ_loc for Γ_loc → 0⁺.",
    judge=_violation,
)
def local_noise_constancy() -> Numbers:
    engines: dict[str, Parameters] = {"fig_7": {**FIG_7, "omega_0": 0.006}, "bare": BARE}
    found: dict[str, float] = {"engines": 2 * len(RATIOS) * len(engines)}
    for name, point in engines.items():
        rate = point["Gamma_0"]
        noisy = [
            engine(point, N=4, **{kind: ratio * rate})
            for kind in ("Gamma_local", "Gamma_dephasing")
            for ratio in RATIOS
        ]
        symmetric, *rest = (
            solve(EXACT, at, "constancy")["constancy"] - 1 for at in (engine(point, N=4), *noisy)
        )
        weak = solve(WEAK, engine(point, N=4, Gamma_local=rate), "constancy_over_Gamma_local")
        found[f"excess_{name}"] = symmetric
        found[f"largest_with_noise_{name}"] = max(rest)
        found[f"slope_{name}"] = weak["constancy_over_Gamma_local"] * rate
    return found


CLAIMS: tuple[Claim, ...] = (
    local_noise_gain,
    local_noise_macroscopic_gain,
    local_noise_constancy,
)
