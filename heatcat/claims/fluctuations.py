"""Claims on gain and fluctuations at finite N in the bare scaling: Sec. IV, Fig. 3."""

from __future__ import annotations

import math

import numpy as np

from heatcat.claims.dense import Dense
from heatcat.claims.finite_size import MAP, fig_2, windows
from heatcat.claims.ledger import (
    OCR,
    Claim,
    Judgement,
    Numbers,
    Verdict,
    claim,
    confirmed,
    contradicted,
    misprint,
    undecidable,
    within,
)
from heatcat.claims.model import DENSE
from heatcat.claims.points import (
    EXACT,
    FIG_2,
    FIG_3,
    SOLVED,
    engine,
    finite_gain,
    solve,
    spread,
)

PRINTED = 0.5e-4
"""Half of the last digit of "1.0001"."""


@claim(
    id="cooling-power-relation",
    where="last line of the paragraph after Eq. 24",
    statement="The cooling power is Q̇₁ = −(ΔE/E₁)P, with the exponent of the power.",
    check="Both ratios against Tr[H₀D₁(ρ)]/P in the product basis; N = 1, 2, 3.",
    judge=misprint(
        printed="as_printed",
        corrected="inverted",
        tolerance=SOLVED,
        correction="Q̇₁ = −(E₁/ΔE)P (the exponent is indeed the same, by Eq. 21)",
        ocr="no",
    ),
)
def cooling_relation() -> Numbers:
    def deviation(d: Dense, ratio: float) -> float:
        return abs(d.heat(1) / d.power / -ratio - 1)

    return {
        "as_printed": max(deviation(d, d.engine.delta_E / d.engine.E_1) for d in DENSE),
        "inverted": max(deviation(d, d.engine.E_1 / d.engine.delta_E) for d in DENSE),
    }


def _positive_gain(n: Numbers) -> Judgement:
    return confirmed() if n["least"] > 1 else contradicted(f"as low as {n['least']:.3f}")


@claim(
    id="finite-gain",
    where="abstract, Sec. IV",
    statement="Without scalings N pairs deliver more power than N independent ones.",
    check="P_N/(N P₁) at N = 24 on the map of Fig. 2c.",
    judge=_positive_gain,
)
def gain() -> Numbers:
    found = [
        finite_gain(
            engine(FIG_2, N=24, delta_E=delta_E, T_mean=T_mean),
            engine(FIG_2, N=1, delta_E=delta_E, T_mean=T_mean),
        )
        for delta_E in MAP["delta_E"]
        for T_mean in MAP["T_mean"]
    ]
    least, largest = spread(found)
    return {"least": least, "largest": largest}


def _variance(n: Numbers) -> Judgement:
    if n["least_excess"] > 0:
        return confirmed()
    if n["median_excess"] > 0:
        return within(
            f"on {100 * n['fraction']:.0f} % of the map and windows; elsewhere (N ≤ 6, hot) slower "
            f"by at most {-n['least_excess']:.1g} in the exponent"
        )
    return contradicted(f"median excess {n['median_excess']:.3g}")


@claim(
    id="variance-growth",
    where="paragraph before Fig. 3, Fig. 3's caption",
    statement="The power's variance grows faster with N than the power.",
    check="Exponent of Var P less that of P over three windows of N on the map of Fig. 2c.",
    judge=_variance,
)
def variance_growth() -> Numbers:
    pairs = zip(windows("quanta_noise"), windows("conductance"), strict=True)
    excess = np.array([(noise - power).values for noise, power in pairs])
    return {
        "least_excess": float(excess.min()),
        "median_excess": float(np.median(excess)),
        "largest_excess": float(excess.max()),
        "fraction": float((excess > 0).mean()),
    }


def _constancy_drop(n: Numbers) -> Judgement:
    if not n["largest_C_24_less_C_1"] < 0:
        return contradicted(f"C₂₄ − C₁ reaches {n['largest_C_24_less_C_1']:.3g}")
    if n["largest_step_up"] > 0:
        return within(
            f"from N = 1 to 24 everywhere; step by step C may rise by {n['largest_step_up']:.1g} "
            "(small N, hot)"
        )
    return confirmed()


