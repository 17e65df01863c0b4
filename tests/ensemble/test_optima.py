"""Optima against dense grids, and what certifies them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from ensemble import Engine, Exact, InvalidInput, Status, optimize
from ensemble.closed_forms.single_pair import single_pair_power
from ensemble.optima.problem import Problem

PAIR = Engine(
    N=1, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006, Gamma_0=0.001
)  # fmt: skip
FOUR = replace(PAIR, N=4, scaling="high-temperature")
BOX = {"delta_E": (1.0, 11.0), "omega_0": (1e-4, 0.02)}


def grid(spacings, drives):
    """Labels of a dense grid over the box, so many of each; the drives by ratios."""
    return np.linspace(*BOX["delta_E"], spacings), np.geomspace(*BOX["omega_0"], drives)


def solved(engine, spacings, drives, *names):
    """Variables on a grid, each of that shape, from engines that are solved together."""
    varied = dict(
        zip(("delta_E", "omega_0"), np.meshgrid(spacings, drives, indexing="ij"), strict=True)
    )
    kept = {name: getattr(engine, name) for name in ("N", "E_1", "T_mean", "delta_T", "Gamma_0")}
    shape = varied["delta_E"].shape
    columns = {
        name: np.broadcast_to(float(value), shape).ravel() for name, value in kept.items()
    } | {name: values.ravel() for name, values in varied.items()}
    found = Exact().solve_together(
        columns, names, scaling=engine.scaling, statistics=engine.statistics
    )
    assert all(solution.status is Status.OK for solution in found)
    return [
        np.array([solution.values[name] for solution in found]).reshape(shape) for name in names
    ]


class TestAgainstDenseGrids:
    def test_most_power_of_one_pair_by_the_closed_form(self):
        spacings, drives = grid(200, 40)
        power = np.array(
            [
                [single_pair_power(replace(PAIR, delta_E=e, omega_0=w)) for w in drives]
                for e in spacings
            ]
        )
        found = optimize(PAIR, maximize="power", over=BOX, geometric=["omega_0"], starts=4)
        assert all(search.converged for search in found.searches)
        best = found.best
        i, j = np.unravel_index(power.argmax(), power.shape)
        assert best.values["power"] >= power.max()
        # The grid's best is half a step of 10/199 away; the optimum is quadratic in it.
        assert best.values["power"] == pytest.approx(power.max(), rel=1e-4)
        assert abs(best.parameters["delta_E"] - spacings[i]) <= 10 / 199
        assert best.at_bounds == ("omega_0",)
        assert best.parameters["omega_0"] == drives[j] == BOX["omega_0"][1]
        assert len(found.distinct) == 1

    def test_most_power_of_four_pairs_at_a_constancy_of_at_least_one(self):
        """A constraint that is active: the grid's best feasible point, and the multiplier."""
        spacings, drives = grid(40, 40)
        power, constancy = solved(FOUR, spacings, drives, "power", "constancy")
        feasible = np.where(constancy >= 1, power, -np.inf)

        arguments = {"maximize": "power", "over": BOX, "geometric": ["omega_0"]}
        found = optimize(FOUR, subject_to=["constancy >= 1"], starts=12, **arguments)
        best = found.best
        assert best.values["power"] >= feasible.max()
        # Where the constraint is active the grid falls short by up to a step, 15 % in the drive.
        assert best.values["power"] == pytest.approx(feasible.max(), rel=0.15)
        assert best.values["constancy"] == pytest.approx(1, rel=1e-8)
        assert best.values["power"] < power.max()
        # The price is the derivative of the optimum with respect to the level.
        lower, higher = (
            optimize(FOUR, subject_to=[f"constancy >= {level!r}"], starts=4, **arguments).best
            for level in (1 - 1e-5, 1 + 1e-5)
        )
        slope = (higher.values["power"] - lower.values["power"]) / 2e-5
        assert best.prices["constancy >= 1"] == pytest.approx(slope, rel=1e-3)

    def test_most_gain_of_four_pairs(self):
        spacings, drives = np.linspace(1, 8, 15), np.geomspace(1e-4, 0.02, 15)
        (power,) = solved(FOUR, spacings, drives, "power")
        single = [
            [single_pair_power(replace(FOUR, N=1, delta_E=e, omega_0=w)) for w in drives]
            for e in spacings
        ]
        gains = power / (4 * np.array(single))
        over = {"delta_E": (1.0, 8.0), "omega_0": (1e-4, 0.02)}
        found = optimize(FOUR, maximize="gain", over=over, geometric=["omega_0"], starts=6)
        assert found.best.values["collective_gain"] >= gains.max() * (1 - 1e-12)
        assert found.best.values["collective_gain"] == pytest.approx(gains.max(), rel=0.02)

    def test_least_noise_lies_at_a_corner(self):
        found = optimize(PAIR, minimize="quanta_noise", over=BOX, starts=3)
        best = found.best
        assert not found.maximized
        assert set(best.at_bounds) == {"delta_E", "omega_0"}
        corners = [
            Exact().solve(replace(PAIR, delta_E=e, omega_0=w), ["quanta_noise"]).values
            for e in BOX["delta_E"]
            for w in BOX["omega_0"]
        ]
        least = min(values["quanta_noise"] for values in corners)
        assert best.values["quanta_noise"] == pytest.approx(least, rel=1e-12)


