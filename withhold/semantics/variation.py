"""Which part of a viewer's location determines an answer (A6)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from itertools import groupby

from withhold.model.freshness import VariesBy
from withhold.model.places import Places, divides_a_country, everywhere
from withhold.model.rule import Effect
from withhold.semantics.outcome import ReachingRule, RuleInForce, speaking_key


def varies_by(in_force: Collection[RuleInForce], own_of_authors: Iterable[AbstractSet[str]] = ()) -> VariesBy:
    """Return the coarsest part of a location that determines every field of the answer, for viewers anywhere.

    `own_of_authors` has, for each author of the subject whom the policy exempts, the ids of the rules that name only ids of
    this author (R9). O(rules · log rules), and O(rules) for each author.
    """
    found = _widest([each.extent.hidden for each in in_force])
    if found | _widest([mask for each in in_force for mask in (each.extent.surely, each.extent.possible)]) is found:
        return found
    # The fields determine whether a place is in one of these sets, so they cannot vary by less than the sets do. Nor by
    # more: in a place that contains no other, every rule is certain and the order is the usual one. If a country is not
    # divided by the last sets, this is so in the whole country.
    uncertain = (_uncertain(in_force, own) for own in (frozenset[str](), *own_of_authors))
    return found | _widest((*uncertain, _out_of_order(in_force)))


def _uncertain(in_force: Iterable[RuleInForce], own: AbstractSet[str]) -> Places:
    """Return the places where settling uncertainty the other way could give another outcome (R4)."""
    surely = dict.fromkeys(Effect, 0)
    possible = dict.fromkeys(Effect, 0)
    for rule, _, extent in in_force:
        if rule.id not in own or rule.effect is Effect.SUSPEND:
            surely[rule.effect] |= extent.surely
            possible[rule.effect] |= extent.possible
    uncertain = {effect: possible[effect] & ~surely[effect] for effect in Effect}
    return uncertain[Effect.SUSPEND] | uncertain[Effect.WITHHOLD] & ~possible[Effect.SUSPEND]


def _out_of_order(in_force: Iterable[RuleInForce]) -> Places:
    """Return the places where an uncertain rule would precede a certain one, if certainty did not come first (R7)."""
    found = 0
    ordered = sorted(in_force, key=_usual_key)
    for _, group in groupby(ordered, key=lambda each: (each.rule.effect, each.scope)):
        uncertain = 0  # where one of the rules so far is
        for _, _, extent in group:
            found |= uncertain & extent.surely
            uncertain |= extent.hidden & ~extent.surely
    return found


def _usual_key(each: RuleInForce) -> tuple[object, ...]:
    return speaking_key(ReachingRule(each.rule, each.scope, certain=True, own=False))


def _widest(sets: Iterable[Places]) -> VariesBy:
    """Return the part of a location that determines in which of several sets of places it is."""
    found = VariesBy.NONE
    for places in sets:
        if divides_a_country(places):
            return VariesBy.SUBDIVISION
        if places not in (0, everywhere()):
            found = VariesBy.COUNTRY
    return found
