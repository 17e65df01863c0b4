"""The task of a run: solve one block and store it, wherever the task is sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from numpy.typing import NDArray

from catalog.models.contract import Model
from catalog.running.complete import complete_block
from catalog.store.history import RunRecord
from catalog.store.leases import Busy
from catalog.store.stored import Block
from ensemble import Status

Counts = dict[str, int]


@dataclass(frozen=True)
class Done:
    """The result of the task of a block.

    Attributes
    ----------
    block : Block
    counts : dict of str to int
        Its points by status.
    wall_times : array
        Times that its points took, of the shape of the block.
    here : bool
        Whether it was solved by this run.
    """

    block: Block
    counts: Counts
    wall_times: NDArray
    here: bool


@dataclass(frozen=True)
class Elsewhere:
    """A block that another process is solving.

    Attributes
    ----------
    block : Block
    holder : str
        Who works on it, as text.
    """

    block: Block
    holder: str


def do_block(model: Model, record: RunRecord, again: bool, block: Block) -> Done | Elsewhere:
    """The task: solve and store a block, unless another process solves it or has stored it."""
    try:
        arrays = complete_block(block.part, block.index, model, record, wait=False, again=again)
    except Busy as busy:
        return Elsewhere(block, busy.holder)
    here = arrays is not None
    if arrays is None:
        arrays = block.part.read(block.index, ["status", "wall_time"])
    statuses = Counter(arrays["status"].ravel().tolist())
    counts = {Status(code).label: number for code, number in statuses.items()}
    return Done(block, counts, arrays["wall_time"], here)
