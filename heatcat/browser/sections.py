"""The sections of the page, in their order from the top."""

from __future__ import annotations

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
    SlicePanes,
    ProfilePanes,
    LivePoint,
    Progress,
    ExportSection,
)
