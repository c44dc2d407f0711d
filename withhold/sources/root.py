"""The root of a rule set: no file outside this directory is opened, whatever paths and links are in the rule set.

Rule sets may be untrusted. So every file of a rule set is opened here: rules, lists of ids and lists of protected
accounts.
"""

# Paths are text here, and each step makes one system call.
# ruff: noqa: PTH109, PTH110, PTH112, PTH115, PTH117, PTH118, PTH120, PTH208

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

#: The number of links that Linux follows on one path.
_MAX_LINKS = 40
#: The number of bytes that Linux allows in a path. A longer path cannot exist, and following it would take long.
MAX_PATH = 4096
# A drive letter. Backslashes and a leading slash are refused everywhere, so that a path means the same on every machine.
_DRIVE = re.compile(r"[A-Za-z]:")
# On systems with these flags, a link that has just replaced a file is not followed, and opening a pipe does not block.
_CAREFULLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class OutsideRootError(OSError):
    """A path that leads out of the root, or whose meaning depends on the machine. `hint` suggests another path."""

    def __init__(self, reason: str = "it is outside the root", hint: str | None = None) -> None:
        super().__init__(errno.EXDEV, reason)
        self.hint = hint


class SpecialFileError(OSError):
    """A pipe or a device instead of a file. Reading it could block forever, or never end."""

    def __init__(self) -> None:
        super().__init__(errno.EINVAL, "it is a pipe or a device")


def check_named(path: str | os.PathLike[str]) -> None:
    """Raise `SpecialFileError` for an open pipe, such as `/dev/stdin` may be. Its real path does not exist."""
    if os.path.exists(path) and not os.path.lexists(os.path.realpath(path)):
        raise SpecialFileError


def check_relative(name: str) -> None:
    """Raise `OutsideRootError` for a path in a file that is absolute, has a drive letter, or has backslashes."""
    if name.startswith("/") or "\\" in name or _DRIVE.match(name):
        raise OutsideRootError("its path must be relative, with `/`")


def repository_around(path: str | os.PathLike[str]) -> Path | None:
    """Return the nearest directory at or above `path` with `.git`, or None. Links in the path are resolved."""
    real = Path(os.path.realpath(path))
    return next((folder for folder in (real, *real.parents) if os.path.lexists(folder / ".git")), None)


def way_up(folder: Path, root: str | os.PathLike[str] | None) -> list[Path]:
    """Return a directory and those above it, up to the one with `.git`, or outside a repository up to the root."""
    way = [folder, *folder.parents]
    ends = [at for at, above in enumerate(way) if os.path.lexists(above / ".git")]
    if not ends and root is not None:
        real = os.path.realpath(root)
        ends = [at for at, above in enumerate(way) if os.path.realpath(above) == real]
    return way[: ends[0] + 1] if ends else way[:1]


