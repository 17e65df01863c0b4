"""The examples as a user has them: files in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.models.contract import Model
from catalog.models.loading import find_model

EXAMPLES = Path(__file__).parents[2] / "examples"

MASERS = """
[sweep]
name = "maser"
model = "maser:maser"

[axes]
omega_h = [2.0, 3.0, 3.9, 4.1, 6.0]
field = [0.2, 0.5, 1.0, 2.0]

[fixed]
omega_c = 1.0
T_h = 4.0
T_c = 1.0

[blocks]
omega_h = 1
field = 1
"""
"""A sweep of the maser, whose points are blocks of their own."""
BLOCKS = 20


def example(path: str, **options: Any) -> Model:
    """A model of the examples by its path, such as ``maser:maser``."""
    return find_model(path, options, folder=EXAMPLES)


def solved(model: Model, **point: float) -> dict[str, Any]:
    """All that a model says of one point."""
    solution = model.solution(point, model.default_variables)
    return {**solution.values, **solution.diagnostics}
