"""Local baths and dephasing of every spin: exactly, and in the limit of vanishing rates.

The references know nothing of total spins: single spins ½ one by one (`single_spins`), in 40 digits
where rates are as small as 1e-9 Γ₀, QuTiP's PIQS for one ensemble, and a closed form at N = 1.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.heat_engine.methods import METHODS
from ensemble import Engine, Exact, InvalidInput, Status, WeakLocal
from ensemble.closed_forms.single_pair import single_pair_current
from ensemble.counting.cumulants import cumulants
from ensemble.counting.generating_function import generating_function
from ensemble.evolution.dynamics import evolve, fock
from ensemble.generator.assembled import Assembled
from ensemble.generator.liouvillian import DOWN_1, DOWN_2, UP_1, UP_2
from ensemble.generator.sector import Sector
from ensemble.local_noise.assembled import AssembledNoise
from ensemble.local_noise.generator import NoisyGenerator
from ensemble.local_noise.observables import total_spins
from ensemble.local_noise.sector import SpinSector
from ensemble.local_noise.spins import SpinBasis, log_multiplicity, spin_parts
from ensemble.local_noise.stationary import noisy_stationary
from ensemble.local_noise.weak_local import pairs_kept, switching
from ensemble.methods.qutip_model import state_to_qutip, to_qutip
from ensemble.spectrum.gap import gap
from ensemble.steady.stationary import stationary
from tests.ensemble.single_spins import SingleSpins
from tests.strategies import engines, log_uniform

SHARED = {"E_1": 100.0, "delta_E": 125.0, "T_mean": 150.0, "delta_T": 100.0, "omega_0": 1.0,
          "Gamma_0": 1.0}  # fmt: skip
NOISE = {"Gamma_local": 0.1, "Gamma_dephasing": 0.5}
AGREEMENT = 1e-11
"""Relative.  Dense LU of up to 924 unknowns is good to some 1e-14 of the largest term; the current
is 1/250 of the flows that it is made of."""

SYSTEMS = {
    "N = 1": {"N": 1},
    "N = 2": {"N": 2},
    "N = 3": {"N": 3},
    "1 and 2 spins": {"N": 2, "spin_1": 0.5},
    "3 and 1 spins": {"N": 2, "spin_1": 1.5, "spin_2": 0.5},
    "engine": {"N": 2, "delta_E": 50.0},
    "strong drive": {"N": 2, "omega_0": 20.0},
    "dephasing alone": {"N": 2, "Gamma_local": 0.0},
    "local baths alone": {"N": 3, "Gamma_dephasing": 0.0},
    "strong noise": {"N": 2, "Gamma_local": 30.0, "Gamma_dephasing": 50.0},
    "scaled, unlike rates": {"N": 2, "scaling": "high-temperature", "Gamma_1": 0.4, "spin_2": 1.5},
    "fermions": {"N": 2, "statistics": "fermionic", "mu_1": 20.0, "mu_2": 60.0},
}


def engine_of(**changes) -> Engine:
    return Engine(**{"N": 2, **SHARED, **changes})


@pytest.mark.parametrize("solver", ["superlu", "gmres"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_values_are_those_of_single_spins(system, solver):
    engine = engine_of(**{**NOISE, **SYSTEMS[system]})
    reference = SingleSpins(engine)
    solution = Exact(solver=solver).solve(engine)
    assert solution.status is Status.OK
    for name, value in reference.values().items():
        assert solution.values[name] == pytest.approx(value, rel=AGREEMENT), name
    for ensemble in range(2):  # counting jumps at either bath is Eq. 11
        assert reference.counted(ensemble) == pytest.approx(
            solution.values["quanta_noise"], rel=AGREEMENT
        )


def test_the_activity_counts_local_jumps_too():
    engine = engine_of(**NOISE, N=3)
    reference = SingleSpins(engine)
    found = Exact().solve(engine, ["dynamical_activity"]).values["dynamical_activity"]
    expected = reference.jump_rate(0) + reference.jump_rate(1)
    assert found == pytest.approx(expected, rel=AGREEMENT)


PUBLIC = {
    # (Γ_loc, Γ_φ): P, D, ⟨J₁²⟩ over its maximum; brute force by others, all digits printed.
    (0.1, 0.0): (-1.565895833, 0.2011909618, 0.8036564052),
    (0.1, 0.5): (-1.252331076, 0.1605224889, None),
    (1.0, 0.0): (-1.148573668, 0.1472007605, None),
    (1e-6, 0.0): (-1.604323277, 64.81881199, 0.8037027607),
}
"""The last D was printed as 64.81881198; 40 digits give 64.818811986 (see below)."""


@pytest.mark.parametrize("noise", PUBLIC)
def test_published_values_of_two_pairs(noise):
    solution = Exact().solve(engine_of(Gamma_local=noise[0], Gamma_dephasing=noise[1]))
    names = ("power", "quanta_noise", "total_spin_1")
    for name, value in zip(names, PUBLIC[noise], strict=True):
        if value is not None:
            # The last digit of a printed number may be off by one.
            unit = 10.0 ** (math.floor(math.log10(abs(value))) - 9)
            assert abs(solution.values[name] - value) < 1.01 * unit, name


def exact_digits(engine: Engine, digits: int = 40) -> tuple[float, float]:
    """Power and noise of single spins in many digits; bosonic baths, bare scaling.

    The structure is that of `SingleSpins`, whose matrices per unit of each rate hold multiples of
    ¼, √ of nothing: they are read off and summed with rates of so many digits.
    """
    mp = mpmath.mp.clone()
    mp.dps = digits
    spins = SingleSpins(engine)
    half = mp.mpf(engine.delta_T) / 2
    T = (engine.T_mean - half, engine.T_mean + half)
    E = (mp.mpf(engine.E_1), mp.mpf(engine.E_1) + engine.delta_E)
    n = [1 / (mp.exp(energy / t) - 1) for energy, t in zip(E, T, strict=True)]
    one = np.eye(2 ** sum(engine.levels))
    hop = (spins.collective[0].T @ spins.collective[1]).toarray()
    drive = spins.superoperator(hop + hop.T, one) - spins.superoperator(one, hop + hop.T)
    terms = [(mp.mpc(0, -engine.omega_0 / 2), drive)]
    jumps = []
    for i in range(2):
        operators = [(mp.mpf(engine.rates[i]), spins.collective[i])]
        operators += [(mp.mpf(engine.Gamma_local), spins.lowering[k]) for k in spins.spins[i]]
        for rate, a in operators:
            terms += [
                (rate * (n[i] + 1), spins.dissipator(a)),
                (rate * n[i], spins.dissipator(a.T)),
            ]
            if i == 1:
                jumps += [(-rate * (n[i] + 1), spins.jump(a)), (rate * n[i], spins.jump(a.T))]

    def summed(parts):
        matrix = mp.matrix(spins.kept.size)
        for factor, part in parts:
            for row, column in zip(*np.nonzero(part), strict=True):
                quarter = mp.mpf(round(4 * part[row, column].real)) / 4
                assert abs(part[row, column] - float(quarter)) < 1e-12
                matrix[int(row), int(column)] += factor * quarter
        return matrix

    trace = mp.matrix([[int(t) for t in spins.trace.real]])
    grounded = summed(terms)
    grounded[0, :] = trace
    right = mp.matrix(spins.kept.size, 1)
    right[0] = 1
    rho = mp.lu_solve(grounded, right)
    flow, active = summed(jumps), summed([(abs(rate), part) for rate, part in jumps])
    tilted = flow * rho
    current = (trace * tilted)[0]
    source = tilted - current * rho
    source[0] = 0
    noise = (trace * (active * rho))[0] - 2 * (trace * (flow * mp.lu_solve(grounded, source)))[0]
    return float((engine.delta_E * current).real), float(noise.real)


@pytest.mark.parametrize("solver", ["superlu", "gmres"])
@pytest.mark.parametrize("rate", [1e-6, 1e-9, 1e-13])
def test_weak_noise_keeps_its_digits(rate, solver):
    engine = engine_of(Gamma_local=rate, spin_1=0.5)
    power, noise = exact_digits(engine)
    solution = Exact(solver=solver).solve(engine, ["power", "quanta_noise"])
    assert solution.status is Status.OK
    assert solution.values["power"] == pytest.approx(power, rel=1e-13)
    assert solution.values["quanta_noise"] == pytest.approx(noise, rel=1e-12)


def test_noise_of_two_pairs_with_weak_local_baths_in_forty_digits():
    # 70 unknowns: exact_digits(engine_of(Gamma_local=1e-6)) gave this.
    values = Exact().solve(engine_of(Gamma_local=1e-6)).values
    assert values["power"] == pytest.approx(-1.604323277314508, rel=1e-14)
    assert values["quanta_noise"] == pytest.approx(64.81881198614132, rel=1e-14)


@functools.cache
def piqs_liouvillian(n: int, **rates: float):
    """QuTiP's permutation-invariant Liouvillian of one ensemble, and its number of states."""
    piqs = pytest.importorskip("qutip.piqs.piqs")
    return piqs.Dicke(n, **rates).liouvillian().full(), piqs.num_dicke_states(n)


