"""Approve or reject proposals, as a second person."""

from __future__ import annotations

from collections.abc import Iterable

from withhold.demands import safeguards
from withhold.demands.deciding import Judge, TargetDecision, Targets, chosen_targets, effects_of, listed
from withhold.demands.fold import Data
from withhold.demands.lifting import is_lost
from withhold.demands.people import same_person
from withhold.demands.recording import Clerk, Command, Done, record
from withhold.demands.safeguards import check_overrides
from withhold.demands.transitions import check_demand, place_of
from withhold.errors import Problem, quoted
from withhold.ledger import Ledger
from withhold.model.protected import Protected


def approve(
    ledger: Ledger,
    clerk: Clerk,
    demand_id: str,
    targets: Targets = None,
    protected: Iterable[Protected] | None = None,
) -> Done:
    """Make proposals effective, by default all of a demand.

    The approver must be another person than the proposer. Safeguards are checked again: an account may have been added to the
    list of protected accounts since. A proposal takes effect when it is approved, or at its `effective_at` if that is later.
    """
    instant, known = ledger.recorded_at(), safeguards.by_key(protected)

    def build(command: Command) -> None:
        demand = command.demand()
        if command.refuse(check_demand(demand_id, demand, "approve")):
            return
        for number, target in _proposed(command, targets):
            proposal, place = target["proposal"], place_of(demand_id, number)
            at = proposal.get("effective_at") if clerk.history is not None else None
            if same_person(proposal["actor"], clerk.actor):
                hint = "let another person approve it"
                message = f"{quoted(clerk.actor)} proposed it, in event {proposal['sequence']}"
                command.refuse(Problem("same-person", message, place, hint))
            elif proposal["verb"] == "decide":
                begins = max(proposal.get("effective_at") or "", instant) if at is None else at
                judge = Judge(command, demand, TargetDecision.of(proposal), known, begins)
                if not command.refuse(*judge.contradictions()):
                    found = judge.safeguards(target, effects_of(command, number, target))
                    command.refuse(*check_overrides(found, proposal.get("override", {}), place))
            else:
                ends = at or max(proposal.get("effective_at") or "", instant)
                effects = effects_of(command, number, target)
                touched = safeguards.of_lift(demand["fields"], is_lost(effects, ends) or not effects)
                command.refuse(*check_overrides(touched, proposal.get("override", {}), place))
            word = f"approved: {proposal.get('ruling', 'lift')}"
            command.add(
                "target.approved",
                word,
                number=number,
                proposal=proposal["sequence"],
                effective_at=at,
                identity="asserted",
            )

    return record(ledger, clerk, demand_id, build, ["approve", demand_id, listed(targets)])


def reject(ledger: Ledger, clerk: Clerk, demand_id: str, reason: str, targets: Targets = None) -> Done:
    """Drop proposals, by default all of a demand. Effective decisions remain effective."""

    def build(command: Command) -> None:
        if not command.refuse(check_demand(demand_id, command.demand(), "approve")):
            for number, target in _proposed(command, targets):
                sequence = target["proposal"]["sequence"]
                command.add("target.rejected", "rejected", number=number, proposal=sequence, reason=reason)

    content = ["reject", demand_id, reason, listed(targets)]
    return record(ledger, clerk, demand_id, build, content)


def _proposed(command: Command, chosen: Targets) -> Iterable[tuple[int, Data]]:
    """Yield the targets with a proposal. A named target without one was approved before, and is skipped."""
    found = command.targets()
    for number in found if chosen is None else chosen_targets(command, found, chosen, ()):
        if found[number]["proposal"] is not None:
            yield number, found[number]
        elif chosen is not None:
            command.done.unchanged += 1
