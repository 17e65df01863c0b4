"""The errata page: every correction on it shown by numbers, its equations generated once more."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import fsolve

from ensemble import Bath, Engine
from ensemble.closed_forms import classical_spin
from ensemble.closed_forms.single_pair import single_pair_power
from ensemble.closed_forms.single_spin import SingleSpin, transient_size
from ensemble.closure.fixed_point import fixed_point
from ensemble.closure.hierarchy import closed, monomial
from ensemble.closure.regression import regression_matrix
from ensemble.correlations.pair import PairState
from ensemble.limits.classical_pair import ClassicalPair
from ensemble.methods.cumulant import Cumulant
from ensemble.methods.exact import Exact
from ensemble.methods.macroscopic import Macroscopic
from tests.ensemble.dense import lindblad, raising
from tests.printed_equations import (
    AS_PRINTED,
    LETTERS,
    MISSING,
    READ,
    Expression,
    generated,
    generated_on_the_spheres_first,
    on_the_spheres,
    parsed,
    powers,
    rotated,
    term,
    text,
    without_bars,
)

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "errata.md").read_text(encoding="utf-8")
EPS = float(np.finfo(float).eps)

ENGINE = Engine(N=2, E_1=1, delta_E=0.3, T_mean=1.1, delta_T=0.4, omega_0=0.7, Gamma_0=0.5)
FRIDGE = Engine(N=2, E_1=1, delta_E=0.7, T_mean=1.1, delta_T=0.4, omega_0=0.7, Gamma_0=0.5)
FIG_7 = {"E_1": 1, "omega_0": 0.006, "Gamma_0": 0.001, "scaling": "high-temperature", "N": 1}
PUBLIC = Engine(delta_E=9, T_mean=13.5, delta_T=23, **FIG_7)


def stated(*figures: str) -> None:
    """The page gives these figures."""
    missing = [figure for figure in figures if figure not in PAGE]
    assert not missing


# The page itself


def test_every_test_the_page_names_exists():
    sources = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")
    )
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    here = set(re.findall(r"^def (test_\w+)", Path(__file__).read_text("utf-8"), re.MULTILINE))
    assert named <= set(re.findall(r"def (test_\w+)\(", sources))
    assert here - named <= {"test_every_test_the_page_names_exists"}


def block(title: str) -> str:
    form = r"```math\n\\begin{aligned}\n(.*?)\n\\end{aligned}\n```"
    found = re.search(rf"^\*\*{title}\.\*\*[^\n]*\n+{form}", PAGE, re.M | re.S)
    assert found, f"the page has no equation {title}"
    return found.group(1)


@pytest.mark.parametrize("number", ["47", *(f"C{n}" for n in range(1, 13))])
def test_equations_on_the_page_are_the_generated_ones(number):
    moments = {name: moment for name, (moment, _) in AS_PRINTED.items()} | MISSING
    names = ["47x", "47y", "47z"] if number == "47" else [number]
    assert block(number) == " \\\\\n".join(text(moments[n], generated(moments[n])) for n in names)


def test_all_two_body_moments_have_an_equation():
    """6 of one ensemble, and of one of each the 6 that ℓ ↔ ℓ̄ leaves of 9."""
    pairs = {moment for moment, _ in AS_PRINTED.values() if len(moment) == 2} | set(
        MISSING.values()
    )
    swapped = {moment.swapcase()[::-1] for moment in pairs} | {
        moment.swapcase() for moment in pairs
    }
    every = {a + b for k, a in enumerate(LETTERS) for b in LETTERS[k:]}
    assert every <= pairs | swapped
    assert len(pairs) == 12


# Eqs. 47, C1–C6 and C12, term by term


def skeleton(equation: str) -> str:
    """What bars and brackets cannot change."""
    return re.sub(r"[\[\]()\s]", "", equation.replace("GY", "Gy'")).lower()


@pytest.mark.parametrize("number", AS_PRINTED)
def test_reading_moves_bars_and_brackets_only(number):
    assert skeleton(AS_PRINTED[number][1]) == skeleton(READ[number])


def differences(number: str, rates: list[str]) -> tuple[Expression, Expression]:
    """Terms that are printed and wrong, and those that should stand there."""
    right = generated(AS_PRINTED[number][0]).of(rates)
    left = parsed(READ[number]).of(rates) - right
    missing = {product: -c for product, c in left.items() if right.get(product) == -c}
    return (
        Expression({product: c for product, c in left.items() if product not in missing}),
        Expression(missing),
    )


def rows() -> list[tuple[str, str, str]]:
    """Equation, printed and generated term of the page's table of differences."""
    cells = r"^\| (C?\d+[xyz]?) \| \$([^$]+)\$ \| \$([^$]+)\$ \|"
    return re.findall(cells, PAGE, flags=re.MULTILINE)


