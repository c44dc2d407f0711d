"""End decisions, and attest that other systems carried out decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from withhold.demands import safeguards
from withhold.demands.deciding import Targets, chosen_targets, effects_of, end_of, listed
from withhold.demands.fold import Data
from withhold.demands.recording import Clerk, Command, Done, instant_text, record
from withhold.demands.safeguards import check_overrides
from withhold.demands.transitions import Ruling, TargetState, Verb, check_demand, check_target, place_of
from withhold.ledger import Ledger


def lift(
    ledger: Ledger,
    clerk: Clerk,
    demand_id: str,
    reason: str,
    targets: Targets = None,
    *,
    effective_at: datetime | None = None,
    override: Mapping[str, str] | None = None,
) -> Done:
    """End the decisions on targets: the platform restores them. By default these are all targets that are withheld or
    deamplified.

    Suspended and removed targets must be named, because these decisions do not depend on the demand. To lift what a
    court ordered, an override of `court-order` and a second person are needed.
    """
    at, instant = instant_text(effective_at, "effective_at"), ledger.recorded_at()
    reasons = dict(override or {})

    def build(command: Command) -> None:
        demand = command.demand()
        if command.refuse(check_demand(demand_id, demand, "lift")):
            return
        found = command.targets()
        policy = list(safeguards.of_policy("lift", command.states.get("policy", "")))
        for number in _to_lift(command, found, targets):
            target, place = found[number], place_of(demand_id, number)
            if command.refuse(check_target(demand_id, number, target, Verb.LIFT)):
                continue
            effects = effects_of(command, number, target)
            lost = is_lost(effects, at or instant)
            proposed = (target["proposal"] or {}).get("verb") == "lift"
            if proposed or (target["state"] == TargetState.LIFTED and not lost):
                command.done.unchanged += 1
                continue
            touched = [*safeguards.of_lift(demand["fields"], lost or not effects), *policy]
            if command.refuse(*check_overrides(touched, reasons, place)):
                continue
            second = sorted(each.code for each in touched)
            command.done.stated.update(second)
            command.add(
                "target.lifted",
                "proposed: lift" if second else "lifted",
                number=number,
                second=second,
                effective_at=at,
                reason=reason,
                override=reasons or None,
                identity="asserted",
            )

    content = ["lift", demand_id, listed(targets), at, reason, reasons]
    return record(ledger, clerk, demand_id, build, content)


def is_lost(effects: Iterable[Data], at: str) -> bool:
    """Return whether lifting at an instant would end any of the effects earlier."""
    return any((end := end_of(effect)) is None or end > at for effect in effects)


def _to_lift(command: Command, found: Mapping[int, Data], chosen: Targets) -> list[int]:
    if chosen is not None:
        return list(chosen_targets(command, found, chosen, ()))
    demanded = (Ruling.WITHHOLD, Ruling.DEAMPLIFY)
    states = (TargetState.IN_FORCE, TargetState.OUTSIDE)
    wanted = [
        number for number, each in found.items() if each["state"] in states and each["ruling"]["ruling"] in demanded
    ]
    command.pass_over(each for number, each in found.items() if number not in set(wanted))
    return wanted


def revoke(ledger: Ledger, clerk: Clerk, demand_id: str, reason: str, *, effective_at: datetime | None = None) -> Done:
    """Record that the authority revoked a demand, or that another one did. `reason` names the document.

    All withholding on the demand ends. Suspensions are the platform's own decisions, and continue.
    """
    at = instant_text(effective_at, "effective_at")

    def build(command: Command) -> None:
        demand = command.demand()
        if demand["revoked"] is not None:
            command.done.unchanged += 1
            return
        if command.refuse(check_demand(demand_id, demand, "revoke")):
            return
        for number, target in command.targets().items():
            lasting = any(effect["effect"] == Ruling.WITHHOLD for effect in effects_of(command, number, target))
            if (
                target["state"] in (TargetState.IN_FORCE, TargetState.OUTSIDE)
                or target["proposal"] is not None
                or lasting
            ):
                survives = target["ruling"] is not None and target["ruling"]["ruling"] == Ruling.SUSPEND
                word = "suspension kept" if survives and target["state"] == TargetState.IN_FORCE else "ended"
                command.add("target.revoked", word, number=number, effective_at=at)
        command.add("demand.revoked", "revoked demand", effective_at=at, reason=reason)

    return record(ledger, clerk, demand_id, build, ["revoke", demand_id, at, reason])


def effected(ledger: Ledger, clerk: Clerk, demand_id: str, occurred: Data, targets: Targets = None) -> Done:
    """Attest when other systems carried out decisions, by default for all targets that no rule can express.

    `occurred` is a `Moment` as JSON values. It may be in the past: it changes no rule.
    """

    def build(command: Command) -> None:
        if command.refuse(check_demand(demand_id, command.demand(), "effected")):
            return
        found = command.targets()
        for number in chosen_targets(command, found, targets, (TargetState.OUTSIDE,)):
            target = found[number]
            if command.refuse(check_target(demand_id, number, target, Verb.EFFECTED)):
                continue
            if target["effected"] is not None and (targets is None or target["effected"]["occurred"] == occurred):
                command.done.unchanged += 1
                continue
            command.add("target.effected", "attested", number=number, occurred=occurred, identity="asserted")

    return record(ledger, clerk, demand_id, build, ["effected", demand_id, listed(targets), occurred])
