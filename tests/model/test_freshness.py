"""Freshness is a value: joined, compared with a clock, and turned into a cache key."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withhold import Freshness, Policy, Settle, VariesBy, Viewer
from withhold.model.freshness import answer_revision, joined

NOON = datetime(2021, 2, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
instants = st.none() | st.integers(-3, 3).map(lambda hours: NOON + hours * HOUR)
values = st.builds(
    Freshness,
    since=instants,
    valid_until=instants,
    varies_by=st.sampled_from(VariesBy),
    personal=st.booleans(),
    answer_revision=st.none() | st.sampled_from(["1", "2"]),
)


@given(values, values, values)
def test_the_order_of_joining_does_not_matter(a: Freshness, b: Freshness, c: Freshness) -> None:
    assert a | b == b | a
    assert (a | b) | c == a | (b | c)
    assert a | a == a | copy.copy(a) == a
    assert joined([a, b, c, a]) == a | b | c
    assert joined([a, a]) is a


@given(values, values, st.integers(-4, 4))
def test_a_page_holds_while_all_of_its_answers_hold(a: Freshness, b: Freshness, hours: int) -> None:
    at = NOON + hours * HOUR
    same = a.answer_revision == b.answer_revision
    assert (a | b).holds(at) is (a.holds(at) and b.holds(at) and same)


@given(values, values)
def test_viewers_whom_a_page_does_not_distinguish_are_not_distinguished_by_any_of_its_answers(
    a: Freshness, b: Freshness
) -> None:
    viewers = [
        Viewer(country=country, subdivisions=within, account_id=account)
        for country, within in ((None, ()), ("US", ()), ("US", ("US-MS",)), ("US", ("US-TX",)), ("IN", ()))
        for account in (None, 1, 2)
    ]
    for one in viewers:
        for other in viewers:
            if (a | b).cache_key(one) == (a | b).cache_key(other):
                assert a.cache_key(one) == a.cache_key(other)


def test_answers_of_two_revisions_are_not_kept() -> None:
    one, other = Freshness(answer_revision="1"), Freshness(answer_revision="2")
    assert (one.holds(NOON), other.holds(NOON)) == (True, True)
    assert (one | other).answer_revision is None
    assert not (one | other).holds(NOON)
    assert not (one | other | one).holds(NOON)


def test_the_period_is_half_open() -> None:
    fresh = Freshness(since=NOON, valid_until=NOON + HOUR, answer_revision="1")
    tick = timedelta(microseconds=1)
    assert [fresh.holds(at) for at in (NOON - tick, NOON, NOON + HOUR - tick, NOON + HOUR)] == [
        False,
        True,
        True,
        False,
    ]
    with pytest.raises(ValueError, match="naive-instant"):
        fresh.holds(datetime(2021, 2, 10))  # noqa: DTZ001


def test_a_value_that_no_engine_has_answered_is_not_kept() -> None:
    assert not Freshness().holds(NOON)


@pytest.mark.parametrize(
    ("part", "personal", "key"),
    [
        (VariesBy.NONE, False, ("1",)),
        (VariesBy.COUNTRY, False, ("1", "US")),
        (VariesBy.SUBDIVISION, False, ("1", "US", ("US-MS",))),
        (VariesBy.COUNTRY, True, ("1", "US", ("account", 17))),
    ],
)
def test_the_key_has_what_distinguishes_viewers(part: VariesBy, personal: bool, key: tuple[object, ...]) -> None:
    viewer = Viewer(country="US", subdivisions=["US-MS"], account_id=17)
    assert Freshness(varies_by=part, personal=personal, answer_revision="1").cache_key(viewer) == key


def test_an_unknown_location_and_a_missing_account_are_values_of_their_own() -> None:
    fresh = Freshness(varies_by=VariesBy.COUNTRY, personal=True, answer_revision="1")
    assert fresh.cache_key(Viewer.unknown()) == ("1", None, ("account", None))
    wrong: Any = "US"
    with pytest.raises(TypeError, match=r"`US` is not a viewer \[not-a-viewer\]"):
        fresh.cache_key(wrong)
    with pytest.raises(TypeError, match="unsupported operand"):
        fresh | wrong


def test_a_revision_of_answers_covers_the_policy() -> None:
    policies = [Policy(unknown_location=settle, author_sees_own=own) for settle in Settle for own in (False, True)]
    assert len({answer_revision(revision, policy) for revision in ("a", "b") for policy in policies}) == 8


def test_as_json_and_pickled() -> None:
    fresh = Freshness(valid_until=NOON, varies_by=VariesBy.COUNTRY, answer_revision="1")
    assert json.loads(json.dumps(fresh.to_dict())) == {
        "since": None,
        "valid_until": "2021-02-10T12:00:00Z",
        "varies_by": "country",
        "personal": False,
        "answer_revision": "1",
    }
    assert pickle.loads(pickle.dumps(fresh)) == fresh  # noqa: S301  # our own
