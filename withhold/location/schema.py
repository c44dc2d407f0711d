"""The schema of a location database, detected once when it is loaded: how its records name a place.

A record that names a country must be understood, or the database is refused. Otherwise all viewers in its network would have an
unknown location, and nothing would be withheld from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import NamedTuple, Protocol

from withhold.errors import GeoIPError, Problem
from withhold.location.headers import printable
from withhold.location.record_keys import (
    NO_COUNTRIES,
    Leaf,
    countries_in,
    leaves,
    map_of,
    may_lead_to_the_location,
    names_a_country,
    never_lead_to_a_country,
    possible_countries_in,
    subdivisions_in,
    text_of,
    value_at,
)
from withhold.location.record_place import NO_RECORD, TOR, RecordPlace, country_named, place_of
from withhold.territories import countries, covering, is_subdivision

#: The number of records that are checked when a database is opened. All are checked before its table is used.
SAMPLE = 2_000
_MAXMIND = ("country", "iso_code")
_KNOWN_KEYS = (_MAXMIND, ("country_code",), ("country",))
_OTHER_WAY = "a record names a country in a way that is not understood"


class Schema(Protocol):
    """How to read the records of a database."""

    @property
    def name(self) -> str: ...

    def read(self, record: object) -> RecordPlace:
        """Return the place that a record names. A `record` of None means that there is none.

        Raises `GeoIPError` if the record is not understood.
        """
        ...


class PlaceSchema(NamedTuple):
    """The keys that lead to the code of a country: MaxMind's, a flat database's, or the operator's.

    `name` is `country`, `city` or `enterprise`. `given` is set if the keys are the operator's.
    """

    name: str
    keys: tuple[str, ...] = _MAXMIND
    given: bool = False

    def code(self, record: Mapping[str, object]) -> str | None:
        """Return the text at the keys in upper case, or None if there is no ASCII text."""
        found = value_at(record, self.keys)
        return found.upper() if isinstance(found, str) and found.isascii() else None

    def read(self, record: object) -> RecordPlace:
        if record is None:
            return NO_RECORD
        found = map_of(record)
        for at in range(1, len(self.keys)):
            map_of(value_at(found, self.keys[:at], {}))
        text, code = text_of(value_at(found, self.keys)), self.code(found)
        if country_named(code) is None and code != TOR:
            if text and code not in NO_COUNTRIES:
                raise _not_understood(_OTHER_WAY, [(self.keys, text)])
            if others := self._other_countries(found, text):
                raise _not_understood(_OTHER_WAY, others)
        parts = subdivisions_in(found, maxmind=self.keys == _MAXMIND)
        if code and not parts and code not in countries() and is_subdivision(whole := covering(code)):
            parts = [whole]
        if self.keys != _MAXMIND:
            return place_of(code, parts)
        registered, represented = (
            text_of(map_of(found.get(key, {})).get("iso_code")) for key in ("registered_country", "represented_country")
        )
        return place_of(code, parts, registered, represented)

    def _other_countries(self, record: Mapping[str, object], text: str | None) -> list[Leaf]:
        """Return the values by which a record without a country at the keys seems to name one.

        Text at the keys that is not a country (`-`, `ZZ`) means that there is none, unless another value is the name
        or the code of a country.
        """
        named = list(countries_in(record))
        if text is not None or self.given:
            named = [(keys, value) for keys, value in named if isinstance(value, str) and names_a_country(value)]
        return [*named, *(found for found in possible_countries_in(record) if found not in named)]


def detect_schema(kind: str, records: Iterable[object], keys: Sequence[str] | None = None) -> PlaceSchema:
    """Return the schema of a database of type `kind`, detected from its first records.

    Raises `GeoIPError` (`unknown-schema`) if no record names a country in a way that is understood, or if one of the first
    records names it in a different way from the others, and `GeoIPError` (`bad-country-path`) for unusable `keys`.
    """
    name = next((name for name in ("city", "enterprise") if name in kind.lower()), "country")
    if keys is None:
        candidates = [PlaceSchema(name, known) for known in _KNOWN_KEYS]
    elif isinstance(keys, str) or not keys or not all(isinstance(key, str) for key in keys):
        problem = f"country_path `{printable(str(keys))}` is not a sequence of keys"
        raise GeoIPError(Problem("bad-country-path", problem, hint="write it like `country_path=('country', 'code')`"))
    elif never_lead_to_a_country(keys):
        problem = f"country_path `{printable('.'.join(keys))}` does not lead to a country"
        raise GeoIPError(
            Problem("bad-country-path", problem, hint="give the keys that lead to the country of an address")
        )
    else:
        candidates = [PlaceSchema(name, tuple(keys), given=True)]
    all_records = iter(records)
    # Broken records are reported later, when the whole file is read.
    sample = [record for record in islice(all_records, SAMPLE) if isinstance(record, dict)]
    named = next((found for record in sample if (found := list(countries_in(record)))), [])
    # If no record of the sample names a country, a later one may.
    for record in sample if named else chain(sample, all_records):
        for schema in candidates:
            if isinstance(record, dict) and country_named(schema.code(record)) is not None:
                for sampled in sample:
                    _check(schema, sampled)
                return schema
    if not named:
        # Show the text values of a record: the reader of the message may recognise the country among them.
        texts = ([leaf for leaf in leaves(record) if isinstance(leaf[1], str)] for record in sample)
        named = next(filter(None, texts), [])
    raise _not_understood(f"no record of the `{printable(kind)}` database names a country", named)


def _check(schema: Schema, record: object) -> None:
    try:
        schema.read(record)
    except GeoIPError as error:
        if error.code == "unknown-schema":
            raise


def _not_understood(message: str, found: Sequence[Leaf]) -> GeoIPError:
    shown = ", ".join(f"`{printable('.'.join(keys))}` is `{printable(str(value), 40)}`" for keys, value in found[:5])
    codes = (
        keys
        for keys, value in found
        if isinstance(value, str) and value.isascii() and value.upper() in countries()
        if may_lead_to_the_location(keys)
    )
    hint = "set `country_path` to the keys that lead to a two-letter code of ISO 3166-1"
    if keys := next(codes, None):
        hint = f"if that is the country of an address, give `country_path={keys}`"
    return GeoIPError(Problem("unknown-schema", f"{message}: {shown}" if shown else message, hint=hint))
