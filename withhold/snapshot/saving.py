"""Writing a file so that whoever reads it, whatever happens, finds the old one or the new one, and a whole one."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterable
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO

from withhold.errors import escaped_path
from withhold.snapshot.format import Bytes

if sys.platform != "win32":
    import fcntl

_BEGINNING, _END = ".withhold-", ".partial"


def write_atomically(path: Path, pieces: Iterable[Bytes]) -> int:
    """Write a file beside its place, then put it there; return its size in bytes.

    What was there is replaced and not changed, so those who have it mapped keep it; it must be a file. Raises
    `OSError`, and then leaves nothing behind; a process that is killed leaves a hidden file `.withhold-….partial`, which
    the next save into the folder removes.
    """
    place = os.path.realpath(path)  # a link is followed: it goes on pointing at the file
    if os.path.exists(place) and not os.path.isfile(place):  # noqa: PTH110, PTH113
        raise FileExistsError(f"{escaped_path(path)} is there, and is no file")
    _clear(os.path.dirname(place))  # noqa: PTH120
    with ExitStack() as stack:
        folder = None
        if os.name == "posix":  # where folders can be synced
            folder = os.open(os.path.dirname(place), os.O_RDONLY)  # noqa: PTH120
            stack.callback(os.close, folder)
        beside, file = _begun(os.path.dirname(place))  # noqa: PTH120
        # Where it is locked it stays open until it is in its place, and where open files cannot be renamed it does not.
        stack.enter_context(file)
        stack.callback(_remove, beside)
        with file if sys.platform == "win32" else nullcontext():
            size = sum(map(file.write, pieces))
            file.flush()
            _as_before(place, file.fileno())
            os.fsync(file.fileno())
        os.replace(beside, place)  # noqa: PTH105
        if folder is not None:
            os.fsync(folder)  # so that the new name survives a power failure
    return size


def _begun(folder: str) -> tuple[str, BinaryIO]:
    """Make an empty file that is locked while it is open, by which others see that somebody is at work on it."""
    while True:
        beside = os.path.join(folder, f"{_BEGINNING}{secrets.token_hex(8)}{_END}")  # noqa: PTH118
        # The system gives the usual permissions; those of a file that is replaced stay.
        file = open(beside, "xb")  # noqa: PTH123, SIM115
        if sys.platform == "win32":
            return beside, file
        clearing = False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            clearing = True
        except OSError:
            pass  # where nothing can be locked, nothing is cleared
        if not clearing and os.path.exists(beside):  # noqa: PTH110
            return beside, file
        file.close()  # somebody cleared it before it was locked, or is about to


def _clear(folder: str) -> None:
    """Remove what saves that were killed have left in a folder: files that nobody has locked."""
    if sys.platform == "win32":  # where files cannot be locked so
        return
    for name in os.listdir(folder):  # noqa: PTH208
        if name.startswith(_BEGINNING) and name.endswith(_END):
            left = os.path.join(folder, name)  # noqa: PTH118
            with suppress(OSError), open(left, "rb", opener=_warily) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(left)  # noqa: PTH108


def _warily(name: str, flags: int) -> int:
    """Open a file, but no link, and no pipe that would be waited for."""
    return os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _as_before(place: str, descriptor: int) -> None:
    """Give a new file the permissions, and where that is allowed the owners, of the one that it will replace."""
    with suppress(FileNotFoundError):
        before = os.stat(place)  # noqa: PTH116
        if os.name == "posix":
            with suppress(PermissionError):
                os.fchown(descriptor, before.st_uid, before.st_gid)
            os.fchmod(descriptor, before.st_mode & 0o777)


def _remove(name: str) -> None:
    with suppress(FileNotFoundError):  # it was put in its place
        os.unlink(name)  # noqa: PTH108
