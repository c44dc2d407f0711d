"""Invalid and unusual pages: all engines give the same answer or error for them, and never a wrong "visible"."""

from __future__ import annotations

from array import array
from ctypes import c_int32, c_int64, c_uint64
from datetime import UTC, datetime, timedelta
from enum import IntFlag
from typing import Any, NamedTuple

import pytest

from tests.implementations import MakeSnapshot, each_snapshot
from withhold import Engine, Rule, RuleSet, SubjectIdError, SubjectIdTypeError, SubjectTypeError, Tweet, Viewer

RULES = RuleSet([Rule(id="a", accounts=[17], tweets=[99], withheld_in=["IN"], reason="terms")])


class Pair(NamedTuple):
    tweet: int
    account: int


class Listed(list):  # type: ignore[type-arg]
    pass


@pytest.fixture
def view(snapshot_of: MakeSnapshot) -> Any:
    return Engine(snapshot_of(RULES)).view(Viewer(country="IN"))


@each_snapshot
@pytest.mark.parametrize(
    ("page", "error", "code"),
    [
        ([{5, 17}], SubjectIdError, "not-a-subject"),
        ([{5: 1, 17: 1}], SubjectIdError, "not-a-subject"),
        ([range(5, 7)], SubjectIdError, "not-a-subject"),
        ([array("q", [5, 6])], SubjectIdError, "not-a-subject"),
        ([b"ab"], SubjectIdError, "not-a-subject"),
        ([(5, 6, 7)], SubjectIdError, "not-a-subject"),
        ([7], SubjectIdError, "not-a-subject"),
        ([None], SubjectIdError, "not-a-subject"),
        ([(99, None), 7], SubjectIdTypeError, "id-not-an-int"),
        ([(5, True)], SubjectIdTypeError, "id-not-an-int"),
        ([(5, 6.0)], SubjectIdTypeError, "id-not-an-int"),
        ([(5, 2**63)], SubjectIdError, "id-out-of-range"),
        ([(1, 1), (5, 0)], SubjectIdError, "id-out-of-range"),
    ],
)
def test_an_invalid_page_is_refused(view: Any, page: Any, error: type[Exception], code: str) -> None:
    with pytest.raises(error) as caught:
        view.filter(page)
    assert caught.value.code == code  # type: ignore[attr-defined]


@each_snapshot
def test_pages_in_other_forms(view: Any) -> None:
    items = [Pair(5, 17), [5, 17], Listed([5, 17]), (5, 17), Tweet(5, 17), Pair(5, 16), [5, 16]]
    assert [index for index, _ in view.filter(items).hidden] == [0, 1, 2, 3, 4]
    assert [index for index, _ in view.filter(iter(items)).hidden] == [0, 1, 2, 3, 4]


@each_snapshot
def test_a_long_chain_of_retweets(view: Any) -> None:
    chain = Tweet(99, 1)
    for _ in range(5000):
        chain = Tweet(1, 1, retweet_of=chain)
    assert view.filter([chain]).visible == []


@each_snapshot
def test_a_tweet_that_occurs_again_and_again_in_another_is_decided_once(view: Any) -> None:
    for first, hidden in ((Tweet(5, 5), False), (Tweet(99, 5), True)):
        tweet = first
        for number in range(100, 160):
            tweet = Tweet(number, 1, tweet, tweet)
        assert [index for index, _ in view.filter([tweet]).hidden] == [0] * hidden


@each_snapshot
@pytest.mark.parametrize("number", [15, 16, 17, 18])
@pytest.mark.parametrize("name", ["quoted", "retweet_of"])
def test_the_innermost_of_many_tweets(view: Any, number: int, name: str) -> None:
    tweet = Tweet(99, 5)
    for _ in range(number - 1):
        tweet = Tweet(5, 5, **{name: tweet})
    page = view.filter([tweet])
    assert [decision.rule_id for *_, decision in page.hidden + page.tombstones] == ["a"]


@each_snapshot
@pytest.mark.parametrize(
    "of", [Listed, tuple, lambda ids: Pair(*ids), iter, lambda ids: array("h", ids), dict.fromkeys]
)
def test_columns_in_other_forms(view: Any, of: Any) -> None:
    if of == dict.fromkeys:
        with pytest.raises(SubjectIdTypeError, match="is unordered"):
            view.mask(of([5, 99]), [1, 1])
    else:
        assert list(view.mask(of([5, 99]), of([16, 1]))) == [0, 1]


