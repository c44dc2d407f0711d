"""Serve the rules of a spool in a process, and report in the spool which rules are in use."""

from __future__ import annotations

import logging
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from withhold.engine import Engine
from withhold.engine.following import Following, FollowStatus
from withhold.errors import WithholdError
from withhold.live.spool import Spool, is_at_its_path
from withhold.live.status import LiveStatus, WorkerReport
from withhold.model.instants import in_iso
from withhold.watching import Closable, RestoredAfterFork, Watcher

if sys.platform != "win32":
    import fcntl

_log = logging.getLogger("withhold.live")
#: How often a worker reports that it is alive.
_BEAT = timedelta(seconds=5)
#: After this time, a process that has not activated installed rules is no longer fresh.
_LATE = timedelta(seconds=10)
#: All reports have this size, so that each one replaces the whole of the one before.
_SIZE = 4096


class Worker(Closable):
    """Serves the rules of a spool with an engine: it activates each new version within two intervals (`interval` is in seconds).

    Before that, they answer the most frequent questions, for at most 0.3 seconds: see `Engine.follow`.

    Requests never wait, and processes share the memory of the rules. It also works in forked children. Close it, or use
    it as a context manager. Raises the errors of `Engine.follow`, but waits if the spool has no rules yet.
    """

    def __init__(
        self,
        engine: Engine,
        spool: str | os.PathLike[str],
        *,
        interval: float = 0.1,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine, self.spool, self._interval, self._clock = engine, Spool(spool), interval, clock
        #: The last version whose rules the engine had, and its revision.
        self._version: tuple[int, str] | None = None
        self._activated: datetime | None = None
        self._following: Following | None = None
        self._error: str | None = None
        self._file: IO[bytes] | None = None
        self._reported: WorkerReport | None = None
        #: Whether the last attempt to report failed.
        self._silent = False
        #: What the last report was made from.
        self._basis: object = None
        self._check()
        self._watcher = Watcher(self, Worker._check_again, interval, "withhold-live")
        _WORKERS.add(self)

    def status(self) -> LiveStatus:
        """Return the current status of this process. It costs a few file operations, and needs no running fetcher."""
        status, now = self.spool.read_status(), self._clock().astimezone(UTC)
        revision, newest = self._engine.snapshot.revision, status.version
        # A process may begin with the version before, if the newest one is damaged.
        version = newest if revision == status.revision else self.spool.version_of(revision)
        if version is not None and self._version != (version, revision):
            self._version, self._activated = (version, revision), now
        mine = self._version is not None and self._version[1] == revision
        update: dict[str, object] = {
            "version": self._version[0] if self._version and mine else None,
            "revision": revision,
            "activated": self._activated if mine else None,
        }
        if newest is not None and update["version"] != newest:
            error = self._failure()
            if error is None and status.fetched is not None and now - status.fetched > _LATE:
                error = f"version {newest} was installed at {in_iso(status.fetched)}, but is not active"
            update |= {"pending": status.pending or newest, "refused": status.refused or error is not None}
            update |= {"error": status.error or error}
        return status.model_copy(update=update).at(now)

    def close(self) -> None:
        """Stop following and reporting. The current rules stay active."""
        _WORKERS.discard(self)
        self._watcher.close()
        if self._following is not None:
            self._following.close()
        if self._file is not None:
            with suppress(OSError):
                Path(self._file.name).unlink()
            self._file.close()
            self._file = None

    def __repr__(self) -> str:
        return f"<Worker {self.spool.path}>"

    def _check(self) -> None:
        if self._following is None:
            try:
                self._following = self._engine.follow(
                    self.spool.current,
                    self._interval,
                    guard=None,  # the fetcher has compared the rules with those that it had
                    mapped=True,
                    verify="header",
                    on_change=self._changed,
                )
            except FileNotFoundError:
                pass  # the spool has no rules yet
            except (OSError, WithholdError) as error:
                if str(error) != self._error:
                    _log.error("%s: the rules of the spool are not in use: %s", self, error)
                self._error = str(error)
            else:
                self._error = None
        self._report()

    def _check_again(self) -> None:
        try:
            self._check()
        except Exception as error:  # noqa: BLE001  # such as `MemoryError`: without this thread nothing would be reported again
            if repr(error) != self._error:
                _log.exception("%s could not report", self)
            self._error = repr(error)

    def _changed(self, _: FollowStatus) -> None:
        self._report()

    def _failure(self) -> str | None:
        """Return why the rules of the spool cannot be read, or None."""
        found = None if self._following is None else self._following.status().error
        return self._error if found is None else str(found)

    def _report(self) -> None:
        """Report if other rules are active, if new ones cannot be read, or if the last report is old.

        A failure does not disturb serving.
        """
        basis = self._engine.snapshot.revision, self._failure()
        last, now = self._reported, self._clock().astimezone(UTC)
        # A clock that was set back must not silence this process until it has caught up.
        if last is not None and basis == self._basis and abs(now - last.at) < _BEAT:
            return  # a report takes ten times as long as this comparison, and pages wait for the GIL meanwhile
        try:
            status = self.status()
            report = WorkerReport(
                pid=os.getpid(),
                at=now,
                version=status.version,
                revision=status.revision,
                activated=status.activated,
                error=None if status.error is None else status.error[:500],
            )
            if self._file is not None and not is_at_its_path(self._file):
                self._file.close()
                self._file = None
            if self._file is None:
                self._file = _create(self.spool.workers)
            os.pwrite(self._file.fileno(), report.model_dump_json().encode().ljust(_SIZE), 0)
            self._reported, self._basis, self._silent = report, basis, False
        except OSError as error:
            if not self._silent:
                _log.warning("%s cannot report, so `withhold fleet` does not count this process: %s", self, error)
            self._silent = True

    def _forked(self) -> None:
        """In a forked child, report in a file of its own. The lock of the parent's file is not released by this."""
        if self._file is not None:
            self._file.close()
        self._file = self._reported = None
        self._watcher = Watcher(self, Worker._check_again, self._interval, "withhold-live")


_WORKERS = RestoredAfterFork(Worker._forked)


def reports(spool: Spool) -> Iterator[WorkerReport | None]:
    """Yield the last report of each process that serves from a spool, or None for one that has not reported yet.

    A process holds a lock on its file as long as it lives; the files of others are removed. A file that cannot be read
    may belong to a process. Links, pipes and directories do not. Raises `OSError`.
    """
    for path in sorted(spool.workers.glob("*.json")):
        if path.is_symlink() or not path.is_file():
            continue
        try:
            file = open(path, "rb", opener=_open_at_once)  # noqa: SIM115
        except FileNotFoundError:
            continue
        except OSError:
            yield None
            continue
        with file:
            try:
                if sys.platform != "win32":
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
            except BlockingIOError:
                try:
                    yield WorkerReport.model_validate_json(file.read(_SIZE))
                except ValidationError:
                    yield None


def _open_at_once(name: str, flags: int) -> int:
    """Open a file without waiting, even if a pipe has replaced it."""
    return os.open(name, flags if sys.platform == "win32" else flags | os.O_NONBLOCK)


def _create(folder: Path) -> IO[bytes]:
    """Create and lock the file of this process."""
    while True:
        path = folder / f"{os.getpid()}-{secrets.token_hex(4)}.json"
        file = path.open("xb", buffering=0)
        if sys.platform == "win32":
            return file
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass  # `reports` has locked it in between, and removes it
        else:
            if path.exists():
                return file
        file.close()
