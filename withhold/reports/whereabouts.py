"""Where viewers are for whom something is so: an exact set of the places that rules can tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache, reduce

from withhold.engine.reach import Reach, told_apart
from withhold.model.territory_set import NOWHERE, TerritorySet, directly_in
from withhold.model.viewer import Standpoint
from withhold.territories import WORLD, containing, countries, country_of, subdivisions

_EVERYWHERE = TerritorySet([WORLD])


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Places where viewers are as far as it is known, and whether nowhere known is one of them.

    Of `territories`, the part of a country that lies in none of its subdivisions stands for viewers of whom no more
    is known than the country; likewise that of a region. A country alone is all of it, known or not.

    >>> print(Whereabouts(TerritorySet(["IN", "TR"])), "/", Whereabouts(TerritorySet(["WORLD"]), unknown=True))
    IN, TR / WORLD
    >>> print(Whereabouts(TerritorySet(["US-MS"]) | point("US"), unknown=True))
    unknown location and US-MS and US with no subdivision known
    """

    territories: TerritorySet = NOWHERE
    unknown: bool = False

    def __or__(self, other: Whereabouts) -> Whereabouts:
        return Whereabouts(self.territories | other.territories, self.unknown or other.unknown)

    def has(self, place: Standpoint) -> bool:
        """Tell whether somebody is there of whom this much is known."""
        country, known = place
        if country is None:
            return self.unknown
        narrowest = max((country, *known), key=lambda code: len(containing(code)))
        return not point(narrowest) - self.territories

    def touched(self) -> Iterator[str | None]:
        """Yield every country of which some part is in it, and None for an unknown location."""
        yield from (None,) if self.unknown else ()
        yield from _touched(self.territories)

    def worded(self) -> tuple[TerritorySet, tuple[str, ...], tuple[str, ...]]:
        """Return the territories in few words: a set, and codes to add and to take away where no more is known.

        >>> territories, only, but = Whereabouts(TerritorySet(["US-MS"]) | point("US")).worded()
        >>> str(territories), only, but
        ('US-MS', ('US',), ())
        """
        return _worded(self.territories)

    def __str__(self) -> str:
        if self.territories == _EVERYWHERE:
            return WORLD if self.unknown else f"{WORLD} but not an unknown location"
        told, only, but = self.worded()
        parts = ["unknown location"] if self.unknown else []
        parts += [str(told)] if told else []
        parts += [f"{code} with no subdivision known" for code in only]
        without = "".join(f" but not {code} with no subdivision known" for code in but)
        return (" and ".join(parts) or "nowhere") + without


@cache
def point(code: str) -> TerritorySet:
    """Return where those are of whom it is known that they are in a country or subdivision, and no more."""
    return TerritorySet([code]) - TerritorySet(directly_in(code))


@lru_cache(maxsize=1024)
def alike(reaches: frozenset[Reach]) -> tuple[tuple[Standpoint, Whereabouts], ...]:
    """Return every place that rules tell apart, each with all the places that they do not tell from it.

    Together these are everywhere, each place once.
    """
    named = {code for reach in reaches for code in (*reach.withheld_in, *reach.except_in)} - {WORLD}
    return tuple((place, _alike(place, named)) for place in told_apart(reaches))


def _alike(place: Standpoint, named: set[str]) -> Whereabouts:
    country, known = place
    if country is None:
        return Whereabouts(unknown=True)
    if country not in (whole := {country_of(code) for code in named}):
        return Whereabouts(_EVERYWHERE - TerritorySet(whole))
    code = known[0] if known else country
    # Of whom no more is known than these, it is uncertain for what is named inside.
    coarse = {around for inner in named for around in containing(inner)[1:-1]}
    if code in coarse:
        return Whereabouts(point(code))
    around = named & set(containing(code))
    found = reduce(TerritorySet.__and__, map(_just, around), TerritorySet([country]))
    return Whereabouts(reduce(TerritorySet.__sub__, map(point, coarse), found - TerritorySet(named - around)))


def _just(code: str) -> TerritorySet:
    return TerritorySet([code])


@lru_cache(maxsize=4096)
def _touched(territories: TerritorySet) -> tuple[str, ...]:
    return tuple(country for country in countries() if territories & _just(country))


@lru_cache(maxsize=4096)
def _worded(territories: TerritorySet) -> tuple[TerritorySet, tuple[str, ...], tuple[str, ...]]:
    """See `Whereabouts.worded`: to name all other subdivisions of a country would be exact as well, and long."""
    told, only, but = territories, [], []
    for country in _touched(territories):
        for code in (country, *subdivisions(country)) if country not in territories else ():
            if not (inside := directly_in(code)):
                continue
            held = sum(not point(inner) - territories for inner in inside)
            has, mostly = not point(code) - territories, 2 * held > len(inside)
            if has and not mostly:
                told -= point(code)
                only.append(code)
            elif mostly and not has:
                told |= point(code)
                but.append(code)
    return told, tuple(only), tuple(but)
