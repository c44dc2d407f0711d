"""The files that make up a rule set, for programs that reload the rules when one of the files changes."""

from __future__ import annotations

import os
from pathlib import Path

from withhold.model.rule_set import RuleSet
from withhold.sources.files import files_below
from withhold.sources.root import Root
from withhold.watching import signature_at


class RuleFiles:
    """The rule file or the directory of rule files at an absolute path. Not thread-safe."""

    def __init__(self, path: Path) -> None:
        self.path = path
        #: The files that the last load tried to open, such as lists of ids, whether they existed or not.
        self._named: frozenset[str] = frozenset()

    def load(self) -> RuleSet:
        """Read the rules as `RuleSet.load` does. Raises its `RuleSetError`, also if nothing is at the path."""
        from withhold.sources.loader import load_inside  # loads the YAML parser, which a snapshot does not need

        root = _RecordingRoot(self.path)
        try:
            return load_inside(self.path, root)
        finally:
            self._named = frozenset(path for path in root.asked if not os.path.isdir(path))  # noqa: PTH112

    def signature(self) -> object:
        """Return a value that changes if any of the files changes, or if the rules have other files. O(files).

        Lists of ids that rules name are known only after `load`, so a load that finds new ones changes the signature.
        """
        files = {str(self.path), *self._named}
        if os.path.isdir(self.path):  # noqa: PTH112  # it never raises
            # A directory changes with files that are not rules, so its name is not among the files.
            files.discard(str(self.path))
            found = files_below(self.path, Root(self.path), [])
            files.update(map(str, (*found.rules, *found.protected)))
        found_now = ((file, signature_at(file)) for file in sorted(files))
        return tuple(each for each in found_now if each[1] is not None)


class _RecordingRoot(Root):
    """A root that records the paths that it is asked for."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked: set[str] = set()

    def real(self, path: str | os.PathLike[str]) -> str:
        self.asked.add(os.fspath(path))
        return super().real(path)
