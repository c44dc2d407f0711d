"""The fold: what events mean for the current state of demands, targets, effects and subjects.

| kind of state | key | contents |
|---|---|---|
| `demand` | `IN-D1` | fields, counts of its entries, a tally of its targets' states |
| `target` | `IN-D1/7` | the entry as received, what it is bound to, its state, decision and proposal |
| `effect` | `IN-D1/7/312` | one period in which a rule withholds or suspends a target, by the event that began it |
| `log` | `IN-D1/420` | entries without effect: meetings, statements, notices of non-compliance |
| `subject` | `account:1101` | the targets that name an account, a tweet or anything else |
| `policy` | empty | the rulings that need two persons, and a proposal to require it for fewer rulings |

Events are facts that a command has checked, so the fold decides nothing. It builds no models: a ledger has millions of events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from withhold.demands.transitions import Ruling, TargetState, is_expressible, state_after
from withhold.ledger import Event, States

Data = dict[str, Any]


class DemandFold:
    """Applies the events of demands to states."""

    name = "demands"
    version = 1

    def apply(self, event: Event, states: States) -> None:
        """Change the states as an event states. Other kinds of events change nothing."""
        change = _CHANGES.get(event.kind)
        if change is not None:
            change(event, states)


def target_key(data: Mapping[str, Any]) -> str:
    """Return the key of the target that an event names."""
    return f"{data['demand']}/{data['number']}"


def effect_key(target: str, start: int) -> str:
    """Return the key of the effect that an event began."""
    return f"{target}/{start}"


def by_number(states: Iterable[tuple[str, Data]]) -> dict[int, Data]:
    """Return states by the last part of their keys, a number, in order."""
    return dict(sorted((int(key.rpartition("/")[2]), data) for key, data in states))


def is_bound(key: str | None) -> bool:
    """Return whether a canonical key identifies its target.

    The key of a handle does not: handles can pass to other accounts.
    """
    return key is not None and not key.startswith("account:@")


def _demand(event: Event, states: States) -> Data:
    found = states.get("demand", event.data["demand"])
    assert found is not None  # noqa: S101  # commands check this
    return found


def _demand_received(event: Event, states: States) -> None:
    data = event.data
    states.put(
        "demand",
        data["demand"],
        {
            "fields": data["fields"],
            "lists": data["lists"],
            #: Entries by bucket; those that name something are counted as they are received.
            "counts": {**data["counts"], "unique": 0, "duplicate": 0, "error": 0},
            "settled": data["settled"],
            "received": event.sequence,
            "recorded_at": event.recorded_at,
            "targets": 0,
            "tally": {},
            "pending": 0,
            "unattested": 0,
            "reiterated": 0,
            "revoked": None,
        },
    )


def _demand_changed(event: Event, states: States) -> None:
    """Replace fields of the demand by the values of `set`."""
    states.put("demand", event.data["demand"], {**_demand(event, states), **event.data["set"]})


def _demand_logged(event: Event, states: States) -> None:
    """Store a log entry. A non-compliance notice reiterates a demand, and is not a demand of its own."""
    demand, data = _demand(event, states), event.data
    entry = {
        "entry": data["entry"],
        "text": data["text"],
        "occurred": data.get("occurred"),
        "recorded_at": event.recorded_at,
    }
    states.put("log", f"{data['demand']}/{event.sequence}", entry)
    if data["entry"] == "noncompliance_notice":
        states.put("demand", data["demand"], {**demand, "reiterated": demand["reiterated"] + 1})


def _demand_revoked(event: Event, states: States) -> None:
    states.put("demand", event.data["demand"], {**_demand(event, states), "revoked": event.sequence})


def _policy_set(event: Event, states: States) -> None:
    states.put("policy", "", {"two_persons": event.data["two_persons"], "set": event.sequence, "proposal": None})


def _policy_proposed(event: Event, states: States) -> None:
    before = states.get("policy", "")
    assert before is not None  # noqa: S101  # only a policy that exists can become less strict
    proposal = {"two_persons": event.data["two_persons"], "actor": event.actor, "sequence": event.sequence}
    states.put("policy", "", {**before, "proposal": proposal})


def _put_target(event: Event, states: States, before: Data | None, after: Data) -> None:
    """Store a target, and update the counts in its demand."""
    demand = {**_demand(event, states)}
    tally, counts = {**demand["tally"]}, {**demand["counts"]}
    for target, sign in ((before, -1), (after, 1)):
        if target is not None:
            counts[target["bucket"]] += sign
            tally[target["state"]] = tally.get(target["state"], 0) + sign
            demand["pending"] += sign * (target["proposal"] is not None)
            demand["unattested"] += sign * (target["state"] == TargetState.OUTSIDE and target["effected"] is None)
    demand["tally"] = {state: count for state, count in tally.items() if count}
    demand["counts"] = counts
    demand["targets"] += before is None
    states.put("demand", event.data["demand"], demand)
    states.put("target", target_key(event.data), after)


def _target(event: Event, states: States) -> Data:
    found = states.get("target", target_key(event.data))
    assert found is not None  # noqa: S101  # commands check this
    return found


def _index(states: States, key: str | None, target: str) -> None:
    """Note that a target names a subject."""
    if key is None:
        return
    targets = (states.get("subject", key) or {"targets": []})["targets"]
    if target not in targets:
        states.put("subject", key, {"targets": [*targets, target]})


def _target_received(event: Event, states: States) -> None:
    data = event.data
    state = {"duplicate": TargetState.DUPLICATE, "error": TargetState.QUARANTINED}.get(data["bucket"])
    key = data.get("key")
    bound = key if is_bound(key) and state is None else None
    target = {
        "kind": data.get("kind"),
        "raw": data["raw"],
        "key": key,
        "bucket": data["bucket"],
        "handle": data.get("handle"),
        "duplicate_of": data.get("duplicate_of"),
        "notes": data.get("notes", []),
        "state": str(state or (TargetState.UNRESOLVED if bound is None else TargetState.UNDECIDED)),
        "bound": bound,
        "author": None,
        "resolution": None,
        "received": event.sequence,
        "ruling": None,
        "effects": [],
        "proposal": None,
        "effected": None,
    }
    _index(states, key, target_key(data))
    _put_target(event, states, None, target)


def _target_resolved(event: Event, states: States) -> None:
    data, before = event.data, _target(event, states)
    after = {**before, **data["set"], "resolution": data["resolution"]}
    if (after["state"], after["bound"], after["author"]) != (before["state"], before["bound"], before["author"]):
        after["proposal"] = None  # it was made for another target
    _index(states, after["bound"], target_key(data))
    _put_target(event, states, before, after)


def _target_decided(event: Event, states: States) -> None:
    data, before = event.data, _target(event, states)
    if data["second"]:
        proposal = {"verb": "decide", "sequence": event.sequence, "actor": event.actor, **data}
        _put_target(event, states, before, {**before, "proposal": proposal})
    else:
        _rule(event, states, before, data, event.sequence, None, data.get("effective_at") or event.recorded_at)


def _target_lifted(event: Event, states: States) -> None:
    data, before = event.data, _target(event, states)
    if data["second"]:
        proposal = {"verb": "lift", "sequence": event.sequence, "actor": event.actor, **data}
        _put_target(event, states, before, {**before, "proposal": proposal})
    else:
        _lift(event, states, before, event.sequence, data.get("effective_at") or event.recorded_at)


def _target_approved(event: Event, states: States) -> None:
    before = _target(event, states)
    proposal = before["proposal"]
    # Texts of instants have a fixed width, so they sort like instants. A proposal takes effect when it is approved.
    at = event.data.get("effective_at") or max(proposal.get("effective_at") or "", event.recorded_at)
    if proposal["verb"] == "lift":
        _lift(event, states, before, proposal["sequence"], at)
    else:
        _rule(event, states, before, proposal, proposal["sequence"], event.sequence, at)


def _target_rejected(event: Event, states: States) -> None:
    before = _target(event, states)
    _put_target(event, states, before, {**before, "proposal": None})


def _rule(event: Event, states: States, before: Data, data: Data, decided: int, approved: int | None, at: str) -> None:
    """Make a decision effective: end the effects of the previous decision, and begin its own."""
    ruling, key = Ruling(data["ruling"]), target_key(event.data)
    bound = before["bound"]
    state = state_after(ruling, expressible=bound is not None and is_expressible(bound))
    after = {
        **before,
        "state": str(state),
        "ruling": {
            **{name: data[name] for name in _OF_RULING if data.get(name)},
            "decided": decided,
            "approved": approved,
            "from": at,
        },
        "proposal": None,
        "effected": None,
    }
    _end(event, states, key, before, at, "replaced", decided)
    if state is TargetState.IN_FORCE:
        effect = {name: data.get(name) for name in ("withheld_in", "except_in", "if_unknown", "until", "override")}
        effect |= {"subject": bound, "effect": str(ruling), "from": at, "start": event.sequence}
        effect |= {"batch": event.data["batch"], "decided": decided, "approved": approved, "ended": None}
        states.put("effect", effect_key(key, event.sequence), effect)
        after["effects"] = [*before["effects"], event.sequence]
    _put_target(event, states, before, after)


#: The fields of its decision that a target keeps.
_OF_RULING = (
    *("ruling", "ground", "category", "withheld_in", "except_in", "if_unknown", "until", "override", "rationale"),
)


def _lift(event: Event, states: States, before: Data, decided: int, at: str) -> None:
    _end(event, states, target_key(event.data), before, at, "lifted", decided)
    _put_target(event, states, before, {**before, "state": str(TargetState.LIFTED), "proposal": None})


def _target_revoked(event: Event, states: States) -> None:
    """End the withholding of a target. A suspension is the platform's own decision, and continues."""
    before = _target(event, states)
    _end(event, states, target_key(event.data), before, _at(event), "revoked", event.sequence, Ruling.WITHHOLD)
    after = {**before, "proposal": None}
    if before["state"] in (TargetState.IN_FORCE, TargetState.OUTSIDE) and before["ruling"]["ruling"] != Ruling.SUSPEND:
        after["state"] = str(TargetState.REVOKED)
    _put_target(event, states, before, after)


