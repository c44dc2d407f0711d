"""Tweet id ↔ the instant at which it was made.

Since 4 November 2010 a tweet's id carries its own time: the milliseconds since Twitter's epoch stand in
the bits above the lowest 22 (https://github.com/twitter-archive/snowflake). Older ids were a plain count
and tell nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

#: 2010-11-04T01:42:54.657Z, where the count of milliseconds starts.
EPOCH = datetime.fromtimestamp(1288834974, UTC) + timedelta(milliseconds=657)

# Sequential ids had reached about 29.7 thousand million when the scheme changed.
_FIRST = 29_700_859_247


def instant_of(tweet_id: int) -> datetime | None:
    """Return when a tweet id was made, to the millisecond in UTC, or None for ids of the older kind.

    >>> print(instant_of(1355667106821046272))
    2021-01-31 00:00:00+00:00
    >>> instant_of(20) is None
    True
    """
    if tweet_id < _FIRST:
        return None
    return EPOCH + timedelta(milliseconds=tweet_id >> 22)


def first_id_at(instant: datetime) -> int:
    """Return the smallest id that a tweet made at `instant` (aware) can have.

    >>> from datetime import datetime, UTC
    >>> first_id_at(datetime(2021, 2, 10, 5, tzinfo=UTC))
    1359366482949046272

    Raises `ValueError` for an instant before the epoch, or beyond the 41 bits that an id has for it (2080).
    """
    milliseconds = (instant - EPOCH) // timedelta(milliseconds=1)
    if not 0 <= milliseconds < 1 << 41:
        raise ValueError(f"no tweet id carries an instant before {EPOCH.isoformat()} or after 2080")
    return milliseconds << 22
