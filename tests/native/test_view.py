"""The view in C reads no memory that is not its own, leaks no references, and gives no wrong answers from its cache."""

from __future__ import annotations

import copy
import gc
import sys
import weakref
from array import array
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withhold import (
    Engine,
    Policy,
    Rule,
    RuleSet,
    Snapshot,
    SubjectIdError,
    SubjectIdTypeError,
    Tweet,
    Viewer,
    engine_info,
    native,
)
from withhold.engine.decider import Decider

pytestmark = pytest.mark.skipif(not engine_info().native, reason=engine_info().why)
if engine_info().native:
    from withhold.native import view as native_view

INDIA = Viewer(country="IN")
NOON = datetime(2021, 6, 1, 12, tzinfo=UTC)


def engine_of(*rules: Rule, policy: Policy | None = None) -> Engine:
    return Engine(Snapshot.compile(RuleSet(rules), native=True), policy)


def rule(id_: str = "r", **keys: Any) -> Rule:
    return Rule(**{"id": id_, "withheld_in": ["IN"], "reason": "terms"} | keys)


@given(st.integers(1, 2**63 - 1), st.integers(-(2**70), 2**70))
def test_ids_of_every_size_are_read_correctly(named: int, other: int) -> None:
    """Python stores an int in digits of 30 bits, which the view reads directly."""
    view = engine_of(rule(tweets=[named])).view(INDIA)
    assert view.withholds(named, 1)
    assert view.check(tweet_id=named).rule_ids == ("r",)
    if not 0 < other < 2**63:
        for ask in (
            lambda: view.withholds(other, 1),
            lambda: view.withholds(1, other),
            lambda: view.check(tweet_id=other),
        ):
            with pytest.raises(SubjectIdError):
                ask()
    elif other != named:
        assert not view.withholds(other, 1)


@pytest.mark.parametrize("edge", [1 << shift for shift in (29, 30, 31, 59, 60, 61, 62)] + [2**63 - 1, 2**63])
def test_ids_at_the_edges_of_digits(edge: int) -> None:
    ids = [id_ for id_ in (edge - 1, edge, edge + 1) if id_ < 2**63]
    view = engine_of(rule(accounts=ids)).view(INDIA)
    assert [view.withholds(1, id_) for id_ in ids] == [True] * len(ids)
    assert view.filter([(1, id_) for id_ in ids]).visible == []
    assert list(view.mask([1] * len(ids), ids)) == [1] * len(ids)


class Named(IntEnum):
    TWEET = 10


def test_ints_of_other_classes_are_ids_too() -> None:
    view = engine_of(rule(tweets=[10])).view(INDIA)
    assert view.withholds(Named.TWEET, 1)
    assert view.filter([(Named.TWEET, 1)]).visible == []
    assert list(view.mask([Named.TWEET], [1])) == [1]


def test_buffers_are_not_copied() -> None:
    view = engine_of(rule(tweets=[10, 12], accounts=[7])).view(INDIA)
    tweets, accounts = array("q", [9, 10, 11, 12, 13]), array("Q", [1, 1, 7, 7, 2])
    assert list(view.mask(tweets, accounts)) == [0, 1, 1, 1, 0]
    assert list(view.mask(memoryview(tweets)[::2], memoryview(accounts)[::2])) == [0, 1, 0]
    assert list(view.mask(memoryview(tweets)[::-1], memoryview(accounts)[::-1])) == [0, 1, 1, 1, 0]
    numpy = pytest.importorskip("numpy", reason="numpy is not installed")
    records = numpy.array([(1, 10, 7), (1, 9, 8)], dtype=[("more", "<i8"), ("tweet", "<i8"), ("account", "<u8")])
    assert list(view.mask(records["tweet"], records["account"])) == [1, 0]
    assert list(view.mask(numpy.array([10, 9], dtype="i4"), [1, 7])) == [1, 1]
    with pytest.raises(SubjectIdTypeError):
        view.mask(numpy.array([10, 9], dtype=">i8"), [1, 7])
    with pytest.raises(SubjectIdTypeError):
        view.mask(numpy.array([10.0, 9.0]), [1, 7])


def test_arrow_arrays_are_not_copied() -> None:
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    view = engine_of(rule(tweets=[10, 12], accounts=[7])).view(INDIA)
    tweets = arrow.array([9, 10, 11, 12, 13])
    assert list(view.mask(tweets, arrow.array([1, 1, 7, 7, 2], arrow.uint64()))) == [0, 1, 1, 1, 0]
    assert list(view.mask(tweets[1:4], [1, 1, 1])) == [1, 0, 1]
    assert list(view.mask(arrow.chunked_array([[10], [9]]), [1, 7])) == [1, 1]
    assert list(view.mask(arrow.array([10, 9], arrow.int32()), [1, 7])) == [1, 1]
    for wrong in (arrow.array([10, None]), arrow.array([10, 9], arrow.timestamp("s")), arrow.array(["10", "9"])):
        with pytest.raises(SubjectIdTypeError):
            view.mask(wrong, [1, 1])


@pytest.mark.parametrize("letter", ["q", "Q"])
def test_a_buffer_with_an_invalid_id_is_refused(letter: str) -> None:
    view = engine_of(rule(tweets=[10])).view(INDIA)
    wrong = [0, 2**63] if letter == "Q" else [0, -1, -(2**63)]
    for value in wrong:
        for columns in (
            [array(letter, [9, value]), array("q", [1, 1])],
            [array("q", [1, 1]), array(letter, [9, value])],
        ):
            with pytest.raises(SubjectIdError):
                view.mask(*columns)


