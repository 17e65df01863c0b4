r"""Stationary state of the closed moments and its stability (Eqs. 43 and 47).

The stationary moments are c = c₀ + aN·d, with c₀ the uncorrelated state of two equal baths, which
is stationary in every order of closure and at any drive, and

.. math:: \Gamma_0 y_1 y_2 \frac{\partial f}{\partial(\Gamma_0 y_2)}(c_0)
          + \frac{f(c_0 + aN\,d) - f(c_0)}{aN} = 0, \qquad y_2 - y_1 = aN\,y_1 y_2

so that J/(aN) keeps its relative accuracy through the Carnot point aN = E₁/T₁ − E₂/T₂ = 0.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ensemble.arrays import ComplexArray, FloatArray
from ensemble.closed_forms.classical_spin import magnetization, second_moment
from ensemble.closure.closed_moments import (
    ClosedMoments,
    closed_moments,
    rates_of,
)
from ensemble.closure.hierarchy import RATES, Monomial, closed, monomials, times
from ensemble.engine import Engine
from ensemble.errors import Unsolvable
from ensemble.limits.classical_pair import ClassicalPair

ROUNDED = 8 * sys.float_info.epsilon
"""Relative residual at which Newton's method stops: only rounding is left."""
SETTLED = 1e-6
"""Relative rates from which on Newton's method replaces the evolution to the fixed point."""
GROWTH = (2.0, 1.3, 1.0)
"""How much faster the steps lengthen than the rates fall, in successive attempts."""
DIFFUSION_2 = np.array([float(rate == "Γ₀y₂") for rate in RATES])


@dataclass(frozen=True, eq=False)
class FixedPoint:
    """Stationary closed moments of an engine.

    Attributes
    ----------
    system : ClosedMoments
        The symmetric one.
    rates : ndarray, shape (6,)
    affinity : float
        aN, in nats.
    base, slope : ndarray, shape (k,)
        c₀ and d: the moments are c₀ + aN·d.
    residual : float
        Largest rate left over, relative to its terms, of the equations for c₀ and for d.
    """

    system: ClosedMoments
    rates: FloatArray
    affinity: float
    base: FloatArray
    slope: FloatArray
    residual: float

    @cached_property
    def moments(self) -> dict[Monomial, float]:
        """All moments of degree < order, and those of degree 2 (closed at order 2)."""
        kept = self.system.values(self.base + self.affinity * self.slope)
        return {**kept, **_closed_squares(kept)} if self.system.order == 2 else kept

    def slope_of(self, moment: Monomial) -> float:
        """d of one moment; 0 if it is not an independent one."""
        if moment not in self.system.coordinates:
            return 0.0
        return float(self.slope[self.system.coordinates.index(moment)])

    @cached_property
    def covariance(self) -> FloatArray:
        """Covariance matrix of m₁ˣ, m₁ʸ, m₁ᶻ, m₂ˣ, m₂ʸ, m₂ᶻ, shape (6, 6)."""
        components, squares = monomials(1), np.empty((6, 6))
        mean = np.array([self.moments[component] for component in components])
        for row, one in enumerate(components):
            for column, two in enumerate(components):
                squares[row, column] = self.moments[times(one, two)]
        return squares - np.outer(mean, mean)

    @cached_property
    def jacobian(self) -> FloatArray:
        """Jacobian of all independent moments, symmetric or not, shape (k, k)."""
        full = closed_moments(self.system.order, symmetric=False)
        return full.jacobian(full.restrict(self.moments), self.rates)

    @cached_property
    def gap(self) -> float:
        """Jacobian gap (Eq. 43), in the unit of the rates; not positive if it is unstable."""
        return -float(np.linalg.eigvals(self.jacobian).real.max())


def fixed_point(engine: Engine, *, order: int = 3) -> FixedPoint:
    """Stationary state that the closed moments reach from that of the undriven engine.

    They evolve by implicit Euler steps, which lengthen as the rates fall; Newton's method does the
    rest.  If the fixed point is unstable, the evolution is repeated with shorter steps, since steps
    that are too long miss a stable one; the result of the shortest is returned in any case.

    Parameters
    ----------
    engine : Engine
        In the high-temperature scaling, with bosonic baths.
    order : int
        2, 3 (the paper's) or 4.

    Raises
    ------
    InvalidInput
        If the engine has no such limit, or the order is none of these.
    Unsolvable
        If no stationary state is reached.

    Examples
    --------
    >>> engine = Engine(N=1, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006,
    ...                 Gamma_0=0.001, scaling="high-temperature")
    >>> moments = fixed_point(engine).moments
    >>> round(moments[1, 0, 0, 0, 1, 0], 9)  # ⟨m₁ˣm₂ʸ⟩
    -0.002270478
    """
    rates, system = rates_of(engine), closed_moments(order, symmetric=True)
    pair = ClassicalPair(engine)
    (y_1, y_2), (nu_1, nu_2), affinity = pair.y, pair.share, pair.affinity
    alike = rates.copy()
    alike[1] = pair.rates[1] * y_1
    undriven = alike * [1, 1, 1, 1, 0, 0]
    base, _ = _newton(
        lambda c: (system.derivative(c, undriven), system.gross(c, undriven)),
        lambda c: system.jacobian(c, undriven),
        _uncorrelated(system, nu_1 / y_1, nu_2 / y_1),
        system,
    )
    leftover = _relative(system, system.derivative(base, alike), system.gross(base, alike))
    push = pair.rates[1] * y_1 * y_2
    source = push * system.derivative(base, DIFFUSION_2)
    source_gross = push * system.gross(base, DIFFUSION_2)

    def rate(slope: FloatArray) -> tuple[FloatArray, FloatArray]:
        change, gross = system.difference(base, slope, affinity, rates)
        return source + change, source_gross + gross

    def attempt(growth: float) -> FixedPoint:
        near = _settled(system, _uncorrelated(system, nu_1 / y_1, nu_2 / y_2), rates, growth)
        start = np.zeros(base.size)
        if abs(affinity) > sys.float_info.min:
            start = (near - base) / affinity
        slope, residual = _newton(
            rate, lambda d: system.jacobian(base + affinity * d, rates), start, system
        )
        return FixedPoint(
            system=system,
            rates=rates,
            affinity=affinity,
            base=base,
            slope=slope,
            residual=max(leftover, residual),
        )

    found: FixedPoint | None = None
    with np.errstate(over="ignore", invalid="ignore"):
        for growth in GROWTH:
            try:
                found = attempt(growth)
            except Unsolvable as failure:
                problem = failure
            if found and found.gap > 0:
                return found
    if found is None:
        raise problem
    return found


