"""A store that says what an attacker would have it say: markup, TeX, formats, control codes."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

import catalog
from ensemble import Engine, Exact
from ensemble.solution import Solution
from tests.heatcat.stores import FIXED

SCRIPT = "<img src=x onerror=window.ran=1>"
"""Runs where it is taken for HTML."""
HTML = (
    SCRIPT,
    '"><script>window.ran=1</script>',
    "' onmouseover='window.ran=1' '",
    "</script></style></title></textarea><svg onload=window.ran=1>",
    "<!-- &lt;b&gt; &#60; ]]>",
    "{{ 7 * 7 }} {% raw %}",
    "javascript:window.ran=1",
)
TEX = (r"$$\href{javascript:window.ran=1}{x}$$", r"\(x\)", r"\[x\]", r"$\frac{$", "$", r"\$")
FORMATS = ("{", "}", "{label}", "{0.__class__}", "%s %", "@{value}", "$name")
MARKUP = ("[/b]", "[b]", "dE [meV]", "[link=https://x.org]x[/link]", ":smile:", "\\[b]")
CONTROL = (
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x9b31m",
    "a\rb",
    "a\nheatcat: b",
    "\u202egnp",
    "\x7f\x08",
)

PAYLOADS = (*HTML, *TEX, *FORMATS, *MARKUP, *CONTROL)
ALL = " ".join((SCRIPT, *TEX, *FORMATS, *MARKUP, *HTML[1:], *CONTROL))
"""A plot shows the beginning of it, which is the worst for plots."""
SEEN = (
    r"<img src=x onerror=window.ran=1> $$\href{javascript:window.ran=1}{x}$$ \(x\) \[x\] $\frac{$",
    '"><script>window.ran=1</script>',
    "{label} {0.__class__}",
    "[/b] [b] dE [meV] [link=https://x.org]x[/link] :smile:",
    r"\x1b[2J",
    r"\x9b31m a\rb a\nheatcat: b \u202egnp \x7f\x08",
)
"""Pieces of ``ALL`` as a person must see them."""
SEEN_OF_UNIT = SEEN[:4]
"""Those of a unit, which has no control characters."""

NAME = SCRIPT + " [b] ${x}$"
"""Of the store's folder."""


def unit(text: str = ALL) -> str:
    """A text as a unit: one with control characters is refused, also where a store has it."""
    return "".join(filter(str.isprintable, text)) or "energy"


def computed(folder: Path, text: str = ALL) -> Path:
    """A store with a text for its name's end, unit, description, host and error messages."""
    location = folder / NAME
    sweep = catalog.Sweep(
        name="hostile",
        axes={"N": [1, 2], "delta_E": [50.0, 125.0], "T_mean": [60.0, 100.0]},
        fixed=FIXED,
        variables=["power", "constancy", "quanta_noise"],
        energy_unit=unit(text),
        description=text,
    )
    solve = Exact.solve

    def fails_at_one_point(self: Exact, engine: Engine, *rest: object) -> Solution:
        if (engine.N, engine.delta_E, engine.T_mean) == (2, 125.0, 100.0):
            raise ValueError(text)
        return solve(self, engine, *rest)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Exact, "solve", fails_at_one_point)
        patch.setattr(platform, "node", lambda: text)
        patch.setattr("sys.argv", ["heatcat", "run", text])
        catalog.run(sweep, location, scheduler="synchronous")
    return location
