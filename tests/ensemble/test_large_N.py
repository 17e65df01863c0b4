"""Large N: the matrix-free generator, truncation and the three linear solvers agree and certify."""

from dataclasses import replace

import numpy as np
import pytest

from ensemble import Engine, Exact, InvalidInput, Status
from ensemble.generator.assembled import Assembled
from ensemble.generator.liouvillian import DOWN_1, DOWN_2, UP_1, UP_2
from ensemble.generator.sector import Sector
from ensemble.generator.stencil import Stencil
from ensemble.steady.factorization import has_pardiso
from ensemble.steady.krylov import Krylov
from ensemble.steady.sector_forecast import WELL_SCALED, largest_fall
from ensemble.steady.stationary import stationary

STEADY = Engine(
    N=40, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006, Gamma_0=0.001,
    scaling="high-temperature",
)  # fmt: skip
FRIDGE = Engine(N=40, E_1=100, delta_E=125, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1)
PUMPED = Engine(N=40, E_1=1, delta_E=9, T_mean=13.5, delta_T=26.5, omega_0=1, Gamma_0=1)
"""T₁ = 0.25, so cold that its populations cannot be diagonalised, beside T₂ = 26.75."""

SECTORS = [(4, 4, -1, -1, -1), (5, 3, -1, -1, -1), (3, 6, 2, -1, -1), (9, 7, 2, 5, 4)]


@pytest.mark.parametrize("shape", SECTORS)
def test_stencil_is_the_assembled_generator(shape):
    engine = replace(FRIDGE, N=4, spin_1=shape[0] / 2, spin_2=shape[1] / 2)
    assembled = Assembled.of(engine, Sector(*shape))
    stencil, matrix = Stencil(engine, assembled.sector), assembled.matrix
    x = np.random.default_rng(1).normal(size=assembled.sector.size)
    rounding = 20 * np.finfo(float).eps * (abs(matrix) @ abs(x)).max()
    assert stencil.apply(x) == pytest.approx(matrix @ x, abs=rounding)
    assert stencil.apply_magnitude(x) == pytest.approx(abs(matrix) @ x, abs=rounding)
    assert stencil.apply(x) == pytest.approx(assembled.apply(x), abs=rounding)
    assert stencil.apply_magnitude(x) == pytest.approx(assembled.apply_magnitude(x), abs=rounding)
    for part in (DOWN_1, UP_1, DOWN_2, UP_2):
        assert stencil.jump(part) @ x == pytest.approx(assembled.jump(part) @ x, abs=rounding)
    assert stencil.hop_anticommutator() @ x == pytest.approx(
        assembled.hop_anticommutator() @ x, abs=rounding
    )


@pytest.mark.parametrize("shape", SECTORS)
def test_a_closed_truncation_conserves_the_trace(shape):
    engine = replace(FRIDGE, N=4, spin_1=shape[0] / 2, spin_2=shape[1] / 2)
    sector = Sector(*shape)
    x = np.random.default_rng(2).normal(size=sector.size)
    change = Stencil(engine, sector, closed=True).apply(x)
    assert abs(sector.trace @ change) <= 20 * np.finfo(float).eps * np.abs(change).sum()


@pytest.mark.parametrize("engine", [STEADY, FRIDGE, PUMPED], ids=["steady", "fridge", "pumped"])
def test_baths_are_inverted_at_every_order(engine):
    """Whichever way: PUMPED has unlike baths, of which one is not diagonalised."""
    krylov = Krylov.of(Stencil(engine, Sector(*engine.levels, coherence_order=2), closed=True))
    ratios = engine.cold.log_ratio, engine.hot.log_ratio
    assert (largest_fall(40, 40, *ratios) > WELL_SCALED) == (engine is PUMPED)
    rng = np.random.default_rng(3)
    for (cold, hot), inverse in zip(krylov.generator.bands, krylov.inverses, strict=True):
        wanted = rng.normal(size=(cold.loss.size, hot.loss.size))
        right = cold.apply(wanted) + hot.apply(wanted.T).T
        found = inverse(right)
        # At q = 0 the stationary state is missing, and triangular forms are shifted by 1e-3.
        error = cold.apply(found) + hot.apply(found.T).T - right
        if found.shape != (41, 41):
            assert np.abs(error).max() <= 1e-10 * np.abs(right).max()
            assert found == pytest.approx(wanted, abs=1e-8)


