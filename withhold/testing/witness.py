"""Whether a changed rule changes anything for anybody, decided exactly, and who would see it.

What rules say changes only at their edges in time, and between the places that they can tell apart; and where a tweet and
its author together get another answer, one of them alone does. So it is enough to ask about each id of the rule, at each
edge and before the first, from each of these places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from withhold.engine.reach import Reach, told_apart
from withhold.engine.reference import Reference
from withhold.model import Outcome, Policy, Rule, RuleSet, Viewer
from withhold.model.tweet import Link
from withhold.model.viewer import Standpoint
from withhold.testing.asked import Force, names, only

#: Where nothing ever changes, any instant will do.
_ANY = datetime(2021, 1, 1, tzinfo=UTC)


class Witness(NamedTuple):
    """Somebody who gets another answer: who asks about what and when, and what is right."""

    link: Link
    place: Standpoint
    at: datetime
    outcome: Outcome


def find(rule: Rule, mutated: Rule | None, link: Link, others: Iterable[Rule], policy: Policy) -> Witness | None:
    """Return somebody who gets another outcome for a subject of `rule`, if anybody does.

    `others` are the other rules that name the subject. Asks about viewers who are not logged in. What is found is put to
    the reference; raises `RuntimeError` if it disagrees.
    """
    if mutated is not None and not names(mutated, [link]):
        mutated = None
    others = list(others)
    before, after = Force(rule, policy), Force(mutated, policy)
    beside = [Force(other, policy) for other in others]
    rules = [rule, *([] if mutated is None else [mutated]), *others]
    places = sorted(told_apart({Reach.of(found, policy) for found in rules}), key=lambda place: place[0] is None)
    for at in _instants(rules):
        for place in places:
            was, is_ = before.at(place, at), after.at(place, at)
            if was == is_:
                continue
            least = max((force.at(place, at) for force in beside), default=0)
            if max(was, least) != max(is_, least):
                return _verified(
                    Witness(link, place, at, tuple(Outcome)[max(was, least)]), rule, mutated, others, policy
                )
    return None


def _instants(rules: Iterable[Rule]) -> Iterator[datetime]:
    """Yield an instant of each stretch in which nothing changes."""
    edges = sorted({bound for rule in rules for period in rule.periods for bound in period if bound is not None})
    if not edges:
        yield _ANY
        return
    with suppress(OverflowError):
        yield edges[0] - timedelta(seconds=1)
    yield from edges


def _verified(witness: Witness, rule: Rule, mutated: Rule | None, others: list[Rule], policy: Policy) -> Witness:
    country, subdivisions = witness.place
    viewer = Viewer(country=country, subdivisions=subdivisions)
    answers = []
    for changing in (rule, mutated):
        rules = [*others, *([] if changing is None else [changing])]
        reference = Reference(RuleSet(only(found, [witness.link]) for found in rules), policy)
        answers.append(reference.check(witness.link, viewer, witness.at).outcome)
    if answers[0] is not witness.outcome or answers[0] is answers[1]:
        raise RuntimeError(f"the reference disagrees on {witness}: {answers}")
    return witness
