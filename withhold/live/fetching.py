"""Fetch published rules to the spool of a host, and refuse rules without valid signatures or after a suspicious loss."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple

from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import TargetFile

from withhold.errors import LiveError, Problem, SnapshotError, WithholdError, escaped_path, quoted
from withhold.live.client import refresh
from withhold.live.packing import LARGEST, unpack
from withhold.live.receipts import Receipts
from withhold.live.release import Release, object_path, published, refuse_shrinking, target_path
from withhold.live.spool import LARGEST_VERSION, Installed, Spool, is_at_its_path
from withhold.live.status import LiveStatus
from withhold.live.store import Store
from withhold.snapshot import Snapshot
from withhold.snapshot.saving import write_atomically
from withhold.watching import Closable, RestoredAfterFork, check_interval

if sys.platform != "win32":
    import fcntl

_log = logging.getLogger("withhold.live")
_LONGEST_PAUSE = 64  # intervals, between two attempts to install the same version
#: Errors after which it is unknown what the source has: it did not answer, or its metadata have expired.
_NO_ANSWER = (
    "store-unavailable",
    "store-refuses",
    "store-after-fork",
    "metadata-expired",
    "nothing-published",
    "spool-unwritable",
)


class Fetcher(Closable):
    """Keeps the spool of a host up to date. Thread-safe. Of several fetchers for one spool, one fetches.

    In a forked child, call `run` again, because threads do not survive a fork. It takes over when the parent ends. Once a
    process has used a store other than a web server, its children cannot use such stores (`store-after-fork`): use them
    only after the fork, or run `withhold fetch` as a process of its own.

    `source` is the URL of a store; `trusted_root` is the content of one of its roots that is known to be genuine.
    `interval` is in seconds. With `receipts`, the rules that the processes of this host use are reported. Snapshots of
    more than `largest` bytes are refused.

    Raises `LiveError` (`bad-store-url`, `bad-name`) and `ValueError` (`bad-interval`).
    """

    def __init__(
        self,
        source: str,
        spool: str | os.PathLike[str],
        trusted_root: bytes,
        *,
        name: str = "rules",
        interval: float = 5.0,
        largest: int = LARGEST,
        receipts: Receipts | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        check_interval(interval)
        target_path(name)
        self.store, self.spool = Store(source), Spool(spool)
        self._trusted_root, self._name, self._largest, self._clock = trusted_root, name, largest, clock
        self._interval, self._receipts = interval, receipts
        self._status = LiveStatus()
        self._lock: IO[bytes] | None = None
        self._failure: _Failure | None = None
        self._warned, self._receipt_error = False, ""
        self._closing = False
        self._mutex, self._wake = threading.Lock(), threading.Event()
        _FETCHERS.add(self)

    def fetch(self) -> LiveStatus:
        """Check the source once, and install new rules. Return the status, which has the error if that fails.

        If another process fetches for this spool, return the status that it has written. Two requests and a few
        milliseconds if nothing is new.
        """
        with self._mutex:
            try:
                if self._closing or not self._locked():
                    return self.status()
                failed = self._status.error is not None
                self._install_newest()
                if failed:
                    _log.info("%s: the source is read again", self)
            except WithholdError as error:
                self._fail(error)
            except OSError as error:
                if self._lock is None:
                    self._status = self.spool.read_status()
                message = f"cannot write the spool {escaped_path(self.spool.path)}: {_reason(error)}"
                self._fail(LiveError(Problem("spool-unwritable", message)))
                self._unlock()  # the directory may have been replaced: begin again
            self._warn()
            with suppress(OSError):  # as on a full disk; without a new status the old one ages
                if self._lock is not None:
                    self.spool.write_status(self._status)
                    self._write_receipt()
            return self.status()

    def run(self) -> None:
        """Fetch at every interval, and whenever `poke` is called, until `close`. Errors are logged once."""
        while not self._closing:
            try:
                self.fetch()
            except Exception:  # noqa: BLE001  # such as `MemoryError`: without this loop nothing would be fetched again
                _log.exception("fetching failed")
            self._wake.wait(self._interval)
            self._wake.clear()

    def poke(self) -> None:
        """Make `run` fetch now, on a hint that there are new rules. The hint need not be trusted. Never blocks."""
        self._wake.set()

    def close(self) -> None:
        """End `run` after the attempt that is in progress, and let another process fetch."""
        self._closing = True
        self._wake.set()
        with self._mutex:
            self._unlock()

    def status(self) -> LiveStatus:
        """Return the current status. If another process fetches for this spool, return the status that it wrote."""
        status = self._status if self._lock is not None or self._status.error else self.spool.read_status()
        return status.at(self._clock())

    def __repr__(self) -> str:
        return f"<Fetcher {self.store.name} to {escaped_path(self.spool.path)}>"

    def _forked(self) -> None:
        """In a forked child, give up the lock, which belongs to the parent, and begin anew."""
        self._mutex, self._wake = threading.Lock(), threading.Event()
        self._status, self._failure = LiveStatus(), None
        self._unlock()

    def _locked(self) -> bool:
        """Return whether this process may write the spool. Raises `OSError`."""
        if self._lock is not None:
            if is_at_its_path(self._lock):
                return True
            self._unlock()  # another process may have locked the new one
        self.spool.make()
        lock = (self.spool.path / "lock").open("ab")
        try:
            if sys.platform != "win32":
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            self._status = LiveStatus()
            return False
        self._lock = lock
        self._status = self.spool.read_status()
        self._check_installed()
        return True

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _check_installed(self) -> None:
        """Discard damaged rules, because processes open them without verifying every byte."""
        found = self.spool.installed()
        try:
            damaged = found is not None and Snapshot.open(found.path).revision != found.revision
        except (SnapshotError, OSError):
            damaged = True
        if damaged:
            _log.error("%s: the rules in the spool are damaged, and are fetched again", self)
        if found is None or damaged:
            self.spool.discard()
        self._status = self.spool.read_status()

    def _install_newest(self) -> None:
        verified = refresh(self.store, self.spool.metadata, self._trusted_root)
        now = self._now()
        self._status = self._status.model_copy(
            update={"signed": verified.signed, "expires": verified.expires, "contact": now}
        )
        found = published(verified.targets, self._name)
        if found is None:
            raise LiveError(Problem("nothing-published", f"nothing was published as {quoted(self._name)} yet"))
        version, installed = verified.targets.version, self.spool.installed()
        # The version is that of all rule sets in the store; the revision tells them apart.
        if installed is None or (version, found[1].revision) != (installed.version, installed.revision):
            self._status = self._status.model_copy(update={"pending": version})
            self._attempt(version, *found, installed)
        self._failure = None
        self._status = self._status.model_copy(update={"pending": None, "error": None, "refused": False})

    def _attempt(self, version: int, target: TargetFile, release: Release, installed: Installed | None) -> None:
        """Install a version. One that fails is tried again after 1, 2, 4 and up to 64 intervals."""
        before = self._failure if self._failure is not None and self._failure.version == version else None
        if before is not None and time.monotonic() < before.again:
            raise before.error
        try:
            self._install(version, target, release, installed)
        except WithholdError as error:
            pause = min(2 * before.pause, _LONGEST_PAUSE) if before else 1
            kept = LiveError(error.problem)  # without the frames of the attempt
            self._failure = _Failure(version, pause, time.monotonic() + pause * self._interval, kept)
            raise

    def _install(self, version: int, target: TargetFile, release: Release, installed: Installed | None) -> None:
        """Download a version, check it, and make it the one in use."""
        if version > LARGEST_VERSION:
            raise LiveError(Problem("bad-metadata", f"version {quoted(version)} is too large"))
        if installed is not None and version < installed.version:
            message = f"the source has version {version}, but version {installed.version} was installed before"
            raise LiveError(Problem("rolled-back", message))
        if max(target.length, release.bytes) > self._largest:
            message = f"version {version} has more than {self._largest:,} bytes"
            raise LiveError(Problem("larger-than-allowed", message))
        path = self.spool.path_of(version, release.revision)
        try:
            self._download(path, version, target, release)
            _check(path, release, installed)
            self.spool.install(path)
        except BaseException:
            if self.spool.installed() == installed:
                path.unlink(missing_ok=True)
            raise
        now = self._now()
        self._status = self._status.model_copy(
            update={"version": version, "revision": release.revision, "fetched": now, "activated": now}
        )
        _log.info("installed version %d, revision %s", version, release.revision)
        self.spool.clean()

    def _download(self, path: Path, version: int, target: TargetFile, release: Release) -> None:
        with TemporaryFile(dir=self.spool.path) as packed:  # it has no name, so nothing remains of it
            for piece in self._pieces(target):
                packed.write(piece)
            packed.seek(0)
            try:
                target.verify_length_and_hashes(packed)
            except LengthOrHashMismatchError:
                message = f"the file of version {version} is not the one that was signed"
                raise LiveError(Problem("wrong-content", message)) from None
            packed.seek(0)
            write_atomically(path, unpack(packed, release))

    def _pieces(self, target: TargetFile) -> Iterator[bytes]:
        """Yield a file of the source, up to the length that was signed."""
        left = target.length
        try:
            for piece in self.store.stream(object_path(target)):
                left -= len(piece)
                if left < 0:
                    message = f"{quoted(object_path(target))} is longer than what was signed"
                    raise LiveError(Problem("larger-than-allowed", message))
                yield piece
        except FileNotFoundError:
            message = f"{self.store.name} has no {object_path(target)}"
            raise LiveError(Problem("wrong-content", message)) from None

    def _fail(self, error: WithholdError) -> None:
        """Keep an error in the status. Repeated ones are logged once."""
        text = str(error)
        if text != self._status.error:
            _log.error("%s: the current rules are kept: %s", self, text)
        # Rules that are known not to be the newest are never fresh, whatever keeps the newer ones from being installed.
        refused = error.code not in _NO_ANSWER or self._status.pending is not None
        self._status = self._status.model_copy(update={"error": text, "refused": refused})

    def _write_receipt(self) -> None:
        if self._receipts is None:
            return
        try:
            self._receipts.write(self.spool, self.status(), self._now())
        except LiveError as error:
            if str(error) != self._receipt_error:
                _log.warning("%s: no receipt was written: %s", self, error)
            self._receipt_error = str(error)
        else:
            self._receipt_error = ""

    def _warn(self) -> None:
        ageing = self._status.ageing(self._clock())
        if ageing and not self._warned:
            _log.warning(
                "%s: the rules will be stale at %s unless the source is signed anew", self, self._status.expires
            )
        self._warned = ageing

    def _now(self) -> datetime:
        return self._clock().astimezone(UTC)


class _Failure(NamedTuple):
    """A version that could not be installed, how many intervals to wait until it is tried again, and when that is."""

    version: int
    pause: int
    again: float
    error: LiveError


_FETCHERS = RestoredAfterFork(Fetcher._forked)


def _check(path: Path, release: Release, installed: Installed | None) -> None:
    """Refuse a snapshot that is damaged, is not the one that was signed, or has lost too much. O(bytes)."""
    new = Snapshot.open(path)
    release.check(new)
    if release.may_shrink <= (installed.version if installed else 0):
        refuse_shrinking(None if installed is None else Snapshot.open(installed.path, verify="header"), new)


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)
