"""The functions on whole columns read nothing outside their buffers."""

from __future__ import annotations

from array import array
from typing import Any

import pytest

from withhold import Rule, RuleSet, Snapshot, SnapshotError, engine_info, native

pytestmark = pytest.mark.skipif(not engine_info().native, reason=engine_info().why)

WIDTH = 1000


def cells(values: list[int], validity: bytes | None = None, **changed: Any) -> Any:
    arguments: dict[str, Any] = {"offset": 0, "count": len(values), "width": 8, **changed}
    return native.cells.Cells(array("q", values), validity, **arguments)


def hidden(**changed: Any) -> Any:
    """Ask about two rows; a rule names the second."""
    snapshot = Snapshot.compile(RuleSet([Rule(id="a", accounts=[17], withheld_in="WORLD", reason="terms")]))
    timeline = native.bulk.Timeline(3, [0], [bytes(WIDTH), b"\xff" * WIDTH])
    arguments: dict[str, Any] = {
        "tweet_table": snapshot.tweets,
        "account_table": snapshot.accounts,
        "timelines": {},
        "make": lambda _key, _source: timeline,
        "tweets": cells([1, 2]),
        "accounts": cells([1, 17]),
        "source_tweets": None,
        "source_accounts": None,
        "places": bytearray(4),
        "instants": 5,
        "times": 1,
        "by": 1,
    }
    return native.bulk.hidden(*(arguments | changed).values())


def rows(found: bytearray) -> list[int]:
    return memoryview(found).cast("q").tolist()


def test_hidden_rows_have_their_timeline_and_stretch() -> None:
    found = hidden()
    assert (rows(found.rows), rows(found.bad)) == ([1], [])
    assert memoryview(found.stretches).cast("I").tolist() == [3, 1]
    assert rows(hidden(instants=-1).rows) == []


def test_a_place_outside_the_sets_is_nowhere() -> None:
    assert rows(hidden(places=bytearray(array("H", [0, 8 * WIDTH - 1]).tobytes())).rows) == [1]
    for place in (8 * WIDTH, 0xFFFF):
        assert rows(hidden(places=bytearray(array("H", [0, place]).tobytes())).rows) == []


def test_rows_with_invalid_ids_are_returned() -> None:
    found = hidden(tweets=cells([0, -5]))
    assert (rows(found.rows), rows(found.bad)) == ([], [0, 1])


def test_a_damaged_table_is_reported() -> None:
    """Its only bucket ends after the last id, and its filter lets every id pass."""
    words, starts, ids, postings = array("Q", [2**64 - 1]), array("I", [0, 9]), array("q", [17]), array("I", [0])
    damaged = native.index.NativeTable(memoryview(words), memoryview(starts), memoryview(ids), memoryview(postings))
    for changed in (
        {"account_table": damaged},
        {"tweet_table": damaged, "source_tweets": cells([1, 2]), "source_accounts": cells([1, 2])},
    ):
        with pytest.raises(SnapshotError, match="points outside the table"):
            hidden(**changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"accounts": cells([1])} if engine_info().native else {},
        {"places": bytearray(2)},
        {"times": 0},
        {"by": 0},
    ],
)
def test_columns_that_do_not_fit_together_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the columns differ in length"):
        hidden(**changed)


def test_a_column_is_never_longer_than_its_buffers() -> None:
    for changed in ({"count": 3}, {"offset": 1}, {"width": 0}, {"offset": 2**63}, {"count": 2**63}):
        with pytest.raises(ValueError, match="shorter than the column"):
            cells([1, 2], None, **changed)
    with pytest.raises(ValueError, match="the bitmap is shorter"):
        cells([1] * 9, b"\xff")


def test_a_timeline_has_one_more_set_than_instants_and_all_of_one_length() -> None:
    for starts, sets in (([], []), ([1], [b"a"]), ([1], [b"a", b"ab"]), ([], [b"a", b"b"])):
        with pytest.raises((ValueError, IndexError)):
            native.bulk.Timeline(0, starts, sets)
    with pytest.raises(TypeError):
        hidden(make=lambda _key, _source: None)


def test_an_index_outside_a_dictionary_is_nowhere() -> None:
    places = bytearray(8)
    assert native.cells.places_of_indices(cells([0, 1, 2, -1]), array("H", [7, 8]), places) == 2
    assert memoryview(places).cast("H").tolist() == [7, 8, 0xFFFF, 0xFFFF]
    with pytest.raises(ValueError, match="differ in length"):
        native.cells.places_of_indices(cells([0]), array("H", [7]), bytearray(4))


def test_texts_outside_their_data_are_nowhere() -> None:
    lookup = array("H", [5]) * (1 << 16)
    offsets = native.cells.Cells(array("q", [0, 2, 4, 1, 3]), None, 0, 4, 8)
    places = bytearray(8)
    assert native.cells.places_of_texts(offsets, b"INU", lookup, places) == 2
    assert memoryview(places).cast("H").tolist() == [5, 0xFFFF, 0xFFFF, 5]
    without_end = native.cells.Cells(array("q", [0, 2]), None, 0, 2, 8)
    with pytest.raises(ValueError, match="the offsets are shorter"):
        native.cells.places_of_texts(without_end, b"IN", lookup, bytearray(4))
    with pytest.raises(ValueError, match="not of 16 bytes"):
        native.cells.places_of_texts(without_end, None, lookup, bytearray(4))
    with pytest.raises(ValueError, match="differ in length"):
        native.cells.places_of_texts(offsets, b"IN", array("H", [5]), places)


def test_bits_outside_a_bitmap_are_refused() -> None:
    bits = bytearray(1)
    native.cells.set_bits(bits, bytearray(array("q", [0, 3]).tobytes()), 4, True)
    assert bits == b"\x90"
    native.cells.set_bits(bits, bytearray(array("q", [0]).tobytes()), 4, False)
    assert bits == b"\x80"
    with pytest.raises(ValueError, match="outside the bitmap"):
        native.cells.set_bits(bits, bytearray(array("q", [4]).tobytes()), 4, True)
