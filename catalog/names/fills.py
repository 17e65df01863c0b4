"""Give arrays back the types and fills that they have in a store where xarray has put NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from catalog.names.described import WholeNumbers, whole_numbers
from catalog.names.status import codes_of
from catalog.names.vocabulary import OWN
from ensemble import InvalidInput


def restored(ds: xr.Dataset) -> xr.Dataset:
    """A Dataset in memory with the types and fills that its arrays have in a store.

    NaN is xarray's only mark of a missing value: ``reindex``, ``where`` and outer joins turn whole
    numbers into floats, and put NaN between texts.  Here a missing status becomes "not computed",
    a missing text empty, and a missing whole number, such as ``run``, what a store holds at a
    point that is not computed.

    Raises
    ------
    InvalidInput
        If the status holds something that is no status, or an array of whole numbers a fraction.

    Examples
    --------
    >>> ds = xr.Dataset({"run": ("N", np.array([3], "i4")), "error": ("N", ["x"])}, {"N": [1]})
    >>> holes = restored(ds.reindex(N=[1, 2]))
    >>> holes.run.values.tolist(), holes.error.values.tolist()
    ([3, -1], ['x', ''])
    """
    changed = {
        name: array.copy(
            data=restored_values(str(name), array.values, whole_numbers(str(name), array.attrs))
        )
        for name, array in (*ds.data_vars.items(), *ds.coords.items())
        if name not in ds.dims and array.dtype.kind in "OTUiuf"
    }
    return ds.assign_coords(
        {name: array for name, array in changed.items() if name in ds.coords}
    ).assign({name: array for name, array in changed.items() if name in ds.data_vars})


def restored_values(
    name: str, values: NDArray[Any], stored: WholeNumbers | None = None
) -> NDArray[Any]:
    """Values of one array with the type and fill that it has in a store; of others, text only.

    Parameters
    ----------
    name : str
    values : ndarray
    stored : WholeNumbers, optional
        How an array of whole numbers is stored.

    Raises
    ------
    InvalidInput
        As `restored`.
    """
    if name == "status":
        return codes_of(values)
    if holds_text(name, values.dtype):
        return _texts(values)
    if stored is None:
        return values
    return _whole_numbers(name, values, stored.dtype, stored.fill)


def holds_text(name: str, dtype: np.dtype) -> bool:
    """Whether an array is one of texts, also if all its values have become NaN."""
    text = name in OWN and OWN[name].dtype == "str"
    return name != "status" and (text or dtype.kind in "OTU")


def _texts(values: NDArray[Any]) -> NDArray[Any]:
    """Python strings, empty where there is none."""
    items = values.astype(object).ravel()
    texts = np.empty(items.shape, dtype=object)
    texts[...] = [
        "" if missing else str(item) for item, missing in zip(items, pd.isnull(items), strict=True)
    ]
    return texts.reshape(values.shape)


def _whole_numbers(name: str, values: NDArray[Any], dtype: np.dtype, fill: int) -> NDArray[Any]:
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), fill, values)
    elif values.dtype.kind not in "iu":
        return values
    limits = np.iinfo(dtype)
    wrong = (values != np.floor(values)) | (values < limits.min) | (values > limits.max)
    if wrong.any():
        raise InvalidInput(
            f"{name} holds {values[wrong].flat[0].item()!r}, but counts in whole numbers: drop it "
            f"with drop_vars({name!r}), or its attributes with drop_attrs()"
        )
    return values.astype(dtype)