@claim(
    id="constancy-drop",
    where="paragraph before Fig. 3, Sec. VI",
    statement="Without scalings the constancy drops as N increases.",
    check="C₂₄ − C₁ and the largest increase from one N to the next, on the map of Fig. 2c.",
    judge=_constancy_drop,
)
def constancy_drop() -> Numbers:
    C = fig_2("constancy")
    change = C.sel(N=24) - C.sel(N=1)
    return {
        "largest_C_24_less_C_1": float(change.max()),
        "largest_step_up": float(C.diff("N").max()),
    }


def _fig_3(delta_T: float, N: int) -> dict[float, float]:
    means = (10.2, 10.5, 11.0, 11.25, 11.5, 11.75, 12.0)
    found = {}
    for T_mean in means:
        at = engine(FIG_3, N=N, T_mean=T_mean, delta_T=delta_T)
        found[T_mean] = solve(EXACT, at, "constancy")["constancy"]
    return found


def _fig_3_value(n: Numbers) -> Judgement:
    printed, doubled = n["largest_C_1_at_10"], n["largest_C_1_at_20"]
    if abs(printed - 1.0001) <= PRINTED:
        return confirmed()
    if printed < 1 and abs(doubled - 1.0001) <= PRINTED:
        return Judgement(
            Verdict.MISPRINT,
            f"C₁ reaches {printed:.4f} at ΔT = 10E₁ and {doubled:.6f} at 20E₁, the value in Figs. "
            f"5, 6 and 8; no other parameter was varied; {OCR['possible']}",
            "probably ΔT = T₂ − T₁ = 20E₁ in Fig. 3",
        )
    return contradicted(f"C₁ reaches {printed:.6f} at ΔT = 10E₁ and {doubled:.6f} at 20E₁")


@claim(
    id="fig-3-single-pair",
    where="Fig. 3 and its caption",
    statement="At ΔT = 10E₁ the constancy of one pair reaches about 1.0001.",
    check="Largest C₁ over T̄/E₁ from 10.2 to 12 at ΔT = 10E₁ and at 20E₁.",
    judge=_fig_3_value,
)
def fig_3_single() -> Numbers:
    return {f"largest_C_1_at_{dT}": max(_fig_3(dT, 1).values()) for dT in (10, 20)}


def _lost(n: Numbers) -> Judgement:
    if not n["largest_C_1"] > 1:
        return contradicted("no single pair exceeds the bound")
    return confirmed() if n["largest_C_2"] < 1 else contradicted(f"C₂ = {n['largest_C_2']:.6f}")


@claim(
    id="fig-3-lost-at-2",
    where="paragraph before Fig. 3",
    statement="The excess of C₁ over 1 is lost for two pairs already.",
    check="Largest C₁, C₂ and C₄ over Fig. 3's temperatures, with ΔT = 20E₁.",
    judge=_lost,
)
def fig_3_lost() -> Numbers:
    return {f"largest_C_{N}": max(_fig_3(20, N).values()) for N in (1, 2, 4)}


def _weak(n: Numbers) -> Judgement:
    if abs(math.log10(n["fig_2_in_omega_0"] / n["fig_2_in_E_1"])) >= 1:
        return undecidable(
            "√Γ₀ is no energy: in units of ω₀ Fig. 2 has ω₀/√Γ₀ = "
            f"{n['fig_2_in_omega_0']:g}, in units of E₁ {n['fig_2_in_E_1']:g}"
        )
    return confirmed()


@claim(
    id="weak-drive-condition",
    where="Sec. IV and App. A",
    statement="The parameters obey ω₀ ~ √Γ₀ ≪ E₁.",
    check="ω₀/√Γ₀ at the parameters of Figs. 2 and 3, in the units that the captions use.",
    judge=_weak,
)
def weak_drive() -> Numbers:
    def ratio(fixed: dict[str, float], unit: float) -> float:
        return fixed["omega_0"] / unit / math.sqrt(fixed["Gamma_0"] / unit)

    return {
        "fig_2_in_omega_0": ratio(FIG_2, 1.0),
        "fig_2_in_E_1": ratio(FIG_2, FIG_2["E_1"]),
        "fig_3_in_E_1": ratio(FIG_3, 1.0),
    }


CLAIMS: tuple[Claim, ...] = (
    cooling_relation,
    gain,
    variance_growth,
    constancy_drop,
    fig_3_single,
    fig_3_lost,
    weak_drive,
)
