"""The rules, the rivals and the questions of one size, for the targets of speed."""

from __future__ import annotations

import random
from array import array
from itertools import compress
from operator import not_
from pathlib import Path

from benchmarks import machine
from benchmarks.questions import Pool, flat, misses
from benchmarks.rivals.sets import FrozenSets
from benchmarks.serving.agreement import WrongAnswerError
from benchmarks.serving.scenarios import pages
from benchmarks.snapshots import FILE
from benchmarks.workload import NOW, VIEWER, Columns, Pair
from withhold import Engine, Snapshot

PAGE = 500
EACH = 5_000


class Loaded:
    """The view, the frozensets and the questions of one size."""

    def __init__(self, directory: Path) -> None:
        columns = Columns.opened(directory)
        self.view = Engine(Snapshot.open(directory / FILE)).view(VIEWER, NOW)
        self.here = FrozenSets()
        self.here.load(columns, directory)
        self.everywhere = all_ids(columns)
        self.on_accounts, self.count = sum(columns.on_accounts), len(columns)
        self.hits = Pool.opened(directory / "questions.hits").pairs[:PAGE]
        self._random = random.Random(6)

    def turns(self, count: int) -> list[list[Pair]]:
        """Return new misses for a warm-up turn and `count` others. Raise `WrongAnswerError` if an answer is wrong."""
        found = pages(misses(self._random, EACH * (count + 1)), EACH)
        for pair in self.hits:
            if not (
                self.view.withholds(*pair)
                and self.here.check(*pair)
                and self.view.check(tweet_id=pair[0], account_id=pair[1]).withheld
            ):
                raise WrongAnswerError(f"{pair} is withheld, and an answer differs")
        for part in found:
            if (
                any(self.view.mask(*flat(part)))
                or len(self.view.filter(part).visible) < EACH
                or self.everywhere.page(part)
            ):
                raise WrongAnswerError("an answer is `withheld` for a pair that no rule names")
        flush_caches()
        return found

    def tables(self) -> tuple[array[int], array[int]]:
        """Return the tables that a floor reads: eight bytes per id, like a plain list of ids.

        A view reads two bytes per id for a miss, so more of them fit into the caches, and it can be faster than this floor.
        """
        # Write to the memory, because all unwritten pages are one shared page of zeros.
        tweets, accounts = (array("Q", b"." * 8 * count) for count in (self.count - self.on_accounts, self.on_accounts))
        return tweets, accounts


def flush_caches() -> None:
    """Read twice the size of the last-level cache, so that the tables are not in the caches when the clock runs."""
    (b"." * max(2 * machine.last_cache(), 2**27)).count(b"x")


def all_ids(columns: Columns) -> FrozenSets:
    """Return two frozensets of all ids of the rules, whatever their places and windows."""
    sets = FrozenSets()
    sets.tweets = frozenset(compress(columns.ids, map(not_, columns.on_accounts)))
    sets.accounts = frozenset(compress(columns.ids, columns.on_accounts))
    return sets
