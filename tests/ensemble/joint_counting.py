"""Long-time covariances of the two heats and the work, checked by joint counting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.counting.tilting import at_bath, at_drive, respond
from ensemble.steady.state import Stationary


@dataclass(frozen=True, eq=False)
class Covariance:
    r"""Long-time covariances per time of the heats and the work.

    .. math:: \mathrm{Cov}(X_\alpha, X_\beta) / t \to
              \varepsilon_\alpha \varepsilon_\beta D, \qquad
              \varepsilon = (-E_1, E_2, \Delta E)

    Attributes
    ----------
    matrix : ndarray, shape (3, 3)
        Covariances of (Q₁, Q₂, P), in energy² Γ₀ (ħ = 1): heat from the cold bath, heat from the
        hot bath, power.  From D as it is at the drive, free of cancellation.
    counts : ndarray, shape (3, 3)
        The same for the quanta counted jointly at the cold bath, at the hot bath and at the drive;
        each element is computed on its own, and tight coupling makes all equal D.
    disagreement : float
        (largest − smallest element of ``counts``) / D.
    cancellation : float
        Largest activity at a bath over D: the rounding of ``counts`` relative to D is about this
        times the machine epsilon.
    residual : float
        Worst relative residual of the three responses.
    """

    matrix: FloatArray
    counts: FloatArray
    disagreement: float
    cancellation: float
    residual: float


def covariance(state: Stationary) -> Covariance:
    r"""Variances and covariances of heat 1, heat 2 and power, checked by joint counting.

    .. math:: D_{\alpha\beta} = \delta_{\alpha\beta} \mathrm{Tr}[\mathcal A_\alpha \rho]
              - \mathrm{Tr}[\mathcal J_\alpha L^+ (\mathcal J_\beta - J) \rho]
              - \mathrm{Tr}[\mathcal J_\beta L^+ (\mathcal J_\alpha - J) \rho]

    for counts of hot-to-cold quanta at the cold bath, the hot bath and the drive, with 𝒥 and 𝒜
    the first and second derivatives of the generator tilted there (Tr 𝒜ρ = 0 at the drive).

    Parameters
    ----------
    state : Stationary

    Returns
    -------
    Covariance

    Examples
    --------
    >>> from ensemble import Engine
    >>> from ensemble.steady.stationary import stationary
    >>> engine = Engine(N=4, E_1=1, delta_E=2, T_mean=4, delta_T=6, omega_0=1, Gamma_0=1)
    >>> result = covariance(stationary(engine))
    >>> result.disagreement < 1e-13
    True
    >>> bool(np.isclose(result.matrix[0, 2], -1 * 2 * result.counts[2, 2]))
    True
    """
    engine, trace = state.engine, state.generator.sector.trace
    places = [at_bath(state, "cold"), at_bath(state, "hot"), at_drive(state)]
    activity = np.array([float(trace @ place(state.rho)(2)) for place in places])
    activity[2] = 0.0  # the trace of a commutator
    responses, residuals = [], []
    for place in places:
        mean = state.contrast * float(trace @ place(state.delta)(1))
        response, residual = respond(state, [place(state.rho)(1), -mean * state.rho])
        responses.append(response)
        residuals.append(residual)
    cross = np.array([[float(trace @ place(y)(1)) for y in responses] for place in places])
    counts = np.diag(activity) - cross - cross.T
    noise = float(counts[2, 2])
    energies = np.array([-engine.E_1, engine.E_2, engine.delta_E])
    return Covariance(
        matrix=noise * np.outer(energies, energies),
        counts=counts,
        disagreement=float(np.ptp(counts)) / noise if noise > 0 else 0.0,
        cancellation=float(activity.max()) / noise if noise > 0 else 0.0,
        residual=max(residuals),
    )