class Shrinks:
    """An id that empties the list that contains it when it is read."""

    def __init__(self, page: list[Any]) -> None:
        self.page = page

    def __index__(self) -> int:
        self.page.clear()
        return 10


def test_a_page_that_changes_meanwhile_causes_no_harm() -> None:
    view = engine_of(rule(tweets=[10])).view(INDIA)
    page: list[Any] = [(1, 1)] * 300
    page[3] = (Shrinks(page), 1)
    assert [index for index, _ in view.filter(page).hidden] == [3]
    ids: list[Any] = [1] * 300
    ids[3] = Shrinks(ids)
    assert sum(view.mask(ids, [1] * 300)) == 1


def test_decisions_are_cached_for_each_place_and_each_pair() -> None:
    """Ask more questions than the cache can hold, repeatedly: no answer is given for another question."""
    rules = [rule(f"r{n:03}", tweets=[1000 + n], accounts=[5000 + n]) for n in range(150)]
    engine = engine_of(*rules)
    views = [engine.view(viewer, NOON) for viewer in (INDIA, Viewer(country="FR"), Viewer.unknown())]
    for _ in range(2):
        for n in range(150):
            for m in range(0, 150, 7):
                wanted = tuple(sorted({f"r{n:03}", f"r{m:03}"}, key=lambda name: (name != f"r{m:03}", name)))
                assert views[0].check(tweet_id=1000 + n, account_id=5000 + m).rule_ids == wanted
                assert views[1].check(tweet_id=1000 + n, account_id=5000 + m).rule_ids == ()
                assert not views[2].withholds(1000 + n, 5000 + m)


@given(st.integers(86_400, 315_537_638_400), st.timedeltas(timedelta(microseconds=1), timedelta(days=1)))
def test_a_decision_is_valid_from_its_start_until_its_end(seconds: int, length: timedelta) -> None:
    """In all years, also leap years: the view computes microseconds itself."""
    start = datetime(1, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    engine = engine_of(rule(tweets=[10], from_=start, until=start + length))
    tick = timedelta(microseconds=1)
    for _ in range(2):
        for at, withheld in (
            (start - tick, False),
            (start, True),
            (start + length - tick, True),
            (start + length, False),
        ):
            assert engine.view(INDIA, at).withholds(10, 1) is withheld


def test_answers_about_the_viewers_own_content_are_not_given_to_others() -> None:
    engine = engine_of(rule(accounts=[7]), policy=Policy(author_sees_own=True))
    own, other = Viewer(country="IN", account_id=7), Viewer(country="IN", account_id=8)
    for _ in range(2):
        assert engine.view(other).withholds(10, 7)
        assert not engine.view(own).withholds(10, 7)
        assert engine.view(own).check(tweet_id=10, account_id=7).exempt == "author"
        assert engine.view(own).check(account_id=7).exempt == "author"


def test_tweets_on_a_page() -> None:
    view = engine_of(rule(tweets=[10], accounts=[7])).view(INDIA)
    shown = [Tweet(1, 2), Tweet(1, 2, retweet_of=Tweet(3, 4)), Tweet(1, 2, quoted=Tweet(10, 4))]
    hidden = [Tweet(10, 2), Tweet(1, 7), Tweet(1, 2, retweet_of=Tweet(10, 4))]
    items: list[Any] = [*shown, *hidden, (1, 2)]
    page = view.filter(items)
    assert page.visible == [*shown, (1, 2)]
    assert [index for index, *_ in page.tombstones] == [2]


class Kept(Snapshot):
    """A snapshot that can have weak references."""

    __slots__ = ("__weakref__",)


def test_references_are_neither_leaked_nor_lost() -> None:
    snapshot = Kept.compile(RuleSet([rule(tweets=[10])]), native=True)
    engine = Engine(snapshot)
    decision = engine.view(INDIA).check(tweet_id=10, account_id=1)
    before = sys.getrefcount(decision)
    view = engine.view(INDIA)
    for _ in range(1000):
        view.check(tweet_id=10, account_id=1)
        view.withholds(10, 1)
        view.filter([(10, 1), (9, 9)])
    assert sys.getrefcount(decision) == before
    watched = weakref.ref(snapshot)
    del snapshot, engine, view
    gc.collect()
    assert watched() is None


def test_a_view_needs_a_decider() -> None:
    for wrong in (None, Decider(Snapshot.compile(RuleSet(), native=False), Policy())):
        with pytest.raises((TypeError, AttributeError)):
            native_view.FastView(wrong, INDIA, NOON, (None, ()), None, Tweet)
    with pytest.raises(TypeError):
        native_view.FastView.__new__(native_view.FastView)
    with pytest.raises(TypeError):
        copy.copy(engine_of(rule(tweets=[10])).view(INDIA))


def test_an_invalid_table_is_not_built() -> None:
    ids, lengths = array("q", [1, 2]), array("I", [2])
    for buckets in (0, 2**32 + 1, 2**62):
        with pytest.raises(ValueError, match="a table must have"):
            native.index.build(ids, lengths, buckets, {}, 1)
    for wrong in ([1], [3]):
        with pytest.raises(ValueError, match="do not add up"):
            native.index.build(ids, array("I", wrong), 1, {}, 1)
    with pytest.raises(ValueError, match="refers to no combination"):
        native.index.renumber(bytearray(array("I", [0, 1, 3])), array("I", [0, 1]), 1)
