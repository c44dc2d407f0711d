"""Where a viewer is, by the options `--country` and `--subdivision`, as people type them."""

from __future__ import annotations

from collections.abc import Iterable

from withhold.errors import Problem, TerritoryError, ViewerError, quoted
from withhold.territories import ALIASES, UNKNOWN_IN_DATA, WORLD, country_of, current, is_subdivision, name_of, resolve

_UNKNOWN = "leave out --country where the location is not known"
_ONE = f"a viewer is in one country; {_UNKNOWN}"
_LIST = "a viewer is in one place: give one country, and --subdivision once for each level"
_EMPTY = "leave out --subdivision where none is known"


def read_place(country: str | None, subdivisions: Iterable[str] = ()) -> tuple[str | None, tuple[str, ...]]:
    """Return what `Viewer` takes for a country and subdivisions in it.

    A subdivision may be given as the country, or without its country; within one it need not be the whole code.

    >>> read_place("US", ["CA"]), read_place("US-UT"), read_place(None, ["US-MS"])
    (('US', ('US-CA',)), ('US', ('US-UT',)), ('US', ('US-MS',)))

    Raises `TerritoryError` for a code that does not exist, and `ViewerError` for one that is no such place.
    """
    given = list(subdivisions)
    if country is not None and is_subdivision(code := _resolved(country)):
        given.insert(0, country)
        country = country_of(code)
    inside = [_whole(text, country) for text in given]
    if country is None and inside:
        country = country_of(_resolved(inside[0]))
        if not is_subdivision(_resolved(inside[0])):  # a second code, such as `FR-RE`
            country = inside.pop(0)
    # A place may be within that of a second code: `SH-AC` in `GB-SH`, which is `SH`.
    around = {country_of(_resolved(text)) for text in inside} if country is not None else set()
    for code in around:
        if ALIASES.get(f"{_resolved(str(country))}-{code}") == code:
            country = code
    return country, tuple(inside)


def _whole(text: str, country: str | None) -> str:
    """Return a subdivision with its country in front."""
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
            return _meant(text, codes[0])
    code = _resolved(text)
    hint = "give it with --country, or write the whole code of a subdivision, such as `US-MS`"
    raise ViewerError(Problem("bad-viewer", f"{quoted(text)} is {name_of(code)}, which is no subdivision", hint=hint))


def _meant(text: str, whole: str) -> str:
    """Raise the error for a subdivision that does not exist, of the two readings the one for which there is a hint."""
    try:
        return _resolved(whole)
    except TerritoryError as error:
        try:
            return _resolved(text)
        except TerritoryError as alone:
            said = str(alone.problem.hint).startswith("did you mean")
            raise alone if said and not str(error.problem.hint).startswith("did you mean") else error from None


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
