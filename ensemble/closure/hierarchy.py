r"""The hierarchy of moments at N → ∞ (high-temperature scaling), and how cumulants close it.

The limit of Eq. 28 is a diffusion of two unit vectors m₁ and m₂.  With the rotation generators
:math:`R_a m_b = \epsilon_{abc} m_c`, yᵢ = Tᵢ/Eᵢ and νᵢ = 2Sᵢ/N, moments obey d⟨f⟩/dt = ⟨𝓛f⟩,

.. math:: \mathcal L f = \sum_i \Bigl[\Gamma_0 y_i (R_{ix}^2 + R_{iy}^2)
          - \tfrac{\Gamma_0\nu_i}{2}(m_i^x R_{iy} - m_i^y R_{ix})\Bigr] f
          - \tfrac{\omega_0}{2}\bigl[\nu_2 (m_2^x R_{1x} + m_2^y R_{1y})
          + \nu_1 (m_1^x R_{2x} + m_1^y R_{2y})\bigr] f

which raises the degree of a monomial by at most one.  Everything here is exact arithmetic with
polynomials; ``closed_moments`` makes arrays of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations_with_replacement
from math import factorial

from ensemble.closure.harmonic import Exponents, X, Y, harmonic, shifted, trace_part
from ensemble.errors import InvalidInput

Monomial = tuple[int, int, int, int, int, int]
"""Exponents of m₁ˣ, m₁ʸ, m₁ᶻ, m₂ˣ, m₂ʸ, m₂ᶻ."""
Polynomial = Mapping[Monomial, Fraction]
Product = tuple[Monomial, ...]
"""A product of moments, sorted; the empty product is 1."""

ONE: Monomial = (0, 0, 0, 0, 0, 0)
RATES = ("Γ₀y₁", "Γ₀y₂", "Γ₀ν₁/2", "Γ₀ν₂/2", "ω₀ν₁/2", "ω₀ν₂/2")
"""The parameters in which 𝓛 is linear: two diffusions, two drifts, the drive of spins 2 and 1."""
_NAMES = ("m₁ˣ", "m₁ʸ", "m₁ᶻ", "m₂ˣ", "m₂ʸ", "m₂ᶻ")


@dataclass(frozen=True)
class Term:
    """One term of an equation: rate × coefficient × product of moments.

    Attributes
    ----------
    rate : str
        One of ``RATES``.
    coefficient : Fraction
    moments : tuple of Monomial
        Empty for the constant 1.
    """

    rate: str
    coefficient: Fraction
    moments: Product

    def __str__(self) -> str:
        sign = "+" if self.coefficient > 0 else "−"
        moments = "".join(f"⟨{symbol(moment)}⟩" for moment in self.moments)
        return f"{sign} {abs(self.coefficient)} ({self.rate}) {moments}".rstrip()


def monomial(text: str) -> Monomial:
    """Monomial from text such as "x1 y2" or "z1 z1".

    Raises
    ------
    InvalidInput
        If a factor is none of x1, y1, z1, x2, y2, z2.

    Examples
    --------
    >>> monomial("x1 z1 z1 y2")
    (1, 0, 2, 0, 1, 0)
    """
    letters = ("x1", "y1", "z1", "x2", "y2", "z2")
    factors = text.split()
    wrong = [factor for factor in factors if factor not in letters]
    if wrong:
        raise InvalidInput(
            f"moments are products of {', '.join(letters)}, but one has the factor {wrong[0]!r}: "
            "separate factors by spaces, as in 'x1 y2'"
        )
    return _monomial([factors.count(letter) for letter in letters])


def symbol(moment: Monomial) -> str:
    """The monomial as people write it.

    Examples
    --------
    >>> symbol(monomial("z2 z2 x1"))
    'm₁ˣ(m₂ᶻ)²'
    """
    powers = "⁰¹²³⁴⁵⁶⁷⁸⁹"
    return "".join(
        name if power == 1 else f"({name}){powers[power]}"
        for name, power in zip(_NAMES, moment, strict=True)
        if power
    )


def degree(moment: Monomial) -> int:
    """Number of factors."""
    return sum(moment)


def times(one: Monomial, two: Monomial) -> Monomial:
    """Product of two monomials."""
    return _monomial([a + b for a, b in zip(one, two, strict=True)])


def monomials(highest: int) -> tuple[Monomial, ...]:
    """All monomials of degrees 1 … highest, by degree.

    Examples
    --------
    >>> [len(monomials(highest)) for highest in (1, 2, 3)]
    [6, 27, 83]
    """
    return tuple(
        _monomial([factors.count(k) for k in range(6)])
        for number in range(1, highest + 1)
        for factors in combinations_with_replacement(range(6), number)
    )


@lru_cache(maxsize=1024)
def generator(moment: Monomial) -> dict[str, Polynomial]:
    """𝓛 applied to a monomial: a polynomial for each of ``RATES``.

    Examples
    --------
    The relaxation of m₁ᶻ (Eqs. 30 and 47):

    >>> image = generator(monomial("z1"))
    >>> {symbol(m): int(c) for m, c in image["Γ₀ν₁/2"].items()}
    {'(m₁ˣ)²': -1, '(m₁ʸ)²': -1}
    >>> {symbol(m): int(c) for m, c in image["Γ₀y₁"].items()}
    {'m₁ᶻ': -2}
    """
    f = {moment: Fraction(1)}
    image: dict[str, Polynomial] = {}
    for spin, other in ((0, 1), (1, 0)):
        r_x, r_y = (rotate(f, spin, axis) for axis in (X, Y))
        image[RATES[spin]] = _sum(rotate(r_x, spin, X), rotate(r_y, spin, Y))
        image[RATES[2 + spin]] = _sum(_times(r_y, spin, X, -1), _times(r_x, spin, Y, 1))
        image[RATES[4 + other]] = _sum(_times(r_x, other, X, -1), _times(r_y, other, Y, -1))
    return {rate: image[rate] for rate in RATES}


def rotate(f: Polynomial, spin: int, axis: int) -> Polynomial:
    """R_{axis} of the spin 0 or 1: the derivation with R_a m_b = ε_abc m_c."""
    after, last = (axis + 1) % 3, (axis + 2) % 3
    result: defaultdict[Monomial, Fraction] = defaultdict(Fraction)
    for moment, coefficient in f.items():
        for b, c, sign in ((after, last, 1), (last, after, -1)):
            power = moment[3 * spin + b]
            if power:
                exponents = list(moment)
                exponents[3 * spin + b] -= 1
                exponents[3 * spin + c] += 1
                result[_monomial(exponents)] += sign * power * coefficient
    return _clean(result)


@lru_cache(maxsize=4096)
def closed(moment: Monomial, order: int, *, traceless: bool = False) -> dict[Product, Fraction]:
    r"""A moment through those of degree < order, joint cumulants of degree ≥ order being zero.

    .. math:: 0 = \sum_{\pi} (-1)^{|\pi|-1} (|\pi|-1)! \prod_{B\in\pi}
              \Bigl\langle\prod_{b\in B} m_b\Bigr\rangle

    over the partitions π of the monomial's factors; the one with a single block is the moment
    sought (Eq. 31 for order 3).

    Parameters
    ----------
    moment : Monomial
    order : int
        ≥ 2.
    traceless : bool
        Close only the traceless (harmonic) part, and use (m₁)² = (m₂)² = 1 for the rest.

    Returns
    -------
    dict
        Coefficients of the products of moments.

    Examples
    --------
    >>> for product, factor in closed(monomial("z1 z1 z1"), 3).items():
    ...     print(factor, " ".join(symbol(moment) for moment in product))
    -2 m₁ᶻ m₁ᶻ m₁ᶻ
    3 m₁ᶻ (m₁ᶻ)²
    """
    if degree(moment) < order:
        return {(moment,) if moment != ONE else (): Fraction(1)}
    if not traceless:
        return _without_cumulant(moment, order)
    result: defaultdict[Product, Fraction] = defaultdict(Fraction)
    spins = (moment[:3], moment[3:])
    harmonic_1, harmonic_2 = (harmonic(spin) for spin in spins)
    for first, one in harmonic_1.items():
        for second, two in harmonic_2.items():
            for product, factor in _without_cumulant(_join(first, second), order).items():
                result[product] += one * two * factor
    rest = _sum(
        _outer(trace_part(spins[0]), {spins[1]: Fraction(1)}),
        _outer(harmonic_1, trace_part(spins[1])),
    )
    for lower, coefficient in rest.items():
        for product, factor in closed(lower, order, traceless=True).items():
            result[product] += coefficient * factor
    return {product: factor for product, factor in result.items() if factor}


def equation(moment: Monomial, order: int, *, traceless: bool = False) -> tuple[Term, ...]:
    """The closed equation of motion of one moment.

    Parameters
    ----------
    moment : Monomial
        See ``monomial``.
    order : int
        Cumulants of this order and above vanish; degree ≥ order on the right is closed.
    traceless : bool
        See ``closed``.

    Returns
    -------
    tuple of Term
        Their sum is d⟨moment⟩/dt.

    Examples
    --------
    >>> for term in equation(monomial("x1"), 3):  # Eq. 47
    ...     print(term)
    − 1 (Γ₀y₁) ⟨m₁ˣ⟩
    + 1 (Γ₀ν₁/2) ⟨m₁ˣm₁ᶻ⟩
    + 1 (ω₀ν₂/2) ⟨m₁ᶻm₂ʸ⟩
    """
    terms: defaultdict[tuple[str, Product], Fraction] = defaultdict(Fraction)
    for rate, polynomial in generator(moment).items():
        for image, coefficient in polynomial.items():
            for product, factor in closed(image, order, traceless=traceless).items():
                terms[rate, product] += coefficient * factor
    return tuple(Term(rate, factor, product) for (rate, product), factor in terms.items() if factor)


def _without_cumulant(moment: Monomial, order: int) -> dict[Product, Fraction]:
    factors = [k for k, power in enumerate(moment) for _ in range(power)]
    result: defaultdict[Product, Fraction] = defaultdict(Fraction)
    for blocks in partitions(factors):
        if len(blocks) == 1:
            continue
        weight = Fraction((-1) ** len(blocks) * factorial(len(blocks) - 1))
        parts: dict[Product, Fraction] = {(): weight}
        for block in blocks:
            inner = closed(_monomial([block.count(k) for k in range(6)]), order)
            parts = {
                tuple(sorted((*left, *right), key=_by_degree)): a * b
                for left, a in parts.items()
                for right, b in inner.items()
            }
        for product, factor in parts.items():
            result[product] += factor
    return {product: factor for product, factor in result.items() if factor}


def partitions(items: list[int]) -> Iterator[list[list[int]]]:
    """All partitions of the places of a list into blocks.

    Examples
    --------
    >>> [len(list(partitions([0] * number))) for number in (1, 2, 3, 4)]
    [1, 2, 5, 15]
    """
    if not items:
        yield []
        return
    for blocks in partitions(items[1:]):
        yield [[items[0]], *blocks]
        for k, block in enumerate(blocks):
            yield [*blocks[:k], [items[0], *block], *blocks[k + 1 :]]


def _outer(first: Mapping[Exponents, Fraction], second: Mapping[Exponents, Fraction]) -> Polynomial:
    return {_join(one, two): a * b for one, a in first.items() for two, b in second.items()}


def _join(first: Exponents, second: Exponents) -> Monomial:
    return _monomial([*first, *second])


def _times(f: Polynomial, spin: int, axis: int, factor: int) -> Polynomial:
    k = 3 * spin + axis
    return {_monomial(shifted(moment, k, 1)): factor * c for moment, c in f.items()}


def _sum(*polynomials: Polynomial) -> Polynomial:
    result: defaultdict[Monomial, Fraction] = defaultdict(Fraction)
    for polynomial in polynomials:
        for moment, coefficient in polynomial.items():
            result[moment] += coefficient
    return _clean(result)


def _clean(polynomial: Polynomial) -> Polynomial:
    return {moment: coefficient for moment, coefficient in polynomial.items() if coefficient}


def _monomial(exponents: list[int] | Exponents) -> Monomial:
    a, b, c, d, e, f = exponents
    return (a, b, c, d, e, f)


def _by_degree(moment: Monomial) -> tuple[int, tuple[int, ...]]:
    return degree(moment), tuple(-power for power in moment)