def of_the_table(number: str) -> list[str]:
    """C3's and C5's drifts are closed otherwise and are compared as wholes."""
    return ["w", "Gy", "GY"] + ([] if number in ("C3", "C5") else ["G"])


@pytest.mark.parametrize("number", [number for number in AS_PRINTED if number != "C6"])
def test_differences_are_those_of_the_page(number):
    wrong, right = differences(number, of_the_table(number))
    listed = [row for row in rows() if row[0] == number]
    assert sorted(row[1] for row in listed) == sorted(term(*item) for item in wrong.items())
    assert sorted(row[2] for row in listed) == sorted(term(*item) for item in right.items())


def test_equations_without_differences():
    same = {
        number
        for number, (moment, _) in AS_PRINTED.items()
        if parsed(READ[number]) == generated(moment)
    }
    assert same == {"47x", "47y", "47z", "C4", "C12"}
    sixth = parsed(READ["C6"]) - generated("zz")
    assert {product[0] for product in sixth} == {"Gy"}
    assert not on_the_spheres(sixth)
    assert not [row for row in rows() if row[0] in same | {"C6"}]


def test_no_bars_reconcile_the_drives_of_C2_C3_and_C5():
    """Bars dropped on both sides, a difference is left; in the others none is."""
    left = {
        number
        for number, (moment, _) in AS_PRINTED.items()
        if without_bars(parsed(READ[number]).of("w")) != without_bars(generated(moment).of("w"))
    }
    assert left == {"C2", "C3", "C5"}


def test_without_bars_the_drive_vanishes():
    """47 and C12 as the text has them: ⟨yx⟩ − ⟨xy⟩ = 0 and ⟨xZ⟩ − ⟨xZ⟩ = 0."""
    assert not parsed(AS_PRINTED["47z"][1]).of("w")
    second = [product for product in parsed(AS_PRINTED["C12"][1]).of("w") if len(product) == 3]
    assert not second
    assert parsed(READ["47z"]).of("w")


def test_brackets_of_C1_and_C2():
    """As they stand, C1 has a term in Γ₀² and C2's brackets do not balance."""
    assert any(product[:2] == ("G", "Gy") for product in parsed(AS_PRINTED["C1"][1]))
    assert AS_PRINTED["C2"][1].count("]") != AS_PRINTED["C2"][1].count("[")


def test_C3_and_C5_do_not_go_over_into_each_other():
    """The model is symmetric under rotations about z: x → y, y → −x turns xz into yz."""
    assert rotated(generated("xz")) == generated("yz")
    assert rotated(generated("xx")) == generated("yy")
    assert rotated(parsed(READ["C3"]).of("G")) == parsed(READ["C5"]).of("G")
    assert rotated(parsed(READ["C3"])) != parsed(READ["C5"])


def value(expression: Expression, values: dict[str, float]) -> float:
    return sum(
        float(c) * math.prod(values[name] for name in product) for product, c in expression.items()
    )


def test_C5_as_printed_breaks_the_symmetry_about_z():
    """It pushes ⟨m₁ʸm₁ᶻ⟩ off zero in the stationary state; the generated one does not."""
    state = fixed_point(PUBLIC).moments
    values = {"w": PUBLIC.omega_0, "G": PUBLIC.Gamma_0, "Gy": 0.0, "GY": 0.0}
    for expression in (generated("yz"), parsed(READ["C5"])):
        for name in {name for product in expression for name in product} - set(values):
            values[name] = state[powers(name)]
    assert value(generated("yz"), values) == 0
    push = -PUBLIC.omega_0 / 2 * state[monomial("x1 y2")] * state[monomial("z1")]
    assert abs(push) > 1e-7
    assert value(parsed(READ["C5"]), values) == pytest.approx(push)


