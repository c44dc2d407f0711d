"""Read a viewer's place from the options `--country` and `--subdivision`."""

from __future__ import annotations

from collections.abc import Iterable

from withhold.errors import Problem, TerritoryError, ViewerError, quoted
from withhold.territories import ALIASES, UNKNOWN_IN_DATA, WORLD, country_of, current, is_subdivision, name_of, resolve

_UNKNOWN = "omit --country if the location is unknown"
_ONE = f"a viewer is in one country; {_UNKNOWN}"
_LIST = "a viewer is in one place: give each option one code"
_EMPTY = "omit --subdivision if it is unknown"


def read_place(country: str | None, subdivisions: Iterable[str] = ()) -> tuple[str | None, tuple[str, ...]]:
    """Return the country and the subdivisions as `Viewer` expects them.

    The country may be a subdivision. A subdivision may be given without a country, or without its country's prefix.

    >>> read_place("US", ["CA"]), read_place("US-UT"), read_place(None, ["US-MS"])
    (('US', ('US-CA',)), ('US', ('US-UT',)), ('US', ('US-MS',)))

    Raises `TerritoryError` for an unknown code, and `ViewerError` for a code that is not a country or a subdivision as
    expected.
    """
    given = list(subdivisions)
    if country is not None and is_subdivision(code := _resolved(country)):
        given.insert(0, country)
        country = country_of(code)
    inside = [_with_country(text, country) for text in given]
    if country is None and inside:
        country = country_of(_resolved(inside[0]))
        if not is_subdivision(_resolved(inside[0])):  # a second code, such as `FR-RE`
            country = inside.pop(0)
    # A country given by a second code contains the subdivisions of its own code: `SH-AC` is in `GB-SH`, which is `SH`.
    around = {country_of(_resolved(text)) for text in inside} if country is not None else set()
    for code in around:
        if ALIASES.get(f"{_resolved(str(country))}-{code}") == code:
            country = code
    return country, tuple(inside)


def _with_country(text: str, country: str | None) -> str:
    """Return the code of a subdivision with its country's prefix."""
    if is_subdivision(text):
        _resolved(text)
        return text
    if country is not None:
        around, part = _resolved(country), text.strip().upper()
        codes = [f"{around}-{part}"]
        if part.isdecimal() and part.isascii():
            codes += {f"{around}-{part.zfill(digits)}" for digits in (2, 3)} - {*codes}
        codes += [second for second, own in ALIASES.items() if second.endswith(f"-{part}") and own == around]
        found = [code for code in codes if current(code) is not None]
        if found and (found[0] == codes[0] or len({current(code) for code in found}) == 1):
            return found[0]
        if not part:
            raise TerritoryError(Problem("unknown-territory", f"unknown subdivision {quoted(codes[0])}", hint=_EMPTY))
        if current(part) is None:
            return _resolve_either(text, codes[0])
    code = _resolved(text)
    hint = "give it with --country, or write the full code of a subdivision, such as `US-MS`"
    raise ViewerError(
        Problem("bad-viewer", f"{quoted(text)} is {name_of(code)}, which is not a subdivision", hint=hint)
    )


def _resolve_either(text: str, whole: str) -> str:
    """Raise the error for an unknown subdivision: of its two readings, the one with a suggestion."""
    try:
        return _resolved(whole)
    except TerritoryError as error:
        try:
            return _resolved(text)
        except TerritoryError as alone:
            suggests = str(alone.problem.hint).startswith("did you mean")
            raise alone if suggests and not str(error.problem.hint).startswith("did you mean") else error from None


def _resolved(text: str) -> str:
    if text.strip().lower() == "unknown":
        raise ViewerError(Problem("bad-viewer", f"{quoted(text)} is not a country", hint=_UNKNOWN))
    try:
        code = resolve(text).code
    except TerritoryError as error:
        hint = str(error.hint).replace(", or `WORLD`", "")
        if text.strip().upper() in UNKNOWN_IN_DATA:
            hint = _UNKNOWN
        elif f"`{WORLD}`" in hint:
            hint = _ONE
        elif hint.startswith("put brackets"):
            hint = _LIST
        elif not text.strip():
            hint = f"{hint}; {_UNKNOWN}"
        raise TerritoryError(Problem(error.code, error.problem.message, hint=hint)) from None
    if code == WORLD:
        raise ViewerError(Problem("bad-viewer", f"{quoted(text)} is not a place where a viewer is", hint=_ONE))
    return code
