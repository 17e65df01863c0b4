"""``ds.heatcat``, ``array.heatcat``: select by symbol, draw maps and slices, explore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

if TYPE_CHECKING:
    import holoviews as hv
    import panel as pn
    from matplotlib.figure import Figure

    from heatcat.browser.sheet import Sheet

BACKENDS = ("bokeh", "matplotlib")
COLUMN = 3.4
"""Width of a journal's column, in inches."""


@xr.register_dataset_accessor("heatcat")
class HeatcatAccessor:
    """Selects and draws by the vocabulary's names and symbols.

    Parameters
    ----------
    data : xarray.Dataset
        Its dimensions are parameters of the vocabulary.
    """

    def __init__(self, data: xr.Dataset) -> None:
        self._data = data

    def sel(
        self,
        query: Mapping[str, Any] | None = None,
        *,
        method: str | Mapping[str, str] | None = None,
        tolerance: float | Mapping[str, float] | None = None,
        **labels: Any,
    ) -> xr.Dataset:
        """Select by label, by name or symbol: `catalog.select` of this Dataset.

        Examples
        --------
        >>> drive = xr.Variable("omega_0", [0.1, 0.3], {"symbol": "ω₀"})
        >>> ds = xr.Dataset({"power": ("omega_0", [1.0, 2.0])}, {"omega_0": drive})
        >>> float(ds.heatcat.sel({"ω₀": 0.1 + 0.2}).power)
        2.0
        """
        from catalog.names.select import select

        return select(self._data, query, method=method, tolerance=tolerance, **labels)

    def without_derived(self) -> xr.Dataset:
        """The Dataset without coordinates that follow from its parameters, such as T₁.

        xarray concatenates and merges Datasets of different labels more simply without them.

        Examples
        --------
        >>> T_1 = xr.Variable("T_mean", [1.0, 2.0], {"role": "derived"})
        >>> ds = xr.Dataset(coords={"T_mean": [1.5, 2.5], "T_1": T_1})
        >>> list(ds.heatcat.without_derived().coords)
        ['T_mean']
        """
        from catalog.names.described import without_derived

        return without_derived(self._data)

    @property
    def ok(self) -> xr.DataArray:
        """Which points are computed and certified; lazy if the Dataset is.

        Examples
        --------
        >>> import numpy as np
        >>> ds = xr.Dataset({"status": ("N", np.array([1, 4], "u1"))}, {"N": [1, 2]})
        >>> ds.heatcat.ok.values.tolist()
        [True, False]
        """
        return self.status("ok")

    def status(self, *labels: str) -> xr.DataArray:
        """Which points have one of some states, such as "failed" or "not computed".

        The array ``status`` holds numbers, and NumPy finds no number equal to a text: so
        ``ds.status == "failed"`` is false at every point.  This method takes the text, and treats
        the NaN that ``reindex``, ``where`` or an outer join writes as "not computed".

        Examples
        --------
        >>> import numpy as np
        >>> ds = xr.Dataset({"status": ("N", np.array([1, 4], "u1"))}, {"N": [1, 2]})
        >>> ds.reindex(N=[1, 2, 4]).heatcat.status("failed", "not computed").values.tolist()
        [False, True, True]
        """
        from catalog.names.status import has_status

        return has_status(self._data, *labels)

    def status_labels(self) -> xr.DataArray:
        """The status of each point in words; lazy if the Dataset is.

        Examples
        --------
        >>> import numpy as np
        >>> ds = xr.Dataset({"status": ("N", np.array([1, 4], "u1"))}, {"N": [1, 2]})
        >>> ds.heatcat.status_labels().values.tolist()
        ['ok', 'failed']
        """
        from catalog.names.status import status_labels

        return status_labels(self._data)

    def map(
        self,
        variable: str | None = None,
        *,
        x: str | None = None,
        y: str | None = None,
        at: Mapping[str, float] | None = None,
        scale: str = "linear",
        overlays: Sequence[str] = (),
        contour: str | None = None,
        levels: Sequence[float] = (),
        backend: str = "bokeh",
        width: float = COLUMN,
    ) -> hv.Overlay | Figure:
        """Map of a variable over two dimensions, or its curve if there is only one.

        Parameters
        ----------
        variable : str, optional
            Of the Dataset, or derived where the data suffice: ``collective_gain``,
            ``same_bath_gain``, ``local_exponent``, ``exponent``, ``exponent_status``.  The power
            by default.
        x, y : str, optional
            Dimensions across and up, by name or symbol; ΔE and T̄ by default.  An empty ``y``
            asks for a curve.
        at : mapping of str to number, optional
            Labels of the other dimensions (by default the middle one, for N the largest), and of
            the cell that is framed.
        scale : {"automatic", "linear", "log", "symlog"}
        overlays : sequence of str
            Any of "carnot" (where all currents vanish), "gain" (gain = 1), "constancy" (C = 1),
            "weak_coupling" (jump rate over level spacing) and "rotating_wave" (collective drive
            over its frequency), the last two at 0.1 and 1.
        contour : str, optional
            Variable to draw contours of, at ``levels`` or at about six round numbers.
        levels : sequence of float
        backend : {"bokeh", "matplotlib"}
            "bokeh" is interactive, and needs no network in a notebook; "matplotlib" is a figure for
            a journal, with text of 8 pt.
        width : float
            Of the figure for a journal, in inches: 3.4 for one column, 7 for two.

        Returns
        -------
        holoviews.Overlay or matplotlib.figure.Figure
            Its title names the variable and the value of every parameter that is not drawn.  Only
            the chunks of the map are read.

        Raises
        ------
        InvalidInput
            If there is no such variable, dimension, label, scale, overlay or backend.

        Examples
        --------
        >>> power = [[1.0, -2.0], [2.0, 4.0]]
        >>> labels = {"delta_E": [1.0, 2.0], "T_mean": [3.0, 4.0]}
        >>> ds = xr.Dataset({"power": (list(labels), power)}, labels)
        >>> figure = ds.heatcat.map("power", backend="matplotlib")
        >>> figure.get_size_inches()[0].item(), figure.axes[0].get_xlabel()
        (3.4, 'ΔE')
        """
        from heatcat.browser.picture import picture_of

        _require_backend(backend)
        sheet = self._sheet()
        picture = picture_of(
            sheet,
            variable,
            x=x,
            y=y,
            at=at,
            scale=scale,
            overlays=tuple(overlays),
            contour=contour,
            levels=tuple(levels),
        )
        if not picture.y:
            return _curves(sheet, picture, [picture.x], backend, width, alone=True)
        from heatcat.browser.plane import load_plane

        plane = load_plane(sheet, picture)
        cut = {
            dim: at
            for dim, at in picture.elsewhere.items()
            if dim in sheet.dims_of(picture.variable)
        }
        title = _with_fixed(sheet, plane.title, ", " if cut else ", at ")
        if backend == "matplotlib":
            from heatcat.browser.paper import a_width, map_figure

            return map_figure(plane, title, a_width("width", width))
        from heatcat.browser.maps import HEIGHT, layers
        from heatcat.browser.notebook import load, titled

        load()
        return titled(layers(plane), title, HEIGHT)

    def slices(
        self,
        variable: str | None = None,
        *,
        at: Mapping[str, float] | None = None,
        dims: Sequence[str] | None = None,
        scale: str = "linear",
        backend: str = "bokeh",
        width: float = COLUMN,
    ) -> hv.Layout | Figure:
        """Curves of a variable through one point, along each dimension.

        Parameters
        ----------
        variable : str, optional
            As for ``map``.
        at : mapping of str to number, optional
            Labels of the point, by name or symbol; by default the middle one, for N the largest.
        dims : sequence of str, optional
            Dimensions of the curves; by default all that have more than one label.
        scale : {"automatic", "linear", "log", "symlog"}
        backend, width
            As for ``map``.

        Returns
        -------
        holoviews.Layout or matplotlib.figure.Figure

        Raises
        ------
        InvalidInput
            If there is no such variable, dimension, label or backend.
        """
        from catalog.names.described import coordinate_name
        from ensemble import InvalidInput
        from heatcat.browser.picture import picture_of

        _require_backend(backend)
        sheet = self._sheet()
        picture = picture_of(sheet, variable, at=at, scale=scale)
        known = sheet.dims_of(picture.variable)
        along = [dim for dim in known if len(sheet.labels(dim)) > 1]
        if dims is not None:
            along = [coordinate_name(self._data, dim) for dim in dims]
        for dim in along:
            if dim not in known:
                raise InvalidInput(
                    f"{picture.variable} has no dimension {dim}: choose from {', '.join(known)}"
                )
        return _curves(sheet, picture, along, backend, width)

    def explorer(self) -> pn.viewable.Viewable:
        """The page of ``heatcat browse`` for this Dataset, in a notebook."""
        from heatcat.browser.notebook import load
        from heatcat.browser.page import Page
        from heatcat.browser.server import use_style
        from heatcat.browser.source import Source

        load()
        use_style()
        sheet = self._sheet()
        return Page(Source("ds", {sheet.name: self._data})).body()

    def _sheet(self) -> Sheet:
        from heatcat.browser.sheet import Sheet

        return Sheet(str(self._data.attrs.get("title") or "the dataset"), self._data)


