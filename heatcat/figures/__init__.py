"""Recipes of the paper's figures, and of two beside them: presets -> store -> analyses -> files."""

from heatcat.figures.fig2 import FIG2
from heatcat.figures.fig3 import FIG3
from heatcat.figures.fig4 import FIG4
from heatcat.figures.fig5 import FIG5
from heatcat.figures.fig6 import FIG6
from heatcat.figures.fig7 import FIG7
from heatcat.figures.fig8 import FIG8
from heatcat.figures.fig9 import FIG9
from heatcat.figures.fig10 import FIG10
from heatcat.figures.noise import NOISE
from heatcat.figures.recipe import FORMATS, Recipe
from heatcat.figures.simultaneous import SIMULTANEOUS

FIGURES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (FIG2, FIG3, FIG4, FIG5, FIG6, FIG7, FIG8, FIG9, FIG10, SIMULTANEOUS, NOISE)
}

__all__ = ["FIGURES", "FORMATS", "Recipe"]