def relative_to_here(folder: Path) -> Path:
    """Return a directory in the form for messages: relative to the current directory if that contains it."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def folders_of_links(path: str | os.PathLike[str]) -> Iterator[str]:
    """Yield the real directory of each link that a path goes through, in the order in which they are followed."""
    whole = _absolute(path)
    at, todo, links = whole.anchor, list(reversed(whole.parts[1:])), 0
    while todo and links <= _MAX_LINKS:
        name = todo.pop()
        if name == "..":
            at = os.path.dirname(at)
        elif (target := _target(_joined(at, name))) is None:
            at = os.path.join(at, name)
        else:
            yield at
            links += 1
            at = target.anchor or at
            todo += reversed(target.parts[1:] if target.anchor else target.parts)


class _Target(NamedTuple):
    """The target of a path: its real path, the number of links that were followed, and the error for a missing name."""

    at: str
    links: int = 0
    missing: OSError | None = None
    #: Whether it does not exist, so that no name below it can be a link.
    absent: bool = False


class Root:
    """The root for loading `path`: the directory `root`, by default `path` itself or, if it is a file, its directory.

    A path may contain links and `..`; only the file to which it leads must be inside. Names must be spelt as on disk,
    so that a rule set loads in the same way on file systems that ignore case. Each link is followed once for all paths
    through it; `open` compares the result with the file that it has opened.
    """

    def __init__(self, path: str | os.PathLike[str], root: str | os.PathLike[str] | None = None) -> None:
        real = os.path.realpath(path if root is None else root)
        self._set_folder(real if os.path.isdir(real) else os.path.dirname(real))

    def _set_folder(self, folder: str) -> None:
        self.folder = folder
        self._below = os.path.join(folder, "")
        self._listings: dict[str, _Listing | None] = {}
        self._folders: dict[Path, _Target] = {}
        #: The targets of links, or the errors of following them, by the directory and the name of the link.
        self._links: dict[tuple[str, str], _Target | OSError] = {}

    def narrowed(self, path: str | os.PathLike[str]) -> Root:
        """Return the root for loading a path inside this one. Raises as `real` does.

        Links to the new root are followed only once, so it remains inside even if directories are replaced meanwhile.
        """
        real = self.real(path)
        inner = Root.__new__(Root)
        inner._set_folder(real if os.path.isdir(real) else os.path.dirname(real))
        return inner

    def real(self, path: str | os.PathLike[str]) -> str:
        """Return the real path of `path`, which need not exist.

        Reads links on the way, and opens nothing. Raises `OutsideRootError` if the path leads out of the root,
        `FileNotFoundError` if a directory inside the root has no such name, and `OSError` for a cycle of links or a
        path that is too long.
        """
        whole = _absolute(path)
        found = self._followed(whole.parent)
        if whole.name == ".." or found.missing is not None or found.absent:
            found = self._follow(whole.anchor, whole.parts[1:], 0)
        elif whole.name:
            last = self._follow(found.at, (whole.name,), 0)
            if found.links + last.links > _MAX_LINKS:
                raise _too_many_links()
            found = last
        if not self.holds(found.at):
            raise OutsideRootError
        if found.missing is not None:
            raise found.missing.with_traceback(None)
        return found.at

    def _followed(self, folder: Path) -> _Target:
        """Return the target of a directory. It is cached, because many files share a directory. Raises `OSError`."""
        found = self._folders.get(folder)
        if found is None:
            found = self._folders[folder] = self._follow(folder.anchor, folder.parts[1:], 0)
        return found

    def _follow(self, at: str, names: Iterable[str], depth: int) -> _Target:
        """Return the target of a sequence of names below a real directory, inside `depth` links. Raises `OSError`."""
        links, missing = 0, None
        below = -1  # below an absent path of this length
        for name in names:
            if name == "..":
                at = os.path.dirname(at)
                if len(at) < below:
                    below = -1
            elif below >= 0:
                at = _joined(at, name)
            else:
                found = self._step(at, name, depth)
                at, links, missing = found.at, links + found.links, missing or found.missing
                below = len(at) if found.absent else -1
                if links > _MAX_LINKS:
                    raise _too_many_links()
        return _Target(at, links, missing, below >= 0)

    def _step(self, folder: str, name: str, depth: int) -> _Target:
        """Return the target of one name. A link is followed only once. Raises `OSError`."""
        if (known := self._links.get((folder, name))) is not None:
            if isinstance(known, OSError):
                raise known.with_traceback(None)
            return known
        at, missing = _joined(folder, name), self._missing(folder, name)
        try:
            target = Path(os.readlink(at))
        except OSError as error:  # it is not a link; any other error will be reported when it is opened
            return _Target(at, 0, missing, error.errno == errno.ENOENT)
        try:
            found = self._link_target(folder, target, depth)
        except OSError as error:
            if not depth:  # inside other links, the error may be due to their number
                self._links[folder, name] = error
            raise
        found = self._links[folder, name] = found._replace(missing=missing or found.missing)
        return found

    def _link_target(self, folder: str, target: Path, depth: int) -> _Target:
        """Return the target of a link. Raises `OSError`."""
        if depth >= _MAX_LINKS:
            raise _too_many_links()
        names = target.parts[1:] if target.anchor else target.parts
        found = self._follow(target.anchor or folder, names, depth + 1)
        return found._replace(links=found.links + 1)

    def open(self, path: str | os.PathLike[str]) -> BufferedReader:
        """Open a file inside the root for reading. Raises as `real` does, and `OSError` for a pipe or a device."""
        real = self.real(path)
        file = _open_regular(real)
        if not _is_at(real, file):  # meanwhile a link has replaced a part of the path
            file.close()
            raise OutsideRootError("it was replaced while it was being opened", "load the rule set again")
        return file

    def read(self, path: str | os.PathLike[str]) -> bytes:
        """Return the bytes of a file inside the root. Raises as `open` does."""
        with self.open(path) as file:
            return file.read()

    def holds(self, real: str) -> bool:
        """Return whether a real path is the root or inside it."""
        return real == self.folder or real.startswith(self._below)

    def _missing(self, folder: str, name: str) -> OSError | None:
        """Return the error for a name that a directory inside the root does not have in this spelling, or None."""
        if not self.holds(folder):
            return None
        if folder not in self._listings:
            try:
                self._listings[folder] = _Listing(os.listdir(folder))
            except OSError:
                self._listings[folder] = None  # opening a file in it will report why
        listing = self._listings[folder]
        if listing is None or _composed(name) in listing.names:
            return None
        if (spelt := listing.as_folded().get(folded(name))) is not None:
            return OutsideRootError("its name is spelt differently on disk", f"write {quoted(spelt)}, as on disk")
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


class _Listing:
    """The names in a directory."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(map(_composed, names))
        self._folded: dict[str, str] | None = None

    def as_folded(self) -> dict[str, str]:
        """Return the names by their `folded` form."""
        if self._folded is None:
            self._folded = {folded(name): name for name in self.names}
        return self._folded


def folded(name: str) -> str:
    """Return a name in the form that is compared by file systems that ignore case and Unicode normalization."""
    return _composed(_composed(name).casefold())


def _absolute(path: str | os.PathLike[str]) -> Path:
    """Return an absolute path. Raises `OSError` if it is too long."""
    if len(os.fsencode(path)) > MAX_PATH:
        raise _too_long()
    return Path(path) if os.path.isabs(path) else Path(os.getcwd(), path)


def _joined(folder: str, name: str) -> str:
    """Return the path of a name in a directory. Raises `OSError` if it is too long."""
    at = os.path.join(folder, name)
    if len(at) > MAX_PATH:
        raise _too_long()
    return at


def _target(path: str) -> Path | None:
    """Return the target of a link, or None if the path is not a link or does not exist. Opening it reports the latter."""
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
    """Open a regular file. Raises `SpecialFileError` for a pipe or a device."""
    _check_regular(os.lstat(real).st_mode)  # opening a device may have effects
    file = open(real, "rb", opener=lambda path, flags: os.open(path, flags | _CAREFULLY))  # noqa: SIM115
    try:
        _check_regular(os.fstat(file.fileno()).st_mode)
    except BaseException:
        file.close()
        raise
    return file


def _is_at(real: str, file: BufferedReader) -> bool:
    """Return whether an open file is the one at a path that has no link in it."""
    try:
        return os.path.realpath(real) == real and os.path.samestat(os.fstat(file.fileno()), os.lstat(real))
    except OSError:
        return False


def _check_regular(mode: int) -> None:
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # opening a directory fails by itself
        raise SpecialFileError
