"""Analyses that the browser offers as variables, where what is stored suffices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import xarray as xr

from analyses import (
    closure_error,
    collective_gain,
    conductance,
    local_exponent,
    power_law_exponent,
    same_bath_gain,
)
from analyses.closure import COMPARED

FEWEST_FOR_SLOPE = 3
FEWEST_FOR_FIT = 5


@dataclass(frozen=True)
class Derived:
    """An analysis along N.

    Parameters
    ----------
    compute : callable
        Function of a Dataset with dimension N that returns the variable.
    fewest : int
        Least number of labels of N that it needs.
    from_one : bool
        Whether it compares with N = 1.
    consumes_N : bool
        Whether the result has no dimension N.
    scaled : bool
        Whether it is offered in the high-temperature scaling alone.
    """

    compute: Callable[[xr.Dataset], xr.DataArray]
    fewest: int
    from_one: bool = False
    consumes_N: bool = False
    scaled: bool = False

    def computable(self, data: xr.Dataset) -> bool:
        """Whether a Dataset has what this needs."""
        if "N" not in data.sizes or "power" not in data or data.sizes["N"] < self.fewest:
            return False
        if self.scaled and data.attrs.get("scaling") != "high-temperature":
            return False
        return not self.from_one or 1 in data["N"].values


def growing(data: xr.Dataset) -> xr.DataArray:
    """The power, or the conductance if that grows with N in the same way.

    In the bare scaling the affinity is the same for all N, so the conductance J/a has the power's
    exponents and gains, and is defined on the Carnot line, where power and affinity vanish.
    """
    if data.attrs.get("scaling") == "bare" and {"constancy", "quanta_noise"} <= set(data):
        return conductance(data["constancy"], data["quanta_noise"])
    return data["power"]


DERIVED = {
    "collective_gain": Derived(lambda data: collective_gain(growing(data)), 1, from_one=True),
    "same_bath_gain": Derived(same_bath_gain, 1, scaled=True),
    "local_exponent": Derived(lambda data: local_exponent(growing(data)), FEWEST_FOR_SLOPE),
    "exponent": Derived(
        lambda data: power_law_exponent(growing(data))["exponent"], FEWEST_FOR_FIT, consumes_N=True
    ),
    "exponent_status": Derived(
        lambda data: power_law_exponent(growing(data))["exponent_status"],
        FEWEST_FOR_FIT,
        consumes_N=True,
    ),
}
"""Gains over N single pairs, of the same labels (P_N/(N P₁), the paper's) and in the same baths;
and the exponent α: local, fitted above N_sat, and why it is missing where it is."""


def closure_errors(closure: xr.Dataset, exact: xr.Dataset) -> list[str]:
    """Names of the relative errors of a closure that can be computed."""
    return [f"{name}_error" for name in COMPARED if name in closure and name in exact]


def closure_variables(closure: xr.Dataset, exact: xr.Dataset) -> xr.Dataset:
    """Relative errors of a closure against the exact limit."""
    return closure_error(closure, exact)