def test_C3_and_C5_put_the_sphere_in_before_closing():
    """x² + y² = 1 − z² in 𝓛f and then Eq. 31: the printed drift; afterwards it would not do."""
    for number, moment in (("C3", "xz"), ("C5", "yz")):
        drift = parsed(READ[number]).of("G")
        assert drift == generated_on_the_spheres_first(moment).of("G")
        assert on_the_spheres(drift) != on_the_spheres(generated(moment).of("G"))


def test_eq_39_puts_the_sphere_in_before_closing_and_C6_does_not():
    """At ω₀ = 0 the two have different stationary states, neither of them that of Eq. 33."""
    eq_39 = parsed("2*G*(-z + 3*zz*z - 2*z*z*z)/2")
    assert generated_on_the_spheres_first("zz").of("G") == eq_39
    assert on_the_spheres(parsed(READ["C6"]).of("G")) != eq_39
    beta_E = 2.0
    sixth = 3 / beta_E - math.hypot(3 / beta_E, 1)  # z² − 6z/βE − 1 = 0
    square = 1 + 4 / beta_E * sixth  # Eq. 38
    values = dict.fromkeys(("w", "x", "y", "X", "Y", "xz", "yz", "xY", "yX", "zX", "zY"), 0.0)
    values |= {"z": sixth, "zz": square, "xx": (1 - square) / 2, "yy": (1 - square) / 2}
    values |= {"G": 1.0, "Gy": 1 / beta_E}
    assert value(parsed(READ["C6"]), values) == pytest.approx(0, abs=16 * EPS)
    ninth = fsolve(lambda m: classical_spin.closure_rates(m[0], m[1], beta_E), [-0.3, 0.4])
    exact = classical_spin.magnetization(beta_E)
    stated(*(f"{m:.4f}".replace("-", "−") for m in (sixth, ninth[0], exact)))
    assert len({round(float(m), 3) for m in (sixth, ninth[0], exact)}) == 3


# Model and thermodynamics, from dense matrices


class Dense:
    """Stationary state and operators of a small engine, from the definition alone."""

    def __init__(self, engine: Engine) -> None:
        n_1, n_2 = engine.levels
        self.engine, size = engine, (n_1 + 1) * (n_2 + 1)
        self.up = [
            np.kron(raising(n_1), np.eye(n_2 + 1)),
            np.kron(np.eye(n_1 + 1), raising(n_2)),
        ]
        self.down = [up.conj().T for up in self.up]
        self.H_0 = engine.E_1 * np.diag(np.repeat(np.arange(n_1 + 1.0), n_2 + 1))
        self.H_0 += engine.E_2 * np.diag(np.tile(np.arange(n_2 + 1.0), n_1 + 1))
        self.L = np.array(
            [lindblad(engine, unit.reshape(size, size)).ravel() for unit in np.eye(size**2)]
        ).T
        self.trace = np.eye(size).ravel()
        self.rho = self.solve(np.zeros(size**2), 1.0).reshape(size, size)
        hop = self.up[0] @ self.down[1]
        self.power = -0.5j * engine.drive * engine.delta_E * (hop - hop.conj().T)

    def solve(self, right, trace: float):
        """L x = right at a given trace."""
        matrix = np.vstack([self.L, self.trace])
        return np.linalg.lstsq(matrix, np.append(right, trace), rcond=None)[0]

    def mean(self, operator) -> complex:
        return complex(np.trace(operator @ self.rho))

    def dissipator(self, i: int):
        """𝒟ᵢ(ρ) of Eq. 6."""
        bath, change = (self.engine.cold, self.engine.hot)[i], 0
        for rate, jump in ((bath.gamma_down, self.down[i]), (bath.gamma_up, self.up[i])):
            back = jump.conj().T
            loss = back @ jump
            change += rate * (jump @ self.rho @ back - (loss @ self.rho + self.rho @ loss) / 2)
        return change

    def heat(self, i: int) -> float:
        """Tr[H₀ 𝒟ᵢ(ρ)], the first line of Eq. 12."""
        return float(np.trace(self.H_0 @ self.dissipator(i)).real)

    def printed_heat(self, i: int) -> float:
        """The second line of Eq. 12, without the minus."""
        engine, bath = self.engine, (self.engine.cold, self.engine.hot)[i]
        n = bath.gamma_up / bath.Gamma_0
        S_z = (self.up[i] @ self.down[i] - self.down[i] @ self.up[i]) / 2
        inside = self.mean(self.up[i] @ self.down[i]) + 2 * n * self.mean(S_z)
        return (engine.E_1, engine.E_2)[i] * bath.Gamma_0 * inside.real

    @property
    def variance(self) -> complex:
        """Eq. 11, operators in the printed order ⟨P(t)P(0)⟩, not symmetrised."""
        mean = self.mean(self.power)
        source = (self.power @ self.rho - mean * self.rho).ravel()
        return -2 * complex(self.power.T.ravel() @ self.solve(source, 0.0))