def jacobian_eigenvalues(engine: Engine, *, order: int = 3) -> ComplexArray:
    """Eigenvalues of the Jacobian at the fixed point, the slowest first, in the unit of Γ₀.

    Parameters
    ----------
    engine : Engine
    order : int

    Returns
    -------
    ndarray
        Shape (6,), (25,) or (69,): of all moments of degree < order, which (m₁)² = (m₂)² = 1
        reduces by the conserved ones (at order 3, two of the 27 are ⟨m₁²⟩ and ⟨m₂²⟩).  Minus the
        first real part is the Jacobian gap (Eq. 43).

    Raises
    ------
    InvalidInput, Unsolvable
        See `fixed_point`.

    Examples
    --------
    Without a drive mˣ and mʸ are slower than mᶻ, and spin 2 with twice the spacing is slower:

    >>> hot = Engine(N=1, E_1=1, delta_E=1, T_mean=1000, delta_T=0, omega_0=0, Gamma_0=1,
    ...              scaling="high-temperature")
    >>> [float(rate.real.round(2)) for rate in jacobian_eigenvalues(hot)[:3]]
    [-500.0, -500.0, -1000.0]
    """
    values = np.linalg.eigvals(fixed_point(engine, order=order).jacobian).astype(complex)
    return values[np.argsort(-values.real, kind="stable")]


def _closed_squares(means: dict[Monomial, float]) -> dict[Monomial, float]:
    """Moments of degree 2 from the means at order 2."""
    return {
        moment: sum(
            float(factor) * math.prod(means[mean] for mean in product)
            for product, factor in closed(moment, 2, traceless=True).items()
        )
        for moment in monomials(2)
        if moment not in means
    }


def _uncorrelated(system: ClosedMoments, ratio_1: float, ratio_2: float) -> FloatArray:
    """Product of the exact stationary states of two undriven spins at βᵢEᵢνᵢ (Eqs. 32–34)."""
    powers = []
    for ratio in (ratio_1, ratio_2):
        m, square = magnetization(ratio), second_moment(ratio)
        # Eq. 37 at n = 2.
        powers.append((1.0, m, square, m - 2 / ratio * (1 - 3 * square)))
    return np.array(
        [
            0.0 if transverse else powers[0][moment[2]] * powers[1][moment[5]]
            for moment, transverse in zip(system.coordinates, system.transverse, strict=True)
        ]
    )


def _settled(system: ClosedMoments, c: FloatArray, rates: FloatArray, growth: float) -> FloatArray:
    """Evolve by linearly implicit Euler steps until the rates have all but vanished."""
    step = 1 / float(rates.max())
    f, one = system.derivative(c, rates), np.eye(c.size)
    for _ in range(500):
        if _relative(system, f, system.gross(c, rates)) <= SETTLED:
            return c
        c = c + _solved(one / step - system.jacobian(c, rates), f, system.order)
        after = system.derivative(c, rates)
        if not np.all(np.isfinite(after)):
            break
        fall = float(np.linalg.norm(f)) / max(float(np.linalg.norm(after)), sys.float_info.min)
        step *= min(max(growth * fall, 0.2), 5.0)
        f = after
    raise Unsolvable(f"the moments closed at order {system.order} do not settle: try another order")


def _newton(
    function: Callable[[FloatArray], tuple[FloatArray, FloatArray]],
    jacobian: Callable[[FloatArray], FloatArray],
    x: FloatArray,
    system: ClosedMoments,
) -> tuple[FloatArray, float]:
    """Newton's method until rounding stops it: the best x and its relative residual."""
    best, residual, since_best = x, math.inf, 0
    while since_best < 5:  # far from the solution the residual may grow before it falls
        f, gross = function(x)
        found = _relative(system, f, gross)
        if found < residual:
            best, residual, since_best = x, found, 0
        if residual <= ROUNDED:
            break
        since_best += 1
        x = x - _solved(jacobian(x), f, system.order)
    if residual == math.inf:
        raise Unsolvable(
            f"Newton's method finds no stationary moments at order {system.order}: try another"
        )
    return best, residual


def _solved(matrix: FloatArray, right: FloatArray, order: int) -> FloatArray:
    try:
        return np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)
    except np.linalg.LinAlgError as failure:
        raise Unsolvable(
            f"the moments closed at order {order} have a singular Jacobian: try another order"
        ) from failure


def _relative(system: ClosedMoments, f: FloatArray, gross: FloatArray) -> float:
    """|f| relative to the terms whose sum it is, the larger one of two groups of moments.

    Those with m₁ˣm₂ʸ carry the current, and may be smaller than the others by any factor.  Rates
    are summed over a group, since the terms of a rate that is zero by symmetry are rounding only.
    """
    return max(
        float(np.abs(f[group]).sum()) / scale if (scale := float(gross[group].sum())) else 0.0
        for group in (system.transverse, ~system.transverse)
    )
