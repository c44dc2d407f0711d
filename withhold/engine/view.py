"""The hot object: one snapshot, one viewer, one instant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar, overload

from withhold.engine.columns import ids_in_a_row
from withhold.engine.decider import Decider
from withhold.errors import Problem, SubjectIdError, SubjectTypeError, shown
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

    __slots__ = ()

    viewer: Viewer
    at: datetime
    _decider: Decider

    def withholds(self, tweet_id: int, account_id: int) -> bool:
        """Tell whether a tweet is not visible: the cheapest question. O(1), and builds nothing on a miss.

        Raises `SubjectIdTypeError` or `SubjectIdError` for anything but ids (A4).
        """
        raise NotImplementedError

    def check(self, tweet_id: int | None = None, account_id: int | None = None) -> Decision:
        """Decide on a tweet, an account, or a tweet together with its author. Either may be left out, not both.

        Raises `SubjectIdTypeError` or `SubjectIdError` for anything but ids. O(1), and a few rules' work the
        first time.
        """
        return self._check(tweet_id, account_id)

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
        subjects: list[Any] = page if key is None else [key(item) for item in page]
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

        Takes sequences of ints, one-dimensional buffers of them (`array`, numpy) and Arrow arrays, of equal length;
        buffers of 64-bit integers are read where they are, and from 65,536 ids on other threads run meanwhile, if
        `withhold.native` is in use. Raises `SubjectIdTypeError` or `SubjectIdError`.

        >>> from withhold import Engine, Rule, RuleSet, Viewer
        >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
        >>> list(engine.view(Viewer(country="IN")).mask([20, 21], [17, 18]))
        [1, 0]
        """
        tweets, accounts = ids_in_a_row(tweet_ids, "tweet_ids"), ids_in_a_row(account_ids, "account_ids")
        if len(tweets) != len(accounts):
            message = f"{len(tweets)} tweet ids stand beside {len(accounts)} account ids"
            raise SubjectIdError(Problem("uneven-ids", message))
        mask = bytearray(len(tweets))
        self._mark(tweets, accounts, mask)
        at = mask.find(1)
        while at >= 0:
            mask[at] = not self._decide_pair(tweets[at], accounts[at]).visible
            at = mask.find(1, at + 1)
        return mask

    def _hits(self, subjects: list[Any]) -> list[int]:
        """Return the indices of the subjects that a rule may concern; the others are ids that no rule names."""
        raise NotImplementedError

    def _mark(self, tweet_ids: Sequence[int], account_ids: Sequence[int], marks: bytearray) -> None:
        """Put a 1 into `marks`, which are 0, for each tweet of two columns that a rule may concern."""
        raise NotImplementedError

    def _check(self, tweet_id: int | None, account_id: int | None) -> Decision:
        return self._decider.decide((link(tweet_id, account_id),), self.viewer, self.at)

    def _decide_pair(self, tweet_id: int | None, account_id: int | None) -> Decision:
        return self.check(check_id(tweet_id, "tweet_id"), check_id(account_id, "account_id"))
