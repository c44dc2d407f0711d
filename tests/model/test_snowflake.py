"""A tweet's id contains its creation time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withhold.model import MAX_ID
from withhold.snowflake import EPOCH, first_id_at, instant_of

#: The end of the time that 41 bits of milliseconds can represent.
LAST = EPOCH + timedelta(milliseconds=2**41 - 1)


@given(st.integers(29_700_859_247, MAX_ID - 2**22))  # the millisecond after the last has no id
def test_an_id_belongs_to_the_millisecond_that_it_contains(tweet_id: int) -> None:
    made = instant_of(tweet_id)
    assert made is not None
    assert first_id_at(made) <= tweet_id < first_id_at(made + timedelta(milliseconds=1))


@given(st.datetimes(datetime(2010, 11, 5), datetime(2080, 7, 10), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_first_id_of_an_instant_contains_its_millisecond(instant: datetime) -> None:
    """And the id before it contains an earlier one."""
    whole = instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    # The epoch is at a whole millisecond.
    assert instant_of(first_id_at(instant)) == whole
    before = instant_of(first_id_at(instant) - 1)
    assert before == whole - timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("tweet_id", "made"),
    [
        (1, None),
        (29_700_859_246, None),
        (29_700_859_247, "2010-11-04 01:43:01.738000+00:00"),
        (1355667106821046272, "2021-01-31 00:00:00+00:00"),
        (MAX_ID, "2080-07-10 17:30:30.208000+00:00"),
    ],
)
def test_known_ids(tweet_id: int, made: str | None) -> None:
    """Sequential ids, from before the change, contain no time."""
    found = instant_of(tweet_id)
    assert (None if found is None else str(found)) == made


def test_an_instant_before_the_epoch_has_no_id() -> None:
    with pytest.raises(ValueError, match=r"before 2010-11-04T01:42:54\.657000"):
        first_id_at(EPOCH - timedelta(microseconds=1))


def test_an_instant_after_the_last_id_is_an_error() -> None:
    """Otherwise the result would exceed all ids of 63 bits, or would not fit into a column."""
    assert first_id_at(LAST) <= MAX_ID
    with pytest.raises(ValueError, match=r"\w"):
        first_id_at(LAST + timedelta(milliseconds=1))


@pytest.mark.parametrize("offset", ["+05:30", "-08:00"])
def test_the_offset_of_an_instant_does_not_matter(offset: str) -> None:
    instant = datetime.fromisoformat(f"2021-02-10T05:00:00{offset}")
    assert first_id_at(instant) == first_id_at(instant.astimezone(UTC))


def test_a_naive_instant_is_an_error() -> None:
    """A5."""
    with pytest.raises((TypeError, ValueError)):
        first_id_at(datetime(2021, 2, 10))  # noqa: DTZ001
