"""From whom a rule withholds, as a number with a bit for each kind of place: one rule covers another if its bits do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from operator import or_

from withhold.model.policy import Settle
from withhold.model.rule import Effect, Rule
from withhold.territories import WORLD, containing, countries, country_of, is_subdivision, subdivisions

# A viewer of unknown location, as a code beside those of countries and subdivisions.
_UNKNOWN = "?"


class Places:
    """All places that a rule set can tell apart (T4): unknown, each country, and the parts of those of which one is named."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        named = {code for rule in rules for code in (*rule.withheld_in, *rule.except_in)}
        fine = {country_of(code) for code in named if is_subdivision(code)}
        places = [_UNKNOWN, *countries(), *(code for country in sorted(fine) for code in subdivisions(country))]
        self._bit = {place: 1 << number for number, place in enumerate(places)}
        self._width = len(places)
        #: For each named code, the places that are in it, and those of which it is unknown.
        self._inside = dict.fromkeys(named, 0)
        for place in places:
            for code in _around(place):
                if code in self._inside:
                    self._inside[code] |= self._bit[place]
        self._perhaps = {code: reduce(or_, map(self._bit.__getitem__, _wider(code)), 0) for code in named}

    def reach(self, rule: Rule) -> int:
        """Return the places from which a rule withholds (R3, R4): under either policy, and whether it suspends there."""
        listed, perhaps_listed = (
            self._union(self._inside, rule.withheld_in),
            self._union(self._perhaps, rule.withheld_in),
        )
        excepted, perhaps_excepted = (
            self._union(self._inside, rule.except_in),
            self._union(self._perhaps, rule.except_in),
        )
        surely = listed & ~excepted & ~perhaps_excepted
        uncertain = (listed | perhaps_listed) & ~excepted & ~surely
        settled = rule.if_unknown or (Settle.WITHHOLD if rule.except_in else None)
        if_shown = surely | uncertain if settled is Settle.WITHHOLD else surely
        if_withheld = surely if settled is Settle.SHOW else surely | uncertain
        both = if_shown | if_withheld << self._width
        return both | both << 2 * self._width if rule.effect is Effect.SUSPEND else both

    def _union(self, places: Mapping[str, int], codes: Iterable[str]) -> int:
        return reduce(or_, (places[code] for code in codes), 0)


def _around(place: str) -> tuple[str, ...]:
    return (WORLD,) if place == _UNKNOWN else containing(place)


def _wider(code: str) -> Iterator[str]:
    """Yield the places of which it is unknown whether they are in a code: those around it."""
    if code != WORLD:
        yield _UNKNOWN
        yield from containing(code)[1:-1]
