"""Collective gain: N pairs in one engine against N engines of one pair.

In the high-temperature scaling (Eq. 28) there are two such comparisons.  `collective_gain` is the
paper's and compares with single pairs of the same labels; "gain" alone means this one.
`same_bath_gain` compares with single pairs in the baths that the N-pair engine has after the
scaling.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

import xarray as xr

from analyses._labels import axis_labels, labelled, require_coordinates
from catalog.heat_engine.energy_term import EnergyTerm
from ensemble import Engine, InvalidInput
from ensemble.closed_forms.single_pair import single_pair_power

COLLECTIVE_GAIN = EnergyTerm("collective_gain", "P_N/(N P₁)", "variable", "collective gain")
SAME_BATH_GAIN = EnergyTerm(
    "same_bath_gain",
    "P_N/(N P₁ᵇ)",
    "variable",
    "gain over single pairs in the same baths",
    equation="P₁ᵇ: one pair at ω₀/N, Γ₀/N, N T",
)
SAME_LABELS = "N engines of one pair with the same labels (delta_E, T_mean, omega_0, Gamma_0, ...)"
SAME_BATHS = "N engines of one pair with the baths, drive and rate of the N-pair engine"
"""What a gain compares with: its attribute ``compared_with``."""
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
    r"""Power of N pairs over that of N single pairs with the same labels (Figs. 6b and 10).

    .. math:: \frac{\mathcal{P}_N}{N \mathcal{P}_1}

    P₁ is the power at ``dim`` = 1 and the same labels ΔE, T̄, ω₀, Γ₀ and so on.  This is the paper's
    gain: its P₁ does not depend on N, as the limits of Fig. 6b require (see Notes).

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
        Carnot point; see `conductance`).  Its attribute ``compared_with`` says what P₁ is.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled, not positive and increasing or has no label 1.

    Notes
    -----
    In the high-temperature scaling (Eq. 28) the N-pair engine has the drive ω₀/N, the rate Γ₀/N and
    baths at N T, and the single pair of this gain has ω₀, Γ₀ and T: the two are in different baths.
    A single pair in the same baths has a power P₁ᵇ ∝ 1/N³, and P_N ∝ N, so that P_N/(N P₁ᵇ) ∝ N³
    has no limit, while Fig. 6b shows lim P_N/(N P₁).  See `same_bath_gain` for that comparison.  In
    the bare scaling the two are the same.

    Examples
    --------
    >>> power = xr.DataArray([2.0, 8.0, 32.0], coords={"N": [1, 2, 4]}, dims="N")
    >>> collective_gain(power).values
    array([1., 2., 4.])
    """
    single = _single(power, dim)
    gain = power / (power.coords[dim] * single)
    return labelled(gain, COLLECTIVE_GAIN, compared_with=SAME_LABELS)


def same_bath_gain(dataset: xr.Dataset) -> xr.DataArray:
    r"""Power of N pairs over that of N single pairs in the same baths.

    .. math:: \frac{\mathcal{P}_N}{N \mathcal{P}_1^{\mathrm{b}}}, \qquad
              \mathcal{P}_1^{\mathrm{b}} = \mathcal{P}_1\bigl(\omega_0/N, \Gamma_0/N, N T\bigr)

    One pair has the drive, the rate and the baths that the N-pair engine has after the
    high-temperature scaling (Eq. 28), in closed form (`ensemble.closed_forms.single_pair`).  In the
    bare scaling this is `collective_gain`, and N = 1 need not be in the sweep.

    Parameters
    ----------
    dataset : xarray.Dataset
        ``power`` with a coordinate ``N``, and the engine's other parameters among the coordinates.
        Scaling and statistics are read from its attributes ``scaling`` and ``sweep``, which every
        dataset of a sweep has.  The power may be lazy.

    Returns
    -------
    xarray.DataArray
        ``same_bath_gain``, dimensionless, on the dimensions of ``power``; NaN where P₁ᵇ = 0, at the
        Carnot point.

    Raises
    ------
    InvalidInput
        If the power, N, a parameter or the scaling is missing.

    Notes
    -----
    In the high-temperature scaling it grows as N³ (see `collective_gain`), so that it has no limit
    N → ∞.  It is not the paper's gain.

    Examples
    --------
    Eight pairs at an engine of Fig. 7; `collective_gain` is 0.28 there:

    >>> point = dict(E_1=1.0, delta_E=9.0, T_mean=13.5, delta_T=23.0, omega_0=0.006, Gamma_0=0.001)
    >>> engine = xr.Dataset({"power": ("N", [6.920505833e-4])}, {"N": [8]} | point)
    >>> engine.attrs["scaling"] = "high-temperature"
    >>> same_bath_gain(engine).values.round(2)
    array([50.65])
    """
    if "power" not in dataset:
        raise InvalidInput("the gain needs the variable 'power': compute it, or select it too")
    if "scaling" not in dataset.attrs:
        raise InvalidInput(
            "the dataset does not say its scaling: set its attribute 'scaling' to bare or "
            "high-temperature"
        )
    parameters = [item for item in fields(Engine) if item.init and item.name not in HALVES]
    require_coordinates(dataset, (item.name for item in parameters if item.default is MISSING))
    names = [item.name for item in parameters if item.name in dataset.coords]
    single = xr.apply_ufunc(
        _SinglePair(names, dataset.attrs["scaling"], _statistics(dataset)),
        *(dataset[name].reset_coords(drop=True) for name in names),
        vectorize=True,
        output_dtypes=[float],
    )
    gain = dataset["power"] / (dataset["N"] * single.where(single != 0))
    gain = gain.transpose(*dataset["power"].dims)
    return labelled(gain, SAME_BATH_GAIN, compared_with=SAME_BATHS)


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


HALVES = {"spin_1": 0.5, "spin_2": 0.5}
"""The collective spins of one pair, whatever those of the N pairs are."""


@dataclass(frozen=True)
class _SinglePair:
    """Power of one pair with the drive, rate and baths of an engine of N pairs."""

    names: Sequence[str]
    scaling: Any
    statistics: Any

    def __call__(self, *values: float) -> float:
        parameters: dict[str, Any] = dict(zip(self.names, map(float, values), strict=True))
        parameters |= HALVES | {"scaling": self.scaling, "statistics": self.statistics}
        return single_pair_power(Engine(**parameters))


def _statistics(dataset: xr.Dataset) -> Any:
    """Statistics of the baths, from the definition of the sweep; bosonic by default."""
    options = json.loads(dataset.attrs.get("sweep", "{}")).get("model", {}).get("options", {})
    return options.get("statistics", "bosonic")


def _single(power: xr.DataArray, dim: str) -> xr.DataArray:
    """P₁ without its coordinate along ``dim``; NaN where it is 0, where a ratio is undefined."""
    if 1.0 not in axis_labels(power, dim):
        raise InvalidInput(f"the engine of one pair is missing: add {dim} = 1 to the sweep")
    # Coordinates that vary along dim would become scalars here, and xarray would find them in
    # conflict with those of power.
    single = power.sel({dim: 1}).reset_coords(drop=True)
    return single.where(single != 0)
