"""A catalogue: what a store holds, to query, recompute and check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from catalog.arguments import a_location, checked
from catalog.models.contract import Model
from catalog.names.described import role
from catalog.names.select import select
from catalog.names.suggestion import suggestion
from catalog.names.where import where_expression
from catalog.reading.html import Summary, catalogue_html, entry_html
from catalog.reading.lazy import stored_dataset
from catalog.reading.point import Point, parsed
from catalog.refining.propose import Refined
from catalog.refining.stored_map import Quantity, refine_map
from catalog.running.profile import Profile
from catalog.running.recorded import OnBlock, connect_and_solve
from catalog.store.change import require_none
from catalog.store.history import older_solvers
from catalog.store.load import open_sweeps
from catalog.store.stored import Block, StoredSweep
from catalog.sweeps.boxes import box_of, pieces
from ensemble import InvalidInput, Status

if TYPE_CHECKING:
    from distributed import Client


def plain_value(array: xr.DataArray) -> Any:
    """A number or text, or an array of them where a variable has inner dimensions."""
    return array.values if array.ndim else array.item()


class NoSuchSweep(InvalidInput, KeyError):
    """A store has no sweep of that name."""

    def __str__(self) -> str:  # a KeyError would put quotes around its message
        return str(self.args[0])


@checked(location=a_location)
def open(location: str | Path) -> Catalogue:
    """What a store holds: its sweeps by name.

    Parameters
    ----------
    location : path or URL
        A Zarr store, or a Zip archive of one.

    Raises
    ------
    InvalidInput
        If there is no store, or no sweep in it.
    """
    return Catalogue(location)


class Catalogue(Mapping[str, "Entry"]):
    """The sweeps of a store by name, as `catalog.open` gives them."""

    def __init__(self, location: str | Path) -> None:
        found = open_sweeps(location)
        self._entries = {name: Entry(s.location, s.parts) for name, s in found.items()}
        self.location = next(iter(found.values())).location

    def __getitem__(self, name: str) -> Entry:
        if name not in self._entries:
            raise NoSuchSweep(
                f"{self.location} holds no sweep {name!r}{suggestion(str(name), self._entries)}"
            )
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def tree(self) -> xr.DataTree:
        """All sweeps as one lazy tree of labelled Datasets."""
        return xr.DataTree.from_dict({name: entry.dataset() for name, entry in self.items()})

    def __repr__(self) -> str:
        lines = (f"  {name}: {entry.grid.size} points" for name, entry in self.items())
        return "\n".join([f"<Catalogue {self.location}>", *lines])

    def _repr_html_(self) -> str:
        return catalogue_html(self.location, [entry.summary() for entry in self.values()])


@dataclass(frozen=True)
class Recomputed:
    """What a recomputation did.

    Attributes
    ----------
    matched : int
        Points that met the conditions.
    blocks, points : int
        The blocks that hold such points, and all points of these blocks: they were computed again.
    """

    matched: int
    blocks: int
    points: int


@dataclass(frozen=True)
class Entry(StoredSweep):
    """A sweep of a catalogue."""

    def dataset(self) -> xr.Dataset:
        """Lazy Dataset over the sorted labels of all parts; it reads, and never solves.

        The ``status`` of a point says whether it was computed.
        """
        return stored_dataset(self)

    def point(
        self,
        query: Mapping[str, Any] | None = None,
        *,
        method: str | None = None,
        tolerance: float | None = None,
        **labels: Any,
    ) -> Point:
        """One point by its labels, names or symbols; parameters of one label may be left out.

        Parameters and errors are those of `catalog.select`.
        """
        found = select(self.dataset(), query, method=method, tolerance=tolerance, **labels)
        left = [dim for dim in self.grid.dims if dim in found.dims]
        if left:
            raise InvalidInput(
                f"more than one point is left along {', '.join(left)}: give a label of each"
            )
        here = found.load()
        named = {name: here[name].item() for name in self.box}
        diagnostics = {
            str(name): plain_value(here[name])
            for name in here.data_vars
            if role(here, str(name)) == "diagnostic" and name in self.grid.arrays
        }
        return Point(
            labels=named,
            model=self.family.model,
            variables=self.family.variables,
            values={name: plain_value(here[name]) for name in self.family.variables},
            diagnostics=diagnostics,
            status=Status(diagnostics["status"]),
            error=diagnostics["error"],
            failure=parsed(diagnostics["failure"]),
        )

    def recompute(
        self,
        where: str | None = None,
        *,
        status: str | None = None,
        older_solver: bool = False,
        model: Model | None = None,
        scheduler: str | Profile | Client | None = None,
        workers: int | None = None,
        on_block: OnBlock | None = None,
    ) -> Recomputed:
        """Compute points again that meet all of the conditions given, and store the results.

        The unit is the block: its other points are computed again with them.  The old values of a
        block stay until its new ones replace them, all at once; if it is stopped, the blocks that
        are left keep their old values.

        Parameters
        ----------
        where : str, optional
            A predicate, such as ``"residual > 1e-8 and ΔE < 5"`` (see `catalog.where_expression`).
        status : str, optional
            "ok", "uncertified", "unphysical" or "failed".
        older_solver : bool
            Points that another version of the solver computed.
        model : Model, optional
            The model with its code, needed if it is not the heat engine: opening a store imports
            no model.
        scheduler, workers, on_block
            As for `catalog.run`.

        Raises
        ------
        InvalidInput
            If no condition is given, or one cannot be understood, or the model is needed.
        """
        require_none(self.storage)
        solver = self.model(model)
        blocks, matched = self._matching(where, status, solver if older_solver else None)
        connect_and_solve(
            self,
            blocks,
            solver,
            self.grid.definition(),
            scheduler,
            workers,
            on_block,
            again=True,
        )
        return Recomputed(matched, len(blocks), sum(block.size for block in blocks))

    def _matching(
        self, where: str | None, status: str | None, older_than: Model | None
    ) -> tuple[list[Block], int]:
        """The finished blocks with points that meet the conditions, and how many points do."""
        if where is None and status is None and older_than is None:
            raise InvalidInput(
                "recompute needs a condition: give where, status or older_solver, for instance "
                'where="residual > 1e-8"'
            )
        statuses = self.values("status")
        mask = statuses != Status.NOT_COMPUTED
        if status is not None:
            known = {kind.label: kind for kind in Status if kind != Status.NOT_COMPUTED}
            if status not in known:
                raise InvalidInput(f"unknown status {status!r}: choose from {', '.join(known)}")
            mask &= statuses == known[status]
        if older_than is not None:
            older = older_solvers(self.history(), older_than.source_hash())
            mask &= np.isin(self.values("run"), older)
        if where is not None:
            mask &= where_expression(self.dataset(), where).values
        box = box_of(self.grid)
        full = mask.reshape([len(labels) for labels in box.values()])
        blocks = [
            Block(part, index)
            for part in self.parts
            for index in dict.fromkeys(
                piece.index for piece in pieces(part.grid, box) if full[piece.outer].any()
            )
        ]
        unfinished = {block.key for block in self.missing()}
        return [block for block in blocks if block.key not in unfinished], int(mask.sum())

    def refine(
        self, parameters: tuple[str, str], quantity: Quantity, *, budget: int, **options: Any
    ) -> Refined:
        """Add points where a quantity changes fastest.

        Parameters and errors are those of `catalog.refining.stored_map.refine_map`.
        """
        return refine_map(self, parameters, quantity, budget=budget, **options)

    def summary(self) -> Summary:
        """What there is to show of it."""
        records = self.history()
        last = records[-1] if records else {}
        when = f"run {last['run']}: {last['outcome']}" if last else ""
        if last.get("started"):
            when += f", begun {last['started']} on {last['host']}"
        return Summary(self.grid, self.counts(), when, self.notes())

    def __repr__(self) -> str:
        grid = " × ".join(f"{len(labels)} {dim}" for dim, labels in self.grid.axes.items())
        title = self.family.model.title
        return f"<Entry {self.name} of {self.location}: {grid} points, {title}>"

    def _repr_html_(self) -> str:
        return entry_html(self.summary())
