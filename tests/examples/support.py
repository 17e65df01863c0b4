"""The examples as a user has them: files in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.models.contract import Model
from catalog.models.loading import find_model

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(path: str, **options: Any) -> Model:
    """A model of the examples by its path, such as ``maser:maser``."""
    return find_model(path, options, folder=EXAMPLES)


def solved(model: Model, **point: float) -> dict[str, Any]:
    """All that a model says of one point."""
    solution = model.solution(point, model.default_variables)
    return {**solution.values, **solution.diagnostics}
