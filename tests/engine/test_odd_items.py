"""What is no page, or hardly one: all engines say the same of it, and never that it is visible."""

from __future__ import annotations

from array import array
from typing import Any, NamedTuple

import pytest

from tests.implementations import MakeSnapshot, each_snapshot
from withhold import Engine, Rule, RuleSet, SubjectIdError, SubjectIdTypeError, Tweet, Viewer

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
def test_what_is_no_page_is_refused(view: Any, page: Any, error: type[Exception], code: str) -> None:
    with pytest.raises(error) as caught:
        view.filter(page)
    assert caught.value.code == code  # type: ignore[attr-defined]


@each_snapshot
def test_what_is_a_page_in_another_form(view: Any) -> None:
    items = [Pair(5, 17), [5, 17], Listed([5, 17]), (5, 17), Tweet(5, 17), Pair(5, 16), [5, 16]]
    assert [index for index, _ in view.filter(items).withheld] == [0, 1, 2, 3, 4]
    assert [index for index, _ in view.filter(iter(items)).withheld] == [0, 1, 2, 3, 4]


@each_snapshot
def test_a_long_chain_of_retweets(view: Any) -> None:
    chain = Tweet(99, 1)
    for _ in range(5000):
        chain = Tweet(1, 1, retweet_of=chain)
    assert view.filter([chain]).visible == []


@each_snapshot
@pytest.mark.parametrize(
    "of", [Listed, tuple, lambda ids: Pair(*ids), iter, lambda ids: array("h", ids), dict.fromkeys]
)
def test_columns_in_other_forms(view: Any, of: Any) -> None:
    if of == dict.fromkeys:
        with pytest.raises(SubjectIdTypeError, match="have no order"):
            view.mask(of([5, 99]), [1, 1])
    else:
        assert list(view.mask(of([5, 99]), of([16, 1]))) == [0, 1]


@each_snapshot
@pytest.mark.parametrize("wrong", [5, None, {5}, 5.0, object()])
def test_what_is_no_column_is_refused(view: Any, wrong: Any) -> None:
    with pytest.raises(SubjectIdTypeError):
        view.mask(wrong, [1])
    with pytest.raises(SubjectIdTypeError):
        view.mask([1], wrong)
