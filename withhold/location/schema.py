"""What one record of a place database says, whatever the schema; told apart once, when the database is loaded.

A record that names a country must be understood, or the database is refused: everybody in it would be of unknown
location, and see everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple, Protocol

from withhold.errors import GeoIPError, Problem, quoted
from withhold.location.headers import printable, redacted
from withhold.territories import WORLD, containing, countries, country_of, covering, is_subdivision
from withhold.territories.names import codes_named
from withhold.territories.table import SECOND, TABLE

#: So many records are checked when a database is opened, all of them before its table is used.
SAMPLE = 2_000
#: What databases write where there is no country, in upper case.
NO_COUNTRIES = frozenset(
    (
        *("", "-", "--", "?", "??", "NONE", "NULL", "UNKNOWN", "N/A", "A1", "A2", "O1"),
        *("AA", "AN", "AP", "EU", "EZ", "UK", "UN", "XX", "XZ", "ZZ"),
    )
)
_MAXMIND = ("country", "iso_code")
#: What else MaxMind's records have, and what is read of them by its own name.
_KNOWN = frozenset({"city", "continent", "country", "location", "postal", "registered_country", "represented_country"})
_KNOWN |= {"subdivisions", "traits"}
_SCHEMAS = (_MAXMIND, ("country_code",), ("country",))
#: Keys below which a country is named, and keys below which it is another one than where somebody is.
_COUNTRY = re.compile(r"country|countries|(^|_)(nation|ctry|cc|iso|iso2|iso_?3166\w*|alpha_?2)(_|\d|$)")
_ANOTHER = re.compile(
    r"regist|represent|continent|subdivision|traits|currenc|calling|phone|tld|languages|capital|confidence|(^|_)is_"
)
#: Keys that lead to something that has no country's code.
_NO_COUNTRY = re.compile(r"continent|subdivision|currenc|calling|phone|tld|languages|confidence|(^|_)is_")
#: Keys that lead to a country that is not where an address is, in a hint.
_ELSEWHERE = re.compile(rf"{_ANOTHER.pattern}|(^|_)asn?(_|\d|$)|autonomous|organi[sz]ation|whois|owner|carrier")
#: Keys below which something is that may be a country, where a record says nothing else of one.
_SOMEWHERE = re.compile(r"(^|_)(code|geo|geo_?ip|loc|location|place|where|area|territory)(_|\d|$)")
_OTHER_CODES = re.compile(
    r"lang|time_?zone|city|isp(_|$)|organi[sz]ation|region|state|province|metro|postal|zip|domain"
)
#: Keys below which the code of a subdivision is, joined.
_PART = re.compile(
    r"(^|_)(subdivisions?|regions?|states?|state_?prov(ince)?|provinces?)_?\d?(_(iso|code|iso_?code|iso_?3166(_?2)?))+$"
    r"|(^|_)iso_?3166_?2(_?code)?$"
)
#: Keys of a part that have its name in some databases, and its code in others.
_PART_OR_NAME = re.compile(r"(^|_)(subdivisions?|regions?|states?|state_?prov(ince)?|provinces?)_?\d?$")
_PART_CODE = re.compile(r"([A-Za-z]{2}-)?[A-Za-z0-9]{1,3}")
_NO_PART = re.compile(
    r"continent|traits|registered|represented|confidence|fips|geoname|un_?m49|(^|_)(names?|isp|asn?|is)(_|$)"
)
_OTHERWISE = "a record names a country in a way that is not understood"
_TOR = "T1"


class RecordPlace(NamedTuple):
    """What a record says, apart from its network. `note` says what was missing or not believed."""

    country: str | None = None
    subdivisions: tuple[str, ...] = ()
    registered_country: str | None = None
    represented_country: str | None = None
    anonymiser: str | None = None
    note: str = ""


#: What is said of an address for which a database has no record.
NO_RECORD = RecordPlace(note="which has no record of it")


def place_of(
    code: str | None, parts: Sequence[str | None] = (), registered: str | None = None, represented: str | None = None
) -> RecordPlace:
    """Check the codes of a record or a header: those that ISO 3166 does not have are not known (T4).

    `AP`, `EU`, `ZZ`, `None` and the like are seen in real data; `T1` is Tor. Former codes are read as the place that
    they are part of now, `UK` and `EL` as in rules, and second codes as the place that they stand for (T5). Of the
    subdivisions those are kept that are known, of any level, in any order. Where they do not lie one inside the other,
    the smallest place around them is known; where they lie in different countries, none is.

    >>> place_of("GB", ["ENG", "WBK"]).subdivisions, place_of("FR", ["IDF", "75"]).subdivisions
    (('GB-ENG', 'GB-WBK'), ('FR-IDF', 'FR-75C'))
    >>> place_of("US", ["PR"]).country, place_of("RS", ["25"]).country, place_of("FR", ["RE", "IDF"]).country
    ('PR', 'XK', None)
    >>> place_of("AP").note, place_of("CN", ["77"]).note
    ('whose country `AP` is none', 'whose subdivision `CN-77` is not in ISO 3166-2')
    """
    rest = (_country(registered), _country(represented))
    if not code:
        return RecordPlace(None, (), *rest, note="whose record names no country")
    if code == _TOR:
        return RecordPlace(None, (), *rest, anonymiser="Tor exit")
    country = _country(code)
    if country is None:
        return RecordPlace(None, (), *rest, note=f"whose country `{redacted(code[:20])}` is none")
    whole = covering(code)
    # A header of the country alone names no subdivision, and a record does so by its code: see `PlaceSchema.read`.
    located, subdivisions, note = _within(country, (*parts, whole) if parts and is_subdivision(whole) else tuple(parts))
    return RecordPlace(located, subdivisions, *rest, note=note)


def _country(code: str | None) -> str | None:
    """Return the country that a record names, None if it names none. `IC` is in `ES`, `DD` in `DE`."""
    if code is None or code in countries():
        return code
    if code == "UK":  # GB where people write it; in data nobody knows who wrote it, and why
        return None
    whole = WORLD if is_subdivision(code) else covering(code)
    return None if whole == WORLD else country_of(whole)


@lru_cache(maxsize=16_384)
def _within(country: str, parts: tuple[str | None, ...]) -> tuple[str | None, tuple[str, ...], str]:
    """Return the country and the subdivisions, broadest first, that the parts of a country name, and what was not read."""
    found = {part: _subdivision(country, part) for part in parts}
    note = ""
    for part, code in found.items():
        if code is None:
            lacks = "has no code" if not part else f"`{country}-{redacted(part[:20])}` is not in ISO 3166-2"
            note = f"whose subdivision {lacks}"
    codes = {code for code in found.values() if code is not None}
    if not codes:
        return country, (), note
    narrow = sorted(codes - {around for code in codes for around in containing(code)[1:]}) or [WORLD]
    if len(narrow) > 1 or WORLD in codes:
        at_odds = [part for part, code in found.items() if code == WORLD or (code in narrow and WORLD not in codes)]
        named = " and ".join(sorted(f"`{country}-{redacted((part or '')[:20])}`" for part in at_odds))
        ends = "is not a place in it" if WORLD in codes else "are not one inside the other"
        note = f"whose {'subdivision' if WORLD in codes else 'subdivisions'} {named} {ends}"
    around = [place for place in containing(narrow[0]) if all(place in containing(code) for code in narrow)]
    if WORLD in codes or around[0] == WORLD:
        return None, (), note
    # The smallest place around all of them, and what a record names around that.
    kept = [place for place in reversed(around) if is_subdivision(place) and (place in codes or place == around[0])]
    return country_of(around[0]), tuple(kept), note


def _subdivision(country: str, part: str | None) -> str | None:
    """Return the canonical code of a part, with or without its country in front, in any case, or short of a zero.

    That of a former one is the place around it; `WORLD` says that the part is not in the country.
    """
    if not part or not part.isascii():
        return None
    part = part.strip().upper()
    own = country_of(part)
    if own != country and is_subdivision(part) and (whole := covering(part)) != WORLD:
        # The whole code of a place in another country: `UM-76` of `US` is in `UM`, and `FR-974` of `RE` is `RE`.
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


class Schema(Protocol):
    """How the records of a database are read."""

    @property
    def name(self) -> str: ...

    def read(self, record: object) -> RecordPlace:
        """Return what a record says; None is no record. Raises `GeoIPError` for one that is not understood."""
        ...


class PlaceSchema(NamedTuple):
    """The keys that lead to a country's code: those of MaxMind, those of a flat database, or those that were given.

    `name` is `country`, `city` or `enterprise`.
    """

    name: str
    keys: tuple[str, ...] = _MAXMIND
    given: bool = False

    def code(self, record: Mapping[str, object]) -> str | None:
        """Return the country's code in upper case; None if there is none at the keys, or another text."""
        found = _at(record, self.keys)
        return found.upper() if isinstance(found, str) and found.isascii() else None

    def read(self, record: object) -> RecordPlace:
        if record is None:
            return NO_RECORD
        found = map_of(record)
        for at in range(1, len(self.keys)):
            map_of(_at(found, self.keys[:at], {}))
        said, code = _text(_at(found, self.keys)), self.code(found)
        if said and _country(code) is None and code not in NO_COUNTRIES and code != _TOR:
            raise _not_understood(_OTHERWISE, [(self.keys, said)])
        if _country(code) is None and code != _TOR and (elsewhere := self._elsewhere(found, said)):
            raise _not_understood(_OTHERWISE, elsewhere)
        parts = _parts(found, strict=self.keys == _MAXMIND)
        if code and not parts and code not in countries() and is_subdivision(whole := covering(code)):
            parts = [whole]
        if self.keys != _MAXMIND:
            return place_of(code, parts)
        return place_of(
            code,
            parts,
            _code(found, "registered_country"),
            _code(found, "represented_country"),
        )

    def _elsewhere(self, record: Mapping[str, object], said: str | None) -> list[tuple[tuple[str, ...], object]]:
        """Return where a record without a code at the keys seems to name a country.

        A code that is there and none (`-`, `ZZ`) says that there is no country, unless one is named in so many words.
        """
        named = list(_named(record))
        if said is not None or self.given:
            named = [(keys, value) for keys, value in named if isinstance(value, str) and _names_a_country(value)]
        return [*named, *(found for found in _perhaps(record) if found not in named)]


