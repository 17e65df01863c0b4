"""Collective gain: N pairs in one engine against N engines of one pair."""

from __future__ import annotations

import xarray as xr

from analyses._labels import axis_labels, labelled
from catalog.heat_engine.terms import EnergyTerm
from ensemble import InvalidInput

COLLECTIVE_GAIN = EnergyTerm("collective_gain", "P_N/(N P₁)", "variable", "collective gain")
POWER_RATIO = EnergyTerm(
    "power_ratio", "P_N/P₁", "variable", "power ratio to one pair", equation="Eq. 24"
)
CONDUCTANCE = EnergyTerm(
    "conductance",
    "G",
    "variable",
    "quanta current per affinity",
    energy_power=1,
    equation="G = J/a = C D/2",
)


def collective_gain(power: xr.DataArray, *, dim: str = "N") -> xr.DataArray:
    r"""Power of N pairs over that of N independent engines of one pair (Figs. 6b and 10).

    .. math:: \frac{\mathcal{P}_N}{N \mathcal{P}_1}

    Parameters
    ----------
    power : xarray.DataArray
        P, with ``dim`` and any other dimensions; in memory or lazy.
    dim : str
        The dimension of N: positive, strictly increasing labels, N = 1 among them.

    Returns
    -------
    xarray.DataArray
        Dimensionless, with the dimensions and labels of ``power``; NaN where P₁ = 0 (at the
        Carnot point; see `conductance`).

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled, not positive and increasing or has no label 1.

    Examples
    --------
    >>> power = xr.DataArray([2.0, 8.0, 32.0], coords={"N": [1, 2, 4]}, dims="N")
    >>> collective_gain(power).values
    array([1., 2., 4.])
    """
    single = _single(power, dim)
    return labelled(power / (power.coords[dim] * single), COLLECTIVE_GAIN)


def power_ratio(power: xr.DataArray, *, dim: str = "N") -> xr.DataArray:
    r"""Power of N pairs over that of one pair, the ordinate of Fig. 2b (Eq. 24).

    .. math:: \frac{\mathcal{P}_N}{\mathcal{P}_1}

    Parameters
    ----------
    power : xarray.DataArray
        P, with ``dim`` and any other dimensions; in memory or lazy.
    dim : str
        The dimension of N: positive, strictly increasing labels, N = 1 among them.

    Returns
    -------
    xarray.DataArray
        Dimensionless, with the dimensions and labels of ``power``; NaN where P₁ = 0.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled, not positive and increasing or has no label 1.

    Examples
    --------
    >>> power = xr.DataArray([2.0, 8.0, 32.0], coords={"N": [1, 2, 4]}, dims="N")
    >>> power_ratio(power).values
    array([ 1.,  4., 16.])
    """
    return labelled(power / _single(power, dim), POWER_RATIO)


def conductance(constancy: xr.DataArray, quanta_noise: xr.DataArray) -> xr.DataArray:
    r"""Quanta current per affinity, finite and positive through the Carnot point.

    .. math:: G = \frac{J}{a} = \frac{\mathcal{C} D}{2}, \qquad \mathcal{P}_N = \Delta E \, a \, G

    from the constancy C = 2J/(aD) (Eq. 20).  On the Carnot line (Eq. 23) P and a vanish together
    and G, like C and D, does not.

    Parameters
    ----------
    constancy, quanta_noise : xarray.DataArray
        C (dimensionless) and D (energy) of the same sweep; in memory or lazy.

    Returns
    -------
    xarray.DataArray
        G in the unit of ``quanta_noise`` (the affinity counts nats); NaN where C is, as without
        a drive.

    Raises
    ------
    InvalidInput
        If the labels or coordinates of the two differ.

    Notes
    -----
    In the bare scaling the affinity does not depend on N, hence P_N/P₁ = G_N/G₁: exponents,
    ratios and gains of G are those of the power, without the hole on the Carnot line.  In the
    high-temperature scaling (Eq. 28) a ∝ 1/N, hence P_N/P₁ = G_N/(N G₁): the power's ratio is
    G's `collective_gain`, and its exponent is G's less one.

    Examples
    --------
    >>> constancy = xr.DataArray([1.0, 0.9], coords={"N": [1, 2]}, dims="N")
    >>> quanta_noise = xr.DataArray([0.5, 2.0], coords={"N": [1, 2]}, dims="N")
    >>> conductance(constancy, quanta_noise).values
    array([0.25, 0.9 ])
    """
    try:
        both = xr.merge(
            [constancy.rename("C"), quanta_noise.rename("D")], join="exact", compat="equals"
        )
    except ValueError as error:
        raise InvalidInput(
            "constancy and quanta_noise have different labels or coordinates: "
            "select both from one dataset in the same way"
        ) from error
    return labelled(both["C"] * both["D"] / 2, CONDUCTANCE, quanta_noise.attrs.get("units"))


def _single(power: xr.DataArray, dim: str) -> xr.DataArray:
    """P₁ without its coordinate along ``dim``; NaN where it is 0, where a ratio is undefined."""
    if 1.0 not in axis_labels(power, dim):
        raise InvalidInput(f"the engine of one pair is missing: add {dim} = 1 to the sweep")
    # Coordinates that vary along dim would become scalars here, and xarray would find them in
    # conflict with those of power.
    single = power.sel({dim: 1}).reset_coords(drop=True)
    return single.where(single != 0)
