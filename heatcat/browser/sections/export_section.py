"""The view as files to download, and as Python code that makes it."""

from __future__ import annotations

from functools import partial
from typing import Any

import panel as pn

from ensemble import InvalidInput
from heatcat.browser.sections import export
from heatcat.browser.shown import escape
from heatcat.browser.state.section import Context, Section, Shown

KINDS = {"png": "PNG", "svg": "SVG", "nc": "NetCDF"}


class ExportSection(Section):
    """Buttons for the files, and the code."""

    name = "export"
    heading = "This view as a file, or in Python"
    label = "export"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._shown: Shown | None = None
        self._python = pn.pane.HTML("", sizing_mode="stretch_width")
        downloads = [self._download(kind, text) for kind, text in KINDS.items()]
        self.layout.objects = [pn.FlexBox(*downloads, gap="8px"), self._python]

    def load(self, shown: Shown) -> str:
        beside = shown.beside if isinstance(shown.beside, tuple) else None
        return export.python(shown.source, shown.sheet, shown.picture, beside)

    def show(self, shown: Shown, found: str) -> None:
        self._shown = shown
        line = "\n".join(map(escape.html, found.split("\n")))
        self._python.object = f'<pre class="python" tabindex="0"><code>{line}</code></pre>'

    def complain(self, message: str) -> None:
        self._shown = None
        self._python.object = f'<p role="alert">{escape.html(message)}</p>'

    def _download(self, kind: str, text: str) -> pn.widgets.FileDownload:
        return pn.widgets.FileDownload(
            callback=partial(self._file, kind), filename=f"heatcat.{kind}", label=text, width=110
        )

    def _file(self, kind: str) -> Any:
        if self._shown is None:
            raise InvalidInput("there is no picture to save yet: wait until the map is drawn")
        shown = self._shown
        beside = shown.beside if isinstance(shown.beside, tuple) else None
        if kind == "nc":
            return export.netcdf(shown.sheet, shown.picture, beside)
        return export.image(
            shown.sheet,
            shown.picture,
            "png" if kind == "png" else "svg",
            beside=beside,
            relation=shown.relation,
        )
