"""A clock that returns the same instant until a test moves it."""

from __future__ import annotations

from datetime import datetime, timedelta

from withhold.model.instants import in_iso, parse_instant, utc

_SECOND = timedelta(seconds=1)


class FrozenClock:
    """A clock for `Engine(…, clock=)`, which returns the same instant until it is moved.

    >>> clock = FrozenClock("2021-02-10T10:30:00+05:30")
    >>> clock()
    datetime.datetime(2021, 2, 10, 5, 0, tzinfo=datetime.timezone.utc)
    >>> clock.tick()
    >>> clock
    FrozenClock('2021-02-10T05:00:01Z')

    Instants are aware datetimes or RFC 3339 texts. Raises `InstantError` for anything else.
    """

    def __init__(self, at: datetime | str) -> None:
        self._at = _instant(at)

    def __call__(self) -> datetime:
        return self._at

    def move(self, to: datetime | str) -> None:
        """Set the clock to another instant, earlier or later."""
        self._at = _instant(to)

    def tick(self, by: timedelta = _SECOND) -> None:
        """Move the clock forward, by default by a second."""
        self._at += by

    def __repr__(self) -> str:
        return f"FrozenClock({in_iso(self._at)!r})"


def _instant(at: datetime | str) -> datetime:
    return parse_instant(at) if isinstance(at, str) else utc(at)
