"""Claims on the model and its laws: Eqs. 7 to 17 and the text around them."""

from __future__ import annotations

import math

import numpy as np

from ensemble import Bath
from ensemble.counting.noise import noise
from ensemble.evolution.dynamics import evolve, fock
from ensemble.steady.stationary import stationary
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
    within,
)
from heatcat.claims.points import EXACT, FIG_2, FIG_7, SOLVED, engine, solve

DENSE_ENGINES = [
    engine(FIG_7, omega_0=0.006, N=N, delta_E=delta_E) for N in (1, 2, 3) for delta_E in (9, 14)
] + [engine(FIG_2, N=N, delta_E=50.0, T_mean=T_mean) for N in (1, 2, 3) for T_mean in (80, 200)]
"""Engines and refrigerators of both scalings, small enough for the product basis."""
DENSE = [Dense(at) for at in DENSE_ENGINES]
RNG_SEED = 7
LOG_ROUNDING = 1e-12
"""Rounding error of a logarithm of order one to ten: a few ε for each operation."""


def _detailed_balance(n: Numbers) -> Judgement:
    if not max(n["bosonic"], n["fermionic_at_mu_0"]) <= LOG_ROUNDING:
        return contradicted("the printed rates violate detailed balance")
    if n["fermionic_at_mu_half"] > LOG_ROUNDING:
        return within("bosonic baths, and fermionic ones at μ = 0: with μ it is exp[β(E − μ)]")
    return confirmed()


@claim(
    id="eq-7-detailed-balance",
    where="Eqs. 7 and 8, and the fermionic rates after them",
    statement="Emission and absorption rates obey γ↓ = γ↑ exp(βE).",
    check="ln(γ↓/γ↑) − βE of the rates as printed, βE from 0.01 to 20, bosonic and fermionic.",
    judge=_detailed_balance,
)
def detailed_balance() -> Numbers:
    ratios = np.geomspace(0.01, 20, 12)
    thermal = 1 / np.expm1(ratios)
    bosonic = np.log((thermal + 1) / thermal) - ratios

    def fermionic(mu: float) -> float:
        baths = [
            Bath(energy=1, temperature=1 / x, Gamma_0=1, statistics="fermionic", mu=mu)
            for x in ratios
        ]
        ratio = [math.log(one.gamma_down / one.gamma_up) for one in baths]
        return float(np.abs(ratio - ratios).max())

    return {
        "bosonic": float(np.abs(bosonic).max()),
        "fermionic_at_mu_0": fermionic(0.0),
        "fermionic_at_mu_half": fermionic(0.5),
    }


@claim(
    id="eq-10-power",
    where="Eq. 10",
    statement="The power is the given difference of coherences, positive for work extracted.",
    check="Eq. 10 in the product basis against the sum of Tr[H₀Dᵢ(ρ)]; N = 1, 2, 3.",
    judge=small("deviation", tolerance=SOLVED),
)
def power() -> Numbers:
    found = [abs(d.power / (d.heat(1) + d.heat(2)) - 1) for d in DENSE]
    return {"deviation": max(found), "engines": sum(d.power > 0 for d in DENSE)}


@claim(
    id="eq-11-counting",
    where="Eq. 11 and the sentence after it",
    statement="The power variance by regression equals that of full counting statistics.",
    check="Eq. 11 against counting at the cold and at the hot bath, relative; N = 1 to 12, and "
    "the antisymmetric part of ⟨P(0)P(t)⟩ in the product basis.",
    judge=small("largest_disagreement", "order_matters", tolerance=SOLVED),
)
def counting() -> Numbers:
    engines = [*DENSE_ENGINES, engine(FIG_7, omega_0=0.006, N=12)]
    disagreement = max(noise(stationary(at)).disagreement for at in engines)
    order = 0.0
    for d in DENSE:
        P, rho = d.power_operator, d.rho
        left = P @ rho - d.power * rho
        right = rho @ P - d.power * rho
        responses = [
            np.linalg.lstsq(d.liouvillian, source.ravel(), rcond=None)[0]
            for source in (left, right)
        ]
        traces = [complex(P.T.ravel() @ (x - _trace(x) * rho.ravel())) for x in responses]
        order = max(order, abs(traces[0] - traces[1]) / abs(traces[0]))
    return {"largest_disagreement": disagreement, "order_matters": order}


def _trace(vector: np.ndarray) -> complex:
    size = math.isqrt(vector.size)
    return complex(np.trace(vector.reshape(size, size)))


@claim(
    id="eq-12-sign",
    where="Eq. 12, second line",
    statement="The heat current is EᵢΓ₀(⟨S⁺S⁻⟩ + 2n⟨Sᶻ⟩).",
    check="Against the first line, Tr[H₀Dᵢ(ρ)], in the product basis; N = 1, 2, 3, both baths.",
    judge=misprint(
        printed="as_printed",
        corrected="with_minus",
        tolerance=SOLVED,
        correction="Q̇ᵢ = −EᵢΓ₀(⟨S⁺S⁻⟩ + 2n⟨Sᶻ⟩)",
        ocr="possible",
    ),
)
def heat_sign() -> Numbers:
    printed = corrected = 0.0
    for d in DENSE:
        for which, side in ((1, d.engine.cold), (2, d.engine.hot)):
            up, z = d.operators[which - 1]
            form = d.mean(up @ up.conj().T) + 2 * side.gamma_up / side.Gamma_0 * d.mean(z)
            value = side.energy * side.Gamma_0 * form
            printed = max(printed, abs(value / d.heat(which) - 1))
            corrected = max(corrected, abs(-value / d.heat(which) - 1))
    return {"as_printed": printed, "with_minus": corrected}


