"""A bounded cache that threads share, and whose writes never block.

cachetools is fast enough here, because no hot path reads these caches. A question about ids that no rule names reads no
cache. In C, repeated questions about pairs are answered from `Answers` in `native/view.pyx`. A first question reads three
caches: a look-up without a result takes about 1 µs (0.07 µs in a dict), but making the decision takes 25 to 100 µs.
`check_tweet`, `Engine.check` and, without the modules in C, each repeated question read one cache. That takes 0.1 µs of
1 to 10 µs. `python -m benchmarks.caches` repeats the measurement.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, Generic, TypeVar

from cachetools import FIFOCache

from withhold.watching import RestoredAfterFork

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Cache(Generic[_Key, _Value]):
    """A cache of at most `size` values, which drops the oldest first.

    Reading changes nothing, so only writing takes the lock. A write never waits for the lock: in a signal handler it
    could wait for the thread that the handler interrupted. If two threads miss a key at the same time, both compute the
    value.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._begin()
        _CACHES.add(self)

    def _begin(self) -> None:
        self._kept: FIFOCache[_Key, _Value] = FIFOCache(self._size)
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def recall(self, key: _Key) -> _Value | None:
        """Return the value of a key, or None."""
        try:
            return self._kept[key]
        except KeyError:
            return None

    def keep(self, key: _Key, value: _Value) -> None:
        """Keep a value. Do nothing if another thread is writing."""
        lock = self._lock
        if lock.acquire(blocking=False):
            try:
                self._kept[key] = value
            except BaseException:
                # A signal handler raised in the middle of the write, so the cache may be inconsistent.
                self._kept = FIFOCache(self._size)
                raise
            finally:
                lock.release()

    def drop(self, count: int) -> bool:
        """Drop the oldest `count` values. Return whether any are left. Not for a signal handler, as it takes the lock."""
        with self._lock:
            for _ in range(min(count, len(self._kept))):
                self._kept.popitem()
            return bool(self._kept)


def _forked(cache: Cache[Any, Any]) -> None:
    """Empty a cache that another thread was writing to: in a forked child, no thread exists to finish the write."""
    if cache._lock.locked():
        cache._begin()


_CACHES = RestoredAfterFork(_forked)
