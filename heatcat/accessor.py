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

        Scattered points, such as those of ``points()``, are drawn as dots over two parameters that
        differ from point to point.

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
            the cell that is framed.  Of scattered points, values of their other parameters (by
            default those that most points have).
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
        from heatcat.browser.plots import draw_map

        return draw_map(
            self._data, variable, x=x, y=y, at=at, scale=scale, overlays=overlays, contour=contour,
            levels=levels, backend=backend, width=width,
        )  # fmt: skip

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
        from heatcat.browser.plots import draw_slices

        return draw_slices(
            self._data, variable, at=at, dims=dims, scale=scale, backend=backend, width=width
        )

    def explorer(self) -> pn.viewable.Viewable:
        """The page of ``heatcat browse`` for this Dataset, in a notebook."""
        from heatcat.browser.plots import explorer

        return explorer(self._data)


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
    from heatcat.browser.drawn import notebook

    notebook.save_html(drawn, path)
