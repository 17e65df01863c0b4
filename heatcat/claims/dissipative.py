"""Claims on the undriven spin's state and dynamics: Eqs. 33 to 39, Figs. 4 and 9."""

from __future__ import annotations

import math

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import root
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import expm_multiply

from analyses import extrapolate
from ensemble.arrays import FloatArray
from ensemble.closed_forms.classical_spin import closure_rates, magnetization, second_moment
from ensemble.closed_forms.single_spin import SingleSpin
from ensemble.closure.hierarchy import generator, monomial
from heatcat.claims.dense import bath, spin
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
from heatcat.claims.points import SOLVED, table

SEEN = 0.01
"""A hundredth of an axis from 0 to 1, about the width of a line in print."""
BETA_E = tuple(float(x) for x in np.geomspace(0.01, 1000, 26))


def _extrapolated(x: float, moment: str) -> float:
    sizes = (8, 11, 16, 22, 32, 45, 64, 90, 128, 180, 256)
    cells = {(float(N),): getattr(SingleSpin(N, x), moment) for N in sizes}
    return float(extrapolate(table({"N": [float(N) for N in sizes]}, cells, moment)).limit)


@claim(
    id="eqs-33-to-35-moments",
    where="Eqs. 33 to 35",
    statement="Closed forms of ⟨mᶻ⟩, ⟨(mᶻ)²⟩ and ⟨(mˣ)²⟩ in the limit.",
    check="Extrapolation of finite N = 8 to 256 against the printed forms, βE = 0.3 to 30.",
    judge=small("first", "second", "transverse", tolerance=SOLVED),
)
def moments() -> Numbers:
    first = second = transverse = 0.0
    for x in (0.3, 1.0, 3.0, 10.0, 30.0):
        coth = 1 / math.tanh(x / 2)
        m, square = -coth + 2 / x, 1 + 4 * (-coth + 2 / x) / x
        measured = _extrapolated(x, "second_moment")
        first = max(first, abs(_extrapolated(x, "magnetization") - m))
        second = max(second, abs(measured - square))
        # (mˣ)² + (mʸ)² + (mᶻ)² = 1 in the limit, and the first two are equal.
        transverse = max(transverse, abs((1 - measured) / 2 - (2 * coth / x - 4 / x**2)))
    return {"first": first, "second": second, "transverse": transverse}


@claim(
    id="eq-36-power",
    where="Eq. 36, last term",
    statement="The leading terms of d⟨(Sᶻ)ⁿ⟩/dt end with (S² − (Sᶻ)²)(Sᶻ)ⁿ⁻¹ times n over 2.",
    check="Against Tr[(Sᶻ)³D(ρ)] at S = 200 and 400 and scaled rates: relative deviation, "
    "extrapolated in 1/S.",
    judge=misprint(
        printed="as_printed",
        corrected="with_power_n_minus_2",
        tolerance=1e-3,  # the rest is of order 1/S², with factors of order ten
        correction="(Sᶻ)ⁿ⁻² in the last term (Eq. 37 has it right)",
        ocr="possible",
    ),
)
def eq_36() -> Numbers:
    def at_infinity(power: int) -> float:
        return 2 * _eq_36_deviation(800, power) - _eq_36_deviation(400, power)

    return {"as_printed": at_infinity(2), "with_power_n_minus_2": at_infinity(1)}


def _eq_36_deviation(N: int, power: int) -> float:
    """Deviation of Eq. 36 with this power in its last term, at n = 3 in a smooth diagonal state."""
    one, S, n = SingleSpin(N, 2.0), N / 2, 3
    m = np.linspace(-1, 1, N + 1)
    weights, z = np.exp(-3 * (m - 0.3) ** 2), S * m
    down, up = one.gamma_down, one.gamma_up
    emitted = down * (S + z) * (S - z + 1) * ((z - 1) ** n - z**n)
    absorbed = up * (S - z) * (S + z + 1) * ((z + 1) ** n - z**n)
    exact = weights @ (emitted + absorbed)
    rest = S**2 - z**2
    printed = (up - down) * rest * z ** (n - 1) * n - n * z**n * (up + down)
    printed = printed + (up + down) * rest * z**power * math.comb(n, 2)
    return float(weights @ printed / exact) - 1


@claim(
    id="eq-37-hierarchy",
    where="Eq. 37",
    statement="Open hierarchy of the moments of mᶻ in the limit.",
    check="Against the generator applied to (mᶻ)ⁿ, n = 1 to 4, at 20 random points of the sphere.",
    judge=small("deviation", tolerance=1e-12),
)
def hierarchy() -> Numbers:
    rng, worst, heat = np.random.default_rng(11), 0.0, 0.7
    for point in rng.normal(size=(20, 3)):
        x, y, m = point / np.linalg.norm(point)
        for n in range(1, 5):
            image = generator(monomial(" ".join(["z1"] * n)))

            def value(rate: str, image: dict = image, at: tuple = (x, y, m)) -> float:
                return sum(
                    float(c) * math.prod(v**e for v, e in zip(at, moment[:3], strict=True))
                    for moment, c in image[rate].items()
                )

            generated = value("Γ₀ν₁/2") + heat * 2 * value("Γ₀y₁")
            pairs = math.comb(n, 2)
            lowest = m ** (n - 2) if n > 1 else 0.0
            printed = n * (m ** (n + 1) - m ** (n - 1))
            printed += 4 * heat * (pairs * lowest - (pairs + n) * m**n)
            worst = max(worst, abs(generated - printed))
    return {"deviation": worst}


