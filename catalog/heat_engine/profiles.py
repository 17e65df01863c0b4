"""Variables of the heat engine with a dimension of their own: spectrum, cumulants, evolution.

They are computed for a sweep that names them, beside what the method gives; `Profiles` says how
many modes, orders and instants they have.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.heat_engine.energy_term import EnergyTerm
from catalog.names.ranges import range_labels
from catalog.names.suggestion import suggestion
from catalog.names.term import Term
from ensemble import (
    Engine,
    Exact,
    InvalidInput,
    Sensitivity,
    Solution,
    Status,
    Undriven,
    sensitivity,
)
from ensemble.checks import as_number, is_finite, shown
from ensemble.counting.cumulants import cumulants
from ensemble.evolution.dynamics import Trajectory, evolve, fock
from ensemble.evolution.undriven_dynamics import EXCITED, relax_spin
from ensemble.method import Method
from ensemble.methods.undriven import cold_spin
from ensemble.sensitivities.parameters import PARAMETERS
from ensemble.spectrum.gap import slow_spectrum
from ensemble.steady.state import Stationary
from ensemble.units import natural_units

SENSITIVE = ("power", "quanta_noise", "constancy")
STARTS = ("excited", "ground", "mixed")
MOST_INSTANTS = 10_000
MOST_MODES = 50


@dataclass(frozen=True, kw_only=True)
class Profiles:
    """How much of the variables with inner dimensions is computed.

    Parameters
    ----------
    modes : int
        Slowest eigenvalues of the generator in ``slow_spectrum``, a conjugate pair counted once.
    orders : int
        Cumulants per time in ``quanta_cumulants``, from the first on.
    coherences : int
        Highest order q in ``coherence``.
    times : sequence of number, or range
        Instants of the evolution, ascending and ≥ 0, in the inverse unit of Γ₀; or a mapping
        ``{"start": 0, "stop": 10, "num": 101}``.  Without any there is no evolution.
    start : {"excited", "ground", "mixed"}
        State of both spins at time 0: all levels full, all empty, or a mixture of all.

    Raises
    ------
    InvalidInput
        If a number is out of its range.
    """

    modes: int = 6
    orders: int = 6
    coherences: int = 8
    times: Sequence[float] = ()
    start: str = "excited"

    def __post_init__(self) -> None:
        for name, most in (("modes", MOST_MODES), ("orders", 12), ("coherences", 1000)):
            number = as_number(getattr(self, name))
            if not isinstance(number, int) or not 1 <= number <= most:
                raise InvalidInput(
                    f"{name} must be a whole number from 1 to {most}, but is "
                    f"{shown(getattr(self, name))}: leave it out, or correct it"
                )
            object.__setattr__(self, name, number)
        if self.start not in STARTS:
            raise InvalidInput(f"unknown start {shown(self.start)}{suggestion(self.start, STARTS)}")
        object.__setattr__(self, "times", _instants(self.times))

    def options(self) -> dict[str, Any]:
        """What differs from the defaults, as plain JSON data."""
        default = Profiles()
        found = {k: v for k, v in asdict(self).items() if v != getattr(default, k)}
        return {key: list(v) if isinstance(v, tuple) else v for key, v in found.items()}

    @classmethod
    def of(cls, given: Profiles | Mapping[str, Any]) -> Profiles:
        """Profiles from themselves or from a mapping of their parameters."""
        if isinstance(given, Profiles):
            return given
        if not isinstance(given, Mapping):
            raise InvalidInput(
                f"profiles must be a mapping, but are {shown(given)}: write e.g. "
                'profiles = {"modes": 4}'
            )
        known = tuple(asdict(cls()))
        for key in given:
            if key not in known:
                raise InvalidInput(f"profiles have no {shown(key)}{suggestion(key, known)}")
        return cls(**given)

    def terms(self, method: type[Method], energy_unit: str) -> list[Term]:
        """The variables that a method defines, and what their dimensions are."""
        dims: dict[str, tuple[Term, Sequence[float | str]]] = {
            "mode": (Term("mode", "", "number of the mode", kind="index"), range(self.modes)),
            "order": (Term("order", "k", "order of the cumulant", kind="index"),
                      range(1, self.orders + 1)),
            "q": (Term("q", "q", "order of coherence", kind="index"), range(self.coherences + 1)),
            "time": (Term("time", "t", "time after the start", kind="index",
                          unit=f"1/{energy_unit}"), self.times),
            "parameter": (Term("parameter", "θ", "parameter that is changed", kind="index",
                               dtype="str"), PARAMETERS),
        }  # fmt: skip
        found: list[Term] = []
        for profile in PROFILES.values():
            index, labels = dims[profile.dim]
            if method not in profile.methods or not len(labels):
                continue
            if index not in found:
                found.append(index)
            unit = profile.term.units(energy_unit)
            found.append(
                Term(
                    profile.term.name,
                    profile.term.symbol,
                    profile.term.long_name,
                    unit=unit,
                    equation=profile.term.equation,
                    dtype=profile.term.dtype,
                    dims={profile.dim: labels},
                )
            )
        return found


class Computation:
    """One engine in its natural units, and what several profiles of it share."""

    def __init__(self, engine: Engine, method: Method, profiles: Profiles) -> None:
        self.given, self.method, self.profiles = engine, method, profiles
        self.engine, self.units = natural_units(engine)

    @cached_property
    def slopes(self) -> Sensitivity:
        """Derivatives of all variables that have them as profiles, in the user's units."""
        return sensitivity(self.given, of=SENSITIVE, tolerance=self.method.tolerance)

    @cached_property
    def state(self) -> Stationary:
        """The stationary state, as the method finds it."""
        assert isinstance(self.method, Exact)
        return self.method.stationary(self.engine)

    @property
    def times(self) -> NDArray[np.float64]:
        """The instants in natural units."""
        return np.ldexp(np.asarray(self.profiles.times), self.units.rate)

    @cached_property
    def path(self) -> Trajectory:
        """The evolution from the start."""
        n_1, n_2 = self.engine.levels
        if self.profiles.start == "mixed":
            levels = [fock(self.engine, i, j) for i in range(n_1 + 1) for j in range(n_2 + 1)]
            start = np.mean(levels, axis=0)
        else:
            start = fock(self.engine, *((n_1, n_2) if self.profiles.start == "excited" else (0, 0)))
        return evolve(self.engine, start, self.times)


