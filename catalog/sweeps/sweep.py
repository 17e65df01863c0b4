"""A sweep: a model, labelled axes and fixed parameters.  It says what to compute, not how."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from catalog.arguments import a_text, shown, texts
from catalog.heat_engine.model import HeatEngine
from catalog.models.contract import Model
from catalog.models.loading import as_model
from catalog.names.labels import Label, by_name, label
from catalog.names.suggestion import suggestion
from catalog.names.vocabulary import POINT
from catalog.sweeps.axes import axis_labels, scattered_labels
from catalog.sweeps.grid import Family, Grid, grid_over
from ensemble import InvalidInput

MOST_POINTS = 10_000_000
"""Most points of a sweep: planning a larger one would take minutes and gigabytes."""


@dataclass(frozen=True, init=False)
class Sweep:
    """A grid of points, validated in full before anything is computed.

    Parameters
    ----------
    name : str
        Name of the sweep's group in a store: letters, digits, ``_``, ``-`` and ``.``.
    axes : mapping of str to sequence of numbers
        Labels of each dimension, strictly ascending: a list, array, Index, Series or DataArray, or
        a range such as ``{"start": 1, "stop": 8, "num": 4, "spacing": "geometric"}``.  Names or
        symbols of parameters.  At most 100 000 labels, and 10 million points in all.
    fixed : mapping of str to number
        The other parameters.
    model : Model
        The model to sweep: made by `catalog.model`, or of a class derived from `catalog.Model`.  By
        default the heat engine, `catalog.HeatEngine`, of these options:
    scaling, method, statistics, energy_unit
        Options of the heat engine, in place of ``model``: see `catalog.HeatEngine`.
    variables : sequence of str, optional
        Variables to store; by default all that the model defines, save those (such as the gap)
        that it computes only on request.
    blocks : mapping of str to int, optional
        Labels per block along a dimension.  By default at most 128 points, and one label of what
        decides the time of a point, such as N.
    description : str
        One line for people.
    points : mapping of str to sequence of numbers, or DataFrame, optional
        Parameters that vary together: scattered points along a first dimension ``point``, all
        sequences of one length.  Labels may come in any order.

    Raises
    ------
    InvalidInput
        In one line, with the remedy: unknown or missing parameter, empty axis, labels that are
        not ascending, or (nearly) equal, a point that the model refuses, …

    Notes
    -----
    The model is asked about every label once, and about every corner of the grid.

    Examples
    --------
    >>> from ensemble import Exact
    >>> sweep = Sweep(
    ...     name="first", axes={"N": [1, 2], "ΔE": [5.0, 9.0, 12.0]},
    ...     fixed={"E_1": 1, "T̄": 13.5, "delta_T": 23, "omega_0": 0.006, "Gamma_0": 0.001},
    ...     scaling="high-temperature", method=Exact())
    >>> sweep.dims, sweep.shape, sweep.fixed["T_mean"]
    (('N', 'delta_E'), (2, 3), 13.5)
    """

    name: str
    axes: Mapping[str, tuple[Label, ...]]
    fixed: Mapping[str, Label]
    model: Model
    variables: tuple[str, ...]
    blocks: Mapping[str, int]
    description: str
    points: Mapping[str, tuple[Label, ...]]

    def __init__(
        self,
        *,
        name: str,
        axes: Mapping[str, Any],
        fixed: Mapping[str, Any],
        model: Model | None = None,
        variables: Sequence[str] = (),
        blocks: Mapping[str, int] | None = None,
        description: str = "",
        points: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        require_name(name)
        a_text("description", description)
        model = _model(model, options)
        terms = model.vocabulary
        given = by_name(terms, "axes", axes, point=True)
        values = by_name(terms, "fixed", fixed)
        scattered = scattered_labels(
            terms, by_name(terms, "points", {} if points is None else points)
        )
        if not given and not scattered:
            first = terms.names("parameter")[0]
            raise InvalidInput(
                f"a sweep needs at least one axis: give [axes], e.g. {first} = [1, 2, 4]"
            )
        if given.pop(POINT, None) is not None and not scattered:
            raise InvalidInput(f"{POINT} is no parameter: leave it out, or give points")
        _require_apart(given, values, scattered)
        model.check_parameters({*given, *values, *scattered})
        labels = {name: axis_labels(terms[name], given[name]) for name in terms.ordered(given)}
        constants = {
            name: label(name, values[name], whole=terms[name].whole)
            for name in terms.ordered(values)
        }
        set_field = object.__setattr__  # the instance is frozen
        set_field(self, "name", name)
        set_field(self, "axes", labels)
        set_field(self, "fixed", constants)
        set_field(self, "model", model)
        set_field(self, "variables", _variables(model, variables))
        set_field(self, "description", description)
        set_field(self, "points", scattered)
        cut = {} if blocks is None else blocks
        set_field(self, "blocks", by_name(terms, "blocks", cut, point=True))
        if self.size > MOST_POINTS:
            raise InvalidInput(
                f"the sweep has {' × '.join(map(str, self.shape))} = {self.size} points, more than "
                f"{MOST_POINTS}: take fewer labels, or make several sweeps"
            )
        self._check_points()

    def _check_points(self) -> None:
        """Ask the model about the points that could be invalid: every label, and every corner."""
        axes = self.grid.axes
        first = {name: labels[0] for name, labels in axes.items()}
        # Scattered points have no order: each of them is checked as a corner is.
        ends = {name: {labels[0], labels[-1]} for name, labels in axes.items()}
        if self.points:
            ends[POINT] = set(axes[POINT])
        for corner in itertools.product(*ends.values()):
            self.model.check(self.point(dict(zip(axes, corner, strict=True))))
        for name, labels in axes.items():
            for value in labels:
                self.model.check(self.point({**first, name: value}))

    def point(self, labels: Mapping[str, Label]) -> dict[str, Label]:
        """All parameters of the point at labels of the axes.

        Raises
        ------
        InvalidInput
            If a label is missing, or names no axis.
        """
        if not isinstance(labels, Mapping):
            raise InvalidInput(
                f"labels map axes to numbers, but are {shown(labels)}: give a mapping"
            )
        found = self.grid.point(labels)
        if len(found) < len(self.family.parameters) or {*labels} - {*self.dims, *found}:
            raise InvalidInput(
                f"no point has the labels {shown(dict(labels))}: give one of each axis, "
                f"{', '.join(self.dims)}"
            )
        return found

    @cached_property
    def family(self) -> Family:
        """What sweeps must have in common to be stored as one."""
        return Family(
            name=self.name,
            model=self.model,
            variables=self.variables,
            parameters=self.model.vocabulary.ordered({*self.axes, *self.fixed, *self.points}),
            description=self.description,
        )

    @cached_property
    def grid(self) -> Grid:
        """All its points as one grid, in blocks of the usual size or as they are given."""
        return grid_over(self.family, self.axes, self.fixed, self.points, self.blocks)

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the dimensions, in the model's order."""
        return self.grid.dims

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of labels along each dimension."""
        return self.grid.shape

    @property
    def size(self) -> int:
        """Number of points."""
        return math.prod(self.shape)

    @property
    def arrays(self) -> tuple[str, ...]:
        """Names of all arrays of the sweep: variables, then diagnostics, status last."""
        return self.family.arrays

    def definition(self) -> dict[str, Any]:
        """Everything that was asked for, as plain JSON data."""
        model = self.model
        return {
            "name": self.name,
            "description": self.description,
            "model": {
                "name": model.name,
                "version": model.version,
                "path": model.path,
                "options": model.options(),
            },
            "axes": {name: list(labels) for name, labels in self.axes.items()},
            "fixed": dict(self.fixed),
            "points": {name: list(labels) for name, labels in self.points.items()},
            "variables": list(self.variables),
            "blocks": dict(self.blocks),
        }

    def over(self, box: Mapping[str, Sequence[Label]]) -> Sweep:
        """The same sweep over other labels; blocks as far as they were given.

        Parameters with several labels, and those that are axes here, become axes.
        """
        axes = {name: v for name, v in box.items() if len(v) > 1 or name in self.axes}
        if not axes:
            axes = {next(iter(box)): next(iter(box.values()))}
        fixed = {name: labels[0] for name, labels in box.items() if name not in axes}
        blocks = {name: self.blocks[name] for name in axes if name in self.blocks}
        return self.replace(axes=axes, fixed=fixed, points={}, blocks=blocks)

    def replace(self, **changes: Any) -> Sweep:
        """The sweep with some of its arguments replaced."""
        kept = {
            "name": self.name,
            "axes": self.axes,
            "fixed": self.fixed,
            "model": self.model,
            "variables": self.variables,
            "blocks": self.blocks,
            "description": self.description,
            "points": self.points,
        }
        return Sweep(**{**kept, **changes})


def require_name(name: Any) -> None:
    """Refuse what cannot name a sweep, and the group of a store.

    Raises
    ------
    InvalidInput
    """
    a_text("name", name)
    if not re.fullmatch(r"(?!zarr\.json$)[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", name):
        raise InvalidInput(
            f"sweep name {shown(name)} cannot name a group: use at most 100 letters, digits, _, - "
            "and ."
        )


def _model(given: Any, options: Mapping[str, Any]) -> Model:
    """The model that is given, or the heat engine of some options."""
    if given is None:
        return HeatEngine.from_options(options)
    for key in options:
        raise InvalidInput(
            f"{key} and model exclude each other: give {key} to the model, or leave out model"
        )
    return as_model(given)


def _require_apart(
    axes: Mapping[str, Any], fixed: Mapping[str, Any], points: Mapping[str, Any]
) -> None:
    """Refuse a parameter that is given in two places."""
    for name in axes.keys() & fixed.keys():
        raise InvalidInput(f"{name} is both an axis and fixed: keep one of the two")
    for name in points.keys() & (axes.keys() | fixed.keys()):
        raise InvalidInput(f"{name} varies along the points: remove it elsewhere")


def _variables(model: Model, given: Any) -> tuple[str, ...]:
    known = model.vocabulary.names("variable")
    wanted = texts("variables", given)
    for name in wanted:
        if name not in known:
            raise InvalidInput(
                f"{model.title} does not define {shown(name)}{suggestion(name, known)}"
            )
    chosen = set(wanted) or set(model.default_variables)
    return tuple(name for name in known if name in chosen)
