"""Refine a stored map: batches of scattered points, each stored as a part of the sweep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from catalog.arguments import a_callable, a_count, a_scheduler, checked, optional, shown, texts
from catalog.models.contract import Model
from catalog.names.labels import label
from catalog.names.select import select
from catalog.names.vocabulary import POINT
from catalog.reading.stored import scattered_dataset
from catalog.refining.propose import (
    RESOLUTION,
    Points,
    Refined,
    Spacing,
    known_points,
    refine,
)
from catalog.refining.quantity import Quantity, computed
from catalog.running.cluster import chosen
from catalog.running.executors import open_executor
from catalog.running.plan import fitted_model
from catalog.running.profile import Profile
from catalog.running.recorded import OnBlock, solve_and_record, telling
from catalog.store.extend import STRUCTURE, add_parts, next_number
from catalog.store.leases import Leases
from catalog.store.load import load
from catalog.store.part import Part
from catalog.store.stored import Block, StoredSweep
from catalog.sweeps.boxes import Box
from catalog.sweeps.dataset import labelled
from catalog.sweeps.sweep import Sweep
from ensemble import InvalidInput, Status

if TYPE_CHECKING:
    from distributed import Client

BLOCK_POINTS = 4
"""Points of a batch in one block: few, so that several workers share a batch."""


def a_number(name: str, value: Any) -> float:
    """A finite number."""
    return float(label(name, value))


def a_quantity(name: str, value: Any) -> Any:
    """The name of a variable, or a function of a Dataset."""
    return value if isinstance(value, str) else a_callable(name, value)


@checked(
    budget=a_count,
    batch=a_count,
    level=optional(a_number),
    spacing=texts,
    resolution=a_number,
    scheduler=a_scheduler,
    workers=optional(a_count),
    on_block=optional(a_callable),
    quantity=a_quantity,
)
def refine_map(
    stored: StoredSweep,
    parameters: tuple[str, str],
    quantity: Quantity,
    *,
    budget: int,
    batch: int = 20,
    level: float | None = None,
    spacing: Sequence[Spacing] = ("linear", "linear"),
    resolution: float = RESOLUTION,
    model: Model | None = None,
    scheduler: str | Profile | Client | None = None,
    workers: int | None = None,
    on_block: OnBlock | None = None,
    **labels: Any,
) -> Refined:
    """Add points to a stored map of two parameters where a quantity changes fastest.

    Each batch is a group of scattered points beside the sweep's other parts; a refinement that was
    stopped loses at most what it was solving, and goes on from what is stored.

    Parameters
    ----------
    stored : StoredSweep
    parameters : pair of str
        The axes of the map, by name or symbol; it extends from their lowest to highest label.
    quantity : str or callable
        A variable, a reduction of one with inner dimensions, such as ``"max(spectrum)"``, or a
        function of a Dataset whose dimensions are those of the map (or ``point``)
        and those given several labels, to a DataArray over the map alone.
    budget : int
        Points to add.
    model : Model, optional
        The model with its code, needed if it is not the heat engine.
    **labels
        Of the other dimensions.  Several labels of one are all solved at each point: what a
        quantity such as the gain, of N and of 1, needs.

    Returns
    -------
    Refined

    Raises
    ------
    InvalidInput
        If a name or label is unknown, or the location is an archive.
    RunStopped
        As for `catalog.run`.
    """
    if stored.storage.read_only:
        raise InvalidInput(
            f"{stored.location} is an archive: unpack it to a directory to refine it"
        )
    solver = stored.model(model)
    first, second = _axes_of(stored, parameters)
    held = _labels_held(stored, (first, second), labels)
    bounds = [(float(stored.box[name][0]), float(stored.box[name][-1])) for name in (first, second)]
    begun = [
        block for block in stored.missing() if POINT in block.part.grid.axes
    ]  # of a refinement that was stopped
    costs = fitted_model(stored, stored.grid)
    # Blocks of the refinement are taken to cost what those of the map do; this sets the number of
    # workers and their memory.
    expected = [stored.blocks()[0].work] * max(1, min(batch, budget) // BLOCK_POINTS)
    kept = {name: v[0] if len(v) == 1 else list(v) for name, v in held.items()}

    def known() -> tuple[Points, NDArray[np.float64]]:
        """All points of the map that are computed; a quantity may need several labels of each."""
        several = [name for name, labels in held.items() if len(stored.box[name]) > 1]
        found = scattered_dataset(stored, several)
        return known_points(found, (first, second), quantity, **kept)

    known_before = known()  # before anything is begun: a quantity may be refused

    def solve(points: Points) -> NDArray[np.float64]:
        part = _add(stored, solver, (first, second), points, held)
        blocks = [Block(part, index) for index in part.grid.block_indices()]
        request = part.grid.definition()
        solve_and_record(executor, stored, blocks, solver, request, costs, telling(on_block))
        solved = labelled(part.grid, {name: part.whole(name) for name in part.grid.arrays})
        return _values(solved, quantity)

    # One connection for all batches, made before anything is written.
    work = [*expected, *(block.work for block in begun)]
    with open_executor(
        stored.location, chosen(scheduler), workers, work, solver, costs
    ) as executor:
        if begun:
            request = stored.grid.definition()
            solve_and_record(executor, stored, begun, solver, request, costs, telling(on_block))
            known_before = known()
        return refine(
            solve,
            *known_before,
            bounds=bounds,
            budget=budget,
            batch=batch,
            level=level,
            spacing=spacing,
            resolution=resolution,
        )


def _axes_of(stored: StoredSweep, parameters: Any) -> tuple[str, str]:
    """The names of the two axes of a map."""
    terms = stored.family.model.vocabulary
    chosen = [terms.parameter_name(text) for text in texts("parameters", parameters)]
    if len(set(chosen)) != 2 or len(chosen) != 2:
        raise InvalidInput(
            f"a map has two axes, not {shown(parameters)}: give two of "
            f"{', '.join(stored.grid.dims)}"
        )
    for name in chosen:
        if terms[name].whole:
            raise InvalidInput(
                f"new points lie between labels, where {name} is no number: choose other axes"
            )
    return chosen[0], chosen[1]


def _labels_held(stored: StoredSweep, axes: tuple[str, str], labels: dict[str, Any]) -> Box:
    """The stored labels that every point of the map shares, of all parameters but its axes."""
    ds = select(labelled(stored.filled_grid, {}), labels)
    for name in axes:
        if name not in stored.box:
            raise InvalidInput(f"{name} is no parameter of this sweep: choose another axis")
    held: Box = {}
    for name in stored.box:
        found = ds.coords[name]
        if name in axes:
            if found.size < 2:
                raise InvalidInput(f"{name} does not vary in this sweep: choose another axis")
            continue
        given = {stored.family.model.vocabulary.parameter_name(text) for text in labels}
        if found.size > 1 and name not in given:
            raise InvalidInput(f"{name} has several labels: give the one of the map, or a list")
        held[name] = tuple(np.atleast_1d(found.values).tolist())
    return held


def _add(
    stored: StoredSweep, model: Model, axes: tuple[str, str], points: Points, held: Box
) -> Part:
    """The part of a new batch, its template written."""
    sweep = Sweep(
        name=stored.name,
        model=model,
        variables=stored.family.variables,
        description=stored.family.description,
        points=dict(zip(axes, points.T.tolist(), strict=True)),
        axes={name: labels for name, labels in held.items() if len(labels) > 1},
        fixed={name: labels[0] for name, labels in held.items() if len(labels) == 1},
        blocks={POINT: BLOCK_POINTS},
    )
    with Leases(stored.storage, stored.name).hold(STRUCTURE, wait=True):
        now = load(stored.storage, stored.name)
        assert now is not None
        (group,) = add_parts(stored.storage, stored.name, [sweep.grid], next_number(now))
    return Part(stored.location, group, sweep.grid)


def _values(solved: xr.Dataset, quantity: Quantity) -> NDArray[np.float64]:
    """The quantity along ``point``, NaN where a solve failed."""
    values = computed(quantity, solved)
    if values.dims != (POINT,):
        raise InvalidInput(
            f"the quantity has dimensions {values.dims} beside the map: reduce them, or give labels"
        )
    others = [dim for dim in solved.status.dims if dim != POINT]
    failed = (solved.status == Status.FAILED).any(others)
    return values.where(~failed).values.astype(float)