@pytest.mark.parametrize("q", [0, 1, 2, 5])
def test_one_ensemble_is_that_of_piqs(q):
    """The action on |J, M⟩⟨J, M'| with M' − M = q of QuTiP's permutation-invariant Liouvillian."""
    n, rates = 5, {"down": 1.3, "up": 0.4, "local_down": 0.7, "local_up": 0.3, "local_z": 0.9}
    liouvillian, size = piqs_liouvillian(
        n,
        collective_emission=rates["down"],
        collective_pumping=rates["up"],
        emission=rates["local_down"],
        pumping=rates["local_up"],
        dephasing=4 * rates["local_z"],  # PIQS dephases with σᶻ/2
    )
    parts, basis = spin_parts(n, q), SpinBasis(n, q)
    jumps = sum(rate * getattr(parts, name) for name, rate in rates.items()).toarray()
    losses = sum(
        rate * getattr(parts, f"{name}_loss") for name, rate in rates.items() if name != "local_z"
    )
    own = jumps - np.diag(losses + rates["local_z"] * n)
    # PIQS orders J from n/2 down and M from J down within it.
    start = {j: sum(k + 1 for k in range(n, j, -2)) for j in range(n, -1, -2)}
    level = (basis.j + n) // 2 - basis.low  # J − M of the smaller number
    row = np.array([start[j] for j in basis.j]) + level
    place = (row - q) * size + row  # column-stacked: ket `row`, bra q higher in M
    theirs = liouvillian[np.ix_(place, place)]
    # PIQS forms its elements in single precision.
    assert np.abs(theirs - own).max() < np.finfo(np.float32).eps * np.abs(own).max()


