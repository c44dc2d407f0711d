"""The configuration of the commands: `withhold.toml`, or the table `[tool.withhold]` in `pyproject.toml`.

Like the rules, it may come from somebody else. So it changes advice but never the rules, and no path in it leads out of
its directory.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo

from withhold.cli.codes import explained
from withhold.cli.results import FailOn
from withhold.errors import Place, Problem, RuleSetError, did_you_mean, in_order, quoted
from withhold.lint import CHECKS
from withhold.lint.protected_account import CHECK as PROTECTED
from withhold.model import Policy, Settle
from withhold.parsing.nodes import Node
from withhold.parsing.strict import Flag, OneOrMore, Sparse, one_of, problem, read_model, reads
from withhold.parsing.toml_file import read_toml
from withhold.sources.files import decoded, unreadable
from withhold.sources.protected_lists import relative_to_here, way_up
from withhold.sources.root import Root, check_relative

#: The names of the files, each with the table that has the settings.
_FILES: Mapping[str, tuple[str, ...]] = {"withhold.toml": (), "pyproject.toml": ("tool", "withhold")}
_CODES = [check.code for check in CHECKS]


def _check(text: str, _: ValidationInfo) -> str:
    if text == PROTECTED.code:
        hint = "add an override to the rule, which states who decided this and why"
        raise problem("not-configurable", f"`{text}` can only be overridden rule by rule", hint)
    if text in explained() and text not in _CODES:
        message = f"`{text}` is the code of a problem that cannot be silenced"
        raise problem("not-configurable", message, "name a check of `withhold lint`")
    if text not in _CODES:
        raise problem("unknown-check", f"there is no check {quoted(text)}", did_you_mean(text, _CODES))
    return text


def _path(text: str, info: ValidationInfo) -> str:
    if not text.strip():
        raise problem("bad-text", "the path is empty", "write `.` for the directory of this file")
    try:
        _real(text, Path(str(info.context)))
    except (OSError, ValueError) as error:
        found = unreadable(error, "", f" {quoted(text)}")
        hint = "write a path relative to this file, with `/`, to something below its directory"
        raise problem(found.code, found.message, hint) from None
    return text


def _real(text: str, folder: Path) -> Path:
    """Return the real path of a path below a directory. Raises `OSError` or `ValueError` if there is no such path."""
    check_relative(text)
    return Path(os.path.realpath(Root(folder).real(folder / text), strict=True))


_Check = Annotated[str, reads(_check, str)]
_PathBelow = Annotated[str, reads(_path, str)]
_Severity = Annotated[FailOn, one_of(FailOn, "severity")]


class _Policy(Sparse):
    called, written = "`policy`", 'policy = {unknown-location = "show"}'

    unknown_location: Annotated[Settle, one_of(Settle)] = Field(Settle.SHOW, alias="unknown-location")
    author_sees_own: Flag = Field(False, alias="author-sees-own")


class ConfigurationEntry(Sparse):
    """The configuration of `withhold`."""

    called, written, assigns = "the configuration", "[tool.withhold]", " = "

    fail_on: _Severity | None = Field(
        None, alias="fail-on", description="The lowest severity at which `withhold lint` fails."
    )
    root: _PathBelow | None = Field(None, description="Open no file outside this directory.")
    protected: Annotated[tuple[_PathBelow, ...], OneOrMore] = Field(
        (), description="Further lists of protected accounts, besides those near the rules."
    )
    policy: _Policy | None = Field(None, description="The policy of `check`, `explain`, `diff` and `scan`.")
    severity: dict[_Check, _Severity] = Field({}, description="The severities of checks.")
    ignore: dict[_PathBelow, Annotated[tuple[_Check, ...], OneOrMore]] = Field(
        {}, description="The checks that are ignored in a directory or a file."
    )


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
    entry, problems = read_model(ConfigurationEntry, node, file.parent)
    if entry is None or problems:
        raise RuleSetError(in_order(problems))
    return Configuration(
        path=relative_to_here(file),
        fail_on=entry.fail_on or FailOn.ERROR,
        root=None if entry.root is None else relative_to_here(_real(entry.root, file.parent)),
        protected=tuple(relative_to_here(_real(path, file.parent)) for path in entry.protected),
        policy=Policy(**entry.policy.model_dump()) if entry.policy else Policy(),
        severity=entry.severity,
        ignored=frozenset((_real(path, file.parent), code) for path, codes in entry.ignore.items() for code in codes),
    )
