"""The outcome of the rules that reach a viewer (R4, R5, R6, R9), and which of them speaks (R7)."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from withhold.model.decision import OUTCOME_OF, Outcome, Scope
from withhold.model.places import Places
from withhold.model.rule import Disclosure, Effect, Reason, Rule
from withhold.semantics.reach import Extent

_SEVERITY = {outcome: rank for rank, outcome in enumerate(Outcome)}
_DISCLOSURES = {disclosure: rank for rank, disclosure in enumerate(Disclosure)}
_REASONS = {reason: rank for rank, reason in enumerate(Reason)}


class ReachingRule(NamedTuple):
    """A rule in force that reaches a viewer, certainly or possibly."""

    rule: Rule
    scope: Scope
    certain: bool
    #: Whether all ids of the subject that the rule names are the viewer's own, and the policy exempts authors (R9).
    own: bool


def combine(reaching: Iterable[ReachingRule]) -> Outcome:
    """Return the severest outcome of the rules that reach a viewer (R5, R6).

    Authors are exempt from withholding, not from suspension (R9).
    """
    found = (OUTCOME_OF[each.rule.effect] for each in reaching if not each.own or each.rule.effect is Effect.SUSPEND)
    return max(found, key=_SEVERITY.__getitem__, default=Outcome.VISIBLE)


def speaking_key(reaching: ReachingRule) -> tuple[object, ...]:
    """Return a sort key that puts the rule that speaks first (R7)."""
    rule, scope, certain, _ = reaching
    rank = (-_SEVERITY[OUTCOME_OF[rule.effect]], scope is Scope.TWEET, not certain, _REASONS[rule.reason])
    return (*rank, rule.from_ is not None, rule.from_, rule.id)


def narrowest(disclosures: Iterable[Disclosure]) -> Disclosure | None:
    """Return what may be revealed about several rules together: no more than about each of them. None without rules."""
    return min(disclosures, key=_DISCLOSURES.__getitem__, default=None)


class RuleInForce(NamedTuple):
    """A rule in force that concerns a subject, and the places where it hides the subject."""

    rule: Rule
    scope: Scope
    extent: Extent


class Answer(NamedTuple):
    """What rules in force together mean for viewers at one place."""

    #: The rules that hide the subject, in the order of R7.
    hiding: tuple[ReachingRule, ...]
    outcome: Outcome
    certain: bool


def answer_at(in_force: Iterable[RuleInForce], here: Places | None, own: AbstractSet[str] = frozenset()) -> Answer:
    """Return the answer for viewers at one place, or for viewers anywhere if `here` is None (R10).

    `own` has the ids of the rules that name only the viewer's own ids, if the policy exempts authors (R9).
    """
    certain: list[ReachingRule] = []
    possible: list[ReachingRule] = []
    hiding: list[ReachingRule] = []
    for rule, scope, where in in_force:
        # Without a place, a rule counts if it hides the subject from a viewer anywhere.
        surely, perhaps, hidden = (
            (where.hidden,) * 3 if here is None else (where.surely & here, where.possible & here, where.hidden & here)
        )
        if perhaps:
            one = ReachingRule(rule, scope, surely != 0, own=rule.id in own)
            possible.append(one)
            if surely:
                certain.append(one)
            if hidden:
                hiding.append(one)
    hiding.sort(key=speaking_key)
    is_certain = len(certain) == len(possible) or combine(certain) is combine(possible)
    return Answer(tuple(hiding), combine(hiding), is_certain)
