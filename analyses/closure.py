"""How far a closure is from the limit that it approximates."""

from __future__ import annotations

from collections.abc import Iterable

import xarray as xr

from catalog.heat_engine.terms import VOCABULARY
from catalog.names.suggestion import suggestion
from ensemble import InvalidInput

COMPARED = ("power_per_pair", "constancy", "mutual_information", "gap")
"""Variables that are compared by default."""


def closure_error(
    closure: xr.Dataset, exact: xr.Dataset, *, variables: Iterable[str] | None = None
) -> xr.Dataset:
    r"""Relative error of a closure, (closure − exact)/exact, point by point.

    .. math:: \epsilon_f = \frac{f_{\mathrm{closure}} - f_{\mathrm{exact}}}{f_{\mathrm{exact}}}

    Parameters
    ----------
    closure : xarray.Dataset
        Of the method ``cumulant``; a further dimension, of orders say, is kept.
    exact : xarray.Dataset
        Of the method ``macroscopic``, on the same labels.
    variables : iterable of str, optional
        What to compare: by default those of P/N, C, I and the gap that both have.

    Returns
    -------
    xarray.Dataset
        ``power_per_pair_error`` and so on, dimensionless; NaN where either value is, and where the
        exact value is 0.  Lazy where the inputs are.

    Raises
    ------
    InvalidInput
        If a variable is missing on either side, or the labels differ.

    Examples
    --------
    >>> exact = xr.Dataset({"constancy": ("omega_0", [1.0, 0.8])}, {"omega_0": [0.1, 0.2]})
    >>> closure_error(exact * 0.75, exact).constancy_error.values
    array([-0.25, -0.25])
    """
    shared = [name for name in COMPARED if name in closure and name in exact]
    names = shared if variables is None else list(variables)
    if not names:
        raise InvalidInput(
            f"the two datasets share none of {', '.join(COMPARED)}: name variables that both have"
        )
    for side, data in (("closure", closure), ("exact", exact)):
        for name in names:
            if name not in data:
                known = map(str, data.data_vars)
                raise InvalidInput(f"the {side} dataset has no {name!r}{suggestion(name, known)}")
    for dim in exact.dims:
        if dim in closure.dims and not closure.indexes[dim].equals(exact.indexes[dim]):
            raise InvalidInput(f"labels of {str(dim)!r} differ: select the same ones on both sides")
    errors = {}
    for name in names:
        reference = exact[name].where(exact[name] != 0)
        error = (closure[name] - reference) / reference
        term = VOCABULARY.get(name)
        symbol, long_name = (term.symbol, term.long_name) if term else (name, name)
        error.attrs = {
            "long_name": f"relative error of the closure in: {long_name}",
            "symbol": f"ε({symbol})",
            "units": "1",
            "equation": "(closure - exact)/exact",
        }
        errors[f"{name}_error"] = error
    return xr.Dataset(errors)
