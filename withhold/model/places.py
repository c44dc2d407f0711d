"""Every place where a viewer can be known to be, as one bit of an int.

There is a place for each country and subdivision (a viewer known to be there and no further), and one for an unknown
location, which also stands for what lies in no country. Sets of places are ints, so union, difference and containment
take a microsecond whatever they hold. The bits depend on the installed ISO data: they are never stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from withhold.territories import WORLD, countries, country_of, is_subdivision, subdivisions

#: A set of places.
Places = int


class _Atlas(NamedTuple):
    #: The code of each place, by its bit: `WORLD` first, and every code before the codes inside it.
    codes: tuple[str, ...]
    #: The bits of each code, its own and those of the codes inside it: the first, and how many.
    spans: Mapping[str, tuple[int, int]]
    #: The bit of the place around each; that of `WORLD` is its own.
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


def everywhere() -> Places:
    """Return all places. The first call reads the ISO data, some 50 ms; an `Engine` makes it when it is built."""
    return within(WORLD)


def within(code: str) -> Places:
    """Return the places of which it is certain that they are in a territory; `code` is in its canonical form.

    >>> within("IT-RM") & ~within("IT-62"), within("US") & within("IT")
    (0, 0)
    """
    first, count = _atlas().spans[code]
    return (1 << count) - 1 << first


def united(codes: Iterable[str]) -> Places:
    """Return the places that are certainly in one of several territories. O(codes)."""
    found = 0
    for code in codes:
        first, count = _atlas().spans[code]  # looked up here: no codes, and no ISO data, are read at import
        found |= (1 << count) - 1 << first
    return found


def around(codes: Iterable[str]) -> Places:
    """Return the places that contain one of several territories, and so may be in it: an unknown location does. O(codes).

    >>> around(["IT-RM"]) == place_of((None, ())) | place_of(("IT", ())) | place_of(("IT", ("IT-62",)))
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


@lru_cache(maxsize=8192)
def place_of(location_key: tuple[str | None, tuple[str, ...]]) -> Places:
    """Return the place of a country and its known subdivisions, as a set of one: that of the narrowest code."""
    country, known = location_key
    spans = _atlas().spans
    # A code comes after those that contain it.
    return 1 << max((spans[code][0] for code in known), default=spans[country or WORLD][0])


def location_of(place: Places) -> tuple[str | None, tuple[str, ...]]:
    """Return the country and known subdivisions of one place, with no country for an unknown location.

    >>> location_of(place_of(("IT", ("IT-62", "IT-RM")))), location_of(place_of((None, ())))
    (('IT', ('IT-RM',)), (None, ()))
    """
    code = _atlas().codes[place.bit_length() - 1]
    if code == WORLD:
        return None, ()
    return country_of(code), (code,) if is_subdivision(code) else ()


def largest(places: Places) -> Iterator[str]:
    """Yield the largest codes that lie wholly in a set, every code before its neighbours."""
    codes = _atlas().codes
    while places:
        lowest = places & -places
        inside = within(code := codes[lowest.bit_length() - 1])
        if inside & ~places:
            places ^= lowest
        else:
            yield code
            places ^= inside


def turns(places: Places) -> Iterator[str]:
    """Yield each code that is in a set while the code around it is not, or the reverse: the exclusive or of all is the set.

    >>> list(turns(within("WORLD") & ~within("US") | within("US-MS")))
    ['WORLD', 'US', 'US-MS']
    """
    codes = _atlas().codes
    while places:
        code = codes[(places & -places).bit_length() - 1]
        yield code
        places ^= within(code)
