"""``ds.heatcat``: select by symbol, draw maps and slices, explore any Dataset of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import xarray as xr

if TYPE_CHECKING:
    import holoviews as hv
    import panel as pn

    from heatcat.browser.sheet import Sheet


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
    ) -> hv.Overlay:
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
        scale : {"linear", "log", "symlog"}
        overlays : sequence of str
            Any of "carnot" (where all currents vanish), "gain" (gain = 1), "constancy" (C = 1),
            "weak_coupling" (jump rate over level spacing) and "rotating_wave" (collective drive
            over its frequency), the last two at 0.1 and 1.
        contour : str, optional
            Variable to draw contours of, at ``levels`` or at about six round numbers.
        levels : sequence of float

        Returns
        -------
        holoviews.Overlay
            For Bokeh; only the chunks of the map are read.

        Raises
        ------
        InvalidInput
            If there is no such variable, dimension, label, scale or overlay.
        """
        from heatcat.browser.maps import map_overlay
        from heatcat.browser.picture import picture_of
        from heatcat.browser.slices import curve, load_slice

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
        _load_bokeh()
        if not picture.y:
            return curve(load_slice(sheet, picture, picture.x))
        return map_overlay(sheet, picture)

    def slices(
        self,
        variable: str | None = None,
        *,
        at: Mapping[str, float] | None = None,
        dims: Sequence[str] | None = None,
        scale: str = "linear",
    ) -> hv.Layout:
        """Curves of a variable through one point, along each dimension.

        Parameters
        ----------
        variable : str, optional
            As for ``map``.
        at : mapping of str to number, optional
            Labels of the point, by name or symbol; by default the middle one, for N the largest.
        dims : sequence of str, optional
            Dimensions of the curves; by default all that have more than one label.
        scale : {"linear", "log", "symlog"}

        Returns
        -------
        holoviews.Layout

        Raises
        ------
        InvalidInput
            If there is no such variable, dimension or label.
        """
        import holoviews as hv

        from catalog.names.described import coordinate_name
        from ensemble import InvalidInput
        from heatcat.browser.picture import picture_of
        from heatcat.browser.slices import curve, load_slice

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
        _load_bokeh()
        curves = [curve(load_slice(sheet, picture, dim)) for dim in along]
        return hv.Layout(curves).opts(shared_axes=False).cols(3)

    def explorer(self) -> pn.viewable.Viewable:
        """The page of ``heatcat browse`` for this Dataset, in a notebook."""
        from heatcat.browser.page import Page
        from heatcat.browser.server import prepare
        from heatcat.browser.source import Source

        prepare()
        sheet = self._sheet()
        return Page(Source("ds", {sheet.name: self._data})).body()

    def _sheet(self) -> Sheet:
        from heatcat.browser.sheet import Sheet

        return Sheet(str(self._data.attrs.get("title") or "the dataset"), self._data)


def _load_bokeh() -> None:
    """Make HoloViews draw with Bokeh, unless the user has chosen a backend already."""
    import holoviews as hv

    if "bokeh" not in hv.Store.renderers:
        hv.extension("bokeh", logo=False)
