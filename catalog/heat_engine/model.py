"""The collective heat engine as a model: method, scaling and statistics of its baths."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from catalog.arguments import a_text
from catalog.heat_engine.derived import AFFINITY, CARNOT_EFFICIENCY, derived, missing_parameters
from catalog.heat_engine.methods import method_from
from catalog.heat_engine.prior import predicted
from catalog.heat_engine.profiles import PROFILES, Profiles, with_profiles
from catalog.heat_engine.sources import method_hash
from catalog.heat_engine.terms import TERMS
from catalog.models.contract import Columns, Cost, Model, Point, Timed
from catalog.names.suggestion import suggestion
from catalog.names.term import Term
from catalog.names.vocabulary import Vocabulary
from ensemble import Engine, Exact, InvalidInput, Solution
from ensemble.checks import shown
from ensemble.method import Method
from ensemble.parameters.given import SPACINGS, TEMPERATURES

LARGEST_BLOCK = 2**14
"""Points of a block that is solved from a reduced basis, at most."""
OPTIONS = ("scaling", "method", "statistics", "energy_unit", "profiles")


@dataclass(frozen=True, kw_only=True)
class HeatEngine(Model):
    """Collective heat engines of two spin ensembles: `ensemble.Engine`, solved by a method.

    Parameters
    ----------
    scaling : {"bare", "high-temperature"}
    method : Exact, Macroscopic, Cumulant, Bosonic, IndependentSpins, Undriven, WeakLocal or Qutip
        Or its name, or a mapping with its name and options: ``{"name": "cumulant", "order": 4}``.
        A limit N → ∞ takes no N.
    statistics : {"bosonic", "fermionic"}
        Of the baths.
    energy_unit : str
        Name of the common unit of energies and temperatures, for ``units`` attributes.
    profiles : Profiles or mapping
        How much is computed of the variables that have a dimension of their own, such as
        ``slow_spectrum`` over its modes: see `catalog.heat_engine.profiles.Profiles`.

    Raises
    ------
    InvalidInput
        If there is no such method, option or unit.

    Examples
    --------
    >>> HeatEngine(method="macroscopic", scaling="high-temperature").summary()
    'macroscopic (tolerance = 1e-10); high-temperature scaling, bosonic baths'
    """

    scaling: str = "bare"
    method: Method = field(default_factory=Exact)
    statistics: str = "bosonic"
    energy_unit: str = "energy"
    profiles: Profiles = field(default_factory=Profiles)

    name = "heat-engine"
    version = "2"  # heat of fermions without the chemical work
    optional = (
        *SPACINGS,
        *TEMPERATURES,
        *("Gamma_1", "Gamma_2", "spin_1", "spin_2", "mu_1", "mu_2"),
        *("detuning", "Gamma_local", "Gamma_dephasing"),
    )
    split_by = ("N",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", method_from(self.method))
        object.__setattr__(self, "profiles", Profiles.of(self.profiles))
        a_text("energy_unit", self.energy_unit)
        if not self.energy_unit.strip() or not self.energy_unit.isprintable():
            raise InvalidInput(
                f'energy_unit {shown(self.energy_unit)} is no name of a unit: write e.g. "meV"'
            )

    def options(self) -> dict[str, Any]:
        """Method, scaling, statistics and unit as plain JSON data."""
        options = {
            "scaling": self.scaling,
            "statistics": self.statistics,
            "method": {"name": self.method.name, **asdict(self.method)},
            "energy_unit": self.energy_unit,
        }
        profiles = self.profiles.options()
        return {**options, "profiles": profiles} if profiles else options

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> HeatEngine:
        """The heat engine with given ``options()``, of which each may be left out."""
        for key in options:
            if key not in OPTIONS:
                raise InvalidInput(
                    f"the heat engine has no option {shown(key)}{suggestion(key, OPTIONS)}"
                )
        return cls(**options)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """All parameters, and the variables and diagnostics that the method defines."""
        return Vocabulary(self._terms)

    @cached_property
    def _terms(self) -> list[Term]:
        kept = {*self.method.variables, *self.method.diagnostics}
        terms = [
            term.term(self.energy_unit)
            for term in TERMS
            if term.kind == "parameter" or term.name in kept
        ]
        profiles = self.profiles.terms(type(self.method), self.energy_unit)
        return [*terms, *profiles, *self.derived]

    @property
    def parameters(self) -> Sequence[Term]:  # type: ignore[override]
        """All that an engine may have; a limit N → ∞ refuses N."""
        return [term for term in self._terms if term.kind == "parameter"]

    @property
    def derived(self) -> Sequence[Term]:  # type: ignore[override]
        """The Carnot efficiency, and the affinity where the method does not define it."""
        known = "affinity" in self.method.variables
        return (CARNOT_EFFICIENCY,) if known else (CARNOT_EFFICIENCY, AFFINITY)

    @property
    def variables(self) -> Sequence[Term]:  # type: ignore[override]
        """What the method defines."""
        return [term for term in self._terms if term.kind == "variable"]

    @property
    def diagnostics(self) -> Sequence[Term]:  # type: ignore[override]
        """What certifies it."""
        return [term for term in self._terms if term.kind == "diagnostic"]

    @property
    def on_request(self) -> Collection[str]:  # type: ignore[override]
        """What is expensive, such as the gap, and what has a dimension of its own."""
        return (*self.method.on_request, *(term.name for term in self.variables if term.dims))

    @property
    def required(self) -> tuple[str, ...]:
        """Parameters that a sweep must give, beside two spacings and two temperatures."""
        return tuple(name for name in super().required if name != "N" or self.method.sized)

    def missing_parameters(self, given: Collection[str]) -> Sequence[str]:
        """Parameters that an engine must have, level spacings and temperatures among them."""
        return self.vocabulary.ordered(
            {*super().missing_parameters(given), *missing_parameters(given)}
        )

    def check_parameters(self, given: Collection[str]) -> None:
        """Refuse N where the method is a limit, and an engine without a required parameter."""
        super().check_parameters(given)
        if not self.method.sized and "N" in given:
            raise InvalidInput(
                f"method {self.method.name} is the limit N → ∞: leave out N, or use method exact"
            )

    def engine(self, point: Point) -> Engine:
        """The engine at a point.

        Raises
        ------
        InvalidInput
            If no engine has these parameters.
        """
        parameters: dict[str, Any] = dict(point)
        if not self.method.sized:
            parameters["N"] = 1  # a limit takes engines of any N
        try:
            return Engine.of(**parameters, scaling=self.scaling, statistics=self.statistics)
        except TypeError:  # a name that is no parameter, or one that is missing
            raise InvalidInput(
                f"no engine has the parameters {shown(dict(point))}: give "
                f"{', '.join(self.required)}, two level spacings and two temperatures"
            ) from None

    def derive(self, points: Columns) -> Mapping[str, ArrayLike]:
        """The spacings and temperatures that are not given, η_C and the affinity."""
        return derived(points, scaled=self.scaling == "high-temperature")

    def check(self, point: Point) -> None:
        """Refuse a point that is no engine, or is outside the method's scope.

        Each bound of an engine is either on one parameter or monotone in each of several, so that
        a grid whose labels and corners pass is valid throughout.
        """
        self.method.accept(self.engine(point))

    def solve_point(self, point: Point, variables: Sequence[str]) -> Solution:
        """Solve one engine by the method."""
        engine = self.engine(point)
        scalars = [name for name in variables if name not in PROFILES]
        solution = self.method.solve(engine, scalars)
        profiles = [name for name in variables if name in PROFILES]
        return with_profiles(solution, engine, self.method, self.profiles, profiles)

    def solve(self, points: Sequence[Point], variables: Sequence[str]) -> Iterator[Timed]:
        """Solve a block: together what the method can solve so, the rest one by one."""
        start = time.perf_counter()
        try:
            together = self._together(points, variables)
        except Exception:  # whatever it is, each point says by itself whether it can be solved
            together = [None] * len(points)
        solved = sum(found is not None for found in together)
        share = (time.perf_counter() - start) / max(solved, 1)
        for point, found in zip(points, together, strict=True):
            if found is not None:
                yield Timed(found, share)
                continue
            start = time.perf_counter()
            alone = self.attempt(point, variables)
            yield Timed(alone, time.perf_counter() - start)

    def _together(
        self, points: Sequence[Point], variables: Sequence[str]
    ) -> Sequence[Solution | None]:
        """What is found by solving points together, None where they are to be solved singly."""
        alike = {frozenset(point) for point in points}
        if (
            len(alike) != 1
            or PROFILES.keys() & set(variables)
            or not self.method.batches(variables)
        ):
            return [None] * len(points)
        columns = {
            name: np.array([point[name] for point in points], dtype=float) for name in points[0]
        }
        return self.method.solve_together(
            columns, variables, scaling=self.scaling, statistics=self.statistics
        )

    def cost(self, points: Columns, variables: Sequence[str]) -> Cost:
        """Time and memory as measured once: see ``catalog.heat_engine.prior``."""
        return self.block_cost(points, variables, block_points=1)

    def block_cost(self, points: Columns, variables: Sequence[str], *, block_points: int) -> Cost:
        """The same in blocks of so many points: small engines are solved together."""
        return predicted(
            self.method,
            self.scaling,
            self.statistics,
            points,
            variables,
            block_points=block_points,
        )

    @property
    def largest_block(self) -> int | None:
        """Whole maps where they are solved from a reduced basis."""
        from_basis = isinstance(self.method, Exact) and self.method.solver == "basis"
        return LARGEST_BLOCK if from_basis else None

    def source_hash(self) -> str:
        """SHA-256 over the files of ``ensemble`` that the method uses."""
        return method_hash(type(self.method))  # type: ignore[arg-type]

    def summary(self) -> str:
        """Method, scaling and baths in words."""
        options = ", ".join(f"{name} = {value}" for name, value in asdict(self.method).items())
        return f"{self.method.name} ({options}); {self.scaling} scaling, {self.statistics} baths"

    def attributes(self) -> dict[str, str]:
        """Scaling, method, unit and conventions."""
        return {
            "scaling": self.scaling,
            "method": self.method.name,
            "energy_unit": self.energy_unit,
            "conventions": "hbar = k_B = 1; power > 0: engine; heat currents into the engine",
        }

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"method {self.method.name}"
