"""`withhold lint`: can this rule set be loaded, and does it say what was meant?"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from withhold.cli import options
from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import (
    Format,
    counted,
    out,
    print_json,
    print_problems,
    problem_to_dict,
    protection_to_dict,
)
from withhold.cli.refusal import refuse
from withhold.cli.sarif import sarif_of
from withhold.errors import Problem, RuleSetError, SnapshotError, in_order
from withhold.lint import Protected
from withhold.lint import lint as advise
from withhold.lint.protected_account import CHECK as PROTECTED
from withhold.model import RuleSet
from withhold.model.protected import KnownProtected, protection
from withhold.snapshot import Snapshot
from withhold.snapshot.opened import is_snapshot
from withhold.sources import load_protected, protected_beside


class Failing(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


def lint(
    rules: options.Rules,
    fail_on: Annotated[
        Failing, typer.Option("--fail-on", help="The least of the advice that makes the exit status 1.")
    ] = Failing.ERROR,
    protected: Annotated[
        Path | None,
        typer.Option(
            "--protected",
            metavar="FILE",
            help="Accounts not to be withheld; else each protected.yaml beside, below or above the rules.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    root: options.Root = None,
    form: Annotated[Format, options.formats(Format.TEXT, Format.JSON, Format.SARIF)] = Format.TEXT,
) -> None:
    """Load a rule set, report every problem of every file, and give advice on its rules.

    Exits with 4 if it is refused, and else with 1 if there is an error among the advice, or what --fail-on says.
    """
    refused: list[RuleSetError] = []
    listed = _find_protected(rules, root, protected, refused)
    loaded = _loaded(rules, root, refused)
    guard = _Guard.of(rules, listed)
    if refused:
        raise refuse(_together(refused, loaded), form, rules, out, note=str(guard), more=guard.to_dict())
    problems = in_order([*loaded.warnings, *advise(loaded, listed)])
    if form is Format.SARIF:
        print_json(sarif_of(problems, rules, str(guard)))
    elif form is Format.JSON:
        print_json(_to_dict(loaded, guard, problems, fail_on))
    else:
        print_problems(problems, out)
        out.print(_summary(loaded, guard, problems, fail_on))
        if listed is None and any(code == PROTECTED.code for rule in loaded for code, _ in rule.override):
            hint = f"an override of `{PROTECTED.code}` counts on one; name it with --protected"
            out.print(f"no list of protected accounts was read: {hint}", style="yellow")
    raise typer.Exit(ExitCode.FAILURE if _failing(problems, fail_on) else ExitCode.FINE)


class _Guard(NamedTuple):
    """The protected accounts that are known here, and those that a snapshot was compiled with."""

    here: KnownProtected | None
    compiled: KnownProtected | None = None

    @classmethod
    def of(cls, rules: Path, listed: list[Protected] | None) -> _Guard:
        here = None if listed is None else KnownProtected.of(listed)
        try:
            return cls(here, Snapshot.open(rules, verify="header").protected if is_snapshot(rules) else None)
        except SnapshotError:  # which is among the problems
            return cls(here)

    def to_dict(self) -> dict[str, object]:
        compiled = self.compiled and self.compiled._asdict()
        return {**protection_to_dict(self.here), "protection": str(self), "compiled_with": compiled}

    def __str__(self) -> str:
        if self.compiled is None or self.compiled == self.here:
            return protection(self.here)
        lists = self.compiled if self.here is None else f"other lists ({self.compiled})"
        return f"{protection(self.here)}; the snapshot was compiled with {lists}"


def _find_protected(
    path: Path, root: Path | None, protected: Path | None, refused: list[RuleSetError]
) -> list[Protected] | None:
    """Return who is protected, None if no list was read; of a snapshot it is not known. Lists may be refused."""
    try:
        if protected is not None:
            return load_protected(protected)
        return None if is_snapshot(path) else protected_beside(path, root)
    except RuleSetError as error:
        refused.append(error)
        return None


def _loaded(path: Path, root: Path | None, refused: list[RuleSetError]) -> RuleSet:
    try:
        return options.read_rules(path, root)
    except RuleSetError as error:
        refused.append(error)
        return RuleSet()


def _together(refused: list[RuleSetError], loaded: RuleSet) -> RuleSetError:
    """Return the problems of rules and of lists as one error, with the counts of the rules."""
    problems = in_order(problem for error in refused for problem in error.problems)
    of_rules = refused[-1]  # the lists come first
    return RuleSetError(problems, of_rules.read or len(loaded), of_rules.refused)


def _failing(problems: list[Problem], fail_on: Failing) -> bool:
    worst_first = list(Failing)
    return any(worst_first.index(Failing(problem.severity)) <= worst_first.index(fail_on) for problem in problems)


def _to_dict(loaded: RuleSet, guard: _Guard, problems: list[Problem], fail_on: Failing) -> dict[str, object]:
    accounts, tweets = options.count_ids(loaded)
    return {
        "valid": True,  # it loads
        "fine": not _failing(problems, fail_on),
        "fail_on": fail_on,
        "rules": len(loaded),
        "files": _count_files(loaded),
        "accounts": accounts,
        "tweets": tweets,
        **guard.to_dict(),
        "revision": loaded.revision,
        "digest": loaded.digest,
        "problems": [problem_to_dict(problem) for problem in problems],
    }


def _count_files(loaded: RuleSet) -> int:
    return len({rule.place.file for rule in loaded if rule.place})


def _summary(loaded: RuleSet, guard: _Guard, problems: list[Problem], fail_on: Failing) -> str:
    accounts, tweets = options.count_ids(loaded)
    read = counted(rule=len(loaded), file=_count_files(loaded), account=accounts, tweet=tweets)
    by_severity: Counter[str] = Counter(problem.severity for problem in problems)
    told = counted(**{severity: by_severity[severity] for severity in Failing if by_severity[severity]})
    verdict = "not fine" if _failing(problems, fail_on) else "fine"
    return f"{verdict}: {read}, revision {loaded.revision}; {guard}{f'; {told}' if told else ''}"
