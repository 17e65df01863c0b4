"""Time evolution of the closed moments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from ensemble.arrays import FloatArray
from ensemble.closure.closed_moments import ClosedMoments, closed_moments, rates_of
from ensemble.closure.hierarchy import Monomial
from ensemble.engine import Engine
from ensemble.errors import InvalidInput

UNIT = 1e-12
"""Deviation from 1 allowed to the square of an initial vector."""


@dataclass(frozen=True, eq=False)
class Evolution:
    """Closed moments along a time evolution.

    Attributes
    ----------
    times : ndarray, shape (times,)
        In the inverse unit of Γ₀.
    moments : dict of Monomial to ndarray, shape (times,)
    error : float
        Certificate: the largest difference to an evolution with a 100 times looser tolerance.
    """

    times: FloatArray
    moments: dict[Monomial, FloatArray]
    error: float


def evolve(
    engine: Engine,
    times: ArrayLike,
    *,
    initial: ArrayLike = (0, 0, -1, 0, 0, -1),
    order: int = 3,
    tolerance: float = 1e-10,
) -> Evolution:
    """Evolve the closed moments from two spins that point in definite directions.

    Parameters
    ----------
    engine : Engine
    times : array_like
        Increasing and ≥ 0.
    initial : array_like, shape (6,)
        The unit vectors m₁ and m₂; by default, the ground state.
    order : int
    tolerance : float
        Of the integration (LSODA with the analytic Jacobian), relative and absolute.

    Raises
    ------
    InvalidInput
        If the engine has no such limit, or an argument is out of its range.
    ArithmeticError
        If the moments diverge, as a closure's may.

    Examples
    --------
    >>> engine = Engine(N=1, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006,
    ...                 Gamma_0=0.001, scaling="high-temperature")
    >>> evolution = evolve(engine, [0, 5e3])
    >>> evolution.moments[0, 0, 1, 0, 0, 0].round(6).tolist()
    [-1.0, -0.079402]
    """
    rates, system = rates_of(engine), closed_moments(order, symmetric=False)
    times, m = np.asarray(times, dtype=float), np.asarray(initial, dtype=float)
    if not (times.ndim == 1 and times.size and times[0] >= 0 and np.all(np.diff(times) > 0)):
        raise InvalidInput("times must be increasing and ≥ 0, but are not: sort them, start at 0")
    if m.shape != (6,) or np.abs(np.sum(m.reshape(2, 3) ** 2, axis=1) - 1).max() > UNIT:
        raise InvalidInput(
            f"initial must be two unit vectors, shape (6,), but is {initial!r}: normalise them"
        )
    if not 0 < tolerance < 1:
        raise InvalidInput(f"tolerance must lie between 0 and 1, but is {tolerance!r}: try 1e-10")
    unit = float(rates.max())
    start = np.array([float(np.prod(m**moment)) for moment in system.coordinates])
    coarse, fine = (
        _integrated(system, start, times * unit, rates / unit, tolerance=accuracy)
        for accuracy in (100 * tolerance, tolerance)
    )
    values = np.array([system.everything(c)[:-1] for c in fine]).T
    return Evolution(
        times=times,
        moments=dict(zip(system.moments, values, strict=True)),
        error=float(np.abs(fine - coarse).max()),
    )


def _integrated(
    system: ClosedMoments,
    start: FloatArray,
    times: FloatArray,
    rates: FloatArray,
    *,
    tolerance: float,
) -> FloatArray:
    """c at the times, shape (times, k)."""
    if times[-1] == 0:
        return start[np.newaxis]
    with np.errstate(over="ignore", invalid="ignore"):
        result = solve_ivp(
            lambda _, c: system.derivative(c, rates),
            (0.0, float(times[-1])),
            start,
            method="LSODA",
            jac=lambda _, c: system.jacobian(c, rates),
            t_eval=times,
            rtol=tolerance,
            atol=tolerance,
        )
    if not (result.success and np.all(np.isfinite(result.y))):
        raise ArithmeticError(
            f"the moments closed at order {system.order} diverge: try another order"
        )
    return np.asarray(result.y.T)
