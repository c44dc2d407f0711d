"""Instants: aware datetimes, kept in UTC (A5)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

from withhold.errors import InstantError, Problem, quoted

# RFC 3339 with optional seconds. `datetime.fromisoformat` is not used: it accepts different text in different versions
# of Python, and reads `+05:60` as `+06:00`.
INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(?:[Zz]|([-+])(\d\d):(\d\d))", re.ASCII
)
_NAIVE = re.compile(r"\d{4}-?\d\d-?\d\d[Tt ]\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?", re.ASCII)
_HINT = "add `Z` or an offset such as `+05:30`"
# Common mistakes, ordered from the start of the text to its end. The first pattern that matches gives the hint.
_MISWRITTEN = [
    (re.compile(pattern, re.ASCII), hint)
    for pattern, hint in (
        (r"\d{4}-?W\d\d|\d{4}-?\d{3}[Tt ]|\d{8}[Tt ]", "write the day as `2021-02-10`"),
        (r"[Tt ]24:?00", "write `00:00:00` of the next day"),
        (r"[Tt ]\d\d:?\d\d:?60", "leap seconds are not supported: write the second before or after"),
        (r"[Tt ]\d\d[Zz+-]|[Tt ]\d{4,6}", "write the time as `10:30:00`"),
        (r":\d\d,\d", "write a point, not a comma, before the fraction of a second"),
        (r"\.\d{7}", "write at most six digits after the point"),
        (r":\d\d(?:\.\d+)?\s+[Zz+-]", "remove the space before the offset"),
        (r":\d\d(?:\.\d+)?[-+](?:2[4-9]|[3-9]\d|\d\d:?[6-9]\d)", "an offset has at most 23 hours and 59 minutes"),
        (r":\d\d(?:\.\d+)?[-+\u2212]\d", "write the offset as `+05:30`"),
    )
]


def utc(instant: datetime, name: str = "instant") -> datetime:
    """Return an aware `instant` in UTC as a plain `datetime`.

    Extra fields of subclasses of `datetime`, such as the nanoseconds of pandas, are dropped, because a plain `datetime`
    has nothing to compare them with. Error messages call the instant `name`.

    >>> from datetime import datetime
    >>> utc(datetime.fromisoformat("2021-02-10T10:30:00+05:30")).isoformat()
    '2021-02-10T05:00:00+00:00'

    Raises `InstantError` for anything but a `datetime`, for a naive one, and if the year in UTC is not 1 to 9999.
    """
    if not isinstance(instant, datetime):
        raise InstantError(
            Problem("not-an-instant", f"{name} {quoted(instant)} is not a datetime", hint="pass an aware `datetime`")
        )
    try:
        in_utc = None if instant.utcoffset() is None else instant.astimezone(UTC)
        if in_utc is not None and type(in_utc) is not datetime:
            day, time = (in_utc.year, in_utc.month, in_utc.day), (in_utc.hour, in_utc.minute, in_utc.second)
            in_utc = datetime(*day, *time, in_utc.microsecond, tzinfo=UTC)
    except (OverflowError, ValueError, TypeError):
        message = f"{name} {quoted(instant.isoformat())} is out of range in UTC"
        raise InstantError(Problem("not-an-instant", message, hint="omit it if there is no bound")) from None
    if in_utc is None:
        raise InstantError(Problem("naive-instant", f"{name} `{instant.isoformat()}` has no time zone", hint=_HINT))
    return in_utc


def parse_instant(text: str, name: str = "instant") -> datetime:
    """Parse an instant in RFC 3339 format, identically in every version of Python. Error messages call it `name`.

    >>> parse_instant("2021-02-10T05:00:00Z").isoformat()
    '2021-02-10T05:00:00+00:00'

    Raises `InstantError` for any other text, including a date without a time.
    """
    text = text.strip()
    if _is_date(text):
        hint = "a day is not an instant: add a time and an offset, such as `T00:00:00+05:30`"
        raise InstantError(Problem("not-an-instant", f"{name} {quoted(text)} is a date", hint=hint))
    if _NAIVE.fullmatch(text):
        raise InstantError(Problem("naive-instant", f"{name} {quoted(text)} has no time zone", hint=_HINT))
    try:
        instant = _read(text)
    except ValueError:
        default_hint = (
            "there is no such day or time" if INSTANT.fullmatch(text) else "write it like `2021-02-10T10:30:00+05:30`"
        )
        hint = next((hint for pattern, hint in _MISWRITTEN if pattern.search(text)), default_hint)
        raise InstantError(Problem("not-an-instant", f"{name} {quoted(text)} is not an instant", hint=hint)) from None
    return utc(instant, name)


def _read(text: str) -> datetime:
    """Return the instant that `text` denotes. Raises `ValueError` if it does not denote one."""
    found = INSTANT.fullmatch(text)
    if found is None:
        raise ValueError
    *numbers, fraction, pattern, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    if int(minutes or 0) > 59:
        raise ValueError
    zone = timezone(-offset if pattern == "-" else offset)  # raises `ValueError` for 24 hours and more
    year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
    return datetime(year, month, day, hour, minute, second, int((fraction or "").ljust(6, "0")), tzinfo=zone)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def in_iso(instant: datetime | None) -> str | None:
    """Return an instant in UTC as text such as `2021-02-10T05:00:00Z`. Return None for None."""
    return None if instant is None else instant.isoformat().replace("+00:00", "Z")


def in_fixed_width(instant: datetime, name: str) -> str:
    """Return an aware instant as text in UTC with microseconds. Such texts sort like their instants. Raises as `utc` does.

    >>> in_fixed_width(datetime(2021, 2, 10, 5, tzinfo=UTC), "at")
    '2021-02-10T05:00:00.000000Z'
    """
    return utc(instant, name).isoformat(timespec="microseconds").replace("+00:00", "Z")
