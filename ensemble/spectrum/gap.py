"""The slow end of the Lindbladian's spectrum over all symmetry sectors, and its gap (Eq. 40)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ensemble.arrays import ComplexArray, FloatArray
from ensemble.engine import Engine
from ensemble.errors import InvalidInput, Unsolvable
from ensemble.spectrum.coherence_sectors import CoherenceSector, balanced_generator, sectors
from ensemble.spectrum.decay_bound import DecayBound, decay_bound
from ensemble.spectrum.rightmost import Traceless, largest_subspace, rightmost, rightmost_filtered

DENSE = 250
"""Sectors of at most so many elements are diagonalised as a whole, in 30 ms, and no mode is missed.
In larger sectors a search is faster."""
MOST_ELEMENTS = 200_000_000
"""Elements of ρ in all sectors together, with 24 bytes for the quantum numbers of each (5 GB)."""
ACCEPTED = 1e-9
"""Largest residual of a mode from the plain search, in units of its decay rate.  ARPACK has been
seen to return values that are no eigenvalues when it searches by real part: they are caught here.
"""


@dataclass(frozen=True)
class Mode:
    """One decaying mode of the Lindbladian.

    Attributes
    ----------
    eigenvalue : complex
        λ with Re λ < 0 and Im λ ≥ 0: its conjugate is an eigenvalue too.
    residual : float
        Certificate: ‖L_w x − λx‖₂ / (−Re λ ‖x‖₂) in the balanced basis of the search.
    condition : float
        κ, the condition of the eigenvalue in that basis: λ is good to about κ · residual, relative
        to its real part.  NaN in a sector that is too large to diagonalise.  It is of order one
        unless two eigenvalues nearly coalesce.
    sector : int
        d = (k₁ + k₂) of the bra minus that of the ket; −d has the same modes.
    parity : int
        Under ρ → ρᵀ: 1 or −1 at d = 0, else 0.
    coherences : tuple of int
        (d₁, d₂), d₁ + d₂ = d: the coherences of the two spins that weigh most in the mode, up to
        the common sign; (0, 0) stands for populations.
    """

    eigenvalue: complex
    residual: float
    condition: float
    sector: int
    parity: int
    coherences: tuple[int, int]

    @property
    def rate(self) -> float:
        """Decay rate −Re λ, in the unit of the engine's scaled Γ₀."""
        return -self.eigenvalue.real

    @property
    def multiplicity(self) -> int:
        """Eigenvalues of the whole Lindbladian that it stands for: λ and λ*, in d and −d."""
        return (1 if self.eigenvalue.imag == 0 else 2) * (2 if self.sector else 1)


@dataclass(frozen=True)
class SlowSpectrum:
    """The slowest modes, and what is known of the sectors that were not searched.

    Attributes
    ----------
    modes : tuple of Mode
        By increasing decay rate.
    searched : tuple of (int, int)
        Sectors (d, parity) that were searched.
    others_decay_faster_than : float
        A bound on all other sectors, not below the last mode's rate (``DecayBound``); infinite if
        there are none.
    """

    modes: tuple[Mode, ...]
    searched: tuple[tuple[int, int], ...]
    others_decay_faster_than: float


@dataclass(frozen=True)
class Gap:
    """The Lindbladian gap and the mode that sets it.

    Attributes
    ----------
    value : float
        gap(L) = −max Re λ over all sectors, the stationary state left out.
    mode : Mode
        Its eigenvalue, residual and sector.
    searched, others_decay_faster_than
        As in ``SlowSpectrum``.
    """

    value: float
    mode: Mode
    searched: tuple[tuple[int, int], ...]
    others_decay_faster_than: float

    @property
    def eigenvalue(self) -> complex:
        """The eigenvalue with the largest real part."""
        return self.mode.eigenvalue

    @property
    def sector(self) -> int:
        """Its difference d of total excitations."""
        return self.mode.sector

    @property
    def residual(self) -> float:
        """Its certificate."""
        return self.mode.residual


def gap(engine: Engine) -> Gap:
    r"""The Lindbladian gap over all symmetry sectors (Eq. 40).

    .. math:: \mathrm{gap}(L) = -\max_j \mathrm{Re}\,\lambda_j

    Parameters
    ----------
    engine : Engine

    Returns
    -------
    Gap

    Raises
    ------
    Unsolvable
        If the search finds no mode.

    Examples
    --------
    One undriven pair: the coherence of the cold spin decays most slowly, at (γ↓ + γ↑)/2.

    >>> engine = Engine(N=1, E_1=1, delta_E=1, T_mean=2, delta_T=2, omega_0=0, Gamma_0=1)
    >>> slowest = gap(engine)
    >>> abs(slowest.value - (engine.cold.gamma_down + engine.cold.gamma_up) / 2) < 1e-14
    True
    >>> slowest.sector, slowest.mode.coherences
    (1, (1, 0))
    """
    spectrum = slow_spectrum(engine, count=1)
    mode = spectrum.modes[0]
    return Gap(mode.rate, mode, spectrum.searched, spectrum.others_decay_faster_than)


