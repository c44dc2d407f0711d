"""`Page` and `TweetDecisions`: what the calls for whole pages and whole tweets return."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, NoReturn, TypeVar

from withhold.model.decision import Decision
from withhold.model.freshness import Freshness, joined
from withhold.model.nested import Nested
from withhold.model.territory_set import not_for_viewers
from withhold.model.tweet import Tweet

_Item = TypeVar("_Item")

_PAGE_HINT = "use `.visible`, `.hidden` or `.tombstones`"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TweetDecisions(Nested):
    """The decision on a tweet, and the decisions on every tweet that is quoted in it (R8).

    `decision` includes the tweets that it retweets. `quotes` has the decisions on each quote that a page shows in the
    tweet: its own quote, then that of the tweet it retweets. `path` has the names of the attributes that lead here from the
    tweet in which this one is quoted, such as `("quoted",)` or `("retweet_of", "quoted")`. Like a decision, this has no
    truth value: `if view.check_tweet(tweet):` raises a `TypeError`.
    """

    decision: Decision
    quotes: tuple[TweetDecisions, ...] = ()
    path: tuple[str, ...] = ()

    @property
    def quoted(self) -> TweetDecisions | None:
        """The first of `quotes`, or None if the tweet quotes nothing."""
        return self.quotes[0] if self.quotes else None

    @property
    def freshness(self) -> Freshness:
        """The freshness of all decisions together (A6)."""
        return joined(found.decision.freshness for _, found in self._all())

    def hidden_quote(self) -> tuple[tuple[str, ...], Decision] | None:
        """Return the outermost hidden quote, for which the page shows a tombstone, or None.

        The result is the path of attribute names that leads to it from the tweet, and the decision on it.
        """
        quotes = ((path, found.decision) for path, found in self._all() if found is not self)
        return next(((path, decision) for path, decision in quotes if not decision.visible), None)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> NoReturn:
        raise not_for_viewers("decisions on a tweet")

    def hidden_quotes(self) -> dict[tuple[str, ...], Decision]:
        """Return the decisions on all quotes that the page must not show, by their paths from the tweet.

        Quotes inside a hidden quote are not among them.

        >>> from withhold import Engine, Rule, RuleSet, Tweet, Viewer
        >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
        >>> source = Tweet(id=21, account_id=5, quoted=Tweet(id=20, account_id=17))
        >>> found = engine.view(Viewer(country="IN")).check_tweet(Tweet(id=22, account_id=6, retweet_of=source))
        >>> list(found.hidden_quotes())
        [('retweet_of', 'quoted')]
        """
        hidden: dict[tuple[str, ...], Decision] = {}
        waiting: list[tuple[tuple[str, ...], TweetDecisions]] = [((), self)]
        while waiting:
            path, outer = waiting.pop()
            for inner in outer.quotes:
                if inner.decision.visible:
                    waiting.append(((*path, *inner.path), inner))
                else:
                    hidden[*path, *inner.path] = inner.decision
        return hidden

    def _all(self) -> Iterator[tuple[tuple[str, ...], TweetDecisions]]:
        """Yield this and all quotes in it with their paths from here, the outermost first."""
        level: list[tuple[tuple[str, ...], TweetDecisions]] = [((), self)]
        expanded: set[int] = set()  # a tweet may be quoted more than once
        while level:
            yield from level
            outer, level = level, []
            for path, found in outer:
                if id(found.quotes) not in expanded:
                    expanded.add(id(found.quotes))
                    level += [((*path, *inner.path), inner) for inner in found.quotes]

    def __bool__(self) -> bool:
        raise TypeError("decisions on a tweet are neither true nor false [decision-truth]; use .decision.visible")


@dataclass(slots=True)
class Page(Generic[_Item]):
    """A page after filtering.

    | attribute | meaning |
    |---|---|
    | `visible` | the items to show, in order |
    | `hidden` | (index, decision) for each other item |
    | `tombstones` | (index, path, decision) for each visible item in which a quoted tweet is hidden, at any depth; the path has the names of the attributes that lead from the tweet to the outermost hidden quote, such as `("quoted",)` |
    | `freshness` | who may be shown the page again, and for how long (A6) |
    | `subjects` | the pair or the `Tweet` of each hidden item and of each item with a tombstone, by index |

    A tweet with a tombstone may contain further hidden quotes: `view.check_tweet(tweet).hidden_quotes()` has all of them.

    Indices refer to the items that were passed in, not to `visible`. If a page is filled from several calls, for example
    because hidden items were replaced by others, join the freshness of all these calls with `|`.

    A page is no tuple and no list: its length, its truth value and iteration raise a `TypeError`.
    """

    visible: list[_Item]
    hidden: list[tuple[int, Decision]]
    tombstones: list[tuple[int, tuple[str, ...], Decision]]
    freshness: Freshness
    subjects: Mapping[int, tuple[int, int] | Tweet] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> NoReturn:
        raise not_for_viewers("a page")

    # The types are not `NoReturn` where type checkers would treat code after it as unreachable and not check it.
    def __bool__(self) -> bool:
        raise _no_collection("has no truth value")

    def __len__(self) -> int:
        raise _no_collection("has no length")

    def __iter__(self) -> Iterator[NoReturn]:
        raise _no_collection("cannot be iterated")


# Without these, `dataclasses.asdict` refuses a page, and with it FastAPI, which would publish the decisions.
del Page.__dataclass_fields__


def _no_collection(what: str) -> TypeError:
    return TypeError(f"a page {what} [page-is-no-collection]; {_PAGE_HINT}")
