"""What a cell without a plain value is: failed, not computed, undefined, and the like."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ensemble import Status


class State(IntEnum):
    """State of a cell on a map, in the order of its legend."""

    SHOWN = 0
    UNCERTIFIED = 1
    UNPHYSICAL = 2
    FAILED = 3
    NOT_COMPUTED = 4
    UNDEFINED = 5
    OFF_SCALE = 6
    HIDDEN = 7


TEXTS = {
    State.UNCERTIFIED: "uncertified",
    State.UNPHYSICAL: "unphysical",
    State.FAILED: "failed",
    State.NOT_COMPUTED: "not computed",
    State.UNDEFINED: "undefined: no such value here",
    State.OFF_SCALE: "≤ 0: no place on a log scale",
    State.HIDDEN: "hidden by the condition",
}
"""What the legend says of each state."""
FILLS: dict[State, tuple[str, str, str]] = {
    State.FAILED: ("#5a5a5a", "x", "#ffffff"),
    State.NOT_COMPUTED: ("#ffffff", "/", "#9a9a9a"),
    State.UNDEFINED: ("#d9d9d9", "blank", "#d9d9d9"),
    State.OFF_SCALE: ("#e8e4da", "-", "#9a9a9a"),
    State.HIDDEN: ("#f4f4f4", "blank", "#f4f4f4"),
}
"""Colour, hatch and its colour of the cells that have no colour of their own."""
MARKS = {State.UNCERTIFIED: "triangle", State.UNPHYSICAL: "x"}
"""Signs on cells that have a value which is not certified."""


def states_of(
    values: NDArray[Any],
    drawn: NDArray[Any],
    status: NDArray[Any] | None,
    met: NDArray[Any] | None = None,
) -> NDArray[np.uint8]:
    """The state of each cell.

    Parameters
    ----------
    values, drawn : ndarray
        Values, and the numbers at which they are drawn.
    status : ndarray or None
        Codes of `Status`; None where values combine several points.
    met : ndarray of bool, optional
        Where the condition of the view holds.
    """
    found = np.full(values.shape, State.SHOWN, dtype=np.uint8)
    found[np.isfinite(values) & ~np.isfinite(drawn)] = State.OFF_SCALE
    found[~np.isfinite(values)] = State.UNDEFINED
    if met is not None:
        found[~met] = State.HIDDEN
    if status is not None:
        found[(status == Status.UNCERTIFIED) & (found == State.SHOWN)] = State.UNCERTIFIED
        found[(status == Status.UNPHYSICAL) & (found == State.SHOWN)] = State.UNPHYSICAL
        found[status == Status.FAILED] = State.FAILED
        found[status == Status.NOT_COMPUTED] = State.NOT_COMPUTED
    return found


def counted(states: NDArray[np.uint8]) -> dict[State, int]:
    """Number of cells in each state that is there, without the plain ones."""
    numbers = np.bincount(states.ravel(), minlength=len(State))
    return {state: int(numbers[state]) for state in TEXTS if numbers[state]}
