"""Claims on the scaled equations: Eqs. 25 to 31."""

from __future__ import annotations

import math

import numpy as np

from analyses import extrapolate
from ensemble.closed_forms.classical_spin import magnetization, second_moment
from ensemble.closure.hierarchy import closed, equation, monomial
from heatcat.claims.dense import Matrix, bath, dissipator, spin
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
from heatcat.claims.points import EXACT, FIG_7, LIMIT, SOLVED, engine, solve, table

ROUNDING = 1e-12
"""Relative rounding error of products of matrices of dimension ten."""


def random_state(size: int) -> Matrix:
    """A density matrix without symmetries."""
    rng = np.random.default_rng(3)
    root = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    rho: Matrix = root @ root.conj().T
    return rho / np.trace(rho)


@claim(
    id="eq-26-dual",
    where="Eq. 26 and the text after Eq. 12",
    statement="In the Heisenberg picture the dissipator is a sum of commutators with the jumps.",
    check="Eq. 26 against Tr[O D(ρ)] for a random state and Sˣ, Sᶻ and (Sᶻ)² of spin 5/2.",
    judge=small("deviation", tolerance=ROUNDING),
)
def dual() -> Numbers:
    n, down, up_rate = 5, 1.7, 0.6
    up, z = spin(n)
    lower = up.conj().T
    rho = random_state(n + 1)

    def commutator(a: Matrix, b: Matrix) -> Matrix:
        product: Matrix = a @ b - b @ a
        return product

    worst = 0.0
    for A in (up + lower, z, z @ z):
        printed = down / 2 * (commutator(up, A) @ lower + up @ commutator(A, lower))
        printed = printed + up_rate / 2 * (commutator(lower, A) @ up + lower @ commutator(A, up))
        exact = np.trace(A @ bath(up, down, up_rate, rho))
        worst = max(worst, abs(np.trace(printed @ rho) / exact - 1))
    return {"deviation": worst}


def _eq_27(n: Numbers) -> Judgement:
    if not n["x_deviation"] <= ROUNDING:
        return contradicted(f"the equation of mˣ deviates by {n['x_deviation']:.3g}")
    if abs(n["z_missing_times_S"] - 1) <= SOLVED:
        return within("N → ∞: (m)² is 1 + 1/S, so the bracket of mᶻ lacks a 1/S at finite N")
    return confirmed() if abs(n["z_missing_times_S"]) <= SOLVED else contradicted("mᶻ deviates")


@claim(
    id="eq-27-finite-n",
    where="Eq. 27",
    statement="Dissipative equations of mˣ and mᶻ at finite N, with (mˣ)² + (mʸ)² + (mᶻ)² = 1.",
    check="Against Tr[m D(ρ)] for a random state of S = 5/2; what mᶻ's bracket lacks, times S.",
    judge=_eq_27,
)
def finite_n() -> Numbers:
    n, thermal, rate = 5, 0.8, 1.3
    S = n / 2
    up, z = spin(n)
    x = (up + up.conj().T) / 2
    rho = random_state(n + 1)
    flow = bath(up, rate * (thermal + 1), rate * thermal, rho)

    def mean(operator: Matrix) -> float:
        return float(np.trace(operator @ rho).real)

    exact_x = float(np.trace(x @ flow).real) / S
    exact_z = float(np.trace(z @ flow).real) / S
    printed_x = rate * S * (mean(x @ z) / S**2 - (thermal + 0.5) / S * mean(x) / S)
    bracket = 1 - mean(z @ z) / S**2 + (2 * thermal + 1) / S * mean(z) / S
    return {
        "x_deviation": abs(printed_x / exact_x - 1),
        "z_missing_times_S": (-exact_z / (rate * S) - bracket) * S,
    }


def _limit_exists(n: Numbers) -> Judgement:
    off = max(n["power_deviation"], n["variance_deviation"], n["constancy_deviation"])
    return confirmed() if off <= 1e-6 else contradicted(f"extrapolation misses it by {off:.2g}")


@claim(
    id="eq-28-limit",
    where="Eq. 28",
    statement="With ω₀/N, Γ₀/N and NT the dynamics has a well-defined limit N → ∞.",
    check="P/N, Var P/N² and C at N = 5 to 28, extrapolated in 1/N, against the Fokker–Planck "
    "limit (errors of such data: 1e-6 at most).",
    judge=_limit_exists,
)
def well_defined_limit() -> Numbers:
    names = ("power_per_pair", "power_per_pair_variance", "constancy")
    sizes = (5, 6, 8, 10, 12, 14, 16, 20, 24, 28)
    limit = solve(LIMIT, engine(FIG_7, omega_0=0.006), *names)
    found = {}
    for name in names:
        cells = {
            (float(N),): solve(EXACT, engine(FIG_7, omega_0=0.006, N=N), *names)[name]
            for N in sizes
        }
        data = table({"N": [float(N) for N in sizes]}, cells, name)
        value = float(extrapolate(data).limit)
        found[f"{name.split('_')[-1]}_deviation"] = abs(value / limit[name] - 1)
    return {
        "power_deviation": found["pair_deviation"],
        "variance_deviation": found["variance_deviation"],
        "constancy_deviation": found["constancy_deviation"],
    }