Value = tuple[NDArray[Any], float]
"""Values along the inner dimension, and their certificate, a relative error."""


def _slow_spectrum(of: Computation) -> Value:
    count = of.profiles.modes
    found = slow_spectrum(of.engine, count=count)
    values = np.full(count, complex(math.nan, math.nan))
    # Rates that differ by rounding alone count as equal: rounding would decide their order.
    rates = np.array(
        sorted(
            (mode.eigenvalue for mode in found.modes),
            key=lambda value: (float(f"{-value.real:.10g}"), value.imag),
        )
    )
    values[: rates.size] = rates * math.ldexp(1.0, of.units.rate)
    return values, max(mode.residual for mode in found.modes)


def _quanta_cumulants(of: Computation) -> Value:
    found = cumulants(of.state, order=of.profiles.orders)
    return found.rates * math.ldexp(1.0, of.units.rate), found.residual


def _coherence(of: Computation) -> Value:
    state = of.state
    order = state.generator.sector.q
    kept, possible = int(order.max()), min(of.engine.levels)
    values = np.zeros(of.profiles.coherences + 1)
    for q in range(values.size):
        weight = float(np.abs(state.rho[order == q]).sum()) * (1 if q == 0 else 2)
        values[q] = weight if q <= kept or q > possible else math.nan
    return values, state.residual


def _sensitivity(name: str) -> Callable[[Computation], Value]:
    def slopes(of: Computation) -> Value:
        found = of.slopes
        values = [
            getattr(of.given, to) * found.derivatives[name][to]
            if to in found.derivatives[name]
            else math.nan
            for to in PARAMETERS
        ]
        return np.array(values), max(found.residual, found.euler_error)

    return slopes


def _evolution(name: str) -> Callable[[Computation], Value]:
    def path(of: Computation) -> Value:
        found = of.path
        errors = (
            found.stationary_residual, found.trace_error, found.propagation_error,
            found.first_law_error,
        )  # fmt: skip
        return getattr(found, name), max(errors)

    return path


