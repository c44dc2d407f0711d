"""The life cycles of demands and their targets, as tables: which command is possible in which state.

A command that is not in the table raises `DemandError`, which lists the possible commands. States are never set by
hand: a target's state follows from its events, and a demand's from those of its targets.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from withhold.errors import Problem, did_you_mean, quoted


class Ruling(StrEnum):
    """What the platform decides about one target."""

    WITHHOLD = "withhold"
    SUSPEND = "suspend"
    REMOVE = "remove"
    DEAMPLIFY = "deamplify"
    OTHER = "other"
    REFUSE = "refuse"
    DEFER = "defer"
    NO_ACTION_POSSIBLE = "no_action_possible"

    @property
    def acts(self) -> bool:
        """Whether the platform acts on the target."""
        return self not in (Ruling.REFUSE, Ruling.DEFER, Ruling.NO_ACTION_POSSIBLE)

    @property
    def is_worldwide(self) -> bool:
        """Whether it applies everywhere, because it enforces the platform's own terms."""
        return self in (Ruling.SUSPEND, Ruling.REMOVE)


#: The rulings that rules can express, for accounts and tweets.
BY_RULE = (Ruling.WITHHOLD, Ruling.SUSPEND)


class Ground(StrEnum):
    """Why a target is refused, or why no action is possible."""

    PROTECTED_SPEECH = "protected_speech"
    INSUFFICIENT_IDENTIFICATION = "insufficient_identification"
    NOT_UNLAWFUL = "not_unlawful"
    OUT_OF_JURISDICTION = "out_of_jurisdiction"
    INVALID_PROCESS = "invalid_process"
    ALREADY_ACTIONED = "already_actioned"
    FORGED = "forged"
    NOT_FOUND = "not_found"
    GONE = "gone"


class TargetState(StrEnum):
    QUARANTINED = "quarantined"  # the entry could not be read without doubt
    DUPLICATE = "duplicate"  # another entry of the demand names the same target
    UNRESOLVED = "unresolved"  # a handle without its account
    UNDECIDED = "undecided"
    DEFERRED = "deferred"
    DECLINED = "declined"  # refused, or no action possible
    IN_FORCE = "in_force"  # a rule withholds or suspends it, now or from a set instant on
    OUTSIDE = "outside"  # other systems act on it, because no rule can express the decision
    LIFTED = "lifted"  # the platform ended it
    REVOKED = "revoked"  # the authority ended it


class Verb(StrEnum):
    """The commands on a target. There are two kinds of `decide`."""

    RESOLVE = "resolve"
    ACT = "decide to act"
    DECLINE = "decide not to act"
    LIFT = "lift"
    REVOKE = "revoke"
    EFFECTED = "effected"


_S, _V = TargetState, Verb
#: The possible commands in each state of a target. `revoke` concerns a whole demand, and skips targets in other states.
TARGET: Mapping[TargetState, tuple[Verb, ...]] = {
    _S.QUARANTINED: (_V.RESOLVE, _V.DECLINE),
    _S.DUPLICATE: (),
    _S.UNRESOLVED: (_V.RESOLVE, _V.DECLINE),
    _S.UNDECIDED: (_V.RESOLVE, _V.ACT, _V.DECLINE),
    _S.DEFERRED: (_V.RESOLVE, _V.ACT, _V.DECLINE),
    _S.DECLINED: (_V.RESOLVE, _V.ACT, _V.DECLINE),
    _S.IN_FORCE: (_V.RESOLVE, _V.ACT, _V.LIFT, _V.REVOKE, _V.EFFECTED),
    _S.OUTSIDE: (_V.RESOLVE, _V.ACT, _V.LIFT, _V.REVOKE, _V.EFFECTED),
    _S.LIFTED: (_V.RESOLVE, _V.ACT, _V.DECLINE, _V.LIFT),
    _S.REVOKED: (),
}