@pytest.fixture(scope="module", params=[ENGINE, FRIDGE], ids=["engine", "fridge"])
def dense(request) -> Dense:
    return Dense(request.param)


def test_drive_and_power(dense):
    """Eq. 4 in the interaction picture is V_I, and Eq. 10 the rate of its work."""
    nu, hop = dense.engine.delta_E, dense.up[0] @ dense.down[1]

    def interaction(phase: float, t: float):
        half = dense.engine.drive / 2 * np.exp(1j * phase * t) * hop
        turn = np.exp(1j * np.diag(dense.H_0) * t)
        return turn[:, None] * (half + half.conj().T) * turn.conj()

    still = dense.engine.drive / 2 * (hop + hop.conj().T)
    assert np.abs(interaction(nu, 0.7) - still).max() < 8 * EPS
    assert np.abs(interaction(-nu, 0.7) - still).max() > 0.1  # the phase in the text after Eq. 4
    half = dense.engine.drive / 2 * 1j * nu * hop  # (dV/dt)_I at any t
    assert np.abs(-(half + half.conj().T) - dense.power).max() < 8 * EPS
    exact = Exact().solve(dense.engine, ["power"]).values["power"]
    assert dense.mean(dense.power) == pytest.approx(exact, rel=1e-9)


def test_variance_of_the_power_needs_no_symmetrisation(dense):
    """Eq. 11: ⟨P(t)P(0)⟩ is real, and counting gives the same."""
    exact = Exact().solve(dense.engine, ["power_variance", "quanta_noise"]).values
    assert dense.variance == pytest.approx(exact["power_variance"], rel=1e-9)
    by_counting = dense.engine.delta_E**2 * exact["quanta_noise"]
    assert dense.variance.real == pytest.approx(by_counting, rel=1e-9)


def test_eq_12_lacks_a_minus(dense):
    for i in (0, 1):
        assert dense.printed_heat(i) == pytest.approx(-dense.heat(i), rel=1e-9)
        assert abs(dense.heat(i)) > 1e-4


def test_laws_of_thermodynamics(dense):
    """Eqs. 13, 15, 17, 21 and 22 with heat counted by the first line of Eq. 12."""
    engine, P, Q = dense.engine, dense.mean(dense.power).real, [dense.heat(0), dense.heat(1)]
    beta = [1 / engine.cold.temperature, 1 / engine.hot.temperature]
    assert sum(Q) == pytest.approx(P, rel=1e-9)
    assert P / engine.delta_E == pytest.approx(-Q[0] / engine.E_1, rel=1e-9)
    assert P / engine.delta_E == pytest.approx(Q[1] / engine.E_2, rel=1e-9)
    entropy = -beta[0] * Q[0] - beta[1] * Q[1]
    assert entropy > 0
    assert -beta[0] * P + (beta[0] - beta[1]) * Q[1] == pytest.approx(entropy, rel=1e-8)
    assert -beta[1] * P - (beta[0] - beta[1]) * Q[0] == pytest.approx(entropy, rel=1e-8)


