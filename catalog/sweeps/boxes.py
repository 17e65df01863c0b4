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

from catalog.names.labels import NEAR, SAME, Label, neighbours, slack
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
    common = {name: _labels(labels, set(other[name]), True) for name, labels in box.items()}
    if not all(common.values()):
        return [box]
    pieces, left = [], dict(box)
    for name, labels in box.items():
        more = _labels(labels, set(common[name]), False)
        if more:
            pieces.append({**left, name: more})
        left[name] = common[name]
    return pieces


def _labels(labels: tuple[Label, ...], known: set[Label], inside: bool) -> tuple[Label, ...]:
    """The labels that are, or are not, among known ones."""
    return tuple(label for label in labels if (label in known) is inside)


def refuse_near_misses(asked: Box, stored: Box) -> None:
    """Refuse labels that nearly equal stored ones: the store would always keep both.

    Raises
    ------
    InvalidInput
    """
    for name, labels in asked.items():
        wanted = np.asarray(labels, dtype=float)
        for known in neighbours(wanted, stored[name]):
            scale = np.maximum(np.abs(known), np.abs(wanted))
            near = np.flatnonzero(np.abs(known - wanted) <= NEAR * scale)  # not where it is NaN
            if near.size:
                label, other = labels[near[0]], known[near[0]].item()
                other = int(other) if isinstance(label, int) else other
                raise InvalidInput(
                    f"{name} = {label!r} nearly equals the stored label {other!r}: use that one"
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
    there = set(known)
    if there.issuperset(labels):
        return tuple(labels)
    # Of the labels of an axis, only the two next to a number can stand for it.  The margin near 0
    # follows from the neighbours of a label; an axis may have one label only, so that the larger
    # margin of the two axes counts.
    margins = dict(zip(map(float, known), slack(known, SAME).tolist(), strict=True))
    originals = {float(label): label for label in known}
    own = slack(labels, SAME).tolist()
    found = []
    for label, margin, *beside in zip(
        labels, own, *(n.tolist() for n in neighbours(labels, known)), strict=True
    ):
        near = [
            (abs(other - label), other)
            for other in beside
            if abs(other - label) <= max(margins.get(other, 0.0), margin, SAME * abs(label))
        ]
        found.append(originals[min(near)[1]] if near and label not in there else label)
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
    for count, facet in facets(grid, _points_within(grid, box) if grid.points else None):
        lead_block: Index = () if count is None else (count // steps[POINT],)
        lead: Index = () if count is None else (count % steps[POINT],)
        choices = [
            _by_block(labels, wanted[name], steps.get(name, 1), grid.positions.get(name))
            for name, labels in facet.items()
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


def facets(grid: Grid, counts: Iterable[int] | None = None) -> Iterator[tuple[int | None, Box]]:
    """The boxes that a grid consists of: itself, or one for each scattered point.

    Parameters
    ----------
    counts : iterable of int, optional
        Positions of the scattered points that are asked for; without it all.
    """
    if not grid.points:
        yield None, box_of(grid)
        return
    common = {name: tuple(labels) for name, labels in grid.axes.items() if name != POINT}
    common |= {name: (value,) for name, value in grid.fixed.items()}
    for count in range(len(grid.axes[POINT])) if counts is None else counts:
        own = {name: (values[count],) for name, values in grid.points.items()}
        yield count, {n: own[n] if n in own else common[n] for n in grid.family.parameters}


def _points_within(grid: Grid, box: Box) -> list[int]:
    """Positions of the scattered points whose labels a box has."""
    at, labels = grid.point_positions, [box[name] for name in grid.points]
    if math.prod(map(len, labels)) <= len(at):
        return sorted(at[point] for point in itertools.product(*labels) if point in at)
    wanted = [set(found) for found in labels]
    return [i for p, i in at.items() if all(v in w for v, w in zip(p, wanted, strict=True))]


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
            n: grid.positions[n] for n in grid.family.parameters if n in grid.positions
        }
        self.points = grid.point_positions

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
    labels: Sequence[Label],
    wanted: Mapping[Label, int],
    step: int,
    positions: Mapping[Label, int] | None,
) -> list[tuple[int, Any, Any]]:
    """Of each block that has wanted labels: its number, their positions in it and in the box.

    The work grows with the labels or with the wanted ones, whichever are fewer.
    """
    if positions is None or len(labels) <= len(wanted):
        pairs = [(i, wanted[label]) for i, label in enumerate(labels) if label in wanted]
    else:
        pairs = sorted((positions[v], i) for v, i in wanted.items() if v in positions)
    found: dict[int, tuple[list[int], list[int]]] = {}
    for position, place in pairs:
        inner, outer = found.setdefault(position // step, ([], []))
        inner.append(position % step)
        outer.append(place)
    return [(block, inner, outer) for block, (inner, outer) in found.items()]
