"""The configuration of the commands: `withhold.toml`, or the table `[tool.withhold]` in `pyproject.toml`.

Like the rules, it may come from somebody else. So it changes advice but never the rules, and no path in it leads out of
its directory.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from withhold.cli.results import FailOn
from withhold.errors import Place, Problem, RuleSetError, in_order
from withhold.model import Policy
from withhold.parsing.nodes import Node
from withhold.parsing.toml_file import read_toml
from withhold.sources.files import decoded, unreadable
from withhold.sources.root import Root, relative_to_here, way_up

#: The names of the files, each with the table that has the settings.
_FILES: Mapping[str, tuple[str, ...]] = {"withhold.toml": (), "pyproject.toml": ("tool", "withhold")}


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings of a file, or the defaults if there is no file."""

    path: Path | None = None
    fail_on: FailOn = FailOn.ERROR
    root: Path | None = None
    protected: tuple[Path, ...] = ()
    policy: Policy = field(default_factory=Policy)
    severity: Mapping[str, FailOn] = field(default_factory=dict)
    #: The ignored checks, each with the real path where it is ignored.
    ignored: frozenset[tuple[Path, str]] = frozenset()

    def applied(self, advice: Iterable[Problem]) -> tuple[list[Problem], list[Problem]]:
        """Return the remaining advice, with the configured severities, and the suppressed advice."""
        kept: list[Problem] = []
        suppressed: list[Problem] = []
        for each in advice:
            severity = self.severity.get(each.code)
            found = each if severity is None else replace(each, severity=severity.value)
            (suppressed if self._ignores(found) else kept).append(found)
        return kept, suppressed

    def _ignores(self, found: Problem) -> bool:
        folders = [path for path, code in self.ignored if code == found.code]
        if not folders or found.place is None or isinstance(found.place, str):
            return False
        file = Path(os.path.realpath(found.place.file))
        return any(file.is_relative_to(folder) for folder in folders)


def read_configuration(rules: Path) -> Configuration:
    """Return the nearest configuration beside or above the rules at a path, or above their real place if it is a link.

    The search ends at the directory with `.git`. Outside a repository it ends at the current directory or, if the rules
    are not below that, at their own directory. Raises `RuleSetError` with all problems of the configuration.
    """
    real = Path(os.path.realpath(rules))
    way = way_up(real if real.is_dir() else real.parent, Path.cwd())
    for folder in way:
        files = {folder / name: table for name, table in _FILES.items() if os.path.lexists(folder / name)}
        found = [
            (file, node) for file, table in files.items() if (node := _node(file, table, Root(way[-1]))) is not None
        ]
        if len(found) > 1:
            message = f"there are settings in `{found[0][0].name}` too"
            raise RuleSetError([Problem("two-configurations", message, found[1][1].place, "keep one of the two")])
        if found:
            return _made(*found[0])
    return Configuration()


def _node(file: Path, table: tuple[str, ...], root: Root) -> Node | None:
    """Return the table of a file, or None if it does not have it. Raises `RuleSetError` if it cannot be read."""
    shown = relative_to_here(file)
    try:
        return read_toml(decoded(root.read(file), shown), str(shown), table)
    except (OSError, ValueError) as error:
        if isinstance(error, RuleSetError):
            raise
        raise RuleSetError([unreadable(error, Place(str(shown)))]) from None


def _made(file: Path, node: Node) -> Configuration:
    from withhold.cli.configuration_entry import ConfigurationEntry, real_path  # it loads the checks of `lint`
    from withhold.parsing.strict import read_model

    entry, problems = read_model(ConfigurationEntry, node, file.parent)
    if entry is None or problems:
        raise RuleSetError(in_order(problems))
    return Configuration(
        path=relative_to_here(file),
        fail_on=entry.fail_on or FailOn.ERROR,
        root=None if entry.root is None else relative_to_here(real_path(entry.root, file.parent)),
        protected=tuple(relative_to_here(real_path(path, file.parent)) for path in entry.protected),
        policy=Policy(**entry.policy.model_dump()) if entry.policy else Policy(),
        severity=entry.severity,
        ignored=frozenset(
            (real_path(path, file.parent), code) for path, codes in entry.ignore.items() for code in codes
        ),
    )
