"""The options that the commands on legal demands share, and the way in which commands that record are run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from withhold.cli import options
from withhold.cli.opening import opened
from withhold.cli.output import show
from withhold.cli.progress import advance, progress
from withhold.cli.render import Format
from withhold.cli.results import DiffResult, RecordedResult, TableResult
from withhold.demands.transitions import TargetState
from withhold.errors import quoted
from withhold.reports import Side, differences, summarize
from withhold.snapshot import Snapshot

if TYPE_CHECKING:
    from withhold.demands.commands import Clerk, Done
    from withhold.ledger import Ledger

DemandId = Annotated[str, typer.Argument(metavar="DEMAND", help="The id of a demand, such as IN-D1.")]
Entries = Annotated[
    str | None,
    typer.Option(
        "--targets",
        metavar="NUMBERS",
        help="Numbers of entries, such as 1-100,205, or a state, such as lifted. "
        "By default all entries to which the command applies.",
    ),
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="The reason, which is kept in the ledger.")]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="INSTANT", help="The instant at which it takes effect; by default now."),
]
Override = Annotated[
    list[str] | None,
    typer.Option("--override", metavar="CODE=REASON", help="Override a safeguard, with a reason; may be repeated."),
]
Protected = Annotated[
    Path | None,
    typer.Option(
        "--protected",
        metavar="FILE",
        envvar="WITHHOLD_PROTECTED",
        help="A list of protected accounts, in addition to protected.yaml in this directory or above it in the repository and to "
        "the lists in the configuration.",
        exists=True,
        dir_okay=False,
    ),
]

_Actor = Annotated[
    str,
    typer.Option(
        "--actor",
        metavar="NAME",
        envvar="WITHHOLD_ACTOR",
        help="The name of the person who records this; nothing verifies it.",
    ),
]
_Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="TEXT",
        help="A key that makes the command safe to repeat: with the same key, it is recorded once.",
    ),
]
_History = Annotated[
    str | None,
    typer.Option(
        "--history", metavar="REASON", help="Allow --at to be in the past, for this reason; the record is marked."
    ),
]
_DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Record nothing, and list the accounts and tweets that would get a different outcome."
    ),
]


@dataclass(frozen=True, slots=True)
class Session:
    """The ledger of a command, and the clerk."""

    ledger: Ledger
    clerk: Clerk


def records(command: Callable[..., Done]) -> Callable[..., None]:
    """Return a command with the options that all recording commands share.

    `command` gets a `Session` before its own options.
    """
    shared: dict[str, tuple[Any, Any]] = {
        "ledger": (options.LedgerUrl, inspect.Parameter.empty),
        "actor": (_Actor, inspect.Parameter.empty),
        "key": (_Key, None),
        "history": (_History, None),
        "dry_run": (_DryRun, False),
        "form": (Annotated[Format, options.formats()], Format.TEXT),
    }

    @wraps(command)
    def run(**given: Any) -> None:
        url, actor, key, history, dry_run, form = (given.pop(name) for name in shared)
        create = given.get("create", False)
        with opened(url, form, create=create) as ledger:
            from withhold.demands.commands import Clerk

            with progress("recording") as bar:
                clerk = Clerk(actor, key, history, dry_run, progress=partial(advance, bar))
                done = command(Session(ledger, clerk), **given)
        result = RecordedResult(done.to_dict(), str(done))
        if done.before is not None and done.after is not None:
            result = RecordedResult(done.to_dict(), str(done), _difference(done))
        show(result, form)

    hints = get_type_hints(command, include_extras=True, localns={"Session": Session, "Done": object})
    own = list(inspect.signature(command).parameters.values())[1:]
    parameters = [each.replace(annotation=hints[each.name], kind=inspect.Parameter.KEYWORD_ONLY) for each in own]
    parameters += [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=hint, default=default)
        for name, (hint, default) in shared.items()
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _difference(done: Done) -> DiffResult:
    assert done.before is not None  # noqa: S101
    assert done.after is not None  # noqa: S101
    before, after = Snapshot.compile(done.before), Snapshot.compile(done.after)
    sides = Side("as recorded", before.revision, "ledger"), Side("with this command", after.revision, "ledger")
    return DiffResult(summarize(*sides, differences(before, after)), whole=False, audit=False)


def chosen(text: str | None) -> set[int] | TargetState | None:
    """Return the targets that `--targets` names. Raise a usage error if it is malformed."""
    if text is None:
        return None
    if text in list(TargetState):
        return TargetState(text)
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isdecimal() and first.isascii() and (not dash or (last.isdecimal() and last.isascii()))):
            message = f"{quoted(part)} is neither a number, nor a range, nor a state"
            raise typer.BadParameter(message, param_hint="'--targets'")
        start, end = int(first), int(last or first)
        if not start <= end <= start + 1_000_000:
            raise typer.BadParameter(f"{quoted(part)} is not a range", param_hint="'--targets'")
        found.update(range(start, end + 1))
    return found


def overrides(given: Sequence[str] | None) -> dict[str, str]:
    """Return the overrides, each with its reason. Raise a usage error for an override without a reason."""
    found = {}
    for text in given or ():
        code, _, reason = text.partition("=")
        if not reason.strip():
            raise typer.BadParameter(f"{quoted(text)} has no reason; write CODE=REASON", param_hint="'--override'")
        found[code.strip()] = reason.strip()
    return found


def moment(text: str | None) -> dict[str, Any] | None:
    """Return a date or an instant that may be in the past, as the ledger keeps it."""
    from withhold.demands.fields import Moment, json_values
    from withhold.errors import Place
    from withhold.parsing.nodes import Node
    from withhold.parsing.strict import read_model

    if text is None:
        return None
    place = Place("--at")
    found, problems = read_model(Moment, Node(place, pairs=[(Node(place, "at"), Node(place, options.with_now(text)))]))
    if found is None or problems:
        raise typer.BadParameter(str(problems[0].message), param_hint="'--at'")
    return dict(json_values(found))


def table(columns: Iterable[str], rows: Iterable[dict[str, object]], note: str = "") -> TableResult:
    """Return rows for printing."""
    return TableResult(tuple(columns), list(rows), note)