def _reverse(n: Numbers) -> Judgement:
    # An error that falls as 1/N halves with each doubling of N.
    if not abs(n["error_at_32"] / n["error_at_16"] - 0.5) <= 0.1:
        return contradicted("the error does not fall as 1/N")
    return within(
        f"large N: the power is off by {100 * n['error_at_16']:.0f} % at N = 16 and by "
        f"{100 * n['error_at_32']:.0f} % at 32"
    )


@claim(
    id="eq-28-reversed",
    where="text after Eq. 30, end of Sec. V B",
    statement="Reversing the scaling gives the unscaled engine of finite, large N from the limit.",
    check="Power of the unscaled engine with ω₀/N, Γ₀/N and NT against the limit, N = 16 and 32.",
    judge=_reverse,
)
def reversed_scaling() -> Numbers:
    limit = solve(LIMIT, engine(FIG_7, omega_0=0.006), "power_per_pair")["power_per_pair"]
    errors = {}
    for N in (16, 32):
        bare = engine(
            FIG_7,
            scaling="bare",
            N=N,
            omega_0=0.006 / N,
            Gamma_0=FIG_7["Gamma_0"] / N,
            T_mean=N * FIG_7["T_mean"],
            delta_T=N * FIG_7["delta_T"],
        )
        power = solve(EXACT, bare, "power_per_pair")["power_per_pair"]
        errors[f"error_at_{N}"] = abs(power / limit - 1)
    return errors


@claim(
    id="eq-29-transverse",
    where="Eq. 29",
    statement="In the limit mˣ obeys (Γ₀/2)[Re⟨mˣmᶻ⟩ − (2/βE)⟨mˣ⟩] without a drive.",
    check="Coefficients against those of the generated hierarchy (y = 1/βE).",
    judge=small("drift", "diffusion", tolerance=0.0),
)
def transverse() -> Numbers:
    terms = {term.rate: term.coefficient for term in equation(monomial("x1"), 3)}
    return {
        "drift": float(terms["Γ₀ν₁/2"]) - 1,
        "diffusion": float(terms["Γ₀y₁"]) + 1,
    }


@claim(
    id="eq-30-sign",
    where="Eq. 30",
    statement="In the limit mᶻ obeys −(Γ₀/2)[1 − ⟨(mᶻ)²⟩ − (4/βE)⟨mᶻ⟩] without a drive.",
    check="The bracket at the stationary moments of Eqs. 33 and 34, βE from 0.1 to 100.",
    judge=misprint(
        printed="as_printed",
        corrected="with_plus",
        tolerance=ROUNDING,
        correction="−(Γ₀/2)[1 − ⟨(mᶻ)²⟩ + (4/βE)⟨mᶻ⟩], as in Eq. 38",
        ocr="possible",
    ),
)
def longitudinal() -> Numbers:
    printed = corrected = 0.0
    for x in np.geomspace(0.1, 100, 13):
        m, square = magnetization(x), second_moment(x)
        printed = max(printed, abs(1 - square - 4 / x * m))
        corrected = max(corrected, abs(1 - square + 4 / x * m))
    return {"as_printed": printed, "with_plus": corrected}


@claim(
    id="eq-31-closure",
    where="Eq. 31",
    statement="The closure of a third moment sets its joint cumulant to zero.",
    check="Eq. 31 against the moment less its central third moment, on 50 random vectors; and the "
    "closure of the package, coefficient by coefficient.",
    judge=small("against_cumulant", "against_package", tolerance=ROUNDING),
)
def third_cumulant() -> Numbers:
    rng = np.random.default_rng(5)
    a, b, c = rng.normal(size=(3, 50)) + 1

    def mean(values: np.ndarray) -> float:
        return float(values.mean())

    printed = mean(a * b) * mean(c) + mean(a * c) * mean(b) + mean(b * c) * mean(a)
    printed -= 2 * mean(a) * mean(b) * mean(c)
    central = mean((a - mean(a)) * (b - mean(b)) * (c - mean(c)))
    coefficients = sorted(map(float, closed(monomial("x1 y1 z2"), 3).values()))
    off = math.dist(coefficients, (-2.0, 1.0, 1.0, 1.0))
    return {"against_cumulant": mean(a * b * c) - central - printed, "against_package": off}


def stationary_residual(n: int, ratio: float) -> float:
    """‖D(ρ)‖ of the state of Eq. 32 for a spin n/2 with βE/N = ratio, relative to its terms."""
    up, z = spin(n)
    m = z / (n / 2)
    rho = np.diag(np.exp(-ratio * n / 2 * np.diag(m).real)).astype(complex)
    down = dissipator(up.conj().T, rho)
    return float(np.abs(down + math.exp(-ratio) * dissipator(up, rho)).max() / np.abs(down).max())


@claim(
    id="eq-32-thermal-state",
    where="Eq. 32",
    statement="Without a drive the stationary state is exp(−βE mᶻ/2), at any N.",
    check="Residual of the dissipator in it, N = 1 to 12, βE = 0.1 to 10 (scaled temperature).",
    judge=small("residual", tolerance=ROUNDING),
)
def thermal_state() -> Numbers:
    found = [stationary_residual(n, x / n) for n in (1, 3, 12) for x in (0.1, 1.0, 10.0)]
    return {"residual": max(found)}


CLAIMS: tuple[Claim, ...] = (
    dual,
    finite_n,
    well_defined_limit,
    reversed_scaling,
    transverse,
    longitudinal,
    third_cumulant,
    thermal_state,
)
