"""A thread that looks after something from time to time, for as long as that exists."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Watcher(Generic[_T]):
    """Calls `look(watched)` every `interval` seconds, in a daemon thread, until it is closed or `watched` is gone.

    It keeps `watched` alive only during a look.
    """

    def __init__(self, watched: _T, look: Callable[[_T], None], interval: float, name: str) -> None:
        self.interval = interval
        # A bare lock, which is held until it is time to end: unlike an event it is released without waiting for
        # anything, so that the garbage collector may do it, in any thread and in a forked child.
        closing = threading.Lock()
        closing.acquire()
        self._closing = closing
        alive = weakref.ref(watched, lambda _: _release(closing))
        self._thread = threading.Thread(target=_watch, args=(alive, look, interval, closing), name=name, daemon=True)
        self._thread.start()

    def close(self, *, wait: bool = True) -> None:
        """End the thread, and wait for a look that is under way."""
        _release(self._closing)
        if wait and self._thread is not threading.current_thread():
            self._thread.join()


def _watch(
    alive: Callable[[], _T | None], look: Callable[[_T], None], interval: float, closing: threading.Lock
) -> None:
    while not closing.acquire(timeout=interval):
        watched = alive()
        if watched is None:
            return
        look(watched)
        del watched


def _release(lock: threading.Lock) -> None:
    try:
        lock.release()
    except RuntimeError:  # it has been released before
        return
