"""The sections of the page, in their order from the top."""

from __future__ import annotations

from heatcat.browser.panels.curves_panel import CurvesPanel
from heatcat.browser.panels.names_panel import NamesPanel
from heatcat.browser.panels.pins_panel import PinsPanel
from heatcat.browser.panels.point import PointSection
from heatcat.browser.panels.regimes_panel import RegimesPanel
from heatcat.browser.panels.scatter_panel import ScatterPanel
from heatcat.browser.panels.small_maps_panel import SmallMapsPanel
from heatcat.browser.panels.table_panel import TablePanel
from heatcat.browser.sections.export_section import ExportSection
from heatcat.browser.sections.live_point import LivePoint
from heatcat.browser.sections.map_section import MapSection
from heatcat.browser.sections.points_section import PointsSection
from heatcat.browser.sections.profiles import ProfilePanes
from heatcat.browser.sections.progress import Progress
from heatcat.browser.sections.slice_panes import SlicePanes
from heatcat.browser.state.section import Section

SECTIONS: tuple[type[Section], ...] = (
    MapSection,
    PointSection,
    PointsSection,
    SlicePanes,
    ProfilePanes,
    CurvesPanel,
    ScatterPanel,
    TablePanel,
    RegimesPanel,
    SmallMapsPanel,
    PinsPanel,
    LivePoint,
    NamesPanel,
    Progress,
    ExportSection,
)
