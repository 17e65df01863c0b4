"""Modes of one bath and the pair's generator: quadrature, Bessel functions and closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.polynomial.legendre import leggauss
from scipy.special import ive, sph_harm_y

from ensemble import Engine, InvalidInput
from ensemble.closed_forms.classical_spin import magnetization, second_moment
from ensemble.limits.bath_modes import BathModes
from ensemble.limits.block_tridiagonal import BlockTridiagonal
from ensemble.limits.classical_pair import ClassicalPair
from ensemble.limits.pair_sector import PairSector
from tests.ensemble.fokker_planck_reference import bath_rates

EPS = float(np.finfo(float).eps)
MODES, ORDERS = 7, 4
REFERENCES = [0.0, 0.3, 4.0, 20.0, 200.0]

ENGINE = Engine(
    N=2,
    E_1=1,
    delta_E=9,
    T_mean=1.5,
    delta_T=2,
    omega_0=0.006,
    Gamma_0=0.001,
    scaling="high-temperature",
    spin_1=1,
    spin_2=2,
)
"""ν = (1, 2), b = (2, 8) and aN = −2: a refrigerator."""
CARNOT = replace(ENGINE, delta_E=4)
"""E₁/T₁ = E₂/T₂ = 2."""


@pytest.fixture(params=REFERENCES, ids=lambda b: f"b={b:g}")
def modes(request):
    return BathModes.of(request.param, modes=MODES, orders=ORDERS)


def rounding(modes: BathModes) -> float:
    """Of an integral: the grid's weights and the harmonics' recurrence, some eps per l."""
    return 20 * EPS * (1 + modes.harmonics)


class Grid:
    """Modes and their θ-derivatives on a Gauss–Legendre grid in z = cosθ, at φ = 0."""

    def __init__(self, modes: BathModes) -> None:
        n = modes.vectors.shape[1]
        # Products of two modes, z and derivatives: polynomials (times sin²θ at most) up to 2l + 2.
        self.z, self.weight = leggauss(modes.harmonics + 8)
        self.theta = np.arccos(self.z)
        values, slopes = [], []
        for mu, vectors in enumerate(modes.vectors):
            f, gradient = sph_harm_y(
                np.arange(mu, mu + n)[:, np.newaxis], mu, self.theta, 0.0, diff_n=1
            )
            # sph_harm_y is normalised on the sphere: ∫dφ gives 2π.
            values.append(np.sqrt(2 * np.pi) * vectors.T @ f.real)
            slopes.append(np.sqrt(2 * np.pi) * vectors.T @ gradient[..., 0].real)
        self.values, self.slopes = np.array(values), np.array(slopes)

    def between(self, left, right):
        return np.einsum("...ix,...jx,x->...ij", left, right, self.weight)


class TestBathModes:
    def test_the_first_mode_is_the_root_of_the_thermal_density(self, modes):
        """e^{−cz}, c = b/4, normalised: its square is the density e^{−bz/2}."""
        grid, c = Grid(modes), modes.reference / 4
        norm = np.sqrt(np.sinh(2 * c) / c if c else 2)
        exact = np.exp(-c * grid.z) / norm
        np.testing.assert_allclose(grid.values[0, 0], exact, atol=rounding(modes) * exact.max())

    @pytest.mark.parametrize("b", REFERENCES[1:])
    def test_the_first_mode_in_harmonics_is_a_bessel_function(self, b):
        """e^{−cz} = Σ (2l+1)(−1)^l i_l(c) P_l(z), with i_l(c) = √(π/2c) I_{l+½}(c)."""
        vectors = BathModes.of(b, modes=MODES, orders=ORDERS).vectors
        c, degree = b / 4, np.arange(vectors.shape[1])
        bessel = np.sqrt(np.pi / (2 * c)) * ive(degree + 0.5, c)  # times e^{−c}
        norm = np.sqrt(-np.expm1(-4 * c) / (2 * c))  # of e^{−cz}, times e^{−c}
        exact = (-1.0) ** degree * np.sqrt(2 * (2 * degree + 1)) * bessel / norm
        np.testing.assert_allclose(vectors[0, :, 0], exact, atol=1e-14)

    def test_modes_are_orthonormal(self, modes):
        grid = Grid(modes)
        overlap = grid.between(grid.values, grid.values)
        np.testing.assert_allclose(overlap, np.eye(MODES) + 0 * overlap, atol=rounding(modes))

    def test_rates_are_those_of_the_weak_form(self, modes):
        """⟨ψ|H|ψ′⟩ = ∫ (∂_θψ − c sinθ ψ)(∂_θψ′ − c sinθ ψ′) + μ²cot²θ ψψ′ dz.

        No second derivative, and at μ = 0 it is positive term by term.
        """
        grid, c = Grid(modes), modes.reference / 4
        sine = np.sin(grid.theta)
        slope = grid.slopes - c * sine * grid.values
        mu = np.arange(ORDERS + 1)[:, np.newaxis, np.newaxis]
        turn = mu * grid.z / sine * grid.values
        energy = grid.between(slope, slope) + grid.between(turn, turn)
        exact = modes.rates[:, :, np.newaxis] * np.eye(MODES)
        # Slopes cancel against c sinθ ψ, both up to c and √rate.
        atol = rounding(modes) * (c**2 + modes.rates.max())
        np.testing.assert_allclose(energy, exact, atol=atol)

    @pytest.mark.parametrize("b", [0.0, 0.3, 4.0, 20.0])  # e^{b/2} leaves no digits beyond
    def test_rates_are_those_of_the_generator_on_plain_harmonics(self, b):
        """Its matrix is not symmetric: eigenvalues err by eps times a condition of e^{b/2}."""
        rates = BathModes.of(b, modes=MODES, orders=ORDERS).rates
        for mu in range(ORDERS + 1):
            exact = bath_rates(1.0, b, mu, 60)[:4]  # y = 1 and ν = b
            # eps times the largest element, l(l + 1) ≤ 3660, times the condition.
            np.testing.assert_allclose(rates[mu, :4], exact, atol=3660 * EPS * np.exp(b / 2))

    def test_hot_bath_diffuses_freely(self):
        """b = 0: l(l+1) − μ²."""
        modes = BathModes.of(0.0, modes=MODES, orders=ORDERS)
        mu = np.arange(ORDERS + 1)[:, np.newaxis]
        degree = mu + np.arange(MODES)
        np.testing.assert_allclose(modes.rates, degree * (degree + 1) - mu**2, atol=1e-12)

    def test_cold_bath_is_two_oscillators(self):
        """b → ∞, in Γ₀ν: k + μ/2 around the south pole, k + 1 + μ/2 around the unstable north."""
        k, mu = np.array([0, 1, 1, 2, 2]), np.arange(3)[:, np.newaxis]
        deviations = []
        for b in (200.0, 400.0, 800.0):
            rates = BathModes.of(b, modes=5, orders=2).rates / b
            deviations.append(np.abs(rates - (k + mu / 2)).max())
        # The anharmonic correction is of order 1/b.
        assert deviations[0] < 0.15
        assert deviations[1] == pytest.approx(deviations[0] / 2, rel=0.05)
        assert deviations[2] == pytest.approx(deviations[0] / 4, rel=0.05)

    def test_matrix_elements(self, modes):
        """z, W, m⁺ and L⁺ = e^{iφ}(∂_θ + i cotθ ∂_φ), each against its integral."""
        grid, c = Grid(modes), modes.reference / 4
        f, slope, z, sine = grid.values, grid.slopes, grid.z, np.sin(grid.theta)
        atol = rounding(modes)
        steep = atol * modes.harmonics  # of ∂_θ, which multiplies rounding by l
        np.testing.assert_allclose(modes.z, grid.between(f, z * f), atol=atol)
        # (1 − z²)∂_z = −sinθ ∂_θ.
        drift = -2 * z * f - sine * slope - c * sine**2 * f
        np.testing.assert_allclose(modes.drift, grid.between(f, drift), atol=steep)
        np.testing.assert_allclose(modes.raising, grid.between(f[1:], sine * f[:-1]), atol=atol)
        mu = np.arange(ORDERS)[:, np.newaxis, np.newaxis]
        turned = slope[:-1] - mu * z / sine * f[:-1]
        np.testing.assert_allclose(modes.rotation, grid.between(f[1:], turned), atol=steep)

    def test_drift_conserves_the_norm(self, modes):
        """Row 0, along e^{−cz}: the integral of e^{−cz} times a density is the norm."""
        assert np.abs(modes.drift[0, 0]).max() == 0.0
        assert modes.rates[0, 0] == 0.0
        grid, c = Grid(modes), modes.reference / 4
        sine = np.sin(grid.theta)
        drift = -2 * grid.z * grid.values[0] - sine * grid.slopes[0] - c * sine**2 * grid.values[0]
        norm = grid.between(grid.values[0, :1], drift)
        np.testing.assert_allclose(norm, 0 * norm, atol=rounding(modes) * modes.harmonics)


@pytest.mark.parametrize("reference", [2.0, 5.0, 8.0, 12.0])
@pytest.mark.parametrize("difference", [0, 1])
def test_a_bath_in_the_modes_of_another_reference(reference, difference):
    """Its stationary state and its rates do not depend on the reference."""
    pair = ClassicalPair(ENGINE)
    y, b = pair.y[1], pair.b[1]
    assert b == pytest.approx(8)
    modes = BathModes.of(reference, modes=30, orders=2)
    sector = PairSector.of(
        pair, (BathModes.of(pair.b[0], modes=2, orders=2), modes), difference=difference
    )
    block = int(np.flatnonzero(sector.orders == 0)[0])  # the second spin has order d
    values, vectors = np.linalg.eig(sector.bath_2[block])
    order = np.argsort(-values.real)
    exact = pair.rates[1] * bath_rates(y, pair.share[1], difference, 60)
    # Rounding of 30 × 30 elements of up to Γ₀y·30², and e^{(b−b̃)/2} from the change of reference.
    rounding = 1e-13 * 900 * np.exp(abs(b - reference) / 2) * pair.rates[1] * y
    np.testing.assert_allclose(-values[order][:5].real, exact[:5], atol=rounding)
    if difference == 0:
        state = vectors[:, order[0]].real
        z = sector.z_2[block]
        assert (z @ state)[0] / state[0] == pytest.approx(magnetization(b), rel=1e-12)
        assert (z @ z @ state)[0] / state[0] == pytest.approx(second_moment(b), rel=1e-12)


def sector_of(engine: Engine, *, difference=0, parity=1, reference=None) -> PairSector:
    pair = ClassicalPair(engine)
    b = pair.b if reference is None else reference
    modes = tuple(BathModes.of(x, modes=5, orders=3) for x in b)
    return PairSector.of(pair, modes, difference=difference, parity=parity)


SECTORS = [(0, 1), (0, -1), (1, 0), (3, 0)]


def matrix(sector: PairSector, operator) -> np.ndarray:
    size = int(np.prod(sector.shape))
    columns = [operator(e.reshape(sector.shape)).ravel() for e in np.eye(size)]
    return np.array(columns).T


class TestPairSector:
    @pytest.mark.parametrize("reference", [None, (1.0, 3.0), (0.0, 0.0)])
    def test_norm_is_conserved(self, reference):
        """Row 0 of G: baths, turning and the term of the reference each leave the integral."""
        sector = sector_of(ENGINE, reference=reference)
        G = matrix(sector, sector.apply)
        assert np.abs(G[0]).max() <= 64 * EPS * np.abs(G).max()
        p = matrix(sector, sector.current)
        assert np.abs(p[0]).max() > 0.01 * sector.pair.flux  # row 0 of p is the flux itself

    @pytest.mark.parametrize("engine", [ENGINE, CARNOT], ids=["driven", "carnot"])
    def test_the_baths_own_density_moves_by_the_affinity_alone(self, engine):
        """G e₀ = aN p e₀: at the Carnot point it is stationary whatever the drive."""
        sector = sector_of(engine)
        e_0 = np.zeros(sector.shape)
        e_0[0, 0, 0] = 1
        moved = sector.apply(e_0)
        rounding = 64 * EPS * sector.pair.drive
        np.testing.assert_allclose(moved, sector.pair.affinity * sector.current(e_0), atol=rounding)
        if engine is CARNOT:
            assert sector.pair.affinity == 0
            assert np.abs(moved).max() <= rounding
        else:
            assert np.abs(moved).max() > 1e6 * rounding

    @pytest.mark.parametrize(("difference", "parity"), SECTORS)
    def test_detailed_balance(self, difference, parity):
        """G = D + (antisymmetric) + aN p/2 with D and p symmetric, and D ≤ 0."""
        sector = sector_of(ENGINE, difference=difference, parity=parity)
        G, p = matrix(sector, sector.apply), matrix(sector, sector.current)
        rounding = 64 * EPS * np.abs(G).max()
        still = sector_of(replace(ENGINE, omega_0=0), difference=difference, parity=parity)
        D = matrix(still, still.apply)
        assert np.abs(D - D.T).max() <= rounding
        assert np.linalg.eigvalsh(D).max() <= rounding
        assert np.abs(p - p.T).max() <= rounding
        np.testing.assert_allclose((G + G.T) / 2, D + sector.pair.affinity / 2 * p, atol=rounding)
        assert np.abs(G - G.T).max() > 0.1 * sector.pair.drive

    @pytest.mark.parametrize(("difference", "parity"), SECTORS)
    def test_current_is_bounded_by_the_flux(self, difference, parity):
        """p = ±(ω₀ν₁ν₂/4) sinθ₁ sinθ₂ sin(φ₁ − φ₂) multiplies: its spectrum is its range."""
        sector = sector_of(ENGINE, difference=difference, parity=parity)
        p = np.linalg.eigvalsh(matrix(sector, sector.current))
        assert np.abs(p).max() <= sector.pair.flux
        assert np.abs(p).max() > 0.3 * sector.pair.flux

    @pytest.mark.parametrize(("difference", "parity"), SECTORS)
    @pytest.mark.parametrize("reference", [None, (1.0, 3.0)])
    def test_decay_is_the_undriven_diagonal(self, difference, parity, reference):
        sector = sector_of(ENGINE, difference=difference, parity=parity, reference=reference)
        diagonal = np.diag(matrix(sector, sector.apply))
        np.testing.assert_allclose(-sector.decay.ravel(), diagonal, rtol=8 * EPS)

    @pytest.mark.parametrize(("difference", "parity"), SECTORS)
    def test_blocks(self, difference, parity):
        sector = sector_of(ENGINE, difference=difference, parity=parity)
        orders, top = sector.orders, 3
        if difference == 0:
            assert orders.tolist() == list(range(0 if parity == 1 else 1, top + 1))
        else:
            assert np.abs(orders).max() == top
            assert np.abs(difference - orders).max() == top
        assert sector.shape == (len(orders), 5, 5)


class TestBlockTridiagonal:
    @pytest.fixture
    def selected(self):
        """A ragged selection with a whole block missing at the end."""
        sector = sector_of(ENGINE)
        mu, k_1, k_2 = np.indices(sector.shape)
        selection = (mu + k_1 + k_2 < 5) & (mu < 3)
        selection[0, 0, 0] = False
        return sector, selection

    def test_dense_is_the_generator_on_the_selection(self, selected):
        sector, selection = selected
        G = matrix(sector, sector.apply)
        chosen = selection.ravel()
        system = BlockTridiagonal.of(sector, selection)
        np.testing.assert_allclose(
            system.dense(), G[np.ix_(chosen, chosen)], atol=16 * EPS * np.abs(G).max()
        )
        x = np.cos(np.arange(chosen.sum()))
        np.testing.assert_allclose(system.multiply(x), system.dense() @ x, rtol=1e-12)

    def test_solution_and_residual(self, selected):
        sector, selection = selected
        system = BlockTridiagonal.of(sector, selection)
        right = np.cos(np.arange(np.prod(sector.shape))).reshape(sector.shape)
        x, residual = system.solve(right)
        assert residual <= 8 * EPS
        assert np.abs(x[~selection]).max() == 0
        exact = np.linalg.solve(system.dense(), right[selection])
        condition = np.linalg.cond(system.dense())
        np.testing.assert_allclose(
            x[selection], exact, atol=8 * EPS * condition * np.abs(exact).max()
        )

    @pytest.mark.parametrize("shift", [0.002, 0.001 + 0.003j, 0.004j])
    def test_shifted(self, selected, shift):
        sector, selection = selected
        system = BlockTridiagonal.of(sector, selection, shift=shift)
        right = np.cos(np.arange(selection.sum()))
        x = system.back_substitute(right)
        back = system.dense() @ x - shift * x
        condition = np.linalg.cond(system.dense() - shift * np.eye(right.size))
        np.testing.assert_allclose(back, right, atol=8 * EPS * condition)

    def test_no_solution_is_certified_by_accident(self, selected):
        """The residual of a wrong solution is of order one."""
        sector, selection = selected
        system = BlockTridiagonal.of(sector, selection)
        system.factors  # noqa: B018 — made before the diagonal is spoilt
        spoilt = replace(system, diagonal=[D * 1.5 for D in system.diagonal])
        object.__setattr__(spoilt, "factors", system.factors)
        right = np.ones(sector.shape)
        assert spoilt.solve(right)[1] > 1e-6


class TestClassicalPair:
    def test_parameters(self):
        pair = ClassicalPair(ENGINE)
        assert pair.y == pytest.approx((0.5, 0.25), rel=4 * EPS)
        assert pair.share == (1, 2)
        assert pair.b == pytest.approx((2, 8), rel=4 * EPS)
        assert pair.affinity == pytest.approx(-2, rel=8 * EPS)
        assert pair.flux == pytest.approx(0.003, rel=4 * EPS)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"scaling": "bare"}, r"'bare': use scaling high-temperature, or method bosonic"),
            ({"statistics": "fermionic"}, r"do not grow with T, .*: use .*method exact"),
        ],
    )
    def test_refusals(self, change, message):
        with pytest.raises(InvalidInput, match=message):
            ClassicalPair(replace(ENGINE, **change))
