"""Admission by memory: which blocks may be computed at the same time."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from ensemble import InvalidInput

GIB = 2.0**30

B = TypeVar("B", bound=Hashable)
"""Whatever names a block."""


class Admission(Generic[B]):
    """Hands out blocks in their order, never more at once than number and memory allow.

    A block waits until its predicted memory is free.  Blocks after it wait as well, otherwise small
    ones could keep the memory in use and a large one would never start.

    Parameters
    ----------
    blocks : sequence of hashable
    needs : sequence of float
        Predicted bytes of a process that computes the block.
    memory : float
        Bytes that the blocks in flight share; it may be set again as workers come and go.

    Examples
    --------
    >>> admission = Admission([(0,), (1,), (2,)], [6e9, 5e9, 1e9], memory=8e9)
    >>> admission.take(3), admission.take(3)
    ([(0,)], [])
    >>> admission.leave((0,))
    >>> admission.take(3)
    [(1,), (2,)]
    """

    def __init__(self, blocks: Sequence[B], needs: Sequence[float], *, memory: float) -> None:
        self.needs = dict(zip(blocks, needs, strict=True))
        self.memory = memory
        self.waiting = list(reversed(blocks))
        self.inside: set[B] = set()
        self.used = 0.0

    def take(self, number: int) -> list[B]:
        """The next blocks, so many that no more than ``number`` are in flight."""
        taken = []
        while self.waiting and len(self.inside) < number:
            need = self.needs[self.waiting[-1]]
            # A block that was accepted always runs, alone if there is too little memory for others:
            # else the run would wait for ever once a worker has left.
            if self.inside and self.used + need > self.memory:
                break
            index = self.waiting.pop()
            self.inside.add(index)
            self.used += need
            taken.append(index)
        return taken

    def leave(self, index: B) -> None:
        """A block is no longer in flight."""
        self.inside.remove(index)
        self.used = sum(self.needs[other] for other in self.inside) if self.inside else 0.0


def machine_memory() -> float:
    """Bytes of memory that this process may use: the machine's, or a limit below that."""
    from distributed.system import MEMORY_LIMIT  # slow to import: only where something runs

    return float(MEMORY_LIMIT)


def require_fitting(needs: Mapping[B, float], largest: float) -> None:
    """Refuse blocks that no worker has the memory for.

    Raises
    ------
    InvalidInput
        In one line, with the remedy.
    """
    index = max(needs, key=lambda index: needs[index])
    if needs[index] > largest:
        raise InvalidInput(
            f"block {index} needs about {needs[index] / GIB:.2g} GiB, but the largest worker has "
            f"{largest / GIB:.2g} GiB: give workers more memory, or leave its points out"
        )
