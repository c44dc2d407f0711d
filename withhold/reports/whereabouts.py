"""An exact set of places of viewers, among all places that rules can distinguish."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from withhold.model.places import Places, everywhere, place_of, within
from withhold.model.territory_set import TerritorySet, directly_in
from withhold.model.viewer import LocationKey
from withhold.territories import WORLD, countries, subdivisions


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A set of places, including an unknown location and countries with an unknown subdivision.

    >>> print(Whereabouts(within("IN") | within("TR")), "/", Whereabouts(everywhere()))
    IN, TR / WORLD
    >>> print(Whereabouts(within("US-MS") | place_of(("US", ())) | place_of((None, ()))))
    unknown location and US-MS and US with no subdivision known
    """

    places: Places = 0

    @property
    def unknown(self) -> bool:
        """Whether an unknown location is one of the places."""
        return self.has((None, ()))

    @property
    def territories(self) -> TerritorySet:
        """The known places. A set with more than half of all countries is written as the world except the others.

        The part of a country, or of a region, outside all its subdivisions represents viewers whose subdivision is
        unknown.
        """
        return _territories(self.places)

    def __or__(self, other: Whereabouts) -> Whereabouts:
        return Whereabouts(self.places | other.places)

    def has(self, place: LocationKey) -> bool:
        """Return whether the set contains this location."""
        return bool(self.places & place_of(place))

    def touched(self) -> Iterator[str | None]:
        """Yield every country with at least a part in the set, and None for an unknown location."""
        yield from (None,) if self.unknown else ()
        yield from _touched(self.territories)

    def worded(self) -> tuple[TerritorySet, tuple[str, ...], tuple[str, ...]]:
        """Return the territories in a short form.

        These are a set, and the codes to add and to exclude for viewers of unknown subdivision.

        >>> territories, only, but = Whereabouts(within("US-MS") | place_of(("US", ()))).worded()
        >>> str(territories), only, but
        ('US-MS', ('US',), ())
        """
        return _worded(self.territories)

    def __str__(self) -> str:
        if self.territories.places == everywhere():
            return WORLD if self.unknown else f"{WORLD} but not an unknown location"
        known, only, but = self.worded()
        parts = ["unknown location"] if self.unknown else []
        parts += [str(known)] if known else []
        parts += [f"{code} with no subdivision known" for code in only]
        without = "".join(f" but not {code} with no subdivision known" for code in but)
        return (" and ".join(parts) or "nowhere") + without


@lru_cache(maxsize=4096)
def _territories(places: Places) -> TerritorySet:
    unknown = place_of((None, ()))
    whole = sum(not within(country) & ~places for country in countries())
    return TerritorySet.of(places | unknown if 2 * whole > len(countries()) else places & ~unknown)


@cache
def point(code: str) -> TerritorySet:
    """Return the place of viewers who are known to be in a country or subdivision, but not where within it."""
    return TerritorySet([code]) - TerritorySet(directly_in(code))


@lru_cache(maxsize=4096)
def _touched(territories: TerritorySet) -> tuple[str, ...]:
    return tuple(country for country in countries() if territories.places & within(country))


@lru_cache(maxsize=4096)
def _worded(territories: TerritorySet) -> tuple[TerritorySet, tuple[str, ...], tuple[str, ...]]:
    """See `Whereabouts.worded`. A list of all other subdivisions of a country would be exact too, but long."""
    known, only, but = territories, [], []
    for country in _touched(territories):
        for code in (country, *subdivisions(country)) if country not in territories else ():
            if not (inside := directly_in(code)):
                continue
            held = sum(not point(inner) - territories for inner in inside)
            has, mostly = not point(code) - territories, 2 * held > len(inside)
            if has and not mostly:
                known -= point(code)
                only.append(code)
            elif mostly and not has:
                known |= point(code)
                but.append(code)
    return known, tuple(only), tuple(but)