@pytest.mark.parametrize(("n_1", "n_2"), [(3, 3), (4, 2)])
def test_without_noise_the_symmetric_spins_have_the_generator_of_collective_ones(n_1, n_2):
    engine = engine_of(N=3, spin_1=n_1 / 2, spin_2=n_2 / 2)
    all_spins, collective = SpinSector(n_1, n_2), Sector(n_1, n_2)
    symmetric = (all_spins.j_1 == n_1) & (all_spins.j_2 == n_2)
    order = collective.index(*(getattr(all_spins, k)[symmetric] for k in ("k_1", "k_2", "q")))
    x = np.random.default_rng(1).normal(size=collective.size)
    embedded = np.zeros(all_spins.size)
    embedded[symmetric] = x[order]
    moved = NoisyGenerator(engine, all_spins).apply(embedded)
    assert np.all(moved[~symmetric] == 0)
    expected = Assembled.of(engine, collective).apply(x)[order]
    assert np.abs(moved[symmetric] - expected).max() < 1e-14 * np.abs(expected).max() * 10


def test_without_noise_exact_is_the_collective_engine():
    solution = Exact().solve(engine_of(N=4))
    state = stationary(engine_of(N=4))
    assert solution.diagnostics["excitation_cut"] == 4
    assert solution.values["quanta_current"] == -state.engine.drive * (state.sector.hop @ state.rho)
    assert solution.values["total_spin_1"] == solution.values["total_spin_2"] == 1.0


