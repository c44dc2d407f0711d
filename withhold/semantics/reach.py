"""Whom a rule reaches (R3, R4), and what several rules do together, for all places at once."""

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
    """Where a rule reaches viewers (R3), whatever the policy. Rules with the same territories share it."""

    effect: Effect
    #: The places in one of `withheld_in` and in none of `except_in`.
    territories: Places
    #: The places where it certainly reaches a viewer.
    surely: Places
    #: The places where it is uncertain whether it does.
    uncertain: Places
    #: How the rule settles uncertainty; None leaves it to the policy (R4).
    settle: Settle | None


class Extent(NamedTuple):
    """Where a rule hides its subjects under a policy (R4)."""

    effect: Effect
    territories: Places
    surely: Places
    #: `surely`, and the places where the rule may reach a viewer, however that is settled.
    possible: Places
    #: `surely`, and the places where uncertainty is settled as withheld.
    hidden: Places


def reach_of(rule: Rule) -> Reach:
    """Return whom a rule reaches. O(territories) the first time.

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
    listed, excepted = places.united(withheld_in), places.united(except_in)
    territories = listed & ~excepted
    surely = territories & ~places.around(except_in)
    return territories, surely, (listed | places.around(withheld_in)) & ~excepted & ~surely


def extent(reach: Reach, policy: Policy) -> Extent:
    """Return where a rule of some reach hides its subjects under a policy."""
    possible = reach.surely | reach.uncertain
    settle = reach.settle or policy.unknown_location
    hidden = possible if settle is Settle.WITHHOLD else reach.surely
    return Extent(reach.effect, reach.territories, reach.surely, possible, hidden)


def everywhere(extents: Iterable[Extent]) -> dict[Outcome, Places]:
    """Return the places of each outcome, where rules of these extents are in force together (R5, R6)."""
    found = dict.fromkeys(reversed(Outcome), 0)
    for each in extents:
        found[OUTCOME_OF[each.effect]] |= each.hidden
    taken = 0
    for outcome in found:  # the severest first
        found[outcome] &= ~taken
        taken |= found[outcome]
    found[Outcome.VISIBLE] = places.everywhere() & ~taken
    return found


def alike(extents: Iterable[Extent]) -> list[tuple[Places, Places]]:
    """Return sets of places that no rule of these extents tells apart, each with one place of it; together, everywhere."""
    found = [places.everywhere()]
    for mask in {mask for each in extents for mask in (each.surely, each.possible)}:
        found = [part for whole in found for part in (whole & mask, whole & ~mask) if part]
    return sorted((part & -part, part) for part in found)
