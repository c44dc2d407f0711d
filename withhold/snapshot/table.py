"""Tables that map an id to its posting: a dict, or the sections of a file."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container
from typing import Protocol

from withhold.errors import Problem, SnapshotError
from withhold.snapshot.buckets import bucket_of, mask_of, mixed


class Table(Protocol):
    """An index, as the engine uses it. It must be safe to share between threads.

    A posting is a number that denotes the rules that name an id. Ids that the same rules name have the same posting.
    """

    def find(self, id_: int, /) -> int | None:
        """Return the posting of an id, or None if no rule names it. O(1)."""

    def __len__(self) -> int:
        """Return the number of ids that rules name."""


class PythonTable(Table, Protocol):
    """An index, as a view in Python uses it."""

    @property
    def named(self) -> Container[int]:
        """The ids that rules name, and 0. Most ids are not among them and need no look-up.

        INVARIANT (unchecked ids): it always contains 0. The serving calls answer "visible" for ids outside it, and
        check the ids in it, so they report 0 as invalid.
        """


class DictTable:
    """A table in memory without `withhold.native`. Takes about 110 bytes for each id.

    `named` is a set of its ids, which answers "no" in half the time of a dict.
    """

    __slots__ = ("find", "named", "postings")

    def __init__(self, postings: dict[int, int]) -> None:
        self.postings = postings
        self.named = frozenset(postings) | {0}
        # The method of the dict itself, which saves a Python call.
        self.find = postings.get

    def __len__(self) -> int:
        return len(self.postings)


class MappedTable:
    """A table in the sections of a file, read without `withhold.native`. A look-up takes a few microseconds.

    Processes share the memory of the file, whereas each would need a dict of its own.
    """

    __slots__ = ("_buckets", "_ids", "_postings", "_starts", "_words")

    def __init__(self, words: memoryview, starts: memoryview, ids: memoryview, postings: memoryview) -> None:
        self._words, self._starts, self._ids, self._postings = words, starts, ids, postings
        self._buckets = len(words)

    def find(self, id_: int, /) -> int | None:
        bits = mixed(id_)
        bucket = bucket_of(bits, self._buckets)
        mask = mask_of(bits)
        if self._words[bucket] & mask != mask:
            return None
        start, end = self._starts[bucket], self._starts[bucket + 1]
        if not start <= end <= len(self._ids):
            hint = 'open it with `verify="full"`'
            raise SnapshotError(
                Problem("damaged-snapshot", "a bucket of the table points outside the table", hint=hint)
            )
        at = bisect_left(self._ids, id_, start, end)
        return self._postings[at] if at < end and self._ids[at] == id_ else None

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def named(self) -> Container[int]:
        return self

    def __contains__(self, id_: object) -> bool:
        return id_ == 0 or (isinstance(id_, int) and self.find(id_) is not None)