def test_generator_conserves_the_trace_and_is_the_assembled_one():
    engine = engine_of(N=4, spin_2=2.5, Gamma_2=0.3, **NOISE)
    stored, generator = (
        kind(engine, SpinSector(4, 5)) for kind in (AssembledNoise, NoisyGenerator)
    )
    x = np.random.default_rng(2).normal(size=generator.sector.size)
    columns = stored.magnitude.sum(axis=0)
    assert np.abs(generator.sector.trace @ stored.matrix).max() < 1e-14 * columns.max()
    rounding = {"rtol": 1e-13, "atol": 1e-13 * columns.max()}
    assert np.allclose(generator.apply(x), stored.apply(x), **rounding)
    assert np.allclose(generator.apply_magnitude(x), stored.apply_magnitude(x), **rounding)
    for part in (DOWN_1, UP_1, DOWN_2, UP_2):
        assert np.allclose(generator.jump(part) @ x, stored.jump(part) @ x, **rounding)
    one, other = (found.hop_anticommutator() @ x for found in (generator, stored))
    assert np.allclose(one, other, **rounding)


@given(n=st.integers(1, 12))
def test_multiplicities_count_all_states(n):
    j = np.arange(n, -1, -2)
    assert np.exp(log_multiplicity(n, j)) @ (j + 1) == pytest.approx(2.0**n, rel=1e-12)


@given(
    engine=engines(highest_N=3),
    local=log_uniform(1e-4, 1e2),
    dephasing=st.just(0.0) | log_uniform(1e-4, 1e2),
)
def test_random_engines_obey_both_laws_and_vouch_for_it(engine, local, dephasing):
    noisy = dataclasses.replace(
        engine, Gamma_local=local * engine.Gamma_0, Gamma_dephasing=dephasing * engine.Gamma_0
    )
    solution = Exact().solve(noisy)
    # Baths far hotter than E make the heats small differences of large flows: it says so.
    assert solution.status in (Status.OK, Status.UNCERTIFIED), solution.message
    assert solution.values["entropy_production"] >= 0
    assert solution.diagnostics["residual"] < 1e-10
    assert 0 < solution.values["total_spin_1"] <= 1 + 1e-12


@pytest.mark.parametrize("a", [0.0, 1e-12, 1e-6, 1e-3])
def test_constancy_is_one_at_the_carnot_point(a):
    # a = E₁/T₁ − E₂/T₂ with T₁ = 100, T₂ = 200
    engine = engine_of(N=4, delta_E=100.0 - 200.0 * a, **NOISE)
    values = Exact().solve(engine).values
    assert values["constancy"] == pytest.approx(1.0, abs=max(1e-12, engine.affinity**2))
    if a:
        conductance = Exact().solve(engine_of(N=4, delta_E=100.0, **NOISE)).values["quanta_noise"]
        # J = aD/2 by linear response, to relative order a.
        assert values["quanta_current"] == pytest.approx(
            engine.affinity * conductance / 2, rel=1e-11 + engine.affinity
        )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"omega_0": 6.0},
        {"T_mean": 60.0},
        {"T_mean": 51.0},
        {"E_1": 300.0, "delta_E": 0.0, "T_mean": 550.0, "delta_T": 900.0},
        {"Gamma_local": 1e-7, "Gamma_dephasing": 0.0},
        {"statistics": "fermionic", "mu_1": 120.0, "mu_2": 50.0},
    ],
)
def test_iteration_and_factorisation_agree(changes):
    engine = engine_of(**{"N": 6, **NOISE, **changes})
    one, other = (Exact(solver=solver).solve(engine) for solver in ("superlu", "gmres"))
    assert one.status is other.status is Status.OK
    for name, value in one.values.items():
        assert other.values[name] == pytest.approx(value, rel=1e-9, nan_ok=True), name


