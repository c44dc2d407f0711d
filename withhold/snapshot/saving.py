"""Atomic writing of files: at any time a reader finds either the complete old file or the complete new one."""

from __future__ import annotations

import errno
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
    """Write a temporary file in the same directory, then rename it to `path`. Return its size in bytes.

    An existing file is replaced, not changed, so processes that have it mapped keep it. Raises `OSError`, for example
    if `path` exists and is not a file, or is a link out of its directory. After an error, no temporary file remains. A
    process that is killed leaves a hidden file `.withhold-….partial`, which the next save into the directory removes.
    """
    target = _target_of(path)
    if os.path.exists(target) and not os.path.isfile(target):  # noqa: PTH110, PTH113
        raise FileExistsError(f"{escaped_path(path)} exists and is not a file")
    _remove_leftovers(os.path.dirname(target))  # noqa: PTH120
    with ExitStack() as stack:
        folder = None
        if os.name == "posix":  # directories can be synced
            folder = os.open(os.path.dirname(target), os.O_RDONLY)  # noqa: PTH120
            stack.callback(os.close, folder)
        temporary, file = _create_locked(os.path.dirname(target))  # noqa: PTH120
        # On Windows open files cannot be renamed. Elsewhere the file stays open, and so locked, until it is renamed.
        stack.enter_context(file)
        stack.callback(_remove, temporary)
        with file if sys.platform == "win32" else nullcontext():
            size = sum(map(file.write, pieces))
            file.flush()
            _copy_permissions(target, file.fileno())
            os.fsync(file.fileno())
        os.replace(temporary, target)  # noqa: PTH105
        if folder is not None:
            os.fsync(folder)  # so that the new name survives a power failure
    return size


def _target_of(path: Path) -> str:
    """Return the real path to write to. Raise `PermissionError` for a link out of its directory or to a file of git.

    Other links are followed and kept: `current.wh` may be a link to `42.wh`. Without this check, a link in somebody
    else's repository could cause any file to be replaced.
    """
    target = os.path.realpath(path)
    if os.path.islink(path):  # noqa: PTH114
        folder = os.path.realpath(path.parent)
        below = Path(target).relative_to(folder).parts if Path(target).is_relative_to(folder) else None
        if below is None or ".git" in map(str.casefold, below):
            reason = "it is a link out of its directory" if below is None else "it is a link to a file of git"
            raise PermissionError(errno.EPERM, f"{reason}; give the path of its target")
    return target


def _create_locked(folder: str) -> tuple[str, BinaryIO]:
    """Create an empty file, locked while it is open. The lock shows other processes that the file is in use."""
    while True:
        temporary = os.path.join(folder, f"{_BEGINNING}{secrets.token_hex(8)}{_END}")  # noqa: PTH118
        # `open`, not `tempfile`: a new file gets the usual permissions. `_copy_permissions` keeps those of a replaced
        # file.
        file = open(temporary, "xb")  # noqa: PTH123, SIM115
        if sys.platform == "win32":
            return temporary, file
        removed = False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            removed = True
        except OSError:
            pass  # files cannot be locked here, so `_remove_leftovers` removes none
        if not removed and os.path.exists(temporary):  # noqa: PTH110
            return temporary, file
        file.close()  # another process removed it before it was locked, or is about to: try again


def _remove_leftovers(folder: str) -> None:
    """Remove the temporary files of interrupted saves from a directory: those that no process has locked."""
    if sys.platform == "win32":  # files cannot be locked in this way
        return
    for name in os.listdir(folder):  # noqa: PTH208
        if name.startswith(_BEGINNING) and name.endswith(_END):
            leftover = os.path.join(folder, name)  # noqa: PTH118
            with suppress(OSError), open(leftover, "rb", opener=_open_nofollow) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(leftover)  # noqa: PTH108


def _open_nofollow(name: str, flags: int) -> int:
    """Open a file. Raise `OSError` for a link, and do not wait for a pipe."""
    return os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _copy_permissions(target: str, descriptor: int) -> None:
    """Give a new file the permissions of the file that it will replace and, if allowed, its owner and group."""
    with suppress(FileNotFoundError):
        before = os.stat(target)  # noqa: PTH116
        if os.name == "posix":
            with suppress(PermissionError):
                os.fchown(descriptor, before.st_uid, before.st_gid)
            os.fchmod(descriptor, before.st_mode & 0o777)


def _remove(name: str) -> None:
    with suppress(FileNotFoundError):  # it was renamed
        os.unlink(name)  # noqa: PTH108