def test_cooling_power_after_eq_24(dense):
    """Q₁ = −(E₁/ΔE)P, not −(ΔE/E₁)P."""
    engine, P = dense.engine, dense.mean(dense.power).real
    assert dense.heat(0) == pytest.approx(-engine.E_1 / engine.delta_E * P, rel=1e-9)
    assert dense.heat(0) != pytest.approx(-engine.delta_E / engine.E_1 * P, rel=0.1)


def test_eq_18_inverts_the_ratio(dense):
    """C of Eq. 20 is the ratio of Eq. 19 with η_C = 1 − β₂/β₁ only; 1 − β₁/β₂ is negative."""
    engine, P = dense.engine, dense.mean(dense.power).real
    T = engine.cold.temperature, engine.hot.temperature
    eta, carnot, printed = engine.delta_E / engine.E_2, 1 - T[0] / T[1], 1 - T[1] / T[0]
    assert printed < 0 < carnot
    C = Exact().solve(engine, ["constancy"]).values["constancy"]
    bound = 2 * eta * T[0] / (carnot - eta)
    assert P / dense.variance.real * bound == pytest.approx(C, rel=1e-8)
    assert P / dense.variance.real * 2 * eta * T[0] / (printed - eta) != pytest.approx(C, rel=0.1)
    assert (eta < carnot) == (P > 0)
    # Eq. 19 as written is for P > 0; for a refrigerator both sides are negative.
    assert C < 1
    assert (dense.variance.real / P > bound) == (P > 0)


def test_eq_23_has_the_wrong_sign():
    """T̄* = (ΔT/2)(ΔE + 2E₁)/ΔE; ΔE* is as printed."""

    def power(T_mean: float, delta_E: float) -> float:
        engine = Engine(N=1, E_1=1, delta_E=delta_E, T_mean=T_mean, delta_T=2, omega_0=1, Gamma_0=1)
        return single_pair_power(engine)

    right, printed = (2 + 2 * 1) / 2, (9 - 2 * 1) / 9
    assert power(right, 2.0) == 0
    assert printed < 2 / 2  # T₁ would be negative
    assert power(right * 0.99, 2.0) > 0 > power(right * 1.01, 2.0)
    star = 1 * 2 / (2.5 - 2 / 2)
    assert power(2.5, star) == pytest.approx(0, abs=4 * EPS)
    assert power(2.5, star * 0.99) > 0 > power(2.5, star * 1.01)


def test_detailed_balance():
    """Eqs. 7 and 8; for fermions E is to be read as E − μ."""
    for kind, mu in (("bosonic", 0.0), ("fermionic", 0.0), ("fermionic", 0.4)):
        bath = Bath(energy=1.3, temperature=0.8, Gamma_0=0.5, statistics=kind, mu=mu)
        ratio = bath.gamma_down / bath.gamma_up
        assert ratio == pytest.approx(math.exp((1.3 - mu) / 0.8), rel=8 * EPS)
        if mu:
            assert ratio != pytest.approx(math.exp(1.3 / 0.8), rel=0.1)
    n = 1 / math.expm1(1.3 / 0.8)
    bath = Bath(energy=1.3, temperature=0.8, Gamma_0=0.5)
    assert (bath.gamma_down, bath.gamma_up) == pytest.approx((0.5 * (n + 1), 0.5 * n), rel=8 * EPS)


def test_fig_3_has_twice_the_temperature_difference():
    def constancy(N: int, T_mean: float, delta_T: float) -> float:
        shared = {"E_1": 1, "delta_E": 9, "omega_0": 0.006, "Gamma_0": 0.001}
        engine = Engine(N=N, T_mean=T_mean, delta_T=delta_T, **shared)
        return Exact().solve(engine, ["constancy"]).values["constancy"]

    caption = [constancy(1, T, 10) for T in (10, 10.5, 11, 11.5, 12)]
    assert caption == sorted(caption, reverse=True)  # the figure's rise instead
    stated(f"{caption[0]:.4f}", f"{caption[-1]:.4f}")
    assert max(caption) < 1
    twice = [constancy(1, T, 20) for T in (10.5, 11, 11.5)]
    assert twice == sorted(twice)
    assert round(twice[-1], 4) == 1.0001  # "C_N ≃ 1.0001"
    stated(f"{twice[-1]:.6f}", f"{constancy(2, 11.5, 20):.4f}")
    assert constancy(2, 11.5, 20) < 1


