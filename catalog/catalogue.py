"""A catalogue: what a store holds, to query, recompute and check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from catalog.arguments import a_flag, a_location, checked, texts
from catalog.models.contract import Model
from catalog.names.described import role
from catalog.names.select import select
from catalog.names.suggestion import suggestion
from catalog.names.vocabulary import POINT
from catalog.names.where import where_expression
from catalog.reading.html import Summary, catalogue_html, entry_html
from catalog.reading.point import Point, parsed
from catalog.reading.stored import scattered_dataset, stored_dataset
from catalog.refining.propose import Refined
from catalog.refining.stored_map import Quantity, refine_map
from catalog.running.profile import Profile
from catalog.running.recorded import OnBlock, connect_and_solve
from catalog.store.change import require_none
from catalog.store.history import older_solvers
from catalog.store.load import open_sweeps
from catalog.store.part import Part
from catalog.store.places import each_once
from catalog.store.stored import Block, StoredSweep
from catalog.store.user_arrays import added_names
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
    """Open a store: its sweeps by name.

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
        """All sweeps as one lazy tree of labelled Datasets.

        A sweep with scattered points beside its grid has all its points in ``NAME~points``.
        """
        grids = {name: entry.dataset() for name, entry in self.items()}
        points = {f"{n}~points": entry.points() for n, entry in self.items() if entry.beside_grid}
        return xr.DataTree.from_dict(grids | points)

    def __repr__(self) -> str:
        lines = (f"  {name}: {entry.size_in_words()}" for name, entry in self.items())
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
    """A sweep of a catalogue, with the boxes and points that it had when the store was opened.

    It reads values that are stored after that.  It does not hold points that `refine` or the run of
    a larger sweep adds later: open the store again to read them.
    """

    def dataset(self, *, filled: bool = False) -> xr.Dataset:
        """Lazy Dataset of the grid of a sweep; it reads, and never solves.

        The grid has the sorted labels of all that was run as a grid.  The ``status`` of a point
        says whether it was computed.  Scattered points, which a refinement added or which share
        fewer than all but one of their labels with the grid, are left out: the attribute
        ``scattered_points`` counts them, and `points` has them.  A sweep of scattered points alone
        has them along a dimension ``point``.

        Parameters
        ----------
        filled : bool
            Take the labels of scattered points into the grid, too: M of them add up to M labels to
            each axis, and nearly all points of such a grid are not computed.
        """
        return stored_dataset(self, filled=a_flag("filled", filled))

    def points(self, *, keep: Sequence[str] = ()) -> xr.Dataset:
        """Lazy Dataset of all points, of the grid and scattered ones, along a dimension ``point``.

        Every parameter with several labels is a coordinate along ``point``.  The points of the
        first run come first.  Arrays that users have added to the groups are left out.

        Parameters
        ----------
        keep : sequence of str
            Parameters, by name or symbol, that stay dimensions of their own: with ``keep=["N"]``
            points that differ in N alone are one, and a gain can be computed.

        Raises
        ------
        InvalidInput
            If there is no such parameter, or none is left to vary.
        """
        terms = self.family.model.vocabulary
        named = {terms.parameter_name(text) for text in texts("keep", keep)}
        for name in named - {*self.box}:
            raise InvalidInput(f"{name} is no parameter of {self.name}{suggestion(name, self.box)}")
        kept = [name for name in self.box if name in named]
        if len(kept) == len(self.box):
            raise InvalidInput("keep names every parameter: leave out one that varies")
        return scattered_dataset(self, kept)

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
        stored = self.points() if self.beside_grid or self.grid.points else self.dataset()
        found = select(stored, query, method=method, tolerance=tolerance, **labels)
        if POINT in found.dims and found.sizes[POINT] == 1:
            found = found.squeeze(POINT)
        left = [name for name in self.box if found[name].dims and found[name].size > 1]
        left = [name for name in left if len(np.unique(found[name])) > 1] or left
        if left:
            raise InvalidInput(
                f"more than one point is left along {', '.join(left)}: give a label of each"
            )
        if POINT in found.sizes and not found.sizes[POINT]:
            raise InvalidInput(
                "no stored point has all of these labels: choose one of points().to_dataframe()"
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

        Whole blocks are computed again, with their other points.  A block keeps its old values
        until all its new ones replace them at once; if the run is stopped, the blocks that are
        left keep their old values.

        Parameters
        ----------
        where : str, optional
            A condition, such as ``"residual > 1e-8 and ΔE < 5"`` (see `catalog.where_expression`).
        status : str, optional
            "ok", "uncertified", "unphysical" or "failed".
        older_solver : bool
            Select points that another version of the solver computed.
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
        known = {kind.label: kind for kind in Status if kind != Status.NOT_COMPUTED}
        if status is not None and status not in known:
            raise InvalidInput(f"unknown status {status!r}: choose from {', '.join(known)}")
        older = None
        if older_than is not None:
            older = older_solvers(self.history(), older_than.source_hash())
        codes = [part.whole("status") for part in self.parts]
        unfinished = {block.key for block in self.missing()}
        blocks, matched = [], 0
        for part, code, once in zip(self.parts, codes, each_once(self.parts, codes), strict=True):
            mask = code != Status.NOT_COMPUTED
            if status is not None:
                mask &= code == known[status]
            if older is not None:
                mask &= np.isin(part.whole("run"), older)
            if where is not None:
                mask &= where_expression(self._dataset_of(part), where).values
            matched += int((mask & once).sum())
            steps = [part.grid.blocks[dim] for dim in part.grid.dims]
            touched = np.unique(np.argwhere(mask) // steps, axis=0).tolist()
            found = [Block(part, tuple(index)) for index in touched]
            blocks += [block for block in found if block.key not in unfinished]
        return blocks, matched

    def _dataset_of(self, part: Part) -> xr.Dataset:
        """Lazy Dataset of one part, NaN for the arrays that users have added to others alone."""
        found = stored_dataset(StoredSweep(self.location, (part,)))
        added = {name for other in self.parts for name in added_names(other)} - {*found.variables}
        nothing = xr.full_like(found["status"], np.nan, dtype=float)
        return found.assign(dict.fromkeys(added, nothing))

    def refine(
        self, parameters: tuple[str, str], quantity: Quantity, *, budget: int, **options: Any
    ) -> Refined:
        """Add points where a quantity changes fastest.

        `points` of this entry does not have the new points: open the store again to read them.
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
        notes = self.notes()
        if self.beside_grid:
            notes.append(f"{self.beside_grid} scattered points lie beside this grid: see points()")
        return Summary(self.grid, self.counts(), when, notes)

    def size_in_words(self) -> str:
        """Number of points, of the grid and beside it."""
        beside = f" and {self.beside_grid} scattered ones" if self.beside_grid else ""
        return f"{self.grid.size} points{beside}"

    def __repr__(self) -> str:
        grid = " × ".join(f"{len(labels)} {dim}" for dim, labels in self.grid.axes.items())
        beside = f" and {self.beside_grid} scattered ones" if self.beside_grid else ""
        title = self.family.model.title
        return f"<Entry {self.name} of {self.location}: {grid} points{beside}, {title}>"

    def _repr_html_(self) -> str:
        return entry_html(self.summary())