def _relaxation(name: str) -> Callable[[Computation], Value]:
    def path(of: Computation) -> Value:
        start = {"excited": EXCITED, "ground": -EXCITED, "mixed": 0.0}[of.profiles.start]
        found = relax_spin(cold_spin(of.engine), of.times, initial=start)
        return getattr(found, name), found.error

    return path


@dataclass(frozen=True)
class Profile:
    """A variable with an inner dimension, and how each method computes it."""

    term: EnergyTerm
    dim: str
    methods: Mapping[type[Method], Callable[[Computation], Value]]


def _profile(
    name: str,
    symbol: str,
    long_name: str,
    dim: str,
    methods: Mapping[type[Method], Any],
    **more: Any,
) -> Profile:
    return Profile(EnergyTerm(name, symbol, "variable", long_name, **more), dim, methods)


PROFILES: Mapping[str, Profile] = {
    profile.term.name: profile
    for profile in (
        _profile(
            "slow_spectrum", "λ", "slowest eigenvalues of the generator", "mode",
            {Exact: _slow_spectrum}, energy_power=1, dtype="complex128", equation="Eq. 40",
        ),
        _profile(
            "quanta_cumulants", "c_k", "cumulants of the quanta sent from hot to cold, per time",
            "order", {Exact: _quanta_cumulants}, energy_power=1, equation="dᵏλ/dχᵏ",
        ),
        _profile(
            "coherence", "C_q", "sum of the moduli of the coherences of order q", "q",
            {Exact: _coherence},
        ),
        *(
            _profile(
                f"{name}_sensitivity", f"θ ∂{symbol}/∂θ",
                f"change of the {words} per relative change of a parameter", "parameter",
                {Exact: _sensitivity(name)}, energy_power=power,
            )
            for name, symbol, words, power in (
                ("power", "P", "power", 2), ("quanta_noise", "D", "noise", 1),
                ("constancy", "C", "constancy", None),
            )
        ),
        _profile(
            "magnetization_1_evolution", "⟨m₁ᶻ⟩(t)", "evolution of the cold magnetization", "time",
            {Exact: _evolution("magnetization_1"), Undriven: _relaxation("magnetization")},
        ),
        _profile(
            "magnetization_2_evolution", "⟨m₂ᶻ⟩(t)", "evolution of the hot magnetization", "time",
            {Exact: _evolution("magnetization_2")},
        ),
        _profile(
            "magnetization_1_squared_evolution", "⟨(m₁ᶻ)²⟩(t)",
            "evolution of the second moment of the cold magnetization", "time",
            {Undriven: _relaxation("second_moment")},
        ),
    )
}  # fmt: skip


def with_profiles(
    solution: Solution, engine: Engine, method: Method, profiles: Profiles, names: Sequence[str]
) -> Solution:
    """A solution of the method with some profiles added; the certificate is the worst of all."""
    if solution.status == Status.FAILED or not names:
        return solution
    of = Computation(engine, method, profiles)
    values: dict[str, Any] = dict(solution.values)
    worst, culprit = float(solution.diagnostics["residual"]), ""
    for name in names:
        values[name], error = PROFILES[name].methods[type(method)](of)
        if not error <= worst:
            worst, culprit = error, name
    status, message = solution.status, solution.message
    if status == Status.OK and not worst <= method.tolerance:
        status = Status.UNCERTIFIED
        message = f"relative error {worst:.1e} of {culprit} exceeds {method.tolerance:.1e}"
    diagnostics = {**solution.diagnostics, "residual": worst}
    return Solution(values, status, message, diagnostics, solution.traceback)


def _instants(given: Any) -> tuple[float, ...]:
    if isinstance(given, Mapping):
        given = range_labels("times", given)
    if isinstance(given, str | bytes) or not hasattr(given, "__iter__"):
        raise InvalidInput(
            f"times must be a list of numbers, but are {shown(given)}: write e.g. [0, 1, 2]"
        )
    numbers = [as_number(item) for item in given]
    if len(numbers) > MOST_INSTANTS:
        raise InvalidInput(f"there are more than {MOST_INSTANTS} times: take fewer")
    for number in numbers:
        if number is None or not is_finite(number) or number < 0:
            raise InvalidInput("times must be finite numbers ≥ 0: correct them")
    instants = tuple(float(number) for number in numbers if number is not None)
    if any(second <= first for first, second in itertools.pairwise(instants)):
        raise InvalidInput("times must be ascending: sort them")
    return instants
