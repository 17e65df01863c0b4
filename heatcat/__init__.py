"""heatcat: a labelled catalogue of collective quantum heat engines."""

from importlib import metadata

from heatcat.accessor import save_html

__all__ = ["__version__", "save_html"]

__version__ = metadata.version("heatcat")
