"""Pareto front of a stored map: the points that no other point beats in every respect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analyses._grid_points import (
    AT_EDGE,
    N_LEFT_OUT,
    N_POINTS,
    chosen_variables,
    label_terms,
    neighbours,
    usable_points,
)
from analyses._labels import FloatArray, labelled
from catalog.heat_engine.energy_term import EnergyTerm
from ensemble import InvalidInput

OBJECTIVES = {"power": "max", "efficiency": "max", "constancy": "max"}
"""By default: what an engine should have much of."""
FRONT = "front"
"""Dimension of the points on the front."""
N_ON_FRONT = EnergyTerm("n_on_front", "", "variable", "points on the front", dtype="int64")


def pareto_front(
    dataset: xr.Dataset,
    *,
    objectives: Mapping[str, str] = OBJECTIVES,
    dims: Iterable[str] = ("delta_E", "T_mean"),
) -> xr.Dataset:
    r"""Points of a map that no other of its points dominates, with all their labels.

    A point y dominates x if it is at least as good in every objective and better in one:

    .. math:: f_i(y) \ge f_i(x) \ \forall i \quad\text{and}\quad f_j(y) > f_j(x) \ \exists j

    with f → −f for those to be minimised.

    Parameters
    ----------
    dataset : xarray.Dataset
        A stored map with its ``status``.  Points whose status is not "ok", or one of whose
        objectives is not finite, are left out and counted; so are refrigerators if the efficiency
        is an objective, as they have none.  Without a status all points are looked at, and the
        attribute ``among`` says so.  A lazy dataset is computed: the number of points on a front is
        not known before.
    objectives : mapping of str to {"max", "min"}
        Variables and their directions; at least two.
    dims : iterable of str
        Dimensions whose points compete.  Other dimensions have a front for each of their points.

    Returns
    -------
    xarray.Dataset
        Along the dimension ``front``, by front and then by the first objective, best first:

        - the objectives,
        - coordinates: the labels of the point along every dimension of the map, and the other
          coordinates that vary over it,
        - for each of ``dims``, as for delta_E: ``delta_E_below`` and ``delta_E_above``, the
          neighbouring labels, NaN at an end,
        - ``at_edge``: whether the point is at an end of one of ``dims`` of two or more labels: the
          front may go on beyond the map,
        - ``n_points``, ``n_left_out``: of the front that the point belongs to, the points that were
          compared and those that were not, and ``n_on_front``, the points on it.

        The attribute ``n_empty`` counts the fronts without a point, of which nothing is listed.

    Raises
    ------
    InvalidInput
        If a variable, direction or dimension is unknown, or labels are not positive and increasing.

    Notes
    -----
    The front consists of grid points.  The front of the smooth functions lies beyond it, by up to
    about the change of the objectives from a point to its neighbours.  Points with the same values
    in all objectives are all on it.  Values that differ by rounding alone differ: round them first
    if that matters.

    Examples
    --------
    >>> grid = xr.Dataset({"power": ("N", [1.0, 2.0, 3.0]), "constancy": ("N", [0.9, 0.5, 0.6])})
    >>> grid = grid.assign_coords(N=[1, 2, 4])
    >>> front = pareto_front(grid, objectives={"power": "max", "constancy": "max"}, dims=["N"])
    >>> front.N.values, front.power.values, front.n_points.values
    (array([4, 1]), array([3., 1.]), array([3, 3]))
    """
    over = list(dims)
    names = list(objectives)
    if len(names) < 2:
        raise InvalidInput(
            f"a front needs two objectives or more, but has {len(names)}: for a single one use "
            "analyses.operating_point"
        )
    for name, direction in objectives.items():
        if direction not in ("max", "min"):
            raise InvalidInput(
                f"the direction of {name} must be 'max' or 'min', but is {direction!r}: choose one"
            )
    chosen_variables(dataset, names, over)
    usable, among = usable_points(dataset, names)
    *values, usable = xr.broadcast(*(dataset[name] for name in names), usable)
    others = [str(dim) for dim in usable.dims if dim not in over]
    order = [*others, *over]
    mask = usable.transpose(*order).to_numpy()
    columns = np.stack([array.transpose(*order).to_numpy() for array in values], axis=-1)
    signs = np.array([1.0 if objectives[name] == "max" else -1.0 for name in names])

    lead = mask.shape[: len(others)]
    found: list[tuple[NDArray[np.int64], ...]] = []
    n_on_front = np.zeros(lead, dtype=np.int64)
    for at in np.ndindex(lead):
        inside = np.argwhere(mask[at])
        kept = inside[undominated(columns[at][mask[at]] * signs)]
        n_on_front[at] = len(kept)
        found += [(*at, *place) for place in kept]
    places = np.array(found, dtype=np.int64).reshape(-1, len(order)).T
    pick = {dim: xr.DataArray(place, dims=FRONT) for dim, place in zip(order, places, strict=True)}
    how: dict[str, Any] = {
        "dims": ", ".join(over),
        "objectives": ", ".join(f"{direction} {name}" for name, direction in objectives.items()),
        "among": among,
        "n_empty": int((n_on_front == 0).sum()),
    }
    result: dict[str, xr.DataArray] = {}
    for name, array in zip(names, values, strict=True):
        result[name] = array.isel(pick)
        result[name].attrs = {**dataset[name].attrs, **how}
    at_edge = np.zeros(places.shape[1], dtype=bool)
    for dim in over:
        labels = dataset[dim].to_numpy().astype(float)
        place = pick[dim].to_numpy()
        at_edge |= (labels.size > 1) & np.isin(place, (0, labels.size - 1))
        units = dataset[dim].attrs.get("units", "1")
        for term, side in zip(label_terms(dim)[1:], neighbours(labels, place), strict=True):
            result[term.name] = labelled(xr.DataArray(side, dims=FRONT), term, units, **how)
    result["at_edge"] = labelled(xr.DataArray(at_edge, dims=FRONT), AT_EDGE, **how)
    n_points = mask.sum(axis=tuple(range(len(others), mask.ndim)))
    size = int(np.prod(mask.shape[len(others) :]))
    belongs = tuple(places[: len(others)])
    for term, count in (
        (N_POINTS, n_points),
        (N_LEFT_OUT, size - n_points),
        (N_ON_FRONT, n_on_front),
    ):
        column = np.broadcast_to(np.asarray(count)[belongs], places.shape[1:])
        result[term.name] = labelled(xr.DataArray(column.copy(), dims=FRONT), term, **how)
    return xr.Dataset(result)


def undominated(values: FloatArray) -> NDArray[np.int64]:
    """Positions of the rows that no other row dominates, best first column first.

    Parameters
    ----------
    values : ndarray, shape (n, objectives)
        Finite; larger is better.

    Returns
    -------
    ndarray of int, shape (front,)

    Examples
    --------
    >>> undominated(np.array([[1.0, 3.0], [2.0, 2.0], [1.0, 2.0], [2.0, 2.0]]))
    array([1, 3, 0])
    """
    # In this order a row can be dominated by earlier rows alone.
    order = np.lexsort(-values.T[::-1])
    if values.shape[1] == 2:
        return order[_undominated_pairs(values[order])]
    kept = np.empty((0, values.shape[1]))
    places: list[int] = []
    for place in order:
        row = values[place]
        beaten = np.all(kept >= row, axis=1) & np.any(kept > row, axis=1)
        if not beaten.any():
            kept = np.vstack([kept, row])
            places.append(int(place))
    return np.array(places, dtype=np.int64)


def _undominated_pairs(rows: FloatArray) -> NDArray[np.bool_]:
    """Which rows of two columns no other dominates; best first column first, then the second."""
    first, second = rows.T
    begins = np.ones(len(rows), dtype=bool)  # a run of equal values in the first column
    begins[1:] = first[1:] != first[:-1]
    begin = np.maximum.accumulate(np.where(begins, np.arange(len(rows)), 0))
    best = np.concatenate([[-np.inf], np.maximum.accumulate(second)])
    return (second > best[begin]) & (second == second[begin])
