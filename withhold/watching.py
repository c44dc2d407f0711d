"""Watch files: a thread that checks an object while it exists, signatures of files, and when to read changed files."""

from __future__ import annotations

import os
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeVar

#: Values that change if a file is replaced or written to.
FileSignature = tuple[int, int, int, int, int]

_T = TypeVar("_T")
_LONGEST_PAUSE = 64  # checks, between two attempts to read a file that is refused again and again


def signature_of(found: os.stat_result) -> FileSignature:
    """Return the signature of a file."""
    # The change time of the inode is included, because a copy can keep the modification time and the size.
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def signature_at(path: str | os.PathLike[str]) -> FileSignature | None:
    """Return the signature of the file at a path, or None if there is none."""
    try:
        return signature_of(os.stat(path))  # noqa: PTH116
    except OSError:
        return None


def check_interval(interval: float) -> None:
    """Raise `ValueError` (`bad-interval`) unless a thread can wait for `interval` seconds."""
    if not 0 < interval <= threading.TIMEOUT_MAX:
        raise ValueError(f"interval `{interval}` is not a positive number of seconds [bad-interval]")


class Closable(ABC):
    """A context manager that calls `close` at its end."""

    @abstractmethod
    def close(self) -> None:
        """End the threads of the object, and close what it has open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class Watcher(Generic[_T]):
    """Calls `check(watched)` every `interval` seconds in a daemon thread, until `close` or until `watched` is garbage.

    It keeps `watched` alive only during a check.
    """

    def __init__(self, watched: _T, check: Callable[[_T], None], interval: float, name: str) -> None:
        self.interval = interval
        # A plain lock, which is held until the thread must end. Unlike an event, it is released without waiting for
        # anything, so the garbage collector may release it, in any thread and in a forked child.
        closing = threading.Lock()
        closing.acquire()
        self._closing = closing
        alive = weakref.ref(watched, lambda _: _release(closing))
        self._thread = threading.Thread(target=_watch, args=(alive, check, interval, closing), name=name, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread is running, and is to check again."""
        return self._thread.is_alive() and self._closing.locked()

    def close(self, *, wait: bool = True) -> None:
        """End the thread. With `wait`, return after a check that is in progress."""
        _release(self._closing)
        if wait and self._thread is not threading.current_thread():
            self._thread.join()


class ReloadSchedule:
    """Decides at each check whether to read files, by their signatures. Not thread-safe.

    Changed files are read once they have been the same for one check, because until then they may be incomplete. If
    that fails, they are read again after 2, 4, 8 and up to 64 checks, while they stay the same.
    """

    def __init__(self) -> None:
        self._before: object = None
        self._checks_left = self._pause = 1

    def is_due(self, now: object, in_use: object) -> bool:
        """Return whether to read the files, which have the signature `now`. `in_use` is that of the files in use."""
        due = False
        if now != self._before:
            self._checks_left = self._pause = 1
        elif now != in_use:
            self._checks_left -= 1
            if not self._checks_left:
                due = True
                self._checks_left = self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        self._before = now
        return due


def _watch(
    alive: Callable[[], _T | None], check: Callable[[_T], None], interval: float, closing: threading.Lock
) -> None:
    while not closing.acquire(timeout=interval):
        watched = alive()
        if watched is None:
            return
        check(watched)
        del watched


def _release(lock: threading.Lock) -> None:
    try:
        lock.release()
    except RuntimeError:  # it was released before
        return
