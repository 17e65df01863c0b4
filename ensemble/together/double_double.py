"""Numbers as unevaluated sums of two doubles: twice the digits, for arrays.

A pair (high, low) stands for high + low with |low| ≤ ulp(high)/2 (Dekker, Numer. Math. 18, 224
(1971)).  Products of numbers between 1e-140 and 1e140 neither overflow nor lose the low part.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ensemble.arrays import FloatArray

SPLITTER = 2.0**27 + 1


class Pair(NamedTuple):
    """high + low, each an array over points."""

    high: FloatArray
    low: FloatArray

    def __neg__(self) -> Pair:
        return Pair(-self.high, -self.low)


def two_sum(x: FloatArray, y: FloatArray) -> Pair:
    """x + y without rounding.

    Examples
    --------
    >>> two_sum(np.array(1.0), np.array(1e-20)).low.item()
    1e-20
    """
    high = np.asarray(x + y)
    part = high - x
    return Pair(high, np.asarray((x - (high - part)) + (y - part)))


def two_product(x: FloatArray, y: FloatArray) -> Pair:
    """x y without rounding."""
    high = np.asarray(x * y)
    x_high, x_low = _split(x)
    y_high, y_low = _split(y)
    low = ((x_high * y_high - high) + x_high * y_low + x_low * y_high) + x_low * y_low
    return Pair(high, np.asarray(low))


def add(x: Pair, y: Pair) -> Pair:
    """x + y; its error is 2⁻¹⁰⁴ of |x| + |y|."""
    high, low = two_sum(x.high, y.high), two_sum(x.low, y.low)
    first = two_sum(high.high, high.low + low.high)
    return two_sum(first.high, first.low + low.low)


def multiply(x: Pair, y: Pair) -> Pair:
    """x y; its relative error is 2⁻¹⁰²."""
    product = two_product(x.high, y.high)
    return two_sum(product.high, product.low + (x.high * y.low + x.low * y.high))


def quotient(x: Pair, y: Pair) -> FloatArray:
    """x / y rounded to a double, off by a last digit at most."""
    first = x.high / y.high
    exact = two_product(first, y.high)
    rest = ((x.high - exact.high) - exact.low + x.low) - first * y.low
    return np.asarray(first + rest / y.high)


def _split(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two halves of 26 bits whose sum is x."""
    scaled = SPLITTER * x
    high = scaled - (scaled - x)
    return high, x - high
