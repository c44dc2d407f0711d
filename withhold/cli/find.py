"""`withhold find`: list the rules that name an account, a tweet or a demand, with the lines that name it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from withhold.cli import options
from withhold.cli.output import show
from withhold.cli.render import Format
from withhold.cli.results import RulesResult
from withhold.errors import name_in_text
from withhold.model.ids import in_json
from withhold.reports.search import RuleAt, naming
from withhold.snapshot.opened import is_snapshot
from withhold.sources.mentions import Mentions


def find(
    rules: options.Rules,
    account: Annotated[str | None, typer.Option("--account", metavar="ID", help="The id of an account.")] = None,
    tweet: Annotated[str | None, typer.Option("--tweet", metavar="ID", help="The id of a tweet.")] = None,
    demand: Annotated[str | None, typer.Option("--demand", metavar="ID", help="The id of a demand.")] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="INSTANT", help="The instant for the states of the rules; by default now."),
    ] = None,
    root: options.Root = None,
    no_config: options.NoConfig = False,
    form: Annotated[Format, options.formats(Format.CSV)] = Format.TEXT,
) -> None:
    """List the rules that name an account, a tweet or a demand, in force or not, with the lines that name the id.

    A snapshot records the places of rules, but not the lines that name an id.
    """
    if [account, tweet, demand].count(None) != 2:
        raise typer.BadParameter("give exactly one of them", param_hint="'--account', '--tweet' or '--demand'")
    sought = {"account": options.id_of("--account", account), "tweet": options.id_of("--tweet", tweet)}
    instant = options.instant_of(at) or datetime.now(UTC)
    mentions = Mentions(**sought)
    read = options.load_snapshot if is_snapshot(rules) else options.load_rules
    root = root or options.configuration_of(rules, form, no_config=no_config).root
    found = naming(read(rules, root, form, mentions), **sought, demand=demand)
    listed = [RuleAt(rule, instant, mentions.of(rule.id)) for rule in found]
    asked = {**{kind: in_json(id_) for kind, id_ in sought.items()}, "demand": demand}
    (what,) = (f"{kind} {name_in_text(text)}" for kind, text in asked.items() if text is not None)
    count = len(found)
    names = f"{count:,} rules name" if count > 1 else f"{count or 'no'} rule names"
    show(RulesResult(instant, asked, listed, {"rules": count}, f"{names} {what}"), form)
