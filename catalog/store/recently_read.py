"""Decoded chunks that a process keeps for the next read, up to a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

from numpy.typing import NDArray


class RecentlyRead:
    """Arrays by key; those that were not asked for longest are dropped first.

    Parameters
    ----------
    most_bytes : int
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._arrays: OrderedDict[Hashable, NDArray] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> NDArray | None:
        """The array, None if it is not kept."""
        with self._lock:
            if key in self._arrays:
                self._arrays.move_to_end(key)
            return self._arrays.get(key)

    def put(self, key: Hashable, array: NDArray) -> None:
        """Keep an array; it must not be written to any more."""
        with self._lock:
            if key in self._arrays or array.nbytes > self.most_bytes:
                return
            self._arrays[key] = array
            self._bytes += array.nbytes
            while self._bytes > self.most_bytes:
                _, dropped = self._arrays.popitem(last=False)
                self._bytes -= dropped.nbytes

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._arrays.clear()
            self._bytes = 0
