"""The hierarchy of moments: rotations, finite-N quantum spins, conservation and cumulants."""

from __future__ import annotations

import math
from itertools import pairwise, permutations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.linalg import expm

from ensemble import Engine, InvalidInput
from ensemble.closed_forms import classical_spin
from ensemble.closure.closed_moments import closed_moments, rates_of
from ensemble.closure.harmonic import harmonic, trace_part
from ensemble.closure.hierarchy import (
    ONE,
    RATES,
    closed,
    equation,
    generator,
    monomial,
    monomials,
    symbol,
    times,
)

EPS = np.finfo(float).eps


def random_directions(seed: int) -> np.ndarray:
    m = np.random.default_rng(seed).normal(size=(2, 3))
    return (m / np.linalg.norm(m, axis=1)[:, None]).ravel()


def power(m, moment) -> float:
    return float(np.prod(np.asarray(m) ** np.array(moment)))


def value(polynomial, m) -> float:
    return sum(float(c) * power(m, moment) for moment, c in polynomial.items())


def generated(moment, rates, m) -> float:
    """𝓛 of a monomial at a point."""
    image = generator(moment)
    return sum(rate * value(image[name], m) for name, rate in zip(RATES, rates, strict=True))


def rotation_derivatives(moment, m, spin, axis) -> tuple[float, float]:
    """R f and R² f at m: along a rotation, f is a trigonometric polynomial of its degree."""
    levi_civita = np.zeros((3, 3))
    after, last = (axis + 1) % 3, (axis + 2) % 3
    levi_civita[after, last], levi_civita[last, after] = 1, -1
    number = 2 * sum(moment) + 1
    samples = []
    for angle in 2 * np.pi * np.arange(number) / number:
        turned = np.array(m)
        turned[3 * spin : 3 * spin + 3] = (
            expm(angle * levi_civita) @ turned[3 * spin : 3 * spin + 3]
        )
        samples.append(power(turned, moment))
    harmonics = np.fft.fft(samples) / number
    frequency = np.fft.fftfreq(number, 1 / number)
    return float((1j * frequency * harmonics).sum().real), float(
        (-(frequency**2) * harmonics).sum().real
    )


@pytest.mark.parametrize("moment", monomials(3)[::5], ids=symbol)
def test_generator_is_that_of_rotating_vectors(moment):
    """Against the formula of the module with derivatives along sampled rotations."""
    m = random_directions(5)
    rates = np.array([0.7, 1.9, 0.4, 1.1, 2.3, 0.6])
    x, y = 0, 1
    expected = 0.0
    for spin, other in ((0, 1), (1, 0)):
        (r_x, r_xx), (r_y, r_yy) = (rotation_derivatives(moment, m, spin, a) for a in (x, y))
        expected += rates[spin] * (r_xx + r_yy)
        expected -= rates[2 + spin] * (m[3 * spin + x] * r_y - m[3 * spin + y] * r_x)
        expected -= rates[4 + other] * (m[3 * other + x] * r_x + m[3 * other + y] * r_y)
    # Terms of order rate × degree², a few hundred of them.
    assert generated(moment, rates, m) == pytest.approx(expected, abs=1e3 * EPS * 9 * rates.sum())


def spin_operators(level: int) -> list[sp.csr_matrix]:
    """Sˣ, Sʸ, Sᶻ for 2S = level, states ordered by rising Sᶻ."""
    k = np.arange(level)
    raising = sp.diags_array(np.sqrt((k + 1) * (level - k)), offsets=-1).astype(complex)
    S_z = sp.diags_array(np.arange(level + 1) - level / 2).astype(complex)
    return [(raising + raising.T) / 2, (raising - raising.T) / 2j, S_z]


