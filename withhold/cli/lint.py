"""`withhold lint`: can this rule set be loaded, and does it say what was meant?"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated, assert_never

import typer

from withhold.cli import options
from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import Format, counted, out, print_json, print_problems, problem_to_dict, refuse_rules
from withhold.cli.sarif import sarif_of
from withhold.errors import Problem, RuleSetError, in_order
from withhold.lint import Protected
from withhold.lint import lint as advise
from withhold.lint.protected_accounts_must_not_be_withheld import CHECK as PROTECTED
from withhold.model import RuleSet
from withhold.snapshot.opened import is_snapshot
from withhold.sources import load_protected, protected_beside


class LintFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


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
            help="Accounts not to be withheld; else each protected.yaml that lies beside the rules.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    form: Annotated[LintFormat, typer.Option("--format", help="How to print the answer.")] = LintFormat.TEXT,
) -> None:
    """Load a rule set, report every problem of every file, and give advice on its rules.

    Exits with 4 if it is refused, and else with 1 if there is an error among the advice, or what --fail-on says.
    """
    try:
        loaded, listed, problems = _read(rules, protected)
    except RuleSetError as error:
        if form is LintFormat.SARIF:
            print_json(sarif_of(error.problems, rules))
            raise typer.Exit(ExitCode.INVALID_RULES) from None
        raise refuse_rules(error, Format(form), out) from None
    match form:
        case LintFormat.SARIF:
            print_json(sarif_of(problems, rules))
        case LintFormat.JSON:
            print_json(_to_dict(loaded, listed, problems, fine=not _failing(problems, fail_on)))
        case LintFormat.TEXT:
            print_problems(problems, out)
            out.print(_summary(loaded, problems, fail_on))
            if listed is None and any(code == PROTECTED.code for rule in loaded for code, _ in rule.override):
                hint = f"an override of `{PROTECTED.code}` counts on one; name it with --protected"
                out.print(f"no list of protected accounts was read: {hint}", style="yellow")
        case _:
            assert_never(form)
    raise typer.Exit(ExitCode.FAILURE if _failing(problems, fail_on) else ExitCode.FINE)


def _read(path: Path, protected: Path | None) -> tuple[RuleSet, list[Protected] | None, list[Problem]]:
    """Return the rules, who is protected, and what is to be said; raises `RuleSetError` with the problems of all files."""
    refused: list[RuleSetError] = []
    loaded, listed = RuleSet(), None
    try:
        loaded = options.read_rules(path)
    except RuleSetError as error:
        refused.append(error)
    try:
        if protected is not None:
            listed = load_protected(protected)
        elif not is_snapshot(path):
            listed = protected_beside(path)
    except RuleSetError as error:
        refused.append(error)
    if refused:
        problems = in_order(problem for error in refused for problem in error.problems)
        first = refused[0]
        raise RuleSetError(problems, first.read or len(loaded), first.refused)
    return loaded, listed, in_order([*loaded.warnings, *advise(loaded, listed)])


def _failing(problems: list[Problem], fail_on: Failing) -> bool:
    worst_first = list(Failing)
    return any(worst_first.index(Failing(problem.severity)) <= worst_first.index(fail_on) for problem in problems)


def _to_dict(
    loaded: RuleSet, listed: list[Protected] | None, problems: list[Problem], *, fine: bool
) -> dict[str, object]:
    accounts, tweets = options.count_ids(loaded)
    return {
        "valid": True,  # it loads
        "fine": fine,
        "rules": len(loaded),
        "accounts": accounts,
        "tweets": tweets,
        "protected": None if listed is None else len(listed),
        "digest": loaded.digest,
        "problems": [problem_to_dict(problem) for problem in problems],
    }


def _summary(loaded: RuleSet, problems: list[Problem], fail_on: Failing) -> str:
    accounts, tweets = options.count_ids(loaded)
    files = len({rule.place.file for rule in loaded if rule.place})
    read = counted(rule=len(loaded), file=files, account=accounts, tweet=tweets)
    by_severity: Counter[str] = Counter(problem.severity for problem in problems)
    told = counted(**{severity: by_severity[severity] for severity in Failing if by_severity[severity]})
    verdict = "not fine" if _failing(problems, fail_on) else "fine"
    return f"{verdict}: {read}, revision {loaded.revision}{f'; {told}' if told else ''}"
