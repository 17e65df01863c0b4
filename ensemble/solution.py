"""What a method returns for one engine: values, a status and the diagnostics behind it."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from ensemble.errors import InvalidInput, Unsolvable


class Status(IntEnum):
    """State of a point.  The numbers are stored: never renumber, only append."""

    NOT_COMPUTED = 0
    OK = 1
    UNCERTIFIED = 2
    """The certificate exceeds the tolerance; the values are kept but may be inaccurate."""
    UNPHYSICAL = 3
    """A physical law or the agreement of independent routes is violated."""
    FAILED = 4
    """The solver raised an exception; there are no values."""

    @property
    def label(self) -> str:
        """Lower-case name, as shown to people: "ok", "not computed", …"""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True)
class Solution:
    """Result of one method at one engine.

    Attributes
    ----------
    values : mapping of str to float
        Variables by name; NaN where a variable is undefined.
    status : Status
    message : str
        Empty if the status is ok, else one line that says which figure failed and by how much.
    diagnostics : mapping of str to float or str
        Certificates; the method's documentation says what they measure.
    traceback : str
        Of the exception that a failed solve raised; empty otherwise.
    """

    values: Mapping[str, float]
    status: Status = Status.OK
    message: str = ""
    diagnostics: Mapping[str, float | str] = field(default_factory=dict)
    traceback: str = ""


def failed(failure: Exception) -> Solution:
    """The solution that stands for an exception: status "failed", no values, and its traceback.

    The message of an ``InvalidInput`` or ``Unsolvable`` is kept as it is, because it is a sentence
    for people; that of any other exception comes after its type.
    """
    foreseen = isinstance(failure, InvalidInput | Unsolvable)
    return Solution(
        values={},
        status=Status.FAILED,
        message=str(failure) if foreseen else f"{type(failure).__name__}: {failure}",
        traceback="".join(traceback.format_exception(failure)),
    )
