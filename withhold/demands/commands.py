"""Every command on a ledger of demands. Each is one transaction: it records all of its events, or none.

Commands raise `DemandError` with all problems that they find, and `LedgerError` if the ledger refuses them.
"""

from __future__ import annotations

from collections.abc import Iterable

from withhold.demands.approving import approve, reject
from withhold.demands.deciding import TargetDecision, Targets, decide
from withhold.demands.fields import Demand, comes_from_court, overseas_notes
from withhold.demands.fold import Data
from withhold.demands.lifting import effected, lift, revoke
from withhold.demands.people import same_person
from withhold.demands.receiving import Resolution, Resolved, receive, resolve, settle
from withhold.demands.recording import Clerk, Command, Done, record
from withhold.demands.safeguards import territories
from withhold.demands.transitions import Ruling, TargetState, check_demand
from withhold.demands.vocabulary import LogEntry
from withhold.errors import Problem, did_you_mean, quoted
from withhold.ledger import Ledger

__all__ = [
    "Clerk",
    "Done",
    "LogEntry",
    "Resolution",
    "Resolved",
    "TargetDecision",
    "Targets",
    "amend",
    "approve",
    "decide",
    "effected",
    "lift",
    "log",
    "receive",
    "reject",
    "resolve",
    "revoke",
    "set_policy",
    "settle",
]

#: The states of targets without a decision.
_UNDECIDED = (TargetState.QUARANTINED, TargetState.UNRESOLVED, TargetState.UNDECIDED, TargetState.DUPLICATE)


def log(ledger: Ledger, clerk: Clerk, demand_id: str, entry: LogEntry, text: str, occurred: Data | None = None) -> Done:
    """Record a log entry, which changes no rule. `occurred` is a `Moment` as JSON values, by default now."""

    def build(command: Command) -> None:
        if not command.refuse(check_demand(demand_id, command.demand(), "log")):
            command.add("demand.logged", "log entry", entry=str(entry), text=text, occurred=occurred)

    return record(ledger, clerk, demand_id, build, ["log", demand_id, str(entry), text, occurred])


def amend(ledger: Ledger, clerk: Clerk, demand: Demand, reason: str) -> Done:
    """Replace the fields of a demand that its authority changed. Its decisions and entries stay.

    After a decision, the jurisdiction cannot change, and an order cannot cease to be a court order: safeguards depend
    on both.
    """
    fields = demand.data()

    def build(command: Command) -> None:
        state = command.demand()
        if command.refuse(check_demand(demand.id, state, "amend")):
            return
        before = state["fields"]
        changed = sorted(name for name in {*before, *fields} if before.get(name) != fields.get(name))
        if not changed:
            command.done.unchanged += 1
            return
        if any(each not in _UNDECIDED for each in state["tally"]):
            for name, differs in (
                ("jurisdiction", before["jurisdiction"] != fields["jurisdiction"]),
                ("authority", comes_from_court(before) and not comes_from_court(fields)),
            ):
                if differs:
                    hint = "receive it as a new demand with the link `supersedes`, and decide again"
                    message = f"`{name}` cannot change after decisions that depend on it"
                    command.refuse(Problem("cannot-amend", message, f"demand {demand.id}", hint))
        command.add("demand.amended", "amendment", set={"fields": fields}, changed=changed, reason=reason)
        command.done.notes += [*_beyond(command, fields), *(overseas_notes(fields) if "requested" in changed else ())]

    return record(ledger, clerk, demand.id, build, ["amend", fields, reason])


def _beyond(command: Command, fields: Data) -> Iterable[str]:
    """Yield a note if effects reach beyond what an amended demand requests."""
    requested = fields["requested"]
    asked = territories(requested["withheld_in"], requested.get("except_in", ()))
    beyond = 0
    for target in command.targets().values():
        ruling = target["ruling"]
        if target["state"] == TargetState.IN_FORCE and ruling["ruling"] == Ruling.WITHHOLD:
            beyond += bool(territories(ruling["withheld_in"], ruling.get("except_in", ())) - asked)
    if beyond:
        yield f"{beyond:,} targets are withheld outside the territory that is requested now: decide on them again"


def set_policy(ledger: Ledger, clerk: Clerk, two_persons: Iterable[str]) -> Done:
    """Set which rulings always need two persons: names of rulings, and `lift`. Decisions to which a safeguard applies
    always need them.

    A less strict policy is only proposed. It takes effect when another person sets the same policy.
    """
    wanted = sorted(set(two_persons))

    def build(command: Command) -> None:
        known = [*(str(ruling) for ruling in Ruling if ruling.acts), "lift"]
        for name in wanted:
            if name not in known:
                hint = did_you_mean(name, known)
                command.refuse(Problem("unknown-ruling", f"unknown ruling {quoted(name)}", hint=hint))
        policy = command.states.get("policy", "") or {"two_persons": [], "proposal": None}
        proposal = policy["proposal"]
        proposed = proposal is not None and proposal["two_persons"] == wanted
        if policy["two_persons"] == wanted and proposal is None:
            command.done.unchanged += 1
        elif {*policy["two_persons"]} <= {*wanted} or (proposed and not same_person(proposal["actor"], clerk.actor)):
            command.add("policy.set", "policy", two_persons=wanted)
        else:
            command.done.notes.append("the policy would be less strict: another person must set the same")
            if proposed:
                command.done.unchanged += 1
            else:
                command.add("policy.proposed", "proposed policy", two_persons=wanted)

    return record(ledger, clerk, "", build, ["policy", wanted])
