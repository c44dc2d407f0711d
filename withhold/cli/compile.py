"""`withhold compile`: write a rule set as a snapshot."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from withhold.cli import options
from withhold.cli.configuration import Configuration
from withhold.cli.output import refuse, show
from withhold.cli.render import Format
from withhold.cli.results import CompileResult, Guard, Refusal
from withhold.cli.writing import cannot_write, check_folder
from withhold.errors import RuleSetError, escaped_path
from withhold.model.protected import KnownProtected
from withhold.snapshot import Snapshot
from withhold.snapshot.opened import is_snapshot


def compile_(
    rules: options.Rules,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write the snapshot.")],
    created: Annotated[
        str | None, typer.Option("--created", metavar="INSTANT", help="The time of creation to record in the file.")
    ] = None,
    root: options.Root = None,
    no_config: options.NoConfig = False,
    form: Annotated[Format, options.formats()] = Format.TEXT,
) -> None:
    """Write a rule set as a snapshot, the file to deploy. If the rule set is refused, write nothing and exit with 4.

    An existing snapshot is replaced atomically. The same rules from the same files give the same bytes. The snapshot
    records how many accounts are protected, but not which ones. It records no number if no list was read, as when RULES
    is a snapshot.
    """
    check_folder(output)
    if os.path.exists(output) and not os.path.isdir(output) and not is_snapshot(output):  # noqa: PTH110, PTH112
        raise typer.BadParameter(f"{escaped_path(output)} exists, and is not a snapshot", param_hint="'--output'")
    when = options.instant_of(created, "--created")
    configuration = options.configuration_of(rules, form, no_config=no_config)
    root = root or configuration.root
    loaded = options.load_rules(rules, root, form)
    guard = known_protection(rules, root, configuration, form)
    try:
        snapshot = Snapshot.compile(loaded, protected=guard.here)
        size = snapshot.save(output, created=when)
    except OSError as error:
        raise cannot_write(output, error) from None
    show(CompileResult(output, size, snapshot, loaded, guard), form)


def known_protection(rules: Path, root: Path | None, configuration: Configuration, form: Format) -> Guard:
    """Return the known lists of protected accounts. Exit with `INVALID_RULES` if a list is refused.

    For a snapshot, the recorded number is only repeated. No list is read, because the snapshot may come from somebody
    else.
    """
    if is_snapshot(rules):
        return Guard(None, Snapshot.open(rules, verify="header").protected)
    try:
        accounts = options.protected_accounts(rules, root, configuration)
    except RuleSetError as error:
        raise refuse(Refusal(error, rules), form) from None
    return Guard(None if accounts is None else KnownProtected.of(accounts))
