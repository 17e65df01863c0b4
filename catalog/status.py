"""The status of points in a labelled Dataset, whatever xarray has made of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from catalog.vocabulary import suggestion
from ensemble import InvalidInput, Status

LABELS = {status.label: status for status in Status}
KNOWN = np.array([int(status) for status in Status])


def status_codes(values: ArrayLike) -> NDArray[np.uint8]:
    """The status of points as whole numbers.

    ``reindex``, ``where``, outer joins and ``combine_first`` turn whole numbers into floats, and
    give NaN to points that they add: such a point is not computed.

    Raises
    ------
    InvalidInput
        If a number is the code of no status.

    Examples
    --------
    >>> status_codes([1.0, float("nan"), 4.0])
    array([1, 0, 4], dtype=uint8)
    """
    found = np.asarray(values)
    if found.dtype.kind == "O":
        found = np.array([np.nan if v is None else v for v in found.ravel()], dtype=float).reshape(
            found.shape
        )
    if found.dtype.kind == "f":
        found = np.where(np.isnan(found), int(Status.NOT_COMPUTED), found)
    strange = found[~np.isin(found, KNOWN)]
    if strange.size:
        raise InvalidInput(
            f"the status has the value {strange.ravel()[0]}, which no run writes: use the status "
            "of the dataset as it was opened"
        )
    return found.astype(np.uint8)


def text_values(values: ArrayLike) -> NDArray[Any]:
    """Text of points as objects: empty where xarray has put NaN in its place."""
    found = np.asarray(values, dtype=object)
    plain = [text if isinstance(text, str) else "" for text in found.ravel()]
    return np.array(plain, dtype=object).reshape(found.shape)


def has_status(ds: xr.Dataset, *labels: str) -> xr.DataArray:
    """Where the points of a Dataset have one of some states.

    Parameters
    ----------
    ds : xarray.Dataset
        With ``status``, in memory or lazy.
    *labels : str
        "ok", "failed", "uncertified", "unphysical" or "not computed".

    Returns
    -------
    xarray.DataArray of bool

    Raises
    ------
    InvalidInput
        If a label is unknown, or there is no status.

    Examples
    --------
    >>> ds = xr.Dataset({"status": ("N", [1.0, float("nan"), 4.0])}, {"N": [1, 2, 3]})
    >>> has_status(ds, "ok", "not computed").values.tolist()
    [True, True, False]
    """
    for label in labels:
        if label not in LABELS:
            raise InvalidInput(f"unknown status {label!r}{suggestion(str(label), LABELS)}")
    if "status" not in ds:
        raise InvalidInput("the dataset has no status: keep it when you choose variables")
    wanted = [int(LABELS[label]) for label in labels]
    return xr.apply_ufunc(
        lambda values: np.isin(status_codes(values), wanted),
        ds["status"],
        dask="parallelized",
        output_dtypes=[bool],
    )