class DemandState(StrEnum):
    UNSETTLED = "unsettled"  # the number of entries differs from the one that the letter states
    UNDER_REVIEW = "under_review"  # a target has no decision yet
    DECIDED = "decided"  # a decision waits for a second person, or for the attestation that it was carried out
    IMPLEMENTED = "implemented"
    REVOKED = "revoked"


_ANY_TIME = ("amend", "log", "show", "find", "proof")
_OPEN = ("resolve", "decide", "approve", "lift", "revoke", "effected", *_ANY_TIME)
#: The commands that are possible in each state of a demand.
DEMAND: Mapping[DemandState, tuple[str, ...]] = {
    DemandState.UNSETTLED: ("settle", "resolve", "revoke", *_ANY_TIME),
    DemandState.UNDER_REVIEW: _OPEN,
    DemandState.DECIDED: _OPEN,
    DemandState.IMPLEMENTED: _OPEN,
    DemandState.REVOKED: ("approve", "lift", "effected", "log", "show", "find", "proof"),
}

_WITHOUT_DECISION = (_S.QUARANTINED, _S.UNRESOLVED, _S.UNDECIDED, _S.DEFERRED)


def demand_state(demand: Mapping[str, Any]) -> DemandState:
    """Return the state of a demand, from the counts of its targets' states that the fold keeps."""
    if demand["revoked"] is not None:
        return DemandState.REVOKED
    if not demand["settled"]:
        return DemandState.UNSETTLED
    if any(demand["tally"].get(state, 0) for state in _WITHOUT_DECISION):
        return DemandState.UNDER_REVIEW
    return DemandState.DECIDED if demand["pending"] or demand["unattested"] else DemandState.IMPLEMENTED


def compliance(demand: Mapping[str, Any]) -> str:
    """Return `full`, `partial` or `none`: whether the platform acts on all, some or none of the targets of a demand."""
    tally = demand["tally"]
    done = tally.get(_S.IN_FORCE, 0) + tally.get(_S.OUTSIDE, 0)
    targets = sum(tally.values()) - tally.get(_S.DUPLICATE, 0)
    return "none" if not done else "full" if done == targets else "partial"


def state_after(ruling: Ruling, *, expressible: bool) -> TargetState:
    """Return the state of a target for which a ruling is effective."""
    if ruling is Ruling.DEFER:
        return TargetState.DEFERRED
    if not ruling.acts:
        return TargetState.DECLINED
    by_rule = expressible and ruling in BY_RULE
    return TargetState.IN_FORCE if by_rule else TargetState.OUTSIDE


def is_expressible(bound: str) -> bool:
    """Return whether rules can name a target: they name accounts and tweets."""
    return bound.startswith(("account:", "tweet:"))


def check_demand(demand_id: str, demand: Mapping[str, Any], command: str) -> Problem | None:
    """Return the problem with a command on a demand in its state, or None."""
    state = demand_state(demand)
    if command in DEMAND[state]:
        return None
    message = f"`{command}` is not possible: demand `{demand_id}` is `{state}`"
    return Problem("forbidden-transition", message, hint=f"possible now: {_listed(DEMAND[state])}")


def check_target(demand_id: str, number: int, target: Mapping[str, Any], verb: Verb) -> Problem | None:
    """Return the problem with a command on a target in its state, or None."""
    allowed = TARGET[TargetState(target["state"])]
    if verb in allowed:
        return None
    message = f"`{verb}` is not possible: the target is `{target['state']}`"
    hint = (
        f"possible now: {_listed(allowed)}"
        if allowed
        else "this state is final; a new demand may name the target again"
    )
    return Problem("forbidden-transition", message, place_of(demand_id, number), hint)


def place_of(demand_id: str, number: int) -> str:
    """Return the place of problems with a target: the demand and the number of the entry."""
    return f"{demand_id}/{number}"


def unknown_demand(demand_id: str, known: list[str]) -> Problem:
    """Return the problem for a demand that the ledger does not have."""
    return Problem("unknown-demand", f"there is no demand {quoted(demand_id)}", hint=did_you_mean(demand_id, known))


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)
