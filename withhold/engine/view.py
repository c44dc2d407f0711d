"""The object that serves requests: one snapshot, one viewer, one instant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, NoReturn, SupportsIndex, TypeVar, overload

from withhold.engine.columns import id_column
from withhold.engine.decider import Decider
from withhold.errors import Problem, SubjectIdError, SubjectTypeError, not_picklable, quoted
from withhold.model.decision import Decision
from withhold.model.ids import check_id
from withhold.model.nested import Nested
from withhold.model.tweet import Tweet, link, links_of
from withhold.model.viewer import Viewer

_Item = TypeVar("_Item")
_Pair = tuple[int, int]
_Known = TypeVar("_Known", bound=_Pair | Tweet)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TweetDecisions(Nested):
    """The decision on a tweet, and the decisions on every tweet that is quoted in it (R8).

    `decision` includes the tweets that it retweets. `quotes` has the decisions on each quote that a page shows in the
    tweet: its own quote, then that of the tweet it retweets. Like a decision, this has no truth value: `if
    view.check_tweet(tweet):` raises a `TypeError`.
    """

    decision: Decision
    quotes: tuple[TweetDecisions, ...] = ()

    @property
    def quoted(self) -> TweetDecisions | None:
        """The first of `quotes`, or None if the tweet quotes nothing."""
        return self.quotes[0] if self.quotes else None

    def hidden_quote(self) -> Decision | None:
        """Return the decision on the outermost hidden quote, for which the page shows a tombstone, or None."""
        level = self.quotes
        while level:
            for found in level:
                if not found.decision.visible:
                    return found.decision
            level = tuple(inner for found in level for inner in found.quotes)
        return None

    def __bool__(self) -> bool:
        raise TypeError("decisions on a tweet are neither true nor false [decision-truth]; use .decision.visible")


class Page(NamedTuple, Generic[_Item]):
    """A page after filtering.

    `visible` has the items to show, in order. `withheld` has (index, decision) for each other item. `tombstones` has
    (index, decision on the outermost hidden quote) for each visible item with a hidden quote at any depth. Indices
    refer to the items that were passed in, not to `visible`.
    """

    visible: list[_Item]
    withheld: list[tuple[int, Decision]]
    tombstones: list[tuple[int, Decision]]


class View:
    """One viewer at one instant, for the duration of one request.

    A view belongs to one snapshot, and `Engine.activate` does not change it. So a page is never answered from two
    revisions (A3). Make a new view for each request. Threads may share it.

    >>> from withhold import Engine, Rule, RuleSet, Viewer
    >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
    >>> view = engine.view(Viewer(country="IN"))
    >>> view.withholds(20, 17), view.check(account_id=17).rule_id
    (True, 'in-1')
    """

    __slots__ = ()

    viewer: Viewer
    at: datetime
    _decider: Decider

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Raise a `TypeError`: a view belongs to its engine."""
        raise not_picklable("a view", "send its `viewer` and `at`, and make a view from an `Engine` there")

    def withholds(self, tweet_id: int, account_id: int) -> bool:
        """Return whether a tweet is hidden: withheld or suspended. This is the fastest call.

        O(1), and creates no object for ids that no rule names.

        Raises `SubjectIdTypeError` or `SubjectIdError` for anything but ids (A4).
        """
        raise NotImplementedError

    def check(self, *, tweet_id: int | None = None, account_id: int | None = None) -> Decision:
        """Decide on a tweet, an account, or a tweet together with its author. One of the ids may be left out.

        O(1); the first question about an id also evaluates the rules that name it. Raises `SubjectIdTypeError` or
        `SubjectIdError` for anything but ids, and `SubjectIdError` if both are left out.
        """
        return self._check(tweet_id, account_id)

    def check_tweet(self, tweet: Tweet) -> TweetDecisions:
        """Decide on a tweet, and separately on each tweet that is quoted in it at any depth (R8).

        The decision on a tweet includes the tweets that it retweets. O(tweets). Raises `SubjectTypeError` for anything but a `Tweet`.

        >>> from withhold import Engine, Rule, RuleSet, Tweet
        >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
        >>> inner = Tweet(id=21, account_id=5, quoted=Tweet(id=20, account_id=17))
        >>> found = engine.view(Viewer(country="IN")).check_tweet(Tweet(id=22, account_id=6, quoted=inner))
        >>> found.decision.visible, found.quoted.decision.visible, found.quoted.quoted.decision.visible
        (True, True, False)
        """
        if not isinstance(tweet, Tweet):
            raise SubjectTypeError(Problem("not-a-tweet", f"{quoted(tweet)} is not a tweet", hint="use `Tweet`"))
        # A loop, because quotes may be nested deeper than Python's recursion limit.
        tweets = [(tweet, tweet.quotes())]
        for _, quotes in tweets:
            tweets += [(quoted, quoted.quotes()) for quoted in quotes]
        found: dict[int, TweetDecisions] = {}
        for inner, quotes in reversed(tweets):
            decision = self._decider.decide(inner.links(), self.viewer, self.at)
            found[id(inner)] = TweetDecisions(decision, tuple(found[id(quoted)] for quoted in quotes))
        return found[id(tweet)]

    @overload
    def filter(self, items: Iterable[_Known]) -> Page[_Known]: ...
    @overload
    def filter(self, items: Iterable[_Item], key: Callable[[_Item], _Pair | Tweet]) -> Page[_Item]: ...
    def filter(self, items: Iterable[_Item], key: Callable[[_Item], _Pair | Tweet] | None = None) -> Page[_Item]:
        """Split a page into visible and hidden items. O(items); creates objects only for items that rules name.

        Items are (tweet_id, account_id) pairs, `Tweet`s, or any objects for which `key` returns one of these.
        Raises `SubjectIdTypeError` or `SubjectIdError` if any item is invalid.

        >>> from withhold import Engine, Rule, RuleSet, Viewer
        >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
        >>> page = engine.view(Viewer(country="IN")).filter([(20, 17), (21, 18)])
        >>> page.visible, [(index, decision.rule_id) for index, decision in page.withheld]
        ([(21, 18)], [(0, 'in-1')])
        """
        page = list(items)
        subjects: list[Any] = page if key is None else [key(item) for item in page]
        withheld: list[tuple[int, Decision]] = []
        tombstones: list[tuple[int, Decision]] = []
        for index in self._hits(subjects):
            subject = subjects[index]
            if isinstance(subject, Tweet):
                found = self.check_tweet(subject)
                decision, quoted = found.decision, found.hidden_quote()
            else:
                decision, quoted = self._decide_pair(*links_of(subject)[0]), None
            if not decision.visible:
                withheld.append((index, decision))
            elif quoted is not None:
                tombstones.append((index, quoted))
        visible, start = [], 0
        for index, _ in withheld:
            visible += page[start:index]
            start = index + 1
        return Page(visible + page[start:] if withheld else page, withheld, tombstones)

    def mask(self, tweet_ids: Iterable[int], account_ids: Iterable[int]) -> bytearray:
        """Return a byte for each tweet: 1 if the tweet is hidden, else 0. O(ids).

        The columns are sequences of ints, one-dimensional buffers of them (`array`, numpy) or Arrow arrays, of equal
        length. Buffers of 64-bit integers are not copied. If `withhold.native` is in use and the columns are such
        buffers with 65,536 ids or more, the GIL is released meanwhile. Raises `SubjectIdTypeError` or `SubjectIdError`.

        >>> from withhold import Engine, Rule, RuleSet, Viewer
        >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
        >>> list(engine.view(Viewer(country="IN")).mask([20, 21], [17, 18]))
        [1, 0]
        """
        tweets, accounts = id_column(tweet_ids, "tweet_ids"), id_column(account_ids, "account_ids")
        if len(tweets) != len(accounts):
            message = f"there are {len(tweets)} tweet ids, but {len(accounts)} account ids"
            raise SubjectIdError(Problem("uneven-ids", message, hint="pass columns of equal length"))
        mask = bytearray(len(tweets))
        self._mark(tweets, accounts, mask)
        at = mask.find(1)
        while at >= 0:
            mask[at] = not self._decide_pair(tweets[at], accounts[at]).visible
            at = mask.find(1, at + 1)
        return mask

    def _hits(self, subjects: list[Any]) -> list[int]:
        """Return the indices of the subjects that a rule may concern. No rule names an id of the others."""
        raise NotImplementedError

    def _mark(self, tweet_ids: Sequence[int], account_ids: Sequence[int], marks: bytearray) -> None:
        """Set the byte in `marks` to 1 for each row of the two columns that a rule may concern.

        All bytes must be 0 at first.
        """
        raise NotImplementedError

    def _check(self, tweet_id: int | None, account_id: int | None) -> Decision:
        return self._decider.decide((link(tweet_id, account_id),), self.viewer, self.at)

    def _decide_pair(self, tweet_id: int | None, account_id: int | None) -> Decision:
        return self.check(tweet_id=check_id(tweet_id, "tweet_id"), account_id=check_id(account_id, "account_id"))
