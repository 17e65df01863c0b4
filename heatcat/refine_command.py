"""``heatcat refine``: add points to a stored map where a quantity changes fastest."""

from __future__ import annotations

from collections.abc import Iterable

import click
import numpy as np
import xarray as xr

import catalog
from catalog.refining.propose import RESOLUTION
from ensemble import InvalidInput
from heatcat import terminal
from heatcat.computing_options import computing_options
from heatcat.store_commands import MODEL, find_entry, find_solver

GAIN = "collective_gain"


@click.command()
@click.argument("store", type=click.Path())
@click.argument("sweep", required=False)
@click.option("--over", required=True, help="The map: two parameters, e.g. delta_E,T_mean.")
@click.option(
    "--quantity",
    required=True,
    help=f"A variable of the sweep, or {GAIN} (of the highest N that --at names, over N = 1).",
)
@click.option("--points", type=click.IntRange(min=1), required=True, help="Points to add.")
@click.option("--level", type=float, help="Refine where the quantity crosses this value.")
@click.option("--at", multiple=True, help="Label of another parameter, e.g. N=4; repeatable.")
@click.option("--geometric", default="", help="Those of the two with a logarithmic scale.")
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Points solved together.",
)
@click.option(
    "--resolution",
    type=float,
    default=RESOLUTION,
    show_default=True,
    help="Least distance of two points, as a fraction of the map.",
)
@MODEL
@computing_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def refine(
    store: str,
    sweep: str | None,
    over: str,
    quantity: str,
    points: int,
    level: float | None,
    at: tuple[str, ...],
    geometric: str,
    batch: int,
    resolution: float,
    model: str | None,
    scheduler: str | catalog.Profile,
    workers: int | None,
    as_json: bool,
) -> None:
    """Add points to a map of SWEEP in STORE where a quantity changes fastest.

    Without --level the points go where the curvature of the quantity is largest; with --level,
    where the quantity crosses that value.  --quantity power --level 0 finds the Carnot line,
    --quantity collective_gain --level 1 --at N=1,4 the line where four pairs have the power of
    four single pairs of the same labels.  You may stop and repeat it; solved points are kept.
    """
    entry = find_entry(catalog.open(store), sweep)
    name_of = entry.family.model.vocabulary.parameter_name
    axes = [name_of(name) for name in _listed(over)]
    if len(set(axes)) != 2:
        dims = ",".join(entry.grid.dims[-2:])
        raise InvalidInput(f"a map has two axes: give e.g. --over {dims}")
    by_ratio = {name_of(name) for name in _listed(geometric)}
    if not by_ratio <= set(axes):
        raise InvalidInput(f"--geometric is about {over}: name one of them, or both")
    refined = entry.refine(
        (axes[0], axes[1]),
        _gain if quantity == GAIN else quantity,
        budget=points,
        batch=batch,
        level=level,
        spacing=["geometric" if name in by_ratio else "linear" for name in axes],
        resolution=resolution,
        model=find_solver(entry, model),
        scheduler=scheduler,
        workers=workers,
        **_labels(at),
    )
    undefined = int(np.isnan(refined.values[len(refined.values) - refined.added :]).sum())
    if as_json:
        summary = {"added": refined.added, "undefined": undefined, "known": len(refined.points)}
        terminal.echo_json({"sweep": entry.name, **summary})
        return
    words = f"{entry.name}: {refined.added} points added, {len(refined.points)} on the map now"
    if undefined:
        words += f"; {quantity} is undefined at {undefined} of the new ones"
    terminal.stdout().print(words)
    if refined.added < points:
        terminal.stdout().print("the map is resolved: lower --resolution for more points")


def _gain(ds: xr.Dataset) -> xr.DataArray:
    """Gain of the highest N."""
    if "N" not in ds.dims:
        raise InvalidInput("the gain needs several sizes: give e.g. --at N=1,4")
    from analyses import collective_gain  # slow to import: only where a gain is asked for

    return collective_gain(ds["power"]).isel(N=-1)


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _labels(given: Iterable[str]) -> dict[str, float | list[float]]:
    """Labels by parameter, from "N=4" and "N=1,4"."""
    labels: dict[str, float | list[float]] = {}
    for text in given:
        name, equals, values = text.partition("=")
        numbers = [_number(text, word) for word in _listed(values)]
        if not equals or not numbers:
            raise InvalidInput(f"--at {text} is not a label: write e.g. --at N=4")
        labels[name.strip()] = numbers if len(numbers) > 1 else numbers[0]
    return labels


def _number(text: str, word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise InvalidInput(f"--at {text} is not a number: write e.g. --at N=4") from None
