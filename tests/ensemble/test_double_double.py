"""Arithmetic with pairs of doubles against rational numbers."""

from fractions import Fraction

import numpy as np
import pytest

from ensemble.together.double_double import Pair, add, multiply, quotient, two_product, two_sum

RNG = np.random.default_rng(0)
COUNT = 500


def numbers():
    return RNG.normal(size=COUNT) * 10 ** RNG.uniform(-30, 30, COUNT)


def pairs():
    high = numbers()
    return two_sum(high, high * RNG.uniform(-1, 1, COUNT) * 2.0**-54)


def exact(x) -> list[Fraction]:
    if isinstance(x, Pair):
        return [a + b for a, b in zip(exact(x.high), exact(x.low), strict=True)]
    return [Fraction(float(value)) for value in x]


def test_sums_and_products_of_doubles_are_exact():
    x, y = numbers(), numbers()
    for operation, found in (
        (Fraction.__add__, two_sum(x, y)),
        (Fraction.__mul__, two_product(x, y)),
    ):
        expected = [operation(a, b) for a, b in zip(exact(x), exact(y), strict=True)]
        assert exact(found) == expected


@pytest.mark.parametrize(("operation", "function"), [("add", add), ("multiply", multiply)])
def test_operations_on_pairs_keep_twice_the_digits(operation, function):
    x, y = pairs(), pairs()
    for a, b, found in zip(exact(x), exact(y), exact(function(x, y)), strict=True):
        expected = a + b if operation == "add" else a * b
        scale = abs(a) + abs(b) if operation == "add" else abs(a * b)
        assert abs(found - expected) <= scale * Fraction(2) ** -100


def test_a_difference_of_nearly_equal_pairs_keeps_its_digits():
    x = pairs()
    off = x.high * 1e-20
    y = add(x, Pair(off, np.zeros(COUNT)))
    for a, b, found in zip(exact(x), exact(y), exact(add(y, -x)), strict=True):
        assert abs(found - (b - a)) <= abs(a) * Fraction(2) ** -100


def test_quotients_are_rounded_to_the_last_digit_but_one():
    x, y = pairs(), pairs()
    for a, b, found in zip(exact(x), exact(y), quotient(x, y), strict=True):
        assert abs(Fraction(float(found)) - a / b) <= Fraction(float(np.spacing(abs(found))))
