"""Limit N → ∞ of a variable that is known at finite N, with an error estimate."""

from __future__ import annotations

import numpy as np
import xarray as xr

from analyses._fits import reduced
from analyses._labels import axis_labels
from analyses._richardson import FEWEST
from analyses._series import SeriesStatus, limit_of_series
from catalog.heat_engine.energy_term import EnergyTerm
from ensemble import InvalidInput

LIMIT = EnergyTerm(
    "limit", "f∞", "variable", "limit N → ∞", energy_power=1, equation="f(N) = f∞ + c₁h + c₂h² + …"
)
LIMIT_ERROR = EnergyTerm(
    "limit_error", "δf∞", "variable", "error estimate of the limit", energy_power=1
)
ROUNDING_ERROR = EnergyTerm(
    "rounding_error", "δ_r", "variable", "part of limit_error due to the data", energy_power=1
)
ORDER = EnergyTerm(
    "extrapolation_order", "k", "variable", "degree of the polynomial", dtype="int64"
)
N_POINTS = EnergyTerm("n_points", "n", "variable", "number of finite points", dtype="int64")
OBSERVED = EnergyTerm("observed_order", "", "variable", "order in h of the last remainder")
EXPECTED = EnergyTerm(
    "expected_order", "", "variable", "order in h that it has in a series", dtype="int64"
)
STATUS = EnergyTerm(
    "series_status", "", "variable", "whether the data follow a series in h", dtype="int8"
)


