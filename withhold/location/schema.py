"""What one database record says, whatever the schema; told apart once, when the database is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from withhold.errors import GeoIPError, Problem, shown
from withhold.location.headers import printable
from withhold.territories import ALIASES, containing, countries, country_of, is_subdivision, subdivisions

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

    `AP`, `EU`, `ZZ`, `None` and the like are seen in real data; `T1` is Tor. If the narrowest subdivision
    has no current code, the wider ones are dropped with it: a viewer of whom a region alone were known
    would be taken not to be in any part of it.

    >>> place_of("GB", ["ENG", "WBK"]).subdivisions
    ('GB-ENG', 'GB-WBK')
    >>> place_of("US", ["PR"]).country
    'PR'
    >>> place_of("AP").note, place_of("CN", ["22"]).note
    ('whose country `AP` is none', 'whose subdivision `CN-22` is not in ISO 3166-2')
    """
    rest = (_known(registered), _known(represented))
    if not code:
        return Place(None, (), *rest, note="whose record names no country")
    if code == _TOR:
        return Place(None, (), *rest, anonymiser="Tor exit")
    if code not in countries():
        return Place(None, (), *rest, note=f"whose country `{printable(code, 20)}` is none")
    codes = [f"{code}-{part}" for part in parts]
    if codes and (own := ALIASES.get(codes[-1])):
        # Listed under its country, and known by a code of its own: `US-PR` is `PR`, `NL-BQ1` is `BQ-BO`.
        return Place(country_of(own), (own,) if is_subdivision(own) else (), *rest)
    if codes and codes[-1] not in subdivisions(code):
        lacks = "has no code" if not parts[-1] else f"`{printable(codes[-1], 20)}` is not in ISO 3166-2"
        return Place(code, (), *rest, note=f"whose subdivision {lacks}")
    # What does not lie around the narrowest one is of some other list of regions.
    return Place(code, tuple(found for found in codes if found in containing(codes[-1])), *rest)


def _known(code: str | None) -> str | None:
    return code if code in countries() else None


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