@claim(
    id="heat-of-the-drive",
    where="text after Eq. 12",
    statement="Leaving V out of the heat neglects a term of order ω₀Γ₀.",
    check="|Tr[V Dᵢ(ρ)]|/(ω₀Γ₀) in the product basis, and the real part of ρ's coherences "
    "between |k₁,k₂⟩ and |k₁+1,k₂−1⟩ over the largest of them; N = 1, 2, 3.",
    judge=small(
        "largest",
        "real_coherence",
        tolerance=SOLVED,
        note="nothing is neglected: the term is exactly zero in the stationary state on "
        "resonance, since these coherences are imaginary and the elements of V are real",
    ),
)
def heat_of_the_drive() -> Numbers:
    found = [
        abs(np.trace(d.drive @ d.dissipated(which, d.rho)))
        / (d.engine.drive * d.engine.cold.Gamma_0)
        for d in DENSE
        for which in (1, 2)
    ]
    coherences = [d.rho[np.abs(d.drive) > 0] for d in DENSE]
    real = [np.abs(c.real).max() / np.abs(c).max() for c in coherences]
    return {"largest": float(max(found)), "real_coherence": float(max(real))}


@claim(
    id="eq-13-first-law",
    where="Eq. 13",
    statement="The stationary power is the sum of the heat currents.",
    check="Exact method, N up to 16: its power comes from the coherence, its heats from the baths.",
    judge=small("largest_violation", tolerance=SOLVED),
)
def first_law() -> Numbers:
    worst = 0.0
    for N in (1, 4, 16):
        for at in (
            engine(FIG_7, omega_0=0.006, N=N),
            engine(FIG_2, N=N, delta_E=125.0, T_mean=150.0),
        ):
            found = solve(EXACT, at, "power", "heat_current_1", "heat_current_2")
            gap = found["power"] - found["heat_current_1"] - found["heat_current_2"]
            worst = max(worst, abs(gap / found["power"]))
    return {"largest_violation": worst}


def _not_negative(n: Numbers) -> Judgement:
    lowest = min(value for name, value in n.items() if name.startswith("least"))
    return confirmed() if lowest >= 0 else contradicted(f"as low as {lowest:.3g}")


@claim(
    id="eq-14-second-law",
    where="Eq. 14",
    statement="Entropy production of system and baths is not negative along any evolution.",
    check="Evolution from |0,0⟩ and from full excitation, N = 1, 3: its rate at 12 later times.",
    judge=_not_negative,
)
def second_law() -> Numbers:
    totals, rates = [], []
    for N in (1, 3):
        at = engine(FIG_2, N=N, delta_E=125.0, T_mean=150.0)
        for start in ((0, 0), at.levels):
            path = evolve(at, fock(at, *start), np.geomspace(1e-3, 3, 12))
            totals.append(float(path.entropy_production.min()))
            rates.append(float(path.entropy_production_rate.min()))
    return {"least_production": min(totals), "least_rate": min(rates)}


@claim(
    id="eq-15-entropy-production",
    where="Eq. 15",
    statement="The stationary entropy production rate −ΣβᵢQ̇ᵢ is not negative.",
    check="60 random engines, N = 1 to 8, both scalings: σ from the heats at the baths, over ω₀.",
    judge=_not_negative,
)
def entropy_production() -> Numbers:
    rng, found = np.random.default_rng(RNG_SEED), []
    for _ in range(60):
        cold, hot = np.sort(np.exp(rng.uniform(-1.5, 4, 2)))
        at = engine(
            N=int(rng.integers(1, 9)),
            E_1=1.0,
            delta_E=float(np.exp(rng.uniform(-2, 3))),
            T_mean=(cold + hot) / 2,
            delta_T=hot - cold,
            omega_0=float(np.exp(rng.uniform(-3, 3))),
            Gamma_0=1.0,
            scaling=str(rng.choice(["bare", "high-temperature"])),
        )
        heats = solve(EXACT, at, "heat_current_1", "heat_current_2")
        sigma = -(
            heats["heat_current_1"] / at.cold.temperature
            + heats["heat_current_2"] / at.hot.temperature
        )
        found.append(sigma / at.drive)
    return {"least_over_drive": min(found), "engines": len(found)}


@claim(
    id="eq-17-forms",
    where="Eq. 17",
    statement="Two forms of the entropy production follow from the first law.",
    check="Both forms against −ΣβᵢQ̇ᵢ in the product basis, relative to β₁|P|; N = 1, 2, 3.",
    judge=small("first_form", "second_form", tolerance=SOLVED),
)
def two_forms() -> Numbers:
    first = second = 0.0
    for d in DENSE:
        b_1, b_2 = 1 / d.engine.cold.temperature, 1 / d.engine.hot.temperature
        q_1, q_2, p = d.heat(1), d.heat(2), d.power
        sigma, scale = -b_1 * q_1 - b_2 * q_2, b_1 * abs(p)
        first = max(first, abs(-b_1 * p + (b_1 - b_2) * q_2 - sigma) / scale)
        second = max(second, abs(-b_2 * p - (b_1 - b_2) * q_1 - sigma) / scale)
    return {"first_form": first, "second_form": second}


CLAIMS: tuple[Claim, ...] = (
    detailed_balance,
    power,
    counting,
    heat_sign,
    heat_of_the_drive,
    first_law,
    second_law,
    entropy_production,
    two_forms,
)
