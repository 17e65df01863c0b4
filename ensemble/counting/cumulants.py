"""Full counting statistics: cumulants of the exchanged quanta, to any order."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import linalg

from ensemble.arrays import FloatArray
from ensemble.counting.tilting import BathName, Derivatives, Moves, at_bath, at_drive, respond
from ensemble.errors import InvalidInput
from ensemble.generator.sector import Sector
from ensemble.steady.certified_solve import MAX_REFINEMENTS, REFINED
from ensemble.steady.factorization import Factorization
from ensemble.steady.stationary import Stationary

EPS = float(np.finfo(float).eps)

AdjointSolver = Callable[[FloatArray], tuple[FloatArray, float]]


@dataclass(frozen=True, eq=False)
class Cumulants:
    r"""Cumulants per time of the number of quanta sent from hot to cold.

    .. math:: \langle\langle n^k \rangle\rangle \to c_k t, \qquad
              c_k = \left.\frac{d^k \lambda}{d\chi^k}\right|_{\chi = 0}

    at long times t, λ(χ) the scaled cumulant generating function; c₁ = J and c₂ = D.

    Attributes
    ----------
    rates : ndarray, shape (order,)
        c₁, c₂, …, each in the unit of Γ₀.
    odd_per_affinity : ndarray, shape ((order + 1) // 2,)
        c₁/a, c₃/a, …; at a = 0 their limits if they could be computed without cancellation (see
        `cumulants`), else NaN, except for c₁/a.
    rounding : ndarray, shape (order,)
        Estimated absolute rounding error of each rate: eps times the sum of the magnitudes of all
        terms that add up to it.  The conditioning of the solves, which it leaves out, has been
        seen to multiply it by up to 100.
    residual : float
        Worst relative residual of the state and of all responses.
    """

    rates: FloatArray
    odd_per_affinity: FloatArray
    rounding: FloatArray
    residual: float

    @property
    def order(self) -> int:
        """Highest order computed."""
        return self.rates.size

    @property
    def skewness(self) -> float:
        """c₃/c₂^{3/2}: over a time t the counts have this skewness times t^{−1/2}.

        NaN where nothing is exchanged or c₃ was not computed.
        """
        return self._standardised(3)

    @property
    def kurtosis(self) -> float:
        """c₄/c₂²: over a time t the counts have this excess kurtosis times t^{−1}.

        NaN where nothing is exchanged or c₄ was not computed.
        """
        return self._standardised(4)

    def _standardised(self, n: int) -> float:
        if self.order < n or not self.rates[1] > 0:
            return math.nan
        return float(self.rates[n - 1] / self.rates[1] ** (n / 2))

    def of_energy(self, energy: float) -> FloatArray:
        r"""Cumulants per time of an energy that is ``energy`` times the count: εᵏ c_k.

        Work takes ε = ΔE, the heat from the hot bath E₂ and that from the cold one −E₁: the counts
        at all three places differ by bounded numbers, so that one set of cumulants serves them.

        Parameters
        ----------
        energy : float
            Energy per quantum ε.

        Returns
        -------
        ndarray, shape (order,)
        """
        return self.rates * float(energy) ** np.arange(1, self.order + 1)


def cumulants(state: Stationary, *, order: int = 4, bath: BathName | None = None) -> Cumulants:
    r"""Cumulants c₁ … c_order of the exchanged quanta, from the factorisation of the state.

    .. math:: c_n = \sum_{j=1}^{n} \binom nj \mathrm{Tr}[L^{(j)} \rho_{n-j}], \qquad
              L \rho_n = -\sum_{j=1}^{n} \binom nj (L^{(j)} - c_j) \rho_{n-j}, \qquad
              \mathrm{Tr} \rho_n = 0

    with L⁽ʲ⁾ the derivatives at χ = 0 of the tilted generator, at the hot bath
    L(χ) = L + (e^χ − 1) γ↑ S⁺·S⁻ + (e^{−χ} − 1) γ↓ S⁻·S⁺, at the cold one with χ → −χ.

    By default the quanta are counted at the drive, where no activity has to be subtracted, and
    left and right eigenvectors to order n/2 are paired: the deviation between time-reversed
    partners carries the factor a of every odd cumulant, so c₃/a, c₅/a, … keep their relative
    accuracy through the Carnot point as J/a does.  That needs solves with the transposed
    generator; where the state's solver has none, the recursion above is used at the drive, and
    odd cumulants beyond J are then accurate to ``rounding`` only.

    Parameters
    ----------
    state : Stationary
    order : int
        Highest order, ≥ 1.
    bath : {"hot", "cold"}, optional
        Count the jumps at this bath, with the recursion above, instead of at the drive: an
        independent check.  For a weak drive it subtracts nearly equal numbers (see ``rounding``).

    Returns
    -------
    Cumulants

    Raises
    ------
    InvalidInput
        If the order is not a whole number ≥ 1 or the bath is unknown.

    Examples
    --------
    At the Carnot point the odd cumulants vanish and c₂ₘ = 2 c₂ₘ₋₁/a (Gallavotti–Cohen):

    >>> from ensemble import Engine
    >>> from ensemble.steady.stationary import stationary
    >>> engine = Engine(N=4, E_1=1, delta_E=1, T_mean=1.5, delta_T=1, omega_0=1, Gamma_0=1)
    >>> quanta = cumulants(stationary(engine), order=6)
    >>> bool(np.all(quanta.rates[::2] == 0))
    True
    >>> np.allclose(quanta.rates[1::2], 2 * quanta.odd_per_affinity, rtol=1e-12)
    True
    """
    if isinstance(order, bool) or not isinstance(order, int | np.integer) or order < 1:
        raise InvalidInput(f"order must be a whole number ≥ 1, but is {order!r}: try order = 4")
    if bath is not None:
        return _recursion(state, int(order), at_bath(state, bath))
    adjoint = _adjoint_solver(state)
    if adjoint is None:
        return _recursion(state, int(order), at_drive(state))
    return _paired(state, int(order), adjoint)


def _recursion(
    state: Stationary, order: int, place: Callable[[FloatArray], Derivatives]
) -> Cumulants:
    """The recursion of `cumulants`, with the mean taken from the deviation."""
    trace, affinity = state.generator.sector.trace, state.engine.affinity
    flow = place(state.delta)(1)
    rates, rounding = np.zeros(order), np.zeros(order)
    rates[0] = state.contrast * (trace @ flow)
    rounding[0] = EPS * abs(state.contrast) * float(trace @ np.abs(flow))
    responses, acted, residual = [state.rho], [place(state.rho)], state.residual
    for n in range(1, order):
        terms = [
            term
            for j in range(1, n + 1)
            for term in (
                -math.comb(n, j) * acted[n - j](j),
                math.comb(n, j) * rates[j - 1] * responses[n - j],
            )
        ]
        response, worst = respond(state, terms)
        residual = max(residual, worst)
        responses.append(response)
        acted.append(place(response))
        for j in range(1, n + 2):
            term = math.comb(n + 1, j) * acted[n + 1 - j](j)
            rates[n] += trace @ term
            rounding[n] += EPS * float(trace @ np.abs(term))
    odd_per_affinity = rates[::2] / affinity if affinity else np.full((order + 1) // 2, np.nan)
    odd_per_affinity[0] = state.contrast_per_affinity * float(trace @ flow)
    return Cumulants(rates, odd_per_affinity, rounding, residual)


def _adjoint_solver(state: Stationary) -> AdjointSolver | None:
    """Solver of L† X = source for ⟨source, ρ⟩ = 0, up to a multiple of 1; None without SuperLU.

    As for L, one element is fixed and its equation, which the others imply, is dropped.  The
    relative residual is that of ΘX, the form in which X enters: elements count as the state does.
    """
    held = state.solver.corrector
    if not (isinstance(held, Factorization) and isinstance(held.factors, linalg.SuperLU)):
        return None
    sector, factors, ground = state.generator.sector, held.factors, held.ground
    kept = np.arange(sector.size) if state.solver.positions is None else state.solver.positions
    weight, theta = _weight(sector)[kept], np.abs(_theta(state))[kept]
    adjoint, magnitude = held.matrix.T, held.magnitude.T

    def solve(source: FloatArray) -> tuple[FloatArray, float]:
        right = weight * source[kept]
        best, y, defect, least = right, np.zeros_like(right), right.copy(), math.inf
        for _ in range(1 + MAX_REFINEMENTS):
            defect[ground] = 0.0
            y = y + factors.solve(defect, trans="T")
            defect = right - adjoint @ y
            scale = float(theta @ ((magnitude @ np.abs(y) + np.abs(right)) / weight))
            residual = float(theta @ np.abs(defect / weight)) / scale if scale > 0 else 0.0
            helped = residual < least / 2
            if residual < least:
                best, least = y, residual
            if residual <= REFINED or not helped:
                break
        X = np.zeros_like(source)
        X[kept] = best / weight
        return X, least

    return solve


def _weight(sector: Sector) -> FloatArray:
    """1, or 2 for q > 0: how many elements of a symmetric operator a stored one stands for."""
    return np.where(sector.q == 0, 1.0, 2.0)


def _theta(state: Stationary) -> FloatArray:
    """(−1)^q √(ρ₀(ket) ρ₀(bra)), ρ₀ in the normalisation of ρ = ρ₀ + s δ."""
    sector, engine = state.generator.sector, state.engine
    exponent = -(sector.k_1 + sector.q / 2) * engine.cold.log_ratio
    exponent -= (sector.k_2 - sector.q / 2) * engine.hot.log_ratio
    largest = int(exponent.argmax())
    norm = state.rho[largest] - state.contrast * state.delta[largest]
    return norm * np.where(sector.q % 2, -1.0, 1.0) * np.exp(exponent - exponent[largest])


class _Mirror:
    """Time reversal: detailed balance Θ L(χ)† Θ⁻¹ = L(−χ − a), and what a ≠ 0 adds per s.

    Θ multiplies an element by (−1)^q √(ρ₀(ket) ρ₀(bra)).
    """

    def __init__(self, state: Stationary, moves: Moves) -> None:
        self._theta = _theta(state)
        self._moves = moves
        self._engine = state.engine.affinity >= 0
        self._gain = 1 / (1 + math.exp(-abs(state.engine.affinity) / 2))  # (1 − e^{−|a|/2}) / |s|

    def __call__(self, X: FloatArray) -> FloatArray:
        """ΘX."""
        return self._theta * X

    def excess(self, X: FloatArray) -> Derivatives:
        """p → (L⁽ᵖ⁾(0) − L⁽ᵖ⁾(−a)) ΘX / s for p ≥ 0, free of cancellation and of e^{|a|}.

        L⁽ᵖ⁾(−a) has 2⁻ᵖ e^{−a/2} F and (−2)⁻ᵖ e^{a/2} B; detailed balance turns the larger one
        into an adjoint, e^{a/2} BΘ = (FΘ)† = −ΘB.
        """
        odd, even = self._moves(self._theta * X)
        odd_X, even_X = self._moves(X)
        if self._engine:
            direct, mirrored = even + odd, self._theta * (even_X - odd_X)
            return lambda p: self._gain / 2**p * (direct + (-1) ** p * mirrored)
        direct, mirrored = even - odd, self._theta * (even_X + odd_X)
        return lambda p: -self._gain / 2**p * ((-1) ** p * direct + mirrored)


@dataclass(frozen=True, eq=False)
class _Level:
    """k-th derivatives at χ = 0: X_k and ρ_k = τ_k + s δ_k, with L⁽ᵖ⁾ acting on each."""

    X: FloatArray
    tau: FloatArray
    delta: FloatArray
    rho: FloatArray
    L_X: Derivatives
    L_delta: Derivatives
    L_rho: Derivatives
    excess: Derivatives


def _paired(state: Stationary, order: int, solve_adjoint: AdjointSolver) -> Cumulants:
    r"""Cumulants from left and right eigenvectors to order m = n/2 each (Wigner's 2m + 1 rule).

    Both are expanded in χ at the drive: ρ_k, and as an operator X_k the left one, with
    ⟨X, ρ⟩ = Tr Xρ.  The rule is

    .. math:: c_n = \sum_{i + j + p = n} \frac{n!}{i!\,j!\,p!}
              \langle X_i, (L^{(p)} - c_p) \rho_j \rangle, \qquad
              i < n - m, \quad j \le m, \quad p \ge 1 \quad (c_n\ \text{itself left out}).

    τ_k = (−1)^k ΘX_k is the k-th derivative of ρ(χ) at χ = −a (see `_Mirror`), and
    ρ_k = τ_k + s δ_k with the contrast s ∝ a.  In an odd cumulant the terms made of τ alone cancel
    up to one with an explicit factor s, so c_n/s is a sum of terms in δ_k and of that one
    (docs/theory/counting.md).
    """
    trace, s = state.generator.sector.trace, state.contrast
    weight = _weight(state.generator.sector)
    act = at_drive(state)
    mirror = _Mirror(state, Moves(state))

    def level(k: int, X: FloatArray, delta: FloatArray) -> _Level:
        tau = (-1) ** k * mirror(X)
        rho = tau + s * delta if k else state.rho
        excess = mirror.excess((-1) ** k * X)
        return _Level(X, tau, delta, rho, act(X), act(delta), act(rho), excess)

    levels = [level(0, trace, state.delta)]
    c = np.zeros(order + 1)
    per_contrast = np.zeros(order + 1)  # c_n/s for odd n
    magnitude = np.zeros(order + 1)
    residual = state.residual
    for n in range(1, order + 1):
        m, odd = n // 2, n % 2 == 1
        if not odd:
            X, worst_left = solve_adjoint(_left_source(levels, c))
            X -= (weight * X) @ state.rho * trace  # any multiple of 1 may be added: keep X small
            terms = _deviation_source(levels, c, per_contrast, mirror.excess((-1) ** m * X))
            delta, worst_right = respond(state, terms)
            levels.append(level(m, X, delta))
            residual = max(residual, worst_left, worst_right)
        for i, j in np.ndindex(n - m, m + 1):
            p = n - i - j  # p = n comes first, when c_n is still 0: it is to be left out
            if odd:
                right = levels[j]
                shift = per_contrast[p] * right.rho if p % 2 else c[p] * right.delta
                parts = [right.L_delta(p), right.excess(p) / 2, -shift]
            else:
                parts = [levels[j].L_rho(p), -c[p] * levels[j].rho]
            factor = math.comb(n, i) * math.comb(n - i, j) * weight * levels[i].X
            per_contrast[n] += sum(float(factor @ part) for part in parts)
            magnitude[n] += sum(float(np.abs(factor) @ np.abs(part)) for part in parts)
        c[n] = s * per_contrast[n] + 0.0 if odd else per_contrast[n]  # no −0
        magnitude[n] *= abs(s) if odd else 1.0
    return Cumulants(
        rates=c[1:],
        odd_per_affinity=state.contrast_per_affinity * per_contrast[1::2],
        rounding=EPS * magnitude[1:],
        residual=residual,
    )


def _left_source(levels: list[_Level], c: FloatArray) -> FloatArray:
    """L† X_k = −Σ_j (k over j) (L⁽ʲ⁾† − c_j) X_{k−j}, with F† = −B, hence L⁽ʲ⁾† = −(−1)ʲ L⁽ʲ⁾."""
    k = len(levels)
    source = np.zeros_like(levels[0].X)
    for j in range(1, k + 1):
        left = levels[k - j]
        source += math.comb(k, j) * (c[j] * left.X + (-1) ** j * left.L_X(j))
    return source


def _deviation_source(
    levels: list[_Level], c: FloatArray, per_contrast: FloatArray, excess: Derivatives
) -> list[FloatArray]:
    """Terms of L δ_k: the equation of ρ_k at χ = 0 less that of τ_k at χ = −a, over s.

    The latter has (−1)ʲ c_j, so that odd c_j enter as 2 c_j/s.
    """
    k = len(levels)
    terms = [-excess(0)]
    for j in range(1, k + 1):
        lower, w = levels[k - j], math.comb(k, j)
        terms += [w * c[j] * lower.delta, -w * lower.L_delta(j), -w * lower.excess(j)]
        if j % 2:
            terms.append(2 * w * per_contrast[j] * lower.tau)
    return terms
