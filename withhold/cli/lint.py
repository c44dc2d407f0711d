"""`withhold lint`: report the problems of a rule set, and advice on its rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from withhold.cli import options
from withhold.cli.configuration import Configuration, read_configuration
from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import out, refuse, show
from withhold.cli.render import Format
from withhold.cli.results import FailOn, Guard, LintResult, Refusal
from withhold.errors import RuleSetError, SnapshotError, in_order
from withhold.lint import Protected
from withhold.lint import lint as advise
from withhold.model import RuleSet
from withhold.model.protected import KnownProtected
from withhold.snapshot import Snapshot
from withhold.snapshot.opened import is_snapshot
from withhold.sources import load_protected


def lint(
    rules: options.Rules,
    fail_on: Annotated[
        FailOn | None,
        typer.Option("--fail-on", help="The lowest severity that makes the exit status 1. [default: error]"),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="INSTANT", help="Report reviews that were due by this instant; by default now."),
    ] = None,
    protected: Annotated[
        Path | None,
        typer.Option(
            "--protected",
            metavar="FILE",
            help="A list of protected accounts; by default, each protected.yaml beside, below or above the rules, "
            "and the lists in the configuration.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    root: options.Root = None,
    no_config: options.NoConfig = False,
    form: Annotated[Format, options.formats(Format.SARIF)] = Format.TEXT,
) -> None:
    """Load a rule set, report every problem of every file, and give advice on its rules.

    Exits with 4 if the rule set is refused, and with 1 if any advice has at least the severity of --fail-on.
    """
    instant = options.instant_of(at)
    refused: list[RuleSetError] = []
    configuration = _configured(rules, refused, no_config=no_config)
    unconfigured = list(refused)
    root = root or configuration.root
    accounts = _find_protected(rules, root, protected, configuration, refused)
    loaded = _loaded(rules, root, refused)
    guard = _guard(rules, accounts)
    if refused:
        what = "the configuration" if refused == unconfigured else "the rule set"
        note = f"{guard}; {options.NO_CONFIG}" if unconfigured else str(guard)
        raise refuse(Refusal(_merged(refused, loaded), rules, note, guard.to_dict(), what), form, out())
    advice, suppressed = configuration.applied(advise(loaded, accounts, at=instant))
    problems = in_order([*loaded.warnings, *advice])
    result = LintResult(
        rules, loaded, guard, problems, fail_on or configuration.fail_on, configuration.path, tuple(suppressed)
    )
    show(result, form)
    raise typer.Exit(ExitCode.FINE if result.fine else ExitCode.FAILURE)


def _configured(rules: Path, refused: list[RuleSetError], *, no_config: bool) -> Configuration:
    """Return the configuration. If it is refused, add the error to `refused`."""
    try:
        return Configuration() if no_config else read_configuration(rules)
    except RuleSetError as error:
        refused.append(error)
        return Configuration()


def _guard(rules: Path, accounts: list[Protected] | None) -> Guard:
    """Return the lists of protected accounts that are known here and in a snapshot."""
    here = None if accounts is None else KnownProtected.of(accounts)
    try:
        return Guard(here, Snapshot.open(rules, verify="header").protected if is_snapshot(rules) else None)
    except SnapshotError:  # it is reported with the other problems
        return Guard(here)


def _find_protected(
    path: Path, root: Path | None, protected: Path | None, configuration: Configuration, refused: list[RuleSetError]
) -> list[Protected] | None:
    """Return the protected accounts, or None if no list was read, as for a snapshot. Add a refused list to `refused`."""
    try:
        if protected is not None:
            return load_protected(protected)
        return options.protected_accounts(path, root, configuration)
    except RuleSetError as error:
        refused.append(error)
        return None


def _loaded(path: Path, root: Path | None, refused: list[RuleSetError]) -> RuleSet:
    """Return the rules. If they are refused, add the error to `refused` and return an empty rule set."""
    try:
        return options.read_rules(path, root)
    except RuleSetError as error:
        refused.append(error)
        return RuleSet()


def _merged(refused: list[RuleSetError], loaded: RuleSet) -> RuleSetError:
    """Return the problems of the rules and the lists as one error, with the counts of the rules."""
    problems = in_order(problem for error in refused for problem in error.problems)
    of_rules = refused[-1]  # the configuration and the lists come first
    return RuleSetError(problems, of_rules.read or len(loaded), of_rules.refused)