def slow_spectrum(engine: Engine, *, sector: int | None = None, count: int = 6) -> SlowSpectrum:
    """The eigenvalues with the largest real parts, the stationary one left out.

    Sectors are searched in the order of a proven bound on their decay rates, until the bound of
    those that are left exceeds the rate of the last mode wanted.  A small sector is diagonalised as
    a whole.  A large one is searched by Arnoldi iteration for the largest real part, whatever the
    imaginary parts are.  If it does not converge (a drive far stronger than the baths), Arnoldi
    iteration on exp(τL) follows, which orders eigenvalues by their real parts.

    Parameters
    ----------
    engine : Engine
    sector : int, optional
        Difference d ≥ 0 to search alone (both parities at d = 0); all sectors by default.
    count : int
        Modes wanted, a conjugate pair counted once; fewer if there are no more.

    Returns
    -------
    SlowSpectrum

    Raises
    ------
    InvalidInput
        If ``count`` < 1, there is no such sector or the engine is too large.
    Unsolvable
        If a search finds no mode.

    Notes
    -----
    The bound is proven, and each residual proves that an eigenvalue is near.  It is not proven that
    Arnoldi iteration finds the slowest mode of a large sector, but it did so wherever the whole
    spectrum was computed.  It may return one mode where several share an eigenvalue (without
    a drive, at zero temperature).

    Examples
    --------
    The slowest mode of a strongly driven pair oscillates between the coherences of its spins:

    >>> engine = Engine(N=1, E_1=1, delta_E=1, T_mean=2, delta_T=2, omega_0=6, Gamma_0=1)
    >>> mode = slow_spectrum(engine).modes[0]
    >>> print(f"{mode.eigenvalue:.4f}", mode.sector, mode.multiplicity)
    -2.0442+2.7490j 1 4
    """
    if not (isinstance(count, int) and count >= 1):
        raise InvalidInput(f"count must be a whole number ≥ 1, but is {count!r}: use 1, 2, …")
    engine.require_collective("the spectrum")
    n_1, n_2 = engine.levels
    elements = ((n_1 + 1) * (n_2 + 1)) ** 2 // 2
    if elements > MOST_ELEMENTS:
        raise InvalidInput(
            f"the gap is searched among at most {MOST_ELEMENTS:.0e} elements (N = 140), but "
            f"N = {engine.N} has {elements:.0e}: leave out gap, or choose a smaller N"
        )
    blocks = list(sectors(*engine.levels))
    if sector is not None:
        blocks = [block for block in blocks if block.difference == sector]
        if not blocks:
            raise InvalidInput(
                f"sector must lie between 0 and {sum(engine.levels)}, but is {sector!r}: "
                "a negative sector has the modes of its positive twin"
            )
    bound = decay_bound(engine)
    waiting = sorted(((*bound.of(block), block) for block in blocks), key=lambda item: item[0])
    modes: list[Mode] = []
    searched: list[tuple[int, int]] = []
    for least_rate, weight, block in waiting:
        if len(modes) == count and least_rate >= modes[-1].rate:
            break
        found = _search(engine, block, weight, count, bound)
        modes = sorted(modes + found, key=lambda mode: mode.rate)[:count]
        searched.append((block.difference, block.parity))
    others = waiting[len(searched)][0] if len(searched) < len(waiting) else np.inf
    return SlowSpectrum(tuple(modes), tuple(searched), float(others))


def _search(
    engine: Engine, sector: CoherenceSector, weight: float, count: int, bound: DecayBound
) -> list[Mode]:
    """The slowest modes of one sector, at most ``count``."""
    matrix = balanced_generator(engine, sector, weight=weight)
    space = Traceless.of(matrix, sector.trace(weight))
    wanted = 2 * count + 2  # each may be a conjugate pair
    if space.size <= max(DENSE, largest_subspace(wanted)):
        vectors = np.linalg.eig(space.dense())[1]
        return _modes(sector, space, vectors, _conditions(vectors))[:count]
    modes = _modes(sector, space, rightmost(space, wanted))
    if not modes or max(mode.residual for mode in modes) > ACCEPTED:
        modes = _modes(sector, space, rightmost_filtered(space, wanted, bound.scale))
    if not modes:
        raise Unsolvable(
            f"no modes converged in the sector d = {sector.difference} (size {sector.size}): leave "
            "out gap, or bring ω₀/Γ₀ nearer to 1"
        )
    return modes[:count]


def _conditions(vectors: ComplexArray) -> FloatArray:
    """Conditions of all eigenvalues, from a complete set of normalised eigenvectors."""
    try:
        return np.linalg.norm(np.linalg.inv(vectors), axis=1)
    except np.linalg.LinAlgError:  # exactly defective: there is no complete set
        return np.full(vectors.shape[1], np.inf)


def _modes(
    sector: CoherenceSector,
    space: Traceless,
    vectors: ComplexArray,
    conditions: FloatArray | None = None,
) -> list[Mode]:
    """Modes from eigenvectors, slowest first: Rayleigh quotients, one of each conjugate pair."""
    x = space.lift(vectors)
    x = x / np.linalg.norm(x, axis=0)
    image = space.matrix @ x
    values = np.einsum("ij,ij->j", x.conj(), image)
    residuals = np.linalg.norm(image - values * x, axis=0) / np.maximum(-values.real, 1e-300)
    # A real eigenvalue has a real vector, so its Rayleigh quotient is exactly real.
    order = np.argsort(-values.real)
    slowest = order[values.imag[order] >= 0]
    return [
        Mode(
            eigenvalue=complex(values[i].real, abs(values[i].imag)),
            residual=float(residuals[i]),
            condition=float(conditions[i]) if conditions is not None else np.nan,
            sector=sector.difference,
            parity=sector.parity,
            coherences=_heaviest(sector, x[:, i]),
        )
        for i in slowest
    ]


def _heaviest(sector: CoherenceSector, x: ComplexArray) -> tuple[int, int]:
    orders = sector.q - sector.q[0]
    q = int(np.bincount(orders, weights=np.abs(x) ** 2).argmax() + sector.q[0])
    return q, sector.difference - q
