"""Another user of this machine, who tries to get into a cluster without its certificate.

Started as ``python -m tests.catalog.intruder MARKER PORT …``: it gives up root first if it has it.
It prints one line for each port and way in which something let it in.
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
PAGES = ("/", "/status", "/health", "/metrics", "/info/main/workers.html", "/json/counts.json")


def mark(path: str) -> None:
    with open(path, "w") as file:
        file.write(str(os.getuid()))


async def enter(address: str, security: distributed.Security | None, marker: str) -> None:
    """Have whatever listens there run code: schedulers, workers and nannies all do."""
    arguments: dict[str, Any] = security.get_connection_args("client") if security else {}
    async with rpc(address, timeout=PATIENCE, connection_args=arguments) as there:
        kind = (await there.identity())["type"]
        run = there.run_function if kind == "Scheduler" else there.run
        await run(function=dumps(mark), args=dumps((marker,)), wait=True)


async def entered(port: int, scheme: str, marker: str) -> list[str]:
    """The way by which the port let this process in, if it did."""
    security = distributed.Security.temporary() if scheme == "tls" else None
    try:
        entering = enter(f"{scheme}://127.0.0.1:{port}", security, marker)
        await asyncio.wait_for(entering, 3 * PATIENCE)
    except Exception as failure:
        print(f"refused {scheme} {port} {type(failure).__name__}", file=sys.stderr)
        return []
    return [f"{port} {scheme}"]


async def all_entered(ports: list[int], marker: str) -> list[str]:
    ways = [entered(port, scheme, marker) for port in ports for scheme in ("tcp", "tls")]
    return [way for found in await asyncio.gather(*ways) for way in found]


def pages(port: int) -> list[str]:
    """Pages of a web server that are there."""
    found = []
    for page in PAGES:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
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
    marker, *numbers = sys.argv[1:]
    if os.getuid() == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    ports = [int(number) for number in numbers]
    for way in (*asyncio.run(all_entered(ports, marker)), *(p for n in ports for p in pages(n))):
        print(way)
