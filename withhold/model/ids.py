"""Account and tweet ids: the check that every entry point uses, and a compact set of ids."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from operator import index

from withhold import native
from withhold.errors import Problem, SubjectIdError, SubjectIdTypeError, quoted

#: Ids are from 1 to MAX_ID, so that a signed 64-bit column can hold them.
MAX_ID = 2**63 - 1


def check_id(value: object, name: str = "id") -> int:
    """Return `value` as an int if it is an id (A4). Error messages call it `name`.

    Integer types of other libraries, such as numpy, are accepted; `bool`, `float` and `str` are not.

    >>> check_id(1101)
    1101

    Raises `SubjectIdTypeError` (a `TypeError`) or `SubjectIdError` (a `ValueError`).
    """
    if type(value) is not int:
        if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
            raise _not_an_int(value, name)
        try:
            # `index` may return an instance of a subclass of `int` with its own hash, which no look-up would find.
            value = int.__index__(index(value))  # type: ignore[arg-type]
        except TypeError:
            raise _not_an_int(value, name) from None
    if 0 < value <= MAX_ID:
        return value
    raise SubjectIdError(
        Problem("id-out-of-range", f"{name} {quoted(value)} is not between 1 and 2**63-1", hint="ids are 63-bit")
    )


def in_json(id_: int | None) -> str | None:
    """Return an id as the text for JSON output: JavaScript rounds numbers above 2**53."""
    return None if id_ is None else str(id_)


def _not_an_int(value: object, name: str) -> SubjectIdTypeError:
    hint = "convert it with int() when you read it" if isinstance(value, str | bytes) else "ids are ints"
    written = quoted(repr(value) if isinstance(value, str) else value)  # text keeps its quotation marks
    return SubjectIdTypeError(Problem("id-not-an-int", f"{name} {written} is not an int", hint=hint))


class IdSet(AbstractSet[int]):
    """An immutable set of ids, stored as a sorted array of eight bytes each and searched by bisection.

    `id in ids` is O(log n). Iteration is in ascending order. Threads may share it.

    >>> ids = IdSet([30, 10, 20, 10])
    >>> list(ids), 20 in ids, len(ids)
    ([10, 20, 30], True, 3)
    """

    __slots__ = ("_ids",)

    def __init__(self, ids: Iterable[int] = ()) -> None:
        """Check and sort `ids`. O(n log n). Raises the errors of `check_id`."""
        unique = {check_id(value) for value in ids}
        self._ids = array("q", sorted(unique))

    @classmethod
    def from_array(cls, ids: array[int]) -> IdSet:
        """Return a set of ids from an `array('q')`.

        The ids must be valid, because they are not checked. No Python set is needed, which saves memory.
        """
        made = cls.__new__(cls)
        if native.AVAILABLE:
            made._ids = ids[:]
            del made._ids[native.index.sort_ids(made._ids) :]
            return made
        ordered = array("q", sorted(ids))
        # The ids are sorted, so duplicates are neighbours: keep each id that differs from the one before it.
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
        """Return the ids in ascending order, eight bytes each, little-endian. A digest is computed from this."""
        ids = self._ids
        if sys.byteorder == "big":
            ids = ids[:]
            ids.byteswap()
        return ids.tobytes()


NO_IDS = IdSet()
