"""The ledger: what a claim is, how its verdict follows from numbers, and how claims are run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from catalog.names.suggestion import suggestion
from ensemble import InvalidInput

Numbers = Mapping[str, float]
Measure = Callable[[], Numbers]


class Verdict(StrEnum):
    """What the numbers say about a claim; scripts rely on these words."""

    CONFIRMED = "confirmed"
    WITHIN_RANGE = "confirmed within a stated range"
    MISPRINT = "misprint"
    CLOSURE_ONLY = "property of the closure only"
    CONTRADICTED = "contradicted"
    UNDECIDABLE = "not decidable from the text"


@dataclass(frozen=True)
class Judgement:
    """A verdict with its note and correction.

    Attributes
    ----------
    verdict : Verdict
    note : str
        The range, the reason or the finding, in one line; may be empty for "confirmed".
    correction : str
        What the text should read; for misprints only.
    """

    verdict: Verdict
    note: str = ""
    correction: str = ""

    def __post_init__(self) -> None:
        if bool(self.correction) != (self.verdict is Verdict.MISPRINT):
            raise InvalidInput(
                f"a correction belongs to a misprint, but the verdict is {self.verdict}: "
                "give both or neither"
            )
        if self.verdict is not Verdict.CONFIRMED and not (self.note or self.correction):
            raise InvalidInput(f"the verdict {self.verdict} needs a note: say why")


Rule = Callable[[Numbers], Judgement]


@dataclass(frozen=True)
class Claim:
    """One statement of the paper, how it is checked and the rule that judges the result.

    Attributes
    ----------
    id : str
        Lower-case words joined by hyphens.
    where : str
        Place in the paper.
    statement, check : str
        The claim and its check, not in the paper's words.
    measure : callable
        Computes the numbers by name, all of them finite.
    judge : callable
        Verdict from the numbers alone.
    fact : str
        What entries have in common that rest on one and the same fact, else empty.
    """

    id: str
    where: str
    statement: str
    check: str
    measure: Measure
    judge: Rule
    fact: str = ""


@dataclass(frozen=True)
class Finding:
    """A claim after its check.

    Attributes
    ----------
    claim : Claim
    numbers : mapping of str to float
    judgement : Judgement or None
        None if the check raised.
    error : str
        What was raised, or empty.
    seconds : float
        Wall time of the check.
    """

    claim: Claim
    numbers: Numbers
    judgement: Judgement | None
    error: str
    seconds: float

    @property
    def verdict(self) -> str:
        """The verdict's words, or "error"."""
        return str(self.judgement.verdict) if self.judgement else "error"

    def as_json(self) -> dict[str, Any]:
        """Plain data: the ``verdict`` of a check that raised is null and ``error`` says why."""
        found: dict[str, Any] = {
            "id": self.claim.id,
            "where": self.claim.where,
            "statement": self.claim.statement,
            "check": self.claim.check,
            "numbers": dict(self.numbers),
            "verdict": str(self.judgement.verdict) if self.judgement else None,
            "note": self.judgement.note if self.judgement else "",
        }
        if self.judgement and self.judgement.correction:
            found["correction"] = self.judgement.correction
        if self.claim.fact:
            found["fact"] = self.claim.fact
        if self.error:
            found["error"] = self.error
        return found


def claim(*, id: str, where: str, statement: str, check: str, judge: Rule, fact: str = "") -> Any:
    """Decorator that makes a `Claim` of the function that measures its numbers."""

    def bind(measure: Measure) -> Claim:
        return Claim(id, where, statement, check, measure, judge, fact)

    return bind


def check(claim: Claim) -> Finding:
    """Measure and judge one claim; an exception of its check becomes the error of the finding."""
    start = time.perf_counter()
    numbers: dict[str, float] = {}
    try:
        numbers = {name: float(value) for name, value in claim.measure().items()}
        undefined = [name for name, value in numbers.items() if not math.isfinite(value)]
        if undefined:
            raise ArithmeticError(f"not finite: {', '.join(undefined)}")
        judgement, error = claim.judge(numbers), ""
    except Exception as failure:
        numbers = {name: value for name, value in numbers.items() if math.isfinite(value)}
        judgement, error = None, f"{type(failure).__name__}: {failure}"
    return Finding(claim, numbers, judgement, error, time.perf_counter() - start)


def select(claims: Sequence[Claim], only: Iterable[str] | None) -> list[Claim]:
    """The claims with these ids, in the ledger's order; all of them for None.

    Raises
    ------
    InvalidInput
        If an id is unknown.
    """
    if only is None:
        return list(claims)
    wanted, known = list(only), [item.id for item in claims]
    for name in wanted:
        if name not in known:
            raise InvalidInput(f"unknown claim {name!r}{suggestion(name, known)}")
    return [item for item in claims if item.id in wanted]


def confirmed(note: str = "") -> Judgement:
    """Verdict "confirmed"."""
    return Judgement(Verdict.CONFIRMED, note)


def contradicted(note: str) -> Judgement:
    """Verdict "contradicted"."""
    return Judgement(Verdict.CONTRADICTED, note)


def within(note: str) -> Judgement:
    """Verdict "confirmed within a stated range"; the note states it."""
    return Judgement(Verdict.WITHIN_RANGE, note)


def closure_only(note: str) -> Judgement:
    """Verdict "property of the closure only"."""
    return Judgement(Verdict.CLOSURE_ONLY, note)


def undecidable(note: str) -> Judgement:
    """Verdict "not decidable from the text"."""
    return Judgement(Verdict.UNDECIDABLE, note)


def small(*names: str, tolerance: float, note: str = "") -> Rule:
    """Rule: confirmed if |numbers[name]| ≤ tolerance for each name, else contradicted."""

    def judge(n: Numbers) -> Judgement:
        off = [name for name in names if not abs(n[name]) <= tolerance]
        if off:
            return contradicted(", ".join(f"{name} = {n[name]:.3g}" for name in off))
        return confirmed(note)

    return judge


OCR = {
    "possible": "the OCR that we read may have made it",
    "no": "not an error of the OCR that we read",
}
"""Whether a misprint may be one of our text alone, as the errata page has it for each."""


def misprint(
    *,
    printed: str,
    corrected: str,
    tolerance: float,
    correction: str,
    ocr: Literal["possible", "no"],
) -> Rule:
    """Rule: confirmed if the deviation as printed vanishes, misprint if the corrected one does."""

    def judge(n: Numbers) -> Judgement:
        if abs(n[printed]) <= tolerance:
            return confirmed()
        if abs(n[corrected]) <= tolerance:
            note = (
                f"deviation as printed {n[printed]:.3g}, corrected below {tolerance:g}; {OCR[ocr]}"
            )
            return Judgement(Verdict.MISPRINT, note, correction)
        return contradicted(f"corrected as well: deviation {n[corrected]:.3g}")

    return judge
