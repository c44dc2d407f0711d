"""`withhold demands`: legal demands in, decisions on the record, rules out. Each command calls the library and prints."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from withhold.cli import options
from withhold.cli.configuration import read_configuration
from withhold.cli.demand_options import (
    At,
    DemandId,
    Entries,
    Override,
    Protected,
    Reason,
    Session,
    chosen,
    moment,
    overrides,
    records,
)
from withhold.cli.opening import opened
from withhold.cli.output import err, show
from withhold.cli.render import Format
from withhold.cli.results import RecordedResult, TableResult
from withhold.cli.writing import check_rules_folder, rules_written
from withhold.demands.transitions import Ground, Ruling, compliance, demand_state
from withhold.demands.vocabulary import LogEntry
from withhold.errors import DemandError, RuleSetError, RuleSetWarning
from withhold.model.policy import Settle
from withhold.model.protected import Category
from withhold.model.protected import Protected as ProtectedAccount

if TYPE_CHECKING:
    from withhold.demands.commands import Done
    from withhold.demands.fields import Demand

demands = typer.Typer(
    help="Record legal demands and the decisions on them, and write the resulting rules.", no_args_is_help=True
)
_File = Annotated[Path, typer.Argument(metavar="DEMAND.yaml", help="The demand.", exists=True, dir_okay=False)]
_KnownAt = Annotated[
    str | None, typer.Option("--known-at", metavar="INSTANT", help="The rules as they were known at this instant.")
]
_Format = Annotated[Format, options.formats(Format.CSV)]


def _accounts(path: Path | None) -> list[ProtectedAccount] | None:
    try:
        configuration = read_configuration(Path())
        if path is not None:  # it adds to the other lists, and never replaces them
            configuration = replace(configuration, protected=(path, *configuration.protected))
        return options.protected_accounts(Path("protected.yaml"), None, configuration)
    except RuleSetError as error:
        raise DemandError(*error.problems) from None


def _demand(path: Path) -> Demand:
    """Read a demand. Print a warning for a code of a territory that was read as another one."""
    from withhold.demands.fields import load_demand

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuleSetWarning)
        found = load_demand(path)
    for warning in caught:
        err().print(f"warning: {warning.message}", style="yellow")
    return found


@records
def receive(
    session: Session,
    demand: _File,
    lists: Annotated[
        list[Path] | None, typer.Argument(metavar="LIST", help="Its lists of targets.", exists=True)
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="HEADER", help="A column of targets; guessed by default. May be repeated."),
    ] = None,
    create: Annotated[bool, typer.Option("--create", help="Create the ledger if there is none.")] = False,  # noqa: ARG001  # `records` reads it
) -> Done:
    """Record a demand and its lists: CSV, XLSX, plain text or mail."""
    from withhold.demands.commands import receive as run

    found = _demand(demand)
    if not lists:
        return run(session.ledger, session.clerk, found)
    from withhold.demands.intake import read_lists

    intake = read_lists(lists, received_at=found.received.latest(), columns=columns or ())
    files = [{"file": name, "sha256": digest} for name, digest in intake.files]
    done = run(session.ledger, session.clerk, found, intake.entries, files, intake.waiting)
    done.notes += [str(each) for each in (*intake.columns, *intake.notes) if each not in intake.waiting]
    return done


@records
def settle(session: Session, demand: DemandId, reason: Reason) -> Done:
    """Record why the number of entries differs from the number in the letter."""
    from withhold.demands.commands import settle as run

    return run(session.ledger, session.clerk, demand, reason)


@records
def resolve(
    session: Session,
    demand: DemandId,
    handles: Annotated[
        Path, typer.Option("--handles", metavar="FILE", help="A table with accounts and authors.", exists=True)
    ],
) -> Done:
    """Bind entries to accounts and tweets, and tweets to their authors."""
    from withhold.demands.commands import resolve as run
    from withhold.demands.register import Register
    from withhold.demands.tables import read_resolutions

    found, others = read_resolutions(handles, Register(session.ledger).targets(demand))
    done = run(session.ledger, session.clerk, demand, found)
    if others:
        done.notes.append(f"{others:,} rows of the table concern no entry of this demand")
    return done


@records
def decide(
    session: Session,
    demand: DemandId,
    ruling: Annotated[Ruling | None, typer.Argument(help="The decision.")] = None,
    table: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="A table of decisions.", exists=True)
    ] = None,
    targets: Entries = None,
    ground: Annotated[
        Ground | None, typer.Option(help="The ground of a refusal, or the reason why no action is possible.")
    ] = None,
    category: Annotated[
        Category | None, typer.Option(help="With protected_speech: the category of the protected account.")
    ] = None,
    withheld_in: Annotated[
        list[str] | None,
        typer.Option("--in", metavar="CODE", help="Where the decision applies; by default as requested."),
    ] = None,
    except_in: Annotated[
        list[str] | None,
        typer.Option("--except", metavar="CODE", help="Exceptions: where the decision does not apply."),
    ] = None,
    if_unknown: Annotated[Settle | None, typer.Option(help="The effect on viewers of unknown location.")] = None,
    at: At = None,
    until: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="The instant at which the decision ends.")
    ] = None,
    rationale: Annotated[str | None, typer.Option(metavar="TEXT", help="A note, which is kept in the ledger.")] = None,
    override: Override = None,
    protected: Protected = None,
) -> Done:
    """Decide on the targets of a demand, by default on all targets without a decision."""
    from withhold.demands.commands import TargetDecision
    from withhold.demands.commands import decide as run
    from withhold.demands.register import Register
    from withhold.demands.tables import read_decisions

    accounts = _accounts(protected)
    if (ruling is None) == (table is None):
        raise typer.BadParameter("give either a ruling or a table with --from", param_hint="'RULING'")
    decisions: Any
    if table is not None:
        decisions = read_decisions(table, Register(session.ledger).targets(demand))
    else:
        assert ruling is not None  # noqa: S101
        begins, ends = options.instant_of(at), options.instant_of(until, "--until")
        where = tuple(withheld_in or ()), tuple(except_in or ())
        one = TargetDecision(ruling, ground, category, *where, if_unknown, begins, ends, rationale, overrides(override))
        decisions = [(chosen(targets), one)]
    return run(session.ledger, session.clerk, demand, decisions, accounts)


@records
def approve(
    session: Session,
    demand: DemandId,
    targets: Entries = None,
    reject: Annotated[str | None, typer.Option(metavar="REASON", help="Reject the proposals instead.")] = None,
    protected: Protected = None,
) -> Done:
    """Make proposals of another person effective, or reject them."""
    from withhold.demands import commands

    if reject is not None:
        return commands.reject(session.ledger, session.clerk, demand, reject, chosen(targets))
    return commands.approve(session.ledger, session.clerk, demand, chosen(targets), _accounts(protected))


@records
def amend(session: Session, demand: _File, reason: Reason) -> Done:
    """Replace the fields of a demand that its authority changed."""
    from withhold.demands.commands import amend as run

    return run(session.ledger, session.clerk, _demand(demand), reason)


@records
def revoke(session: Session, demand: DemandId, reason: Reason, at: At = None) -> Done:
    """Record that the authority revoked a demand. Suspensions continue."""
    from withhold.demands.commands import revoke as run

    return run(session.ledger, session.clerk, demand, reason, effective_at=options.instant_of(at))


@records
def lift(
    session: Session,
    demand: DemandId,
    reason: Reason,
    targets: Entries = None,
    at: At = None,
    override: Override = None,
) -> Done:
    """End the decisions on targets, by default on all targets that are withheld or deamplified."""
    from withhold.demands.commands import lift as run

    when, reasons = options.instant_of(at), overrides(override)
    return run(session.ledger, session.clerk, demand, reason, chosen(targets), effective_at=when, override=reasons)


@records
def log(
    session: Session,
    demand: DemandId,
    entry: Annotated[LogEntry, typer.Argument(help="The kind of the event.")],
    text: Annotated[str, typer.Argument(metavar="TEXT")],
    at: At = None,
) -> Done:
    """Record an event that changes no rule: a meeting, a statement, a threatened penalty, a notice."""
    from withhold.demands.commands import log as run

    return run(session.ledger, session.clerk, demand, entry, text, moment(at))


@records
def effected(
    session: Session,
    demand: DemandId,
    at: Annotated[
        str, typer.Option("--at", metavar="INSTANT", help="When they were carried out: a date or an instant.")
    ],
    targets: Entries = None,
) -> Done:
    """Attest that other systems carried out decisions that no rule can express."""
    from withhold.demands.commands import effected as run

    return run(session.ledger, session.clerk, demand, moment(at) or {}, chosen(targets))


@records
def policy(
    session: Session,
    rulings: Annotated[list[str] | None, typer.Argument(metavar="RULING", help="Rulings, or lift.")] = None,
) -> Done:
    """Set which rulings always need two persons. A less strict list must be set by another person too."""
    from withhold.demands.commands import set_policy

    return set_policy(session.ledger, session.clerk, rulings or ())


def rules(
    ledger: options.LedgerUrl,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIRECTORY", help="Where to write the rules.")],
    known_at: _KnownAt = None,
    form: Annotated[Format, options.formats()] = Format.TEXT,
) -> None:
    """Write the rules of all demands as rule files. The same ledger gives the same bytes."""
    check_rules_folder(output)
    instant = options.instant_of(known_at, "--known-at")
    with opened(ledger, form) as found:
        from withhold.demands.register import Register, write_files

        files = Register(found).rule_files(known_at=instant)
        removed = write_files(output, files)
    values = {"files": sorted(files), "removed": list(map(str, removed))}
    show(RecordedResult(values, rules_written(output, files, removed)), form)


def list_(ledger: options.LedgerUrl, form: _Format = Format.TEXT) -> None:
    """List all demands, with their states."""
    with opened(ledger, form) as found:
        rows = [
            {
                "demand": key,
                "state": demand_state(data),
                "compliance": compliance(data),
                "jurisdiction": data["fields"]["jurisdiction"],
                "entries": data["counts"]["entries"],
                **{name: data["tally"].get(name, 0) for name in ("in_force", "outside", "declined", "lifted")},
                "waiting": data["pending"],
            }
            for key, data in found.states("demand")
        ]
    columns = (
        "demand",
        "state",
        "compliance",
        "jurisdiction",
        "entries",
        "in_force",
        "outside",
        "declined",
        "lifted",
        "waiting",
    )
    show(TableResult(columns, rows), form)


_COLUMNS = ("number", "target", "raw", "state", "decided", "author", "found", "proposed", "notes")


def show_(demand: DemandId, ledger: options.LedgerUrl, form: _Format = Format.TEXT) -> None:
    """List the entries of a demand. Lawyers can add a column `decision` to the CSV, for `decide --from`."""
    with opened(ledger, form) as found:
        from withhold.demands.register import Register

        register = Register(found)
        state, log_ = register.demand(demand), register.log(demand)
        rows = [_row(number, target) for number, target in register.targets(demand).items()]
    counts = ", ".join(f"{count:,} {name}" for name, count in state["counts"].items() if count)
    note = f"{demand} is {demand_state(state)}, compliance {compliance(state)}; {counts}; log entries: {len(log_)}"
    show(TableResult(_COLUMNS, rows, note), form)


def _row(number: int, target: dict[str, Any]) -> dict[str, object]:
    ruling, proposal = target["ruling"] or {}, target["proposal"]
    return {
        "number": number,
        "target": target["bound"] or target["key"],
        "raw": target["raw"],
        "state": target["state"],
        "decided": ruling.get("ruling"),
        "author": target["author"],
        "found": target["resolution"],
        "proposed": None if proposal is None else proposal.get("ruling", "lift"),
        "notes": "; ".join(f"{text} [{code}]" for code, text in target["notes"]) or None,
    }


_Target = Annotated[str, typer.Argument(metavar="TARGET", help="account:ID, tweet:ID, @handle, #hashtag or a URL.")]


def find(target: _Target, ledger: options.LedgerUrl, form: _Format = Format.TEXT) -> None:
    """List the entries of all demands that name a target, and whether a rule on the target is in force."""
    with opened(ledger, form) as found:
        from withhold.demands.find import find as run

        now = found.recorded_at()  # the clock of another host, which has written to the ledger, may be ahead of ours
        rows = [
            {
                "demand": each.demand,
                **_row(each.number, each.target),
                "rule": each.last_rule,
                "in_force": "yes" if each.in_force(now) else "no",
            }
            for each in run(found, target)
        ]
    show(TableResult(("demand", "number", "target", "state", "decided", "rule", "in_force"), rows), form)


def proof(
    target: _Target,
    ledger: options.LedgerUrl,
    from_: Annotated[str | None, typer.Option("--from", metavar="INSTANT", help="From this instant on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="INSTANT", help="Before this instant.")] = None,
    form: Annotated[Format, options.formats()] = Format.TEXT,
) -> None:
    """Prove which rules covered a target, at which revisions, by which decisions. The proof names no person."""
    start, end = options.instant_of(from_, "--from"), options.instant_of(until, "--until")
    with opened(ledger, form) as found:
        from withhold.demands.proof import prove

        show(prove(found, target, start=start, end=end), form)


for _command in (receive, settle, resolve, decide, approve, amend, revoke, lift, log, effected, policy, rules, list_,
                 show_, find, proof):  # fmt: skip
    demands.command(_command.__name__.rstrip("_"))(_command)
