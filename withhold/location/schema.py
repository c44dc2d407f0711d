"""What one database record says, whatever the schema; told apart once, when the database is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from withhold.errors import GeoIPError, Problem, shown
from withhold.location.headers import printable
from withhold.territories import ALIASES, containing, countries, country_of, current, is_subdivision
from withhold.territories.table import TABLE

#: What Anonymous-IP databases flag, the most telling first. A hosting provider alone hides nobody's place.
ANONYMISERS = {
    "is_tor_exit_node": "Tor exit",
    "is_anonymous_vpn": "VPN",
    "is_public_proxy": "public proxy",
    "is_residential_proxy": "residential proxy",
}
_TOR = "T1"
_SAMPLE = 2_000


class Place(NamedTuple):
    """What a record says, apart from its network. `note` says what was missing or not believed."""

    country: str | None = None
    subdivisions: tuple[str, ...] = ()
    registered_country: str | None = None
    represented_country: str | None = None
    anonymiser: str | None = None
    note: str = ""


#: What is said of an address for which a database has no record.
NO_RECORD = Place(note="which has no record of it")


def place_of(
    code: str | None, parts: Sequence[str | None] = (), registered: str | None = None, represented: str | None = None
) -> Place:
    """Check the codes of a record or a header: those that ISO 3166 does not have are not known (T4).

    `AP`, `EU`, `ZZ`, `None` and the like are seen in real data; `T1` is Tor. Former codes with one successor are read as
    that, and second codes as the place that they stand for (T5). Of the subdivisions those are kept that are known, of
    any level, in any order. Where they do not lie one inside the other, the country alone is known.

    >>> place_of("GB", ["ENG", "WBK"]).subdivisions, place_of("FR", ["IDF", "75"]).subdivisions
    (('GB-ENG', 'GB-WBK'), ('FR-IDF', 'FR-75C'))
    >>> place_of("US", ["PR"]).country, place_of("RS", ["25"]).country
    ('PR', 'XK')
    >>> place_of("AP").note, place_of("CN", ["77"]).note
    ('whose country `AP` is none', 'whose subdivision `CN-77` is not in ISO 3166-2')
    """
    rest = (_country(registered), _country(represented))
    if not code:
        return Place(None, (), *rest, note="whose record names no country")
    if code == _TOR:
        return Place(None, (), *rest, anonymiser="Tor exit")
    country = _country(code)
    if country is None:
        return Place(None, (), *rest, note=f"whose country `{printable(code, 20)}` is none")
    located, subdivisions, note = _within(country, tuple(parts))
    return Place(located, subdivisions, *rest, note=note)


def _country(code: str | None) -> str | None:
    """Return the country that a record names; `UK` and `EL` are not read in data."""
    if code is None or code in countries():
        return code
    found = current(code) if code not in ALIASES else None
    return found if found in countries() else None


@lru_cache(maxsize=16_384)
def _within(country: str, parts: tuple[str | None, ...]) -> tuple[str, tuple[str, ...], str]:
    """Return the country and the subdivisions, broadest first, that the parts of a country name, and what was not read."""
    found = {part: _subdivision(country, part) for part in parts}
    note = ""
    for part, code in found.items():
        if code is None:
            lacks = "has no code" if not part else f"`{country}-{part:.20}` is not in ISO 3166-2"
            note = f"whose subdivision {lacks}"
    codes = sorted({code for code in found.values() if code is not None}, key=lambda code: -len(containing(code)))
    if not codes:
        return country, (), note
    if not all(code in containing(codes[0]) for code in codes):
        named = " and ".join(f"`{code}`" for code in reversed(codes))
        return country, (), f"whose subdivisions {named} are not one inside the other"
    return country_of(codes[0]), tuple(code for code in reversed(codes) if is_subdivision(code)), note


def _subdivision(country: str, part: str | None) -> str | None:
    """Return the canonical code of a part, with or without its country in front, in any case, or short of a zero."""
    if not part or not part.isascii():
        return None
    part = part.strip().upper().removeprefix(f"{country}-")
    found = current(f"{country}-{part}")
    if found is None and part.isdigit() and f"{country}-{part}" not in TABLE:
        padded = {current(f"{country}-{part.zfill(digits)}") for digits in (2, 3)} - {None}
        found = padded.pop() if len(padded) == 1 else None
    return found


class Schema(NamedTuple):
    """How a database says where: MaxMind's own, or a country code on the path `keys`.

    `name` is `country`, `city`, `enterprise`, `flat` or `anonymous`.
    """

    name: str
    keys: tuple[str, ...] = ()

    def read(self, record: object) -> Place:
        """Return what a record says; None is no record. Raises `GeoIPError` for one of another shape."""
        if record is None:
            return NO_RECORD
        found = _map(record)
        if self.name == "anonymous":
            return Place(anonymiser=_anonymiser(found))
        if self.keys:
            return place_of(_text(_at(found, self.keys)))
        parts = found.get("subdivisions", []) if self.name != "country" else []
        if not isinstance(parts, list):
            raise _misshapen(parts, "list")
        return place_of(
            _code(found, "country"),
            [_text(_map(part).get("iso_code")) for part in parts],
            _code(found, "registered_country"),
            _code(found, "represented_country"),
        )


def tell_apart(kind: str, records: Iterable[object], keys: Sequence[str] | None = None) -> Schema:
    """Return the schema of a database of the type `kind` by its first records.

    Raises `GeoIPError` (`unknown-schema`) if none of them says where it is in a way that is known.
    """
    for _, record in zip(range(_SAMPLE), records, strict=False):
        found = _map(record)
        if keys is not None:
            if isinstance(_at(found, keys), str):
                return Schema("flat", tuple(keys))
        elif isinstance(found.get("country_code"), str):
            return Schema("flat", ("country_code",))
        elif isinstance(found.get("country"), str):
            return Schema("flat", ("country",))
        elif any(isinstance(found.get(key), dict) for key in ("country", "registered_country", "continent")):
            return Schema(next((name for name in ("city", "enterprise") if name in kind.lower()), "country"))
    hint = "name the keys that lead to the country code with `country_path`"
    raise GeoIPError(
        Problem("unknown-schema", f"no record of the `{printable(kind)}` database names a country", hint=hint)
    )


def tell_anonymous(kind: str, records: Iterable[object]) -> Schema:
    """Check that a database says who is anonymous; raises `GeoIPError` (`unknown-schema`) if it does not."""
    for _, record in zip(range(_SAMPLE), records, strict=False):
        if any(key.startswith("is_") for key in _map(record)):
            return Schema("anonymous")
    raise GeoIPError(Problem("unknown-schema", f"no record of the `{printable(kind)}` database says who is anonymous"))


def _anonymiser(record: Mapping[str, object]) -> str | None:
    for flag, name in ANONYMISERS.items():
        if record.get(flag) is True:
            return name
    flags = [key for key, value in record.items() if key.startswith("is_") and value is True]
    return "anonymiser" if flags == ["is_anonymous"] else None


def _at(record: Mapping[str, object], keys: Sequence[str]) -> object:
    found: object = record
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _code(record: Mapping[str, object], key: str) -> str | None:
    return _text(_map(record.get(key, {})).get("iso_code"))


def _map(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _misshapen(value, "map")
    return value


def _text(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise _misshapen(value, "code")
    return value


def _misshapen(value: object, kind: str) -> GeoIPError:
    return GeoIPError(Problem("broken-database", f"a record has {shown(value)} where a {kind} belongs"))
