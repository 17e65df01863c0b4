"""How the site is built (`make docs`).  A page loads nothing from outside: no fonts, no scripts."""

from __future__ import annotations

from dataclasses import asdict

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging

from catalog.heat_engine.methods import METHODS
from catalog.heat_engine.terms import NAMES
from heatcat import __version__
from heatcat.browser.shown.labels import unit

project = "heatcat"
author = "The heatcat developers"
copyright = author
release = version = __version__
language = "en"
smartquotes = False  # quotes are those of code: {"bare", "high-temperature"}

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx_click",
]
exclude_patterns = ["images/*.py"]
default_role = "py:obj"  # docstrings refer to each other in single backticks
highlight_language = "text"  # indented blocks are formulas, not Python

html_theme = "furo"
html_title = f"heatcat {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False

myst_enable_extensions = ["dollarmath", "substitution", "deflist"]
myst_fence_as_directive = ["math"]  # ```math, which GitHub draws as well
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the types are in the docstrings, with shapes
autodoc_preserve_defaults = True
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

nitpicky = True


def _table(heads: tuple[str, ...], *rows: tuple[str, ...]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in (heads, ("---",) * len(heads), *rows))


def _terms(kind: str) -> str:
    """The vocabulary's rows of one kind."""
    heads = ("name", "symbol", "what it is", "unit", "equation")
    rows = [
        (f"`{name}`", term.symbol, term.long_name, unit(term.unit), term.equation)
        for name in NAMES.names(kind)
        for term in (NAMES[name],)
    ]
    kept = [column for column in range(len(heads)) if any(row[column] for row in rows)]
    return _table(*(tuple(row[column] for column in kept) for row in (heads, *rows)))


def _methods() -> str:
    """Every method with the options that it takes and the variables that it defines."""
    rows = []
    for name, method in METHODS.items():
        options = ", ".join(f"`{option} = {value!r}`" for option, value in asdict(method()).items())
        on_request = ", ".join(f"`{item}`" for item in method.on_request)
        rows.append((f"`{name}`", "finite" if method.sized else "→ ∞", options, on_request))
    return _table(("method", "N", "options, with their defaults", "on request only"), *rows)


myst_substitutions = {
    "parameters": _terms("parameter"),
    "variables": _terms("variable"),
    "diagnostics": _terms("diagnostic"),
    "methods": _methods(),
}


def _mathml(translator, node: nodes.math | nodes.math_block) -> None:
    """LaTeX as MathML, which browsers draw by themselves."""
    block = isinstance(node, nodes.math_block)
    try:
        formula = tex2mathml(node.astext(), as_block=block)
    except MathError as failure:
        logging.getLogger(__name__).warning("%s", failure, location=node)
        raise nodes.SkipNode from None
    for sign in "⟨⟩":  # averages, as high as their text; \left and \right still stretch
        formula = formula.replace(f"<mo>{sign}</mo>", f'<mo stretchy="false">{sign}</mo>')
    formula = formula.replace(
        '<mo stretchy="false">|</mo>', '<mo stretchy="false" lspace="0" rspace="0">|</mo>'
    )
    translator.body.append(f'<div class="math">{formula}</div>' if block else formula)
    raise nodes.SkipNode


def _bar(inliner, match, lineno: int) -> tuple:
    """A bar in a docstring is that of |x|; reStructuredText would begin a substitution."""
    return match.string[: match.end()], [], match.string[match.end() :], []


def setup(app: Sphinx) -> None:
    Inliner.dispatch["|"] = _bar
    app.add_html_math_renderer(
        "mathml", inline_renderers=(_mathml, None), block_renderers=(_mathml, None)
    )


html_math_renderer = "mathml"