def closure_fixed_point(x: float) -> tuple[float, float]:
    """⟨mᶻ⟩ and ⟨(mᶻ)²⟩ at which Eqs. 38 and 39 are stationary."""
    start = (magnetization(x), second_moment(x))
    scale = min(1.0, x)  # at high temperature rates grow as 1/βE
    found = root(lambda u: scale * np.array(closure_rates(u[0], u[1], x)), start, tol=1e-10)
    if not found.success:
        raise ArithmeticError(f"no fixed point of Eqs. 38 and 39 at βE = {x:g}")
    return float(found.x[0]), float(found.x[1])


def _great_precision(n: Numbers) -> Judgement:
    worst = max(n["first"], n["second"])
    if worst <= SEEN:
        return confirmed()
    if n["at_the_ends"] <= SEEN:
        return within(
            f"within {SEEN:g} for βE < {n['off_from']:.2g} and βE > {n['off_to']:.2g}; between, "
            f"⟨mᶻ⟩ is off by up to {n['first']:.3f} and ⟨(mᶻ)²⟩ by {n['second']:.3f}: Eq. 39 is "
            "a closure"
        )
    return contradicted(f"off by {worst:.3f}")


@claim(
    id="eqs-38-39-fixed-point",
    where="Fig. 4, top left, and its caption; text after Eq. 39",
    statement="The stationary solution of Eqs. 38 and 39 agrees with Eq. 33 with great precision.",
    check="Fixed point of Eqs. 38–39 against Eqs. 33–34, βE from 0.01 to 1000.",
    judge=_great_precision,
)
def great_precision() -> Numbers:
    fixed = {x: closure_fixed_point(x) for x in np.geomspace(0.01, 1000, 101)}
    first = {x: abs(u - magnetization(x)) for x, (u, _) in fixed.items()}
    second = {x: abs(v - second_moment(x)) for x, (_, v) in fixed.items()}
    off = [x for x in fixed if max(first[x], second[x]) > SEEN] or [math.inf]
    ends = (min(fixed), max(fixed))
    return {
        "first": max(first.values()),
        "second": max(second.values()),
        "at_the_ends": max(max(first[x], second[x]) for x in ends),
        "off_from": min(off),
        "off_to": max(off),
    }


def _relaxed(N: int, x: float, excited: bool, times: FloatArray) -> FloatArray:
    """⟨mᶻ(t)⟩ of N spins from full excitation or from the ground state; times in 1/Γ₀."""
    one = SingleSpin(N, x)
    k = np.arange(N + 1)
    down, up = one.gamma_down * k * (N + 1 - k), one.gamma_up * (k + 1) * (N - k)
    rates = csr_array(diags_array([down[1:], -(down + up), up[:-1]], offsets=[1, 0, -1]))
    start = np.zeros(N + 1)
    start[N if excited else 0] = 1
    paths = expm_multiply(rates, start, times[0], times[-1], times.size, endpoint=True)
    return np.asarray(paths @ (2 * k / N - 1))


def _trends(n: Numbers) -> Judgement:
    hot, cold = n["hot"], n["cold"]
    if max(hot, cold) <= SEEN:
        return confirmed("initial states are not given: full excitation and ground state")
    if min(hot, cold) <= 10 * SEEN:
        return within(
            f"⟨mᶻ(t)⟩ off by up to {hot:.2g} at βE = 0.1 and {cold:.2g} at βE = 10, from full "
            "excitation or the ground state (the paper names no initial state)"
        )
    return contradicted(f"off by {hot:.2g} and {cold:.2g}")


@claim(
    id="fig-9-dynamics",
    where="Fig. 9, bottom, and App. B",
    statement="Eqs. 38 and 39 follow the trend of the exact dynamics of finite sizes accurately.",
    check="Largest deviation of ⟨mᶻ(t)⟩ from N = 48 and 96 extrapolated in 1/N, βE = 0.1 and 10.",
    judge=_trends,
)
def dynamics() -> Numbers:
    found = {}
    for name, x, end in (("hot", 0.1, 0.3), ("cold", 10.0, 12.0)):
        times = np.linspace(0, end, 25)
        worst = 0.0
        for excited in (True, False):
            sizes = [_relaxed(N, x, excited, times) for N in (48, 96)]
            exact = 2 * sizes[1] - sizes[0]
            start = (1.0 if excited else -1.0, 1.0)
            path = solve_ivp(
                lambda _, u, x=x: closure_rates(u[0], u[1], x),
                (0, end),
                start,
                t_eval=times,
                method="LSODA",
                rtol=1e-8,
                atol=1e-10,
            )
            worst = max(worst, float(np.abs(path.y[0] - exact).max()))
        found[name] = worst
    return found


@claim(
    id="no-coherence",
    where="text before Eq. 32",
    statement="Without a drive a state that is diagonal in mᶻ stays so.",
    check="Largest off-diagonal element of D(ρ) for a random diagonal state of spin 4, relative.",
    judge=small("off_diagonal", tolerance=1e-15),
)
def no_coherence() -> Numbers:
    up, _ = spin(8)
    rho = np.diag(np.random.default_rng(2).uniform(size=9)).astype(complex)
    flow = bath(up, 1.4, 0.4, rho)
    off = np.abs(flow - np.diag(np.diag(flow))).max()
    return {"off_diagonal": float(off / np.abs(flow).max())}


CLAIMS: tuple[Claim, ...] = (
    no_coherence,
    moments,
    eq_36,
    hierarchy,
    great_precision,
    dynamics,
)
