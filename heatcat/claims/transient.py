"""Claims on gaps that stay open, and on small N that behave as at T = 0: Sec. V A, Fig. 4."""

from __future__ import annotations

import math

from ensemble.closed_forms.single_spin import SingleSpin, transient_size
from heatcat.claims.dissipative import BETA_E
from heatcat.claims.ledger import (
    OCR,
    Claim,
    Judgement,
    Numbers,
    Verdict,
    claim,
    confirmed,
    contradicted,
    within,
)
from heatcat.claims.points import EXACT, FIG_6, LIMIT, engine, solve
from heatcat.claims.relaxation import TENTH, lindbladian_gap, positive


@claim(
    id="always-gapped",
    where="text before Eq. 46",
    statement="The undriven Lindbladian is gapped at finite N and in the limit.",
    check="Least gap over Γ₀: N = 1 to 64 and N → ∞, βE from 0.01 to 1000.",
    judge=positive,
)
def always_gapped() -> Numbers:
    finite = [SingleSpin(N, x).slowest()[0] for N in (1, 2, 4, 16, 64) for x in BETA_E[::5]]
    return {"finite": min(finite), "limit": min(lindbladian_gap(x) for x in BETA_E)}


@claim(
    id="driven-gapped",
    where="Sec. I, Sec. IV (last paragraphs), Sec. VI: proper steady-state mode of operation",
    statement="In the scaled engine the gap stays open as N grows, so that the limits commute.",
    check="Least gap over Γ₀ at N = 2, 4, 8 and N → ∞: four engines and refrigerators of Fig. 6.",
    judge=positive,
)
def driven_gapped() -> Numbers:
    engines = ((1.0, 10.5), (9.0, 11.0), (9.0, 14.0), (50.0, 11.0))
    found = {}
    for N in (2, 4, 8):
        gaps = [
            solve(EXACT, engine(FIG_6, N=N, delta_E=dE, T_mean=T), "gap")["gap"]
            for dE, T in engines
        ]
        found[f"N_{N}"] = min(gaps) / 0.001
    gaps = [solve(LIMIT, engine(FIG_6, delta_E=dE, T_mean=T), "gap")["gap"] for dE, T in engines]
    return {**found, "limit": min(gaps) / 0.001}


def _transient(n: Numbers) -> Judgement:
    ratios = [n[name] for name in n if name.startswith("ratio")]
    if not n["at_beta_E_1"] <= 1:
        return contradicted("N* is not negligible at βE = 1")
    if all(abs(ratio - 0.05) <= 0.005 for ratio in ratios):
        return confirmed()
    if any(abs(ratio - 0.05) <= 0.005 for ratio in ratios):
        return within(
            f"N*/βE from {min(ratios):.3f} to {max(ratios):.3f} for βE from 50 to 5000: "
            "1/(23 − ln N*), 0.05 up to a logarithm; N* = 1 for βE ≲ 23"
        )
    return contradicted(f"N*/βE from {min(ratios):.3f} to {max(ratios):.3f}")


@claim(
    id="transient-size",
    where="text before Sec. V B, Fig. 4, bottom right; Sec. VI",
    statement="Up to N* ~ 0.05 βE a bath looks like one at zero temperature; N* is negligible when "
    "hot.",
    check="N* by its definition with ε = 1e-10, of the magnetisation and of the gap.",
    judge=_transient,
)
def transient() -> Numbers:
    found = {f"ratio_m_{x}": transient_size(float(x)) / x for x in (50, 200, 1000, 5000)}
    found["ratio_gap_200"] = transient_size(200.0, of="gap") / 200
    found["ratio_gap_1000"] = transient_size(1000.0, of="gap") / 1000
    return {**found, "at_beta_E_1": transient_size(1.0)}


def _occupation(n: Numbers) -> Judgement:
    if n["printed_over_exact"] <= 1 + TENTH:
        return confirmed()
    if abs(n["corrected_over_exact"] - 1) <= TENTH:
        return Judgement(
            Verdict.MISPRINT,
            f"at N = βE/20 the printed form is {n['printed_over_exact']:.1g} times the occupation; "
            f"{OCR['no']}",
            "n_th ≈ exp(−βE/N) for N ≪ βE; (βE/N)⁻¹ is the opposite limit",
        )
    return contradicted("neither form holds")


@claim(
    id="cold-occupation",
    where="paragraph on the transient system size",
    statement="For N ≪ βE the thermal occupation is about (βE/N)⁻¹, hence nearly zero.",
    check="(βE/N)⁻¹ and exp(−βE/N) over 1/(exp(βE/N) − 1) at βE/N = 20.",
    judge=_occupation,
)
def cold_occupation() -> Numbers:
    exact = 1 / math.expm1(20.0)
    return {"printed_over_exact": 1 / 20 / exact, "corrected_over_exact": math.exp(-20.0) / exact}


CLAIMS: tuple[Claim, ...] = (
    always_gapped,
    driven_gapped,
    transient,
    cold_occupation,
)