@each_snapshot
@pytest.mark.parametrize(
    "wrong", [5, None, {5}, 5.0, object(), b"5", bytearray(b"5"), memoryview(b"5"), memoryview(bytearray(b"12345678"))]
)
def test_an_invalid_column_is_refused(view: Any, wrong: Any) -> None:
    with pytest.raises(SubjectIdTypeError):
        view.mask(wrong, [1])
    with pytest.raises(SubjectIdTypeError):
        view.mask([1], wrong)


@each_snapshot
def test_big_endian_numbers_are_named(view: Any) -> None:
    numpy = pytest.importorskip("numpy", reason="numpy is not installed")
    with pytest.raises(SubjectIdTypeError, match="big-endian"):
        view.mask(numpy.array([5], dtype=">i8"), [1])


@each_snapshot
def test_ids_are_given_by_name(view: Any) -> None:
    """By position they could be swapped, which would be a quiet "visible"."""
    with pytest.raises(TypeError, match="positional"):
        view.check(5, 16)
    with pytest.raises(TypeError, match="positional"):
        view.check(5)
    assert not view.check(account_id=17).visible


class Typed(int):
    """An id of a class with its own hash and equality, like classes that distinguish kinds of ids."""

    def __hash__(self) -> int:
        return hash(("typed", int(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Typed) and int(self) == int(other)


class Offset:
    """An id whose value only `__index__` returns, as an instance of a subclass of `int`."""

    def __init__(self, id_: int) -> None:
        self.id = id_

    def __index__(self) -> int:
        return Typed(self.id)


def other(name: str, value: object) -> type[Tweet]:
    """Return a class of tweets with another attribute, or another method that returns the value."""
    given: Any = (lambda self: value) if name in ("links", "quotes") else property(lambda self: value)
    return type("Other", (Tweet,), {name: given})


_NESTED = [
    lambda odd: odd,
    lambda odd: Tweet(5, 5, retweet_of=odd),
    lambda odd: Tweet(5, 5, quoted=odd),
    lambda odd: Tweet(5, 5, retweet_of=Tweet(6, 6, quoted=odd)),
]


@each_snapshot
@pytest.mark.parametrize("around", _NESTED)
@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("id", "99", SubjectIdTypeError),
        ("id", 99.0, SubjectIdTypeError),
        ("id", 2**70, SubjectIdError),
        ("account_id", True, SubjectIdTypeError),
        ("account_id", -17, SubjectIdError),
        ("quoted", (99, 17), SubjectTypeError),
        ("quoted", "99", SubjectTypeError),
    ],
)
def test_a_subclass_of_tweet_has_valid_ids(view: Any, around: Any, name: str, value: object, error: Any) -> None:
    """Otherwise no look-up would find them."""
    tweet = around(other(name, value)(5, 5))
    for ask in (view.check_tweet, lambda each: view.filter([each])):
        with pytest.raises(error):
            ask(tweet)


@each_snapshot
@pytest.mark.parametrize("links", [(), [("99", 17)], [(99, 17.0)], [(5, 5), (0, 17)], [(None, None)]])
def test_a_subclass_of_tweet_returns_valid_links(view: Any, links: object) -> None:
    tweet = other("links", links)(99, 17)
    for ask in (view.check_tweet, lambda each: view.filter([each]), view.explain):
        with pytest.raises((SubjectIdError, SubjectIdTypeError)):
            ask(tweet)


@each_snapshot
@pytest.mark.parametrize("around", _NESTED)
@pytest.mark.parametrize(("name", "id_"), [("id", 99), ("account_id", 17)])
def test_a_subclass_of_tweet_may_have_ints_of_another_class(view: Any, around: Any, name: str, id_: int) -> None:
    page = view.filter([around(other(name, Typed(id_))(5, 5))])
    assert [decision.rule_id for *_, decision in page.hidden + page.tombstones] == ["a"]


class Kind(IntFlag):
    """A flag whose `|` differs from that of ints: `-1 | Kind.A` is `Kind.A`."""

    A = 16


@each_snapshot
@pytest.mark.parametrize("made", [Typed, lambda id_: Offset(id_) if id_ != 99 else Typed(id_)], ids=["int", "index"])
@pytest.mark.filterwarnings("ignore:.*__index__ returned non-int:DeprecationWarning")
def test_an_int_of_another_class_is_the_id_with_its_value(view: Any, made: Any) -> None:
    for pair in ((made(99), made(5)), (5, made(17)), (made(5), made(17)), (made(99), 5)):
        assert view.withholds(*pair)
        assert view.check(tweet_id=pair[0], account_id=pair[1]).rule_id == "a"
        assert [index for index, _ in view.filter([(5, 5), pair]).hidden] == [1]
        assert list(view.mask([5, pair[0]], [5, pair[1]])) == [0, 1]
        assert [index for index, _ in view.filter([Tweet(*pair)]).hidden] == [0]
    assert not view.withholds(made(98), made(18))


