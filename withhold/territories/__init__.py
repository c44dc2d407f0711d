"""Territories: ISO 3166-1 countries (and `XK`), ISO 3166-2 subdivisions, groups, and `WORLD`.

The ISO data come from pycountry. They are read on first use, not at import. `codes.tsv` in this directory lists
the exceptions: former codes, second codes, and new codes that pycountry does not have yet.
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
    "not_a_jurisdiction",
    "resolve",
    "resolve_jurisdiction",
    "subdivisions",
]

#: Codes that are read as another code, with a warning. They are the codes that EU institutions and common usage prefer
#: (T2), and second codes of places that have their own country code: `US-PR` is `PR`, and no viewer is ever in `US-PR`.
ALIASES: Mapping[str, str] = MappingProxyType({"UK": "GB", "EL": "GR", **SECOND})

_EU = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"}
    | {"IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"}
)

#: The predefined groups, with their members since 1 February 2020, after the United Kingdom left the EU. Territories
#: with their own ISO country code (`RE`, `AX` …) are not members (T5).
GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"EU": tuple(sorted(_EU)), "EEA": tuple(sorted(_EU | {"IS", "LI", "NO"}))}
)

#: The only group that is a jurisdiction.
_UNION = "EU"
_JURISDICTION = "write the territory whose law it is: a country such as `IN`, a subdivision such as `US-MS`, or `EU`"

#: Codes that location databases and CDNs use for an unknown country. A viewer with such a code has an unknown
#: location.
UNKNOWN_IN_DATA = frozenset({"XX", "T1", "ZZ", "AP", "A1", "A2", "O1"})

_NO_TERRITORY = {
    "XX": "in Twitter's data `XX` means worldwide: write `WORLD`; in a CDN's header it means an unknown location",
    "XY": "in Twitter's data `XY` means worldwide for copyright: write `WORLD` with `reason: copyright`",
    **dict.fromkeys(UNKNOWN_IN_DATA - {"XX"}, "in location data it means an unknown country"),
    "EU": "it is a group, the European Union, not a country; in location data it means an unknown country",
    "EEA": "it is a group, the European Economic Area, not a country",
}


class Resolved(NamedTuple):
    """A code in its canonical form, and the alias that it was written as, if any."""

    code: str
    alias: str | None


@cache
def containing(code: str) -> tuple[str, ...]:
    """Return the territories that contain a country or subdivision, from the smallest (itself) to `WORLD`.

    >>> containing("IT-RM")
    ('IT-RM', 'IT-62', 'IT', 'WORLD')

    A second code is inside the country that it denotes:

    >>> containing("RS-25")
    ('RS-25', 'XK', 'WORLD')
    """
    chain = [code]
    while chain[-1] in ALIASES or is_subdivision(chain[-1]):
        inner = chain[-1]
        chain.append(ALIASES.get(inner) or subdivisions(country_of(inner))[inner])
    return (*chain, WORLD)


def current(code: str) -> str | None:
    """Return the canonical form of an upper-case code, or None if the code does not denote exactly one place.

    For a former code with one successor, and for a second code, this is the code in use today.

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
    """Return the smallest current territory that certainly contains the place of an upper-case code, or `WORLD`.

    For a former code this is the territory that the place is now part of, or one that contains all its parts. Use it
    for location data, because a viewer in a part is also in the whole. Do not use it for rules: they would reach too
    far.

    >>> covering("IN-DN"), covering("PH-MAG"), covering("IC"), covering("AN"), covering("GB-CHA")
    ('IN-DH', 'PH-14', 'ES-CN', 'WORLD', 'WORLD')
    """
    found, row = current(code), TABLE.get(code)
    if found is None and row is not None:
        around = [containing(now) for now in row.now] or [containing(country_of(code))]
        return next(place for place in around[0] if all(place in chain for chain in around))
    return found or WORLD


def resolve(text: str) -> Resolved:
    """Read a country or subdivision code, or `WORLD`, in upper or lower case (T1 to T3). O(1).

    >>> resolve("us-ms").code
    'US-MS'
    >>> resolve("uk"), resolve("IN-OR")
    (Resolved(code='GB', alias='UK'), Resolved(code='IN-OD', alias='IN-OR'))

    Raises `TerritoryError`; its hint suggests what may have been intended.
    """
    # Some non-ASCII letters have an ASCII letter as their upper case.
    written = text.strip().upper() if text.isascii() else text
    code = current(written)
    if code is None:
        raise TerritoryError(_unknown(text.strip()))
    return Resolved(code, written if code != written else None)


def expand(text: str, groups: Mapping[str, Iterable[str]] = GROUPS) -> tuple[Resolved, ...]:
    """Read a code as `resolve` does, or the name of a group as its members.

    >>> [found.code for found in expand("gulf", {"GULF": ("AE", "BH")})]
    ['AE', 'BH']
    """
    members = groups.get(text.strip().upper())
    if members is not None:
        return tuple(Resolved(code, None) for code in members)
    return (resolve(text),)


def resolve_jurisdiction(text: str) -> Resolved:
    """Read the territory of a law: a country or subdivision as `resolve` does, or `EU`, whose law applies in its members.

    >>> resolve_jurisdiction("us-ms").code, resolve_jurisdiction("eu").code
    ('US-MS', 'EU')

    Raises `TerritoryError`. `WORLD` and other groups are refused, because no legislature or court has them as its territory.
    """
    written = text.strip().upper()
    if written == _UNION:
        return Resolved(_UNION, None)
    if written == WORLD or written in GROUPS:
        raise not_a_jurisdiction(text.strip())
    try:
        return resolve(text)
    except TerritoryError as error:
        hint = str(error.hint)  # some hints suggest what only a list of territories can contain
        helps = hint.startswith(("it was", "did you mean")) and not any(f"`{code}`" in hint for code in (WORLD, "EEA"))
        problem = Problem("unknown-territory", error.problem.message, hint=hint if helps else _JURISDICTION)
        raise TerritoryError(problem) from None


def not_a_jurisdiction(given: object) -> TerritoryError:
    """Return the error for a jurisdiction that is `WORLD`, the name of a group, or not text."""
    return TerritoryError(Problem("bad-jurisdiction", f"{quoted(given)} is not a jurisdiction", hint=_JURISDICTION))


def _unknown(text: str) -> Problem:
    from withhold.territories.hints import hint_for  # imported here because only mistakes need it

    written = text.upper()
    if written in _NO_TERRITORY:
        return Problem("unknown-territory", f"{quoted(text)} is not a territory", hint=_NO_TERRITORY[written])
    kind = "subdivision" if is_subdivision(written) else "country" if len(written) == 2 else "territory"
    return Problem("unknown-territory", f"unknown {kind} {quoted(text)}", hint=hint_for(text, current, tuple(GROUPS)))
