"""Another user of this machine, who tries to get into a cluster without its certificate.

Started as ``python -m tests.catalog.intruder MARKER OPEN PORT …``: it gives up root first if it has
it.  It prints one line for each port and way in which something let it in.  OPEN is the number of
clusters' ports that are known to let it in, for which it waits long; 0 if none should.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import sys
from typing import Any

import distributed
from distributed.core import rpc
from distributed.protocol.pickle import dumps

NOBODY = 65534
PATIENCE = 3.0
"""Seconds for one step where nothing should answer."""
PATIENCE_WITH_OPEN = 60.0
"""The same where answers are certain, if only from a busy machine."""
PAGES = ("/", "/status", "/health", "/metrics", "/info/main/workers.html", "/json/counts.json")


def mark(path: str) -> None:
    with open(path, "w") as file:
        file.write(str(os.getuid()))


async def enter(
    address: str, security: distributed.Security | None, marker: str, patience: float
) -> None:
    """Have whatever listens there run code: schedulers, workers and nannies all do."""
    arguments: dict[str, Any] = security.get_connection_args("client") if security else {}
    async with rpc(address, timeout=patience, connection_args=arguments) as there:
        kind = (await there.identity())["type"]
        run = there.run_function if kind == "Scheduler" else there.run
        await run(function=dumps(mark), args=dumps((marker,)), wait=True)


async def entered(port: int, scheme: str, marker: str, patience: float) -> str | None:
    """The way by which the port let this process in, if it did."""
    security = distributed.Security.temporary() if scheme == "tls" else None
    try:
        entering = enter(f"{scheme}://127.0.0.1:{port}", security, marker, patience)
        await asyncio.wait_for(entering, 3 * patience)
    except Exception as failure:
        print(f"refused {scheme} {port} {type(failure).__name__}", file=sys.stderr)
        return None
    return f"{port} {scheme}"


async def all_entered(ports: list[int], marker: str, known: int, patience: float) -> list[str]:
    """All ways in; where some are known, as soon as they are found."""
    attempts = [
        asyncio.create_task(entered(port, scheme, marker, patience))
        for port in ports
        for scheme in ("tcp", "tls")
    ]
    found: list[str] = []
    for attempt in asyncio.as_completed(attempts):
        if way := await attempt:
            found.append(way)
        if known and len(found) == known:
            break
    for task in attempts:
        task.cancel()
    await asyncio.gather(*attempts, return_exceptions=True)
    return found


def pages(port: int, patience: float) -> list[str]:
    """Pages of a web server that are there."""
    found = []
    for page in PAGES:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
        try:
            connection.request("GET", page)
            if connection.getresponse().status != 404:
                found.append(f"{port} http{page}")
        except (OSError, http.client.HTTPException):
            break  # what listens there is no web server
        finally:
            connection.close()
    return found


if __name__ == "__main__":
    marker, known, *numbers = sys.argv[1:]
    if os.getuid() == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    ports = [int(number) for number in numbers]
    patience = PATIENCE_WITH_OPEN if int(known) else PATIENCE
    ways = asyncio.run(all_entered(ports, marker, int(known), patience))
    clusters = {int(way.partition(" ")[0]) for way in ways}
    for port in ports:
        if port not in clusters:  # those are no web servers
            ways += pages(port, patience)
    for way in ways:
        print(way)