def tell_apart(kind: str, records: Iterable[object], keys: Sequence[str] | None = None) -> PlaceSchema:
    """Return the schema of a database of the type `kind` by its first records.

    Raises `GeoIPError` (`unknown-schema`) if none of them says where it is in a way that is known, or if one of them
    says it in another way than the others.
    """
    name = next((name for name in ("city", "enterprise") if name in kind.lower()), "country")
    if keys is None:
        candidates = [PlaceSchema(name, known) for known in _SCHEMAS]
    elif isinstance(keys, str) or not keys or not all(isinstance(key, str) for key in keys):
        problem = f"country_path `{printable(str(keys))}` is not a sequence of keys"
        raise GeoIPError(Problem("bad-country-path", problem, hint="write it like `country_path=('country', 'code')`"))
    elif any(map(_NO_COUNTRY.search, map(_snake, keys))):
        problem = f"country_path `{printable('.'.join(keys))}` leads to no country"
        raise GeoIPError(Problem("bad-country-path", problem, hint="name the keys that lead to where an address is"))
    else:
        candidates = [PlaceSchema(name, tuple(keys), given=True)]
    all_of = iter(records)
    # What is broken is reported with the whole of the file, once it is read.
    sample = [record for record in islice(all_of, SAMPLE) if isinstance(record, dict)]
    named = next((found for record in sample if (found := list(_named(record)))), [])
    # A sample that names no country at all need not be all of a database that does.
    for record in sample if named else chain(sample, all_of):
        for schema in candidates:
            if isinstance(record, dict) and _country(schema.code(record)) is not None:
                for sampled in sample:
                    _check(schema, sampled)
                return schema
    if not named:
        # Keys that mean nothing here, but perhaps to the reader of the message.
        texts = ([leaf for leaf in _leaves(record) if isinstance(leaf[1], str)] for record in sample)
        named = next(filter(None, texts), [])
    raise _not_understood(f"no record of the `{printable(kind)}` database names a country", named)


