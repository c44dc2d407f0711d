"""The tree of a commit, which may come from somebody else, and what of it is written to a folder: regular files alone.

Links are followed in memory and inside the commit. Paths that some file system could confuse are refused everywhere.
"""

from __future__ import annotations

import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from withhold.cli.git import Objects, RevisionError
from withhold.errors import quoted
from withhold.sources.files import DEEPEST
from withhold.sources.root import folded

#: The names from the top of the commit.
Parts = tuple[str, ...]

_SUBMODULE = 0o160000
# Limits on what a commit can make its reader do: a few bytes of it can stand for billions of files.
_MOST_FILES = 100_000
_MOST_BYTES = 4 << 30
_MOST_OF_TREE = 64 << 20
_MOST_OF_LINK = 4096
_MOST_LINKS = 40
_TO_SEE_MORE = "only what lies below that is read: give a `--root` around both"
# What no name may have: separators and control characters, and those that turn the direction of text.
_NOT_IN_NAMES = re.compile("[/\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# What some file systems ignore in a name, so that it may be another's.
_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]|[ .]+$")
_OF_GIT = re.compile(r"\.git|git~[0-9]+")


class Entry(NamedTuple):
    """One line of a tree."""

    name: str
    mode: int
    oid: str

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.mode)

    @property
    def is_submodule(self) -> bool:
        return self.mode == _SUBMODULE


#: What is at a path that leads to nothing.
NOTHING = Entry("", 0, "")


class Found(NamedTuple):
    """Where a path leads in a commit, behind all links, and what is there."""

    parts: Parts
    entry: Entry


class OutsideCommitError(Exception):
    """A path that leads out of the commit."""


