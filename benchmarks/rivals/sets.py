"""Hand-written sets: the simplest fast solution."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.rivals.rival import Mask, Rival
from benchmarks.workload import IN_FORCE, PLACES, Columns, Pair


class FrozenSets(Rival):
    """A frozenset of tweets and one of accounts for each country; worldwide ids are in every set."""

    note = "no dates (the sets must be rebuilt when a window opens or ends), no reasons, no unknown locations; it only reads the sets of India, a quarter of all ids"

    def load(self, columns: Columns, directory: Path) -> None:  # noqa: ARG002
        found: dict[str, tuple[list[int], list[int]]] = {place: ([], []) for place in PLACES}
        for on_account, id_, place, window in columns.rows():
            if IN_FORCE[window]:
                found[PLACES[place]][on_account].append(id_)
        world = found.pop("WORLD")
        self.sets = {
            country: (frozenset(tweets + world[0]), frozenset(accounts + world[1]))
            for country, (tweets, accounts) in found.items()
        }
        self.tweets, self.accounts = self.sets["IN"]

    def check(self, tweet: int, account: int) -> bool:
        return tweet in self.tweets or account in self.accounts

    def page(self, pairs: list[Pair]) -> Sequence[int]:
        tweets, accounts = self.tweets, self.accounts
        return [index for index, (tweet, account) in enumerate(pairs) if tweet in tweets or account in accounts]

    def masker(self) -> Mask:
        return self.mask

    def mask(self, tweets: Sequence[int], accounts: Sequence[int]) -> Sequence[int]:
        """Return a flag for each pair of two columns."""
        named_tweets, named = self.tweets, self.accounts
        return [tweet in named_tweets or account in named for tweet, account in zip(tweets, accounts, strict=True)]