def _check(schema: Schema, record: object) -> None:
    try:
        schema.read(record)
    except GeoIPError as error:
        if error.code == "unknown-schema":
            raise


def map_of(value: object) -> Mapping[str, object]:
    """Return a record, or a map in it; raises `GeoIPError` for anything else."""
    if not isinstance(value, dict):
        raise _misshapen(value, "map")
    return value


def _named(record: Mapping[str, object]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield the keys and the values by which a record seems to name the country where somebody is."""
    for keys, value in _leaves(record):
        steps = [*map(_snake, keys)]
        if any(map(_ANOTHER.search, steps)) or not any(map(_COUNTRY.search, steps)):
            continue
        if (value and not isinstance(value, (bool, str))) or (
            isinstance(value, str) and value.upper() not in NO_COUNTRIES
        ):
            yield keys, value


def _perhaps(record: Mapping[str, object]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield the keys and the codes or names of countries below keys that may be where somebody is."""
    for keys, value in _leaves(record):
        steps = [*map(_snake, keys)]
        known = any(_ELSEWHERE.search(step) or _OTHER_CODES.search(step) for step in steps)
        if not known and any(map(_SOMEWHERE.search, steps)) and isinstance(value, str) and _names_a_country(value):
            yield keys, value


@lru_cache(maxsize=4_096)
def _names_a_country(text: str) -> bool:
    """Return whether a text is the code of a country, or its name or a code of three letters."""
    if len(text) <= 2:
        return text.isascii() and _country(text.upper()) is not None
    return any(not is_subdivision(code) for code in codes_named(text))


@lru_cache(maxsize=4_096)
def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).replace("-", "_").lower()