@xr.register_dataarray_accessor("heatcat")
class HeatcatArrayAccessor:
    """Selects and draws one array by the vocabulary's names and symbols.

    It does what ``Dataset.heatcat`` does with a Dataset of this array alone: without a status,
    nothing is known of which points are certified.

    Parameters
    ----------
    data : xarray.DataArray
        Its dimensions are parameters of the vocabulary.

    Examples
    --------
    >>> power = xr.DataArray([1.0, 4.0, 9.0], {"N": [1, 2, 3]}, name="power")
    >>> float(power.heatcat.sel(N=2))
    4.0
    >>> power.heatcat.map(backend="matplotlib").axes[0].get_ylabel()
    'P'
    """

    def __init__(self, data: xr.DataArray) -> None:
        self._data = data
        self._name = "value" if data.name is None else str(data.name)

    def sel(self, query: Mapping[str, Any] | None = None, **options: Any) -> xr.DataArray:
        """Select by label: arguments and errors are those of ``Dataset.heatcat.sel``."""
        return self._dataset().heatcat.sel(query, **options)[self._name].rename(self._data.name)

    def map(self, **options: Any) -> hv.Overlay | Figure:
        """Map or curve: arguments, result and errors are those of ``Dataset.heatcat.map``."""
        return self._dataset().heatcat.map(self._name, **options)

    def slices(self, **options: Any) -> hv.Layout | Figure:
        """Curves: arguments, result and errors are those of ``Dataset.heatcat.slices``."""
        return self._dataset().heatcat.slices(self._name, **options)

    def explorer(self) -> pn.viewable.Viewable:
        """The page of ``heatcat browse`` for this array, in a notebook."""
        return self._dataset().heatcat.explorer()

    def _dataset(self) -> xr.Dataset:
        from ensemble import InvalidInput

        if self._name in self._data.coords:
            raise InvalidInput(
                f"{self._name} is a coordinate: give the array another name to draw it"
            )
        return self._data.to_dataset(name=self._name)


