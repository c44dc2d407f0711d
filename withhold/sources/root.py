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
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from withhold.errors import quoted

#: As many links as Linux follows on one path.
_MAX_LINKS = 40
#: As many bytes as Linux reads of one path. Longer ones name nothing, and following them would take long.
MAX_PATH = 4096
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


def folders_of_links(path: str | os.PathLike[str]) -> Iterator[str]:
    """Yield the real folder of each link that a path goes through, in the order in which they are followed."""
    whole = _absolute(path)
    at, todo, links = whole.anchor, list(reversed(whole.parts[1:])), 0
    while todo and links <= _MAX_LINKS:
        name = todo.pop()
        if name == "..":
            at = os.path.dirname(at)
        elif (target := _target(_longer(at, name))) is None:
            at = os.path.join(at, name)
        else:
            yield at
            links += 1
            at = target.anchor or at
            todo += reversed(target.parts[1:] if target.anchor else target.parts)


class _Led(NamedTuple):
    """Where a name or a path leads: the real path, how many links were followed, and the error of a name that is missing."""

    at: str
    links: int = 0
    missing: OSError | None = None


class Root:
    """The root of what is loaded from `path`: `root`, or the real path of a folder, or the folder of a file's real path.

    A path inside may go through links and `..`: what counts is where it really leads. Names count as they are spelt on
    disk, so that a rule set loads alike where the file system ignores case. Each link is followed once, however many paths
    go through it; `open` compares the result with the file that it has opened.
    """

    def __init__(self, path: str | os.PathLike[str], root: str | os.PathLike[str] | None = None) -> None:
        real = os.path.realpath(path if root is None else root)
        self._set_folder(real if os.path.isdir(real) else os.path.dirname(real))

    def _set_folder(self, folder: str) -> None:
        self.folder = folder
        self._below = os.path.join(folder, "")
        self._listings: dict[str, _Listing | None] = {}
        #: Where links lead that were followed, by the folder and the name; or why they cannot be.
        self._links: dict[tuple[str, str], _Led | OSError] = {}

    def narrowed(self, path: str | os.PathLike[str]) -> Root:
        """Return the root of what is loaded from a path inside this one; raises as `real` does.

        It stays inside whatever is put in the place of its folders: no link is followed to it a second time.
        """
        real = self.real(path)
        inner = Root.__new__(Root)
        inner._set_folder(real if os.path.isdir(real) else os.path.dirname(real))
        return inner

    def real(self, path: str | os.PathLike[str]) -> str:
        """Return the real path of `path`, which need not exist.

        Raises `OutsideRootError` if it is not inside the root; links are read on the way, and nothing is opened. Raises
        `FileNotFoundError` if a folder inside the root has no such name, and `OSError` if links go round in circles or
        the path is longer than any can be.
        """
        whole = _absolute(path)
        at, _, missing = self._follow(whole.anchor, whole.parts[1:], 0)
        if not self.holds(at):
            raise OutsideRootError
        if missing is not None:
            raise missing.with_traceback(None)
        return at

    def _follow(self, at: str, names: Iterable[str], depth: int) -> _Led:
        """Return where names lead from a real folder; `depth` links are being followed to here. Raises `OSError`."""
        links, missing = 0, None
        for name in names:
            if name == "..":
                at = os.path.dirname(at)
                continue
            led = self._step(at, name, depth)
            at, links, missing = led.at, links + led.links, missing or led.missing
            if links > _MAX_LINKS:
                raise _too_many_links()
        return _Led(at, links, missing)

    def _step(self, folder: str, name: str, depth: int) -> _Led:
        """Return where one name leads, that of a link found out once; raises `OSError`."""
        if (known := self._links.get((folder, name))) is not None:
            if isinstance(known, OSError):
                raise known.with_traceback(None)
            return known
        at, missing = _longer(folder, name), self._missing(folder, name)
        target = _target(at)
        if target is None:
            return _Led(at, 0, missing)
        try:
            led = self._behind(folder, target, depth)
        except OSError as error:
            if not depth:  # behind other links it may only have been one too many
                self._links[folder, name] = error
            raise
        led = self._links[folder, name] = led._replace(missing=missing or led.missing)
        return led

    def _behind(self, folder: str, target: Path, depth: int) -> _Led:
        """Return where a link leads; raises `OSError`."""
        if depth >= _MAX_LINKS:
            raise _too_many_links()
        names = target.parts[1:] if target.anchor else target.parts
        led = self._follow(target.anchor or folder, names, depth + 1)
        return led._replace(links=led.links + 1)

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
                self._listings[folder] = _Listing(os.listdir(folder))
            except OSError:
                self._listings[folder] = None  # whoever opens what is in it will see why
        listing = self._listings[folder]
        if listing is None or _composed(name) in listing.names:
            return None
        if (meant := listing.as_folded().get(folded(name))) is not None:
            return OutsideRootError("its name on disk is spelt otherwise", f"write {quoted(meant)}, as on disk")
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


class _Listing:
    """The names in a folder."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(map(_composed, names))
        self._folded: dict[str, str] | None = None

    def as_folded(self) -> dict[str, str]:
        """Return the names by how a file system compares them that ignores case."""
        if self._folded is None:
            self._folded = {folded(name): name for name in self.names}
        return self._folded


def folded(name: str) -> str:
    """Return a name as a file system compares it that ignores case and the normal form of Unicode."""
    return _composed(_composed(name).casefold())


def _absolute(path: str | os.PathLike[str]) -> Path:
    """Return a path from the root of the file system; raises `OSError` if it is longer than any can be."""
    if len(os.fsencode(path)) > MAX_PATH:
        raise _too_long()
    return Path(path) if os.path.isabs(path) else Path(os.getcwd(), path)


def _longer(folder: str, name: str) -> str:
    """Return the path of a name in a folder; raises `OSError` if it is longer than any can be."""
    at = os.path.join(folder, name)
    if len(at) > MAX_PATH:
        raise _too_long()
    return at


def _target(path: str) -> Path | None:
    """Return where a link leads; None for what is no link, or not there: opening it will say why."""
    try:
        return Path(os.readlink(path))
    except OSError:
        return None


def _too_long() -> OSError:
    return OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))


def _too_many_links() -> OSError:
    return OSError(errno.ELOOP, os.strerror(errno.ELOOP))


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
