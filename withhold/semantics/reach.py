"""Whom a rule reaches (R3, R4), and the outcome of several rules together, for all places at once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from withhold.model import places
from withhold.model.decision import OUTCOME_OF, Outcome
from withhold.model.places import Places
from withhold.model.policy import Policy, Settle
from withhold.model.rule import Effect, Rule


class Reach(NamedTuple):
    """The places where a rule reaches viewers (R3). It does not depend on the policy."""

    effect: Effect
    #: The places in one of `withheld_in` and in none of `except_in`.
    territories: Places
    #: The places where the rule certainly reaches a viewer.
    surely: Places
    #: The places where it is uncertain whether the rule reaches a viewer.
    uncertain: Places
    #: How the rule settles uncertainty; None if the policy decides (R4).
    settle: Settle | None


class Extent(NamedTuple):
    """The places where a rule hides its subjects under a policy (R4)."""

    effect: Effect
    territories: Places
    surely: Places
    #: `surely` and all uncertain places.
    possible: Places
    #: `surely`, and the uncertain places if uncertainty is settled as withheld.
    hidden: Places


def reach_of(rule: Rule) -> Reach:
    """Return the reach of a rule. O(territories); results for the same territories are cached.

    >>> from withhold.model import Rule
    >>> reach = reach_of(Rule(id="r", tweets=[1], withheld_in="WORLD", except_in="US", reason="copyright"))
    >>> here = places.place_of((None, ()))
    >>> bool(reach.surely & here), bool(reach.uncertain & here), reach.settle
    (False, True, <Settle.WITHHOLD: 'withhold'>)
    """
    settle = rule.if_unknown or (Settle.WITHHOLD if rule.except_in else None)
    return Reach(rule.effect, *_reached(rule.withheld_in, rule.except_in), settle)


@lru_cache(maxsize=4096)
def _reached(withheld_in: tuple[str, ...], except_in: tuple[str, ...]) -> tuple[Places, Places, Places]:
    included, excepted = places.within_any(withheld_in), places.within_any(except_in)
    territories = included & ~excepted
    surely = territories & ~places.enclosing(except_in)
    return territories, surely, (included | places.enclosing(withheld_in)) & ~excepted & ~surely


def extent(reach: Reach, policy: Policy) -> Extent:
    """Return the places where a rule with this reach hides its subjects under a policy."""
    possible = reach.surely | reach.uncertain
    settle = reach.settle or policy.unknown_location
    hidden = possible if settle is Settle.WITHHOLD else reach.surely
    return Extent(reach.effect, reach.territories, reach.surely, possible, hidden)


def places_by_outcome(extents: Iterable[Extent]) -> dict[Outcome, Places]:
    """Return the places of each outcome when rules with these extents are in force together (R5, R6)."""
    found = dict.fromkeys(reversed(Outcome), 0)
    for each in extents:
        found[OUTCOME_OF[each.effect]] |= each.hidden
    taken = 0
    for outcome in found:  # the severest first
        found[outcome] &= ~taken
        taken |= found[outcome]
    found[Outcome.VISIBLE] = places.everywhere() & ~taken
    return found


def partition(extents: Iterable[Extent]) -> list[tuple[Places, Places]]:
    """Partition all places into sets that every rule with these extents treats alike.

    Return pairs (one place of the set, the set), sorted.
    """
    found = [places.everywhere()]
    for mask in {mask for each in extents for mask in (each.surely, each.possible)}:
        found = [part for whole in found for part in (whole & mask, whole & ~mask) if part]
    return sorted((part & -part, part) for part in found)
