"""The two kinds of views: in Python, and in C if `withhold.native` is available. They give the same answers."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime
from typing import Any, cast

from withhold import native
from withhold.engine.decider import Decider
from withhold.engine.view import View
from withhold.errors import WithholdError
from withhold.model.decision import Decision
from withhold.model.freshness import Freshness
from withhold.model.tweet import Tweet, links_of
from withhold.model.viewer import Viewer
from withhold.snapshot.table import PythonTable

#: The number of tweets in a tweet up to which they are looked up before it is decided.
_INSIDE = 16


def open_view(decider: Decider, viewer: Viewer, at: datetime) -> View:
    """Return a view of the kind that fits the tables of the snapshot."""
    if decider.answers is None:
        return PythonView(decider, viewer, at)
    own = viewer.account_id if decider.policy.author_sees_own else None
    return NativeView(decider, viewer, at, viewer.location_key, own, Tweet)


class PythonView(View):
    """A view in Python. It looks ids up in sets first."""

    __slots__ = ("_accounts", "_decider", "_tweets", "at", "viewer")

    def __init__(self, decider: Decider, viewer: Viewer, at: datetime) -> None:
        self._decider = decider
        self._accounts: Container[int] = cast(PythonTable, decider.snapshot.accounts).named
        self._tweets: Container[int] = cast(PythonTable, decider.snapshot.tweets).named
        self.viewer = viewer
        self.at = at

    def withholds(self, tweet_id: int, account_id: int) -> bool:
        # The `|` of two numbers is negative or too large if one of them is. Only exact ints are looked up here: a
        # subclass of `int` may have its own hash and its own `|`. 0 is always in `named`, so the check below reports
        # it, as it reports ids out of range.
        if (
            type(tweet_id) is int is type(account_id)
            and 0 <= tweet_id | account_id <= 0x7FFF_FFFF_FFFF_FFFF
            and tweet_id not in self._tweets
            and account_id not in self._accounts
        ):
            return False
        return not self._decide_pair(tweet_id, account_id).visible

    def _named(self, subjects: list[Any]) -> tuple[list[tuple[int, Decision]], list[Freshness], list[int]]:
        return [], [], self._hits(subjects)

    def _hits(self, subjects: Sequence[Any]) -> list[int]:
        tweets, accounts = self._tweets, self._accounts
        if not {*map(type, subjects)} <= {tuple}:
            # Some are tweets or invalid subjects: test each one.
            return [index for index, subject in enumerate(subjects) if self._may_concern(subject)]
        try:
            # The test that `withholds` makes for one pair, for all pairs in one loop.
            return [
                index
                for index, (tweet_id, account_id) in enumerate(subjects)
                if not (
                    type(tweet_id) is int is type(account_id) and 0 <= tweet_id | account_id <= 0x7FFF_FFFF_FFFF_FFFF
                )
                or tweet_id in tweets
                or account_id in accounts
            ]
        except ValueError:  # a tuple that is not a pair
            return [index for index, subject in enumerate(subjects) if self._may_concern(subject)]

    def _may_concern(self, subject: Any) -> bool:
        """Return whether a rule may concern a tweet or a pair.

        True for invalid ids, which are then reported with the hits.
        """
        if not isinstance(subject, Tweet):
            try:
                tweet_id, account_id = links_of(subject)[0]
            except WithholdError:
                return True
            return tweet_id is None or account_id is None or tweet_id in self._tweets or account_id in self._accounts
        inside = [subject]
        for tweet in inside:
            # A subclass may have other links. If there are many tweets, one may occur again and again.
            if type(tweet) is not Tweet or len(inside) > _INSIDE:
                return True
            if tweet.id in self._tweets or tweet.account_id in self._accounts:
                return True
            inside += [inner for inner in (tweet.retweet_of, tweet.quoted) if inner is not None]
        return False

    def _mark(self, tweet_ids: Sequence[int], account_ids: Sequence[int], marks: bytearray) -> None:
        for index in self._hits(list(zip(_as_list(tweet_ids), _as_list(account_ids), strict=True))):
            marks[index] = 1


def _as_list(ids: Sequence[int]) -> Sequence[int]:
    return ids.tolist() if isinstance(ids, memoryview) else ids


if native.AVAILABLE:

    class NativeView(native.view.FastView, View):
        """A view in C."""

        __slots__ = ()
