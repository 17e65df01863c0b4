"""A drawing as an interactive page, with Bokeh: the same panels, values under the pointer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import numpy as np
from matplotlib.colors import to_hex

from heatcat.figures.panels import Drawing, Line, Map, Note, Panel, Rule, cell_edges

HEIGHT = 330
DASHES = {"-": "solid", "--": "8 5", ":": "2 5", "-.": "dotdash"}
"""Dots and dashes in pixels: those that Bokeh has names for run together in straight rules."""
MARKERS = {"o": "circle", "s": "square", "^": "triangle", "x": "x", ".": "dot", ">": "triangle"}
LONG = 24
"""Letters of a legend's entry above which the legend has one column."""
SYMBOLS = {
    r"\Delta": "Δ", r"\Gamma": "Γ", r"\alpha": "α", r"\beta": "β", r"\epsilon": "ε", r"\kappa": "κ",
    r"\omega": "ω", r"\rho": "ρ", r"\tau": "τ", r"\varphi": "φ", r"\infty": "∞", r"\to": " → ",
    r"\leq": " ≤ ", r"\geq": " ≥ ", r"\sim": " ∼ ", r"\propto": "∝ ", r"\times": " × ",
    r"\langle": "⟨", r"\rangle": "⟩", r"\ln": "ln ", r"\log": "log", r"\,": " ",
    "-": "−", "=": " = ",
}  # fmt: skip
RAISED = dict(zip("0123456789+-−zα*", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ᶻᵅ*", strict=True))
LOWERED = dict(
    zip("0123456789+-−aehijklmnoprstuvx*", "₀₁₂₃₄₅₆₇₈₉₊₋₋ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ*", strict=True)
)


def plain(text: str) -> str:
    r"""Matplotlib's mathematical text in Unicode, as far as a figure's labels use it.

    >>> plain(r"$\bar{T}$ / $E_1$"), plain(r"$10^{-3}\,P_N$"), plain(r"$N_\mathrm{sat}$")
    ('T̄ / E₁', '10⁻³ P_N', 'Nₛₐₜ')
    """
    return re.sub(r"\$([^$]*)\$", lambda math: _converted(math[1], _unicode_script), text)


def html(text: str) -> str:
    r"""The same as HTML.

    >>> html(r"$P_N \sim N^\alpha$")
    'P<sub>N</sub> ∼ N<sup>α</sup>'
    """
    return re.sub(r"\$([^$]*)\$", lambda math: _converted(math[1], _html_script), escape(text))


def _converted(tex: str, script: Callable[[re.Match[str]], str]) -> str:
    tex = re.sub(r"\\(?:mathrm|mathcal)\{([^{}]*)\}", r"{\1}", tex)
    tex = re.sub(r"\\bar\{(.)\}", "\\1\N{COMBINING MACRON}", tex)
    for name, symbol in SYMBOLS.items():
        tex = re.sub(re.escape(name) + (r"(?![a-z]) ?" if name[-1].isalpha() else ""), symbol, tex)
    tex = re.sub(r"([_^])(?:\{([^{}]*)\}|(.))", script, tex)
    return re.sub(" +", " ", tex.replace("{", "").replace("}", "")).strip(" ")


def _unicode_script(match: re.Match[str]) -> str:
    known = RAISED if match[1] == "^" else LOWERED
    script = (match[2] or match[3]).strip()
    if set(script) <= set(known):
        return "".join(known[letter] for letter in script)
    return match[1] + script


def _html_script(match: re.Match[str]) -> str:
    tag = "sup" if match[1] == "^" else "sub"
    return f"<{tag}>{(match[2] or match[3]).strip()}</{tag}>"


STYLE = """
body { margin: 0 auto; max-width: 1280px; padding: 0 8px; color: #222;
  font: 15px/1.4 system-ui, sans-serif }
h1 { font-size: 1.15em; margin: 0.8em 0 }
section { display: grid; gap: 12px 16px; margin-bottom: 12px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, var(--least)), 1fr)) }
figure { margin: 0; min-width: 0 }
figcaption { font-weight: 600; font-size: 0.93em }
"""


def write(drawing: Drawing, *, title: str) -> str:
    """The page as text; it contains Bokeh's code and works without a network.

    It is put together here because a page that Bokeh makes would also refer to the files of every
    extension that has been imported, such as Panel's.  On a narrow screen the panels of a row stand
    below each other.
    """
    from bokeh.embed import components
    from bokeh.resources import Resources

    script, places = components(tuple(draw(panel) for panel in drawing.panels))
    remaining = iter(places)
    rows = []
    for row in drawing.rows:
        figures = [
            f"<figure><figcaption>({panel.letter}) {html(panel.title)}</figcaption>"
            f"{next(remaining)}</figure>"
            for panel in row
        ]
        least = 380 if len(row) < 4 else 300
        rows.append(f'<section style="--least: {least}px">{"".join(figures)}</section>')
    library = Resources("inline", components=["bokeh"]).js_raw
    code = "".join(f"<script>{text}</script>" for text in library)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>{code}</head>"
        f"<body><h1>{html(drawing.title)}</h1>{''.join(rows)}{script}</body></html>\n"
    )


def draw(panel: Panel) -> Any:
    """A Bokeh figure of a panel."""
    from bokeh.models import FixedTicker
    from bokeh.models.annotations import Legend
    from bokeh.plotting import figure

    options: dict[str, Any] = {
        "x_axis_type": "log" if panel.x.log else "linear",
        "y_axis_type": "log" if panel.y.log else "linear",
        "x_range": panel.limits("x"),
        "y_range": panel.limits("y"),
        "x_axis_label": plain(panel.x.label),
        "y_axis_label": plain(panel.y.label),
        "height": HEIGHT,
        "sizing_mode": "stretch_width",
        "tools": "pan,box_zoom,wheel_zoom,reset,save",
        "active_drag": None,  # so that a finger scrolls the page
        "toolbar_location": "above",
    }
    plot: Any = figure(**options)
    plot.toolbar.logo = None
    for place, axis in ((plot.xaxis[0], panel.x), (plot.yaxis[0], panel.y)):
        if (texts := axis.tick_texts()) is not None:
            place.ticker = FixedTicker(ticks=list(texts))
            place.major_label_overrides = {tick: plain(text) for tick, text in texts.items()}
    named = []
    for layer in panel.layers:
        shown = _draw_layer(plot, layer, panel)
        if isinstance(layer, Line | Rule) and layer.label:
            named.append((plain(layer.label), shown))
    if named:
        columns = 1 if max(len(label) for label, _ in named) > LONG else 2
        style: dict[str, Any] = {
            "location": "center",
            "padding": 2,
            "spacing": 8,
            "margin": 4,
            "glyph_height": 14,
            "label_height": 14,
            "border_line_color": None,
            "label_text_font_size": "12px",
            "title_text_font_size": "12px",
        }
        legend = Legend(
            items=named, title=plain(panel.legend), ncols=columns, click_policy="hide", **style
        )
        plot.add_layout(legend, "below")
        plot.height += 20 * (-(-len(named) // columns) + bool(panel.legend))
    _colour_bar(plot, panel)
    return plot


def _draw_layer(plot: Any, layer: Any, panel: Panel) -> list[Any]:
    match layer:
        case Map():
            return _map(plot, layer, panel)
        case Line():
            return _line(plot, layer, panel)
        case Rule():
            style: dict[str, Any] = {"line_dash": DASHES[layer.dash], "line_color": layer.color}
            style["line_width"] = 1.4 * layer.width
            rule = plot.hspan if layer.of == "y" else plot.vspan
            return [rule(**{layer.of: [layer.at]}, **style)]
        case Note():
            plot.text(
                [layer.x], [layer.y], [plain(layer.text)], text_color=layer.color,
                text_align=panel.alignment(layer), text_baseline="middle", text_font_size="12px",
                background_fill_color="white", background_fill_alpha=0.6,
            )  # fmt: skip
    return []


def _map(plot: Any, layer: Map, panel: Panel) -> list[Any]:
    from bokeh.models import ColumnDataSource

    across, up = cell_edges(layer.x, log=panel.x.log), cell_edges(layer.y, log=panel.y.log)
    values = np.asarray(layer.values, dtype=float)
    x, y = np.meshgrid(np.asarray(layer.x, dtype=float), np.asarray(layer.y, dtype=float))
    left, bottom = np.meshgrid(across[:-1], up[:-1])
    right, top = np.meshgrid(across[1:], up[1:])
    columns = {"left": left, "right": right, "bottom": bottom, "top": top}
    columns |= {"across": x + panel.x.shift, "y": y, "value": values}
    known = np.isfinite(values)
    data: dict[str, Any] = {name: each[known] for name, each in columns.items()}
    data["color"] = layer.colours.hexes(values[known])
    cells = plot.quad(
        "left", "right", "top", "bottom", source=ColumnDataSource(data), color="color", line_width=1
    )
    _hover(plot, cells, panel, {plain(layer.colours.label): "@value"}, y=plain(panel.y.label))
    return []


def _line(plot: Any, layer: Line, panel: Panel) -> list[Any]:
    from bokeh.models import ColumnDataSource

    data: dict[str, Any] = {
        name: np.asarray(getattr(layer, name), dtype=float).ravel() for name in ("x", "y")
    }
    if panel.y.log:
        data["y"] = np.where(data["y"] > 0, data["y"], np.nan)
    data["across"] = data["x"] + panel.x.shift
    shown = []
    if layer.low is not None and layer.high is not None:
        data |= {"low": np.asarray(layer.low), "high": np.asarray(layer.high)}
    source = ColumnDataSource(data)
    if layer.dash:
        style = {"source": source, "line_dash": DASHES[layer.dash]}
        if layer.on_map:
            edge = plot.line("x", "y", source=source, color="white", width=1.4 * layer.width + 2)
            shown.append(edge)
        shown.append(plot.line("x", "y", color=layer.color, width=1.4 * layer.width, **style))
    if "low" in data:
        shown.append(plot.segment("x", "low", "x", "high", source=source, color=layer.color))
    if layer.marker:
        shown.append(
            plot.scatter(
                "x", "y", source=source, marker=MARKERS[layer.marker], size=1.7 * layer.size,
                line_color=layer.color, fill_color=layer.color if layer.filled else "white",
                angle=-np.pi / 2 if layer.marker == ">" else 0,
            )
        )  # fmt: skip
    rows = {plain(layer.label): ""} if layer.label else {}
    _hover(plot, shown[-1], panel, rows, y=plain(panel.y.label))
    return shown


def _hover(plot: Any, shown: Any, panel: Panel, rows: Mapping[str, str], *, y: str) -> None:
    """Values under the pointer; ``across`` is x as the axis is labelled, `Axis.shift` included."""
    from bokeh.models import HoverTool

    tips = [*rows.items(), (plain(panel.x.label), "@across"), (y, "@y")]
    tool = HoverTool(renderers=[shown], tooltips=tips, visible=False)
    plot.add_tools(tool)


def _colour_bar(plot: Any, panel: Panel) -> None:
    from bokeh.models import FixedTicker
    from bokeh.models.annotations import ColorBar
    from bokeh.models.mappers import LinearColorMapper

    scale = panel.scale
    if scale is None:
        return
    texts = scale.tick_texts()
    ticks = [float(place) for place in scale.positions(list(texts))]
    colors = scale.colormap(np.linspace(0, 1, min(scale.colormap.N, 256)))
    plot.add_layout(
        ColorBar(
            color_mapper=LinearColorMapper(
                palette=[to_hex(color) for color in colors], low=0, high=1
            ),
            ticker=FixedTicker(ticks=ticks),
            major_label_overrides={
                tick: plain(text) for tick, text in zip(ticks, texts.values(), strict=True)
            },
            title=plain(scale.title),
            width=12,
            padding=8,
        ),
        "right",
    )
