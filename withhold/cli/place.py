"""Where a viewer is, by the options `--country` and `--subdivision`, as people type them."""

from __future__ import annotations

from collections.abc import Iterable

from withhold.errors import Problem, TerritoryError, ViewerError, shown
from withhold.territories import UNKNOWN_IN_DATA, WORLD, country_of, current, is_subdivision, name_of, resolve

_UNKNOWN = "leave out --country where the location is not known"
_ONE = f"a viewer is in one country; {_UNKNOWN}"


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
    return country, tuple(inside)


def _whole(text: str, country: str | None) -> str:
    """Return a subdivision with its country in front."""
    if is_subdivision(text):
        _resolved(text)
        return text
    if country is not None:
        whole = f"{_resolved(country)}-{text.strip().upper()}"
        if current(whole) is not None or current(text.strip().upper()) is None:
            _resolved(whole)
            return whole
    code = _resolved(text)
    hint = "give it with --country, or write the whole code of a subdivision, such as `US-MS`"
    raise ViewerError(Problem("bad-viewer", f"{shown(text)} is {name_of(code)}, which is no subdivision", hint=hint))


def _resolved(text: str) -> str:
    if text.strip().lower() == "unknown":
        raise ViewerError(Problem("bad-viewer", f"{shown(text)} is not a country", hint=_UNKNOWN))
    try:
        code = resolve(text).code
    except TerritoryError as error:
        hint = str(error.hint).replace(", or `WORLD`", "")
        if text.strip().upper() in UNKNOWN_IN_DATA:
            hint = _UNKNOWN
        elif f"`{WORLD}`" in hint:
            hint = _ONE
        raise TerritoryError(Problem(error.code, error.problem.message, hint=hint)) from None
    if code == WORLD:
        raise ViewerError(Problem("bad-viewer", f"{shown(text)} is not a place where a viewer is", hint=_ONE))
    return code
