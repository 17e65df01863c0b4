"""Scaled cumulant generating function of the exchanged quanta at a real counting field."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse
from scipy.linalg import LinAlgError, eigh

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.errors import InvalidInput
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
from ensemble.generator.sector import Sector
from ensemble.steady.factorization import superlu

Place = Literal["hot", "cold", "drive"]
Bounds = tuple[float, float]

LARGEST_FIELD = 200.0
"""Largest |χ| taken: e^|χ| times a rate, and its square, stay finite."""
WIDEST_START = 600.0
"""Largest logarithm of the ratio of two elements of the operator that the iteration starts from."""
EPS = float(np.finfo(float).eps)
MARGIN = 0.01
"""Distance of a shift from the bound below it, relative to the bound's own uncertainty."""
NEARLY_CONVERGED = 1e-10
"""Weighted residual below which a step that gains less than a tenth counts as a stall."""
MAX_STEPS, MAX_STALLS, REFINEMENTS = 300, 5, 2


@dataclass(frozen=True)
class GeneratingFunction:
    """λ(χ) with its certificates.

    Attributes
    ----------
    value : float
        λ(χ), in the unit of Γ₀.
    lower, upper : float
        Bounds of the largest eigenvalue by a positive left operator X, up to rounding: they tell
        λ(χ) from the rest of the spectrum and are much wider than its error.  Infinite if X
        is not positive because of rounding (N ≈ 20 and large fields).
    residual : float
        Σ|(L(χ) − λ)ρ| / Σ(|L(χ)||ρ| + |λ||ρ|) of the eigenvector ρ behind ``value``, each element
        weighted with the left eigenvector, since an error of ρ matters in that proportion.
    error : float
        Estimated bound of the error of ``value``: the weighted defect Σ|(L(χ) − λ)ρ| over Tr Xρ, X
        the left eigenvector.  As χ → 0 the value is far better than this.
    """

    value: float
    lower: float
    upper: float
    residual: float
    error: float


