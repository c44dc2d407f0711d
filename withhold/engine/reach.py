"""Whom a rule reaches, computed once for all rules that say the same of territories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache, reduce
from typing import NamedTuple

from withhold.model.decision import Outcome
from withhold.model.policy import Policy, Settle
from withhold.model.rule import Effect, Rule
from withhold.model.territory_set import NOWHERE, TerritorySet
from withhold.model.viewer import Standpoint, is_in
from withhold.territories import containing, countries, country_of, is_subdivision, subdivisions


class Reach(NamedTuple):
    """What a rule says of territories; many rules have the same."""

    suspends: bool
    withheld_in: tuple[str, ...]
    except_in: tuple[str, ...]
    #: What an uncertain answer is settled as: True withholds.
    withholds_unknown: bool

    @classmethod
    def of(cls, rule: Rule, policy: Policy) -> Reach:
        otherwise = Settle.WITHHOLD if rule.except_in else policy.unknown_location
        settled = rule.if_unknown or otherwise
        return cls(rule.effect is Effect.SUSPEND, rule.withheld_in, rule.except_in, settled is Settle.WITHHOLD)

    def reaches(self, place: Standpoint) -> bool | None:
        """R3: True, False, or None where it is uncertain."""
        around = _around(place)
        if not around.isdisjoint(self.except_in):
            return False
        if not around.isdisjoint(self.withheld_in):
            return None if any(is_in(place, code) is None for code in self.except_in) else True
        return None if any(is_in(place, code) is None for code in self.withheld_in) else False

    def withholds(self, place: Standpoint) -> bool:
        """R4: reaches, or is settled as if it did."""
        reached = self.reaches(place)
        return self.withholds_unknown if reached is None else reached


class Geography(NamedTuple):
    """What several rules in force say together, wherever the viewer is."""

    territories: TerritorySet
    varies: bool
    #: Those of the rules that withhold from anybody at all (R10).
    felt: frozenset[Reach]

    @classmethod
    def of(cls, reaches: frozenset[Reach]) -> Geography:
        withheld = (TerritorySet(reach.withheld_in) - TerritorySet(reach.except_in) for reach in reaches)
        outcomes: set[Outcome] = set()
        felt: set[Reach] = set()
        for place in told_apart(reaches):
            speaking = [reach for reach in reaches if reach.withholds(place)]
            suspended = any(reach.suspends for reach in speaking)
            outcomes.add(Outcome.SUSPENDED if suspended else Outcome.WITHHELD if speaking else Outcome.VISIBLE)
            felt.update(speaking)
        return cls(reduce(TerritorySet.__or__, withheld, NOWHERE), len(outcomes) > 1, frozenset(felt))


@lru_cache(maxsize=4096)
def _around(place: Standpoint) -> frozenset[str]:
    """All territories that somebody there is certainly in, `WORLD` among them."""
    country, known = place
    return frozenset(code for inner in (country or "", *known) for code in containing(inner))


def told_apart(reaches: Iterable[Reach]) -> Iterator[Standpoint]:
    """Yield the places that rules can tell apart: unknown, each named country, its parts if one is named, one other."""
    named = {code for reach in reaches for code in (*reach.withheld_in, *reach.except_in)}
    fine = {country_of(code) for code in named if is_subdivision(code)}
    whole = {country_of(code) for code in named}
    yield (None, ())
    other = next((country for country in countries() if country not in whole), None)
    for country in (*sorted(whole & countries().keys()), *([other] if other else [])):
        yield (country, ())
        if country in fine:
            yield from ((country, (code,)) for code in _unlike(country, named))


def _unlike(country: str, named: set[str]) -> Iterable[str]:
    """Return subdivisions of which no two lie in the same named codes and around the same named codes."""
    within: dict[str, list[str]] = {}
    for code in named:
        for around in containing(code)[1:] if country_of(code) == country else ():
            within.setdefault(around, []).append(code)
    found: dict[tuple[tuple[str, ...], tuple[str, ...]], str] = {}
    for code in subdivisions(country):
        inside = tuple(around for around in containing(code) if around in named)
        found.setdefault((inside, tuple(within.get(code, ()))), code)
    return found.values()
