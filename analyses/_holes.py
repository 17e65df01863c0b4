"""Rows with values at the same points, which a kernel computes together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from analyses._labels import FloatArray


def alike(
    rows: FloatArray, fewest: int
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_], FloatArray]]:
    """Groups of rows that are finite at the same points, ``fewest`` of them or more.

    Parameters
    ----------
    rows : ndarray, shape (m, n)
    fewest : int
        Rows with fewer finite values are in no group.

    Yields
    ------
    group : ndarray of bool, shape (m,)
        Which rows.
    there : ndarray of bool, shape (n,)
        Where they are finite.
    values : ndarray, shape (rows of the group, points that are finite)

    Examples
    --------
    >>> rows = np.array([[1.0, np.nan, 2.0], [np.nan, np.nan, 3.0], [4.0, np.inf, 5.0]])
    >>> for group, there, values in alike(rows, 2):
    ...     print(group, there, values.tolist())
    [ True False  True] [ True False  True] [[1.0, 2.0], [4.0, 5.0]]
    """
    finite = np.isfinite(rows)
    for there in np.unique(finite, axis=0):
        if there.sum() >= fewest:
            group = np.all(finite == there, axis=1)
            yield group, there, rows[np.ix_(group, there)]
