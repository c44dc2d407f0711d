"""Writing a file so that whoever reads it, whatever happens, finds the old one or the new one, and a whole one."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

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
        raise FileExistsError(f"{path} is there, and is no file")
    _clear(os.path.dirname(place))  # noqa: PTH120
    with ExitStack() as stack:
        folder = None
        if os.name == "posix":  # where folders can be synced
            folder = os.open(os.path.dirname(place), os.O_RDONLY)  # noqa: PTH120
            stack.callback(os.close, folder)
        beside, descriptor = _begun(os.path.dirname(place), stack)  # noqa: PTH120
        stack.callback(_remove, beside)
        # Where it is locked it stays open, and where open files cannot be renamed it does not.
        with open(descriptor, "wb", closefd=sys.platform == "win32") as file:
            size = sum(map(file.write, pieces))
            file.flush()
            _as_before(place, descriptor)
            os.fsync(descriptor)
        os.replace(beside, place)  # noqa: PTH105
        if folder is not None:
            os.fsync(folder)  # so that the new name survives a power failure
    return size


def _begun(folder: str, stack: ExitStack) -> tuple[str, int]:
    """Make an empty file that is locked until `stack` ends, by which others see that somebody is at work on it."""
    while True:
        beside = os.path.join(folder, f"{_BEGINNING}{secrets.token_hex(8)}{_END}")  # noqa: PTH118
        # The system gives the usual permissions; those of a file that is replaced stay.
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        if sys.platform == "win32":
            return beside, descriptor
        clearing = False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            clearing = True
        except OSError:
            pass  # where nothing can be locked, nothing is cleared
        if not clearing and os.path.exists(beside):  # noqa: PTH110
            stack.callback(os.close, descriptor)
            return beside, descriptor
        os.close(descriptor)  # somebody cleared it before it was locked, or is about to


def _clear(folder: str) -> None:
    """Remove what saves that were killed have left in a folder: files that nobody has locked."""
    if sys.platform == "win32":  # where files cannot be locked so
        return
    for name in os.listdir(folder):  # noqa: PTH208
        if name.startswith(_BEGINNING) and name.endswith(_END):
            left = os.path.join(folder, name)  # noqa: PTH118
            with suppress(OSError), ExitStack() as stack:
                # Also one that may not be written any more; but no link, and no pipe that would be waited for.
                descriptor = os.open(left, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
                stack.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(left)  # noqa: PTH108


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
