"""Sorted columns and bisection with numpy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rivals.rival import Mask, Rival
from benchmarks.workload import HERE, IN_FORCE, Columns, Pair

#: Arrays of numpy, which need not be installed when types are checked.
Ids = Any


class Numpy(Rival):
    """Two sorted columns for the viewer's country; a page takes two searches and two comparisons."""

    note = "no dates, no reasons, no unknown locations; built for one country; a page is first converted to an array"
    package = "numpy"
    bytes_per_id = 60

    def load(self, columns: Columns, directory: Path) -> None:  # noqa: ARG002
        ids = np.frombuffer(columns.ids, np.int64)
        on_accounts = np.frombuffer(columns.on_accounts, np.bool_)
        here = np.isin(np.frombuffer(columns.places, np.uint8), sorted(HERE))
        here &= np.array(IN_FORCE)[np.frombuffer(columns.windows, np.uint8)]
        self.tweets = _column(ids[here & ~on_accounts])
        self.accounts = _column(ids[here & on_accounts])

    def check(self, tweet: int, account: int) -> bool:
        tweets, accounts = self.tweets, self.accounts
        return bool(tweets[tweets.searchsorted(tweet)] == tweet or accounts[accounts.searchsorted(account)] == account)

    def page(self, pairs: list[Pair]) -> Sequence[int]:
        both = np.array(pairs, np.int64)
        found: list[int] = self._named(both[:, 0], both[:, 1]).nonzero()[0].tolist()
        return found

    def masker(self) -> Mask:
        return self.mask

    def mask(self, tweets: Sequence[int], accounts: Sequence[int]) -> Sequence[int]:
        """Return a flag for each pair of two buffers."""
        found: Sequence[int] = self._named(np.asarray(tweets), np.asarray(accounts))
        return found

    def _named(self, tweets: Ids, accounts: Ids) -> Any:
        found = self.tweets[self.tweets.searchsorted(tweets)] == tweets
        return found | (self.accounts[self.accounts.searchsorted(accounts)] == accounts)


def _column(ids: Ids) -> Ids:
    """Return sorted ids, followed by a number that is greater than every id, so that every search has a result."""
    return np.sort(np.append(ids, np.iinfo(np.int64).max))
