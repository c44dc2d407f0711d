"""Conversion between a tweet id and the instant at which the tweet was created.

Since 4 November 2010 a tweet id contains its creation time: the bits above the lowest 22 count the milliseconds since
Twitter's epoch (https://github.com/twitter-archive/snowflake). Older ids are plain sequence numbers and contain no
time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

#: Twitter's epoch, 2010-11-04T01:42:54.657Z, from which the milliseconds are counted.
EPOCH = datetime.fromtimestamp(1288834974, UTC) + timedelta(milliseconds=657)

# Sequential ids had reached about 29.7 billion when the scheme changed.
_FIRST = 29_700_859_247


def instant_of(tweet_id: int) -> datetime | None:
    """Return when a tweet was created, in UTC and to the millisecond, or None for a sequential id.

    >>> print(instant_of(1355667106821046272))
    2021-01-31 00:00:00+00:00
    >>> instant_of(20) is None
    True
    """
    if tweet_id < _FIRST:
        return None
    return EPOCH + timedelta(milliseconds=tweet_id >> 22)


def first_id_at(instant: datetime) -> int:
    """Return the smallest id that a tweet created at `instant` (aware) can have.

    >>> from datetime import datetime, UTC
    >>> first_id_at(datetime(2021, 2, 10, 5, tzinfo=UTC))
    1359366482949046272

    Raises `ValueError` for an instant before the epoch, or after 2080: an id has 41 bits for the milliseconds.
    """
    milliseconds = (instant - EPOCH) // timedelta(milliseconds=1)
    if not 0 <= milliseconds < 1 << 41:
        raise ValueError(f"no tweet id contains an instant before {EPOCH.isoformat()} or after 2080")
    return milliseconds << 22
