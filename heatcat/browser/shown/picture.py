"""What is to be drawn: a variable over one or two dimensions, its colours and its lines."""

from __future__ import annotations

from dataclasses import dataclass, field

from catalog.heat_engine.derived import missing_parameters
from catalog.names.described import coordinate_name
from catalog.names.suggestion import suggestion
from ensemble import InvalidInput
from heatcat.browser.shown.scales import SCALES
from heatcat.browser.shown.sheet import At, Sheet

OVERLAYS = {
    "carnot": "Carnot line",
    "gain": "gain = 1",
    "constancy": "C = 1",
    "weak_coupling": "weak coupling R/E",
    "rotating_wave": "rotating wave Nω₀/ΔE",
}
VALID = (0.1, 1.0)
"""Levels at which the lines of App. A's ratios are drawn; the paper wants them small."""
CONTOURED: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    "gain": (("collective_gain",), (1.0,)),
    "constancy": (("constancy",), (1.0,)),
    "weak_coupling": (("weak_coupling_1", "weak_coupling_2"), VALID),
    "rotating_wave": (("rotating_wave",), VALID),
}
"""Variables and levels of the overlays that are contours."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A map, or without ``y`` a curve.

    Attributes
    ----------
    variable : str
    x, y : str
        Dimensions across and up.
    at : mapping of str to number
        One label of every dimension: those of x and y are the chosen cell.
    off_grid : mapping of str to number
        Labels of the chosen point if it lies beside the grid; ``at`` is then the nearest cell.
    scale : {"automatic", "linear", "log", "symlog"}
    limits : pair of float or None
        Values at the ends of the colours; None: the extremes.
    overlays : tuple of str
        Any of ``OVERLAYS``.
    contour : str
        Variable to draw contours of; "" for none.
    levels : tuple of float
        Levels of the contours; chosen from the values if empty.
    """

    variable: str
    x: str
    y: str = ""
    at: At = field(default_factory=dict)
    off_grid: At = field(default_factory=dict)
    scale: str = "automatic"
    limits: tuple[float | None, float | None] = (None, None)
    overlays: tuple[str, ...] = ()
    contour: str = ""
    levels: tuple[float, ...] = ()

    @property
    def axes(self) -> tuple[str, ...]:
        """The one or two dimensions shown."""
        return (self.x, self.y) if self.y else (self.x,)

    @property
    def elsewhere(self) -> dict[str, float]:
        """Labels of the dimensions that are not shown."""
        return {dim: value for dim, value in self.at.items() if dim not in self.axes}

    @property
    def chosen(self) -> At:
        """Labels of the chosen point, on the grid or beside it."""
        return self.off_grid or self.at

    @property
    def line_kinds(self) -> tuple[str, ...]:
        """The kinds of lines over the map."""
        return self.overlays + (("contour",) if self.contour else ())


def picture_of(
    sheet: Sheet,
    variable: str | None = None,
    *,
    x: str | None = None,
    y: str | None = None,
    at: At | None = None,
    scale: str = "automatic",
    overlays: tuple[str, ...] = (),
    contour: str | None = None,
    levels: tuple[float, ...] = (),
) -> Picture:
    """A picture of a sheet: chooses what was left out, and checks everything.

    Raises
    ------
    InvalidInput
        If the sheet has no such variable, dimension or label.
    """
    variable = first_variable(sheet) if variable is None else variable
    sheet.require(variable)
    dims = sheet.dims_of(variable)
    if not dims:
        raise InvalidInput(f"{sheet.name} has no dimension to draw along: select less")
    across, up = first_axes(dims)
    across = across if x is None else coordinate_name(sheet.data, x)
    if y is not None:
        up = coordinate_name(sheet.data, y) if y else ""
    elif up == across:
        up = next((dim for dim in dims if dim != across), "")
    for dim in filter(None, (across, up)):
        if dim not in dims:
            raise InvalidInput(f"{variable} has no dimension {dim}: choose from {', '.join(dims)}")
    if across == up:
        raise InvalidInput(f"x and y are both {across}: choose two dimensions")
    if scale not in SCALES:
        raise InvalidInput(f"unknown scale {scale!r}{suggestion(scale, SCALES)}")
    for overlay in overlays:
        if overlay not in offered(sheet):
            raise InvalidInput(
                f"{sheet.name} has no overlay {overlay!r}{suggestion(overlay, offered(sheet))}"
            )
    if contour:
        sheet.require(contour)
    return Picture(
        variable=variable,
        x=across,
        y=up,
        at={**sheet.first(), **sheet.canonical(at or {})},
        scale=scale,
        overlays=tuple(overlays),
        contour=contour or "",
        levels=tuple(levels),
    )


def first_variable(sheet: Sheet) -> str:
    """The power, else the power per pair, else the first variable."""
    known = sheet.all_variables
    if not known:
        raise InvalidInput(f"{sheet.name} has no variable to draw: give one with numbers")
    return next((name for name in ("power", "power_per_pair") if name in known), known[0])


def first_axes(dims: tuple[str, ...]) -> tuple[str, str]:
    """ΔE across and T̄ up as in the paper, else the last two dimensions; "" up if there is one."""
    if {"delta_E", "T_mean"} <= set(dims):
        return "delta_E", "T_mean"
    return (dims[-1], "") if len(dims) == 1 else (dims[-1], dims[-2])


def offered(sheet: Sheet) -> dict[str, str]:
    """Overlays that a sheet has data for, with their texts."""
    known = set(sheet.all_variables)
    return {
        name: text
        for name, text in OVERLAYS.items()
        if (_carnot_holds(sheet) if name == "carnot" else known.intersection(CONTOURED[name][0]))
    }


def _carnot_holds(sheet: Sheet) -> bool:
    """Whether the parameters determine the affinity: two level spacings, two temperatures."""
    try:
        return not missing_parameters({*sheet.dims, *sheet.fixed()})
    except InvalidInput:
        return False
