"""heatcat: a labelled catalogue of collective quantum heat engines."""

from importlib import metadata

__version__ = metadata.version("heatcat")