def _leaves(value: object, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*keys, key))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, keys)
    else:
        yield keys, value


def _not_understood(message: str, found: Sequence[tuple[tuple[str, ...], object]]) -> GeoIPError:
    said = ", ".join(f"`{printable('.'.join(keys))}` is `{printable(str(value), 40)}`" for keys, value in found[:5])
    codes = (
        keys
        for keys, value in found
        if isinstance(value, str) and value.isascii() and value.upper() in countries()
        if not any(_ELSEWHERE.search(_snake(key)) for key in keys)
    )
    hint = "name the keys that lead to a two-letter code of ISO 3166-1 with `country_path`"
    if keys := next(codes, None):
        hint = f"if that is where an address is, give `country_path={keys}`"
    return GeoIPError(Problem("unknown-schema", f"{message}: {said}" if said else message, hint=hint))


def _at(record: Mapping[str, object], keys: Sequence[str], missing: object = None) -> object:
    found: object = record
    for key in keys:
        found = found.get(key, missing) if isinstance(found, dict) else missing
    return found


def _parts(record: Mapping[str, object], *, strict: bool) -> list[str | None]:
    """Return the codes of the subdivisions: those of MaxMind's list, and those below other keys."""
    parts = record.get("subdivisions", [])
    if isinstance(parts, list) and (strict or all(isinstance(part, dict) for part in parts)):
        found = [_text(map_of(part).get("iso_code")) for part in parts]
    elif strict:
        raise _misshapen(parts, "list")
    else:
        found = []
    others = {key: value for key, value in record.items() if key not in _KNOWN} if strict else record
    return [*found, *(part for part in _other_parts(others) if part not in found)] if others else found


def _other_parts(value: object, keys: tuple[str, ...] = ()) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            below = _part_at((*keys, key))
            if below or (below is not None and isinstance(inner, (dict, list))):
                yield from _other_parts(inner, (*keys, key))
    elif isinstance(value, list):
        for inner in value:
            yield from _other_parts(inner, keys)
    elif keys and isinstance(value, (str, int)) and not isinstance(value, bool) and (form := _part_at(keys)):
        text = str(value)
        if form is _PART_CODE and not form.fullmatch(text):
            return  # a name
        if text.upper() not in NO_COUNTRIES:
            yield text


@lru_cache(maxsize=4_096)
def _part_at(keys: tuple[str, ...]) -> re.Pattern[str] | bool | None:
    """Return whether the code of a subdivision is at the keys; a pattern that it has to fit; None below no such key."""
    joined = "_".join(map(_snake, keys))
    if _NO_PART.search(joined):
        return None
    if _PART.search(joined):
        return True
    return _PART_CODE if _PART_OR_NAME.search(joined) else False


def _code(record: Mapping[str, object], key: str) -> str | None:
    return _text(map_of(record.get(key, {})).get("iso_code"))


def _text(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise _misshapen(value, "code")
    return value


def _misshapen(value: object, kind: str) -> GeoIPError:
    return GeoIPError(Problem("broken-database", f"a record has {quoted(value)} where a {kind} belongs"))