def test_an_int_of_another_class_is_an_id_of_a_rule_too() -> None:
    rules = RuleSet([Rule(id="a", tweets=[Typed(99)], withheld_in=["IN"], reason="terms")])
    assert Engine(rules).view(Viewer(country="IN")).withholds(99, 5)


@each_snapshot
@pytest.mark.parametrize("pair", [(-1, Kind.A), (-(2**40), Kind.A), (Kind.A, -1), (Kind.A, 2**63)])
def test_no_class_of_ints_hides_an_invalid_id(view: Any, pair: tuple[int, int]) -> None:
    for ask in (
        lambda: view.withholds(*pair),
        lambda: view.check(tweet_id=pair[0], account_id=pair[1]),
        lambda: view.filter([pair]),
        lambda: view.mask([pair[0]], [pair[1]]),
    ):
        with pytest.raises(SubjectIdError):
            ask()


class _Behind:
    """Imitates another object, like the proxies of web frameworks."""

    def __init__(self, of: Any) -> None:
        object.__setattr__(self, "_of", of)

    @property
    def __class__(self) -> Any:
        return type(self._of)

    @__class__.setter
    def __class__(self, _: Any) -> None:
        raise TypeError

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)


def behind(of: Any) -> Any:
    return _Behind(of)


@each_snapshot
def test_a_clock_may_return_a_proxy_of_a_datetime(snapshot_of: MakeSnapshot) -> None:
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    hour = timedelta(hours=1)
    rule = Rule(id="a", tweets=[99], withheld_in=["IN"], reason="terms", from_=noon, until=noon + hour)
    now = [noon]
    engine = Engine(snapshot_of(RuleSet([rule])), clock=lambda: behind(now[0]))
    for now[0], withheld in ((noon, True), (noon + hour, False), (noon - hour, False), (noon, True)):
        assert engine.view(Viewer(country="IN")).withholds(99, 1) is withheld
        assert engine.view(Viewer(country="IN"), behind(now[0])).withholds(99, 1) is withheld


@each_snapshot
def test_arrays_of_ctypes_are_columns_too(view: Any) -> None:
    for kind in (c_int64, c_uint64, c_int32):
        assert list(view.mask((kind * 3)(5, 99, 5), (kind * 3)(5, 5, 17))) == [0, 1, 1]


@each_snapshot
def test_an_error_of_a_column_during_iteration_is_not_replaced(view: Any) -> None:
    def ids():
        yield 5
        raise TypeError("the caller's own")

    with pytest.raises(TypeError, match="the caller's own"):
        view.mask(ids(), [1])


class Table:
    """Like the tables of pandas: iteration gives the names of the columns."""

    ndim = 2

    def __len__(self) -> int:
        return 2

    def __iter__(self) -> Any:
        return iter([5, 99])


@each_snapshot
def test_a_table_is_not_a_column(view: Any) -> None:
    with pytest.raises(SubjectIdTypeError, match="`tweet_ids` has 2 dimensions"):
        view.mask(Table(), [1, 1])


@each_snapshot
def test_a_masked_value_is_not_an_id(view: Any) -> None:
    masked = pytest.importorskip("numpy.ma", reason="numpy is not installed")
    assert list(view.mask(masked.array([5, 99], mask=[False, False]), [1, 1])) == [0, 1]
    with pytest.raises(SubjectIdTypeError):
        view.mask(masked.array([5, 99], mask=[True, False]), [1, 1])


class Threaded(Tweet):
    """A subclass of `Tweet` with additional links."""

    def links(self) -> tuple[Any, ...]:
        return ((self.id, self.account_id), (99, 5))


@each_snapshot
def test_a_subclass_of_tweet_may_have_other_links(view: Any) -> None:
    tweet = Threaded(5, 5)
    assert not view.check_tweet(tweet).decision.visible
    assert [index for index, _ in view.filter([Tweet(5, 5), tweet]).hidden] == [1]
    page = view.filter([Tweet(5, 5), Tweet(6, 6, quoted=tweet)])
    assert [(index, path) for index, path, _ in page.tombstones] == [(1, ("quoted",))]