class TestCertificates:
    def test_gradients_of_the_problem_are_those_of_its_values(self):
        problem = Problem(
            FOUR, "power", {**BOX, "T_mean": (12.0, 20.0)}, geometric=["omega_0"],
            constraints=["gain >= 1", "constancy <= 2", "kur_ratio >= 0"],
        )  # fmt: skip
        middle, h = np.array([0.3, 0.6, 0.4]), 1e-4
        found = problem.evaluate(middle)
        for i in range(3):
            above, below = (
                problem.evaluate(middle + sign * h * np.eye(3)[i]).values for sign in (1, -1)
            )
            for name in problem.variables:
                slope = (above[name] - below[name]) / (2 * h)
                scale = max(abs(found.values[name]), abs(slope))
                assert abs(found.gradients[name][i] - slope) <= 1e-5 * scale, (name, i)

    def test_a_point_that_is_no_optimum_has_a_large_residual(self, monkeypatch):
        monkeypatch.setattr("ensemble.optima.search.MOST_STEPS", 1)
        monkeypatch.setattr("ensemble.optima.search.MOST_ROUNDS", 1)
        found = optimize(PAIR, maximize="power", over=BOX, geometric=["omega_0"], starts=1)
        assert found.best is None
        assert found.searches[0].kkt_residual > 1e-3
        assert "KKT residual" in found.searches[0].message

    def test_derivatives_that_break_eulers_relation_end_in_no_optimum(self, monkeypatch):
        monkeypatch.setattr("ensemble.sensitivities.sensitivity.AGREEMENT", -1.0)
        found = optimize(PAIR, maximize="power", over=BOX, geometric=["omega_0"], starts=1)
        assert found.best is None
        assert found.searches[0].message.startswith("Euler's relation")
        assert found.searches[0].residual <= 1e-10

    def test_what_cannot_be_met_is_called_infeasible(self):
        found = optimize(PAIR, maximize="power", over=BOX, subject_to=["constancy >= 2"], starts=3)
        assert found.best is None
        assert found.distinct == ()
        for search in found.searches:
            assert search.violation > 0.4
            assert search.message.startswith("no feasible point found")

    def test_the_same_seed_gives_the_same_searches(self):
        first, again, other = (
            optimize(PAIR, maximize="power", over=BOX, starts=2, seed=seed) for seed in (3, 3, 4)
        )
        starts = [[search.start for search in found.searches] for found in (first, again, other)]
        assert starts[0] == starts[1] != starts[2]
        ends = [[search.parameters for search in found.searches] for found in (first, again)]
        assert ends[0] == ends[1]

    def test_an_engine_that_cannot_be_solved_ends_its_search_alone(self):
        far = replace(PAIR, E_1=1e-150)
        found = optimize(far, maximize="quanta_current", over={"delta_E": (1.0, 2.0)}, starts=1)
        assert found.best is None
        assert "beyond 1e±100" in found.searches[0].message
        assert math.isinf(found.searches[0].kkt_residual)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"maximize": "power", "minimize": "power", "over": BOX}, "one objective"),
        ({"over": BOX}, "one objective"),
        ({"maximize": "gap", "over": BOX}, "'gap' cannot be optimised: choose from"),
        ({"maximize": "power", "over": {}}, "nothing is varied"),
        ({"maximize": "power", "over": {"N": (1, 2)}}, "'N' cannot be varied"),
        ({"maximize": "power", "over": {"delta_E": (2, 1)}}, "range of delta_E is empty"),
        ({"maximize": "power", "over": {"delta_E": (1, math.nan)}}, "must be two numbers"),
        ({"maximize": "power", "over": {"T_mean": (5, 20)}}, "T_mean must exceed delta_T/2"),
        ({"maximize": "power", "over": {"omega_0": (0, 1)}}, "keep omega_0 above 0"),
        ({"maximize": "power", "over": BOX, "geometric": ["E_1"]}, "'E_1' is not varied"),
        (
            {"maximize": "power", "over": {"delta_E": (0, 1)}, "geometric": ["delta_E"]},
            "a ratio needs delta_E > 0",
        ),
        ({"maximize": "power", "over": BOX, "subject_to": ["power > 1"]}, "is not a constraint"),
        ({"maximize": "power", "over": BOX, "subject_to": ["gap >= 1"]}, "cannot be optimised"),
        ({"maximize": "power", "over": BOX, "subject_to": ["power >= x"]}, "is not a constraint"),
        ({"maximize": "power", "over": BOX, "starts": 0}, "starts must lie between 1"),
        ({"maximize": "power", "over": BOX, "seed": -1}, "seed must not be negative"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        optimize(PAIR, **arguments)