# One spin and one bath


def spin_operators(N: int):
    up = raising(N)
    down = up.conj().T
    return up, down, (up + down) / 2, (up @ down - down @ up).real / 2


def test_eqs_25_to_27_at_finite_N():
    """26 is the dual of 6; 27 is exact in its first line, in its second up to 1 → 1 + 1/S."""
    N, n, rate = 5, 0.8, 0.3
    S = N / 2
    up, down, S_x, S_z = spin_operators(N)
    gammas = rate * (n + 1), rate * n

    def commutator(a, b):
        return a @ b - b @ a

    def dual(op):
        total = 0
        for gamma, A in zip(gammas, (down, up), strict=True):
            B = A.conj().T
            total = total + gamma * (B @ op @ A - (B @ A @ op + op @ B @ A) / 2)
        return total

    def eq_26(op):
        return gammas[0] / 2 * (commutator(up, op) @ down + up @ commutator(op, down)) + (
            gammas[1] / 2 * (commutator(down, op) @ up + down @ commutator(op, up))
        )

    x, z, one = S_x / S, S_z / S, np.eye(N + 1)
    first = N * rate / 2 * ((x @ z + z @ x) / 2 - (n + 0.5) / S * x)
    second = -N * rate / 2 * ((1 + 1 / S) * one - z @ z + (2 * n + 1) / S * z)
    for op, expected in ((x, first), (z, second)):
        assert np.abs(eq_26(op) - dual(op)).max() < 100 * EPS
        assert np.abs(dual(op) - expected).max() < 100 * EPS


@pytest.mark.parametrize("beta_E", [0.5, 8.0])
def test_eq_30_has_the_wrong_sign(beta_E):
    """Its bracket vanishes at Eqs. 33 and 34 with + (4/βE)⟨mᶻ⟩, as in Eq. 38."""
    m, m_2 = classical_spin.magnetization(beta_E), classical_spin.second_moment(beta_E)
    assert 1 - m_2 + 4 / beta_E * m == pytest.approx(0, abs=8 * EPS)
    assert 1 - m_2 - 4 / beta_E * m > 0.3
    rate = classical_spin.moment_rates(np.array([1, 0.2, 0.3]), beta_E)[0]
    assert rate == pytest.approx(-(1 - 0.3 + 4 / beta_E * 0.2) / 2)
    assert generated("z").of(["Gy"]) == parsed("-2*Gy*z")  # (Γ₀/2)(4/βE)
    assert generated("x").of(["G", "Gy"]) == parsed("G/2*(xz) - Gy*x")  # Eq. 29


@pytest.mark.parametrize("beta_E", [0.5, 8.0])
def test_eqs_32_to_35(beta_E):
    def weight(m: float) -> float:
        return math.exp(-beta_E * (m + 1) / 2)

    moments = [quad(lambda m, n=n: m**n * weight(m), -1, 1, epsabs=1e-13)[0] for n in (0, 1, 2)]
    m, m_2 = moments[1] / moments[0], moments[2] / moments[0]
    coth = 1 / math.tanh(beta_E / 2)
    assert m == pytest.approx(-coth + 2 / beta_E, abs=1e-10)
    assert m_2 == pytest.approx(1 + 4 * m / beta_E, abs=1e-10)
    assert (1 - m_2) / 2 == pytest.approx(2 * coth / beta_E - 4 / beta_E**2, abs=1e-10)


