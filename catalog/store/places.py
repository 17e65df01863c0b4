"""Where the points of a sweep lie: its grid, scattered points beside it, and each point once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.names.labels import Label
from catalog.store.part import Part
from catalog.sweeps.boxes import Box, bounding_box, box_of
from catalog.sweeps.grid import Grid, Index
from ensemble import Status

Labels = tuple[Label, ...]
"""A label of every parameter, in the model's order."""
Masks = list[NDArray[np.bool_]]


def grid_parts(parts: Sequence[Part]) -> list[Part]:
    """The parts that make the grid of a sweep; the points of the others are scattered.

    Points that were given as such, or proposed by a refinement, are scattered.  A part of a single
    point belongs to the grid if at most one of its labels is new to it: it then lengthens one axis.
    With two new labels it would add a row and a column of holes.
    """
    grids = [part for part in parts if not part.grid.points]
    large = [part for part in grids if part.grid.size > 1] or grids[:1]
    if not large:
        return []
    box = bounding_box(box_of(part.grid) for part in large)
    chosen = list(large)
    for part in grids:
        if part in large:
            continue
        own = box_of(part.grid)
        if sum(own[name][0] not in labels for name, labels in box.items()) <= 1:
            box = bounding_box([box, own])
            chosen.append(part)
    return [part for part in parts if part in chosen]


def points_of(grid: Grid, where: tuple[slice, ...] = ()) -> NDArray[np.float64]:
    """Labels of all parameters at every point of a grid or of a piece of it, one row a point."""
    columns = grid.columns().values()
    whole = [np.broadcast_to(column, grid.shape)[where].ravel() for column in columns]
    return np.stack(whole, axis=-1)


def inside(points: NDArray[np.float64], box: Box) -> NDArray[np.bool_]:
    """Which points have all their labels in a box."""
    within = np.ones(len(points), dtype=bool)
    for column, labels in zip(points.T, box.values(), strict=True):
        within &= np.isin(column, np.asarray(labels, dtype=float))
    return within


def each_once(parts: Sequence[Part], codes: Sequence[NDArray]) -> Masks:
    """Which points of each part to count, so that a point that lies in several counts once.

    Only scattered points lie in several parts.  The oldest part that has computed the point counts,
    or else the oldest.

    Parameters
    ----------
    parts : sequence of Part
        Oldest first.
    codes : sequence of ndarray
        Their status codes.
    """
    masks = [np.ones(part.grid.shape, dtype=bool) for part in parts]
    for places in _shared(parts):
        known = [n for n, (part, at) in enumerate(places) if codes[part][at] != Status.NOT_COMPUTED]
        counts = known[0] if known else 0
        for number, (part, at) in enumerate(places):
            masks[part][at] = number == counts
    return masks


def _shared(parts: Sequence[Part]) -> Iterator[list[tuple[int, Index]]]:
    """The places of every point that lies in several parts: number of the part, position there."""
    found: dict[Labels, list[tuple[int, Index]]] = {}
    for number, part in enumerate(parts):
        if part.grid.points:
            positions = np.ndindex(part.grid.shape)
            for labels, at in zip(points_of(part.grid).tolist(), positions, strict=True):
                found.setdefault(tuple(labels), []).append((number, at))
    if not found:
        return
    for number, part in enumerate(parts):
        if not part.grid.points:
            points = np.array(list(found))
            for labels in points[inside(points, box_of(part.grid))].tolist():
                found[tuple(labels)].append((number, _position(part.grid, labels)))
    yield from (sorted(places) for places in found.values() if len(places) > 1)


def _position(grid: Grid, labels: Sequence[Label]) -> Index:
    named = dict(zip(grid.family.parameters, labels, strict=True))
    return tuple(axis.index(named[name]) for name, axis in grid.axes.items())
