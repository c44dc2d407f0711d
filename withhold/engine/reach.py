"""Whom a rule reaches, computed once for all rules that say the same of territories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from withhold.model.places import Places, around, everywhere, place_of, united
from withhold.model.policy import Policy, Settle
from withhold.model.rule import Effect, Rule
from withhold.model.territory_set import TerritorySet
from withhold.model.viewer import Standpoint
from withhold.territories import containing, countries, country_of, is_subdivision, subdivisions


class _Extent(NamedTuple):
    """Where territories reach (R3): surely, or perhaps; and all that they name."""

    surely: Places
    perhaps: Places
    named: Places


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

    @property
    def extent(self) -> _Extent:
        return _extent(self.withheld_in, self.except_in)

    @property
    def hidden(self) -> Places:
        """Where the rule withholds: R4."""
        surely, perhaps, _ = self.extent
        return surely | perhaps if self.withholds_unknown else surely

    def reaches(self, place: Standpoint) -> bool | None:
        """R3: True, False, or None where it is uncertain."""
        surely, perhaps, _ = self.extent
        here = place_of(place)
        return True if surely & here else None if perhaps & here else False

    def withholds(self, place: Standpoint) -> bool:
        """R4: reaches, or is settled as if it did."""
        return bool(self.hidden & place_of(place))


@lru_cache(maxsize=4096)
def _extent(withheld_in: tuple[str, ...], except_in: tuple[str, ...]) -> _Extent:
    listed, excepted = united(withheld_in), united(except_in)
    maybe_excepted = around(except_in) & ~excepted
    named = listed & ~excepted
    return _Extent(
        surely=named & ~maybe_excepted,
        perhaps=(named & maybe_excepted) | (around(withheld_in) & ~listed & ~excepted),
        named=named,
    )


class Geography(NamedTuple):
    """What several rules in force say together, wherever the viewer is."""

    territories: TerritorySet
    varies: bool
    #: Those of the rules that withhold from anybody at all (R10).
    felt: frozenset[Reach]

    @classmethod
    def of(cls, reaches: frozenset[Reach]) -> Geography:
        suspended = withheld = named = 0
        for reach in reaches:
            if reach.suspends:
                suspended |= reach.hidden
            else:
                withheld |= reach.hidden
            named |= reach.extent.named
        outcomes = (suspended, withheld & ~suspended, everywhere() & ~(withheld | suspended))
        felt = frozenset(reach for reach in reaches if reach.hidden)
        return cls(TerritorySet.of(named), sum(map(bool, outcomes)) > 1, felt)


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
        for outer in containing(code)[1:] if country_of(code) == country else ():
            within.setdefault(outer, []).append(code)
    found: dict[tuple[tuple[str, ...], tuple[str, ...]], str] = {}
    for code in subdivisions(country):
        inside = tuple(around for around in containing(code) if around in named)
        found.setdefault((inside, tuple(within.get(code, ()))), code)
    return found.values()
