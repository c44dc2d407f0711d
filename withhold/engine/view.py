"""The hot object: one snapshot, one viewer, one instant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar, overload

from withhold.engine.decider import Decider
from withhold.errors import Problem, SubjectIdError, SubjectIdTypeError, SubjectTypeError, shown
from withhold.model.decision import Decision
from withhold.model.ids import check_id
from withhold.model.tweet import Tweet, link, links_of
from withhold.model.viewer import Viewer

_Item = TypeVar("_Item")
_Pair = tuple[int, int]
_Known = TypeVar("_Known", bound=_Pair | Tweet)


class TweetDecisions(NamedTuple):
    """The decision on a tweet, and the one on what it quotes (None if it quotes nothing): see R8."""

    outer: Decision
    quoted: Decision | None


class Page(NamedTuple, Generic[_Item]):
    """A page after filtering.

    `visible`: the items to show, in order. `withheld`: (index, decision) of the others. `tombstones`: (index,
    decision) of items to show whose quoted tweet is not. An index counts in what was given, not in `visible`.
    """

    visible: list[_Item]
    withheld: list[tuple[int, Decision]]
    tombstones: list[tuple[int, Decision]]


class View:
    """What one viewer sees at one instant, for the length of one request.

    Pinned to a snapshot: `Engine.activate` does not change it, so a page is never answered from two
    revisions (A3). Make a new one for each request. Threads may share it.

    >>> from withhold import Engine, Rule, RuleSet, Viewer
    >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
    >>> view = engine.view(Viewer(country="IN"))
    >>> view.withholds(20, 17), view.check(account_id=17).rule_id
    (True, 'in-1')
    """

    __slots__ = ("_accounts", "_decider", "_tweets", "at", "viewer")

    def __init__(self, decider: Decider, viewer: Viewer, at: datetime) -> None:
        self._decider = decider
        self._accounts = decider.snapshot.accounts.named
        self._tweets = decider.snapshot.tweets.named
        self.viewer = viewer
        self.at = at

    def withholds(self, tweet_id: int, account_id: int) -> bool:
        """Tell whether a tweet is not visible: the cheapest question. O(1), and builds nothing on a miss.

        Raises `SubjectIdTypeError` or `SubjectIdError` for anything but ids (A4).
        """
        try:
            # The sign and the size of both ids show in their `|`; and only of ints is the answer True itself, so that
            # nothing else is looked up, by whatever hash it has. So a miss costs this and two look-ups. 0 and
            # `bool` are always named, and meet their check below with what is out of range.
            if (
                (0 <= tweet_id | account_id <= 0x7FFF_FFFF_FFFF_FFFF) is True
                and tweet_id not in self._tweets
                and account_id not in self._accounts
            ):
                return False
        except (TypeError, ValueError, OverflowError):
            pass  # told below
        return not self._decide_pair(tweet_id, account_id).visible

    def check(self, tweet_id: int | None = None, account_id: int | None = None) -> Decision:
        """Decide on a tweet, an account, or a tweet together with its author. Either may be left out, not both.

        Raises `SubjectIdTypeError` or `SubjectIdError` for anything but ids. O(1), and a few rules' work the
        first time.
        """
        return self._decider.decide((link(tweet_id, account_id),), self.viewer, self.at)

    def check_tweet(self, tweet: Tweet) -> TweetDecisions:
        """Decide on a tweet with what it retweets, and separately on what it quotes (R8)."""
        if not isinstance(tweet, Tweet):
            raise SubjectTypeError(Problem("not-a-tweet", f"{shown(tweet)} is not a tweet", hint="use `Tweet`"))
        quoted = tweet.shown_quote()
        return TweetDecisions(
            self._decider.decide(tweet.links(), self.viewer, self.at),
            None if quoted is None else self._decider.decide(quoted.links(), self.viewer, self.at),
        )

    @overload
    def filter(self, items: Iterable[_Known]) -> Page[_Known]: ...
    @overload
    def filter(self, items: Iterable[_Item], key: Callable[[_Item], _Pair | Tweet]) -> Page[_Item]: ...
    def filter(self, items: Iterable[_Item], key: Callable[[_Item], _Pair | Tweet] | None = None) -> Page[_Item]:
        """Split a page into what this viewer may see and what not. O(items), with objects for the hits alone.

        `items` are (tweet_id, account_id) pairs, `Tweet`s, or anything of which `key` returns one of these.
        Raises `SubjectIdTypeError` or `SubjectIdError`, and then nothing of the page is answered.

        >>> from withhold import Engine, Rule, RuleSet, Viewer
        >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
        >>> page = engine.view(Viewer(country="IN")).filter([(20, 17), (21, 18)])
        >>> page.visible, [(index, decision.rule_id) for index, decision in page.withheld]
        ([(21, 18)], [(0, 'in-1')])
        """
        page = list(items)
        subjects: Sequence[Any] = page if key is None else [key(item) for item in page]
        withheld: list[tuple[int, Decision]] = []
        tombstones: list[tuple[int, Decision]] = []
        for index in self._hits(subjects):
            subject = subjects[index]
            if isinstance(subject, Tweet):
                outer, quoted = self.check_tweet(subject)
            else:
                outer, quoted = self._decide_pair(*links_of(subject)[0]), None
            if not outer.visible:
                withheld.append((index, outer))
            elif quoted is not None and not quoted.visible:
                tombstones.append((index, quoted))
        visible, start = [], 0
        for index, _ in withheld:
            visible += page[start:index]
            start = index + 1
        return Page(visible + page[start:] if withheld else page, withheld, tombstones)

    def mask(self, tweet_ids: Iterable[int], account_ids: Iterable[int]) -> bytearray:
        """Return a byte for each tweet, 1 if it is not visible. O(ids).

        Takes sequences of ints and one-dimensional buffers of them (`array`, numpy), of equal length; raises
        `SubjectIdTypeError` or `SubjectIdError`.

        >>> from withhold import Engine, Rule, RuleSet, Viewer
        >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
        >>> list(engine.view(Viewer(country="IN")).mask([20, 21], [17, 18]))
        [1, 0]
        """
        tweets, accounts = _ints(tweet_ids, "tweet_ids"), _ints(account_ids, "account_ids")
        if len(tweets) != len(accounts):
            message = f"{len(tweets)} tweet ids stand beside {len(accounts)} account ids"
            raise SubjectIdError(Problem("uneven-ids", message))
        mask = bytearray(len(tweets))
        for index in self._hits(list(zip(tweets, accounts, strict=True))):
            mask[index] = not self._decide_pair(tweets[index], accounts[index]).visible
        return mask

    def _decide_pair(self, tweet_id: int | None, account_id: int | None) -> Decision:
        pair = (check_id(tweet_id, "tweet_id"), check_id(account_id, "account_id"))
        return self._decider.decide((pair,), self.viewer, self.at)

    def _hits(self, subjects: Iterable[Any]) -> list[int]:
        """Return the indices of the subjects that a rule may concern; the others are ids that no rule names."""
        tweets, accounts = self._tweets, self._accounts
        try:
            # What `withholds` asks of one pair, for all of them in one loop.
            return [
                index
                for index, (tweet_id, account_id) in enumerate(subjects)
                if (0 <= tweet_id | account_id <= 0x7FFF_FFFF_FFFF_FFFF) is not True
                or tweet_id in tweets
                or account_id in accounts
            ]
        except (TypeError, ValueError, OverflowError):
            # Tweets, or what is no pair of ids at all: one by one.
            return [index for index, subject in enumerate(subjects) if self._may_concern(subject)]

    def _may_concern(self, subject: Any) -> bool:
        if isinstance(subject, Tweet):
            return (
                subject.id in self._tweets
                or subject.account_id in self._accounts
                or (subject.retweet_of is not None and self._may_concern(subject.retweet_of))
                or (subject.quoted is not None and self._may_concern(subject.quoted))
            )
        tweet_id, account_id = links_of(subject)[0]
        return check_id(tweet_id, "tweet_id") in self._tweets or check_id(account_id, "account_id") in self._accounts


def _ints(ids: Iterable[int], name: str) -> Sequence[int]:
    if isinstance(ids, list | tuple):
        return ids
    if isinstance(ids, AbstractSet | Mapping):
        raise SubjectIdTypeError(Problem("id-not-an-int", f"{name} have no order", hint="ids are a row of integers"))
    try:
        buffer = memoryview(ids)  # type: ignore[arg-type]
    except TypeError:
        return list(ids)
    if buffer.ndim != 1 or buffer.format not in tuple("bBhHiIlLqQnN"):
        message = f"{name} is a buffer of `{buffer.format}` in {buffer.ndim} dimensions"
        raise SubjectIdTypeError(Problem("id-not-an-int", message, hint="ids are a row of integers"))
    return buffer.tolist()