def generating_function(
    engine: Engine, field: float, *, bath: Literal["hot", "cold"] | None = None
) -> GeneratingFunction:
    r"""Scaled cumulant generating function λ(χ) of the quanta sent from hot to cold.

    .. math:: \lambda(\chi) = \lim_{t \to \infty} \frac 1t \ln \langle e^{\chi n} \rangle, \qquad
              L(\chi) \rho = \lambda(\chi) \rho, \qquad \lambda(\chi) = \lambda(-\chi - a)

    the largest eigenvalue of the tilted generator, which is real (Perron and Frobenius, for
    positive maps).  The last equation is the symmetry of Gallavotti and Cohen, a the affinity:
    λ = 0 at χ = 0 and at χ = −a, and λ < 0 only between.  Its derivatives at 0 are the cumulants.

    With a shift σ > λ the step X ← (σ − L†(χ))⁻¹ X keeps a positive operator X positive.  From
    μ X ≤ L†(χ) X ≤ ν X follows μ ≤ λ ≤ ν, and the next step takes a shift just above ν (Noda's
    iteration).  It converges from any start, and to no other eigenvalue.  The
    same factors iterate the right eigenvector ρ, and the value is
    λ = Tr[(L(χ) − L(0)) ρ] / Tr ρ, which keeps its relative accuracy as χ → 0.

    Parameters
    ----------
    engine : Engine
    field : float
        Real counting field χ, of magnitude 200 at most.
    bath : {"hot", "cold"}, optional
        Where the quanta are counted; at the drive by default.  λ is the same; with a weak drive,
        or a small field, its rounding is least at the drive.

    Returns
    -------
    GeneratingFunction

    Raises
    ------
    InvalidInput
        If the field is not a number or too large, the bath is unknown, or there is local noise.

    Examples
    --------
    >>> engine = Engine(N=4, E_1=1, delta_E=2, T_mean=4, delta_T=6, omega_0=1, Gamma_0=1)
    >>> forward = generating_function(engine, 0.5)
    >>> back = generating_function(engine, -0.5 - engine.affinity, bath="hot")
    >>> abs(forward.value - back.value) < 1e-12
    True
    """
    if isinstance(field, bool) or not (
        isinstance(field, int | float | np.number) and abs(field) <= LARGEST_FIELD
    ):
        raise InvalidInput(
            f"field must be a number of magnitude {LARGEST_FIELD:g} at most, but is {field!r}: "
            "give a smaller counting field"
        )
    if bath not in (None, "hot", "cold"):
        raise InvalidInput(
            f"bath must be hot or cold, but is {bath!r}: leave it out to count at the drive"
        )
    engine.require_collective("the generating function")
    if field == 0 or engine.drive == 0:
        return GeneratingFunction(0.0, 0.0, 0.0, 0.0, 0.0)

    generator = liouvillian(*engine.levels)
    tilted, change = _tilt(generator, engine, float(field), bath or "drive")
    cone = _Cone(generator.sector, tilted)
    X, (lower, highest) = _start(cone, float(field), bath or "drive")
    trace, magnitude = generator.sector.trace, abs(tilted)
    rho = trace / np.where(X > 0, X, 1.0)
    fastest = float(np.abs(generator.values(engine)).max())
    shift = _above(highest, highest - lower, fastest)
    best = GeneratingFunction(math.nan, lower, highest, math.inf, math.inf)
    stalls = 0
    for _ in range(MAX_STEPS):
        shifted = _Shifted(cone, shift)
        X = shifted.solve_adjoint(X)
        rho = shifted.solve(rho)
        below = trace @ rho <= 0
        rho /= trace @ rho
        value = float(trace @ (change @ rho))
        scale = cone.scale(X)
        defect = float(scale @ np.abs(tilted @ rho - value * rho))
        residual = defect / float(scale @ (magnitude @ np.abs(rho) + abs(value) * np.abs(rho)))
        lower, upper = cone.bounds(X)

        stalls = stalls + 1 if 0.9 * best.residual < residual < NEARLY_CONVERGED else 0
        if residual < best.residual:
            error = defect / abs(float((cone.weight * X) @ rho))
            best = GeneratingFunction(value, lower, upper, residual, error)
        if residual <= 2 * EPS or stalls == MAX_STALLS:
            break
        # Where rounding makes the bounds infinite, the residual keeps the shift above λ.
        highest = math.inf if below else min(highest, upper)
        if math.isfinite(highest):
            shift = _above(highest, abs(highest - value), fastest)
        else:
            shift = _above(value, 2 / MARGIN * defect / float(scale @ np.abs(rho)), fastest)
    return best


def _above(bound: float, uncertainty: float, fastest: float) -> float:
    """A shift above a rounded bound, by enough to keep the factors regular."""
    return bound + MARGIN * uncertainty + 64 * EPS * (fastest + abs(bound))


def _tilt(
    generator: Liouvillian, engine: Engine, field: float, place: Place
) -> tuple[sparse.csc_array, sparse.csc_array]:
    """L(χ) and L(χ) − L(0) for counts of quanta from hot to cold.

    At the hot bath absorption gets the factor exp(χ) and emission exp(−χ), at the cold bath the
    reverse.  At the drive a hop of ket or bra counts one half: exp(χ/2) from hot to cold, which
    are the negative elements in the real gauge, and exp(−χ/2) for the positive ones.
    """
    parts = coefficients(engine)[:, np.newaxis] * generator.parts
    exponent = np.zeros_like(parts)
    if place == "drive":
        exponent[DRIVE] = -field / 2 * np.sign(parts[DRIVE])
    else:
        plus, minus = (UP_2, DOWN_2) if place == "hot" else (DOWN_1, UP_1)
        jumps = generator.indices != generator.columns
        exponent[plus], exponent[minus] = field * jumps, -field * jumps
    # L(χ) is not formed as L(0) plus the change: rounding would then lose elements ∝ exp(−|χ|).
    tilted, change = ((parts * of(exponent)).sum(axis=0) for of in (np.exp, np.expm1))
    return generator.matrix(tilted), generator.matrix(change)


