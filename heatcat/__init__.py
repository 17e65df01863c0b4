"""heatcat: a labelled catalogue of collective quantum heat engines."""

from importlib import metadata

from heatcat import accessor  # noqa: F401 (registers Dataset.heatcat)

__version__ = metadata.version("heatcat")