@pytest.mark.parametrize("order", [0, 1, 4, 5])
@pytest.mark.parametrize("engine", [STEADY, FRIDGE], ids=["steady", "fridge"])
def test_elimination_of_the_odd_orders_is_that_of_the_scaled_generator(engine, order):
    """D_e − K_eo D_o⁻¹ K_oe by dense algebra on the assembled matrix, N = 7 and unequal cuts."""
    engine = replace(engine, N=7)
    sector = Sector(7, 7, coherence_order=order, cut_1=6, cut_2=5)
    krylov = Krylov.of(Stencil(engine, sector, closed=True))
    L = np.array([krylov.generator.apply(column) for column in np.eye(sector.size)]).T
    plain = Stencil(engine, sector, closed=True)
    expected = np.array([plain.apply(column) for column in np.eye(sector.size)]).T
    w = krylov.weight
    assert pytest.approx(L, rel=1e-12, abs=1e-12) == expected * w / w[:, np.newaxis]
    even, odd = (np.flatnonzero(sector.q % 2 == parity) for parity in (0, 1))
    reduced = L[np.ix_(even, even)]
    if odd.size:
        inner = np.linalg.solve(L[np.ix_(odd, odd)], L[np.ix_(odd, even)])
        reduced = reduced - L[np.ix_(even, odd)] @ inner
    x = np.zeros(sector.size)
    u = np.random.default_rng(0).normal(size=sector.size)
    x[even] = u[even]
    solved = krylov._flat(krylov._inverted(krylov._stacked(x, 0), 0), np.zeros((9, 7, 6)))
    image = krylov._reduced(krylov._stacked(x, 0).ravel())
    image = krylov._flat(image.reshape(-1, 7, 6), np.zeros((9, 7, 6)))
    assert image[even] == pytest.approx(reduced @ solved[even], abs=1e-10 * np.abs(L).max())


@pytest.mark.parametrize("engine", [STEADY, FRIDGE], ids=["steady", "fridge"])
@pytest.mark.parametrize("solver", ["gmres", "superlu"])
def test_truncated_values_are_the_complete_ones(engine, solver):
    """N = 26, just above where truncation sets in, against all orders (two ways to solve each)."""
    engine = replace(engine, N=26)
    truncated = Exact(solver=solver).solve(engine)
    whole = Exact(solver="superlu", coherence_order=26).solve(engine)
    assert truncated.status is Status.OK
    assert truncated.diagnostics["solver"] == solver
    assert truncated.diagnostics["coherence_order"] < whole.diagnostics["coherence_order"] == 26
    for name, value in whole.values.items():
        # A residual of at most 1e-13 (the aim), times ‖L‖/gap ~ N² = 676 for its effect.
        assert truncated.values[name] == pytest.approx(value, rel=1e-10, abs=0, nan_ok=True), name


def test_baths_too_cold_to_diagonalise_are_iterated_on_too():
    engine = replace(PUMPED, N=26)
    iterated, factorised = (Exact(solver=name).solve(engine) for name in ("gmres", "superlu"))
    assert iterated.status is factorised.status is Status.OK
    assert iterated.values["power"] == pytest.approx(factorised.values["power"], rel=1e-9)


@pytest.mark.skipif(not has_pardiso(), reason="pypardiso is optional; Linux on x86 tests it")
def test_pardiso_agrees():
    iterated, factorised = (Exact(solver=name).solve(STEADY) for name in ("gmres", "pardiso"))
    assert factorised.status is Status.OK
    assert factorised.diagnostics["solver"] == "pardiso"
    for name, value in iterated.values.items():
        assert factorised.values[name] == pytest.approx(value, rel=1e-10, nan_ok=True), name


