"""Read the tree of a commit, which may be hostile, and write its regular files to a directory.

Links are followed in memory, and only inside the commit. Paths that some file system could confuse are refused on all
systems.
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
# A few bytes of a commit can describe billions of files, so reading is limited.
_MOST_FILES = 100_000
_MOST_BYTES = 4 << 30
_MOST_OF_TREE = 64 << 20
_MOST_OF_LINK = 4096
_MOST_LINKS = 40
_TO_SEE_MORE = "only files below it are read: give a `--root` that contains both"
# Characters that no name may contain: separators, control characters, and those that change the direction of text.
_NOT_IN_NAMES = re.compile("[/\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# Characters that some file systems ignore in a name, so that two names may be the same.
_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]|[ .]+$")
_MODE = re.compile(rb"[0-7]{5,6}")
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


#: The entry of a path that does not exist.
NOTHING = Entry("", 0, "")


class Found(NamedTuple):
    """The target of a path in a commit after all links, and its entry."""

    parts: Parts
    entry: Entry


class OutsideCommitError(Exception):
    """A path that leads outside the commit."""


class CommitTree:
    """The tree of one commit. Its methods raise `RevisionError` for damage and for names that could be confused."""

    def __init__(self, objects: Objects, commit: str, revision: str) -> None:
        self._objects = objects
        self._in = f"in {quoted(revision)}, "
        self._width = len(commit) // 2
        self._top = Entry("", stat.S_IFDIR, f"{commit}^{{tree}}")
        self._read: dict[str, dict[str, list[Entry]]] = {}
        self._checked: set[str] = set()

    def find(self, path: str) -> Found:
        """Return the target of a path from the top. Raise `OutsideCommitError` if it is outside the commit."""
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
        """Write the files at `root` as they were committed, without links, into the new directory `target`.

        Everything at and below `loaded`, which is inside the root, must be readable. Elsewhere in the root, unreadable
        entries are left out. With `alone`, only the file `loaded` itself is written.
        """
        left = _MOST_BYTES
        within = loaded.parts[len(root.parts) :]
        files = [(within, loaded.entry)] if alone else list(self._below(root, within))
        parts = within
        try:
            target.joinpath(*(within if loaded.entry.is_folder else within[:-1])).mkdir(parents=True)
            for parts, entry in files:
                path = target.joinpath(*parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as file:  # never through an existing file or link
                    left -= self._objects.copy(entry.oid, file, left)
        except OSError as error:
            message = f"cannot write {quoted('/'.join(parts))}: {(error.strerror or str(error)).lower()}"
            raise RevisionError("cannot-lay-out", self._in + message, "give paths instead") from None

    def _below(self, root: Found, within: Parts) -> Iterator[tuple[Parts, Entry]]:
        """Yield each file below the root, including files behind links, with its path relative to the root."""
        count = 0
        todo: list[tuple[Parts, Found, frozenset[Parts]]] = [((), root, frozenset())]
        while todo:
            above, folder, around = todo.pop()
            for entry in self._entries(folder.entry, folder.parts):
                count += 1
                if count > _MOST_FILES:
                    message = f"{self._in}there are more than {_MOST_FILES:,} files, including those behind links"
                    raise RevisionError("too-large", message, "give a directory of rules, or a smaller root")
                path = (*above, entry.name)
                given = Found((*folder.parts, entry.name), entry)
                if len(path) > DEEPEST:
                    raise self._bad(given.parts, f"it is nested more than {DEEPEST} directories deep")
                found = self._behind(given, path, root, within)
                if found is None:
                    continue
                if found.entry.is_file:
                    yield path, found.entry
                elif (
                    found.parts not in around and found.parts != folder.parts
                ):  # a link to an enclosing directory adds nothing
                    todo.append((path, found, around | {folder.parts}))

    def _behind(self, given: Found, path: Parts, root: Found, within: Parts) -> Found | None:
        """Return the target of an entry, or None if it is unreadable, but in a place from which no rules are read."""
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
            return None  # no rules are read from hidden names, or outside the path that is loaded
        message, hint = {
            "outside-rule-set": (f"is a link to a path outside {quoted('/'.join(root.parts) or '.')}", _TO_SEE_MORE),
            "broken-link": ("is a broken link", "repair or remove it"),
            "submodule": ("is a submodule", "give the path of its own files"),
            "bad-tree": ("has a colon in its path, which names a drive on some systems", "rename it"),
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
        """Yield the entries of a directory. Raise if a name is not valid on every file system."""
        tree = self._tree(folder, parts)
        for compared, alike in () if folder.oid in self._checked else tree.items():
            self._check(alike, parts)
            name = alike[0].name
            if name in ("", ".", "..") or _NOT_IN_NAMES.search(name):
                raise self._bad((*parts, name), "it is not a valid name on every file system")
            if _OF_GIT.fullmatch(compared):
                raise self._bad((*parts, name), "the name is reserved for git")
        self._checked.add(folder.oid)
        return (alike[0] for alike in tree.values())

    def _check(self, alike: list[Entry], parts: Parts) -> None:
        """Refuse a name that could be confused with another, and an entry of an unknown kind."""
        first, *others = alike
        path = (*parts, first.name)
        if others:
            other = quoted("/".join((*parts, others[0].name)))
            same = others[0].name == first.name
            raise self._bad(path, "it occurs twice" if same else f"some file systems confuse it with {other}")
        if not (first.is_file or first.is_folder or first.is_link or first.is_submodule):
            raise self._bad(path, f"its mode is `{first.mode:o}`")

    def _bad(self, path: Parts, what: str) -> RevisionError:
        message = f"{self._in}the path {quoted('/'.join(path))} is refused: {what}"
        return RevisionError("bad-tree", message, "find it with `git ls-tree -r`, and rename it")

    def _tree(self, folder: Entry, parts: Parts) -> dict[str, list[Entry]]:
        """Return the entries of a tree, grouped by names that could be confused."""
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
    """Return a key that two names share if some file system confuses them."""
    return folded(_IGNORED.sub("", name))


def _parsed(data: bytes, width: int) -> Iterator[Entry]:
    """Yield the entries of a tree.

    Each consists of the mode in octal digits, a space, the name, a zero byte, and the hash.
    """
    at = 0
    while at < len(data):
        blank = data.index(b" ", at)
        end = data.index(b"\0", blank)
        oid = data[end + 1 : end + 1 + width]
        if len(oid) < width:
            raise ValueError
        if not _MODE.fullmatch(data, at, blank):  # `int` also reads signs, prefixes, underscores and any length
            raise ValueError
        yield Entry(os.fsdecode(data[blank + 1 : end]), int(data[at:blank], 8), oid.hex())
        at = end + 1 + width
