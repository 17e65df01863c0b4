"""The border around the cells of a map that are selected."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Path = tuple[list[float], list[float]]


def outline(
    inside: NDArray[np.bool_], x: NDArray[np.float64], y: NDArray[np.float64]
) -> list[Path]:
    """Straight pieces of the border between cells that are inside and cells that are not.

    Parameters
    ----------
    inside : ndarray of bool, shape (rows, columns)
        Along y, then along x.
    x, y : ndarray, shapes (columns + 1,) and (rows + 1,)
        Edges of the cells.

    Returns
    -------
    list of pair of list
        Both ends of each piece: its x and its y.

    Examples
    --------
    >>> edges = np.array([0.0, 1.0, 2.0])
    >>> outline(np.array([[True, True], [False, False]]), edges, edges[:3])[:2]
    [([0.0, 0.0], [0.0, 1.0]), ([2.0, 2.0], [0.0, 1.0])]
    """
    framed = np.pad(inside, 1)
    upright = framed[1:-1, 1:] != framed[1:-1, :-1]  # rows, edges across
    level = framed[1:, 1:-1] != framed[:-1, 1:-1]  # edges up, columns
    pieces: list[Path] = []
    for column in range(upright.shape[1]):
        pieces += [
            ([float(x[column])] * 2, [float(y[first]), float(y[last])])
            for first, last in _runs(upright[:, column])
        ]
    for row in range(level.shape[0]):
        pieces += [
            ([float(x[first]), float(x[last])], [float(y[row])] * 2)
            for first, last in _runs(level[row])
        ]
    return pieces


def _runs(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First place of each run of True, and the place after its last."""
    steps = np.diff(np.pad(marked.astype(np.int8), 1))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return [(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]
