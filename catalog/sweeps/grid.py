"""A grid: the points of a part of a sweep, cut into blocks."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.models.contract import Columns, Model
from catalog.names.labels import Label
from catalog.names.term import Term
from catalog.names.vocabulary import DIAGNOSTICS, POINT
from catalog.sweeps.cuts import BLOCK_POINTS, block_shape, chunk_shape

Index = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Family:
    """What the points of a sweep share, whichever their labels: name, model, variables.

    Attributes
    ----------
    name : str
        Of the sweep.
    model : Model
    variables : tuple of str
    parameters : tuple of str
        All that have a value, as axes, fixed or along the points, in the model's order.
    description : str
        One line for people.
    """

    name: str
    model: Model
    variables: tuple[str, ...]
    parameters: tuple[str, ...]
    description: str = field(default="", compare=False)

    @cached_property
    def arrays(self) -> tuple[str, ...]:
        """Names of all arrays: variables, then diagnostics, status last."""
        diagnostics = (term.name for term in self.model.diagnostics)
        return (*self.variables, *diagnostics, *(term.name for term in DIAGNOSTICS))

    def term(self, name: str) -> Term:
        """The term of a parameter or array."""
        return self.model.vocabulary[name]

    def identity(self) -> dict[str, Any]:
        """Plain JSON data that two sweeps must have in common to be stored as one sweep.

        For an array these are its type and its shape at a point; its symbol, words and unit may be
        corrected later.
        """
        model = self.model
        return {
            "name": self.name,
            "model": {"name": model.name, "version": model.version, "options": model.options()},
            "variables": list(self.variables),
            "parameters": list(self.parameters),
            "arrays": {
                name: [term.dtype, {dim: list(labels) for dim, labels in term.dims.items()}]
                for name, term in ((name, self.term(name)) for name in self.arrays)
                if term.dtype != "float64" or term.dims
            },
        }


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Labels of every parameter and how they are cut: what one group of a store holds.

    Nothing checks that the model accepts every combination of labels: in a view over several
    groups, it may refuse some of them.

    Parameters
    ----------
    family : Family
    axes : mapping of str to tuple of number
        Dimensions in the model's order; the positions of scattered points come first.
    fixed : mapping of str to number
    points : mapping of str to tuple of number
        Parameters that vary together along the dimension ``point``.
    blocks : mapping of str to int
        Labels of a block along each dimension.
    chunks : mapping of str to int
        Labels of a Zarr chunk along each dimension: whole blocks.
    """

    family: Family
    axes: Mapping[str, tuple[Label, ...]]
    fixed: Mapping[str, Label]
    points: Mapping[str, tuple[Label, ...]]
    blocks: Mapping[str, int]
    chunks: Mapping[str, int]

    @property
    def name(self) -> str:
        """Name of the sweep."""
        return self.family.name

    @property
    def description(self) -> str:
        """One line for people."""
        return self.family.description

    @property
    def model(self) -> Model:
        """The model of the sweep."""
        return self.family.model

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables."""
        return self.family.variables

    @property
    def arrays(self) -> tuple[str, ...]:
        """Names of all arrays: variables, then diagnostics, status last."""
        return self.family.arrays

    def term(self, name: str) -> Term:
        """The term of a parameter or array."""
        return self.family.term(name)

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the dimensions, in the model's order."""
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

    def block_points(self, index: Index) -> Iterator[tuple[Index, dict[str, Label]]]:
        """Positions within a block and the points there, the first dimension slowest."""
        axes = [
            labels[part]
            for labels, part in zip(self.axes.values(), self.block_slices(index), strict=True)
        ]
        positions = itertools.product(*(range(len(labels)) for labels in axes))
        for position, labels in zip(positions, itertools.product(*axes), strict=True):
            yield position, self.point(dict(zip(self.dims, labels, strict=True)))

    def point(self, labels: Mapping[str, Label]) -> dict[str, Label]:
        """All parameters at labels of the axes, in the model's order."""
        found = {**self.fixed, **labels}
        if self.points and POINT in found:
            position = int(found.pop(POINT))
            found |= {name: values[position] for name, values in self.points.items()}
        return {name: found[name] for name in self.family.parameters if name in found}

    @cached_property
    def positions(self) -> dict[str, dict[Label, int]]:
        """Positions of the labels of every axis, and 0 for that of every fixed parameter."""
        labels = {name: found for name, found in self.axes.items() if name != POINT}
        labels |= {name: (value,) for name, value in self.fixed.items()}
        return {name: {v: i for i, v in enumerate(found)} for name, found in labels.items()}

    @cached_property
    def point_positions(self) -> dict[tuple[Label, ...], int]:
        """Positions of the scattered points along ``point``, by their labels."""
        return {labels: i for i, labels in enumerate(zip(*self.points.values(), strict=True))}

    def __getstate__(self) -> dict[str, Any]:
        """Without what is looked up again where it is needed: tasks carry grids."""
        return {k: v for k, v in vars(self).items() if k not in ("positions", "point_positions")}

    def columns(self, index: Index | None = None) -> Columns:
        """Every parameter at the points of the grid or of a block, broadcastable to the shape."""
        whole = (slice(None),) * len(self.dims)
        slices = dict(
            zip(self.dims, whole if index is None else self.block_slices(index), strict=True)
        )
        return {name: self._column(name, slices) for name in self.family.parameters}

    def _column(self, name: str, slices: Mapping[str, slice]) -> NDArray:
        if name in self.fixed:
            return np.asarray(self.fixed[name], dtype=float).reshape([1] * len(self.dims))
        along, labels = (name, self.axes[name]) if name in self.axes else (POINT, self.points[name])
        chosen = np.asarray(labels, dtype=float)[slices[along]]
        return chosen.reshape([-1 if dim == along else 1 for dim in self.dims])

    def shape_of(self, index: Index | None) -> tuple[int, ...]:
        """Shape of a block, or of the whole grid."""
        if index is None:
            return self.shape
        return tuple(part.stop - part.start for part in self.block_slices(index))

    # Chunks

    def chunk_of(self, block: Index) -> Index:
        """The chunk that holds a block."""
        return tuple(
            i * self.blocks[dim] // self.chunks[dim]
            for dim, i in zip(self.dims, block, strict=True)
        )

    def chunk_indices(self) -> Iterator[Index]:
        """Indices of all chunks."""
        lengths = zip(self.dims, self.shape, strict=True)
        return itertools.product(
            *(range(-(-length // self.chunks[dim])) for dim, length in lengths)
        )

    def chunk_slices(self, chunk: Index) -> tuple[slice, ...]:
        """The part of the grid that a chunk covers."""
        return tuple(
            slice(i * self.chunks[dim], min((i + 1) * self.chunks[dim], length))
            for i, dim, length in zip(chunk, self.dims, self.shape, strict=True)
        )

    def blocks_of(self, chunk: Index) -> list[Index]:
        """The blocks that a chunk holds."""
        ranges = []
        for dim, i, number in zip(self.dims, chunk, self.block_grid, strict=True):
            step = -(-self.chunks[dim] // self.blocks[dim])
            ranges.append(range(i * step, min((i + 1) * step, number)))
        return list(itertools.product(*ranges))

    # As it is stored

    def definition(self) -> dict[str, Any]:
        """All that decides the stored arrays and where they lie, as plain JSON data."""
        return {
            "family": self.family.identity(),
            "description": self.family.description,
            "axes": {name: list(labels) for name, labels in self.axes.items() if name != POINT},
            "points": {name: list(labels) for name, labels in self.points.items()},
            "fixed": dict(self.fixed),
            "blocks": dict(self.blocks),
            "chunks": dict(self.chunks),
        }

    @classmethod
    def from_definition(cls, definition: Mapping[str, Any], model: Model) -> Grid:
        """The grid with a given ``definition()``, of a model that may be known by its record only.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is no such definition.
        """
        identity = definition["family"]
        family = Family(
            name=str(identity["name"]),
            model=model,
            variables=tuple(identity["variables"]),
            parameters=tuple(identity["parameters"]),
            description=str(definition["description"]),
        )
        points = {name: tuple(labels) for name, labels in definition["points"].items()}
        count = {POINT: tuple(range(len(next(iter(points.values())))))} if points else {}
        axes = {name: tuple(labels) for name, labels in definition["axes"].items()}
        return cls(
            family=family,
            axes={**count, **axes},
            fixed=dict(definition["fixed"]),
            points=points,
            blocks=dict(definition["blocks"]),
            chunks=dict(definition["chunks"]),
        )

    @cached_property
    def key(self) -> str:
        """SHA-256 of the definition without its description: equal keys mean the same grid."""
        definition = self.definition()
        del definition["description"]
        canonical = json.dumps(definition, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


def grid_over(
    family: Family,
    axes: Mapping[str, Sequence[Label]],
    fixed: Mapping[str, Label],
    points: Mapping[str, Sequence[Label]] | None = None,
    blocks: Mapping[str, int] | None = None,
    *,
    block_points: int = BLOCK_POINTS,
) -> Grid:
    """A grid over labels in canonical form, cut into blocks and chunks.

    Parameters
    ----------
    axes, fixed, points
        The labels; without the positions of the points, which are added.
    blocks : mapping of str to int, optional
        Labels of a block along some dimensions.
    block_points : int
        Most points of a block.
    """
    points = {name: tuple(points[name]) for name in points} if points else {}
    order = family.model.vocabulary.ordered
    count = {POINT: tuple(range(len(next(iter(points.values())))))} if points else {}
    labels = {**count, **{name: tuple(axes[name]) for name in order(axes)}}
    split = family.model.split_by
    shape = block_shape(labels, blocks or {}, split, block_points)
    return Grid(
        family=family,
        axes=labels,
        fixed={name: fixed[name] for name in order(fixed)},
        points={name: tuple(points[name]) for name in order(points)},
        blocks=shape,
        chunks=chunk_shape(labels, shape, split),
    )
