"""The common solution: a dict from ids to rules, without and with a cache in front of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cachetools import TTLCache, cached

from benchmarks.rivals.rival import Check, Rival
from benchmarks.workload import HERE, NOW_SECONDS, SECONDS, Columns, Pair


class Dict(Rival):
    """A dict for tweets and one for accounts; each hit is checked for its dates."""

    note = "checks dates; one rule for each id; no reasons; no unknown locations"

    def load(self, columns: Columns, directory: Path) -> None:  # noqa: ARG002
        self.tweets: dict[int, tuple[int, int, int]] = {}
        self.accounts: dict[int, tuple[int, int, int]] = {}
        for on_account, id_, place, window in columns.rows():
            (self.accounts if on_account else self.tweets)[id_] = (place, *SECONDS[window])

    def check(self, tweet: int, account: int) -> bool:
        found = self.tweets.get(tweet)
        if found is not None and found[0] in HERE and found[1] <= NOW_SECONDS < found[2]:
            return True
        found = self.accounts.get(account)
        return found is not None and found[0] in HERE and found[1] <= NOW_SECONDS < found[2]

    def page(self, pairs: list[Pair]) -> Sequence[int]:
        tweets, accounts, check = self.tweets, self.accounts, self.check
        return [
            index
            for index, (tweet, account) in enumerate(pairs)
            if (tweet in tweets or account in accounts) and check(tweet, account)
        ]


class Cached(Dict):
    """Like `Dict`, with a bounded TTL cache in front of the check."""

    note = "a cachetools.TTLCache of 100,000 answers for 60 s in front of `dict`; pages use it for every item"
    package = "cachetools"
    bytes_per_id = 500

    def load(self, columns: Columns, directory: Path) -> None:
        super().load(columns, directory)
        self.answers: TTLCache[tuple[int, int], bool] = TTLCache(100_000, 60)
        self.kept: Check = cached(self.answers, key=_pair)(super().check)

    def checker(self) -> Check:
        return self.kept

    def page(self, pairs: list[Pair]) -> Sequence[int]:
        kept = self.kept
        return [index for index, (tweet, account) in enumerate(pairs) if kept(tweet, account)]

    def forget(self) -> None:
        self.answers.clear()


def _pair(tweet: int, account: int) -> tuple[int, int]:
    """Return a key that is cheaper than that of cachetools."""
    return tweet, account
