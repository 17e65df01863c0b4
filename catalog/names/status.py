"""The status of points as codes, labels and masks, also after xarray has filled it with NaN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from catalog.names.suggestion import suggestion
from ensemble import InvalidInput, Status

_LABELS = np.array([status.label for status in Status], dtype=object)
_CODES: dict[str, int] = {
    **{status.name.lower(): int(status) for status in Status},
    **{status.label: int(status) for status in Status},
}


def status_codes(data: xr.Dataset | xr.DataArray) -> xr.DataArray:
    """The status of each point as a code of `ensemble.Status`; lazy if the data are.

    ``reindex``, ``where``, outer joins and concatenation turn the codes into floats, with NaN at
    points that they add or mask: such a point is not computed.  A status in words, as
    `catalog.table` writes it, is understood, too.

    Parameters
    ----------
    data : xarray.Dataset or xarray.DataArray
        A Dataset with ``status``, or the status itself.

    Returns
    -------
    xarray.DataArray of uint8

    Raises
    ------
    InvalidInput
        If there is no status, or it holds something that is no status; for a lazy one, when it is
        computed.

    Examples
    --------
    >>> ds = xr.Dataset({"status": ("N", np.array([1, 4], "u1"))}, {"N": [1, 2]})
    >>> status_codes(ds.reindex(N=[1, 2, 3])).values.tolist()
    [1, 4, 0]
    """
    return _each(codes_of, _status(data), np.dtype(np.uint8))


def status_labels(data: xr.Dataset | xr.DataArray) -> xr.DataArray:
    """The status of each point in words: "ok", "failed", "not computed", …; lazy if the data are.

    Parameters and errors are those of `status_codes`.
    """
    return _each(lambda values: labels_of(codes_of(values)), _status(data), np.dtype(object))


def has_status(data: xr.Dataset | xr.DataArray, *labels: str) -> xr.DataArray:
    """Which points have one of some states, by their labels; lazy if the data are.

    Examples
    --------
    >>> ds = xr.Dataset({"status": ("N", np.array([1, 4, 0], "u1"))}, {"N": [1, 2, 3]})
    >>> has_status(ds, "failed", "not computed").values.tolist()
    [False, True, True]
    """
    if not labels:
        raise InvalidInput(f"no status is named: give one or more of {_named()}")
    wanted = [code_of(label) for label in labels]
    return _each(lambda values: np.isin(codes_of(values), wanted), _status(data), np.dtype(bool))


def code_of(label: str) -> int:
    """The code of a status by its label; underscores stand for spaces.

    Raises
    ------
    InvalidInput
        If there is no such status; the message suggests the nearest.
    """
    if not isinstance(label, str) or label not in _CODES:
        known = [status.label for status in Status]
        raise InvalidInput(f"unknown status {label!r}{suggestion(str(label), known)}")
    return _CODES[label]


def codes_of(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Codes of statuses in memory: codes, floats with NaN, or labels with NaN."""
    values = np.asarray(values)
    if values.dtype.kind in "OTU":
        items = [_code(item) for item in values.ravel().tolist()]
        return np.array(items, dtype=np.uint8).reshape(values.shape)
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), Status.NOT_COMPUTED, values)
    known = np.isin(values, [int(status) for status in Status]) & (values.dtype.kind in "iuf")
    if not known.all():
        raise _unknown(values[~known].flat[0].item())
    return values.astype(np.uint8)


def labels_of(codes: NDArray[np.uint8]) -> NDArray[Any]:
    """Labels of codes, as Python strings."""
    return np.asarray(_LABELS[codes], dtype=object)


def _code(item: Any) -> int:
    """The code of one object: a label, a number, or NaN or None where xarray or pandas fill."""
    if isinstance(item, str):
        if item not in _CODES:
            raise _unknown(item)
        return _CODES[item]
    return int(codes_of(np.array(np.nan if item is None else item)))


def _unknown(item: object) -> InvalidInput:
    return InvalidInput(
        f"status holds {item!r}, which is none of {_named()}: update heatcat if a newer version "
        "wrote it, else drop it with drop_vars('status')"
    )


def _named() -> str:
    return ", ".join(f"{int(status)} ({status.label})" for status in Status)


def _status(data: xr.Dataset | xr.DataArray) -> xr.DataArray:
    if isinstance(data, xr.DataArray):
        return data
    if "status" not in data:
        raise InvalidInput("the dataset has no status: keep status when you select variables")
    return data["status"]


def _each(
    function: Callable[[NDArray[Any]], NDArray[Any]], array: xr.DataArray, dtype: np.dtype
) -> xr.DataArray:
    """A function of values applied block by block."""
    return xr.apply_ufunc(
        function, array, dask="parallelized", output_dtypes=[dtype], keep_attrs=True
    )