def test_a_truncation_that_is_too_small_is_not_certified():
    """With one coherence order the equations are solved to rounding, but the state leaks."""
    solution = Exact(coherence_order=1).solve(STEADY)
    assert solution.status is Status.UNCERTIFIED
    assert "relative residual" in solution.message
    state = stationary(STEADY, coherence_order=1)
    padded = state.generator.sector
    inside = state.truncation.sector(STEADY).positions_in(padded)
    defect = np.abs(state.solver.generator.apply(state.rho))
    scale = state.solver.generator.apply_magnitude(state.rho).sum()
    assert defect[inside].sum() <= 8 * np.finfo(float).eps * scale
    assert defect.sum() > 1e-10 * scale


def test_residual_and_error_fall_together():
    """Raising the order lowers residual and error; the error stays within N² of the residual."""
    exact = Exact().solve(STEADY).values["power_variance"]
    for order in (2, 3, 4, 5):
        solution = Exact(coherence_order=order).solve(STEADY)
        error = abs(solution.values["power_variance"] / exact - 1)
        assert error <= STEADY.N**2 * solution.diagnostics["residual"]


def test_populations_are_truncated_where_they_vanish():
    """Bare, N = 400 with about one thermal quantum: 36 excitations are enough."""
    solution = Exact().solve(replace(FRIDGE, N=400))
    assert solution.status is Status.OK
    assert solution.diagnostics["excitation_cut"] < 60
    # P/N → ω₀²Γ₀(n₂−n₁)ΔE/(2(ω₀²+Γ₀²)) with a correction of order n/N ~ 1/400.
    n_1, n_2 = 1 / np.expm1(1.0), 1 / np.expm1(1.125)
    assert solution.values["power_per_pair"] == pytest.approx(125 * (n_2 - n_1) / 4, rel=1 / 200)


def test_large_N_approaches_the_macroscopic_limit():
    """N = 50, 100 extrapolated in 1/N against the exact limit, 6.07793052e-5 and 0.01094010128."""
    small, large = (Exact().solve(replace(STEADY, N=N)) for N in (50, 100))
    for name, limit in (
        ("power_per_pair", 6.07793052e-5),
        ("power_per_pair_variance", 0.01094010128),
    ):
        extrapolated = 2 * large.values[name] - small.values[name]
        # The neglected 1/N² term: what Richardson removed, over N.
        correction = abs(large.values[name] - small.values[name])
        assert abs(extrapolated - limit) <= correction / 10


@pytest.mark.parametrize("beta_E", [1e-3, 1.0, 50.0])
@pytest.mark.parametrize("scaling", ["bare", "high-temperature"])
def test_any_temperature_is_certified(beta_E, scaling):
    engine = Engine(
        N=40, E_1=1, delta_E=0.5, T_mean=1.2 / beta_E, delta_T=0.4 / beta_E,
        omega_0=1, Gamma_0=1, scaling=scaling,
    )  # fmt: skip
    solution = Exact().solve(engine)
    assert (solution.status, solution.message) == (Status.OK, "")
    assert solution.values["power"] < 0 < solution.values["power_variance"]


@pytest.mark.slow
@pytest.mark.parametrize("N", [256, 512])
def test_hundreds_of_pairs(N):
    solution = Exact().solve(replace(STEADY, N=N))
    assert solution.status is Status.OK
    assert solution.diagnostics["solver"] == "gmres"
    assert solution.values["power_per_pair"] == pytest.approx(6.07793052e-5, rel=4 / N)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solver": "umf"}, "solver must be one of auto, superlu, pardiso, gmres, basis, but is"),
        (
            {"coherence_order": 0},
            "coherence_order must be a whole number ≥ 1, but is 0: leave it out",
        ),
        ({"coherence_order": True}, "coherence_order must be a finite number, but is True"),
        ({"coherence_order": 1.5}, "coherence_order must be a whole number ≥ 1, but is 1.5"),
    ],
)
def test_exact_refuses(options, message):
    with pytest.raises(InvalidInput, match=message):
        Exact(**options)
