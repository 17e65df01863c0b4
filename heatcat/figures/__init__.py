"""The paper's figures, a recipe each: sweep preset -> store -> analyses -> data, PNG, PDF, HTML."""

from heatcat.figures.fig2 import FIG2
from heatcat.figures.recipe import Recipe

FIGURES: dict[str, Recipe] = {recipe.name: recipe for recipe in (FIG2,)}

__all__ = ["FIGURES", "Recipe"]
