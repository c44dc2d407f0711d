"""Where lists of protected accounts are found: beside and below the rules, and above them up to the top of the repository.

Those above are the repository owner's, so they hold for all rules below; whoever writes rules cannot turn them off.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from withhold.errors import Place, Problem, RuleSetError, in_order, quoted
from withhold.model.protected import Protected
from withhold.sources.files import DEEPEST, is_protected_list, unreadable
from withhold.sources.protected import read_protected


def read_around(rules: str | os.PathLike[str], root: str | os.PathLike[str] | None = None) -> list[Protected] | None:
    """Return the accounts of all lists that concern the rules at a path, each once; None if there is no list.

    Where several levels list an account, the nearest counts. Raises `RuleSetError` with every problem of every list.
    """
    found = _Search(Path(rules), root)
    united: dict[int, Protected] = {}
    for level in found.levels:
        try:
            for each in read_protected(level):
                united.setdefault(each.account, each)
        except RuleSetError as error:
            found.problems += error.problems
    if found.problems:
        raise RuleSetError(in_order(found.problems))
    return list(united.values()) if found.levels else None


class _Search:
    """The lists that concern the rules at a path: first those beside and below, then those of each folder above."""

    def __init__(self, rules: Path, root: str | os.PathLike[str] | None) -> None:
        self.levels: list[list[Path]] = []
        self.problems: list[Problem] = []
        #: The real paths of lists that are in a level, and of folders that were listed.
        self._seen: set[str] = set()
        self._folders: set[str] = set()
        is_folder = os.path.isdir(rules)  # noqa: PTH112  # which raises nothing
        around = rules if is_folder else rules.parent
        real = Path(os.path.realpath(rules))
        # Above a link there are two ways up: from where it is, and from where it leads.
        ways = [_way_up(Path(os.path.abspath(around)), root), _way_up(real if is_folder else real.parent, root)]  # noqa: PTH100
        self._tops = [Path(os.path.realpath(way[-1])) for way in ways]
        self._add(self._below(around) if is_folder else self._in(around))
        for folder in (folder for way in ways for folder in way):
            self._add(self._in(_near(folder)))

    def _add(self, files: Iterator[Path]) -> None:
        """Add one level, less the files that are in it already and those that lie outside."""
        level = []
        for file in sorted(files, key=lambda file: file.parts):
            real = os.path.realpath(file)
            if real in self._seen:
                continue
            self._seen.add(real)
            if self._is_inside(real):
                level.append(file)
            else:
                outside = " and ".join(quoted(str(_near(top))) for top in dict.fromkeys(self._tops))
                message = f"this list is a link out of {outside}"
                self.problems.append(Problem("outside-rule-set", message, Place(str(file)), "put the list itself here"))
        if level:
            self.levels.append(level)

    def _in(self, folder: Path) -> Iterator[Path]:
        """Yield the lists in a folder; a list that cannot be read is one too, and is refused when it is opened."""
        return filter(is_protected_list, self._entries(folder))

    def _below(self, folder: Path) -> Iterator[Path]:
        """Yield the lists in a folder and below it, as deep as rules are read; what lies outside is not looked at."""
        todo = [(folder, 0)]
        while todo:
            folder, depth = todo.pop()
            for entry in self._entries(folder):
                if entry.name.startswith("."):
                    continue
                if is_protected_list(entry):
                    yield entry
                elif depth < DEEPEST and os.path.isdir(entry) and self._is_inside(os.path.realpath(entry)):  # noqa: PTH112
                    todo.append((entry, depth + 1))

    def _is_inside(self, real: str) -> bool:
        return any(Path(real).is_relative_to(top) for top in self._tops)

    def _entries(self, folder: Path) -> list[Path]:
        """Return what is in a folder, once, however many links and ways lead there."""
        real = os.path.realpath(folder)
        if real in self._folders:
            return []
        self._folders.add(real)
        try:
            return sorted(folder.iterdir())
        except OSError as error:
            self.problems.append(unreadable(error, Place(str(folder))))
            return []


def _way_up(folder: Path, root: str | os.PathLike[str] | None) -> list[Path]:
    """Return a folder and those above it up to the one that holds `.git`; without a repository, up to the root."""
    way = [folder, *folder.parents]
    ends = [at for at, above in enumerate(way) if os.path.lexists(above / ".git")]
    if not ends and root is not None:
        real = os.path.realpath(root)
        ends = [at for at, above in enumerate(way) if os.path.realpath(above) == real]
    return way[: ends[0] + 1] if ends else way[:1]


def _near(folder: Path) -> Path:
    """Return a folder as messages show it: relative to the current one if it is that or lies below it."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder
