"""Ids are ints from 1 to 2**63-1 (A4), and an `IdSet` behaves like a set."""

from __future__ import annotations

import copy
import pickle
from array import array
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withhold import IdSet, SubjectIdError, SubjectIdTypeError
from withhold.model import MAX_ID, check_id

ids = st.integers(1, MAX_ID) | st.integers(1, 30)
sets = st.sets(ids, max_size=20)


#: An int that Python refuses to print.
HUGE = 10**5000
DEEP: list[object] = []
for _ in range(100_000):
    DEEP = [DEEP]


def kind(value: object) -> str:
    return type(value).__name__


class Int64:
    """Behaves like the integers of numpy."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value

    def __eq__(self, other: object) -> bool:
        return self.value == other

    def __hash__(self) -> int:
        return hash(self.value)


class bool_:  # noqa: N801  # numpy's name
    """Behaves like the booleans of numpy versions that accept them as ints."""

    def __index__(self) -> int:
        return 1


class Colour(IntEnum):
    RED = 5


class TestOneId:
    @pytest.mark.parametrize("value", [1, 5, 2**53 + 1, MAX_ID, Int64(7), Int64(MAX_ID), Colour.RED])
    def test_an_int_in_range_is_an_id_and_is_returned_as_a_plain_int(self, value: int) -> None:
        found = check_id(value)
        assert type(found) is int
        assert found == value

    @pytest.mark.parametrize("value", [0, -1, 2**63, -(2**63), 10**30, HUGE, -HUGE, Int64(0), Int64(2**63)], ids=kind)
    def test_an_int_out_of_range_is_a_value_error(self, value: object) -> None:
        """The error can be printed, although Python refuses to print ints of 5,000 digits."""
        with pytest.raises(SubjectIdError, match=r"^tweet_id `.{1,80}` is not between 1 and 2\*\*63-1 ") as caught:
            check_id(value, "tweet_id")
        assert isinstance(caught.value, ValueError)
        assert caught.value.code == "id-out-of-range"

    @pytest.mark.parametrize(
        "value",
        [
            True,
            False,
            bool_(),
            5.0,
            1.35567e18,
            float("nan"),
            "5",
            "",
            b"5",
            None,
            Decimal(5),
            Fraction(5),
            [5],
            (5,),
            {},
        ],
    )
    def test_anything_but_an_int_is_a_type_error(self, value: object) -> None:
        with pytest.raises(SubjectIdTypeError, match=r"^account_id `.*` is not an int ") as caught:
            check_id(value, "account_id")
        assert isinstance(caught.value, TypeError)
        assert caught.value.code == "id-not-an-int"
        wanted = "convert it with int() when you read it" if isinstance(value, str | bytes) else "ids are ints"
        assert caught.value.hint == wanted

    @pytest.mark.parametrize("value", ["x" * 9999, [HUGE], Fraction(HUGE), {1: HUGE}, DEEP], ids=kind)
    def test_an_object_that_cannot_be_printed_is_also_a_type_error(self, value: object) -> None:
        with pytest.raises(SubjectIdTypeError) as caught:
            check_id(value)
        assert len(str(caught.value)) < 250


class TestSets:
    @given(st.lists(ids, max_size=30))
    def test_it_has_each_id_once_and_in_order(self, given_: list[int]) -> None:
        assert list(IdSet(given_)) == sorted(set(given_))
        assert len(IdSet(given_)) == len(set(given_))
        assert list(IdSet.from_array(array("q", given_))) == sorted(set(given_))

    @given(sets, ids | st.integers(-5, 2**64))
    def test_membership(self, model: set[int], value: int) -> None:
        assert (value in IdSet(model)) == (value in model)
        assert all(each in IdSet(model) for each in model)

    @pytest.mark.parametrize("value", ["5", None, [5], HUGE, -HUGE], ids=kind)
    def test_other_things_are_not_in_it(self, value: object) -> None:
        assert value not in IdSet([5])

    def test_an_int_of_another_library_is_in_it_as_it_is_in_any_set(self) -> None:
        """`check_id` accepts it as an id. A silent `no` here would be a silent *visible*."""
        assert {5} == {Int64(5)}
        assert Int64(5) in IdSet([5])
        assert Int64(6) not in IdSet([5])

    def test_an_int_of_another_class_is_found_by_its_value(self) -> None:
        class Unlike(int):
            def __eq__(self, other: object) -> bool:
                return False

            __lt__ = __le__ = __eq__
            __hash__ = int.__hash__

        assert Unlike(5) in IdSet([4, 5, 6])
        assert Unlike(7) not in IdSet([4, 5, 6])

    @given(sets, sets)
    def test_its_operators_are_those_of_sets(self, a: set[int], b: set[int]) -> None:
        one, other = IdSet(a), IdSet(b)
        assert one | other == a | b
        assert one & other == a & b
        assert one - other == a - b
        assert one ^ other == a ^ b
        assert one | b == a | other == a | b
        assert isinstance(one | other, IdSet)
        assert (one <= other, one < other, one >= other) == (a <= b, a < b, a >= b)
        assert one.isdisjoint(other) == a.isdisjoint(b)

    @given(sets, sets)
    def test_equal_sets_have_equal_hashes_and_bytes(self, a: set[int], b: set[int]) -> None:
        one, other = IdSet(a), IdSet(b)
        assert (one == other) is (a == b)
        assert (one == b) is (a == b)
        assert (one.tobytes() == other.tobytes()) is (a == b)
        assert hash(one) == hash(frozenset(a)), "it equals a frozenset, so it hashes like one"
        assert one.tobytes() == b"".join(value.to_bytes(8, "little") for value in sorted(a))

    @pytest.mark.parametrize("value", [0, 2**63, HUGE], ids=kind)
    def test_an_id_out_of_range_is_an_error(self, value: int) -> None:
        with pytest.raises(SubjectIdError):
            IdSet([5, value])

    @pytest.mark.parametrize("value", [True, 5.0, "5"])
    def test_anything_but_an_id_is_an_error(self, value: object) -> None:
        with pytest.raises(SubjectIdTypeError):
            IdSet([5, value])  # type: ignore[list-item]

    @pytest.mark.parametrize(
        ("given_", "text"),
        [([], "IdSet([])"), ([3, 1, 2], "IdSet([1, 2, 3])"), (range(1, 6), "IdSet([1, 2, 3, …] of 5)")],
    )
    def test_how_it_prints(self, given_: list[int], text: str) -> None:
        assert repr(IdSet(given_)) == text

    def test_it_can_be_copied_and_pickled(self) -> None:
        found = IdSet([5, MAX_ID])
        for again in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found), copy.copy(found)):  # noqa: S301
            assert again == found
            assert isinstance(again, IdSet)
