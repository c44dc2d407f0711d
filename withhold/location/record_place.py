"""The place that the codes in a database record or a CDN header denote."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from withhold.location.headers import redacted
from withhold.territories import WORLD, containing, countries, country_of, covering, is_subdivision
from withhold.territories.table import SECOND, TABLE

#: Cloudflare and some databases write this code for Tor.
TOR = "T1"


class RecordPlace(NamedTuple):
    """The place that a record names, without its network. `note` states which part was missing or not understood.

    It continues a phrase that ends with the name of the database, as in `geo.mmdb has no record of it` and
    `in 81.2.69.0/24 of geo.mmdb, whose record names no country`.
    """

    country: str | None = None
    subdivisions: tuple[str, ...] = ()
    registered_country: str | None = None
    represented_country: str | None = None
    anonymiser: str | None = None
    note: str = ""


#: The place for an address without a record.
NO_RECORD = RecordPlace(note="has no record for it")


def place_of(
    code: str | None, parts: Sequence[str | None] = (), registered: str | None = None, represented: str | None = None
) -> RecordPlace:
    """Return the place that codes denote. Codes that are not in ISO 3166 do not denote a place (T4).

    Databases also contain `AP`, `EU`, `ZZ`, `None` and the like, which are not countries, and `T1`, which means Tor. A
    former code is read as the place that it belongs to today, `EL` as `GR`, and a second code as the place that it
    denotes (T5). `UK` does not count as a country, because it is unknown who wrote it into a database and why.

    All known subdivisions are kept, of any level and in any order. If they are not nested, the result is the smallest
    place that contains all of them. If they are in different countries, the result has no country.

    >>> place_of("GB", ["ENG", "WBK"]).subdivisions, place_of("FR", ["IDF", "75"]).subdivisions
    (('GB-ENG', 'GB-WBK'), ('FR-IDF', 'FR-75C'))
    >>> place_of("US", ["PR"]).country, place_of("RS", ["25"]).country, place_of("FR", ["RE", "IDF"]).country
    ('PR', 'XK', None)
    >>> place_of("EL").country, place_of("UK").country
    ('GR', None)
    >>> place_of("AP").note, place_of("CN", ["77"]).note
    ('whose country `AP` is not in ISO 3166-1', 'whose subdivision `CN-77` is not in ISO 3166-2')
    """
    rest = (country_named(registered), country_named(represented))
    if not code:
        return RecordPlace(None, (), *rest, note="whose record names no country")
    if code == TOR:
        return RecordPlace(None, (), *rest, anonymiser="Tor exit")
    country = country_named(code)
    if country is None:
        return RecordPlace(None, (), *rest, note=f"whose country `{redacted(code[:20])}` is not in ISO 3166-1")
    whole = covering(code)
    # If there are parts, the subdivision that `code` itself denotes is one more. If there are none, it is not added: a
    # header with only a country names no subdivision, and for a record `PlaceSchema.read` passes it as a part.
    located, subdivisions, note = _within(country, (*parts, whole) if parts and is_subdivision(whole) else tuple(parts))
    return RecordPlace(located, subdivisions, *rest, note=note)


def country_named(code: str | None) -> str | None:
    """Return the country that a code in a record denotes, or None. `IC` is in `ES`, and `DD` is now in `DE`."""
    if code is None or code in countries():
        return code
    if code == "UK":
        return None
    whole = WORLD if is_subdivision(code) else covering(code)
    return None if whole == WORLD else country_of(whole)


@lru_cache(maxsize=16_384)
def _within(country: str, parts: tuple[str | None, ...]) -> tuple[str | None, tuple[str, ...], str]:
    """Return the country and subdivisions (broadest first) that `parts` denote, and a note on parts not understood."""
    found = {part: _subdivision(country, part) for part in parts}
    note = ""
    for part, code in found.items():
        if code is None:
            fault = "has no code" if not part else f"`{country}-{redacted(part[:20])}` is not in ISO 3166-2"
            note = f"whose subdivision {fault}"
    codes = {code for code in found.values() if code is not None}
    if not codes:
        return country, (), note
    narrow = sorted(codes - {around for code in codes for around in containing(code)[1:]}) or [WORLD]
    if len(narrow) > 1 or WORLD in codes:
        at_odds = [part for part, code in found.items() if code == WORLD or (code in narrow and WORLD not in codes)]
        named = " and ".join(sorted(f"`{country}-{redacted((part or '')[:20])}`" for part in at_odds))
        fault = "is not a place in it" if WORLD in codes else "are not nested"
        note = f"whose {'subdivision' if WORLD in codes else 'subdivisions'} {named} {fault}"
    around = [place for place in containing(narrow[0]) if all(place in containing(code) for code in narrow)]
    if WORLD in codes or around[0] == WORLD:
        return None, (), note
    # Keep the smallest place that contains all of them, and the places around it that the record names.
    kept = [place for place in reversed(around) if is_subdivision(place) and (place in codes or place == around[0])]
    return country_of(around[0]), tuple(kept), note


def _subdivision(country: str, part: str | None) -> str | None:
    """Return the canonical code of a part of a country, None if it is unknown, or `WORLD` if it is in another country.

    A part may begin with the country's code, may be in upper or lower case, and may lack leading zeros. For a former
    code, return the place that contains it.
    """
    if not part or not part.isascii():
        return None
    part = part.strip().upper()
    own = country_of(part)
    if own != country and is_subdivision(part) and (whole := covering(part)) != WORLD:
        # The full code of a place in another country: `UM-76` of `US` is in `UM`, and `FR-974` of `RE` is `RE`.
        inside = country_of(whole) in (country, SECOND.get(f"{country}-{own}"))
        return whole if inside else WORLD
    part = part.removeprefix(f"{country}-")
    code = f"{country}-{part}"
    if code in TABLE or (found := covering(code)) != WORLD:
        return covering(code)
    if second := SECOND.get(f"{country}-{country_of(part)}"):
        found = covering(f"{second}-{part.partition('-')[2]}")
        return second if found == WORLD else found
    padded = {covering(f"{country}-{part.zfill(digits)}") for digits in (2, 3)} if part.isdigit() else set()
    padded.discard(WORLD)
    return padded.pop() if len(padded) == 1 else None
