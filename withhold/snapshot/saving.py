"""Writing a file so that whoever reads it, whatever happens, finds the old one or the new one, and a whole one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from withhold.snapshot.format import Bytes


def write_atomically(path: Path, pieces: Iterable[Bytes]) -> int:
    """Write a file beside its place, then put it there; return its size in bytes.

    What was there is replaced and not changed, so those who have it mapped keep it. Raises `OSError`, and then
    leaves nothing behind; a process that is killed leaves a hidden file `.NAME.….partial`.
    """
    path = path.resolve()  # a link is followed: it goes on pointing at the file
    descriptor, name = tempfile.mkstemp(suffix=".partial", prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  # a descriptor has no path
            size = sum(map(file.write, pieces))
            file.flush()
            os.chmod(name, _mode(path))  # noqa: PTH101  # `mkstemp` makes it readable for nobody else
            os.fsync(file.fileno())
        os.replace(name, path)  # noqa: PTH105
    except BaseException:
        os.unlink(name)  # noqa: PTH108
        raise
    _sync_folder(path.parent)
    return size


def _mode(path: Path) -> int:
    """Return the permissions of the file that is there, or those that a new one gets."""
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    """Make sure that the new name survives a power failure, where folders can be synced."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
