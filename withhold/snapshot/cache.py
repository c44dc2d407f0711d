"""Work that was done, kept so that it is not done again: a cache for threads, for which nobody waits."""

from __future__ import annotations

from threading import Lock
from typing import TypeVar

from cachetools import FIFOCache

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Cache(FIFOCache[_Key, _Value]):
    """Keeps so many values, and lets the oldest go.

    Looking up changes nothing, so only writing takes the lock. Nobody waits for that: who is forked while another thread
    has it, or interrupts that thread, would do so for ever. Two threads that miss together both do the work, and the
    result of either is kept.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._lock = Lock()

    def recall(self, key: _Key) -> _Value | None:
        """Return what is kept, or None. `get` asks twice, and another thread may let it go between the two."""
        try:
            return self[key]
        except KeyError:
            return None

    def keep(self, key: _Key, value: _Value) -> None:
        """Keep a value, unless another thread is about to keep one."""
        if self._lock.acquire(blocking=False):
            try:
                self[key] = value
            finally:
                self._lock.release()
