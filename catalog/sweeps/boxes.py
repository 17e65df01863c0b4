"""Boxes of labels: what a sweep covers, what it covers beyond others, where its points lie.

A box maps every parameter, fixed ones too, to its labels; it stands for all their combinations.
The labels need not be neighbours, so that one box may lie between the labels of another.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.names.labels import NEAR, SAME, Label, matching, slack
from catalog.names.vocabulary import POINT
from catalog.sweeps.grid import Grid, Index
from catalog.sweeps.sweep import Sweep
from ensemble import InvalidInput

Box = dict[str, tuple[Label, ...]]


def box_of(grid: Grid) -> Box:
    """The labels of every parameter of a grid; of scattered points, all that occur, sorted."""
    labels = {name: tuple(v) for name, v in grid.axes.items() if name != POINT}
    labels |= {name: (value,) for name, value in grid.fixed.items()}
    labels |= {name: tuple(sorted(set(values))) for name, values in grid.points.items()}
    return {name: labels[name] for name in grid.family.parameters}


def bounding_box(boxes: Iterable[Box]) -> Box:
    """The smallest box that holds all of them: sorted labels; it may have points of none."""
    boxes = list(boxes)
    return {
        name: tuple(sorted({label for box in boxes for label in box[name]})) for name in boxes[0]
    }


def uncovered(box: Box, others: Iterable[Box]) -> list[Box]:
    """What a box has beyond others, as disjoint boxes.

    Examples
    --------
    >>> uncovered({"N": (1, 2, 4), "delta_E": (5.0, 9.0)}, [{"N": (1, 4), "delta_E": (5.0, 7.0)}])
    [{'N': (2,), 'delta_E': (5.0, 9.0)}, {'N': (1, 4), 'delta_E': (9.0,)}]
    """
    rest = [box]
    for other in others:
        rest = [piece for part in rest for piece in _minus(part, other)]
    return rest


def _minus(box: Box, other: Box) -> list[Box]:
    """A box without another: one piece a parameter of which it has more labels."""
    common = {
        name: tuple(label for label in labels if label in set(other[name]))
        for name, labels in box.items()
    }
    if not all(common.values()):
        return [box]
    pieces, left = [], dict(box)
    for name, labels in box.items():
        more = tuple(label for label in labels if label not in set(common[name]))
        if more:
            pieces.append({**left, name: more})
        left[name] = common[name]
    return pieces


def refuse_near_misses(asked: Box, stored: Box) -> None:
    """Refuse labels that nearly equal stored ones: the store would keep both for ever.

    Raises
    ------
    InvalidInput
    """
    for name, labels in asked.items():
        known = np.asarray(stored[name])
        for label in labels:
            gaps = np.abs(known - label)
            near = (gaps > 0) & (gaps <= NEAR * np.maximum(np.abs(known), abs(label)))
            if near.any():
                raise InvalidInput(
                    f"{name} = {label!r} nearly equals the stored label {known[near][0].item()!r}: "
                    "use that one"
                )


def snapped(sweep: Sweep, stored: Box) -> Sweep:
    """The sweep with stored labels for those that differ from them by rounding only.

    A label that differs by a relative 10⁻¹² or less is the same number, computed in another way:
    0.1 + 0.2 for 0.3.  A label of 10⁻¹⁷ is 0 if the next ones are 10¹² times as far away.

    Parameters
    ----------
    sweep : Sweep
        As it is asked for.
    stored : Box
        The labels of a stored sweep of its kind.

    Returns
    -------
    Sweep
        The same object if nothing had to be replaced.

    Examples
    --------
    >>> fixed = dict(E_1=1, T_mean=13.5, delta_T=23, omega_0=0.006, Gamma_0=0.001)
    >>> sweep = Sweep(name="demo", axes={"N": [1], "delta_E": [0.1 + 0.2, 0.4]}, fixed=fixed)
    >>> snapped(sweep, {"delta_E": (0.3, 0.5)}).axes["delta_E"]
    (0.3, 0.4)
    """

    def snap(labels: Mapping[str, Sequence[Label]]) -> dict[str, tuple[Label, ...]]:
        return {name: _snapped(v, stored[name]) if name in stored else tuple(v)
                for name, v in labels.items()}  # fmt: skip

    axes, points = snap(sweep.axes), snap(sweep.points)
    fixed = {
        name: labels[0] for name, labels in snap({n: (v,) for n, v in sweep.fixed.items()}).items()
    }
    if (axes, points, fixed) == (sweep.axes, sweep.points, sweep.fixed):
        return sweep
    return sweep.replace(axes=axes, points=points, fixed=fixed)


def _snapped(labels: Sequence[Label], known: Sequence[Label]) -> tuple[Label, ...]:
    if set(labels) <= set(known):
        return tuple(labels)
    axis = np.asarray(known)
    margins = slack(axis, SAME)
    found = []
    for label, margin in zip(labels, slack(labels, SAME).tolist(), strict=True):
        # The margin near 0 follows from the neighbours of a label; an axis may have one label only,
        # so that the larger margin of the two axes counts.
        position = matching(label, axis, np.maximum(margins, margin), SAME)
        found.append(label if position is None else known[position])
    return tuple(found)


def missing_points(sweep: Sweep, others: Iterable[Grid]) -> Sweep | None:
    """The scattered points of a sweep that others do not hold, None if they hold all.

    A point counts as held if every combination with the labels of the axes is.

    Parameters
    ----------
    sweep : Sweep
        With ``points``.
    others : iterable of Grid
        Of its family, such as the parts of a stored sweep.
    """
    held = [facet for other in others for _, facet in facets(other)]
    grids = [box for box in held if any(len(box[name]) > 1 for name in sweep.points)]
    at: dict[tuple[Label, ...], list[Box]] = {}
    for box in held:
        at.setdefault(tuple(box[name][0] for name in sweep.points), []).append(box)
    lacking = [
        count
        for count, facet in facets(sweep.grid)
        if count is not None
        and uncovered(facet, [*grids, *at.get(tuple(facet[n][0] for n in sweep.points), ())])
    ]
    if not lacking:
        return None
    if len(lacking) == len(sweep.grid.axes[POINT]):
        return sweep
    points = {name: [labels[i] for i in lacking] for name, labels in sweep.points.items()}
    return sweep.replace(points=points)


@dataclass(frozen=True)
class Piece:
    """Points that one block of a grid and a box have in common.

    Attributes
    ----------
    index : tuple of int
        The block.
    lead : tuple of int
        Position along ``point`` within the block; empty for a grid.
    shape : tuple of int
        Shape of the block, after the lead, with one axis for every parameter.
    depth : int
        Dimensions of the block after the lead; what an array has beyond them is its own.
    inner, outer : tuple of ndarray
        Index arrays (as of ``numpy.ix_``) of the points in that shape, and in the box.
    """

    index: Index
    lead: Index
    shape: tuple[int, ...]
    depth: int
    inner: tuple[NDArray, ...]
    outer: tuple[NDArray, ...]

    @property
    def size(self) -> int:
        """Number of points."""
        return math.prod(positions.size for positions in self.outer)

    def of(self, array: NDArray) -> NDArray:
        """The points, from an array of the block; further dimensions of the array stay."""
        # The ellipsis keeps an array where a number or text would come out.
        at: tuple[Any, ...] = (*self.lead, ...)
        found = array[at]
        return found.reshape((*self.shape, *found.shape[self.depth :]))[self.inner]


def pieces(grid: Grid, box: Box, *, steps: Mapping[str, int] | None = None) -> Iterator[Piece]:
    """The points of a box that a grid has, block by block.

    Parameters
    ----------
    steps : mapping of str to int, optional
        Labels of a block along each dimension, if it is not to be those of the grid.
    """
    steps = grid.blocks if steps is None else steps
    wanted = {name: {label: i for i, label in enumerate(labels)} for name, labels in box.items()}
    for count, facet in facets(grid):
        lead_block: Index = () if count is None else (count // steps[POINT],)
        lead: Index = () if count is None else (count % steps[POINT],)
        choices = [
            _by_block(labels, wanted[name], steps.get(name, 1)) for name, labels in facet.items()
        ]
        lengths = {name: len(labels) for name, labels in facet.items()}
        for combination in itertools.product(*choices):
            blocks = dict(zip(facet, (block for block, _, _ in combination), strict=True))
            yield Piece(
                index=(*lead_block, *(blocks[dim] for dim in grid.dims if dim != POINT)),
                lead=lead,
                shape=tuple(
                    min(steps.get(name, 1), lengths[name] - block * steps.get(name, 1))
                    for name, block in blocks.items()
                ),
                depth=len(grid.dims) - len(lead),
                inner=np.ix_(*(inner for _, inner, _ in combination)),
                outer=np.ix_(*(outer for _, _, outer in combination)),
            )


def facets(grid: Grid) -> Iterator[tuple[int | None, Box]]:
    """The boxes that a grid consists of: itself, or one for each scattered point."""
    if not grid.points:
        yield None, box_of(grid)
        return
    box = box_of(grid)
    for count in range(len(grid.axes[POINT])):
        yield count, {**box, **{name: (values[count],) for name, values in grid.points.items()}}


class Locator:
    """Where the points of boxes lie in a grid.

    Parameters
    ----------
    grid : Grid
    """

    def __init__(self, grid: Grid) -> None:
        self.dims = grid.dims
        self.scattered = tuple(grid.points)
        self.positions = {
            name: {label: i for i, label in enumerate(labels)}
            for name, labels in box_of(grid).items()
            if name not in grid.points
        }
        self.points: dict[tuple[Label, ...], int] = {
            labels: i for i, labels in enumerate(zip(*grid.points.values(), strict=True))
        }

    def find(self, box: Box) -> tuple[NDArray, ...] | None:
        """Index arrays (as of ``numpy.ix_``) of the points that the grid has of a box.

        A grid of scattered points has those of a box with one label of each scattered parameter.
        None if it has none.
        """
        found = {
            name: [places[label] for label in box[name] if label in places]
            for name, places in self.positions.items()
        }
        if self.scattered:
            at = self.points.get(tuple(box[name][0] for name in self.scattered))
            found[POINT] = [] if at is None else [at]
        if not all(found.values()):
            return None
        return np.ix_(*(found[dim] for dim in self.dims))


def _by_block(
    labels: Sequence[Label], wanted: Mapping[Label, int], step: int
) -> list[tuple[int, Any, Any]]:
    """Of each block that has wanted labels: its number, their positions in it and in the box."""
    found: dict[int, tuple[list[int], list[int]]] = {}
    for position, label in enumerate(labels):
        if label in wanted:
            inner, outer = found.setdefault(position // step, ([], []))
            inner.append(position % step)
            outer.append(wanted[label])
    return [(block, inner, outer) for block, (inner, outer) in found.items()]
