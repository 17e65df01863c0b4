"""The legend of the cells without a plain value, and notes on what a picture does not show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from heatcat.browser.shown import escape
from heatcat.browser.shown.states import TEXTS, counted


def legend(states: NDArray[np.uint8], note: str) -> str:
    """The signs that are on the picture with their numbers, then the note."""
    size = states.size
    entries = "".join(
        f'<li data-state="{state.name.lower()}"><i class="sign {state.name.lower()}"></i>'
        f"{number} of {size} {escape.html(TEXTS[state])}</li>"
        for state, number in counted(states).items()
    )
    signs = f"<ul>{entries}</ul>" if entries else ""
    return signs + (f"<p>{escape.html(note)}</p>" if note else "")
