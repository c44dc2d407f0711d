"""`withhold compile`: write a rule set as a snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from withhold.cli import options
from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import err, refuse, show
from withhold.cli.render import Format
from withhold.cli.results import CompileResult, Refusal
from withhold.errors import RuleSetError, escaped_path
from withhold.model.protected import KnownProtected
from withhold.snapshot import Snapshot
from withhold.snapshot.opened import is_snapshot
from withhold.sources import protected_beside


def compile_(
    rules: options.Rules,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write the snapshot.")],
    created: Annotated[
        str | None, typer.Option("--created", metavar="INSTANT", help="The time of creation to record in the file.")
    ] = None,
    root: options.Root = None,
    form: Annotated[Format, options.formats(CompileResult)] = Format.TEXT,
) -> None:
    """Write a rule set as a snapshot, a file to serve from. Exits with 4, and writes nothing, if it is refused.

    An existing snapshot is replaced atomically. The same rules from the same files give the same bytes. The snapshot
    records how many accounts are protected, but not which.
    """
    if output.exists() and not output.is_dir() and not is_snapshot(output):
        raise typer.BadParameter(f"{escaped_path(output)} exists, and is not a snapshot", param_hint="'--output'")
    when = options.instant_of(created, "--created")
    loaded = options.load_rules(rules, root, form)
    protected = _protected(rules, root, form)
    try:
        snapshot = Snapshot.compile(loaded, protected=protected)
        size = snapshot.save(output, created=when)
    except OSError as error:
        err.print(f"cannot write {escaped_path(output)}: {(error.strerror or str(error)).lower()}", style="red")
        raise typer.Exit(ExitCode.FAILURE) from None
    show(CompileResult(output, size, snapshot, loaded), form)


def _protected(rules: Path, root: Path | None, form: Format) -> KnownProtected | None:
    """Return how many accounts are protected; None if no list was read. Exit with `INVALID_RULES` if a list is refused.

    The number of a snapshot is the one that it records.
    """
    if is_snapshot(rules):
        return Snapshot.open(rules, verify="header").protected
    try:
        listed = protected_beside(rules, root)
    except RuleSetError as error:
        raise refuse(Refusal(error, rules), form) from None
    return None if listed is None else KnownProtected.of(listed)
