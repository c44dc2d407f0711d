"""Hints for codes that do not exist. A hint suggests the right place, or no place at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from withhold.territories.iso import WORLD, countries, country_of, is_subdivision, name_of, subdivisions
from withhold.territories.names import (
    CONTINENTS,
    FORMER,
    REMAINDER,
    WORLDWIDE,
    codes_named,
    nearest_country_names,
    plain,
)
from withhold.territories.table import TABLE, CodeRow

_Reader = Callable[[str], str | None]

_LIST = "put brackets around a list: `[IN, PK]`"
_GENERAL = "write an ISO 3166 code such as `IN` or `US-MS`, or `WORLD`"
_MOST = 3
_SHORT = 2
_LONGEST = 100
_SEPARATOR = re.compile(r"[\s_./:\u2010-\u2015\u2212-]+")
_GROUPS = dict.fromkeys(("e u", "eec", "eu27", "eu 27", "european union", "ue"), "EU") | {
    "european economic area": "EEA"
}
_NOWHERE = frozenset({"n a", "nan", "none", "null", "undefined", "unknown"})
# Names of parts of many countries. ISO 3166-2 lists only a few of these parts, so a suggestion would mislead.
_DIRECTIONS = frozenset({"east", "eastern", "north", "northern", "south", "southern", "west", "western"})
# Countries whose subdivisions people write without the country (`NY`), and those of the United Kingdom.
_ABBREVIATING = ("US", "CA", "AU", "IN")
_PARTS_OF_GB = ("ENG", "NIR", "SCT", "WLS")
# Codes that ISO 3166 reserves for private use. They are more likely to be deliberate than typing errors.
_USERS = re.compile(r"AA|Q[M-Z]|X[A-Z]|ZZ")
_KEYBOARD = {
    letter: (row, column + row / 2)
    for row, letters in enumerate(("QWERTYUIOP", "ASDFGHJKL", "ZXCVBNM"))
    for column, letter in enumerate(letters)
}


def hint_for(text: str, current: _Reader, groups: Iterable[str]) -> str:
    """Return a hint on what to write instead of a code that does not exist.

    `current` returns the canonical form of a code that exists, and None for any other.
    """
    if len(text) > _LONGEST:
        return _LIST if "," in text else _GENERAL
    written, name = text.upper(), plain(text)
    around = country_of(written)
    row = TABLE.get(written) or TABLE.get(around) or TABLE.get(FORMER.get(name.removeprefix("the "), ""))
    if row is not None:
        parts = _abbreviated(written)
        return f"{_former(row)}; or did you mean {_either(parts)}?" if 0 < len(parts) <= _MOST else _former(row)
    if name in WORLDWIDE or text == "*":
        return f"did you mean `{WORLD}`?"
    if name in REMAINDER:
        return f"write `withheld_in: {WORLD}`, and list the other territories in `except_in`"
    if name.removeprefix("the ") in CONTINENTS:
        return "a continent or region is not a territory: list its countries, or define a group"
    if name in _GROUPS:
        return f"did you mean `{_GROUPS[name]}`?"
    if name in _NOWHERE or name in _DIRECTIONS:
        return _GENERAL
    found = _rewritten(written, current) or codes_named(text) or _named_within(text, current) or _abbreviated(written)
    if not found and ("," in text or _is_list(written)):
        return _LIST
    if len(found) > _MOST:
        return f"{len(found)} places have this name: write the code of the one you mean"
    found = found or _glued(written, current) or nearest_country_names(text)
    if not found and text.isascii() and not _USERS.fullmatch(written):
        found = _nearest(written, groups)
    return f"did you mean {_either(found)}?" if 0 < len(found) <= _MOST else _GENERAL


def _is_list(written: str) -> bool:
    parts = [part for part in re.split(r"[^\w-]+", written) if part]
    return len(parts) > 1 and all(part in countries() for part in parts)


def _former(row: CodeRow) -> str:
    if row.how == "reserved":
        return f"did you mean {_either(row.now)}?"
    if row.how == "merged":
        return f"it was {row.name}, now part of {_either(row.now)}"
    if not row.now:
        return f"it was {row.name}, and no current code covers that place"
    return f"it was {row.name}, now divided into {', '.join(f'`{code}`' for code in row.now)}: write the ones you mean"


def _either(codes: Iterable[str]) -> str:
    return " or ".join(f"`{code}`" if name_of(code) == code else f"`{code}` ({name_of(code)})" for code in codes)


def _rewritten(written: str, current: _Reader) -> tuple[str, ...]:
    """Return the codes of text with another separator (`US_MS`) or with dots between its letters (`U.S.`)."""
    parts = [part for part in _SEPARATOR.split(written) if part]
    if len(parts) > 1 and all(len(part) == 1 for part in parts):
        return tuple(filter(None, [current("".join(parts))])) or codes_named("".join(parts))
    if len(parts) == 2:
        around = current(parts[0]) or next(iter(codes_named(parts[0])), "")
        digits = (parts[1].zfill(2), parts[1].zfill(3)) if parts[1].isdigit() else ()  # `NO-3`
        found = (current(f"{around}-{part}") for part in (parts[1], *digits))
        return tuple(dict.fromkeys(filter(None, found)))
    return ()


def _named_within(text: str, current: _Reader) -> tuple[str, ...]:
    """Return the codes of a subdivision that is named with its country: `US-Mississippi`, `Mississippi, US`."""
    for first, _, second in (text.partition(mark) for mark in ("-", ",", "_", "/", ":")):
        for around, part in ((first, second), (second, first)):
            country = current(around.strip().upper()) or next(iter(codes_named(around)), None)
            found = tuple(code for code in codes_named(part) if is_subdivision(code) and country_of(code) == country)
            if found:
                return found
    return ()


def _abbreviated(written: str) -> tuple[str, ...]:
    """Return the codes of a subdivision that people write without its country: `NY`, `NSW`."""
    codes = [f"{country}-{written}" for country in _ABBREVIATING]
    codes += [f"GB-{written}"] if written in _PARTS_OF_GB else []
    return tuple(code for code in codes if code in subdivisions(country_of(code)))


def _glued(written: str, current: _Reader) -> tuple[str, ...]:
    """Return the code of a subdivision that is written without the separator: `USMS`."""
    code = current(f"{written[:2]}-{written[2:]}") if written[:2] in countries() else None
    return (code,) if code else ()


def _nearest(written: str, groups: Iterable[str]) -> tuple[str, ...]:
    """Return the code that is one typing error away: two letters swapped, or a neighbouring key.

    Two letters are close to too many countries, so they get no suggestion. In the part after the hyphen, only a swap is
    corrected.
    """
    if len(written) <= _SHORT:
        return ()
    if is_subdivision(written):
        around, _, part = written.partition("-")
        country = {"UK": "GB", "EL": "GR"}.get(around, around)
        if country in countries():
            swapped = (part[:at] + part[at + 1] + part[at] + part[at + 2 :] for at in range(len(part) - 1))
            found = [f"{country}-{each}" for each in swapped if f"{country}-{each}" in subdivisions(country)]
            return tuple(found[:1]) if part.isalpha() and len(found) == 1 else ()
        return _slipped(written, (f"{near}-{part}" for near in countries() if f"{near}-{part}" in subdivisions(near)))
    return _slipped(written, (*groups, WORLD))


def _slipped(written: str, known: Iterable[str]) -> tuple[str, ...]:
    near = [code for code in known if len(code) == len(written) and _slips(code, written)[0] == 1]
    best = min(near, key=lambda code: (_slips(code, written), code), default=None)
    return () if best is None else (best,)


def _slips(code: str, written: str) -> tuple[int, float]:
    """Return how many letters differ (two swapped letters count once) and how far apart their keys are."""
    differing = [(a, b) for a, b in zip(code, written, strict=True) if a != b]
    if len(differing) == 2 and differing[0] == differing[1][::-1]:
        return 1, 0.0
    apart = 0.0
    for a, b in differing:
        (row, column), (other_row, other_column) = _KEYBOARD.get(a, (9, 9)), _KEYBOARD.get(b, (9, 9))
        apart += abs(row - other_row) + abs(column - other_column)
    return len(differing), apart
