"""Find the hidden rows of a batch, in C if the compiled snapshot reader is in use, otherwise in Python."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol
from weakref import WeakKeyDictionary

from withhold import native
from withhold.bulk.cells import as_cells
from withhold.bulk.columns import Batch
from withhold.bulk.extras import pa
from withhold.bulk.locations import NOWHERE
from withhold.bulk.timelines import Stretch, Timelines
from withhold.engine import Engine
from withhold.engine.decider import Decider
from withhold.model.ids import MAX_ID
from withhold.model.places import everywhere
from withhold.snapshot import Snapshot


class Found(NamedTuple):
    """The hidden rows of a batch, in order, and the rows with an invalid id."""

    #: As 64-bit integers.
    rows: bytearray
    #: For each hidden row, the number of its timeline and of the stretch in it, as pairs of 32-bit integers.
    stretches: bytearray
    #: As 64-bit integers.
    bad: bytearray


class Kernel(Protocol):
    """Answers batches from one snapshot under one policy. Threads may share it."""

    timelines: Timelines

    def hidden(self, batch: Batch, places: bytearray) -> Found:
        """Return the hidden rows of a batch, whose places are 16-bit integers. O(rows).

        A row is not hidden if it has a null in a required column, only one of the two ids of a source, or the place
        `NOWHERE`.
        """


def kernel_of(engine: Engine) -> Kernel:
    """Return the kernel for the current snapshot of an engine. Calls for the same snapshot share their timelines."""
    decider = engine._decider
    found = _KERNELS.get(decider)
    if found is None:
        snapshot = decider.snapshot
        timelines = Timelines(snapshot, decider.policy)
        made = NativeKernel(snapshot, timelines) if snapshot.is_native else PythonKernel(snapshot, timelines)
        found = _KERNELS.setdefault(decider, made)
    return found


_KERNELS: WeakKeyDictionary[Decider, Kernel] = WeakKeyDictionary()


class NativeKernel:
    """A kernel in C. It holds the GIL only to make timelines and to copy its results."""

    def __init__(self, snapshot: Snapshot, timelines: Timelines) -> None:
        self.timelines = timelines
        self._tables = snapshot.tweets, snapshot.accounts
        self._made: dict[Any, native.bulk.Timeline] = {}
        # Many stretches have the same places.
        self._sets: dict[int, bytes] = {}
        self._width = everywhere().bit_length() + 7 >> 3

    def hidden(self, batch: Batch, places: bytearray) -> Found:
        found = native.bulk.hidden(
            *self._tables,
            self._made,
            self._make,
            as_cells(batch.tweets, 8),
            as_cells(batch.accounts, 8),
            None if batch.sources is None else as_cells(batch.sources[0], 8),
            None if batch.sources is None else as_cells(batch.sources[1], 8),
            places,
            batch.at if isinstance(batch.at, int) else as_cells(batch.at, 8),
            *batch.unit,
        )
        return Found(found.rows, found.stretches, found.bad)

    def _make(self, key: int, of_source: int) -> native.bulk.Timeline:
        number, stretches = self.timelines.make(key, of_source)
        sets = [self._sets.setdefault(hidden, hidden.to_bytes(self._width, "little")) for _, _, hidden in stretches]
        return native.bulk.Timeline(number, [each.start for each in stretches if each.start is not None], sets)


class PythonKernel:
    """A kernel in Python."""

    def __init__(self, snapshot: Snapshot, timelines: Timelines) -> None:
        self.timelines = timelines
        self._tables = snapshot.tweets, snapshot.accounts
        self._made: dict[tuple[int, int], tuple[int, Sequence[int], list[Stretch]]] = {}

    def hidden(self, batch: Batch, places: bytearray) -> Found:
        rows, stretches, bad = array("q"), array("I"), array("q")
        numbers = memoryview(places).cast("H")
        instants = _instants(batch)
        sources = [(None, None)] * len(batch) if batch.sources is None else _pairs(*batch.sources)
        for row, (pair, source) in enumerate(zip(_pairs(batch.tweets, batch.accounts), sources, strict=True)):
            instant = instants if isinstance(instants, int) else instants[row]
            if None in pair or instant is None or (source[0] is None) != (source[1] is None):
                continue
            if not all(each is None or 0 < each <= MAX_ID for each in (*pair, *source)):
                bad.append(row)
                continue
            keys = self._key(*pair), self._key(*source)
            place = numbers[row]
            if keys == (0, 0) or place == NOWHERE:
                continue
            timeline = self._made.get(keys)
            if timeline is None:
                timeline = self._made.setdefault(keys, self._make(*keys))
            number, starts, each = timeline
            stretch = bisect_right(starts, instant)
            if each[stretch].hidden >> place & 1:
                rows.append(row)
                stretches.extend((number, stretch))
        return Found(*(bytearray(column.tobytes()) for column in (rows, stretches, bad)))

    def _key(self, tweet: int | None, account: int | None) -> int:
        """Return the postings of a tweet and its author in one number, which is 0 if no rule names either."""
        tweets, accounts = self._tables
        of_tweet = None if tweet is None else tweets.find(tweet)
        of_account = None if account is None else accounts.find(account)
        return (0 if of_tweet is None else of_tweet + 1) << 32 | (0 if of_account is None else of_account + 1)

    def _make(self, key: int, of_source: int) -> tuple[int, Sequence[int], list[Stretch]]:
        number, stretches = self.timelines.make(key, of_source)
        return number, [each.start for each in stretches if each.start is not None], stretches


def _pairs(tweets: Any, accounts: Any) -> list[tuple[int | None, int | None]]:
    return list(zip(tweets.to_pylist(), accounts.to_pylist(), strict=True))


def _instants(batch: Batch) -> int | list[int | None]:
    """Return the microseconds since 1970 of all rows, or of each. They are rounded down."""
    if isinstance(batch.at, int):
        return batch.at
    times, by = batch.unit
    # Do not use datetimes, which have no nanoseconds and end in the year 9999.
    return [None if value is None else value * times // by for value in batch.at.view(pa.int64()).to_pylist()]