def extrapolate(
    data: xr.DataArray,
    *,
    dim: str = "N",
    accuracy: float = 1e-12,
    offset: float = 0.0,
    exponent: float = 1.0,
) -> xr.Dataset:
    r"""Limit N → ∞ by polynomials in 1/N, with an estimate of its error.

    .. math:: f(N) = f_\infty + c_1 h + c_2 h^2 + \ldots, \quad h = (N + \mathrm{offset})^{-p}
    .. math:: T_S = \sum_{i \in S} f(N_i) \prod_{j \in S, j \ne i} \frac{h_j}{h_j - h_i}

    T_S is the value at h = 0 of the polynomial through the points S (Richardson 1911), an entry
    of Neville's tableau.  Candidates are the last 3 to 16 points, all of them or thinned so that
    successive h differ by a ratio of up to 1.9: a larger ratio amplifies rounding less.  Their
    errors are estimated from neighbours in the tableau (as by Bulirsch and Stoer 1964) and from the
    rounding of the data,

    .. math:: \delta_S = 3 \left[|T_S - T_{S'}| + \tfrac15 |T_{S'} - T_{S''}|
              + \tfrac15 |T_S - T_{\bar S}|\right] + \mathrm{accuracy} \sum_i |w_i f(N_i)|

    where S′ and S″ lack the smallest one and two N of S, and S̄ the largest.  The candidate with
    the smallest δ is taken.  Its δ is multiplied by the largest ratio |T_S − T_R| / (δ_S + δ_R)
    over all other candidates R, if that exceeds 1.

    Parameters
    ----------
    data : xarray.DataArray
        A variable that converges, such as ``power_per_pair`` in the high-temperature scaling,
        with ``dim`` and any other dimensions; in memory or lazy.
    dim : str
        Dimension to extrapolate along: at least 3 positive, strictly increasing labels, spaced as
        you like; ratios of about 4/3, as in 4, 6, 8, 12, 16, 24, 32, 48, give most per point.
    accuracy : float
        Relative accuracy of the data.  That of the exact method is 1e-12 or better, except for
        what is itself a small difference, such as C − 1.
    offset, exponent : float
        h = 1/(N + offset)**exponent; exponent > 0, and N + offset > 0.  For series in 1/N², or in
        1/(N+1)² (see Notes).

    Returns
    -------
    xarray.Dataset
        On the other dimensions of ``data``:

        - ``limit``: f∞, in the unit of ``data``,
        - ``limit_error``: its estimated error, not a strict bound, in the same unit,
        - ``rounding_error``: the part of it due to ``accuracy``, in the same unit,
        - ``extrapolation_order``: degree of the polynomial, one less than the points it uses,
        - ``n_points``: number of points that could be used,
        - ``observed_order``, ``expected_order``: power of h with which the remainder falls after
          h, h², … have been eliminated as far as the accuracy allows, up to six of them, and the
          power with which it falls in a series; NaN and 0 if no difference is resolved,
        - ``series_status``: 0 series: the order rises with each elimination, or nothing is left;
          1 too few points for a limit; 2 not judged: fewer than 5 points, or their accuracy hides
          the order; 3 not a series: the order does not rise, because of another power, a
          logarithm, noise beyond ``accuracy``, or N too small; 4 not converging: the values drift
          without slowing down, and ``limit_error`` is infinite.

        Points that are NaN or infinite are left out; where fewer than 3 are left the limit and
        its errors are NaN and the order 0.  Attributes say how they were made: ``dim``,
        ``accuracy``, ``offset`` and ``exponent``, and ``variable``, the name of the data.

    Raises
    ------
    InvalidInput
        If ``dim`` is missing, unlabelled, not positive and increasing or has fewer than 3 labels,
        or if ``accuracy``, ``offset`` or ``exponent`` is out of its range.

    Notes
    -----
    The estimate holds if the data follow the series, and ``series_status`` says if they do.  In
    a series each elimination raises the order of the remainder by one.  A remainder with 1/√N or
    log N/N keeps its order.  Where that is seen, ``limit_error`` is enlarged: to three times the
    distance from the limit that the observed order leads to, to the largest change of the limit in
    the course of the eliminations, and for scattered data to their spread.  ``observed_order`` then
    suggests the power: for f(1/√N) use ``exponent=0.5``.  Another power with a coefficient so small
    that the orders do not show it is not detected; the error may then be several times too small.
    A current of zero, at the Carnot point, is extrapolated to zero with error zero.

    The limits of Eq. 28 converge far faster if N + 1 takes the place of N in that equation: the
    series is then one in 1/(N+1)².  docs/theory/extrapolation.md has the recipe and the measured
    accuracies.

    References
    ----------
    L. F. Richardson, Phil. Trans. R. Soc. A 210, 307 (1911).
    R. Bulirsch and J. Stoer, Numer. Math. 6, 413 (1964).
    A. Sidi, Practical Extrapolation Methods, Cambridge University Press (2003).

    Examples
    --------
    Σ 1/k² over k ≤ N tends to π²/6; 24 terms are still off by 2 %:

    >>> N = np.array([4, 6, 8, 12, 16, 24])
    >>> sums = [sum(1 / k**2 for k in range(1, n + 1)) for n in N]
    >>> basel = extrapolate(xr.DataArray(sums, coords={"N": N}, dims="N"))
    >>> f"{float(basel.limit):.7f}", int(basel.extrapolation_order)
    ('1.6449341', 5)
    >>> bool(abs(basel.limit - np.pi**2 / 6) < basel.limit_error < 1e-5)
    True

    1/√N is no series in 1/N:

    >>> slow = extrapolate(xr.DataArray(1 / np.sqrt(N), coords={"N": N}, dims="N"))
    >>> SeriesStatus(int(slow.series_status)).name, bool(slow.limit < slow.limit_error)
    ('NOT_A_SERIES', True)
    """
    if not 0 < accuracy < 1:
        raise InvalidInput(f"accuracy must lie between 0 and 1, but is {accuracy!r}: try 1e-12")
    if not 0 < exponent < np.inf:
        raise InvalidInput(
            f"exponent must be positive, but is {exponent!r}: try 1, or 2 for 1/{dim}²"
        )
    labels = axis_labels(data, dim, at_least=FEWEST)
    if not 0 < labels[0] + offset < np.inf:
        raise InvalidInput(
            f"offset must exceed −{labels[0]:g}, minus the first {dim}, but is {offset!r}: try 0"
        )
    how = {"dim": dim, "accuracy": accuracy, "offset": offset, "exponent": exponent}
    if data.name is not None:
        how["variable"] = str(data.name)
    return reduced(
        limit_of_series,
        data,
        dim,
        (LIMIT, LIMIT_ERROR, ROUNDING_ERROR, ORDER, N_POINTS, OBSERVED, EXPECTED, STATUS),
        how=how,
        codes=SeriesStatus,
        units=data.attrs.get("units"),
        h=(labels + offset) ** -exponent,
        accuracy=accuracy,
    )
