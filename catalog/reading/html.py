"""How notebooks show a sweep and a catalogue: grid, method and progress by status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from catalog.names.labels import Label
from catalog.names.vocabulary import OWN, POINT
from catalog.sweeps.grid import Grid
from ensemble import Status

COLOURS = {
    "ok": "#009e73",
    "uncertified": "#e69f00",
    "unphysical": "#cc79a7",
    "failed": "#d55e00",
    "running": "#56b4e9",
}
"""Colours of Okabe and Ito, which colour-blind people can tell apart on white and on black.  Points
that are not computed are left blank; unknown states are grey."""

STYLE = """<style>
.heatcat{color:var(--jp-content-font-color1,inherit);font-size:13px;line-height:1.45;
 max-width:60em;margin:.3em 0;font-family:var(--jp-content-font-family,system-ui,sans-serif)}
.heatcat .title{font-weight:600;font-size:1.1em}
.heatcat .about{opacity:.8}
.heatcat .bar{display:flex;height:.8em;margin:.45em 0 .2em;border:1px solid;border-radius:3px;
 border-color:color-mix(in srgb,currentColor 45%,transparent);overflow:hidden}
.heatcat .bar i{min-width:3px}
.heatcat .bar i.blank{min-width:0}
.heatcat .counts{display:flex;flex-wrap:wrap;column-gap:1.2em}
.heatcat .counts span{white-space:nowrap}
.heatcat .counts b{display:inline-block;width:.75em;height:.75em;margin-right:.35em;
 border:1px solid;border-color:color-mix(in srgb,currentColor 45%,transparent);border-radius:2px}
.heatcat table{border-collapse:collapse;margin:.5em 0;color:inherit;font-size:inherit}
.heatcat tr,.heatcat tr:nth-child(odd),.heatcat tr:hover{background:none!important}
.heatcat th,.heatcat td{text-align:left!important;padding:.1em 1.1em .1em 0!important;
 color:inherit;border:0}
.heatcat th{font-weight:600;border-bottom:1px solid;
 border-color:color-mix(in srgb,currentColor 30%,transparent)}
.heatcat .number{text-align:right!important}
.heatcat .note{border-left:3px solid #e69f00;padding-left:.6em;margin:.3em 0}
.heatcat details{border-top:1px solid;padding:.4em 0;
 border-color:color-mix(in srgb,currentColor 30%,transparent)}
.heatcat summary{cursor:pointer}
</style>"""

LISTED = 8
"""Labels of an axis that are all written out; of more labels, only the first two and the last."""


@dataclass(frozen=True)
class Summary:
    """What there is to show of one sweep.

    Attributes
    ----------
    grid : Grid
    counts : mapping of str to int
        Points by status label.
    last_run : str
        When and where it last ran, in words; left out if empty.
    notes : sequence of str
        Notes for users, such as "written by an older solver".
    """

    grid: Grid
    counts: Mapping[str, int]
    last_run: str = ""
    notes: Sequence[str] = ()


def entry_html(summary: Summary) -> str:
    """HTML of one sweep: self-contained, readable on light and dark pages."""
    heading = _heading(summary.grid.name, summary.grid.description)
    return _page(heading + _progress(summary.counts) + _entry(summary))


def catalogue_html(title: str, summaries: Iterable[Summary]) -> str:
    """HTML of all sweeps of a store, each folded under its progress."""
    summaries = list(summaries)
    totals: dict[str, int] = {}
    for summary in summaries:
        for label, points in summary.counts.items():
            totals[label] = totals.get(label, 0) + points
    number = f"{len(summaries)} sweep{'' if len(summaries) == 1 else 's'}"
    folded = "".join(
        f"<details><summary>{_heading(summary.grid.name, summary.grid.description)}"
        f"{_progress(summary.counts)}</summary>{_entry(summary)}</details>"
        for summary in summaries
    )
    return _page(_heading(title, number) + _progress(totals) + folded)


def _page(content: str) -> str:
    return f'{STYLE}<div class="heatcat">{content}</div>'


def _heading(title: str, about: str) -> str:
    tail = f' <span class="about">{escape(about)}</span>' if about else ""
    return f'<span class="title">{escape(title)}</span>{tail}'


def _entry(summary: Summary) -> str:
    grid = summary.grid
    notes = "".join(f'<div class="note">{escape(note)}</div>' for note in summary.notes)
    run = f'<div class="about">last run: {escape(summary.last_run)}</div>'
    return (
        notes
        + _axes(grid)
        + f"<div>fixed: {_fixed(grid) or 'nothing'}</div>"
        + f"<div>model: {escape(_model(grid))}</div>"
        + (run if summary.last_run else "")
    )


def _progress(counts: Mapping[str, int]) -> str:
    return _bar(counts) + _counts(counts)


def _shown(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The states that occur, what is not computed last: the bar fills up from the left."""
    blank = Status.NOT_COMPUTED.label
    found = [(label, number) for label, number in counts.items() if number]
    return sorted(found, key=lambda item: item[0] == blank)


def _bar(counts: Mapping[str, int]) -> str:
    pieces = "".join(
        f'<i title="{number} {escape(label)}"{_blank(label)} style="flex:{number} 0 0;'
        f'{_colour(label)}"></i>'
        for label, number in _shown(counts)
    )
    words = ", ".join(f"{number} {label}" for label, number in _shown(counts))
    return f'<div class="bar" role="img" aria-label="{escape(words)}">{pieces}</div>'


def _counts(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    pieces = "".join(
        f'<span><b style="{_colour(label)}"></b>{number} {escape(label)}</span>'
        for label, number in _shown(counts)
    )
    return f'<div class="counts">{pieces}<span class="about">of {total} points</span></div>'


def _blank(label: str) -> str:
    return ' class="blank"' if label == Status.NOT_COMPUTED.label else ""


def _colour(label: str) -> str:
    if label == Status.NOT_COMPUTED.label:
        return ""
    return f"background:{COLOURS.get(label, '#999999')}"


def _axes(grid: Grid) -> str:
    rows = "".join(
        f"<tr><td>{escape(_symbol(grid, name))}</td><td>{escape(name)}</td>"
        f'<td class="number">{len(labels)}</td><td>{escape(_range(labels))}</td>'
        f"<td>{escape(_unit(grid, name))}</td></tr>"
        for name, labels in grid.axes.items()
    )
    heads = "".join(
        f"<th{extra}>{head}</th>"
        for head, extra in (
            ("", ""),
            ("axis", ""),
            ("number", ' class="number"'),
            ("labels", ""),
            ("unit", ""),
        )
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _range(labels: Sequence[Label]) -> str:
    """Labels in short.

    >>> _range([1, 2, 4]), _range([0.5 + i for i in range(20)])
    ('1, 2, 4', '0.5, 1.5, …, 19.5')
    """
    if len(labels) <= LISTED:
        return ", ".join(f"{label:.6g}" for label in labels)
    return f"{labels[0]:.6g}, {labels[1]:.6g}, …, {labels[-1]:.6g}"


def _fixed(grid: Grid) -> str:
    return ", ".join(
        escape(f"{_symbol(grid, name)} = {value:.10g} {_unit(grid, name)}".rstrip())
        for name, value in grid.fixed.items()
    )


def _model(grid: Grid) -> str:
    return f"{grid.model.summary()}; {len(grid.variables)} variables"


def _symbol(grid: Grid, name: str) -> str:
    term = OWN[POINT] if name == POINT else grid.term(name)
    return term.symbol or name


def _unit(grid: Grid, name: str) -> str:
    unit = OWN[POINT].unit if name == POINT else grid.term(name).unit
    return "" if unit == "1" else unit
