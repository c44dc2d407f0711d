"""Compressed bitmaps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyroaring

from benchmarks.rivals.rival import Rival
from benchmarks.rivals.sets import FrozenSets
from benchmarks.workload import PLACES, Columns, Pair


class Roaring(Rival):
    """The same sets as `FrozenSets`, as 64-bit roaring bitmaps."""

    note = "no dates, no reasons, no unknown locations; random ids do not compress"
    package = "pyroaring"
    bytes_per_id = 300

    def load(self, columns: Columns, directory: Path) -> None:
        sets = FrozenSets()
        sets.load(columns, directory)
        self.maps = {country: tuple(map(pyroaring.BitMap64, sets.sets.pop(country))) for country in PLACES[:-1]}
        self.tweets, self.accounts = self.maps["IN"]

    def check(self, tweet: int, account: int) -> bool:
        return tweet in self.tweets or account in self.accounts

    def page(self, pairs: list[Pair]) -> Sequence[int]:
        tweets, accounts = self.tweets, self.accounts
        return [index for index, (tweet, account) in enumerate(pairs) if tweet in tweets or account in accounts]
