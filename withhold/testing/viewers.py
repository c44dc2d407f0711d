"""Viewers from a short text, as in case files."""

from __future__ import annotations

from withhold.errors import Problem, TerritoryError, quoted
from withhold.model.viewer import Viewer
from withhold.territories import UNKNOWN_IN_DATA, WORLD, country_of, is_subdivision, resolve

UNKNOWN = "unknown"


def viewer(place: str, *, account_id: int | None = None, signal: str | None = None) -> Viewer:
    """Return a viewer in a country, in a subdivision, or `"unknown"`.

    >>> viewer("IN").location_key, viewer("US-MS").location_key, viewer("unknown").location_key
    (('IN', ()), ('US', ('US-MS',)), (None, ()))

    `signal` describes the source of the location, as in `Viewer`. Raises `TerritoryError` for any other place,
    including groups and `WORLD`, because a viewer is in one country.
    """
    if place.strip().lower() == UNKNOWN:
        return Viewer.unknown(account_id=account_id, signal=signal)
    try:
        code = resolve(place).code
    except TerritoryError as error:
        if place.strip().upper() not in UNKNOWN_IN_DATA:
            raise
        hint = f"{error.hint}: write `{UNKNOWN}`"
        raise TerritoryError(Problem(error.code, error.problem.message, hint=hint)) from None
    if code == WORLD:
        hint = f"write a country such as `IN`, a subdivision such as `US-MS`, or `{UNKNOWN}`"
        raise TerritoryError(Problem("not-a-place", f"{quoted(place)} is not a place where a viewer can be", hint=hint))
    inside = (code,) if is_subdivision(code) else ()
    return Viewer(country=country_of(code), subdivisions=inside, account_id=account_id, signal=signal)


def place_of(who: Viewer) -> str:
    """Return the place of a viewer as a text for `viewer`: the narrowest subdivision, the country, or `unknown`."""
    return place_name(who.country, who.subdivisions)


def place_name(country: str | None, subdivisions: tuple[str, ...]) -> str:
    """Return the text from which `viewer` creates a viewer in a country, or in the last of its subdivisions.

    >>> place_name("US", ("US-MS",)), place_name(None, ())
    ('US-MS', 'unknown')
    """
    return (subdivisions[-1] if subdivisions else country) or UNKNOWN
