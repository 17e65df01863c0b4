"""The end of an error about an unknown word: the nearest known word, or all of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST_LETTERS = 100
"""Number of characters of an unknown word that are compared with known words."""


def suggestion(text: object, known: Iterable[str]) -> str:
    """The end of an error about an unknown word: ": did you mean 'x'?" or the whole list."""
    known = list(known)
    word = text[:MOST_LETTERS].lower() if isinstance(text, str) else ""
    lowered = {word.lower(): word for word in known}
    near = difflib.get_close_matches(word, lowered, n=1, cutoff=0.5)
    if near:
        return f": did you mean {lowered[near[0]]!r}?"
    return f": choose from {', '.join(known)}"
