"""The root of a rule set: a folder outside of which no file of the set is opened, whatever paths and links in it say.

Rule sets may come from somebody else. Every file of one is opened here: rules, lists of ids, lists of protected accounts.
"""

# Paths are text here, and each step asks the system one thing.
# ruff: noqa: PTH109, PTH112, PTH115, PTH117, PTH118, PTH120, PTH208

from __future__ import annotations

import errno
import os
import re
import stat
import unicodedata
from io import BufferedReader
from pathlib import Path

from withhold.errors import quoted

#: As many links as Linux follows on one path.
_MAX_LINKS = 40
# A drive letter. Backslashes and a leading slash are refused everywhere, so that a path means the same on every machine.
_DRIVE = re.compile(r"[A-Za-z]:")
# Where the system has these, a link that has just replaced a file is not followed, and opening a pipe does not wait.
_CAREFULLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class OutsideRootError(OSError):
    """A path that leads out of the root, or whose meaning depends on the machine; `hint` says what to write instead."""

    def __init__(self, reason: str = "it is outside of the root", hint: str | None = None) -> None:
        super().__init__(errno.EXDEV, reason)
        self.hint = hint


def check_relative(name: str) -> None:
    """Raise `OutsideRootError` for a written path that is absolute, has a drive letter, or has backslashes."""
    if name.startswith("/") or "\\" in name or _DRIVE.match(name):
        raise OutsideRootError("only a relative path is read")


def repository_around(path: str | os.PathLike[str]) -> Path | None:
    """Return the nearest folder at or above `path` that holds `.git`, or None; links in the path itself are resolved."""
    real = Path(os.path.realpath(path))
    return next((folder for folder in (real, *real.parents) if os.path.lexists(folder / ".git")), None)


class Root:
    """The root of what is loaded from `path`: `root`, or the real path of a folder, or the folder of a file's real path.

    A path inside may go through links and `..`: what counts is where it really leads. Names count as they are spelt on
    disk, so that a rule set loads alike where the file system ignores case.
    """

    def __init__(self, path: str | os.PathLike[str], root: str | os.PathLike[str] | None = None) -> None:
        real = os.path.realpath(path if root is None else root)
        self.folder = real if os.path.isdir(real) else os.path.dirname(real)
        self._below = os.path.join(self.folder, "")
        self._listings: dict[str, frozenset[str] | None] = {}

    def real(self, path: str | os.PathLike[str]) -> str:
        """Return the real path of `path`, which need not exist.

        Raises `OutsideRootError` if it is not inside the root; links are read on the way, and nothing is opened. Raises
        `FileNotFoundError` if a folder inside the root has no such name, and `OSError` if links go round in circles.
        """
        whole = Path(path) if os.path.isabs(path) else Path(os.getcwd(), path)
        at, todo, links = whole.anchor, list(reversed(whole.parts[1:])), 0
        missing: OSError | None = None
        while todo:
            part = todo.pop()
            if part == "..":
                at = os.path.dirname(at)
                continue
            if missing is None:
                missing = self._missing(at, part)
            at = os.path.join(at, part)
            try:
                target = Path(os.readlink(at))
            except OSError:
                continue  # it is no link, or nothing: whoever opens it will see
            links += 1
            if links > _MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            at = target.anchor if target.is_absolute() else os.path.dirname(at)
            todo += reversed(target.parts[1:] if target.is_absolute() else target.parts)
        if not self.holds(at):
            raise OutsideRootError
        if missing is not None:
            raise missing
        return at

    def open(self, path: str | os.PathLike[str]) -> BufferedReader:
        """Open a file inside the root to read its bytes; raises as `real` does, and `OSError` for a pipe or a device."""
        real = self.real(path)
        file = _open_regular(real)
        if not _lies_at(real, file):  # somebody has moved a link into the way meanwhile
            file.close()
            raise OutsideRootError("it was replaced while it was opened", "load the rule set again")
        return file

    def read(self, path: str | os.PathLike[str]) -> bytes:
        """Return the bytes of a file inside the root; raises as `open` does."""
        with self.open(path) as file:
            return file.read()

    def holds(self, real: str) -> bool:
        """Return whether a real path is the root or lies inside."""
        return real == self.folder or real.startswith(self._below)

    def _missing(self, folder: str, name: str) -> OSError | None:
        """Return the error of a name that a folder inside the root does not have, spelt like this."""
        if not self.holds(folder):
            return None
        if folder not in self._listings:
            try:
                self._listings[folder] = frozenset(map(_composed, os.listdir(folder)))
            except OSError:
                self._listings[folder] = None  # whoever opens what is in it will see why
        names = self._listings[folder]
        if names is None or _composed(name) in names:
            return None
        if (meant := next((known for known in names if folded(known) == folded(name)), None)) is not None:
            return OutsideRootError("its name on disk is spelt otherwise", f"write {quoted(meant)}, as on disk")
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def folded(name: str) -> str:
    """Return a name as a file system compares it that ignores case and the normal form of Unicode."""
    return _composed(_composed(name).casefold())


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _open_regular(real: str) -> BufferedReader:
    """Open a regular file; raises `OSError` for a pipe or a device, which might never end."""
    _check_regular(os.lstat(real).st_mode)  # opening a device may have effects
    file = open(real, "rb", opener=lambda path, flags: os.open(path, flags | _CAREFULLY))  # noqa: SIM115
    try:
        _check_regular(os.fstat(file.fileno()).st_mode)
    except BaseException:
        file.close()
        raise
    return file


def _lies_at(real: str, file: BufferedReader) -> bool:
    """Return whether an open file is the one at a path, with no link on the way."""
    try:
        return os.path.realpath(real) == real and os.path.samestat(os.fstat(file.fileno()), os.lstat(real))
    except OSError:
        return False


def _check_regular(mode: int) -> None:
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # a folder refuses to be opened itself
        raise OSError(errno.EINVAL, "no regular file, but a pipe or a device")
