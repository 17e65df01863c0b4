"""Traceless (harmonic) parts of polynomials in one unit vector, in exact arithmetic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction

X, Y, Z = 0, 1, 2
Exponents = tuple[int, ...]
"""Powers of x, y and z."""


def harmonic(spin: Exponents) -> dict[Exponents, Fraction]:
    """Harmonic projection Σ_k c_k r^{2k} Δ^k of a monomial, of the same degree.

    Examples
    --------
    >>> {powers: str(c) for powers, c in harmonic((0, 0, 2)).items()}  # z² − r²/3
    {(0, 0, 2): '2/3', (2, 0, 0): '-1/3', (0, 2, 0): '-1/3'}
    """
    result: defaultdict[Exponents, Fraction] = defaultdict(Fraction)
    for k, polynomial in _laplacians(spin):
        for _ in range(k):
            polynomial = _raised(polynomial)
        for exponents, coefficient in polynomial.items():
            result[exponents] += coefficient
    return {exponents: c for exponents, c in result.items() if c}


def trace_part(spin: Exponents) -> dict[Exponents, Fraction]:
    """What the harmonic projection leaves, on the unit sphere: a polynomial of lower degree.

    Examples
    --------
    >>> {powers: str(c) for powers, c in trace_part((0, 0, 2)).items()}
    {(0, 0, 0): '1/3'}
    """
    result: defaultdict[Exponents, Fraction] = defaultdict(Fraction)
    for k, polynomial in _laplacians(spin):
        for exponents, coefficient in polynomial.items() if k else ():
            result[exponents] -= coefficient
    return {exponents: c for exponents, c in result.items() if c}


def _laplacians(spin: Exponents) -> Iterator[tuple[int, dict[Exponents, Fraction]]]:
    """k and c_k Δ^k of a monomial, c_k = (−1)^k (2n−2k−1)!!/((2k)!! (2n−1)!!), k = 0, 1, …"""
    n = sum(spin)
    polynomial: dict[Exponents, Fraction] = {spin: Fraction(1)}
    for k in range(n // 2 + 1):
        yield k, polynomial
        # c_{k+1}/c_k = −1/[(2k+2)(2n−2k−1)]
        step = Fraction(-1, (2 * k + 2) * (2 * n - 2 * k - 1)) if n else Fraction(0)
        lowered: defaultdict[Exponents, Fraction] = defaultdict(Fraction)
        for exponents, coefficient in polynomial.items():
            for axis, power in enumerate(exponents):
                if power >= 2:
                    lowered[shifted(exponents, axis, -2)] += (
                        step * power * (power - 1) * coefficient
                    )
        polynomial = dict(lowered)


def _raised(polynomial: dict[Exponents, Fraction]) -> dict[Exponents, Fraction]:
    """Times r² = x² + y² + z²."""
    result: defaultdict[Exponents, Fraction] = defaultdict(Fraction)
    for exponents, coefficient in polynomial.items():
        for axis in (X, Y, Z):
            result[shifted(exponents, axis, 2)] += coefficient
    return dict(result)


def shifted(exponents: Exponents, axis: int, change: int) -> Exponents:
    """Exponents with one of them changed."""
    return (*exponents[:axis], exponents[axis] + change, *exponents[axis + 1 :])
