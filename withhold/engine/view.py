"""The object that serves requests: one snapshot, one viewer, one instant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from operator import itemgetter
from typing import Any, NoReturn, SupportsIndex, TypeVar, overload

from withhold.engine.columns import id_column
from withhold.engine.decider import Decider
from withhold.engine.explain import Explanation, explain
from withhold.engine.page import Page, TweetDecisions
from withhold.errors import Problem, SubjectIdError, SubjectTypeError, WithholdError, not_picklable, quoted
from withhold.model.decision import Decision
from withhold.model.freshness import Freshness, joined
from withhold.model.ids import check_id
from withhold.model.tweet import NOT_A_TWEET, NotATweet, Subject, Tweet, link, links_of
from withhold.model.viewer import Viewer

_Item = TypeVar("_Item")
_Pair = tuple[int, int]
_Known = TypeVar("_Known", bound=_Pair | Tweet | NotATweet)
#: What a key may return.
_Keyed = _Pair | Tweet | NotATweet


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

    @property
    def answer_revision(self) -> str:
        """The revision of the rules and of the policy that this view answers by."""
        return self._decider.answer_revision

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

    def explain(self, subject: Subject) -> Explanation:
        """Explain an answer of this view: as `Engine.explain`, but from this view's snapshot, viewer and instant.

        It explains what was answered also after `Engine.activate`. Takes about 100 µs. Raises the errors of `check`.

        >>> from withhold import Engine, Rule, RuleSet
        >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
        >>> view = engine.view(Viewer(country="IN"))
        >>> engine.activate(RuleSet([]))
        >>> [str(found.state) for found in view.explain((20, 17)).rules], len(engine.explain((20, 17), view.viewer).rules)
        (['applies'], 0)
        """
        return explain(self._decider, subject, self.viewer, self.at)

    def check_tweet(self, tweet: Tweet) -> TweetDecisions:
        """Decide on a tweet, and separately on each tweet that is quoted in it at any depth (R8).

        The decision on a tweet includes the tweets that it retweets. O(n) for n quotes within quotes, and
        O(n³) for n tweets that each retweet and quote the next. Raises `SubjectTypeError` for anything but a `Tweet`, and the
        errors of `Engine.check` if a subclass has invalid ids.

        >>> from withhold import Engine, Rule, RuleSet, Tweet
        >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
        >>> inner = Tweet(id=21, account_id=5, quoted=Tweet(id=20, account_id=17))
        >>> found = engine.view(Viewer(country="IN")).check_tweet(Tweet(id=22, account_id=6, quoted=inner))
        >>> found.decision.visible, found.quoted.decision.visible, found.quoted.quoted.decision.visible
        (True, True, False)
        """
        # A loop, because quotes may be nested deeper than Python's recursion limit.
        found: dict[int, tuple[Decision, tuple[TweetDecisions, ...]]] = {}
        waiting = [tweet]
        while waiting:
            outer: object = waiting[-1]
            if not isinstance(outer, Tweet):  # a subclass may quote anything
                raise SubjectTypeError(Problem("not-a-tweet", f"{quoted(outer)} is not a tweet", hint="use `Tweet`"))
            quotes = [*outer.quotes_by_path()]
            missing = [inner for _, inner in quotes if id(inner) not in found]
            waiting += missing
            if not missing:
                waiting.pop()
                decision = self._decider.decide(links_of(outer), self.viewer, self.at)
                decided = (TweetDecisions(*found[id(inner)], path) for path, inner in quotes)
                found[id(outer)] = decision, tuple(decided)
        return TweetDecisions(*found[id(tweet)])

    @overload
    def filter(self, items: Iterable[_Known]) -> Page[_Known]: ...
    @overload
    def filter(self, items: Iterable[_Item], key: Callable[[_Item], _Keyed]) -> Page[_Item]: ...
    def filter(self, items: Iterable[_Item], key: Callable[[_Item], _Keyed] | None = None) -> Page[_Item]:
        """Split a page into visible and hidden items. O(items); creates objects only for items that rules name.

        Items are (tweet_id, account_id) pairs, `Tweet`s, or any objects for which `key` returns one of these. For an item that
        is no tweet, such as an advertisement, `key` returns `NOT_A_TWEET`, and the page keeps the item. Raises
        `SubjectIdTypeError` or `SubjectIdError` if any item is invalid; the message has its index.

        >>> from withhold import Engine, Rule, RuleSet
        >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
        >>> page = engine.view(Viewer(country="IN")).filter([(20, 17), (21, 18)])
        >>> page.visible, [(index, decision.rule_id) for index, decision in page.hidden]
        ([(21, 18)], [(0, 'in-1')])
        """
        page = list(items)
        subjects: list[Any] = page if key is None else [*map(key, page)]
        if len(subjects) < len(page):
            raise StopIteration  # the key raised it, which ends a `map`
        tombstones: list[tuple[int, tuple[str, ...], Decision]] = []
        hidden, fresh, others = self._named(subjects)
        for index in others:
            if (subject := subjects[index]) is NOT_A_TWEET:
                continue
            try:
                found = self._decide(subject)
            except WithholdError as error:
                raise _at_item(error, index, page[index], keyed=key is not None) from None
            fresh.append(found.freshness)
            if not found.decision.visible:
                hidden.append((index, found.decision))
            elif (quote := found.hidden_quote()) is not None:
                tombstones.append((index, *quote))
        if others:
            hidden.sort(key=itemgetter(0))
        if not hidden and not tombstones:
            return Page(page, hidden, tombstones, self._joined(fresh), {})
        named: dict[int, Any] = {}
        visible = self._without(page, hidden, subjects, named)
        for index, _, _ in tombstones:
            named[index] = subjects[index]
        return Page(visible, hidden, tombstones, self._joined(fresh), named)

    def mask(self, tweet_ids: Iterable[int], account_ids: Iterable[int]) -> bytearray:
        """Return a byte for each tweet: 1 if the tweet is hidden, else 0. O(ids).

        The columns are sequences of ints, one-dimensional buffers of them (`array`, numpy) or Arrow arrays, of equal
        length. Buffers of 64-bit integers are not copied. If `withhold.native` is in use and the columns are such
        buffers of 65,536 ids or more, the GIL is released meanwhile. Raises `SubjectIdTypeError` or `SubjectIdError`.
        `numpy.frombuffer(mask, bool)` is an array of the same bytes, which is True for hidden tweets.

        >>> from withhold import Engine, Rule, RuleSet, Viewer
        >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
        >>> list(engine.view(Viewer(country="IN")).mask([20, 21], [17, 18]))
        [1, 0]
        """
        mask, named = self._marked(tweet_ids, account_ids)
        for at, decision in named:
            mask[at] = not decision.visible
        return mask

    def freshness(self, tweet_ids: Iterable[int], account_ids: Iterable[int]) -> Freshness:
        """Return the freshness of the answers that `mask` gives for the same columns (A6). O(ids).

        Raises the errors of `mask`.

        >>> from withhold import Engine, Rule, RuleSet, Viewer
        >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
        >>> str(engine.view(Viewer(country="IN")).freshness([20, 21], [17, 18]).varies_by)
        'country'
        """
        _, named = self._marked(tweet_ids, account_ids)
        return self._joined([decision.freshness for _, decision in named])

    def _marked(
        self, tweet_ids: Iterable[int], account_ids: Iterable[int]
    ) -> tuple[bytearray, Iterator[tuple[int, Decision]]]:
        """Return a byte for each row of two columns: 1 if a rule may concern it; and the decisions on these rows."""
        tweets, accounts = id_column(tweet_ids, "tweet_ids"), id_column(account_ids, "account_ids")
        if len(tweets) != len(accounts):
            message = f"there are {len(tweets)} tweet ids, but {len(accounts)} account ids"
            raise SubjectIdError(Problem("uneven-ids", message, hint="pass columns of equal length"))
        marks = bytearray(len(tweets))
        self._mark(tweets, accounts, marks)
        return marks, ((at, self._decide_pair(tweets[at], accounts[at])) for at in _ones(marks))

    def _joined(self, fresh: list[Freshness]) -> Freshness:
        if len(fresh) == 1:
            return fresh[0]
        return joined(fresh) if fresh else self._decider.visible.freshness

    def _without(
        self, page: list[_Item], hidden: list[tuple[int, Decision]], subjects: list[Any], named: dict[int, Any]
    ) -> list[_Item]:
        """Return the items of a page that are not hidden. Add the subject of each other one to `named`, by index."""
        visible, start = [], 0
        for index, _ in hidden:
            visible += page[start:index]
            named[index] = subjects[index]
            start = index + 1
        return visible + page[start:]

    def _named(self, subjects: list[Any]) -> tuple[list[tuple[int, Decision]], list[Freshness], list[int]]:
        """Return (index, decision) for each hidden subject, the freshness of all named ones, and the indices of others.

        `_decide` has to decide the others. No rule names an id of the remaining subjects.
        """
        raise NotImplementedError

    def _mark(self, tweet_ids: Sequence[int], account_ids: Sequence[int], marks: bytearray) -> None:
        """Set the byte in `marks` to 1 for each row of the two columns that a rule may concern.

        All bytes must be 0 at first.
        """
        raise NotImplementedError

    def _decide(self, subject: Any) -> TweetDecisions:
        if isinstance(subject, Tweet):
            return self.check_tweet(subject)
        return TweetDecisions(self._decide_pair(*links_of(subject)[0]))

    def _check(self, tweet_id: int | None, account_id: int | None) -> Decision:
        return self._decider.decide((link(tweet_id, account_id),), self.viewer, self.at)

    def _decide_pair(self, tweet_id: int | None, account_id: int | None) -> Decision:
        return self.check(tweet_id=check_id(tweet_id, "tweet_id"), account_id=check_id(account_id, "account_id"))


def _ones(marks: bytearray) -> Iterator[int]:
    at = marks.find(1)
    while at >= 0:
        yield at
        at = marks.find(1, at + 1)


def _at_item(error: WithholdError, index: int, item: object, *, keyed: bool) -> WithholdError:
    """Return an error with the index of an item and its type in front of the message."""
    problem = replace(error.problem, message=f"item {index} (`{type(item).__name__}`): {error.problem.message}")
    if keyed and error.code == "not-a-subject":
        problem = replace(problem, hint="the key must return a pair or a `Tweet`, or `NOT_A_TWEET` for any other item")
    return type(error)(problem)