class _Cone:
    """Left operators X on a sector; a positive X bounds the largest eigenvalue of a generator.

    A sector operator is a set of Hermitian blocks, one for each total number of excitations.  Its
    elements with q > 0 are stored once and stand for two.
    """

    def __init__(self, sector: Sector, generator: sparse.csc_array) -> None:
        self.sector = sector
        self.generator = generator
        self.weight = np.where(sector.q == 0, 1.0, 2.0)
        total = sector.k_1 + sector.k_2
        self._blocks = []
        for number in range(int(total.max()) + 1):
            inside = np.flatnonzero(total == number)
            row = sector.k_1[inside] - sector.k_1[inside].min()
            self._blocks.append((inside, row, row + sector.q[inside]))

    def adjoint(self, X: FloatArray) -> FloatArray:
        """L†(χ) X."""
        return (self.generator.T @ (self.weight * X)) / self.weight

    def scale(self, X: FloatArray) -> FloatArray:
        """√(X(ket) X(bra)) for each element, the largest that a positive X may have there."""
        sector = self.sector
        root = np.sqrt(np.abs(X))
        zero = 0 * sector.q
        bra = sector.index(sector.k_1 + sector.q, sector.k_2 - sector.q, zero)
        return self.weight * root[sector.index(sector.k_1, sector.k_2, zero)] * root[bra]

    def bounds(self, X: FloatArray) -> Bounds:
        """The largest μ and smallest ν with μ X ≤ L†(χ) X ≤ ν X; infinite if X is not positive."""
        diagonal = X[self.sector.q == 0]
        if not (np.isfinite(X).all() and (diagonal > 0).all()):
            return -math.inf, math.inf
        lower, upper = math.inf, -math.inf
        image = self.adjoint(X)
        for inside, row, column in self._blocks:
            size = int(column.max()) + 1
            pair = np.zeros((2, size, size))
            for matrix, operator in zip(pair, (image, X), strict=True):
                matrix[row, column] = matrix[column, row] = operator[inside]
            # Elements range over many decades: scaling to a unit diagonal keeps the test accurate.
            scale = 1 / np.sqrt(np.diag(pair[1]))
            pair *= scale
            pair *= scale[:, np.newaxis]
            try:
                ratios = eigh(*pair, eigvals_only=True)
            except LinAlgError:
                return -math.inf, math.inf
            lower, upper = min(lower, float(ratios[0])), max(upper, float(ratios[-1]))
        return lower, upper


class _Shifted:
    """Factors of σ − L(χ), pivoted on the diagonal as in `Factorization`, and refined."""

    def __init__(self, cone: _Cone, shift: float) -> None:
        identity = sparse.eye_array(cone.sector.size, format="csc")
        self._weight = cone.weight
        self._matrix = sparse.csc_array(shift * identity - cone.generator)
        self._factors = superlu(self._matrix)

    def solve(self, rho: FloatArray) -> FloatArray:
        """(σ − L(χ))⁻¹ ρ."""
        return self._refined(self._matrix, rho, "N")

    def solve_adjoint(self, X: FloatArray) -> FloatArray:
        """(σ − L†(χ))⁻¹ X, scaled to a largest element of 1."""
        X = self._refined(self._matrix.T, self._weight * X, "T") / self._weight
        return X / X[np.abs(X).argmax()]

    def _refined(self, matrix: sparse.sparray, source: FloatArray, mode: str) -> FloatArray:
        x = self._factors.solve(source, trans=mode)
        for _ in range(REFINEMENTS):
            x = x + self._factors.solve(source - matrix @ x, trans=mode)
        return x


def _start(cone: _Cone, field: float, place: Place) -> tuple[FloatArray, Bounds]:
    """The identity at the place of counting that bounds λ best, as an operator at ``place``.

    Moving the count from one place to another multiplies X by exp(χ Δφ): φ is 0 at the drive,
    −k₂ at the hot bath and k₁ at the cold one.
    """
    sector = cone.sector
    phi = {"drive": 0 * sector.k_1, "hot": -sector.k_2, "cold": sector.k_1}
    found: list[tuple[float, float, FloatArray]] = []
    for other in phi.values():
        exponent = field * (phi[place] - other)
        exponent = exponent - exponent.max()
        if exponent.min() >= -WIDEST_START:
            X = sector.trace * np.exp(exponent)
            lower, upper = cone.bounds(X)
            found.append((upper, lower, X))
    upper, lower, X = min(found, key=lambda item: item[0])
    return X, (lower, upper)
