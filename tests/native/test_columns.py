"""Columns and pages of every length: a named id is found at every position."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence

import pytest

from tests.native.test_view import INDIA, engine_of, rule
from withhold import View, engine_info

pytestmark = pytest.mark.skipif(not engine_info().native, reason=engine_info().why)

NAMED, OTHER = 10, 11
LARGE = 1 << 16
Make = Callable[[list[int]], Sequence[int]]


def buffer(ids: list[int]) -> array[int]:
    return array("q", ids)


def backwards(ids: list[int]) -> memoryview:
    """Return a buffer that is not contiguous."""
    return memoryview(array("q", [id_ for id_ in reversed(ids) for _ in range(3)]))[::-3]


@pytest.fixture
def view() -> View:
    return engine_of(rule(tweets=[NAMED], accounts=[NAMED])).view(INDIA)


@pytest.mark.parametrize("size", [0, 1, 2, 63, 64, 65, 128, 511, 512, 513, 1025, LARGE - 1, LARGE, LARGE + 1])
@pytest.mark.parametrize("make", [list, tuple, buffer, backwards])
def test_a_named_id_is_found_at_every_edge(view: View, size: int, make: Make) -> None:
    """It is the first or last question, or next to an edge of a block or a stretch."""
    edges = sorted({at for edge in (0, 64, 512, 1024, size) for at in (edge - 1, edge, edge + 1) if 0 <= at < size})
    tweets, accounts = [OTHER] * size, [OTHER] * size
    for number, at in enumerate(edges):
        (tweets, accounts)[number % 2][at] = NAMED
    for of_tweets, of_accounts in ((make(tweets), make(accounts)), (make(tweets), accounts), (tweets, make(accounts))):
        mask = view.mask(of_tweets, of_accounts)
        assert len(mask) == size
        assert [at for at, withheld in enumerate(mask) if withheld] == edges
        assert set(mask) <= {0, 1}
    page = view.filter(list(zip(tweets, accounts, strict=True)))
    assert [index for index, _ in page.hidden] == edges


def test_an_id_that_only_passes_the_filter_is_not_marked(view: View) -> None:
    """Some of ten thousand other ids have all bits of the named one."""
    ids = range(100, 100_100)
    assert not any(view.mask(array("q", ids), array("q", ids)))
    assert view.filter([(id_, id_) for id_ in ids]).hidden == []


def test_the_arguments_of_the_c_functions_are_checked_too(view: View) -> None:
    marks = bytearray(2)
    for tweets, accounts in ((array("q", [1, 2]), array("q", [1])), ([1, 2], [1]), ([1], [1])):
        with pytest.raises(ValueError, match="differ in length"):
            view._mark(tweets, accounts, marks)
    with pytest.raises(ValueError, match="not one-dimensional with 64-bit integers"):
        view._mark(b"ab", b"ab", marks)
