"""Which part of a viewer's location determines an answer (A6)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from functools import reduce
from operator import or_

from withhold.model.freshness import VariesBy
from withhold.model.places import Places, divides_a_country, everywhere
from withhold.semantics.outcome import RuleInForce, answer_at
from withhold.semantics.reach import partition


def varies_by(in_force: Collection[RuleInForce], own_of_authors: Iterable[AbstractSet[str]] = ()) -> VariesBy:
    """Return the coarsest part of a location that determines every field of the answer, for viewers anywhere.

    `own_of_authors` has, for each author of the subject whom the policy exempts, the ids of the rules that name only ids of
    this author (R9). O(rules), except if uncertainty is settled so that it changes no outcome: then O(rules²).
    """
    # If two places are not hidden by the same rules, the answers there name other rules.
    found = _widest(each.extent.hidden for each in in_force)
    masks = [mask for each in in_force for mask in (each.extent.surely, each.extent.possible)]
    if found | _widest(masks) is found:
        return found
    # Uncertainty alone may be finer than that. It changes `certain` or the order of the rules, or no field at all.
    owners = [frozenset[str](), *own_of_authors]
    alike: dict[object, Places] = {}
    for place, places in partition(each.extent for each in in_force):
        answers = [answer_at(in_force, place, own) for own in owners]
        fields = tuple((*(each.rule.id for each in hiding), outcome, certain) for hiding, outcome, certain in answers)
        alike[fields] = alike.get(fields, 0) | places
    return _widest(alike.values())


def _widest(sets: Iterable[Places]) -> VariesBy:
    return reduce(or_, map(_part_that_separates, sets), VariesBy.NONE)


def _part_that_separates(places: Places) -> VariesBy:
    """Return the part of a location that determines whether it is in a set of places."""
    if divides_a_country(places):
        return VariesBy.SUBDIVISION
    return VariesBy.NONE if places in (0, everywhere()) else VariesBy.COUNTRY
