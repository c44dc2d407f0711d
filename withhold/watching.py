"""Threads that work at intervals: they watch files, or do the work that requests leave to them.

They continue after a fork.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from operator import methodcaller
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

_log = logging.getLogger("withhold.watching")

#: Values that change if a file is replaced or written to.
FileSignature = tuple[int, int, int, int, int]

_T = TypeVar("_T")
_LONGEST_PAUSE = 64  # checks, between two attempts to read a file that is refused again and again
#: The maximum time in seconds that a fork waits for work in progress, and that `close` and the end of the process wait.
_FORK_PATIENCE, _CLOSE_PATIENCE = 1.0, 5.0


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


class RestoredAfterFork(Generic[_T]):
    """Objects that are restored in a forked child, by a function that is called with each of them.

    Threads exist only in the parent, and the locks that they hold stay locked in the child. The objects are not kept alive.
    """

    def __init__(self, restore: Callable[[_T], object]) -> None:
        self._restore = restore
        self._objects: weakref.WeakSet[_T] = weakref.WeakSet()
        self.add, self.discard = self._objects.add, self._objects.discard
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.restore)

    def restore(self) -> None:
        """Restore the objects. This is called in a forked child."""
        for each in list(self._objects):
            self._restore(each)


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

    It keeps `watched` alive only during a check. With `last`, it checks once more after `close`.
    """

    def __init__(
        self, watched: _T, check: Callable[[_T], None], interval: float, name: str, *, last: bool = False
    ) -> None:
        self.interval = interval
        # A plain lock, which is held until the thread must end. Unlike an event, it is released without waiting for
        # anything, so the garbage collector may release it, in any thread and in a forked child.
        closing = threading.Lock()
        closing.acquire()
        self._closing = closing
        alive = weakref.ref(watched, lambda _: _release(closing))
        arguments = (alive, check, interval, closing, last)
        self._thread = threading.Thread(target=_watch, args=arguments, name=name, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread is running, and is to check again."""
        return self._thread.is_alive() and self._closing.locked()

    def close(self, *, wait: bool = True, timeout: float | None = None) -> bool:
        """End the thread. With `wait`, return after the checks that are left, or after `timeout` seconds.

        Return whether the thread has ended.
        """
        _release(self._closing)
        if wait and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()


class Background(Closable):
    """Makes a thread call `flush` every `interval` seconds, and once more at `close` or at the end of the process.

    In a forked child it starts again, with a thread of its own: the collected work belongs to the parent. The work may
    never end, for example in a sink that hangs, so `close` and a fork wait for a limited time.

    A subclass collects work under `_collecting`, which is never held for long, and does it in `_work`, under `_working`.
    Raises `ValueError` (`bad-interval`) for an interval that is not positive.
    """

    def __init__(self, interval: float, thread_name: str) -> None:
        check_interval(interval)
        self._interval, self._thread_name = interval, thread_name
        self._watcher: Watcher[Any] | None = None
        self._restart()
        _ALL[self] = None

    @abstractmethod
    def _begin(self) -> None:
        """Set the state at the beginning. It is called again in a forked child, where no other thread exists."""

    @abstractmethod
    def _work(self) -> None:
        """Do the work that has been collected. Only one thread calls it at a time."""

    def flush(self) -> None:
        """Do the work of the thread now, without waiting for the next interval.

        Returns when it is done, however long that takes.
        """
        with self._working:
            self._work()

    def close(self) -> None:
        """Do the remaining work, for at most five seconds, and stop the thread."""
        with self._collecting:
            watcher, self._watcher = self._watcher, None
        if watcher is None:
            return
        if not watcher.alive:  # no thread could be started in this process
            self.flush()
        elif not watcher.close(timeout=_CLOSE_PATIENCE):
            _log.error("%r has not finished in %s seconds, and is abandoned", self, _CLOSE_PATIENCE)

    def _restart(self) -> None:
        # Reentrant, so that a signal handler may interrupt a page and collect another one.
        self._collecting, self._working = threading.RLock(), threading.RLock()
        self._begin()
        self._watcher = Watcher(self, methodcaller("flush"), self._interval, self._thread_name, last=True)


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
    alive: Callable[[], _T | None], check: Callable[[_T], None], interval: float, closing: threading.Lock, last: bool
) -> None:
    closed = False
    while not closed:
        closed = closing.acquire(timeout=interval)
        watched = alive()
        if watched is None or (closed and not last):
            return
        check(watched)
        del watched


def _release(lock: threading.Lock) -> None:
    try:
        lock.release()
    except RuntimeError:  # it was released before
        return


#: All objects in the order of their creation, so that the process ends with those that count the work of others.
_ALL: weakref.WeakKeyDictionary[Background, None] = weakref.WeakKeyDictionary()
#: The locks that threads which are forking hold, by the numbers of the threads.
_HELD: dict[int, list[Any]] = {}


def _before_fork() -> None:
    """Wait until no thread works: a lock that a library holds meanwhile would stay locked in the child for ever."""
    end = time.monotonic() + _FORK_PATIENCE
    locks = [each._working for each in list(_ALL)]
    held = [lock for lock in locks if lock.acquire(timeout=max(0.0, end - time.monotonic()))]
    _HELD[threading.get_ident()] = held


def _after_fork_in_parent() -> None:
    for lock in _HELD.pop(threading.get_ident(), ()):
        lock.release()


def _after_fork() -> None:
    """Start again in a forked child: the threads, and the holders of the locks, exist only in the parent."""
    _HELD.clear()
    for each in list(_ALL):
        if each._watcher is not None:
            try:
                each._restart()
            except RuntimeError as error:
                _log.error("%r has no thread in process %d: %s", each, os.getpid(), error)


def _at_exit() -> None:
    for each in list(_ALL):
        each.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork)
atexit.register(_at_exit)