@pytest.mark.slow
@pytest.mark.parametrize(("N", "changes"), [(20, {}), (24, {}), (24, {"T_mean": 60.0})])
def test_many_spins_are_certified(N, changes):
    solution = Exact().solve(engine_of(N=N, **NOISE, **changes))
    assert solution.status is Status.OK
    assert solution.diagnostics["solver"] == "gmres"
    assert solution.diagnostics["residual"] < 1e-13
    assert solution.diagnostics["self_check"] < 1e-11
    # The average per pair approaches its limit as 1/N.
    fewer = Exact().solve(engine_of(N=N // 2, **NOISE, **changes))
    ratio = solution.values["power_per_pair"] / fewer.values["power_per_pair"]
    assert 1 < ratio < 1.3


def test_higher_cumulants_are_those_counted_at_a_bath():
    state = noisy_stationary(engine_of(N=3, **NOISE))
    paired, hot, cold = (cumulants(state, bath=bath) for bath in (None, "hot", "cold"))
    assert np.allclose(hot.rates, paired.rates, rtol=1e-9, atol=0)
    assert np.allclose(cold.rates, paired.rates, rtol=1e-9, atol=0)


def test_a_truncated_coherence_order_shows_in_the_residual():
    engine = engine_of(N=6, **NOISE)
    whole = Exact().solve(engine)
    few, more = (Exact(coherence_order=order).solve(engine) for order in (2, 5))
    assert few.status is Status.UNCERTIFIED
    assert few.diagnostics["residual"] > 100 * more.diagnostics["residual"] > 0
    error = abs(more.values["power"] / whole.values["power"] - 1)
    assert error < 10 * more.diagnostics["residual"]


def test_a_single_pair_cannot_tell_local_from_collective_baths():
    engine = engine_of(N=1, Gamma_1=0.7, **NOISE)
    current = Exact().solve(engine).values["quanta_current"]
    assert single_pair_current(engine) == pytest.approx(current, rel=1e-13)
    merged = engine_of(N=1, Gamma_1=0.8, Gamma_2=1.1, Gamma_dephasing=0.5)
    assert single_pair_current(merged) == pytest.approx(current, rel=1e-13)


def test_strong_dephasing_and_hot_baths_mix_the_total_spins_completely():
    # At infinite temperature all 2ⁿ states are equally likely: ⟨J²⟩ = 3n/4.
    engine = Engine(N=4, E_1=1e-6, delta_E=1e-6, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1,
                    Gamma_local=1, Gamma_dephasing=1)  # fmt: skip
    assert total_spins(noisy_stationary(engine)) == pytest.approx((0.5, 0.5), rel=1e-6)


@pytest.mark.parametrize("name", [name for name, m in METHODS.items() if not m.local_noise])
@pytest.mark.parametrize("noise", NOISE)
def test_methods_without_local_noise_refuse_it_in_one_line(name, noise):
    changes = {"undriven": {"omega_0": 0.0}, "macroscopic": {"scaling": "high-temperature"},
               "cumulant": {"scaling": "high-temperature"}}.get(name, {})  # fmt: skip
    method = METHODS[name]()
    method.accept(engine_of(**changes))
    with pytest.raises(InvalidInput, match=f"{noise} is 0.1.*method exact") as refusal:
        method.accept(engine_of(**{**changes, noise: 0.1}))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "call",
    [
        stationary,
        gap,
        to_qutip,
        lambda engine: generating_function(engine, 0.1),
        lambda engine: evolve(engine, fock(engine, 0, 0), [1.0]),
    ],
)
def test_functions_for_collective_spins_refuse_local_noise(call):
    with pytest.raises(InvalidInput, match="takes collective baths only"):
        call(engine_of(**NOISE))


def test_the_gap_and_states_of_another_kind_are_refused():
    with pytest.raises(InvalidInput, match=r"finds gap of .*: leave it out"):
        Exact().solve(engine_of(**NOISE), ["gap"])
    with pytest.raises(TypeError, match="without local noise"):
        state_to_qutip(noisy_stationary(engine_of(**NOISE)))
    with pytest.raises(TypeError, match="with local noise"):
        total_spins(stationary(engine_of()))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"Gamma_local": -0.1}, "Gamma_local must not be negative"),
        ({"Gamma_dephasing": math.nan}, "Gamma_dephasing must be a finite number"),
    ],
)
def test_rates_of_noise_are_checked(changes, match):
    with pytest.raises(InvalidInput, match=match):
        engine_of(**changes)


