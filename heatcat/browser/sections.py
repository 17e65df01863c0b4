"""The sections of the page, in their order from the top."""

from __future__ import annotations

from heatcat.browser.explore.curves_panel import CurvesPanel
from heatcat.browser.explore.names_panel import NamesPanel
from heatcat.browser.explore.pins_panel import PinsPanel
from heatcat.browser.explore.points_section import PointsSection
from heatcat.browser.explore.regimes_panel import RegimesPanel
from heatcat.browser.explore.scatter_panel import ScatterPanel
from heatcat.browser.explore.small_maps_panel import SmallMapsPanel
from heatcat.browser.explore.table_panel import TablePanel
from heatcat.browser.export_section import ExportSection
from heatcat.browser.live_point import LivePoint
from heatcat.browser.map_section import MapSection
from heatcat.browser.point import PointSection
from heatcat.browser.profiles import ProfilePanes
from heatcat.browser.progress import Progress
from heatcat.browser.section import Section
from heatcat.browser.slice_panes import SlicePanes

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
