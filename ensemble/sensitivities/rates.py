r"""Derivatives with respect to the five rates, on which the generator depends linearly.

.. math:: L = \sum_p c_p L_p, \qquad c = (\omega_0, \gamma_{\downarrow 1}, \gamma_{\uparrow 1},
          \gamma_{\downarrow 2}, \gamma_{\uparrow 2})

All derivatives are with respect to the logarithms ln c_p, in this order.  They are derived in
``docs/theory/sensitivities.md``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ensemble.arrays import FloatArray, IntArray
from ensemble.engine import Engine
from ensemble.errors import Unsolvable
from ensemble.generator.liouvillian import (
    DOWN_1,
    DOWN_2,
    DRIVE,
    UP_1,
    UP_2,
    Liouvillian,
    coefficients,
    liouvillian,
)
from ensemble.steady.first_guess import first_guess
from ensemble.steady.sector_forecast import FACTORIZABLE
from ensemble.steady.state import Stationary
from ensemble.steady.stationary import stationary
from ensemble.steady.truncated_solve import source_of_deviation

AFFINITY_SLOPES = np.array([0.0, 1.0, -1.0, -1.0, 1.0])
"""∂a/∂ln c_p of a = ln(γ↓₁/γ↑₁) − ln(γ↓₂/γ↑₂)."""
SERIES_BELOW = 0.3
"""|a| below which the slope of ln(s/a) is taken from its series, which has no cancellation."""


def factorised(engine: Engine, *, tolerance: float) -> Stationary:
    """The stationary state with SuperLU's factors, which solve the transposed system too.

    Raises
    ------
    Unsolvable
        If the sector has too many unknowns to be factorised.
    """
    size = first_guess(engine, tolerance=tolerance).sector(engine).size
    if size > FACTORIZABLE:
        raise Unsolvable(
            f"sensitivities and bounds factorise at most {FACTORIZABLE} unknowns, but N = "
            f"{engine.N} needs {size}: choose a smaller N"
        )
    return stationary(engine, tolerance=tolerance, solver="superlu")


@dataclass(frozen=True, eq=False)
class Graded:
    """A number and its derivatives with respect to the logarithms of the five rates.

    Attributes
    ----------
    value : float
    slopes : ndarray, shape (5,)
        In the order of the module's c.
    scale : float
        1-norm of the terms that add up to Σ slopes: the rounding error of Euler's relation is
        relative to this.
    """

    value: float
    slopes: FloatArray
    scale: float

    @property
    def euler_error(self) -> float:
        """|Σ_p ∂x/∂ln c_p − x| over the terms: J, J/a, D and 𝒜 have degree 1 in the rates."""
        scale = max(self.scale, abs(self.value))
        return abs(float(self.slopes.sum()) - self.value) / scale if scale else 0.0


class RateDerivatives:
    """J/a, D, jump rates and activity of a stationary state, with their derivatives.

    Parameters
    ----------
    state : Stationary
        As `factorised` returns it.

    Attributes
    ----------
    residual : float
        Worst relative residual of the state and of all solves made so far.

    Raises
    ------
    TypeError
        By the first adjoint solve, if the state's solver is not ``transposable``.
    """

    def __init__(self, state: Stationary) -> None:
        self.state = state
        self.residual = state.residual
        self._coefficients = coefficients(state.engine)
        sector = state.sector
        self._sector = sector
        self._flow_row = -state.engine.drive * sector.hop

    @cached_property
    def _liouvillian(self) -> Liouvillian:
        sector = self._sector
        return liouvillian(
            sector.n_1, sector.n_2, sector.coherence_order, sector.cut_1, sector.cut_2
        )

    def parts_applied(self, x: FloatArray) -> FloatArray:
        """c_p L_p x for each of the five parts, shape (5, size)."""
        parts = self._liouvillian
        return np.array(
            [
                c * (parts.matrix(values) @ x)
                for c, values in zip(self._coefficients, parts.parts, strict=True)
            ]
        )

    def adjoint(self, row: FloatArray) -> FloatArray:
        """The y with Lᵀ y = row − (row · ρ) t and y · ρ = 0, t the row of the trace."""
        rho, trace = self.state.rho, self._sector.trace
        source = row - (row @ rho) * trace
        y, residual = self.state.solver.solve_transposed(source, importance=np.abs(rho))
        self.residual = max(self.residual, residual)
        return y - (y @ rho) * trace

    @cached_property
    def _rho_changes(self) -> FloatArray:
        """c_p L_p ρ."""
        return self.parts_applied(self.state.rho)

    @cached_property
    def _flow_adjoint(self) -> FloatArray:
        """The adjoint of the current J = h · ρ, which serves J and D."""
        return self.adjoint(self._flow_row)

    @cached_property
    def per_affinity(self) -> Graded:
        r"""J/a and its slopes, both finite and accurate through the Carnot point a = 0.

        With J = s h·δ and L δ = b (see `ensemble.steady.state.Stationary`), y the adjoint of h,

        .. math:: \frac{\partial (J/a)}{\partial \ln c_p} = \frac Ja \left[\delta_{p\omega}
                  + \frac{d \ln(s/a)}{da} a_p - \mathrm{Tr}\,\partial_p\rho_0
                  - e^{-|a|} a_p \mathrm{Tr}\,\delta\right]
                  + \frac sa\, y \cdot (\partial_p b - c_p L_p \delta).
        """
        state, sector = self.state, self._sector
        a, ratio = state.engine.affinity, state.contrast_per_affinity
        flow = float(self._flow_row @ state.delta)
        value = ratio * flow

        # b holds ρ₀ of the ket for a ≥ 0 and of the bra otherwise, ρ₀ ∝ x₁^{k₁} x₂^{k₂}.
        source = self._source()
        bra = 0 if a >= 0 else 1
        exponents = _signed(sector.k_1 + bra, sector.k_2 - bra)
        changes = exponents * source
        changes[DRIVE] = source
        changes -= self.parts_applied(state.delta)
        responses = ratio * (changes @ self._flow_adjoint)

        # The two norms that change: that of ρ₀, and that of s δ.
        normed = _signed(sector.k_1, sector.k_2) @ state.rho_0
        normed += math.exp(-abs(a)) * AFFINITY_SLOPES * float(sector.trace @ state.delta)
        weights = contrast_slope(a) * AFFINITY_SLOPES - normed
        weights[DRIVE] += 1.0
        slopes = value * weights + responses
        scale = float(np.abs(value * weights).sum() + np.abs(responses).sum())
        return Graded(value, slopes, scale)

    @cached_property
    def current(self) -> Graded:
        r"""J and its slopes, each accurate relative to its own size.

        .. math:: \frac{\partial J}{\partial \ln c_p} = J \delta_{p\omega} - y \cdot c_p L_p \rho

        With L_ω ρ₀ = −s b/ω₀ that of the drive keeps its factor s, and those of rates that hardly
        occur keep their factor c_p.  Their sum loses the factor a near the Carnot point, hence
        `per_affinity`.
        """
        state = self.state
        value = state.current(self._flow_row)
        changes = self._rho_changes.copy()
        changes[DRIVE] = state.contrast * (self.parts_applied(state.delta)[DRIVE] - self._source())
        slopes = -changes @ self._flow_adjoint
        slopes[DRIVE] += value
        return Graded(value, slopes, float(np.abs(slopes).sum()))

    @cached_property
    def noise(self) -> Graded:
        r"""D and its slopes, from one response and two adjoints.

        With O the odd half of the drive's terms (``ensemble.counting.tilting.Moves``),
        L R = (O − J) ρ and D = −2 h·R,

        .. math:: L^T y = h - J t, \qquad L^T z = (O^T - J) y - \kappa t, \qquad
                  \kappa = y \cdot (O - J) \rho,

            \frac{\partial D}{\partial \ln c_p} = -2 \left[\delta_{p\omega}
            (h \cdot R + y \cdot O \rho) - y \cdot c_p L_p R - z \cdot c_p L_p \rho\right].
        """
        state, y = self.state, self._flow_adjoint
        anticommutator = self._liouvillian.hop_anticommutator()
        drive, mean = state.engine.drive, state.current(self._flow_row)
        moved = -drive * (anticommutator @ state.rho)
        response, residual = state.respond(moved - mean * state.rho)
        self.residual = max(self.residual, residual)
        value = -2 * float(self._flow_row @ response)

        z = self.adjoint(-drive * (anticommutator.T @ y) - mean * y)
        first = self.parts_applied(response) @ y
        second = self._rho_changes @ z
        slopes = 2 * (first + second)
        direct = -2 * float(self._flow_row @ response + y @ moved)
        slopes[DRIVE] += direct
        scale = 2 * float(np.abs(first).sum() + np.abs(second).sum()) + abs(direct)
        return Graded(value, slopes, scale)

    @cached_property
    def jump_rates(self) -> FloatArray:
        """Jumps per time of each part, r_p = c_p Tr Sρ S†, shape (5,); 0 for the drive."""
        return self._coefficients * (self._jump_rows @ self.state.rho)

    @cached_property
    def activity(self) -> Graded:
        """𝒜 = Σ_p r_p, the number of jumps per time at both baths, and its slopes."""
        rates = self.jump_rates
        v = self.adjoint(self._coefficients @ self._jump_rows)
        responses = self._rho_changes @ v
        scale = float(rates.sum() + np.abs(responses).sum())
        return Graded(float(rates.sum()), rates - responses, scale)

    @cached_property
    def _jump_rows(self) -> FloatArray:
        """Rows of Tr S†S for the jump operator S of each part, per unit of its rate."""
        sector = self._sector
        rows = np.zeros((5, sector.size))
        for (down, up), k, top in (
            ((DOWN_1, UP_1), sector.k_1, sector.n_1),
            ((DOWN_2, UP_2), sector.k_2, sector.n_2),
        ):
            rows[down] = k * (top + 1 - k) * sector.trace
            rows[up] = (k + 1) * (top - k) * sector.trace
        return rows

    def _source(self) -> FloatArray:
        """The source b = −L ρ₀/s, normalised as the state is."""
        return source_of_deviation(self._sector, self.state.engine, self.state.rho_0)


def contrast_slope(affinity: float) -> float:
    """d ln(s/a)/da, with s = sign(a)(1 − exp(−|a|)): sign(a) (1/(exp(|a|) − 1) − 1/|a|).

    Examples
    --------
    >>> contrast_slope(0.0), round(contrast_slope(-1e-3), 9)
    (-0.5, 0.499916667)
    """
    z = abs(affinity)
    if z < SERIES_BELOW:
        # The series of 1/(eᶻ − 1) by Bernoulli numbers; the next term is below 3e-17.
        powers = z ** np.arange(1, 12, 2)
        bernoulli = (1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000)
        slope = -0.5 + float(powers @ np.array(bernoulli))
    else:
        slope = 1 / math.expm1(z) - 1 / z if z < 700 else -1 / z
    return slope if affinity >= 0 else -slope


def _signed(k_1: IntArray, k_2: IntArray) -> FloatArray:
    """∂ ln(x₁^{k₁} x₂^{k₂})/∂ ln c_p with xᵢ = γ↑ᵢ/γ↓ᵢ, shape (5, size)."""
    return np.array([np.zeros(k_1.shape), -k_1, k_1, -k_2, k_2], dtype=np.float64)