@pytest.mark.parametrize("N", [63, 10**6])
def test_too_many_spins_are_refused_at_once(N):
    with pytest.raises(InvalidInput, match="choose a smaller N, or method weak-local"):
        Exact().accept(engine_of(N=N, **NOISE))


class TestWeakLocal:
    """Γ_loc → 0⁺ against the whole solver at Γ_loc = 1e-12 Γ₀, whose digits are tested above."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"N": 2},
            {"N": 4, "delta_E": 50.0},
            {"N": 3, "spin_1": 1.0, "spin_2": 2.0, "Gamma_2": 3.0},
            {"N": 4, "omega_0": 8.0, "scaling": "high-temperature"},
            {"N": 3, "T_mean": 60.0},
            {"N": 3, "Gamma_local": 1.0, "Gamma_dephasing": 2.5},
        ],
    )
    def test_it_is_the_limit(self, changes):
        limit = WeakLocal().solve(engine_of(**changes), WeakLocal.variables)
        assert limit.status is Status.OK
        rate = 1e-12
        ratio = changes.get("Gamma_dephasing", 0.0) / changes.get("Gamma_local", 1.0)
        weak = engine_of(**{**changes, "Gamma_local": rate, "Gamma_dephasing": ratio * rate})
        solution = Exact().solve(weak)
        for name in limit.values.keys() & solution.values.keys():
            assert limit.values[name] == pytest.approx(
                solution.values[name], rel=1e-10, nan_ok=True
            ), name
        # D = D₋₁/Γ_loc + D₀, and D₋₁ is 5e-5 Γ₀² or more where D₀ is about Γ₀.
        for name in ("quanta_noise", "power_variance"):
            assert limit.values[f"{name}_times_Gamma_local"] == pytest.approx(
                rate * solution.values[name], rel=1e-7
            )
        assert limit.values["constancy_over_Gamma_local"] == pytest.approx(
            solution.values["constancy"] / rate, rel=1e-7
        )

    def test_the_approach_is_linear(self):
        limit = WeakLocal().solve(engine_of(N=3)).values
        apart = []
        for rate in (1e-3, 1e-4):
            values = Exact().solve(engine_of(N=3, Gamma_local=rate)).values
            apart.append([values["power"] / limit["power"] - 1,
                          rate * values["quanta_noise"]
                          / limit["quanta_noise_times_Gamma_local"] - 1])  # fmt: skip
        assert np.divide(*apart) == pytest.approx(10, rel=0.02)

    @pytest.mark.parametrize("changes", [{"N": 3}, {"N": 2, "Gamma_2": 2.0, "delta_E": 60.0}])
    def test_switching_time_is_how_long_the_symmetric_current_lasts(self, changes):
        """∫ (J(t) − J̄) dt by the whole generator: −L⁺ of the start less the stationary state."""
        rate = 1e-8
        engine = engine_of(**changes)
        time = WeakLocal().solve(engine, ["switching_time_times_Gamma_local"]).values
        weak = engine_of(**changes, Gamma_local=rate)
        state = noisy_stationary(weak)
        sector = state.generator.sector
        symmetric = (sector.j_1 == sector.n_1) & (sector.j_2 == sector.n_2)
        collective = stationary(engine)
        order = collective.sector.index(
            *(getattr(sector, name)[symmetric] for name in ("k_1", "k_2", "q"))
        )
        start = np.zeros(sector.size)
        start[symmetric] = collective.rho[order]
        response, _ = state.respond(state.rho - start)
        row = -weak.drive * sector.hop
        expected = rate * (row @ response) / (row @ (start - state.rho))
        assert time["switching_time_times_Gamma_local"] == pytest.approx(expected, rel=1e-5)

    def test_pairs_left_out_weigh_what_is_said(self):
        engine = engine_of(N=14, T_mean=80.0)
        whole = switching(engine, neglect=0.0, tolerance=1e-10)
        part = switching(engine, neglect=1e-3, tolerance=1e-10)
        kept = {tuple(label) for label in part.labels.tolist()}
        left_out = sum(
            weight for label, weight in zip(whole.labels.tolist(), whole.weights, strict=True)
            if tuple(label) not in kept
        )  # fmt: skip
        assert len(part.pairs) < len(whole.pairs) == 64
        assert whole.neglected == 0.0
        assert 0 < left_out < 2 * part.neglected < 2e-3
        powers = [s.average(lambda pair: pair.flow.power) for s in (whole, part)]
        largest = np.abs(whole.values(lambda pair: pair.flow.power)).max()
        assert abs(powers[0] - powers[1]) < 2 * part.neglected * largest

    def test_one_pair_of_spins_has_nothing_to_switch_between(self):
        values = WeakLocal().solve(engine_of(N=1)).values
        assert values["power"] == pytest.approx(Exact().solve(engine_of(N=1)).values["power"])
        assert values["quanta_noise_times_Gamma_local"] == 0.0
        assert math.isnan(values["constancy_over_Gamma_local"])

    def test_at_the_carnot_point_there_is_no_switching_noise(self):
        values = WeakLocal().solve(engine_of(N=4, delta_E=100.0), WeakLocal.variables).values
        near = WeakLocal().solve(engine_of(N=4, delta_E=100.001), WeakLocal.variables).values
        assert values["quanta_noise_times_Gamma_local"] == 0.0
        assert values["switching_time_times_Gamma_local"] == pytest.approx(
            near["switching_time_times_Gamma_local"], rel=1e-4
        )

    @pytest.mark.parametrize(
        ("changes", "match"),
        [
            ({"Gamma_dephasing": 0.1}, "give a small Gamma_local"),
            ({"N": 401}, "up to 400 spins"),
            ({"N": 300, "E_1": 1.0, "delta_E": 1.0}, "at most 10000 pairs"),
        ],
    )
    def test_what_it_does_not_take(self, changes, match):
        with pytest.raises(InvalidInput, match=match):
            WeakLocal(neglect=0.0).accept(engine_of(**changes))

    def test_neglect_is_checked(self):
        with pytest.raises(InvalidInput, match="neglect must lie in"):
            WeakLocal(neglect=1.0)

    def test_a_hundred_pairs_of_cold_spins_take_few_total_spins(self):
        engine = engine_of(N=100, E_1=300.0, T_mean=70.0, delta_T=20.0)
        assert pairs_kept(engine, 1e-6) < 200 < 51**2
        solution = WeakLocal(neglect=1e-6).solve(engine)
        assert solution.status is Status.OK
        assert 0 < solution.diagnostics["neglected"] <= 1e-6