def _target_effected(event: Event, states: States) -> None:
    before = _target(event, states)
    effected = {"sequence": event.sequence, "occurred": event.data["occurred"]}
    _put_target(event, states, before, {**before, "effected": effected})


def _end(
    event: Event, states: States, key: str, target: Data, at: str, how: str, decided: int, only: Ruling | None = None
) -> None:
    """End the effects of a target that would last longer than an instant."""
    for start in target["effects"]:
        effect = states.get("effect", effect_key(key, start))
        assert effect is not None  # noqa: S101  # its beginning was folded
        if only is not None and effect["effect"] != only:
            continue
        end = effect["ended"]["at"] if effect["ended"] else effect["until"]
        if end is None or end > at:
            ended = {"at": at, "how": how, "decided": decided, "sequence": event.sequence, "batch": event.data["batch"]}
            states.put("effect", effect_key(key, start), {**effect, "ended": ended})


def _at(event: Event) -> str:
    """Return when an event takes effect. All instants are text of the same width."""
    return str(event.data.get("effective_at") or event.recorded_at)


_CHANGES: Mapping[str, Callable[[Event, States], None]] = {
    "demand.received": _demand_received,
    "demand.settled": _demand_changed,
    "demand.amended": _demand_changed,
    "demand.logged": _demand_logged,
    "demand.revoked": _demand_revoked,
    "policy.set": _policy_set,
    "policy.proposed": _policy_proposed,
    "target.received": _target_received,
    "target.resolved": _target_resolved,
    "target.decided": _target_decided,
    "target.lifted": _target_lifted,
    "target.approved": _target_approved,
    "target.rejected": _target_rejected,
    "target.revoked": _target_revoked,
    "target.effected": _target_effected,
}