def test_eq_31_is_the_third_cumulant():
    found = closed(monomial("x1 y1 z1"), 3)
    written = {
        tuple(sorted(monomial(factor) for factor in product.split(","))): Fraction(c)
        for product, c in (("x1 y1,z1", 1), ("x1 z1,y1", 1), ("y1 z1,x1", 1), ("x1,y1,z1", -2))
    }
    assert {tuple(sorted(product)): c for product, c in found.items()} == written


def test_eq_36_ends_in_the_power_n_minus_2():
    """Against the exact rates, over Sⁿ: with n − 2 the error is O(1/N²), with n − 1 it is O(N)."""

    def errors(N: int, n: int = 3) -> list[float]:
        spin, S = SingleSpin(N, 2.0), N / 2
        down, up = spin.gamma_down, spin.gamma_up
        s = np.arange(-S, S + 1)
        square = S * (S + 1) - s**2
        exact = down * (square + s) * ((s - 1) ** n - s**n)
        exact += up * (square - s) * ((s + 1) ** n - s**n)
        errors = []
        for last in (n - 2, n - 1):
            leading = (up - down) * square * s ** (n - 1) * n - n * s**n * (up + down)
            leading += (up + down) * square * s**last * math.comb(n, 2)
            errors.append(float(np.abs(exact - leading).max() / S**n))
        return errors

    small, large = errors(100), errors(1000)
    assert small[0] / large[0] == pytest.approx(100, rel=0.1)
    assert large[1] / small[1] == pytest.approx(10, rel=0.1)
    assert large[0] < 1e-4 < 100 < large[1]


def test_eq_37_is_about_moments_not_powers_of_the_mean():
    m = [1, *(classical_spin.magnetization(2.0) ** n for n in (1, 2, 3))]
    assert np.abs(classical_spin.moment_rates(np.array(m), 2.0)).max() > 0.1
    true = np.array([1, m[1], classical_spin.second_moment(2.0)])
    assert np.abs(classical_spin.moment_rates(true, 2.0)).max() < 8 * EPS


def test_eq_40_must_leave_out_the_stationary_mode():
    """−max Re λ over all eigenvalues is 0."""
    values = np.linalg.eigvals(Dense(ENGINE).L).real
    assert -values.max() == pytest.approx(0, abs=1e-12)
    gap = Exact().solve(ENGINE, ["gap"]).values["gap"]
    assert -np.sort(values)[-2] == pytest.approx(gap, rel=1e-9)
    assert gap > 0.1


def test_cold_occupation_is_exponential():
    """N ≪ βE: n ≈ e^{−βE/N}; the printed N/βE belongs to N ≫ βE."""
    cold, hot = 1 / math.expm1(20), 1 / math.expm1(0.01)
    assert cold == pytest.approx(math.exp(-20), rel=1e-8)
    assert cold < 1e-7 / 20
    assert hot == pytest.approx(1 / 0.01, rel=0.01)
    assert transient_size(1000.0) == 51
    assert transient_size(10.0) == transient_size(1.0) == 1
    stated("51", "βE ≲ 23")
    assert transient_size(22.0) == 1 < transient_size(24.0)


def test_gaps_are_not_proportional():
    """Lindbladian gap at N → ∞ (first coherence, from N = 200, 400, 800) over Eq. 44."""

    def ratio(beta_E: float) -> float:
        sizes = [SingleSpin(N, beta_E).decay_rates(1)[0] for N in (200, 400, 800)]
        finer = [2 * b - a for a, b in pairwise(sizes)]
        return float((4 * finer[1] - finer[0]) / 3) / classical_spin.jacobian_gap(beta_E)

    assert SingleSpin(40, 2.2).slowest()[1] == SingleSpin(40, 7.0).slowest()[1] == 1
    assert ratio(0.01) == pytest.approx(0.5, abs=1e-5)
    assert ratio(400.0) == pytest.approx(0.5, abs=1e-4)
    stated(f"{ratio(2.2):.4f}", f"{ratio(7.0):.4f}")
    assert ratio(2.2) > 0.53
    assert ratio(7.0) < 0.47


