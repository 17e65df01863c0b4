"""The paper's closed equations as printed, and the algebra to compare them with generated ones.

Small letters are components of m_ℓ, capitals those of m_ℓ̄; ``xZ`` is ⟨m_ℓˣ m_ℓ̄ᶻ⟩ and ``xz*Y`` is
⟨m_ℓˣ m_ℓᶻ⟩⟨m_ℓ̄ʸ⟩.  Rates are w = ω₀, G = Γ₀, Gy = Γ₀/(β_ℓE_ℓ) and GY = Γ₀/(β_ℓ̄E_ℓ̄).  Real parts are
left out: at N → ∞ components commute.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from ensemble.closure.hierarchy import Monomial, Polynomial, Term, closed, equation, generator

LETTERS = "xyzXYZ"
_RATES = ("w", "G", "Gy", "GY")
_NAMES = {
    "w": r"\frac{\omega_0}{2}",
    "G": r"\frac{\Gamma_0}{2}",
    "Gy": r"\frac{\Gamma_0}{\beta E}",
    "GY": r"\frac{\Gamma_0}{\bar\beta \bar E}",
}
_TERMS_A_LINE = 5
_UNITS = {"w": 2, "G": 2, "Gy": 1, "GY": 1}

AS_PRINTED = {
    "47x": ("x", "1/2*w*zy + G/2*xz - Gy*x"),
    "47y": ("y", "-1/2*w*zx + G/2*yz - Gy*y"),
    "47z": ("z", "1/2*w*(yx - xy) - G/2*(xx + yy) - 2*Gy*z"),
    "C1": (
        "xx",
        """w*[xz*y + (zy - z*y)*x + (xy - x*y)*z]
        + G*[(x**2)*z + 2*(xz - x*z)*x + 2*Gy*(zz - xx)]""",
    ),
    "C2": (
        "xy",
        """w/2*[zy*x + yy*z + zy*y - 2*y*z*y] - (xz*x + xz*z + zx*x - 2*x*z*x)]
        + G/2*[(zy + zy)*x + (xz + xz)*y] + 2*xy*z - 4*x*y*z - 2*Gy*xy""",
    ),
    "C3": (
        "xz",
        """w/2*[(zz - xx)*y + 2*(zy - z*y)*z - 2*(xy - x*y)*x + xy*x + xz*y + yz*x - 2*y*x*z]
        - G/2*[(1 - 2*zz)*x - 4*(xz - x*z)*z] - Gy*(4*xz + xz)""",
    ),
    "C4": (
        "yy",
        """-w*[yz*x + (zx - z*x)*y + (yx - y*x)*z]
        + G*[yy*z + 2*(yz - y*z)*y] + 2*Gy*(zz - yy)""",
    ),
    "C5": (
        "yz",
        """-w/2*[(zz - yy)*x + 2*(zx - z*x)*z - 2*(yx - y*x)*y + yx*z + yy*x + xy*z - 2*x*y*z]
        - G/2*[(1 - 2*zz)*y - 4*(yz - y*z)*z] - Gy*(4*yz + yz)""",
    ),
    "C6": (
        "zz",
        """w*[yz*x + (zx - z*x)*y + (yx - y*x)*z - xz*y - (zy - z*y)*x - (xy - x*y)*z]
        - G*[(xx + yy)*z + 2*(xz - x*z)*x + 2*(yz - y*z)*y] - 2*Gy*(3*zz - 1)""",
    ),
    "C12": (
        "zZ",
        """w/2*[(xZ - xZ)*y + (Zx - Zx)*y + (yZ - yZ)*X + (Zy - Zy)*X
        + (xY - xY - 2*x*Y + 2*y*X)*(Z - z)]
        - G/2*[(xx + yy)*Z + 2*(xZ - x*Z)*x + 2*(yZ - y*Z)*y
        + (XX + YY)*z + 2*(Xz - X*z)*X + 2*(Yz - Y*z)*Y] - 2*(Gy + GY)*zZ""",
    ),
}
"""Moment and right-hand side, bars and brackets as in the text we have (an OCR of the paper)."""

READ = {
    "47x": "1/2*w*zY + G/2*xz - Gy*x",
    "47y": "-1/2*w*zX + G/2*yz - Gy*y",
    "47z": "1/2*w*(yX - xY) - G/2*(xx + yy) - 2*Gy*z",
    "C1": """w*[xz*Y + (zY - z*Y)*x + (xY - x*Y)*z]
        + G*[(x**2)*z + 2*(xz - x*z)*x] + 2*Gy*(zz - xx)""",
    "C2": """w/2*[zy*X + yY*z + zY*y - 2*y*z*Y - (xz*X + xZ*z + zX*x - 2*x*z*X)]
        + G/2*[(zy + zy)*x + (xz + xz)*y + 2*xy*z - 4*x*y*z] - 2*Gy*xy""",
    "C3": """w/2*[(zz - xx)*Y + 2*(zY - z*Y)*z - 2*(xY - x*Y)*x + xy*X + xZ*y + yZ*x - 2*y*x*Z]
        - G/2*[(1 - 2*zz)*x - 4*(xz - x*z)*z] - Gy*(4*xz + xz)""",
    "C4": """-w*[yz*X + (zX - z*X)*y + (yX - y*X)*z]
        + G*[yy*z + 2*(yz - y*z)*y] + 2*Gy*(zz - yy)""",
    "C5": """-w/2*[(zz - yy)*X + 2*(zX - z*X)*z - 2*(yX - y*X)*y + yx*Z + yY*x + xY*z - 2*x*y*Z]
        - G/2*[(1 - 2*zz)*y - 4*(yz - y*z)*z] - Gy*(4*yz + yz)""",
    "C6": """w*[yz*X + (zX - z*X)*y + (yX - y*X)*z - xz*Y - (zY - z*Y)*x - (xY - x*Y)*z]
        - G*[(xx + yy)*z + 2*(xz - x*z)*x + 2*(yz - y*z)*y] - 2*Gy*(3*zz - 1)""",
    "C12": """w/2*[(xz - xZ)*Y + (ZX - zX)*y + (yZ - yz)*X + (zY - ZY)*x
        + (Xy - xY - 2*X*y + 2*Y*x)*(Z - z)]
        - G/2*[(xx + yy)*Z + 2*(xZ - x*Z)*x + 2*(yZ - y*Z)*y
        + (XX + YY)*z + 2*(Xz - X*z)*X + 2*(Yz - Y*z)*Y] - 2*(Gy + GY)*zZ""",
}
"""The same, with bars and brackets (nothing else) put where they come nearest to 𝓛."""

MISSING = {"C7": "xX", "C8": "xY", "C9": "xZ", "C10": "yY", "C11": "yZ"}
"""The two-body moments of the equations that our text lacks; which number each has is a guess."""


class Expression(dict[tuple[str, ...], Fraction]):
    """A polynomial: coefficients of sorted products of rates and moments."""

    def __add__(self, other: object) -> Expression:
        result: defaultdict[tuple[str, ...], Fraction] = defaultdict(Fraction, self)
        for product, coefficient in as_expression(other).items():
            result[product] += coefficient
        return Expression({product: c for product, c in result.items() if c})

    def __mul__(self, other: object) -> Expression:
        result: defaultdict[tuple[str, ...], Fraction] = defaultdict(Fraction)
        for left, a in self.items():
            for right, b in as_expression(other).items():
                result[tuple(sorted(left + right, key=_order))] += a * b
        return Expression({product: c for product, c in result.items() if c})

    def __pow__(self, power: int) -> Expression:
        return self if power == 1 else self * self ** (power - 1)

    def __truediv__(self, number: int) -> Expression:
        return self * Fraction(1, number)

    def __neg__(self) -> Expression:
        return self * -1

    def __sub__(self, other: object) -> Expression:
        return self + -as_expression(other)

    def __rsub__(self, other: object) -> Expression:
        return as_expression(other) - self

    __radd__ = __add__
    __rmul__ = __mul__

    def of(self, rates: Iterable[str]) -> Expression:
        """The terms with one of these rates."""
        return Expression({product: c for product, c in self.items() if product[0] in set(rates)})


def as_expression(value: object) -> Expression:
    """Numbers as constants."""
    if isinstance(value, Expression):
        return value
    return Expression({(): Fraction(value)}) if value else Expression()  # type: ignore[arg-type]


def moment_name(letters: Iterable[str]) -> str:
    """Letters in the one order in which moments are compared.

    Examples
    --------
    >>> moment_name("Zx")
    'xZ'
    """
    return "".join(sorted(letters, key=LETTERS.index))


def parsed(text: str) -> Expression:
    """An equation of this module, multiplied out."""
    names = set(re.findall(r"[A-Za-z]+", text))
    space = {
        name: Expression({(name if name in _RATES else moment_name(name),): Fraction(1)})
        for name in names
    }
    flat = " ".join(text.replace("[", "(").replace("]", ")").split())
    return as_expression(eval(flat, {"__builtins__": {}}, space))


def powers(moment: str) -> Monomial:
    """Exponents, ℓ being 1."""
    a, b, c, d, e, f = (moment.count(letter) for letter in LETTERS)
    return (a, b, c, d, e, f)


def generated(moment: str) -> Expression:
    """The equation that 𝓛 and Eq. 31 give, ν = 1."""
    return _from_terms(equation(powers(moment), 3))


def generated_on_the_spheres_first(moment: str) -> Expression:
    """The same, with (m_ℓ)² = 1 put into 𝓛f before third moments are closed."""
    terms = [
        Term(rate, coefficient * factor, product)
        for rate, image in generator(powers(moment)).items()
        for power, coefficient in _without_y_squares(image).items()
        for product, factor in closed(power, 3).items()
    ]
    return _from_terms(terms)


def on_the_spheres(expression: Expression) -> Expression:
    """With ⟨yy⟩ = 1 − ⟨xx⟩ − ⟨zz⟩ in what is closed already."""
    result = Expression()
    for product, coefficient in expression.items():
        term = as_expression(coefficient)
        for factor in product:
            squares = {"yy": "1 - xx - zz", "YY": "1 - XX - ZZ"}
            term = term * parsed(squares.get(factor, factor))
        result = result + term
    return result


def without_bars(expression: Expression) -> Expression:
    """All bars dropped, those of β̄Ē apart."""
    result = Expression()
    for product, coefficient in expression.items():
        names = [name if name in _RATES else moment_name(name.lower()) for name in product]
        result = result + Expression({tuple(sorted(names, key=_order)): coefficient})
    return result


def rotated(expression: Expression) -> Expression:
    """Both ensembles turned by 90° about z: x → y, y → −x."""
    turn = str.maketrans("xyXY", "yxYX")
    result = Expression()
    for product, coefficient in expression.items():
        moments = [name for name in product if name not in _RATES]
        sign = (-1) ** "".join(moments).lower().count("y")
        names = [name if name in _RATES else moment_name(name.translate(turn)) for name in product]
        result = result + Expression({tuple(sorted(names, key=_order)): sign * coefficient})
    return result


def term(product: tuple[str, ...], coefficient: Fraction) -> str:
    r"""One term as the errata page prints it, in LaTeX.

    Examples
    --------
    >>> print(term(("w", "y", "xZ"), Fraction(-1, 2)))
    -\frac{\omega_0}{2} \langle xZ\rangle \langle y\rangle
    """
    rate, moments = product[0], product[1:]
    number = coefficient * _UNITS[rate]
    sign, size = ("-" if number < 0 else "+"), abs(number)
    return f"{sign}{'' if size == 1 else size}{_NAMES[rate]} {_moments(moments)}"


def text(moment: str, expression: Expression) -> str:
    """An equation as the errata page prints it: the terms of one rate after those of another."""
    left = rf"\frac{{d}}{{dt}} \langle {moment}\rangle ="
    lines = []
    for rate in _RATES:
        terms = sorted(
            ((product[1:], c) for product, c in expression.of([rate]).items()),
            key=lambda item: (len(item[0]), [_order(name) for name in item[0]]),
        )
        if not terms:
            continue
        printed = []
        for moments, coefficient in terms:
            number = coefficient * _UNITS[rate]
            size = "" if abs(number) == 1 and moments else str(abs(number))
            printed.append(f"{'-' if number < 0 else '+'} {size}{_moments(moments)}")
        printed[0] = printed[0].removeprefix("+ ").replace("- ", "-")
        rows = [
            " ".join(printed[k : k + _TERMS_A_LINE]) for k in range(0, len(printed), _TERMS_A_LINE)
        ]
        rows[0] = rf"& {'+ ' if lines else ''}{_NAMES[rate]} \bigl[ {rows[0]}"
        rows[1:] = [rf"& \quad {row}" for row in rows[1:]]
        rows[-1] += r" \bigr]"
        lines += rows
    return f"{left} " + " \\\\\n".join(lines)


def _moments(names: tuple[str, ...]) -> str:
    """Longer moments first, as the paper writes them."""
    return " ".join(
        rf"\langle {name}\rangle" for name in sorted(names, key=lambda name: -len(name))
    )


def _order(name: str) -> tuple[int, int, tuple[int, ...]]:
    if name in _RATES:
        return 0, _RATES.index(name), ()
    return 1, len(name), tuple(LETTERS.index(letter) for letter in name)


def _from_terms(terms: Iterable[Term]) -> Expression:
    units = {"Γ₀y₁": "Gy", "Γ₀y₂": "GY", "Γ₀ν₁/2": "G/2", "Γ₀ν₂/2": "G/2"}
    units |= {"ω₀ν₁/2": "w/2", "ω₀ν₂/2": "w/2"}
    result = Expression()
    for item in terms:
        factor = parsed(units[item.rate]) * item.coefficient
        for moment in item.moments:
            name = "".join(letter * number for letter, number in zip(LETTERS, moment, strict=True))
            factor = factor * Expression({(name,): Fraction(1)})
        result = result + factor
    return result


def _without_y_squares(image: Polynomial) -> dict[Monomial, Fraction]:
    """Normal form of a polynomial on the unit spheres, by y² = 1 − x² − z²."""
    result: defaultdict[Monomial, Fraction] = defaultdict(Fraction)
    for power, coefficient in image.items():
        place = next((k for k in (1, 4) if power[k] >= 2), None)
        if place is None:
            result[power] += coefficient
            continue
        lower = [*power]
        lower[place] -= 2
        raised = {tuple(lower): coefficient}
        for k in (place - 1, place + 1):
            higher = [*lower]
            higher[k] += 2
            raised[tuple(higher)] = -coefficient
        for monomial, c in _without_y_squares(raised).items():  # type: ignore[arg-type]
            result[monomial] += c
    return {power: c for power, c in result.items() if c}
