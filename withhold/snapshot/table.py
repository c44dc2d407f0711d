"""From an id to its posting: a dict, or the sections of a file as they are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container
from typing import Protocol

from withhold.errors import Problem, SnapshotError
from withhold.snapshot.buckets import bucket_of, mask_of, mixed


class Table(Protocol):
    """All that the engine asks of an index. Must be safe to share between threads.

    A posting is a number that stands for the rules which name an id: all ids that the same rules name have the same.
    """

    def find(self, id_: int, /) -> int | None:
        """Return the posting of an id, or None if no rule names it. O(1)."""

    def __len__(self) -> int:
        """Return how many ids rules name."""


class PythonTable(Table, Protocol):
    """What a view in Python asks besides."""

    @property
    def named(self) -> Container[int]:
        """The ids that rules name, and 0 besides: a first question that most ids end.

        INVARIANT (unchecked ids): 0 is always named, so that the serving calls, which let what is not named pass, stop at
        it, and check.
        """


class DictTable:
    """A table in memory, where there is no `withhold.native`; about 110 bytes an id.

    `named` are its ids as a set, in front of it: a set answers "no" in half the time of a dict.
    """

    __slots__ = ("find", "named", "postings")

    def __init__(self, postings: dict[int, int]) -> None:
        self.postings = postings
        self.named = frozenset(postings) | {0}
        # The dict's own method, without a Python frame around it.
        self.find = postings.get

    def __len__(self) -> int:
        return len(self.postings)


class MappedTable:
    """The sections of a file, read where they are, without `withhold.native`; some microseconds a look-up.

    Reading is what many processes share; a dict would be each one's own.
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
            raise SnapshotError(
                Problem(
                    "damaged-snapshot", "a bucket of the table lies outside of it", hint='open it with `verify="full"`'
                )
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
