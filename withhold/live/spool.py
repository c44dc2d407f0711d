"""The spool: a directory on each host, with the rules in use, from which every process of the host serves.

::

    current -> 7.0123456789abcdef.wh    a link, replaced as the last step
    7.0123456789abcdef.wh               version and revision; the version before it is kept too
    metadata/                           verified by python-tuf, so that nothing older is accepted later
    status.json                         the status of the fetcher
    workers/                            a file for each process that serves
    lock                                held by the process that fetches
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

from pydantic import ValidationError

from withhold.errors import LiveError, Problem, escaped_path
from withhold.live.status import LiveStatus
from withhold.snapshot import Snapshot

#: A larger version is refused: only an attempt to use up the versions can reach it.
LARGEST_VERSION = 10**18 - 1
_FILE = re.compile(r"([0-9]{1,18})\.([0-9a-f]{16})\.wh")
_STATUS = "status.json"


class Installed(NamedTuple):
    """The rules to which `current` leads."""

    version: int
    revision: str
    path: Path


class Spool:
    """A spool at an absolute path. Only the process that holds its lock may change it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        #: The link to the rules in use, for `Engine.follow`.
        self.current = self.path / "current"
        self.metadata = self.path / "metadata"
        self.workers = self.path / "workers"

    def make(self) -> None:
        """Make the directories, and remove temporary files left by interrupted processes. Raises `OSError`."""
        for folder in (self.path, self.metadata, self.workers):
            folder.mkdir(parents=True, exist_ok=True)
        # Temporary files of python-tuf; `write_atomically` removes its own.
        for leftover in self.metadata.glob("tmp*"):
            leftover.unlink(missing_ok=True)

    def installed(self) -> Installed | None:
        """Return the rules in use, or None if there are none."""
        try:
            found = _FILE.fullmatch(os.readlink(self.current))  # noqa: PTH115
        except OSError:
            return None
        if found is None or not (path := self.path / found[0]).is_file():
            return None
        return Installed(int(found[1]), found[2], path)

    def path_of(self, version: int, revision: str) -> Path:
        """Return the path of the file of a version."""
        return self.path / f"{version}.{revision}.wh"

    def version_of(self, revision: str) -> int | None:
        """Return the newest version in the spool whose rules have a revision, or None if there is none."""
        versions = (int(path.name.partition(".")[0]) for path in self.path.glob(f"*.{revision}.wh"))
        return max(versions, default=None)

    def install(self, path: Path) -> None:
        """Make a file of the spool the one in use, in one step that survives a power failure. Raises `OSError`."""
        new = self.path / "current.new"
        new.unlink(missing_ok=True)
        new.symlink_to(path.name)
        new.replace(self.current)
        _sync(self.path)

    def discard(self) -> None:
        """Remove `current`: processes that have the rules keep them, but no process starts with them."""
        self.current.unlink(missing_ok=True)

    def clean(self) -> None:
        """Remove all files of rules but the one in use and the one before it."""
        found = self.installed()
        used = 0 if found is None else found.version
        names = ((path, _FILE.fullmatch(path.name)) for path in self.path.iterdir())
        files = {path: int(match[1]) for path, match in names if match and path.is_file()}
        before = max((version for version in files.values() if version < used), default=0)
        for path, version in files.items():
            if path != (found and found.path) and version != before:
                path.unlink(missing_ok=True)

    def write_status(self, status: LiveStatus) -> None:
        """Write the status of the fetcher. It need not survive a power failure. Raises `OSError`."""
        new = self.path / f"{_STATUS}.new"
        new.write_text(status.model_dump_json(), encoding="utf-8")
        new.replace(self.path / _STATUS)

    def read_status(self) -> LiveStatus:
        """Return the status of the fetcher, with the rules to which `current` leads. A damaged file is ignored."""
        try:
            status = LiveStatus.model_validate_json((self.path / _STATUS).read_bytes())
        except (OSError, ValidationError):
            status = LiveStatus()
        found = self.installed()
        version, revision = (None, None) if found is None else (found.version, found.revision)
        return status.model_copy(update={"version": version, "revision": revision})


def open_spool(spool: str | os.PathLike[str], *, fallback: str | os.PathLike[str] | None = None) -> Snapshot:
    """Return the snapshot with which to start serving: that of the spool, else the one at `fallback`.

    Neither the network nor the source is needed. Raises `LiveError`: `spool-empty` if there is neither, and
    `spool-unreadable` if this process may not read the spool, whose rules may be newer than those at `fallback`. Raises the
    errors of `Snapshot.open`.
    """
    found = Spool(spool)
    try:
        return Snapshot.open(found.current, verify="header")
    except FileNotFoundError:
        pass
    except OSError as error:
        message = f"cannot read the spool {escaped_path(found.path)}: {(error.strerror or str(error)).lower()}"
        hint = "run this process in the group of the spool, or as its owner"
        raise LiveError(Problem("spool-unreadable", message, hint=hint)) from None
    if fallback is None:
        message = f"{escaped_path(found.path)} has no rules yet"
        hint = "run `withhold fetch`, or give a snapshot as `fallback`"
        raise LiveError(Problem("spool-empty", message, hint=hint))
    return Snapshot.open(fallback)


def is_at_its_path(file: IO[bytes]) -> bool:
    """Return whether an open file is still the one at its path: nobody has removed or replaced it, or its directory."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.stat(file.name), os.fstat(file.fileno()))  # noqa: PTH116
    return False


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
