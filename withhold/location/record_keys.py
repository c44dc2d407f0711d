"""The keys under which the records of databases name countries and subdivisions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from withhold.errors import GeoIPError, Problem, quoted
from withhold.location.record_place import country_named
from withhold.territories import is_subdivision
from withhold.territories.names import codes_named

#: A value of a record, and the keys that lead to it.
Leaf = tuple[tuple[str, ...], object]

#: Values that databases write if there is no country, in upper case.
NO_COUNTRIES = frozenset(
    (
        *("", "-", "--", "?", "??", "NONE", "NULL", "UNKNOWN", "N/A", "A1", "A2", "O1"),
        *("AA", "AN", "AP", "EU", "EZ", "UK", "UN", "XX", "XZ", "ZZ"),
    )
)
#: The keys of MaxMind's records. Those that name places are read by exactly these names.
_MAXMIND = frozenset(
    {"city", "continent", "country", "location", "postal", "registered_country", "represented_country"}
)
_MAXMIND |= {"subdivisions", "traits"}
#: Keys below which a country is named.
_COUNTRY = re.compile(r"country|countries|(^|_)(nation|ctry|cc|iso|iso2|iso_?3166\w*|alpha_?2)(_|\d|$)")
#: Keys below which a country is not the location, but that of a registration, for example.
_NOT_LOCATION = re.compile(
    r"regist|represent|continent|subdivision|traits|currenc|calling|phone|tld|languages|capital|confidence|(^|_)is_"
)
#: Keys that never lead to the code of a country.
_NO_COUNTRY = re.compile(r"continent|subdivision|currenc|calling|phone|tld|languages|confidence|(^|_)is_")
#: Like `_NOT_LOCATION`, and also keys below which a country is that of an organisation.
_ORGANISATION = re.compile(rf"{_NOT_LOCATION.pattern}|(^|_)asn?(_|\d|$)|autonomous|organi[sz]ation|whois|owner|carrier")
#: Keys below which text may be the country, in a record that does not name one elsewhere.
_POSSIBLE_COUNTRY = re.compile(r"(^|_)(code|geo|geo_?ip|loc|location|place|where|area|territory)(_|\d|$)")
_OTHER_CODES = re.compile(
    r"lang|time_?zone|city|isp(_|$)|organi[sz]ation|region|state|province|metro|postal|zip|domain"
)
#: Keys, joined by `_`, that lead to the code of a subdivision.
_SUBDIVISION = re.compile(
    r"(^|_)(subdivisions?|regions?|states?|state_?prov(ince)?|provinces?)_?\d?(_(iso|code|iso_?code|iso_?3166(_?2)?))+$"
    r"|(^|_)iso_?3166_?2(_?code)?$"
)
#: Keys that lead to the code of a subdivision in some databases, and to its name in others.
_SUBDIVISION_OR_NAME = re.compile(r"(^|_)(subdivisions?|regions?|states?|state_?prov(ince)?|provinces?)_?\d?$")
_SUBDIVISION_CODE = re.compile(r"([A-Za-z]{2}-)?[A-Za-z0-9]{1,3}")
_NO_SUBDIVISION = re.compile(
    r"continent|traits|registered|represented|confidence|fips|geoname|un_?m49|(^|_)(names?|isp|asn?|is)(_|$)"
)


def map_of(value: object) -> Mapping[str, object]:
    """Return `value`, a record or a map in one. Raise `GeoIPError` (`broken-database`) for any other type."""
    if not isinstance(value, dict):
        raise _misshapen(value, "map")
    return value


def text_of(value: object) -> str | None:
    """Return `value`, a code or None for no code. Raise `GeoIPError` (`broken-database`) for any other type."""
    if value is not None and not isinstance(value, str):
        raise _misshapen(value, "code")
    return value


def _misshapen(value: object, kind: str) -> GeoIPError:
    return GeoIPError(Problem("broken-database", f"a record has {quoted(value)} where a {kind} belongs"))


def value_at(record: Mapping[str, object], keys: Sequence[str], missing: object = None) -> object:
    """Return the value to which keys lead, or `missing`."""
    found: object = record
    for key in keys:
        found = found.get(key, missing) if isinstance(found, dict) else missing
    return found


def leaves(value: object, keys: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Yield all values in a record that are not maps or lists, with the keys that lead to them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*keys, key))
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, keys)
    else:
        yield keys, value


def countries_in(record: Mapping[str, object]) -> Iterator[Leaf]:
    """Yield the values that, judging by their keys, name the country of the location."""
    for keys, value in leaves(record):
        steps = [*map(_snake_case, keys)]
        if any(map(_NOT_LOCATION.search, steps)) or not any(map(_COUNTRY.search, steps)):
            continue
        if (value and not isinstance(value, (bool, str))) or (
            isinstance(value, str) and value.upper() not in NO_COUNTRIES
        ):
            yield keys, value


def possible_countries_in(record: Mapping[str, object]) -> Iterator[Leaf]:
    """Yield the codes and names of countries below keys that may lead to the location."""
    for keys, value in leaves(record):
        steps = [*map(_snake_case, keys)]
        excluded = any(_ORGANISATION.search(step) or _OTHER_CODES.search(step) for step in steps)
        if (
            not excluded
            and any(map(_POSSIBLE_COUNTRY.search, steps))
            and isinstance(value, str)
            and names_a_country(value)
        ):
            yield keys, value


def never_lead_to_a_country(keys: Sequence[str]) -> bool:
    """Return whether keys never lead to the code of a country."""
    return any(_NO_COUNTRY.search(_snake_case(key)) for key in keys)


def may_lead_to_the_location(keys: Sequence[str]) -> bool:
    """Return whether a country at these keys may be the location, and not that of an organisation."""
    return not any(_ORGANISATION.search(_snake_case(key)) for key in keys)


@lru_cache(maxsize=4_096)
def names_a_country(text: str) -> bool:
    """Return whether text is the name of a country, or its two-letter or three-letter code."""
    if len(text) <= 2:
        return text.isascii() and country_named(text.upper()) is not None
    return any(not is_subdivision(code) for code in codes_named(text))


def subdivisions_in(record: Mapping[str, object], *, maxmind: bool) -> list[str | None]:
    """Return the codes of the subdivisions, from MaxMind's list and from other keys; None for one without a code.

    In a record of MaxMind's schema, raise `GeoIPError` (`broken-database`) if `subdivisions` is not a list of maps.
    """
    parts = record.get("subdivisions", [])
    if isinstance(parts, list) and (maxmind or all(isinstance(part, dict) for part in parts)):
        found = [text_of(map_of(part).get("iso_code")) for part in parts]
    elif maxmind:
        raise _misshapen(parts, "list")
    else:
        found = []
    others = {key: value for key, value in record.items() if key not in _MAXMIND} if maxmind else record
    return [*found, *(part for part in _subdivision_codes(others) if part not in found)] if others else found


def _subdivision_codes(value: object, keys: tuple[str, ...] = ()) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            below = _subdivision_at((*keys, key))
            if below or (below is not None and isinstance(inner, (dict, list))):
                yield from _subdivision_codes(inner, (*keys, key))
    elif isinstance(value, list):
        for inner in value:
            yield from _subdivision_codes(inner, keys)
    elif keys and isinstance(value, (str, int)) and not isinstance(value, bool) and (form := _subdivision_at(keys)):
        text = str(value)
        if form is _SUBDIVISION_CODE and not form.fullmatch(text):
            return  # a name
        if text.upper() not in NO_COUNTRIES:
            yield text


@lru_cache(maxsize=4_096)
def _subdivision_at(keys: tuple[str, ...]) -> re.Pattern[str] | bool | None:
    """Return whether keys lead to the code of a subdivision.

    The result is a pattern if they lead to a code only when the value matches the pattern. It is None if no keys below
    them lead to a code either.
    """
    joined = "_".join(map(_snake_case, keys))
    if _NO_SUBDIVISION.search(joined):
        return None
    if _SUBDIVISION.search(joined):
        return True
    return _SUBDIVISION_CODE if _SUBDIVISION_OR_NAME.search(joined) else False


@lru_cache(maxsize=4_096)
def _snake_case(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).replace("-", "_").lower()
