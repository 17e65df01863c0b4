"""Shared by fits and searches along labels: names and attributes of their results."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

import xarray as xr

from analyses._labels import FloatArray, axis_labels, labelled, whole
from analyses._lines import FEWEST
from catalog.heat_engine.energy_term import EnergyTerm
from ensemble import InvalidInput

N_POINTS = EnergyTerm("n_points", "n", "variable", "number of labels in the fit", dtype="int64")
N_MISSING = EnergyTerm(
    "n_missing", "", "variable", "labels without a finite value that were left out", dtype="int64"
)
N_UNKNOWN = EnergyTerm(
    "n_unknown",
    "",
    "variable",
    "labels without a value that could change the result",
    dtype="int64",
)
FIRST = EnergyTerm("first_label", "", "variable", "first label of the fit")
LAST = EnergyTerm("last_label", "", "variable", "last label of the fit")
N_SAT = EnergyTerm("N_sat", "N_sat", "variable", "largest label below the power law")
LABELS = (FIRST, LAST, N_SAT)
"""Terms of a fit whose unit is that of the labels."""


def slope_terms(
    name: str, symbol: str, long_name: str, *, energy_power: int | None = None, equation: str = ""
) -> tuple[EnergyTerm, ...]:
    """Terms of a slope: its value, its range over other fits, their number, the local range.

    Examples
    --------
    >>> [term.name for term in slope_terms("exponent", "α", "exponent")][:3]
    ['exponent', 'exponent_low', 'exponent_high']
    """

    def term(prefix: str, suffix: str, text: str) -> EnergyTerm:
        return EnergyTerm(
            prefix + name + suffix, "", "variable", text + long_name, energy_power=energy_power
        )

    return (
        EnergyTerm(
            name, symbol, "variable", long_name, energy_power=energy_power, equation=equation
        ),
        term("", "_low", "least of the alternative fits: "),
        term("", "_high", "largest of the alternative fits: "),
        EnergyTerm("n_fits", "", "variable", "number of alternative fits", dtype="int64"),
        term("local_", "_low", "least local "),
        term("local_", "_high", "largest local "),
    )


def deviation_term(of: str) -> EnergyTerm:
    """The largest residual of a fit to ``of``."""
    return EnergyTerm("fit_deviation", "δ", "variable", f"largest |residual| of {of}")


def status_term(name: str, long_name: str) -> EnergyTerm:
    """Term of a status; `flagged` adds the meaning of its numbers."""
    return EnergyTerm(name, "", "variable", long_name, dtype="int8")


def flagged(data: xr.DataArray, term: EnergyTerm, codes: type[IntEnum], **how: Any) -> xr.DataArray:
    """A status with the meaning of its numbers among the attributes (CF conventions)."""
    out = labelled(data, term, **how)
    out.attrs["flag_values"] = [int(code) for code in codes]
    out.attrs["flag_meanings"] = " ".join(code.name.lower() for code in codes)
    return out


def window(
    data: xr.DataArray, dim: str, start: float, stop: float
) -> tuple[xr.DataArray, FloatArray]:
    """Data and labels of the window start ≤ label ≤ stop, which must hold enough for a line."""
    labels = axis_labels(data, dim)
    inside = (start <= labels) & (labels <= stop)
    if inside.sum() < FEWEST:
        raise InvalidInput(
            f"the window {start:g} ≤ {dim} ≤ {stop:g} holds {inside.sum()} labels, but a fit needs "
            f"{FEWEST}: widen it"
        )
    return data.isel({dim: inside}), labels[inside]


def reduced(
    kernel: Callable[..., tuple[Any, ...]],
    data: xr.DataArray,
    dim: str,
    terms: tuple[EnergyTerm, ...],
    *,
    how: dict[str, Any],
    codes: type[IntEnum] | None = None,
    of_labels: tuple[EnergyTerm, ...] = LABELS,
    units: str | None = None,
    **options: Any,
) -> xr.Dataset:
    """Apply a kernel that takes data along ``dim`` and returns an array for each term, without it.

    Parameters
    ----------
    kernel : callable
        Of the data, labels last, and ``options``.
    data : xarray.DataArray
    dim : str
    terms : tuple of EnergyTerm
    how : dict
        Attributes that say how the result was made.
    codes : IntEnum, optional
        Meaning of the numbers of the terms whose name ends in "_status".
    of_labels : tuple of EnergyTerm
        Terms in the unit of the labels.
    units : str, optional
        Unit of the terms whose unit is a power of the energy.
    """
    columns = xr.apply_ufunc(
        kernel,
        whole(data, dim),
        input_core_dims=[[dim]],
        output_core_dims=[[]] * len(terms),
        kwargs=options,
        dask="parallelized",
        output_dtypes=[term.dtype for term in terms],
        keep_attrs=True,  # of the coordinates; those of the arrays are replaced below
    )
    found = {}
    for term, column in zip(terms, columns, strict=True):
        if codes is not None and term.name.endswith("_status"):
            found[term.name] = flagged(column, term, codes, **how)
        elif term in of_labels:
            unit = str(data.coords[dim].attrs.get("units", "1"))
            found[term.name] = labelled(column, term, unit, **how)
        else:
            known = units if term.energy_power is not None else None
            found[term.name] = labelled(column, term, known, **how)
    return xr.Dataset(found)
