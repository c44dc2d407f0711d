"""Account and tweet ids: the one check that serves every door, and a compact set of them."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from operator import index

from withhold import native
from withhold.errors import Problem, SubjectIdError, SubjectIdTypeError, quoted

#: Ids are 1 … MAX_ID: what a signed 64-bit column holds.
MAX_ID = 2**63 - 1


def check_id(value: object, name: str = "id") -> int:
    """Return `value` as an int, if it is an id (A4). `name` is what the error calls it.

    Integer types of other libraries (numpy's) are read as ints; `bool`, `float` and text are not.

    >>> check_id(1101)
    1101

    Raises `SubjectIdTypeError` (a `TypeError`) or `SubjectIdError` (a `ValueError`).
    """
    if type(value) is not int:
        if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
            raise _not_an_int(value, name)
        try:
            # What `index` returns may be of a class below `int`, with a hash of its own, by which nothing would be found.
            value = int.__index__(index(value))  # type: ignore[arg-type]
        except TypeError:
            raise _not_an_int(value, name) from None
    if 0 < value <= MAX_ID:
        return value
    raise SubjectIdError(
        Problem("id-out-of-range", f"{name} {quoted(value)} is not between 1 and 2**63-1", hint="ids are 63-bit")
    )


def in_json(id_: int | None) -> str | None:
    """Return an id as the text that it is in JSON: JavaScript, and what is written in it, rounds numbers above 2**53."""
    return None if id_ is None else str(id_)


def _not_an_int(value: object, name: str) -> SubjectIdTypeError:
    hint = "convert it with int() where it is read" if isinstance(value, str | bytes) else "ids are ints"
    written = quoted(repr(value) if isinstance(value, str) else value)  # a text in its quotes
    return SubjectIdTypeError(Problem("id-not-an-int", f"{name} {written} is not an int", hint=hint))


class IdSet(AbstractSet[int]):
    """An immutable set of ids in eight bytes each: sorted, and searched by bisection.

    `id in ids` is O(log n); iteration is in ascending order; safe to share between threads.

    >>> ids = IdSet([30, 10, 20, 10])
    >>> list(ids), 20 in ids, len(ids)
    ([10, 20, 30], True, 3)
    """

    __slots__ = ("_ids",)

    def __init__(self, ids: Iterable[int] = ()) -> None:
        """Check and sort `ids`; raises as `check_id` does. O(n log n)."""
        unique = {check_id(value) for value in ids}
        self._ids = array("q", sorted(unique))

    @classmethod
    def from_array(cls, ids: array[int]) -> IdSet:
        """Make a set of an `array('q')` of ids that were checked already, without a Python set between."""
        made = cls.__new__(cls)
        if native.AVAILABLE:
            made._ids = ids[:]
            del made._ids[native.index.sort_ids(made._ids) :]
            return made
        ordered = array("q", sorted(ids))
        # Every id that differs from the one before it: sorted, so duplicates are neighbours.
        made._ids = array("q", (b for a, b in zip([0, *ordered], ordered, strict=False) if a != b))
        return made

    def __contains__(self, value: object) -> bool:
        if type(value) is not int:
            try:
                value = int.__index__(index(value))  # type: ignore[arg-type]
            except TypeError:
                return False
        at = bisect_left(self._ids, value)
        return at < len(self._ids) and self._ids[at] == value

    def __iter__(self) -> Iterator[int]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, IdSet):
            return self._ids == other._ids
        return super().__eq__(other)

    def __hash__(self) -> int:
        return self._hash()

    def __repr__(self) -> str:
        shown = ", ".join(map(str, self._ids[:3])) + (", …" if len(self._ids) > 3 else "")
        return f"IdSet([{shown}])" if len(self._ids) <= 3 else f"IdSet([{shown}] of {len(self._ids)})"

    def tobytes(self) -> bytes:
        """Return the ids in ascending order, eight bytes each, little-endian: what a digest is made over."""
        ids = self._ids
        if sys.byteorder == "big":
            ids = ids[:]
            ids.byteswap()
        return ids.tobytes()


NO_IDS = IdSet()
