"""The outcome of the rules that reach a viewer (R5, R6, R9), and which of them speaks (R7)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from withhold.model.decision import OUTCOME_OF, Outcome, Scope
from withhold.model.rule import Effect, Reason, Rule

_SEVERITY = {outcome: rank for rank, outcome in enumerate(Outcome)}
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
