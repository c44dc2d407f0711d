"""Places where a viewer can be, as far as is known. Each place is one bit of an int.

Each country and subdivision is a place: that of viewers who are known to be there, but not where inside it. The unknown
location is one more place, and also represents everything outside all countries. A set of places is an int, so
union, difference and containment take a microsecond for any set. The bits depend on the installed ISO data and are
never stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from withhold.territories import WORLD, countries, country_of, is_subdivision, subdivisions

#: A set of places.
Places = int


class _Atlas(NamedTuple):
    #: The code of each place, by its bit. `WORLD` is first, and each code precedes the codes inside it.
    codes: tuple[str, ...]
    #: For each code, its first bit and its number of bits: its own bit, followed by those of the codes inside it.
    spans: Mapping[str, tuple[int, int]]
    #: For each bit, the bit of the place directly around it; for `WORLD`, its own bit.
    outer: tuple[int, ...]


@cache
def _atlas() -> _Atlas:
    inside: dict[str, list[str]] = {}
    for country in countries():
        inside.setdefault(WORLD, []).append(country)
        for code, around in subdivisions(country).items():
            inside.setdefault(around, []).append(code)
    codes: list[str] = []
    outer: list[int] = []
    spans: dict[str, tuple[int, int]] = {}

    def add(code: str, around: int) -> None:
        first = len(codes)
        codes.append(code)
        outer.append(around)
        for inner in inside.get(code, ()):
            add(inner, first)
        spans[code] = (first, len(codes) - first)

    add(WORLD, 0)
    return _Atlas(tuple(codes), spans, tuple(outer))


@cache
def everywhere() -> Places:
    """Return all places. The first call takes about 50 ms to read the ISO data; creating an `Engine` makes it."""
    return within(WORLD)


def within(code: str) -> Places:
    """Return the places that are certainly in a territory. `code` must be canonical.

    >>> within("IT-RM") & ~within("IT-62"), within("US") & within("IT")
    (0, 0)
    """
    first, count = _atlas().spans[code]
    return (1 << count) - 1 << first


def within_any(codes: Iterable[str]) -> Places:
    """Return the places that are certainly in at least one of several territories. O(codes)."""
    found = 0
    for code in codes:
        first, count = _atlas().spans[code]  # inside the loop: if there are no codes, the ISO data are not read
        found |= (1 << count) - 1 << first
    return found


def enclosing(codes: Iterable[str]) -> Places:
    """Return the places that contain at least one of several territories. O(codes).

    A viewer at such a place, for example at the unknown location, may or may not be in the territory.

    >>> enclosing(["IT-RM"]) == place_of((None, ())) | place_of(("IT", ())) | place_of(("IT", ("IT-62",)))
    True
    """
    atlas = _atlas()
    bits: set[int] = set()
    for code in codes:
        at = atlas.spans[code][0]
        while at and (at := atlas.outer[at]) not in bits:
            bits.add(at)
    found = 0
    for bit in bits:
        found |= 1 << bit
    return found


@cache
def _neighbours() -> Places:
    """Return each place whose next bit is in the same country."""
    atlas = _atlas()
    found = 0
    for country in countries():
        first, count = atlas.spans[country]
        found |= (1 << count - 1) - 1 << first
    return found


def divides_a_country(places: Places) -> bool:
    """Return whether a set has some places of a country, but not all of them.

    >>> divides_a_country(within("US") & ~within("US-MS")), divides_a_country(within("WORLD") & ~within("US"))
    (True, False)
    """
    return (places ^ places >> 1) & _neighbours() != 0


@lru_cache(maxsize=8192)
def place_of(location_key: tuple[str | None, tuple[str, ...]]) -> Places:
    """Return the place for a country and its known subdivisions: the bit of the smallest of them."""
    country, known = location_key
    spans = _atlas().spans
    # Each code follows those that contain it, so the highest bit is that of the smallest place.
    return 1 << max((spans[code][0] for code in known), default=spans[country or WORLD][0])


def location_of(place: Places) -> tuple[str | None, tuple[str, ...]]:
    """Return the country and known subdivisions of one place. The country of the unknown location is None.

    >>> location_of(place_of(("IT", ("IT-62", "IT-RM")))), location_of(place_of((None, ())))
    (('IT', ('IT-RM',)), (None, ()))
    """
    code = _atlas().codes[place.bit_length() - 1]
    if code == WORLD:
        return None, ()
    return country_of(code), (code,) if is_subdivision(code) else ()


def largest(places: Places) -> Iterator[str]:
    """Yield the largest codes that lie wholly in a set of places, in the order of their bits."""
    codes = _atlas().codes
    while places:
        lowest = places & -places
        inside = within(code := codes[lowest.bit_length() - 1])
        if inside & ~places:
            places ^= lowest
        else:
            yield code
            places ^= inside


def membership_changes(places: Places) -> Iterator[str]:
    """Yield each code that is in a set while the code directly around it is not, or the reverse.

    The exclusive or of `within(code)` for all these codes is the set.

    >>> list(membership_changes(within("WORLD") & ~within("US") | within("US-MS")))
    ['WORLD', 'US', 'US-MS']
    """
    codes = _atlas().codes
    while places:
        code = codes[(places & -places).bit_length() - 1]
        yield code
        places ^= within(code)
