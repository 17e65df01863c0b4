"""A table of points: sorted, a page at a time, and as a file of all of them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ensemble import Status
from heatcat.browser.shown.labels import figure, number
from heatcat.browser.shown.points import Points

ROWS = 20
"""Points on a page of the table."""


@dataclass(frozen=True)
class Listing:
    """Points in an order.

    Attributes
    ----------
    points : Points
    order : ndarray of int
        Rows of the points, first to last.
    columns : tuple of str
        What is shown: labels, variables, "status".
    """

    points: Points
    order: NDArray[np.int64]
    columns: tuple[str, ...]

    @property
    def pages(self) -> int:
        """Number of pages; one at least."""
        return max(1, -(-len(self.order) // ROWS))

    def rows(self, page: int) -> NDArray[np.int64]:
        """Rows of the points on a page, counted from 0."""
        return self.order[page * ROWS : (page + 1) * ROWS]

    def texts(self, page: int) -> list[list[str]]:
        """The cells of a page."""
        return [[self._text(name, row) for name in self.columns] for row in self.rows(page)]

    def _text(self, name: str, row: int) -> str:
        status = Status(int(self.points.status[row]))
        if name == "status":
            return status.label
        value = self.points.columns[name][row]
        if name in self.points.dims:
            return number(value)
        return "–" if status is Status.NOT_COMPUTED else figure(value)

    def columns_in_order(self) -> dict[str, NDArray[Any]]:
        """All points, with their status in words."""
        labels = np.array([status.label for status in Status])
        return {
            name: (labels[self.points.status] if name == "status" else self.points.columns[name])[
                self.order
            ]
            for name in self.columns
        }


def listing(
    points: Points,
    columns: tuple[str, ...],
    *,
    by: str = "",
    descending: bool = False,
    selected_only: bool = False,
) -> Listing:
    """Order points by a column; those without a value come last in both directions.

    Points with the same value stay in the order of the sweep.
    """
    rows = np.flatnonzero(points.selected) if selected_only else np.arange(points.met)
    if by:
        key = points.status if by == "status" else points.columns[by]
        key = np.asarray(key, dtype=float)[rows]
        rows = rows[np.argsort(-key if descending else key, kind="stable")]
    return Listing(points, rows, columns)


def file(listed: Listing, kind: Literal["csv", "parquet"]) -> io.BytesIO:
    """All points of a listing; every number in full."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    rows, out = pa.table(listed.columns_in_order()), io.BytesIO()
    if kind == "csv":
        pa.csv.write_csv(rows, out)
    else:
        pa.parquet.write_table(rows, out)
    out.seek(0)
    return out
