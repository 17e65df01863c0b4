"""A sweep: labelled axes, fixed parameters and a method.  It says what to compute, not how."""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from catalog.arguments import a_text, texts
from catalog.heat_engine.methods import method_from
from catalog.names.labels import POINT, Label, by_name, label
from catalog.names.vocabulary import names, ordered, suggestion
from catalog.sweeps.axes import axis_labels, scattered_labels
from ensemble import Engine, Exact, InvalidInput
from ensemble.checks import as_number, shown
from ensemble.method import Method

Index = tuple[int, ...]

REQUIRED = ("N", "delta_E", "T_mean", "omega_0", "E_1", "delta_T", "Gamma_0")

BOOKKEEPING = ("wall_time", "error", "failure", "run", "status")
"""Diagnostics that every sweep has, whatever its method."""

BLOCK_POINTS = 128
"""Most points that a block holds unless the sweep says otherwise."""

MOST_POINTS = 10_000_000
"""Most points of a sweep: planning a larger one would take minutes and gigabytes."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A grid of engines, validated in full before anything is computed.

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
    scaling : {"bare", "high-temperature"}
    method : Exact, Macroscopic, Cumulant, Bosonic, IndependentSpins, Undriven or Qutip
        Or its name, or a mapping with its name and options: ``{"name": "cumulant", "order": 4}``.
        A limit N → ∞ takes no N.
    statistics : {"bosonic", "fermionic"}
        Of the baths.
    variables : sequence of str, optional
        Variables to store; by default all that the method defines, save those (such as the gap)
        that it computes only on request.
    energy_unit : str
        Name of the common unit of energies and temperatures, for ``units`` attributes.
    blocks : mapping of str to int, optional
        Labels per block along a dimension.  By default one N, and at most ``BLOCK_POINTS`` points.
    description : str
        One line for people.
    points : mapping of str to sequence of numbers, or DataFrame, optional
        Parameters that vary together: scattered points along a first dimension ``point``, all
        sequences of one length.  Labels may come in any order.

    Attributes
    ----------
    blocks_given : bool
        Whether it was said what the blocks should be; ``blocks`` itself is always complete.

    Raises
    ------
    InvalidInput
        In one line, with the remedy: unknown or missing parameter, empty axis, labels that are
        not ascending, or (nearly) equal, an engine that cannot exist, …

    Examples
    --------
    >>> sweep = Sweep(
    ...     name="first", axes={"N": [1, 2], "ΔE": [5.0, 9.0, 12.0]},
    ...     fixed={"E_1": 1, "T̄": 13.5, "delta_T": 23, "omega_0": 0.006, "Gamma_0": 0.001},
    ...     scaling="high-temperature", method=Exact())
    >>> sweep.dims, sweep.shape, sweep.fixed["T_mean"]
    (('N', 'delta_E'), (2, 3), 13.5)
    """

    name: str
    axes: Mapping[str, Sequence[Label]]
    fixed: Mapping[str, Label]
    scaling: str = "bare"
    method: Method = field(default_factory=Exact)
    statistics: str = "bosonic"
    variables: Sequence[str] = ()
    energy_unit: str = "energy"
    blocks: Mapping[str, int] = field(default_factory=dict)
    description: str = ""
    points: Mapping[str, Sequence[Label]] = field(default_factory=dict)
    blocks_given: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        set_field = object.__setattr__  # the instance is frozen
        for text in ("name", "energy_unit", "description"):
            a_text(text, getattr(self, text))
        if not re.fullmatch(r"(?!zarr\.json$)[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", self.name):
            raise InvalidInput(
                f"sweep name {shown(self.name)} cannot name a group: use at most 100 letters, "
                "digits, _, - and ."
            )
        if not self.energy_unit.strip() or not self.energy_unit.isprintable():
            raise InvalidInput(
                f'energy_unit {shown(self.energy_unit)} is no name of a unit: write e.g. "meV"'
            )
        set_field(self, "method", method_from(self.method))
        axes = by_name("axes", self.axes, point=True)
        fixed = by_name("fixed", self.fixed)
        points = scattered_labels(by_name("points", self.points))
        if not axes and not points:
            raise InvalidInput("a sweep needs at least one axis: give [axes], e.g. N = [1, 2, 4]")
        if axes.pop(POINT, None) is not None and not points:  # replace() gives it with the points
            raise InvalidInput(f"{POINT} is no parameter: leave it out, or give points")
        _require_apart(axes, fixed, points)
        known = axes.keys() | fixed.keys() | points.keys()
        needed = [name for name in REQUIRED if name != "N" or self.method.sized]
        missing = [name for name in needed if name not in known]
        if missing:
            raise InvalidInput(
                f"no value for {', '.join(missing)}: give it under axes or under fixed"
            )
        if not self.method.sized and "N" in known:
            raise InvalidInput(
                f"method {self.method.name} is the limit N → ∞: leave out N, or use method exact"
            )
        set_field(self, "points", points)
        count = {POINT: tuple(range(len(next(iter(points.values())))))} if points else {}
        labels = {name: axis_labels(name, axes[name]) for name in ordered(axes)}
        set_field(self, "axes", {**count, **labels})
        if self.size > MOST_POINTS:
            raise InvalidInput(
                f"the sweep has {' × '.join(map(str, self.shape))} = {self.size} points, more than "
                f"{MOST_POINTS}: take fewer labels, or make several sweeps"
            )
        set_field(self, "fixed", {name: label(name, fixed[name]) for name in ordered(fixed)})
        set_field(self, "variables", _variables(self.method, self.variables))
        blocks = by_name("blocks", self.blocks, point=True)
        set_field(self, "blocks_given", bool(blocks))
        set_field(self, "blocks", block_shape(self.axes, blocks))
        self._try_engines()

    def _try_engines(self) -> None:
        """Build the engines that could be invalid: every label once, and every corner.

        Each bound of ``Engine`` is either on one parameter or monotone in each of several, so
        that a grid which passes here is valid throughout.
        """
        first = {name: labels[0] for name, labels in self.axes.items()}
        # Scattered points are in no order: each of them is a corner.
        ends = {name: {labels[0], labels[-1]} for name, labels in self.axes.items()}
        if self.points:
            ends[POINT] = set(self.axes[POINT])
        corners = itertools.product(*ends.values())
        for corner in corners:
            self.method.accept(self.engine(dict(zip(self.axes, corner, strict=True))))
        for name, labels in self.axes.items():
            for value in labels:
                self.engine({**first, name: value})

    def engine(self, labels: Mapping[str, Label]) -> Engine:
        """The engine at labels of the axes; further labels take the place of fixed ones."""
        if not isinstance(labels, Mapping):
            raise InvalidInput(
                f"labels map axes to numbers, but are {shown(labels)}: give a mapping"
            )
        parameters: dict[str, Any] = {**self.fixed, **labels}
        if self.points and POINT in parameters:
            position = parameters.pop(POINT)
            parameters |= {name: values[position] for name, values in self.points.items()}
        if not self.method.sized:
            parameters["N"] = 1  # a limit takes engines of any N
        parameters |= {"scaling": self.scaling, "statistics": self.statistics}
        try:
            return Engine(**parameters)
        except TypeError:  # a name that is no parameter, or one that is missing
            raise InvalidInput(
                f"no engine has the labels {shown(dict(labels))}: give one of each axis, "
                f"{', '.join(self.axes)}"
            ) from None

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the dimensions, in the vocabulary's order."""
        return tuple(self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of labels along each dimension."""
        return tuple(len(labels) for labels in self.axes.values())

    @property
    def size(self) -> int:
        """Number of points."""
        return math.prod(self.shape)

    @property
    def arrays(self) -> tuple[str, ...]:
        """Names of all arrays of the sweep: variables, then diagnostics, status last."""
        kept = {*self.method.diagnostics, *BOOKKEEPING}
        return (*self.variables, *(name for name in names("diagnostic") if name in kept))

    @property
    def block_grid(self) -> tuple[int, ...]:
        """Number of blocks along each dimension."""
        return tuple(-(-len(labels) // self.blocks[dim]) for dim, labels in self.axes.items())

    def block_indices(self) -> Iterator[Index]:
        """Indices of all blocks."""
        return itertools.product(*(range(n) for n in self.block_grid))

    def block_slices(self, index: Index) -> tuple[slice, ...]:
        """The part of the grid that a block covers."""
        return tuple(
            slice(i * self.blocks[dim], min((i + 1) * self.blocks[dim], n))
            for i, dim, n in zip(index, self.dims, self.shape, strict=True)
        )

    def engines(self, index: Index) -> Iterator[tuple[Index, Engine]]:
        """Positions within a block and the engines there, N slowest."""
        axes = [
            labels[part]
            for labels, part in zip(self.axes.values(), self.block_slices(index), strict=True)
        ]
        positions = itertools.product(*(range(len(labels)) for labels in axes))
        for position, labels in zip(positions, itertools.product(*axes), strict=True):
            yield position, self.engine(dict(zip(self.dims, labels, strict=True)))

    def definition(self) -> dict[str, Any]:
        """Everything that decides the stored arrays (their chunks too), as plain JSON data.

        The description comes with it, which decides nothing: neither `key` nor `kind` knows it.
        """
        axes = {name: list(labels) for name, labels in self.axes.items() if name != POINT}
        points = {name: list(labels) for name, labels in self.points.items()}
        return {
            "name": self.name,
            "description": self.description,
            "axes": axes,
            **({"points": points} if points else {}),
            "fixed": dict(self.fixed),
            "scaling": self.scaling,
            "statistics": self.statistics,
            "method": {"name": self.method.name, **asdict(self.method)},
            "variables": list(self.variables),
            "energy_unit": self.energy_unit,
            "blocks": dict(self.blocks),
        }

    @classmethod
    def from_definition(cls, definition: Mapping[str, Any]) -> Sweep:
        """The sweep with a given ``definition()``."""
        if not isinstance(definition, Mapping):
            raise InvalidInput(
                f"a definition is a mapping, not {shown(definition)}: see definition"
            )
        known = [item.name for item in fields(cls) if item.init]
        for key in definition:
            if key not in known:
                raise InvalidInput(f"unknown entry {shown(key)} of a sweep: remove it")
        for key in ("name", "axes", "fixed"):
            if key not in definition:
                raise InvalidInput(f"the definition of a sweep lacks {key}: add it")
        return cls(**definition)

    def over(self, box: Mapping[str, Sequence[Label]]) -> Sweep:
        """The same kind of sweep over other labels; blocks as far as they were given.

        Parameters with several labels, and those that are axes here, become axes.
        """
        axes = {name: v for name, v in box.items() if len(v) > 1 or name in self.axes}
        if not axes:
            axes = {next(iter(box)): next(iter(box.values()))}
        fixed = {name: labels[0] for name, labels in box.items() if name not in axes}
        blocks = {name: self.blocks[name] for name in axes if name in self.blocks}
        given = blocks if self.blocks_given else {}
        return replace(self, axes=axes, fixed=fixed, points={}, blocks=given)

    def seen_over(self, axes: Mapping[str, Sequence[Label]], fixed: Mapping[str, Label]) -> Sweep:
        """The sweep over labels that several grids together have, taken as they are.

        Not every combination of them need be an engine: it describes a view, not work to do.
        """
        seen = copy.copy(self)
        vars(seen).pop("_key", None)
        set_field = object.__setattr__
        set_field(seen, "axes", {name: tuple(axes[name]) for name in ordered(axes)})
        set_field(seen, "fixed", {name: fixed[name] for name in ordered(fixed)})
        set_field(seen, "points", {})
        set_field(seen, "blocks", block_shape(seen.axes, {}))
        return seen

    def kind(self) -> dict[str, Any]:
        """What sweeps must share to lie in one: the definition but labels, blocks and words."""
        definition = self.definition()
        del definition["description"]
        parameters = {*definition.pop("axes"), *definition.pop("fixed")}
        parameters |= {*definition.pop("points", {})}
        del definition["blocks"]
        return {**definition, "parameters": sorted(parameters)}

    def key(self) -> str:
        """SHA-256 of the definition without its description: equal keys mean the same sweep."""
        return self._key

    @cached_property
    def _key(self) -> str:  # each look-up of an array asks for it, and an axis may be long
        definition = self.definition()
        del definition["description"]
        canonical = json.dumps(definition, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


def _require_apart(
    axes: Mapping[str, Any], fixed: Mapping[str, Any], points: Mapping[str, Any]
) -> None:
    """No parameter is given in two places."""
    for name in axes.keys() & fixed.keys():
        raise InvalidInput(f"{name} is both an axis and fixed: keep one of the two")
    for name in points.keys() & (axes.keys() | fixed.keys()):
        raise InvalidInput(f"{name} varies along the points: remove it elsewhere")


def _variables(method: Method, given: Any) -> tuple[str, ...]:
    wanted = texts("variables", given)
    for name in wanted:
        if name not in method.variables:
            raise InvalidInput(
                f"method {method.name} does not define {shown(name)}"
                f"{suggestion(name, method.variables)}"
            )
    chosen = set(wanted) or set(method.chosen(None))
    return tuple(name for name in names("variable") if name in chosen)


def block_shape(
    axes: Mapping[str, Sequence[Label]], given: Mapping[str, Any], points: int = BLOCK_POINTS
) -> dict[str, int]:
    """Labels per block: one N (blocks share their sparse parts), the rest nearly square.

    Parameters
    ----------
    axes : mapping of str to labels
    given : mapping of str to int
        Labels per block along some of the dimensions.
    points : int
        Most points that a block holds, unless that is given.
    """
    for dim, length in given.items():
        if dim not in axes:
            raise InvalidInput(f"blocks names {dim}, which is not an axis: remove it")
        number = as_number(length)
        if not isinstance(number, int) or number < 1:
            raise InvalidInput(
                f"blocks must be whole numbers ≥ 1, but {dim} is {shown(length)}: e.g. {dim} = 8"
            )
    given = {dim: int(length) for dim, length in given.items()}
    shape = {dim: min(given.get(dim, len(axes[dim])), len(axes[dim])) for dim in axes}
    if "N" in axes and "N" not in given:
        shape["N"] = 1
    free = [dim for dim in axes if dim not in given and dim != "N"]
    while free and math.prod(shape.values()) > points:
        longest = max(free, key=lambda dim: shape[dim])
        if shape[longest] == 1:
            break
        shape[longest] = -(-shape[longest] // 2)
    return shape