def save_html(drawn: Any, path: str | Path) -> None:
    """Write a plot of ``.heatcat`` or hvplot to an HTML file that needs no network.

    Parameters
    ----------
    drawn : holoviews or panel object
        A map, slices or the explorer, which stands still in a file.
    path : path
        It ends in ``.html``; a file of that name is replaced.

    Raises
    ------
    InvalidInput
        If the path has another suffix.
    """
    from heatcat.browser import notebook

    notebook.save_html(drawn, path)


def _require_backend(backend: object) -> None:
    from catalog.arguments import shown
    from ensemble import InvalidInput

    if backend not in BACKENDS:
        raise InvalidInput(f"unknown backend {shown(backend)}: choose from {', '.join(BACKENDS)}")


def _curves(
    sheet: Sheet,
    picture: Any,
    dims: Sequence[str],
    backend: str,
    width: float,
    *,
    alone: bool = False,
) -> Any:
    """The curves of a picture along some dimensions: one overlay, or several in a layout."""
    from dataclasses import replace

    from heatcat.browser.slices import curve, load_slice

    cuts = []
    for dim in dims:
        cut = load_slice(sheet, picture, dim)
        title = f"at {cut.title}" if cut.title else ""
        cuts.append(replace(cut, title=_with_fixed(sheet, title, ", " if title else "at ")))
    if backend == "matplotlib":
        from heatcat.browser.paper import a_width, curves_figure

        return curves_figure(cuts, a_width("width", width))
    import holoviews as hv

    from heatcat.browser.notebook import CURVE_HEIGHT, load, titled

    load()
    drawn = [titled(curve(cut), cut.title, CURVE_HEIGHT) for cut in cuts]
    if alone:
        return drawn[0]
    return hv.Layout(drawn).opts(shared_axes=False).cols(3)


def _with_fixed(sheet: Sheet, title: str, joined: str) -> str:
    """A title that also names the parameters that have one value in all of the data."""
    from heatcat.browser.labels import where

    fixed = where(sheet.data, sheet.fixed())
    return f"{title}{joined}{fixed}" if fixed else title
