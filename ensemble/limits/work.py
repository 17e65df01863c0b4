"""A limit on the work of one point in multiplications: results do not depend on the machine."""

from __future__ import annotations

from ensemble.errors import Unsolvable

MOST_WORK = 2e11
"""Multiplications that one search for a state, or for the gap, may take in all: about a minute."""


class OutOfWork(Unsolvable):
    """Raised if the next step would take more work than is left."""


class Work:
    """Multiplications that are left, of ``MOST_WORK`` unless another number is allowed.

    Examples
    --------
    >>> work = Work(10.0)
    >>> work.take(4.0)
    >>> work.left
    6.0
    """

    def __init__(self, allowed: float | None = None) -> None:
        self.left = self.allowed = MOST_WORK if allowed is None else allowed

    def take(self, amount: float) -> None:
        """Subtract an amount of work before it is done.

        Raises
        ------
        OutOfWork
            If less is left.
        """
        if amount > self.left:
            raise OutOfWork(
                f"the work of {self.allowed:.0e} multiplications is used up: raise the "
                "temperatures, lower ω₀/Γ₀, or use method exact at finite N"
            )
        self.left -= amount