def test_the_closure_misses_the_exact_stationary_state():
    """Eqs. 38 and 39 against Eqs. 33 and 34, and Eq. 42 is not taken at their fixed point."""
    misses = {}
    for beta_E in (2.0, 5.0):
        m = np.array([classical_spin.magnetization(beta_E), classical_spin.second_moment(beta_E)])
        stop = fsolve(lambda v, b=beta_E: classical_spin.closure_rates(v[0], v[1], b), m)
        assert np.abs(classical_spin.closure_rates(*stop, beta_E)).max() < 1e-10
        misses[beta_E] = np.abs(stop - m)
    stated(f"{misses[5.0][0]:.3f}", f"{misses[2.0][1]:.3f}")


# N → ∞ with the drive


def test_D4_and_D5_couple_the_ensembles():
    """The matrix of the regression, with bars as read; as the text has them the ensembles part."""
    z_1, z_2 = -0.5, -0.25
    rates = np.array([0.7, 1.9, 0.4, 0.4, 1.5, 1.5])  # w/2 = 1.5, G/2 = 0.4
    M = regression_matrix(z_1, z_2, rates)
    read = np.zeros((4, 4))
    for own, other, y, z in ((0, 2, 0.7, z_1), (2, 0, 1.9, z_2)):
        read[own, other + 1] = 1.5 * z  # D4: (ω₀/2)⟨YA⟩⟨z⟩
        read[own + 1, other] = -1.5 * z  # D5
        read[own, own] = read[own + 1, own + 1] = 0.4 * z - y
    assert np.abs(M - read).max() < 8 * EPS
    assert np.abs(M[:2, 2:]).max() > 0.1  # zero if every label carries a bar


def test_closure_against_the_limit():
    """Constancies of Figs. 6 and 7: properties of the closure, not of the engine."""
    gain = Engine(delta_E=150, T_mean=10.1, delta_T=20, **FIG_7)
    for engine, digits in ((PUBLIC, 7), (gain, 3)):
        closure, limit = (
            method().solve(engine, ["constancy"]).values["constancy"]
            for method in (Cumulant, Macroscopic)
        )
        stated(f"{closure:.3f}", f"{limit:.{digits}f}")
        assert limit > closure + 0.2
    assert Macroscopic().solve(PUBLIC, ["constancy"]).values["constancy"] > 1


def test_closure_violates_linear_response():
    """C at the Carnot point: D1–D5 give 0.587, the limit 1."""
    carnot = Engine(delta_E=11.5, T_mean=13.5, delta_T=23, **FIG_7)
    assert ClassicalPair(carnot).affinity == 0
    closure = Cumulant().solve(carnot, ["constancy"]).values["constancy"]
    stated(f"{closure:.3f}")
    assert closure < 0.6
    limit = Macroscopic().solve(carnot, ["constancy"]).values["constancy"]
    assert limit == pytest.approx(1, abs=1e-9)


def test_tomography_needs_unlike_components():
    """All of the closure's mutual information is in ⟨m₁ˣm₂ʸ⟩, not in any ⟨m₁^α m₂^α⟩."""
    values = Cumulant().solve(PUBLIC).values
    alike = {
        "z_1": values["magnetization_1"],
        "z_2": values["magnetization_2"],
        "zz": values["spin_correlation_zz"],
    }
    whole = PairState.from_correlators(xy=values["spin_correlation_xy"], **alike)
    assert whole.mutual_information == pytest.approx(values["mutual_information"], rel=1e-9)
    part = PairState.from_correlators(**alike)
    assert part.mutual_information < 1e-20 < 1e-6 < whole.mutual_information


def test_gain_grows_exponentially_at_the_rate_of_the_hot_bath():
    """Fig. 10's parameters: d ln(gain)/dΔE approaches 1/T₂ = 0.01 from below, it is not 1."""

    def log_gain(delta_E: float) -> float:
        engine = Engine(delta_E=delta_E, T_mean=50.01, delta_T=99.98, **FIG_7)
        power = Macroscopic().solve(engine, ["power_per_pair"]).values["power_per_pair"]
        return math.log(power / single_pair_power(engine))

    slope = (log_gain(800.0) - log_gain(400.0)) / 400
    stated(f"{slope:.4f}")
    assert 0.008 < slope < 0.01
