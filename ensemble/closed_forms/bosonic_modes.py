"""Two driven bosonic modes, the limit N → ∞ of the bare scaling: current, noise and cumulants."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.errors import InvalidInput


@dataclass(frozen=True)
class BosonicModes:
    r"""The two modes of an engine, everything per N (ħ = k_B = 1).

    At a fixed temperature N spins hold a number of excitations that does not grow with N, so that
    :math:`S_i^+ \to \sqrt{N} a_i^\dagger` and

    .. math:: \dot\rho / N = -i\left[\tfrac{g}{2}(a_1^\dagger a_2 + a_2^\dagger a_1), \rho\right]
              + \sum_i \kappa_i\left((n_i + 1) D[a_i] + n_i D[a_i^\dagger]\right)\rho

    with g = ω₀, κᵢ = Γ₀; for spins Sᵢ = νᵢN/2, g = ω₀√(ν₁ν₂) and κᵢ = νᵢΓ₀.

    Parameters
    ----------
    engine : Engine
        In the bare scaling.  Its N counts only in the ratios νᵢ = 2Sᵢ/N, which are 1 by default.

    Attributes
    ----------
    coupling : float
        g.
    loss_1, loss_2 : float
        κᵢ = νᵢ(γ↓ᵢ − γ↑ᵢ).
    n_1, n_2 : float
        Occupations of the baths, nᵢ = γ↑ᵢ/(γ↓ᵢ − γ↑ᵢ).

    Raises
    ------
    InvalidInput
        If the scaling is not bare, or a bath excites more than it damps.

    Examples
    --------
    >>> modes = BosonicModes(Engine(N=1, E_1=100, delta_E=125, T_mean=150, delta_T=100, omega_0=1,
    ...                             Gamma_0=1))
    >>> round(125 * modes.current, 4)
    -3.1643
    """

    engine: Engine
    coupling: float = field(init=False)
    loss_1: float = field(init=False)
    loss_2: float = field(init=False)
    n_1: float = field(init=False)
    n_2: float = field(init=False)

    def __post_init__(self) -> None:
        engine = self.engine
        require_bosonic_limit(engine)
        set_field = object.__setattr__  # the instance is frozen
        share = [level / engine.N for level in engine.levels]
        set_field(self, "coupling", engine.drive * math.sqrt(share[0] * share[1]))
        for i, bath in enumerate((engine.cold, engine.hot)):
            x = math.exp(-bath.log_ratio)
            damping = -math.expm1(-bath.log_ratio)
            set_field(self, f"loss_{i + 1}", share[i] * bath.gamma_down * damping)
            set_field(self, f"n_{i + 1}", x / damping)

    @property
    def drift(self) -> FloatArray:
        """M of ȧ = M a, shape (2, 2), real in the gauge a₁ → −i a₁."""
        half = self.coupling / 2
        return np.array([[-self.loss_1 / 2, half], [-half, -self.loss_2 / 2]])

    @property
    def transmission(self) -> float:
        r"""τ₁ = ∫T dω/2π, with T the transmission from one bath to the other.

        .. math:: T = \frac{A}{(c - \omega^2)^2 + b^2\omega^2}, \quad
                  A = \tfrac14\kappa_1\kappa_2 g^2, \quad b = \tfrac12(\kappa_1 + \kappa_2),
                  \quad c = \tfrac14(\kappa_1\kappa_2 + g^2), \quad \tau_1 = \frac{A}{2bc}
        """
        A, b, c = self._transmission_parameters()
        return A / (2 * b * c)

    @property
    def bunching(self) -> float:
        """τ₂/τ₁ with τ₂ = ∫T² dω/2π = A²(b² + c)/(4b³c³)."""
        A, b, c = self._transmission_parameters()
        return A / c * (1 + c / b**2) / (2 * c)

    def _transmission_parameters(self) -> tuple[float, float, float]:
        product = self.loss_1 * self.loss_2
        g = self.coupling
        return product * g**2 / 4, (self.loss_1 + self.loss_2) / 2, (product + g**2) / 4

    @property
    def _upstream(self) -> float:
        """n₂(1 + n₁) for a ≥ 0 and n₁(1 + n₂) for a < 0: the larger of the two one-way rates."""
        if self.engine.affinity >= 0:
            return self.n_2 * (1 + self.n_1)
        return self.n_1 * (1 + self.n_2)

    @property
    def bias(self) -> float:
        """n₂ − n₁ = n₂(1 + n₁)(1 − exp(−a)), without the subtraction."""
        a = self.engine.affinity
        return math.copysign(-math.expm1(-abs(a)), a) * self._upstream

    @property
    def current(self) -> float:
        """J/N = τ₁(n₂ − n₁); for κᵢ = Γ₀ it is ω₀²Γ₀(n₂ − n₁)/(2(ω₀² + Γ₀²))."""
        return self.transmission * self.bias

    @property
    def noise(self) -> float:
        """D/N = τ₁[n₁(1 + n₂) + n₂(1 + n₁)] + τ₂(n₂ − n₁)²."""
        both_ways = (1 + math.exp(-abs(self.engine.affinity))) * self._upstream
        return self.transmission * (both_ways + self.bunching * self.bias**2)

    @property
    def constancy(self) -> float:
        """C = 2J/(aD) = [tanh(a/2)/(a/2)] / [1 + (τ₂/τ₁)(n₂ − n₁)²/(…)] ≤ 1; NaN without drive."""
        if self.coupling == 0:
            return math.nan
        half = abs(self.engine.affinity) / 2
        classical = math.tanh(half) / half if half > 0 else 1.0
        # (n₂−n₁)²/(n₁(1+n₂) + n₂(1+n₁)), from which the occupations' underflow is divided out.
        quanta = self._upstream * math.expm1(-2 * half) ** 2 / (1 + math.exp(-2 * half))
        return classical / (1 + self.bunching * quanta)

    @property
    def occupations(self) -> tuple[float, float]:
        """⟨a₁†a₁⟩ = n₁ + J/κ₁ and ⟨a₂†a₂⟩ = n₂ − J/κ₂ (J per N)."""
        return self.n_1 + self.current / self.loss_1, self.n_2 - self.current / self.loss_2

    def cumulant_generating_function(self, chi: float) -> float:
        r"""Scaled cumulant generating function of the exchanged quanta, per N.

        .. math:: \theta(\chi) = -\int\frac{d\omega}{2\pi}\ln(1 - T B)
                  = b - \sqrt{b^2 - 2c + 2\sqrt{c^2 - A B}}, \qquad
                  B = n_2(1 + n_1)(e^\chi - 1) + n_1(1 + n_2)(e^{-\chi} - 1)

        Its derivatives at 0 are J, D, …, and θ(χ) = θ(−a − χ) (Gallavotti and Cohen).

        Parameters
        ----------
        chi : float
            Real counting field.

        Returns
        -------
        float
            Infinite beyond the fields at which the average ⟨exp(χ·quanta)⟩ exists.
        """
        A, b, c = self._transmission_parameters()
        up, down = self.n_2 * (1 + self.n_1), self.n_1 * (1 + self.n_2)
        AB = A * (up * math.expm1(chi) + down * math.expm1(-chi))
        rest = c * c - AB
        if rest < 0:
            return math.inf
        # b² − 2c + 2√(c² − AB) = b² − y, and b − √(b² − y) = y/(b + √(b² − y)).
        y = 2 * AB / (c + math.sqrt(rest))
        return y / (b + math.sqrt(b * b - y)) if y <= b * b else math.inf

    def regression(self) -> tuple[float, float, float]:
        r"""J/N and D/N once more, from the Lyapunov equation and Eq. 11 by Wick's theorem.

        .. math:: M V + V M^T + \mathrm{diag}(\kappa_i n_i) = 0, \quad M^T Y + Y M + Q = 0, \quad
                  J = \mathrm{Tr}\,QV, \quad D = 2\,\mathrm{Tr}\,Y(V + 1)QV

        with V the matrix of ⟨aᵢ†aⱼ⟩ and a†Qa the current (in the real gauge).

        Returns
        -------
        current, noise, residual : float
            J/N, D/N and the larger relative residual of the two equations.
        """
        source = np.diag([self.loss_1 * self.n_1, self.loss_2 * self.n_2])
        Q = np.array([[0, 1], [1, 0]]) * self.coupling / 2
        M = self.drift
        V, Y = _lyapunov(M, source), _lyapunov(M.T, Q)
        residual = max(_lyapunov_residual(M, V, source), _lyapunov_residual(M.T, Y, Q))
        noise = 2 * np.trace(Y @ (V + np.eye(2)) @ Q @ V)
        return float(np.trace(Q @ V)), float(noise), residual


def require_bosonic_limit(engine: Engine) -> None:
    """Raise ``InvalidInput`` unless the scaling is bare, both baths damp and are collective."""
    engine.require_collective("method bosonic")
    if engine.scaling != "bare":
        raise InvalidInput(
            "method bosonic is the limit N → ∞ of the bare scaling, but scaling is "
            f"{engine.scaling!r}: use scaling bare, or method macroscopic"
        )
    for i, bath in enumerate((engine.cold, engine.hot), start=1):
        if not bath.log_ratio > 0:
            raise InvalidInput(
                f"method bosonic needs baths that damp (γ↓ > γ↑), but bath {i} has "
                f"ln(γ↓/γ↑) = {bath.log_ratio:.3g}: lower its occupation, or use method exact at "
                "finite N"
            )


def _lyapunov(M: FloatArray, source: FloatArray) -> FloatArray:
    """X of MX + XMᵀ + source = 0, by elimination: SciPy's Schur route loses the small elements."""
    one = np.eye(2)
    matrix = np.kron(M, one) + np.kron(one, M)
    return np.asarray(np.linalg.solve(matrix, -source.ravel()).reshape(2, 2), dtype=np.float64)


def _lyapunov_residual(M: FloatArray, X: FloatArray, source: FloatArray) -> float:
    """‖MX + XMᵀ + source‖ relative to its terms."""
    scale = float(np.sum(2 * np.abs(M) @ np.abs(X) + np.abs(source)))
    return float(np.abs(M @ X + X @ M.T + source).sum()) / scale if scale > 0 else 0.0
