"""Instants carry a time zone (A5), and are kept in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withhold import InstantError, Rule
from withhold.model.instants import in_iso, parse_instant, utc

offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


class Floating(tzinfo):
    """A time zone without a UTC offset: a datetime with it is naive."""

    def utcoffset(self, _when: datetime | None, /) -> None:
        return None

    tzname = dst = utcoffset


@given(st.datetimes(timezones=offsets))
def test_an_aware_datetime_is_the_same_instant_in_utc_or_out_of_range(instant: datetime) -> None:
    offset = instant.utcoffset()
    assert offset is not None
    shifted = (instant.replace(tzinfo=None) - datetime.min, datetime.max - instant.replace(tzinfo=None))  # noqa: DTZ901
    fits = shifted[0] >= offset and shifted[1] >= -offset
    if not fits:
        with pytest.raises(InstantError, match=r"out of range in UTC \[not-an-instant\]"):
            utc(instant)
        with pytest.raises(InstantError, match="out of range"):
            parse_instant(instant.isoformat())
        return
    assert utc(instant) == instant
    assert utc(instant).tzinfo is UTC
    assert parse_instant(instant.isoformat()) == instant
    assert parse_instant(str(in_iso(utc(instant)))) == instant, "a written instant can be read"


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"])
def test_instants_out_of_range_raise_an_instant_error(text: str) -> None:
    """They do not raise an `OverflowError`."""
    with pytest.raises(InstantError) as caught:
        parse_instant(text, "from")
    hint = "omit it if there is no bound"
    assert str(caught.value) == f"from `{text}` is out of range in UTC [not-an-instant]; {hint}"


@pytest.mark.parametrize("instant", [datetime(2021, 2, 10), datetime(2021, 2, 10, tzinfo=Floating())])  # noqa: DTZ001
def test_a_naive_datetime_is_an_error(instant: datetime) -> None:
    with pytest.raises(InstantError) as caught:
        utc(instant, "at")
    assert str(caught.value) == (
        "at `2021-02-10T00:00:00` has no time zone [naive-instant]; add `Z` or an offset such as `+05:30`"
    )


@pytest.mark.parametrize("value", [date(2021, 2, 10), "2021-02-10T00:00:00Z", 1612933200, None, 0.5])
def test_anything_but_a_datetime_is_an_error(value: object) -> None:
    with pytest.raises(InstantError, match="is not a datetime") as caught:
        utc(value)  # type: ignore[arg-type]
    assert caught.value.code == "not-an-instant"


@pytest.mark.parametrize("text", ["2021-02-10T05:00:00", "2021-02-10 05:00", "20210210T05"])
def test_a_text_without_an_offset_is_naive(text: str) -> None:
    with pytest.raises(InstantError) as caught:
        parse_instant(text)
    assert caught.value.code == "naive-instant"


@pytest.mark.parametrize("text", ["2021-02-10", "20210210", " 2021-02-10 ", "2021-W06-3"])
def test_a_date_is_not_an_instant(text: str) -> None:
    with pytest.raises(InstantError, match="is a date") as caught:
        parse_instant(text)
    assert str(caught.value.hint).startswith("a day is not an instant")


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "1612933200", "2021-02", "2021-02-30T00:00:00Z", "2021-02-10T25:00:00Z", "T05:00Z", "05:00Z"),
        *("2021-02-10T05:00:60Z", "2021-02-10T05:00:00+24:00", "10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
        *("2021-02-10T05:00:00ZZ", "2021-02-10T05:00:00Z\0", "２０２１-02-10T05:00:00Z", "2021-02-10T", "9" * 5000),
    ],
)
def test_other_text_is_an_instant_error(text: str) -> None:
    with pytest.raises(InstantError) as caught:
        parse_instant(text, "until")
    assert caught.value.code == "not-an-instant"
    assert len(str(caught.value)) < 200


@given(st.text(max_size=30) | st.text(st.sampled_from("0123456789-:TZ+. W"), max_size=30))
def test_any_text_is_an_instant_or_an_instant_error(text: str) -> None:
    try:
        found = parse_instant(text)
    except InstantError:
        return
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2021-02-10T00:00:00+05:60", "an offset has at most 23 hours and 59 minutes"),
        ("2021-02-10T00:00:00.5-05:99", "an offset has at most 23 hours and 59 minutes"),
        ("2021-02-10T00:00:00+24:00", "an offset has at most 23 hours and 59 minutes"),
        ("2021-02-10T00:00:00-99:00", "an offset has at most 23 hours and 59 minutes"),
        ("2021-02-10T00:00:00+0560", "an offset has at most 23 hours and 59 minutes"),
        ("2021-02-10T00:00:00+05:30:15", "write the offset as `+05:30`"),
        ("2021-02-10T00:00:00+05:30:60", "write the offset as `+05:30`"),
        ("2021-02-10T00:00:00+0530", "write the offset as `+05:30`"),
        ("2021-02-10T00:00:00+05", "write the offset as `+05:30`"),
        ("2021-02-10T00:00:00\u221205:30", "write the offset as `+05:30`"),
        ("2021-02-10T00:00:00 +05:30", "remove the space before the offset"),
        ("2021-02-10 00:00:00 Z", "remove the space before the offset"),
        ("2021-02-10T24:00:00Z", "write `00:00:00` of the next day"),
        ("2021-02-10 24:00+05:30", "write `00:00:00` of the next day"),
        ("2021-02-10T24:00:00", "has no time zone"),
        ("2016-12-31T23:59:60Z", "leap seconds are not supported: write the second before or after"),
        ("2021-02-10T00:00:00,5Z", "write a point, not a comma, before the fraction of a second"),
        ("2021-02-10T00:00:00.1234567Z", "write at most six digits after the point"),
        ("2021-W06-3T00:00:00Z", "write the day as `2021-02-10`"),
        ("2021W063T00:00:00Z", "write the day as `2021-02-10`"),
        ("2021-041T00:00:00Z", "write the day as `2021-02-10`"),
        ("20210210T000000Z", "write the day as `2021-02-10`"),
        ("2021-02-10T000000Z", "write the time as `10:30:00`"),
        ("2021-02-10T00Z", "write the time as `10:30:00`"),
        ("2021-02-30T00:00:00Z", "there is no such day or time"),
        ("2021-13-01T00:00:00Z", "there is no such day or time"),
        ("2021-02-10T25:00:00Z", "there is no such day or time"),
        ("0000-01-01T00:00:00Z", "there is no such day or time"),
        ("10000-01-01T00:00:00Z", "write it like"),
        ("2021-02-10T00:00:00.Z", "write it like"),
        ("2021-02-10T00:00:00UTC", "write it like"),
        ("2021-02-10_00:00:00Z", "write it like"),
        ("٢٠٢١-02-10T00:00:00Z", "write it like"),
        ("2021-02-10T٠٠:00:00Z", "write it like"),
        ("21-02-10T00:00:00Z", "write it like"),
        ("2021-2-10T00:00:00Z", "write it like"),
        ("2021-02-10T0:00:00Z", "write it like"),
    ],
)
def test_c6_text_that_is_not_rfc_3339_is_refused_with_a_hint(text: str, hint: str) -> None:
    """`datetime.fromisoformat` accepts much of it, more with each version of Python, and reads `+05:60` as +06:00."""
    with pytest.raises(InstantError) as caught:
        parse_instant(text)
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        *("2021-02-10T05:00:00z", "2021-02-10t05:00:00Z", "2021-02-10t05:00:00z", "2021-02-10 05:00:00Z"),
        *("2021-02-10T05:00Z", "2021-02-10T05:00:00.0Z", "2021-02-10T05:00:00.000000Z", "2021-02-10T05:00:00-00:00"),
        *(
            "2021-02-10T10:30:00+05:30",
            "2021-02-09T15:30:00-13:30",
            "2021-02-11T04:59:00+23:59",
            " 2021-02-10T05:00:00Z\t",
        ),
    ],
)
def test_c6_one_instant_is_read_in_every_form_of_rfc_3339(text: str) -> None:
    assert parse_instant(text) == datetime(2021, 2, 10, 5, tzinfo=UTC)
    assert parse_instant(text).tzinfo is UTC


_RFC_3339 = re.compile(
    r"[0-9]{4}(-[0-9]{2}){2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?([Zz]|[-+][0-9]{2}:[0-5][0-9])"
)


@settings(max_examples=200)
@given(
    st.from_regex(_RFC_3339, fullmatch=True)
    | st.builds(
        "{}{}{}{}".format,
        st.sampled_from(
            ["2021-02-10", "2020-02-29", "2021-02-29", "20210210", "2021-W06-3", "2021-041", "10000-01-01"]
        ),
        st.sampled_from("Tt _"),
        st.sampled_from(
            [
                "05:00",
                "05:00:00",
                "05:00:00.5",
                "05:00:00,5",
                "24:00:00",
                "23:59:60",
                "05",
                "050000",
                "05:00:00.1234567",
            ]
        ),
        st.sampled_from(
            [
                "Z",
                "z",
                "+05:30",
                "-00:00",
                "+05:60",
                "+14:00",
                "+23:59",
                "+24:00",
                "+0530",
                "+05",
                "+05:30:15",
                " Z",
                "",
            ]
        ),
    )
)
def test_c6_all_accepted_text_is_rfc_3339_and_is_read_correctly(text: str) -> None:
    try:
        found = parse_instant(text)
    except InstantError:
        return
    assert _RFC_3339.fullmatch(text)
    assert found == datetime.fromisoformat(text.upper())


def test_equal_instants_have_one_canonical_form() -> None:
    assert in_iso(parse_instant("2021-02-10T10:30:00+05:30")) == "2021-02-10T05:00:00Z"
    assert in_iso(None) is None


class Fine(datetime):
    """Like the timestamps of pandas: it has more fields than a `datetime`, and compares them."""

    def __lt__(self, other: object) -> bool:
        raise AssertionError("nobody compares these")

    __le__ = __gt__ = __ge__ = __lt__

    def astimezone(self, tz: object = None) -> Fine:
        return self


class Far(Fine):
    """A timestamp whose year is out of range for a `datetime`."""

    @property
    def year(self) -> int:
        return 12_000


class Never(Fine):
    """Like `NaT` of pandas."""

    def utcoffset(self) -> timedelta:
        raise ValueError("there is none")


def test_an_instant_of_a_subclass_becomes_a_plain_datetime() -> None:
    fine = Fine(2021, 2, 10, 5, 0, 7, 999_999, tzinfo=UTC)
    plain = utc(fine)
    assert (type(plain), plain.isoformat()) == (datetime, "2021-02-10T05:00:07.999999+00:00")
    rule = Rule(id="a", tweets=[5], withheld_in=["IN"], reason="terms", from_=fine, stays=[(fine, None)])
    assert {type(bound) for period in (*rule.periods, *rule.stays) for bound in period if bound} == {datetime}


@pytest.mark.parametrize("kind", [Far, Never])
def test_an_instant_that_no_datetime_can_represent_is_refused(kind: type[datetime]) -> None:
    with pytest.raises(InstantError, match="out of range in UTC"):
        utc(kind(2021, 2, 10, tzinfo=UTC))
