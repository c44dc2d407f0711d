"""The codes in use: the ISO 3166 data of pycountry, corrected by the table in `codes.tsv`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from withhold.territories.table import NEWER, SECOND, TABLE

WORLD = "WORLD"


@cache
def countries() -> Mapping[str, str]:
    """Return all 250 country codes with their names, including the user-assigned `XK` (Kosovo)."""
    import pycountry

    names = {c.alpha_2: getattr(c, "common_name", c.name) for c in pycountry.countries}
    return MappingProxyType(dict(sorted({**names, "XK": "Kosovo"}.items())))


@cache
def subdivisions(country: str) -> Mapping[str, str]:
    """Return the ISO 3166-2 codes of a country, each with the code directly above it: the country or a region."""
    import pycountry

    found = pycountry.subdivisions.get(country_code=country) or ()  # type: ignore[no-untyped-call]
    parents = {s.code: s.parent_code or country for s in found}
    parents |= {code: country for code in NEWER if country_of(code) == country and code not in parents}
    return MappingProxyType({code: parents[code] for code in sorted(parents) if not _is_superseded(code)})


@cache
def is_newer(code: str) -> bool:
    """Return whether a code is valid although the installed ISO data do not list it yet."""
    import pycountry

    return code in NEWER and pycountry.subdivisions.get(code=code) is None  # type: ignore[no-untyped-call]


def iso_version() -> str:
    """Return the version of the ISO data, which is the version of pycountry."""
    from importlib.metadata import version

    return version("pycountry")


def is_subdivision(code: str) -> bool:
    return "-" in code


def country_of(code: str) -> str:
    """Return the country of a country or subdivision code: `US` for `US-MS`."""
    return code.partition("-")[0]


def is_in_use(code: str) -> bool:
    """Return whether `code` is the canonical code of a country or subdivision."""
    return code in (subdivisions(country_of(code)) if is_subdivision(code) else countries())


def name_of(code: str) -> str:
    """Return the English name of a country or subdivision. Any other code is returned unchanged.

    >>> name_of("IN"), name_of("US-MS"), name_of("WORLD")
    ('India', 'Mississippi', 'WORLD')
    """
    if is_subdivision(code):
        import pycountry

        found = pycountry.subdivisions.get(code=code)  # type: ignore[no-untyped-call]
        return str(found.name) if found else TABLE[code].name if code in TABLE else code
    return countries().get(code, code)


def _is_superseded(code: str) -> bool:
    return code in SECOND or (code in TABLE and TABLE[code].how == "replaced")
