"""`withhold list`: list the rules that match filters, such as those that end within 30 days."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from withhold.cli import options
from withhold.cli.configuration import Configuration
from withhold.cli.output import err, refuse, show
from withhold.cli.render import Format
from withhold.cli.render.wording import counted
from withhold.cli.results import Refusal, RulesResult
from withhold.errors import RuleSetError, TerritoryError, quoted
from withhold.lint.ids import union
from withhold.model import Reason, TerritorySet
from withhold.model.instants import in_iso
from withhold.model.protected import KnownProtected, Protected
from withhold.reports.search import Filters, matching
from withhold.snapshot.opened import is_snapshot
from withhold.territories import GROUPS, Resolved, expand, resolve_jurisdiction

_DURATION = re.compile(r"([0-9]{1,5})([hdw])", re.ASCII)
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def list_(
    rules: options.Rules,
    within: Annotated[
        str | None,
        typer.Option(
            "--in",
            metavar="CODE",
            help="Only rules that withhold in this territory or a part of it, such as IN, EU or a group of the rule files.",
        ),
    ] = None,
    demand: options.Demand = None,
    jurisdiction: Annotated[
        str | None, typer.Option("--jurisdiction", metavar="CODE", help="Only rules with this jurisdiction.")
    ] = None,
    reason: Annotated[Reason | None, typer.Option("--reason", help="Only rules for this reason.")] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="INSTANT",
            help="Only rules in force at this instant; with --beginning, --ending or --due, the start of their time. "
            "By default the time begins now, and rules that are not in force are listed too.",
        ),
    ] = None,
    beginning: Annotated[
        str | None,
        typer.Option(
            "--beginning", metavar="DURATION", help="Only rules that come into force within this time, such as 30d."
        ),
    ] = None,
    ending: Annotated[
        str | None,
        typer.Option("--ending", metavar="DURATION", help="Only rules that go out of force within this time."),
    ] = None,
    due: Annotated[
        str | None, typer.Option("--due", metavar="DURATION", help="Only rules to review within this time, or overdue.")
    ] = None,
    protected: Annotated[
        bool, typer.Option("--protected", help="Only rules that name an account of a protected.yaml.")
    ] = False,
    root: options.Root = None,
    no_config: options.NoConfig = False,
    form: Annotated[Format, options.formats(Format.CSV)] = Format.TEXT,
) -> None:
    """List the rules that match all filters, with their states and the numbers of accounts and tweets that they name.

    By default all rules are listed. A duration is a number of hours, days or weeks: 12h, 30d, 4w. A filter by date also
    sorts the rules by that date.
    """
    instant = options.instant_of(at) or datetime.now(UTC)
    dates = {
        name: None if text is None else _later(instant, text, f"--{name}")
        for name, text in (("beginning", beginning), ("ending", ending), ("due", due))
    }
    law = (
        None
        if jurisdiction is None
        else _read(jurisdiction, lambda text: [resolve_jurisdiction(text)], "--jurisdiction")[0]
    )
    configuration = options.configuration_of(rules, form, no_config=no_config)
    root = root or configuration.root
    accounts = _protected(rules, root, configuration, form) if protected else None
    loaded = options.load_rules(rules, root, form)
    groups = {**GROUPS, **loaded.groups}
    no_groups = "; a snapshot does not contain groups: give the rule files" if is_snapshot(rules) else ""
    where = (
        None if within is None else TerritorySet(_read(within, lambda text: expand(text, groups), "--in", no_groups))
    )
    filters = Filters(
        at=instant,
        in_force=at is not None and not any(dates.values()),
        within=where,
        demand=demand,
        jurisdiction=law,
        reason=reason,
        protected=None if accounts is None else {each.account: each for each in accounts},
        **dates,
    )
    found = matching(loaded, filters)
    counts = {"rules": len(found)}
    counts |= {kind: len(union(getattr(each.rule, kind) for each in found)) for kind in ("accounts", "tweets")}
    asked = {
        "in_force": filters.in_force,
        "in": None if where is None else str(where),
        "demand": demand,
        "jurisdiction": law,
        "reason": reason,
        **{f"{name}_by": in_iso(until) for name, until in dates.items()},
        "protected": None if accounts is None else len(accounts),
    }
    matched = (
        counted(**{kind.removesuffix("s"): count for kind, count in counts.items()}) if found else "no rule matches"
    )
    guard = "" if accounts is None else f"; {KnownProtected.of(accounts)}"
    show(RulesResult(instant, asked, found, counts, f"{matched}{guard}"), form)


def _read(text: str, read: Callable[[str], Iterable[Resolved]], name: str, note: str = "") -> list[str]:
    """Return the codes in an option. Print a warning for a code that was read as another one.

    The `note` is added to errors.
    """
    try:
        found = list(read(text))
    except TerritoryError as error:
        raise typer.BadParameter(f"{error}{note}", param_hint=f"'{name}'") from None
    for code, alias in found:
        if alias:
            err().print(f"warning: `{alias}` was read as `{code}` [territory-alias]", style="yellow")
    return [code for code, _ in found]


def _later(instant: datetime, text: str, name: str) -> datetime:
    """Return the instant a duration later, at most the last one that can be represented."""
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None:
        message = f"{quoted(text)} is not a duration; write hours, days or weeks, such as `12h`, `30d` or `4w`"
        raise typer.BadParameter(message, param_hint=f"'{name}'")
    try:
        return instant + timedelta(**{_UNITS[found[2]]: int(found[1])})
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _protected(rules: Path, root: Path | None, configuration: Configuration, form: Format) -> list[Protected]:
    """Return the accounts of the lists around the rules and in the configuration. Raise a usage error if there is no list."""
    try:
        accounts = options.protected_accounts(rules, root, configuration)
    except RuleSetError as error:
        raise refuse(Refusal(error, rules), form) from None
    if accounts is None:
        message = "a snapshot does not contain the accounts: give the rule files"
        if not is_snapshot(rules):
            message = "no list of protected accounts was found"
        raise typer.BadParameter(message, param_hint="'--protected'")
    return accounts
