"""Find lists of protected accounts beside and below the rules, and above them up to the top of the repository.

Lists above belong to the owner of the repository and apply to all rules below them. Authors of rules cannot disable them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from withhold.errors import Place, Problem, RuleSetError, in_order, quoted
from withhold.model.protected import Protected
from withhold.sources.files import files_below, is_protected_list, unreadable
from withhold.sources.protected import read_protected
from withhold.sources.root import Root, relative_to_here, way_up


def read_around(rules: str | os.PathLike[str], root: str | os.PathLike[str] | None = None) -> list[Protected] | None:
    """Return the accounts of all lists that apply to the rules at a path, or None if there is no list.

    If several levels list an account, the nearest level wins. Raises `RuleSetError` with every problem of every list, and of
    every directory that may contain one.
    """
    try:
        found = _Search(Path(rules), root)
    except ValueError as error:  # no path can have these characters
        raise RuleSetError([unreadable(error, Place(str(rules)))]) from None
    united: dict[int, Protected] = {}
    for level in found.levels:
        try:
            for each in read_protected(level, found.inside):
                united.setdefault(each.account, each)
        except RuleSetError as error:
            found.problems += error.problems
    if found.problems:
        raise RuleSetError(in_order(found.problems))
    return list(united.values()) if found.levels else None


class _Search:
    """The lists that apply to the rules at a path: first those beside and below, then those of each directory above.

    Links may lead to rules elsewhere inside the root. For these, the lists above their real place apply too.
    """

    def __init__(self, rules: Path, root: str | os.PathLike[str] | None) -> None:
        self.levels: list[list[Path]] = []
        self.problems: list[Problem] = []
        #: The real paths of lists in a level, and of searched directories.
        self._seen: set[str] = set()
        self._folders: set[str] = set()
        is_folder = os.path.isdir(rules)  # noqa: PTH112  # it never raises
        around = rules if is_folder else rules.parent
        real = Path(os.path.realpath(rules))
        # From a link there are two ways up: from its own directory, and from that of its target.
        ways = [way_up(Path(os.path.abspath(around)), root), way_up(real if is_folder else real.parent, root)]  # noqa: PTH100
        beside: list[Path] = []
        if is_folder:
            loaded = Root(rules, root)
            if not loaded.holds(str(real)):  # no rule is loaded, and the loader reports why
                loaded = Root(rules)
            below = files_below(rules, loaded, self.problems)
            beside = below.protected
            self._folders |= below.folders
            ways += (way_up(Path(folder), loaded.folder) for folder in _folders_of(below.rules, loaded))
        self.inside = _Roots(way[-1] for way in ways)
        self._add(beside or self._in(around))
        for folder in dict.fromkeys(folder for way in ways for folder in way):
            self._add(self._in(relative_to_here(folder)))

    def _add(self, files: Iterable[Path]) -> None:
        """Add one level, without the files of earlier levels and those outside the roots."""
        level = []
        for file in files:
            real = os.path.realpath(file)
            if real in self._seen:
                continue
            self._seen.add(real)
            if self.inside.holds(real):
                level.append(file)
            else:
                outside = " and ".join(quoted(str(relative_to_here(Path(top)))) for top in self.inside.folders)
                message = f"this list is a link to a file outside {outside}"
                self.problems.append(Problem("outside-rule-set", message, Place(str(file)), "put the list itself here"))
        if level:
            self.levels.append(level)

    def _in(self, folder: Path) -> list[Path]:
        """Return the lists in a directory, or an empty list if it was searched before.

        Unreadable lists are returned too, and refused when they are opened.
        """
        real = os.path.realpath(folder)
        if real in self._folders:
            return []
        self._folders.add(real)
        try:
            return sorted(filter(is_protected_list, folder.iterdir()))
        except OSError as error:
            self.problems.append(unreadable(error, Place(str(folder))))
            return []


class _Roots(Root):
    """Several roots as one. Every list is opened through it, so a list must still be inside a root when it is opened."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders = list(dict.fromkeys(map(os.path.realpath, dict.fromkeys(folders))))
        self._roots = [Root(folder) for folder in self.folders]
        super().__init__(self.folders[0])

    def holds(self, real: str) -> bool:
        return any(root.holds(real) for root in self._roots)


def _folders_of(files: Iterable[Path], root: Root) -> dict[str, None]:
    """Return the real directories of rule files."""
    found: dict[str, None] = {}
    for file in files:
        with suppress(OSError, ValueError):  # it is not loaded, and the loader reports why
            found[os.path.dirname(root.real(file))] = None  # noqa: PTH120
    return found
