"""Where the shown variable is largest or smallest, on the map or in the whole sweep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ensemble import InvalidInput, Status
from heatcat.browser.shown.points import At, load_points
from heatcat.browser.shown.sheet import Sheet


@dataclass(frozen=True)
class Extreme:
    """A point at which a variable is largest or smallest.

    Attributes
    ----------
    at : dict of str to float
        Label of every dimension.
    value : float
    edge : tuple of str
        Dimensions at whose ends it lies: the variable may go on beyond the sweep.
    left_out : int
        Points that were not compared, because their status is not ok or they have no value.
    """

    at: dict[str, float]
    value: float
    edge: tuple[str, ...]
    left_out: int


def extreme(sheet: Sheet, variable: str, *, largest: bool, at: At | None = None) -> Extreme:
    """The largest or smallest value of a variable among points with the status ok.

    Parameters
    ----------
    sheet : Sheet
        If it is masked, only points that meet its condition are compared.
    variable : str
    largest : bool
    at : mapping of str to number, optional
        Labels of dimensions that are fixed; by default the whole sweep is searched.

    Raises
    ------
    InvalidInput
        If no point has a value, or as `load_points`.
    """
    sheet.require(variable)
    at = {} if at is None else at
    points = load_points(sheet, [variable], at=at)
    values = np.asarray(points.columns[variable], dtype=float)
    usable = np.isfinite(values) & (points.status == Status.OK)
    if not usable.any():
        raise InvalidInput(
            f"no point of {sheet.name} has a certified value of {variable} here: widen the "
            "condition, or wait until more is computed"
        )
    ordered = np.where(usable, values if largest else -values, -np.inf)
    row = int(np.argmax(ordered))
    place = points.at(row)
    free = [dim for dim in sheet.dims_of(variable) if dim not in at and len(sheet.labels(dim)) > 1]
    return Extreme(
        at=place,
        value=float(values[row]),
        edge=tuple(dim for dim in free if place[dim] in sheet.labels(dim)[[0, -1]]),
        left_out=int((~usable).sum()),
    )
