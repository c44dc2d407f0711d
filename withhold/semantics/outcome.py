"""What rules that reach a viewer come to together (R5, R6, R9), and which of them speaks (R7)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from withhold.model.decision import OUTCOME_OF, Outcome, Scope
from withhold.model.rule import Effect, Reason, Rule

_SEVERITY = {outcome: rank for rank, outcome in enumerate(Outcome)}
_REASONS = {reason: rank for rank, reason in enumerate(Reason)}


class Spoken(NamedTuple):
    """A rule in force that hides a subject from a viewer, or may."""

    rule: Rule
    scope: Scope
    certain: bool
    #: Whether all that it names of the subject is the viewer's own, and the policy exempts authors (R9).
    own: bool


def combine(spoken: Iterable[Spoken]) -> Outcome:
    """Return the severest outcome (R5, R6). A suspension is not lifted for authors (R9)."""
    found = (OUTCOME_OF[each.rule.effect] for each in spoken if not each.own or each.rule.effect is not Effect.WITHHOLD)
    return max(found, key=_SEVERITY.__getitem__, default=Outcome.VISIBLE)


def speaking_key(spoken: Spoken) -> tuple[object, ...]:
    """Return what to sort by, so that the rule that speaks comes first (R7)."""
    rule = spoken.rule
    rank = (-_SEVERITY[OUTCOME_OF[rule.effect]], spoken.scope is Scope.TWEET, not spoken.certain, _REASONS[rule.reason])
    return (*rank, rule.from_ is not None, rule.from_, rule.id)
