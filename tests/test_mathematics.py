"""Mathematics on the pages is typeset, in LaTeX that both this site and GitHub draw."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from tests.pages import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RELATION = re.compile(r"[=≈≤≥≪≫∝→]")
SYMBOL = re.compile(r"[α-ωΑ-Ω∂∫√∑Σ⟨⟩ℓ𝓛₀-₉ᵢ⁺⁻†]")
RAW_EXPONENT = re.compile(r"\w\^|\^[{(−-]")
UNSAFE = re.compile(r"\\[^a-zA-Z ]|[^a-zA-Z0-9 ]_|\*")
"""What Markdown takes for its own inside $…$ before GitHub sees the formula: an escape such as
``\\,`` or ``\\{``, and a _ or * that may begin emphasis."""
REFUSED = r"\operatorname"

MARKDOWN = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin)


def tokens(text: str) -> Iterator[Token]:
    """Every token of a page, inline ones after the block that they are in."""
    for token in MARKDOWN.parse(text):
        yield token
        yield from token.children or ()


def faults(text: str) -> list[str]:
    """Mathematics that is not typeset, or not for both readers, with what is wrong about it."""
    found = []
    for token in tokens(text):
        match token.type:
            case "code_block":
                found.append(f"indented block, typeset it or use a fence: {token.content}")
            case "fence" if token.info.strip() in ("", "text"):
                if any(RELATION.search(x) and SYMBOL.search(x) for x in token.content.split("\n")):
                    found.append(f"equation in a code box: {token.content}")
            case "text" if RAW_EXPONENT.search(token.content):
                found.append(f"raw exponent: {token.content}")
            case "math_inline" if UNSAFE.search(token.content):
                found.append(f"GitHub would not draw ${token.content}$")
            case "fence" if token.info.strip() == "math" and REFUSED in token.content:
                found.append(f"GitHub refuses {REFUSED}: {token.content}")
            case "math_block":
                found.append(f"use a fence ```math, where a \\\\ stays: {token.content}")
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_mathematics_is_typeset(page):
    assert faults(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("So\n\n    L = Σ c\n", "indented block"),
        ("```text\nJ = ω₀ Tr(Aρ)\n```\n", "equation in a code box"),
        ("falls as e^{−a} here\n", "raw exponent"),
        ("falls as e^−a here\n", "raw exponent"),
        ("with $a\\,b$\n", "GitHub"),
        ("with $\\mathrm{x}_{i}$\n", "GitHub"),
        ("with $w^*$\n", "GitHub"),
        ("$$\na\n$$\n", "fence"),
        ("```math\n\\operatorname{Tr} x\n```\n", "refuses"),
    ],
)
def test_what_is_found(text, fault):
    [found] = faults(text)
    assert fault in found


def test_what_is_well():
    assert faults("$e^{-a}$, `a^b` and\n\n```math\nL = \\sum_k c_k \\\\ x\n```\n") == []
    assert faults("```text\npower > 0\n```\n```text output\nJ = ω₀\n```\n") == []
