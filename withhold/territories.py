"""Territories: ISO 3166-1 countries (and `XK`), ISO 3166-2 subdivisions, groups, and `WORLD`.

The ISO data come from pycountry, and are read at the first question, not at import.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from withhold.errors import Problem, TerritoryError, shown

WORLD = "WORLD"

# Places that ISO 3166-2 lists as parts of a country, and ISO 3166-1 as what they are here: of their own (T5).
_PARTS = {"US": "AS GU MP PR UM VI", "CN": "HK MO TW", "FR": "BL MF NC PF PM TF WF", "NL": "AW CW SX"}
_TWICE = {
    **{f"{country}-{own}": own for country, parts in _PARTS.items() for own in parts.split()},
    "FR-971": "GP",
    "FR-972": "MQ",
    "FR-973": "GF",
    "FR-974": "RE",
    "FR-976": "YT",
    "FI-01": "AX",
    "NL-BQ1": "BQ-BO",
    "NL-BQ2": "BQ-SA",
    "NL-BQ3": "BQ-SE",
    "NO-21": "SJ",
    "NO-22": "SJ",
}

#: Codes that are read as another one, with a warning: what the EU's institutions and common usage write (T2), and
#: the second codes of places that have one of their own (`US-PR` is `PR`: no viewer is ever located in `US-PR`).
ALIASES: Mapping[str, str] = MappingProxyType({"UK": "GB", "EL": "GR", **_TWICE})

_EU = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"}
    | {"IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"}
)

#: Groups known without a definition, by membership since 1 February 2020 (the United Kingdom had left).
#: Territories with an ISO code of their own (`RE`, `AX` …) are not in them: T5 keeps codes apart.
GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"EU": tuple(sorted(_EU)), "EEA": tuple(sorted(_EU | {"IS", "LI", "NO"}))}
)

_NO_TERRITORY = {
    "XX": "Twitter's `XX` is worldwide: write `WORLD`; a CDN's is an unknown location: use `Viewer.unknown()`",
    "XY": "Twitter's `XY` is worldwide for copyright: write `WORLD` with `reason: copyright`",
    **dict.fromkeys(
        ("T1", "ZZ", "AP", "A1", "A2", "O1"),
        "location data write it where they know no country: for a viewer, use `Viewer.unknown()`",
    ),
    **dict.fromkeys(GROUPS, "it is a group: for a viewer, one country is meant"),
}
_KEYBOARD = {
    letter: (row, column + row / 2)
    for row, letters in enumerate(("QWERTYUIOP", "ASDFGHJKL", "ZXCVBNM"))
    for column, letter in enumerate(letters)
}


class Resolved(NamedTuple):
    """A code in its canonical form, and what it was written as if that was an alias."""

    code: str
    alias: str | None


@cache
def countries() -> Mapping[str, str]:
    """Return all country codes with their names; 250 of them, `XK` (Kosovo, user-assigned) included."""
    import pycountry

    names = {c.alpha_2: getattr(c, "common_name", c.name) for c in pycountry.countries}
    return MappingProxyType(dict(sorted({**names, "XK": "Kosovo"}.items())))


@cache
def subdivisions(country: str) -> Mapping[str, str]:
    """Return the ISO 3166-2 codes of a country, each with the code that contains it: the country or a region."""
    import pycountry

    found = pycountry.subdivisions.get(country_code=country) or ()  # type: ignore[no-untyped-call]
    codes = sorted((s.code, s.parent_code or country) for s in found)
    return MappingProxyType({code: around for code, around in codes if code not in ALIASES})


def is_subdivision(code: str) -> bool:
    return "-" in code


def country_of(code: str) -> str:
    """Return the country of a country or subdivision code: `US` for `US-MS`."""
    return code.partition("-")[0]


@cache
def containing(code: str) -> tuple[str, ...]:
    """Return what lies around a country or subdivision, from near to far, itself first and `WORLD` last.

    >>> containing("IT-RM")
    ('IT-RM', 'IT-62', 'IT', 'WORLD')
    """
    chain = [code]
    while is_subdivision(chain[-1]):
        chain.append(subdivisions(country_of(code))[chain[-1]])
    return (*chain, WORLD)


def name_of(code: str) -> str:
    """Return the English name of a country or subdivision, and any other code itself.

    >>> name_of("IN"), name_of("US-MS"), name_of("WORLD")
    ('India', 'Mississippi', 'WORLD')
    """
    if is_subdivision(code):
        import pycountry

        found = pycountry.subdivisions.get(code=code)  # type: ignore[no-untyped-call]
        return str(found.name) if found else code
    return countries().get(code, code)


def resolve(text: str) -> Resolved:
    """Read a country or subdivision code, or `WORLD`, in any case (T1 to T3). O(1).

    >>> resolve("us-ms").code
    'US-MS'
    >>> resolve("uk")
    Resolved(code='GB', alias='UK')

    Raises `TerritoryError` with the nearest code as its hint.
    """
    # Other alphabets have letters whose capital is one of ours.
    written = text.strip().upper() if text.isascii() else text
    code = ALIASES.get(written, written)
    if is_subdivision(code):
        country, _, part = code.partition("-")
        country = ALIASES.get(country, country)
        code = f"{country}-{part}"
        if country in countries() and code in subdivisions(country):
            return Resolved(code, written if code != written else None)
    elif code == WORLD or code in countries():
        return Resolved(code, written if code != written else None)
    raise TerritoryError(_unknown(text.strip()))


def expand(text: str, groups: Mapping[str, Iterable[str]] = GROUPS) -> tuple[Resolved, ...]:
    """Read a code as `resolve` does, or the name of a group, which gives its members.

    >>> [found.code for found in expand("gulf", {"GULF": ("AE", "BH")})]
    ['AE', 'BH']
    """
    members = groups.get(text.strip().upper())
    if members is not None:
        return tuple(Resolved(code, None) for code in members)
    return (resolve(text),)


def _unknown(text: str) -> Problem:
    written = text.upper()
    if written in _NO_TERRITORY:
        return Problem("unknown-territory", f"{shown(text)} is not a territory", hint=_NO_TERRITORY[written])
    kind = "subdivision" if is_subdivision(written) else "country" if len(written) == 2 else "territory"
    if "," in written:
        hint = "put brackets around a list: `[IN, PK]`"
    elif nearest := _nearest(written):
        hint = (
            f"did you mean `{nearest}` ({name_of(nearest)})?"
            if nearest in countries() or is_subdivision(nearest)
            else f"did you mean `{nearest}`?"
        )
    else:
        hint = "write an ISO 3166 code such as `IN` or `US-MS`, or `WORLD`"
    return Problem("unknown-territory", f"unknown {kind} {shown(text)}", hint=hint)


def _nearest(written: str) -> str | None:
    """Return the code most likely meant: by a name or alpha-3 code, else by what a finger hits beside the key."""
    import pycountry

    if is_subdivision(written):
        country = country_of(written)
        country = ALIASES.get(country, country)
        written = f"{country}-{written.partition('-')[2]}"
        if country not in countries():
            return _nearest(country)
        known: Iterable[str] = subdivisions(country)
    elif len(written) > 2 and written.isascii():
        named = pycountry.countries.get(alpha_3=written)
        for listed in [named] if named else pycountry.countries:
            names = [name.upper() for name in (listed.name, getattr(listed, "common_name", ""), listed.alpha_3)]
            if any(written == name or written in name.split() for name in names):
                return str(listed.alpha_2)
        known = (*GROUPS, WORLD)
    else:
        known = countries()
    candidates = [code for code in known if len(code) == len(written) and _slips(code, written)[0] == 1]
    return min(candidates, key=lambda code: (_slips(code, written), code), default=None)


def _slips(code: str, written: str) -> tuple[int, float]:
    """Count the letters that differ (two swapped ones count once), and how far apart their keys lie."""
    differing = [(a, b) for a, b in zip(code, written, strict=True) if a != b]
    if len(differing) == 2 and differing[0] == differing[1][::-1]:
        return 1, 0.0
    apart = 0.0
    for a, b in differing:
        (row, column), (other_row, other_column) = _KEYBOARD.get(a, (9, 9)), _KEYBOARD.get(b, (9, 9))
        apart += abs(row - other_row) + abs(column - other_column)
    return len(differing), apart
