"""What a run asks of workers: their memory, the same solver, and access to the store."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cloudpickle import dumps, loads
from distributed.comm import CommClosedError
from distributed.diagnostics.plugin import WorkerPlugin
from distributed.system import MEMORY_LIMIT

from catalog.models.contract import Model
from ensemble import InvalidInput

if TYPE_CHECKING:
    from distributed import Client, Worker

RESOURCE = "heatcat_bytes"
"""Name of the dask resource that counts the memory of a worker."""
ANSWER_SECONDS = 3.0
"""Time in which a scheduler that is alive answers which workers it has."""
TO_IMPORT = "put its module where they find it, e.g. on their PYTHONPATH"

Block = TypeVar("Block")


def worker_memory(client: Client) -> list[float]:
    """Bytes that each worker may use; one without a limit has what this machine has."""
    return [memory(worker) for worker in workers_of(client).values()]


def workers_of(client: Client) -> dict[str, dict[str, Any]]:
    """What the scheduler knows of each worker, by address; all of them, and asked just now.

    Raises
    ------
    OSError
        If the scheduler does not answer soon; it is busy, or dead.
    """
    if client.scheduler is None:
        raise ConnectionError("the client is closed")
    known = client.sync(client.scheduler.identity, n_workers=-1, callback_timeout=ANSWER_SECONDS)
    return known["workers"]


def memory(worker: Mapping[str, Any]) -> float:
    """Bytes that a worker may use."""
    return float(worker["memory_limit"] or MEMORY_LIMIT)


class MemoryResource(WorkerPlugin):
    """Makes every worker, also one that joins late, declare its memory to the scheduler.

    The scheduler sends a task that asks for an amount of memory to a worker that has so much in
    all; the task waits there until so much is free.  Dask by itself looks only at memory in use.
    """

    def __init__(self) -> None:
        self.name = f"{RESOURCE}-{uuid.uuid4()}"  # each run removes its own, not another's

    async def setup(self, worker: Worker) -> None:
        limit = getattr(worker.memory_manager, "memory_limit", None)
        await worker.set_resources(**{RESOURCE: float(limit or MEMORY_LIMIT)})


def packed(task: Callable[[Block], Any], model: Model, block: Block) -> bytes:
    """A task as bytes: the scheduler would unpack any other object, and may not have the model."""
    return dumps((task, model, block))


def checked(content: bytes, of: str, expected: str) -> Any:
    """Do a packed task, unless this worker, which may have joined late, does not have the model.

    Parameters
    ----------
    content : bytes
        As of `packed`.
    of : str
        The model in words.
    expected : str
        Hash of its source.

    Raises
    ------
    InvalidInput
        If the worker does not have the model, or has another version of it.
    """
    try:
        task, model, block = loads(content)
    except Exception as failure:
        raise InvalidInput(
            f"a worker cannot import {of} ({type(failure).__name__}: {failure}): {TO_IMPORT}"
        ) from None
    if not model.by_value and model.source_hash() != expected:
        raise InvalidInput(_other_solver(1, model=model))
    return task(block)


def require_usable(
    client: Client, model: Model, location: str, *, folder: str | None = None
) -> None:
    """Refuse workers without the model, with another version of it, or that do not see the store.

    Parameters
    ----------
    client : distributed.Client
    model : Model
        Solves the blocks.
    location : str
        Of the store.
    folder : str, optional
        What a worker must see if the store does not exist yet: the directory that will hold it.

    Raises
    ------
    InvalidInput
        In one line, with the remedy.
    """
    sought = None if "://" in location else folder or location
    answers = client.run(examined, sought, dumps(model), on_error="return")
    # A worker that died before it answered is left out.
    found = {n: answer for n, answer in answers.items() if not isinstance(answer, CommClosedError)}
    broken = {name: answer for name, answer in found.items() if isinstance(answer, Exception)}
    if broken:
        name, failure = next(iter(broken.items()))
        raise InvalidInput(
            f"worker {name} cannot run heatcat ({failure}): install "
            "there the version that is installed here"
        )
    lacking = {name: why for name, (_, why, _) in found.items() if why}
    if lacking:
        name, why = next(iter(lacking.items()))
        raise InvalidInput(
            f"{len(lacking)} of {len(found)} workers cannot import {model.title} of {model.path} "
            f"({name}: {why}): {TO_IMPORT}"
        )
    expected = model.source_hash()
    others = [
        name
        for name, (version, _, _) in found.items()
        if not model.by_value and version != expected
    ]
    if others:
        raise InvalidInput(_other_solver(len(others), len(found), model))
    blind = [name for name, (_, _, seen) in found.items() if not seen]
    if blind:
        raise InvalidInput(
            f"{len(blind)} of {len(found)} workers do not see "
            f"{'the store' if sought == location else 'the directory of the store,'} {sought} "
            f"({blind[0]}): put it on a file system that every worker shares"
        )


def examined(location: str | None, packed: bytes) -> tuple[str, str, bool]:
    """On a worker: the version of its model, why it has none, and whether it sees a directory."""
    seen = location is None or Path(location).is_dir()
    try:
        model = loads(packed)
        return ("" if model.by_value else model.source_hash()), "", seen
    except Exception as failure:
        return "", f"{type(failure).__name__}: {failure}", seen


def _other_solver(number: int, of: int | None = None, model: Model | None = None) -> str:
    which = "a worker has" if of is None else f"{number} of {of} workers have"
    what = "heatcat's solver" if model is None or model.is_built_in else f"{model.title}"
    return (
        f"{which} another version of {what} than this process: install the same "
        "version there and restart them"
    )