def heisenberg(engine: Engine, moment, m) -> float:
    """d⟨symmetrised monomial⟩/dt by the quantum master equation, in the coherent state at m."""
    operators, states = [], []
    for level, direction in zip(engine.levels, m.reshape(2, 3), strict=True):
        operators.append(spin_operators(level))
        along = sum(c * S for c, S in zip(direction, operators[-1], strict=True))
        states.append(np.linalg.eigh(along.toarray())[1][:, -1])
    one = [sp.eye_array(level + 1) for level in engine.levels]
    S = [sp.kron(A, one[1], "csr") for A in operators[0]]
    S += [sp.kron(one[0], A, "csr") for A in operators[1]]
    psi = np.kron(*states)
    scale = [2 / level for level in engine.levels]
    factors = [k for k, number in enumerate(moment) for _ in range(number)]
    orders = list(permutations(factors))

    def apply(vector):
        total = np.zeros_like(vector)
        for order in orders:
            term = vector
            for k in order:
                term = scale[k // 3] * (S[k] @ term)
            total += term
        return total / len(orders)

    minus = [S[0] - 1j * S[1], S[3] - 1j * S[4]]
    plus = [A.conj().T for A in minus]
    H = engine.drive / 2 * (plus[0] @ minus[1] + minus[0] @ plus[1])
    rate = 2 * np.vdot(psi, apply(H @ psi)).imag  # ⟨i[H, O]⟩ = 2 Im⟨O H⟩
    for i, bath in enumerate((engine.cold, engine.hot)):
        for gamma, A in ((bath.gamma_down, minus[i]), (bath.gamma_up, plus[i])):
            jumped = A @ psi
            decayed = A.conj().T @ jumped
            rate += gamma * np.vdot(jumped, apply(jumped)).real
            rate -= gamma * np.vdot(psi, apply(decayed)).real
    return float(rate)


@pytest.mark.parametrize("spin_2_per_N", [None, 1.0], ids=["equal", "S₂ = N"])
@pytest.mark.parametrize(
    "text", ["z1", "x2", "x1 y2", "z1 z2", "x1 x1", "y2 z2", "x1 z1 y2", "z2 z2 x1"]
)
def test_generator_is_the_limit_of_the_master_equation(text, spin_2_per_N):
    """Eq. 28 and 2S₂/N, of coherent states: a doubled N halves the difference."""
    moment, m = monomial(text), random_directions(2)

    def sized(N: int) -> Engine:
        return Engine(
            N=N,
            E_1=1,
            delta_E=0.7,
            T_mean=1.1,
            delta_T=0.4,
            omega_0=1.3,
            Gamma_0=0.8,
            scaling="high-temperature",
            spin_2=None if spin_2_per_N is None else spin_2_per_N * N,
        )

    series = [heisenberg(sized(N), moment, m) for N in (3, 6, 12, 24)]
    limit = generated(moment, rates_of(sized(3)), m)
    row, correction = series, math.inf
    for order in range(1, len(row)):
        finer = [b + (b - a) / (2**order - 1) for a, b in pairwise(row)]
        correction, row = abs(finer[-1] - row[-1]), finer
    assert abs(series[-1] - limit) > 1e-5  # a check of what is extrapolated: it has not converged
    assert abs(row[-1] - limit) < 2 * correction + 1e3 * EPS
    assert correction < 1e-3


def test_squares_of_the_vectors_are_conserved():
    """𝓛(mᵢ² f) = mᵢ² 𝓛f, exactly."""
    squares = {
        0: [monomial("x1 x1"), monomial("y1 y1"), monomial("z1 z1")],
        1: [monomial("x2 x2"), monomial("y2 y2"), monomial("z2 z2")],
    }
    for f in (ONE, *monomials(2)):
        for spin in (0, 1):
            for rate in RATES:
                left: dict = {}
                for square in squares[spin]:
                    for moment, c in generator(times(square, f))[rate].items():
                        left[moment] = left.get(moment, 0) + c
                right: dict = {}
                for moment, c in generator(f)[rate].items():
                    for square in squares[spin]:
                        right[times(square, moment)] = right.get(times(square, moment), 0) + c
                assert {k: c for k, c in left.items() if c} == {k: c for k, c in right.items() if c}


def test_order_3_conserves_the_squares_as_generated():
    total: dict = {}
    for text in ("x1 x1", "y1 y1", "z1 z1"):
        for term in equation(monomial(text), 3):
            key = term.rate, term.moments
            total[key] = total.get(key, 0) + term.coefficient
    assert not any(total.values())


def moments_of(points: np.ndarray, weights: np.ndarray, highest: int) -> dict:
    return {
        moment: sum(w * power(m, moment) for w, m in zip(weights, points, strict=True))
        for moment in (ONE, *monomials(highest))
    }


def evaluated(products, moments) -> float:
    return sum(
        float(factor) * math.prod(moments[moment] for moment in product)
        for product, factor in products.items()
    )


@pytest.mark.parametrize("order", [2, 4])
def test_traceless_closure_keeps_unit_vectors(order):
    """Σ_a ⟨m_a² f⟩ = ⟨f⟩ with every term closed; the plain closure of order 4 violates it."""
    points = np.array([random_directions(seed) for seed in range(6)])
    weights = np.array([0.3, 0.2, 0.1, 0.15, 0.05, 0.2])
    moments = moments_of(points, weights, order - 1)
    for f in [m for m in (ONE, *monomials(order - 2)) if sum(m) == order - 2]:
        for spin in ("1", "2"):
            squares = [times(monomial(f"{a}{spin} {a}{spin}"), f) for a in "xyz"]
            sums = {
                traceless: sum(
                    evaluated(closed(square, order, traceless=traceless), moments)
                    for square in squares
                )
                for traceless in (True, False)
            }
            assert sums[True] == pytest.approx(moments[f], abs=100 * EPS)
            assert abs(sums[False] - moments[f]) > 1e-3


@pytest.mark.parametrize("powers", [(0, 0, 2), (1, 0, 1), (0, 2, 2), (4, 0, 0), (1, 1, 2)])
def test_harmonic_projection(powers):
    """The projection is orthogonal to lower harmonics, and with the rest gives the monomial."""
    m = random_directions(1)[:3]
    whole = value({(*e, 0, 0, 0): c for e, c in harmonic(powers).items()}, [*m, 1, 1, 1])
    rest = value({(*e, 0, 0, 0): c for e, c in trace_part(powers).items()}, [*m, 1, 1, 1])
    assert whole + rest == pytest.approx(float(np.prod(m ** np.array(powers))), abs=10 * EPS)
    # Gauss–Legendre × trapezoid is exact for these degrees.
    z, weight = np.polynomial.legendre.leggauss(8)
    phi = 2 * np.pi * np.arange(16) / 16
    x, y = (np.sqrt(1 - z**2)[:, None] * f(phi) for f in (np.cos, np.sin))
    on_sphere = sum(
        float(c) * x ** e[0] * y ** e[1] * z[:, None] ** e[2] for e, c in harmonic(powers).items()
    )
    for lower in monomials(sum(powers) - 1):
        if not any(lower[3:]):
            other = x ** lower[0] * y ** lower[1] * z[:, None] ** lower[2]
            assert abs((weight[:, None] * on_sphere * other).mean()) < 100 * EPS


def test_closure_at_order_3_is_that_of_gaussian_variables():
    """By Stein's recursion E[x_i f] = μ_i E[f] + Σ_j C_ij E[∂_j f], up to degree 5."""
    generator_ = np.random.default_rng(8)
    mean, root = generator_.normal(size=6), generator_.normal(size=(6, 6))
    C = root @ root.T / 6

    def expectation(factors: tuple[int, ...]) -> float:
        if not factors:
            return 1.0
        first, rest = factors[0], factors[1:]
        return mean[first] * expectation(rest) + sum(
            C[first, j] * expectation(rest[:k] + rest[k + 1 :]) for k, j in enumerate(rest)
        )

    def gaussian(moment) -> float:
        return expectation(tuple(k for k, number in enumerate(moment) for _ in range(number)))

    known = {moment: gaussian(moment) for moment in monomials(2)}
    for text in ("z1 z1 z1", "x1 y2 z2", "x1 x1 y2 z2", "x1 y1 x2 y2", "z1 z1 z2 z2 x1"):
        moment = monomial(text)
        closed_value = evaluated(closed(moment, 3), known)
        # Up to 52 partitions of products of order 30 cancel.
        assert closed_value == pytest.approx(gaussian(moment), rel=1e-11, abs=1e-11)


def test_closure_at_order_4_keeps_three_cumulants():
    """m₄ = κ₁⁴ + 6κ₁²κ₂ + 3κ₂² + 4κ₁κ₃ (+ κ₄ = 0), from the moments of one variable."""
    k_1, k_2, k_3 = 0.3, 0.7, -0.2
    z = [monomial(" ".join(["z1"] * n)) for n in (1, 2, 3, 4)]
    known = {z[0]: k_1, z[1]: k_2 + k_1**2, z[2]: k_3 + 3 * k_1 * k_2 + k_1**3}
    expected = k_1**4 + 6 * k_1**2 * k_2 + 3 * k_2**2 + 4 * k_1 * k_3
    assert evaluated(closed(z[3], 4), known) == pytest.approx(expected, rel=16 * EPS)


def longitudinal_rates(power_of_z: int, moments: np.ndarray, beta_E: float) -> float:
    """d⟨(m₁ᶻ)ⁿ⟩/dt of the generator, (m₁ˣ)² and (m₁ʸ)² each being (1 − (m₁ᶻ)²)/2."""
    rates = {"Γ₀y₁": 1 / beta_E, "Γ₀ν₁/2": 0.5}
    total = 0.0
    for name, rate in rates.items():
        for (x, y, z, *_), c in generator(monomial(" ".join(["z1"] * power_of_z)))[name].items():
            assert (x, y) in ((0, 0), (2, 0), (0, 2))
            moment = moments[z] if x + y == 0 else (moments[z] - moments[z + 2]) / 2
            total += rate * float(c) * moment
    return total


@pytest.mark.parametrize("beta_E", [0.1, 2.0, 30.0])
def test_single_spin_equations(beta_E):
    """Eq. 37 for n = 1 … 4, and Eqs. 38 and 39 with the closure of ⟨(mᶻ)³⟩."""
    z = np.array([0.9, -0.3, 0.4])
    weights = np.array([0.2, 0.5, 0.3])
    moments = np.array([(weights * z**n).sum() for n in range(6)])
    expected = classical_spin.moment_rates(moments, beta_E)
    for n in (1, 2, 3, 4):
        assert longitudinal_rates(n, moments, beta_E) == pytest.approx(
            expected[n - 1], abs=64 * EPS * (1 + 16 / beta_E)
        )
    first, second = moments[1], moments[2]
    known = {monomial("z1"): first, monomial("z1 z1"): second}
    third = evaluated(closed(monomial("z1 z1 z1"), 3), known)
    closed_rates = classical_spin.closure_rates(first, second, beta_E)
    for n in (1, 2):
        assert longitudinal_rates(n, np.array([1, first, second, third]), beta_E) == pytest.approx(
            closed_rates[n - 1], abs=64 * EPS * (1 + 16 / beta_E)
        )


def test_equations_can_be_compared_with_the_printed_ones():
    """Eq. 47 for m₁ᶻ, the drift of C6, and the diffusion of C3, read off the page."""
    lines = {str(term) for term in equation(monomial("z1"), 3)}
    assert lines == {
        "− 2 (Γ₀y₁) ⟨m₁ᶻ⟩",
        "− 1 (Γ₀ν₁/2) ⟨(m₁ˣ)²⟩",
        "− 1 (Γ₀ν₁/2) ⟨(m₁ʸ)²⟩",
        "− 1 (ω₀ν₂/2) ⟨m₁ˣm₂ʸ⟩",
        "+ 1 (ω₀ν₂/2) ⟨m₁ʸm₂ˣ⟩",
    }
    drift = {str(t) for t in equation(monomial("z1 z1"), 3) if t.rate == "Γ₀ν₁/2"}
    assert "− 2 (Γ₀ν₁/2) ⟨m₁ᶻ⟩⟨(m₁ˣ)²⟩" in drift  # −Γ₀⟨(mˣ)²⟩⟨mᶻ⟩
    assert "− 4 (Γ₀ν₁/2) ⟨m₁ˣ⟩⟨m₁ˣm₁ᶻ⟩" in drift  # −2Γ₀⟨mˣmᶻ⟩⟨mˣ⟩
    diffusion = [str(t) for t in equation(monomial("x1 z1"), 3) if t.rate == "Γ₀y₁"]
    assert diffusion == ["− 5 (Γ₀y₁) ⟨m₁ˣm₁ᶻ⟩"]  # C3: −(Γ₀/βE)(4 + 1)⟨mˣmᶻ⟩


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("symmetric", [True, False])
def test_arrays_are_the_equations(order, symmetric):
    """The rates of the arrays against the terms of the equations, and the Jacobian's columns."""
    system = closed_moments(order, symmetric=symmetric)
    rates = np.array([0.7, 1.9, 0.4, 1.1, 2.3, 0.6])
    points = np.array([random_directions(seed) for seed in range(4)])
    moments = moments_of(points, np.array([0.1, 0.2, 0.3, 0.4]), order - 1)
    c = system.restrict(moments)
    values = system.values(c)
    if not symmetric:
        for moment, expected in moments.items():
            assert values[moment] == pytest.approx(expected, abs=10 * EPS)
    expected = [
        sum(
            rates[RATES.index(t.rate)]
            * float(t.coefficient)
            * math.prod(values[m] for m in t.moments)
            for t in equation(moment, order, traceless=order != 3)
        )
        for moment in system.coordinates
    ]
    gross = system.gross(c, rates)
    assert np.all(np.abs(system.derivative(c, rates) - expected) <= 64 * EPS * gross)
    # Five points give the derivative of a polynomial of degree ≤ 4 without truncation.
    direction = np.random.default_rng(4).normal(size=c.size)
    ahead = {k: system.derivative(c + k / 2 * direction, rates) for k in (-2, -1, 1, 2)}
    along = (ahead[-2] - 8 * ahead[-1] + 8 * ahead[1] - ahead[2]) / 6
    spread = sum(system.gross(c + k / 2 * direction, rates) for k in ahead)
    slope, _ = system.difference(c, direction, 0.0, rates)
    for derivative in (system.jacobian(c, rates) @ direction, slope):
        assert np.all(np.abs(derivative - along) <= 100 * EPS * spread)
    finite, _ = system.difference(c, direction, 1e-2, rates)
    ahead = system.derivative(c + 1e-2 * direction, rates)
    there = system.gross(c + 1e-2 * direction, rates)
    error = np.abs(finite - (ahead - system.derivative(c, rates)) / 1e-2)
    assert np.all(error <= 100 * EPS * (gross + there) / 1e-2)


def test_symmetric_moments_are_closed_in_themselves():
    """Where the state is symmetric, the rates of all moments are, too."""
    for order in (3, 4):
        small, full = (closed_moments(order, symmetric=s) for s in (True, False))
        rates = np.array([0.7, 1.9, 0.4, 1.1, 2.3, 0.6])
        c = np.random.default_rng(3).uniform(-0.5, 0.5, len(small.coordinates))
        everywhere = full.derivative(full.restrict(small.values(c)), rates)
        embedded = small.embedding @ small.derivative(c, rates)
        expected = [embedded[small.moments.index(moment)] for moment in full.coordinates]
        assert np.abs(everywhere - expected).max() < 1e3 * EPS


def test_wrong_moments_and_orders_name_the_remedy():
    with pytest.raises(InvalidInput, match=r"has the factor 'z3': separate factors by spaces"):
        monomial("x1 z3")
    with pytest.raises(InvalidInput, match=r"order must be 2, 3 or 4, but is 5: 3 is the paper's"):
        closed_moments(5, symmetric=True)
