"""The limit N → ∞ of the high-temperature scaling, closed at a cumulant: the paper's method."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ensemble.closure.closed_moments import require_order
from ensemble.closure.fixed_point import FixedPoint, fixed_point
from ensemble.closure.hierarchy import monomial
from ensemble.closure.regression import TRANSVERSE, current_noise
from ensemble.engine import Engine
from ensemble.errors import InvalidInput
from ensemble.limits.classical_pair import ClassicalPair, require_classical_limit
from ensemble.limits.limit_values import (
    FROM_PAIR,
    LIMIT_VARIABLES,
    limit_values,
    pair_values,
    second_law_of,
)
from ensemble.method import AGREEMENT, Method
from ensemble.solution import Solution, Status
from ensemble.units import in_natural_units

NEGATIVITY = 1e-12
"""Eigenvalues of a covariance matrix above −NEGATIVITY are rounding."""
Z_1, Z_2, ZZ, XY = (monomial(text) for text in ("z1", "z2", "z1 z2", "x1 y2"))


@dataclass(frozen=True)
class Cumulant(Method):
    r"""Moments of the limit N → ∞ without cumulants of ``order`` and above (Sec. V, App. C and D).

    .. math:: \frac{P}{N} = -\frac{\omega_0\nu_1\nu_2\Delta E}{4}
              \langle m_1^x m_2^y - m_1^y m_2^x\rangle, \qquad
              C = \frac{2 J/N}{aN \cdot D/N^2}

    in the high-temperature scaling (Eq. 28).  This is an approximation of unknown size, not the
    limit itself: the status says whether the closed equations are solved and what they give is
    physical, never how near it is to the limit.  The power is off by 1–10 % at order 3 in the
    paper's regime; the constancy by much more (0.64 in place of 1.00002 at the example below).

    Parameters
    ----------
    tolerance : float
        Largest relative residual that still counts as certified.
    order : int
        2 : mean field.  Ensembles are uncorrelated, hence there is no current at all; ⟨mᵢᶻ⟩ is
        that of order 3 without drive.
        3 : the paper's closure, Eqs. 31, 47 and C1–C12, with the fluctuations of D1–D5.
        4 : third cumulants as well; the traceless part of the fourth moments is closed, so that
        (mᵢ)² = 1 holds throughout (otherwise ⟨(mᵢ)²mᵢᶻ⟩ drifts away from ⟨mᵢᶻ⟩ by 30–70 %).

    Notes
    -----
    ``gap`` is the Jacobian gap (Eq. 43) of all moments of degree < order.  Variance, noise and
    constancy are NaN except at order 3, whose fourth moments and regression App. D defines;
    efficiency and COP are NaN at order 2, which has no currents.

    Raises
    ------
    InvalidInput
        If the order is not 2, 3 or 4.

    Examples
    --------
    >>> engine = Engine(N=1, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006,
    ...                 Gamma_0=0.001, scaling="high-temperature")
    >>> values = Cumulant().solve(engine, ["power_per_pair", "constancy"]).values
    >>> {name: float(f"{value:.6g}") for name, value in values.items()}
    {'power_per_pair': 6.13029e-05, 'constancy': 0.636121}
    """

    order: int = 3

    name: ClassVar[str] = "cumulant"
    sized: ClassVar[bool] = False
    variables: ClassVar[tuple[str, ...]] = LIMIT_VARIABLES
    diagnostics: ClassVar[tuple[str, ...]] = ("residual", "self_check", "affinity_rounding")

    def __post_init__(self) -> None:
        super().__post_init__()
        require_order(self.order)

    def accept(self, engine: Engine) -> None:
        """Refuse an engine that has no such limit: bare, or with fermionic baths."""
        super().accept(engine)
        require_classical_limit(engine)

    @in_natural_units
    def solve(self, engine: Engine, variables: Iterable[str] | None = None) -> Solution:
        """Solve the closed equations for their stationary state.

        Parameters
        ----------
        engine : Engine
            Its N counts only in the ratios 2Sᵢ/N, if spins are given.
        variables : iterable of str, optional
            Names to return; all of ``Cumulant.variables`` by default.

        Returns
        -------
        Solution
            Its diagnostics are ``residual`` (the largest relative residual of the closed equations
            and, at order 3, of the regression), ``self_check`` (the violation of −ΣQᵢ/Tᵢ = aJ) and
            ``affinity_rounding`` (of aN; see `Engine`).  The status is "unphysical" for an
            unstable fixed point, moments that no distribution has, a pair state or a variance that
            is not positive, and a current against the affinity; all values are kept except those
            of the pair state.

        Raises
        ------
        InvalidInput
            If a name is unknown or the engine has no such limit.
        Unsolvable
            If no stationary state is reached.
        """
        names = self.chosen(variables)
        pair = ClassicalPair(engine)
        point = fixed_point(engine, order=self.order)
        # m₁ˣm₂ʸ and −m₁ʸm₂ˣ have the same mean.
        per_affinity = -2 * pair.flux * point.slope_of(XY)
        noise, residual = math.nan, point.residual
        if self.order == 3:
            V = point.covariance[np.ix_(TRANSVERSE, TRANSVERSE)]
            z_1, z_2 = point.moments[Z_1], point.moments[Z_2]
            noise, left = current_noise(V, z_1, z_2, point.rates, pair.flux)
            residual = max(residual, left)
        problems = _problems(point, per_affinity, noise)
        covariance = _covariance(point)
        moments = point.moments
        values = limit_values(
            pair,
            current_per_affinity=per_affinity,
            noise=noise,
            magnetizations=(moments[Z_1], moments[Z_2]),
            second_moments=(moments[monomial("z1 z1")], moments[monomial("z2 z2")]),
            covariance=covariance,
        )
        if not per_affinity > 0:  # no current, or one against the affinity
            values |= dict.fromkeys(("constancy", "efficiency", "cop"), math.nan)
        values["gap"] = point.gap
        try:
            values |= pair_values(values, covariance)
        except InvalidInput as refused:
            values |= dict.fromkeys(FROM_PAIR, math.nan)
            problems.append(str(refused))
        self_check = second_law_of(values, pair)
        if not self_check <= AGREEMENT:
            problems.append(f"−ΣQᵢ/Tᵢ = aJ violated by {self_check:.1e} (relative)")
        status, message = Status.OK, ""
        if not residual <= self.tolerance:
            status = Status.UNCERTIFIED
            message = f"relative residual {residual:.1e} exceeds {self.tolerance:.1e}"
        elif problems:
            status, message = Status.UNPHYSICAL, problems[0]
        return Solution(
            values={name: values[name] for name in names},
            status=status,
            message=message,
            diagnostics={
                "residual": residual,
                "self_check": self_check,
                "affinity_rounding": engine.affinity_rounding * engine.N,
            },
        )


def _problems(point: FixedPoint, per_affinity: float, noise: float) -> list[str]:
    """What is unphysical in a fixed point, one line each."""
    order, found = point.system.order, []
    if not point.gap > 0:
        found.append(f"the fixed point of order {order} is unstable: its gap is {point.gap:.1e}")
    lowest = float(np.linalg.eigvalsh(point.covariance)[0])
    if not lowest >= -NEGATIVITY:
        found.append(f"a covariance matrix of order {order} has the eigenvalue {lowest:.1e}")
    if per_affinity < 0:
        found.append(f"current and affinity have opposite signs, J/(aN) = {per_affinity:.1e} N")
    if order == 3 and not noise >= 0:
        found.append(f"the variance of the current is {noise:.1e} N²")
    return found


def _covariance(point: FixedPoint) -> float:
    """⟨m₁ᶻm₂ᶻ⟩ − ⟨m₁ᶻ⟩⟨m₂ᶻ⟩, from deviations only."""
    if point.system.order == 2:
        return 0.0
    a = point.affinity
    base = dict(zip(point.system.coordinates, point.base.tolist(), strict=True))
    d_1, d_2, d_zz = (point.slope_of(moment) for moment in (Z_1, Z_2, ZZ))
    return a * (d_zz - base[Z_1] * d_2 - base[Z_2] * d_1 - a * d_1 * d_2)
