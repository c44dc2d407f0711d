"""Instants: aware datetimes, kept in UTC (A5)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from withhold.errors import InstantError, Problem, shown

# Python takes any letter between day and time.
_SEPARATED = re.compile(r"[-0-9W]+[Tt ]", re.ASCII)
_HINT = "add `Z` or an offset such as `+05:30`"


def utc(instant: datetime, name: str = "instant") -> datetime:
    """Return an aware `instant` in UTC as a plain `datetime`; raises `InstantError` for a naive one, and outside years 1
    to 9999.

    What classes below `datetime` count besides, as pandas does nanoseconds, is left out: nobody else would compare it.

    >>> from datetime import datetime
    >>> utc(datetime.fromisoformat("2021-02-10T10:30:00+05:30")).isoformat()
    '2021-02-10T05:00:00+00:00'
    """
    if not isinstance(instant, datetime):
        raise InstantError(Problem("not-an-instant", f"{name} {shown(instant)} is not a datetime"))
    try:
        there = None if instant.utcoffset() is None else instant.astimezone(UTC)
        if there is not None and type(there) is not datetime:
            day, time = (there.year, there.month, there.day), (there.hour, there.minute, there.second)
            there = datetime(*day, *time, there.microsecond, tzinfo=UTC)
    except (OverflowError, ValueError, TypeError):
        message = f"{name} {shown(instant.isoformat())} is out of range in UTC"
        raise InstantError(Problem("not-an-instant", message, hint="leave it out where there is no bound")) from None
    if there is None:
        raise InstantError(Problem("naive-instant", f"{name} `{instant.isoformat()}` has no time zone", hint=_HINT))
    return there


def parse_instant(text: str, name: str = "instant") -> datetime:
    """Read an ISO 8601 instant with an offset.

    >>> parse_instant("2021-02-10T05:00:00Z").isoformat()
    '2021-02-10T05:00:00+00:00'

    Raises `InstantError`; a date alone is not an instant.
    """
    text = text.strip()
    if _is_date(text):
        hint = "a day is not an instant: add a time and an offset, such as `T00:00:00+05:30`"
        raise InstantError(Problem("not-an-instant", f"{name} {shown(text)} is a date", hint=hint))
    try:
        instant = datetime.fromisoformat(text if _SEPARATED.match(text) and text.isprintable() else "")
    except ValueError:
        hint = "write it like `2021-02-10T10:30:00+05:30`"
        raise InstantError(Problem("not-an-instant", f"{name} {shown(text)} is not an instant", hint=hint)) from None
    return utc(instant, name)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def in_iso(instant: datetime | None) -> str | None:
    """Return an instant in UTC as `2021-02-10T05:00:00Z`, and None as None."""
    return None if instant is None else instant.isoformat().replace("+00:00", "Z")
