"""Territories: ISO 3166-1 countries (and `XK`), ISO 3166-2 subdivisions, groups, and `WORLD`.

The ISO data come from pycountry, and are read at the first question, not at import. `codes.tsv` beside this file lists
the codes that are read otherwise: former ones, second ones, and those that pycountry does not have yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from withhold.errors import Problem, TerritoryError, quoted
from withhold.territories.iso import (
    WORLD,
    countries,
    country_of,
    is_in_use,
    is_newer,
    is_subdivision,
    iso_version,
    name_of,
    subdivisions,
)
from withhold.territories.table import EDITION, SECOND, TABLE

__all__ = [
    "ALIASES",
    "EDITION",
    "GROUPS",
    "UNKNOWN_IN_DATA",
    "WORLD",
    "Resolved",
    "containing",
    "countries",
    "country_of",
    "covering",
    "current",
    "expand",
    "is_newer",
    "is_subdivision",
    "iso_version",
    "name_of",
    "resolve",
    "subdivisions",
]

#: Codes that are read as another one, with a warning: what the EU's institutions and common usage write (T2), and
#: the second codes of places that have one of their own (`US-PR` is `PR`: no viewer is ever located in `US-PR`).
ALIASES: Mapping[str, str] = MappingProxyType({"UK": "GB", "EL": "GR", **SECOND})

_EU = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"}
    | {"IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"}
)

#: Groups known without a definition, by membership since 1 February 2020 (the United Kingdom had left).
#: Territories with an ISO code of their own (`RE`, `AX` …) are not in them: T5 keeps codes apart.
GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"EU": tuple(sorted(_EU)), "EEA": tuple(sorted(_EU | {"IS", "LI", "NO"}))}
)

#: What location data and CDNs write where they know no country, so that a viewer there is of unknown location.
UNKNOWN_IN_DATA = frozenset({"XX", "T1", "ZZ", "AP", "A1", "A2", "O1"})

_NO_TERRITORY = {
    "XX": "Twitter's `XX` is worldwide: write `WORLD`; a CDN's is an unknown location",
    "XY": "Twitter's `XY` is worldwide for copyright: write `WORLD` with `reason: copyright`",
    **dict.fromkeys(UNKNOWN_IN_DATA - {"XX"}, "location data write it where they know no country"),
    "EU": "it is a group, the European Union: one country is expected; in location data it is an unknown country",
    "EEA": "it is a group, the European Economic Area: one country is expected",
}


class Resolved(NamedTuple):
    """A code in its canonical form, and what it was written as if that was an alias."""

    code: str
    alias: str | None


@cache
def containing(code: str) -> tuple[str, ...]:
    """Return what lies around a country or subdivision, from near to far, itself first and `WORLD` last.

    >>> containing("IT-RM")
    ('IT-RM', 'IT-62', 'IT', 'WORLD')

    A second code lies in the place that it stands for:

    >>> containing("RS-25")
    ('RS-25', 'XK', 'WORLD')
    """
    chain = [code]
    while chain[-1] in ALIASES or is_subdivision(chain[-1]):
        inner = chain[-1]
        chain.append(ALIASES.get(inner) or subdivisions(country_of(inner))[inner])
    return (*chain, WORLD)


def current(code: str) -> str | None:
    """Return the canonical form of a code in upper case, or None for a code that stands for no single place.

    Former codes with one successor, and second codes, give the code in use.

    >>> current("FR-75"), current("FR-RE"), current("NO-30")
    ('FR-75C', 'RE', None)
    """
    if code == WORLD or is_in_use(code):
        return code
    if code in ALIASES:
        return ALIASES[code]
    row = TABLE.get(code)
    if row is not None:
        return row.now[0] if row.how == "renamed" else None
    if is_subdivision(code):
        country, _, part = code.partition("-")
        around = current(country)
        if around is not None and around != country and not is_subdivision(around):
            return current(f"{around}-{part}")
    return None


@cache
def covering(code: str) -> str:
    """Return the smallest place of today that is sure to hold that of a code in upper case; `WORLD` if none is.

    Former codes give the place that they are part of now, or one around all their parts. Data may be read so, for
    anybody in the part is in the whole; rules may not.

    >>> covering("IN-DN"), covering("PH-MAG"), covering("IC"), covering("AN"), covering("GB-CHA")
    ('IN-DH', 'PH-14', 'ES-CN', 'WORLD', 'WORLD')
    """
    found, row = current(code), TABLE.get(code)
    if found is None and row is not None:
        around = [containing(now) for now in row.now] or [containing(country_of(code))]
        return next(place for place in around[0] if all(place in chain for chain in around))
    return found or WORLD


def resolve(text: str) -> Resolved:
    """Read a country or subdivision code, or `WORLD`, in any case (T1 to T3). O(1).

    >>> resolve("us-ms").code
    'US-MS'
    >>> resolve("uk"), resolve("IN-OR")
    (Resolved(code='GB', alias='UK'), Resolved(code='IN-OD', alias='IN-OR'))

    Raises `TerritoryError` with what may be meant as its hint.
    """
    # Other alphabets have letters whose capital is one of ours.
    written = text.strip().upper() if text.isascii() else text
    code = current(written)
    if code is None:
        raise TerritoryError(_unknown(text.strip()))
    return Resolved(code, written if code != written else None)


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
    from withhold.territories.hints import hint_for  # only mistakes need it

    written = text.upper()
    if written in _NO_TERRITORY:
        return Problem("unknown-territory", f"{quoted(text)} is not a territory", hint=_NO_TERRITORY[written])
    kind = "subdivision" if is_subdivision(written) else "country" if len(written) == 2 else "territory"
    return Problem("unknown-territory", f"unknown {kind} {quoted(text)}", hint=hint_for(text, current, tuple(GROUPS)))