class CommitTree:
    """The tree of one commit. Raises `RevisionError` for what is damaged, or could be confused."""

    def __init__(self, objects: Objects, commit: str, revision: str) -> None:
        self._objects = objects
        self._in = f"in {quoted(revision)}, "
        self._width = len(commit) // 2
        self._top = Entry("", stat.S_IFDIR, f"{commit}^{{tree}}")
        self._read: dict[str, dict[str, list[Entry]]] = {}
        self._checked: set[str] = set()

    def find(self, path: str) -> Found:
        """Return where a path leads, seen from the top; raises `OutsideCommitError`."""
        names: list[str] = []
        around = [self._top]
        todo = path.split("/")[::-1]
        links = 0
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not names:
                    raise OutsideCommitError
                names.pop()
                around.pop()
                continue
            entry = self._child(around[-1], (*names, part))
            if not entry.is_link:
                names.append(part)
                around.append(entry)
                continue
            links += 1
            target = os.fsdecode(self._objects.read(entry.oid, "blob", _MOST_OF_LINK))
            if target.startswith("/"):
                raise OutsideCommitError
            if not target or links > _MOST_LINKS:
                return Found((*names, part), NOTHING)
            todo += target.split("/")[::-1]
        return Found(tuple(names), around[-1])

    def write(self, root: Found, loaded: Found, target: Path, *, alone: bool = False) -> None:
        """Write what is at `root` into the new folder `target`: files as they were committed, and no link.

        Everything at and below `loaded`, which is inside the root, must be there to be read; elsewhere in the root, what
        cannot be had is left out. With `alone` only the file `loaded` itself is written.
        """
        left = _MOST_BYTES
        within = loaded.parts[len(root.parts) :]
        listed = [(within, loaded.entry)] if alone else list(self._below(root, within))
        parts = within
        try:
            target.joinpath(*(within if loaded.entry.is_folder else within[:-1])).mkdir(parents=True)
            for parts, entry in listed:
                path = target.joinpath(*parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as file:  # and never through what is there
                    left -= self._objects.copy(entry.oid, file, left)
        except OSError as error:
            message = f"cannot write {quoted('/'.join(parts))}: {(error.strerror or str(error)).lower()}"
            raise RevisionError("cannot-lay-out", self._in + message, "give paths instead") from None

    def _below(self, root: Found, within: Parts) -> Iterator[tuple[Parts, Entry]]:
        """Yield each file below the root, those behind links too, with its path from the root."""
        count = 0
        todo: list[tuple[Parts, Found, frozenset[Parts]]] = [((), root, frozenset())]
        while todo:
            above, folder, around = todo.pop()
            for entry in self._entries(folder.entry, folder.parts):
                count += 1
                if count > _MOST_FILES:
                    message = f"{self._in}there are more than {_MOST_FILES:,} files, those behind links included"
                    raise RevisionError("too-large", message, "name a folder of rules, or a smaller root")
                path = (*above, entry.name)
                given = Found((*folder.parts, entry.name), entry)
                if len(path) > DEEPEST:
                    raise self._bad(given.parts, f"it lies more than {DEEPEST} folders deep")
                found = self._behind(given, path, root, within)
                if found is None:
                    continue
                if found.entry.is_file:
                    yield path, found.entry
                elif found.parts not in around and found.parts != folder.parts:  # a link back up leads to nothing new
                    todo.append((path, found, around | {folder.parts}))

    def _behind(self, given: Found, path: Parts, root: Found, within: Parts) -> Found | None:
        """Return the file or folder that an entry leads to; None for what cannot be had, where no rules are read."""
        found, wrong = given, ""
        if given.entry.is_link:
            try:
                found = self.find("/".join(given.parts))
            except OutsideCommitError:
                found, wrong = Found((), NOTHING), "outside-rule-set"
            if found.parts[: len(root.parts)] != root.parts:
                wrong = "outside-rule-set"
            elif found.entry is NOTHING:
                wrong = wrong or "broken-link"
        if found.entry.is_submodule:
            wrong = wrong or "submodule"
        if found.entry.is_file and ":" in "".join(path):
            wrong = wrong or "bad-tree"
        if not wrong:
            return found
        if path[: len(within)] != within or any(name.startswith(".") for name in path[len(within) :]):
            return None  # what is hidden holds no rules, nor does what is not below the path that is loaded
        message, hint = {
            "outside-rule-set": (f"is a link out of {quoted('/'.join(root.parts) or '.')}", _TO_SEE_MORE),
            "broken-link": ("is a link to nothing", "mend it, or take it away"),
            "submodule": ("is a submodule", "give the path of its own files"),
            "bad-tree": ("has a colon in its path, which means a drive elsewhere", "rename it"),
        }[wrong]
        raise RevisionError(wrong, f"{self._in}{quoted('/'.join(given.parts))} {message}", hint)

    def _child(self, folder: Entry, path: Parts) -> Entry:
        if not folder.is_folder:
            return NOTHING
        alike = self._tree(folder, path[:-1]).get(_as_compared(path[-1]), [])
        if all(entry.name != path[-1] for entry in alike):
            return NOTHING
        self._check(alike, path[:-1])
        return alike[0]

    def _entries(self, folder: Entry, parts: Parts) -> Iterator[Entry]:
        """Yield what is in a folder, after a look at all its names: those that are not names everywhere are refused."""
        tree = self._tree(folder, parts)
        for compared, alike in () if folder.oid in self._checked else tree.items():
            self._check(alike, parts)
            name = alike[0].name
            if name in ("", ".", "..") or _NOT_IN_NAMES.search(name):
                raise self._bad((*parts, name), "it has what no name has everywhere")
            if _OF_GIT.fullmatch(compared):
                raise self._bad((*parts, name), "git keeps its own files there")
        self._checked.add(folder.oid)
        return (alike[0] for alike in tree.values())

    def _check(self, alike: list[Entry], parts: Parts) -> None:
        """Refuse a name that could be taken for another, and what is neither file, folder, link nor submodule."""
        first, *others = alike
        path = (*parts, first.name)
        if others:
            other = quoted("/".join((*parts, others[0].name)))
            same = others[0].name == first.name
            raise self._bad(path, "it is there twice" if same else f"some file systems take {other} for the same")
        if not (first.is_file or first.is_folder or first.is_link or first.is_submodule):
            raise self._bad(path, f"its mode is `{first.mode:o}`")

    def _bad(self, path: Parts, what: str) -> RevisionError:
        message = f"{self._in}the path {quoted('/'.join(path))} is refused: {what}"
        return RevisionError("bad-tree", message, "see `git ls-tree -r`, and rename it")

    def _tree(self, folder: Entry, parts: Parts) -> dict[str, list[Entry]]:
        """Return the entries of a tree: those together whose names could be confused."""
        if folder.oid not in self._read:
            data = self._objects.read(folder.oid, "tree", _MOST_OF_TREE)
            found: dict[str, list[Entry]] = defaultdict(list)
            try:
                for entry in _parsed(data, self._width):
                    found[_as_compared(entry.name)].append(entry)
            except ValueError:
                raise self._bad(parts, "its tree is damaged") from None
            self._read[folder.oid] = found
        return self._read[folder.oid]


def _as_compared(name: str) -> str:
    """Return what two names share if some file system takes one for the other."""
    return folded(_IGNORED.sub("", name))


def _parsed(data: bytes, width: int) -> Iterator[Entry]:
    """Yield the lines of a tree: the mode in octal digits, a blank, the name, a zero byte, and the bytes of the hash."""
    at = 0
    while at < len(data):
        blank = data.index(b" ", at)
        end = data.index(b"\0", blank)
        oid = data[end + 1 : end + 1 + width]
        if len(oid) < width:
            raise ValueError
        yield Entry(os.fsdecode(data[blank + 1 : end]), int(data[at:blank], 8), oid.hex())
        at = end + 1 + width
