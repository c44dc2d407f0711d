"""A shadow: a second rule set that is asked about a share of the pages, after they were answered. It changes no answer."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import random
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

from withhold.engine.decider import Decider
from withhold.engine.page import Page
from withhold.engine.view import View
from withhold.engine.views import open_view
from withhold.errors import escaped
from withhold.model.decision import Decision, Outcome
from withhold.model.freshness import Freshness
from withhold.model.tweet import Link, Tweet, links_of
from withhold.model.viewer import Viewer
from withhold.watching import Background

if TYPE_CHECKING:
    from withhold.engine.engine import Engine

_log = logging.getLogger("withhold.engine")
#: The maximum number of items on the pages that wait to be compared. A single page may have more.
_WAITING = 100_000
#: The maximum number of kinds of differences that are kept.
_KINDS = 100

#: The outcome and the rules of two decisions.
_Kind = tuple[Outcome, tuple[str, ...], Outcome, tuple[str, ...]]


class ShadowCounts(NamedTuple):
    """The pages that a shadow was given, by result: `pages` is the sum of the others.

    `same` and `different` pages were compared: on a different page, the second rule set hides other items or quotes.
    Comparing `failed` pages raised an exception, `dropped` pages came while too many were waiting or after `close`, and
    `waiting` pages have not been compared yet.
    """

    pages: int
    same: int
    different: int
    failed: int
    dropped: int
    waiting: int


@dataclass(frozen=True, slots=True)
class ShadowDifference:
    """Tweets that get another outcome by the same rules on either side: how many, and the first one as an example."""

    old: Outcome
    old_rule_ids: tuple[str, ...]
    new: Outcome
    new_rule_ids: tuple[str, ...]
    count: int
    #: The tweet of the example with those that it retweets, the viewer (without the account), and the instant.
    links: tuple[Link, ...]
    viewer: Viewer
    at: datetime


class Shadow(Background):
    """Compares pages with a second rule set, from `Engine.shadow` until `close`. A context manager.

    Threads may share it. In a forked process it starts again, without counts and differences. It ends with the engine.
    """

    def __init__(self, engine: Engine, decider: Decider, share: float, interval: float) -> None:
        self._engine, self._decider, self._share = ref(engine), decider, share
        super().__init__(interval, "withhold-shadow")

    def _begin(self) -> None:
        self._waiting = self._pages = 0
        self._queue: deque[tuple[View, list[Any]]] = deque()
        self._results = Counter[str]()
        #: The number of tweets by the kind of the difference, and the first one of each of the first kinds.
        self._different = Counter[_Kind]()
        self._examples: dict[_Kind, tuple[tuple[Link, ...], Viewer, datetime]] = {}
        self._error = ""

    @property
    def revision(self) -> str:
        """The revision of the second rule set."""
        return self._decider.snapshot.revision

    def over(self, view: View) -> View:
        """Return a view that gives the same answers. The pages of a share of the views are compared."""
        return ShadowedView(view, self) if random() < self._share else view  # noqa: S311

    def offer(self, view: View, subjects: list[Any]) -> None:
        """Keep the subjects on a page, to compare it later. It never waits."""
        with self._collecting:
            self._pages += 1
            if self._watcher is None or (self._queue and self._waiting + len(subjects) > _WAITING):
                self._results["dropped"] += 1
            else:
                self._waiting += len(subjects)
                self._queue.append((view, subjects))

    def counts(self) -> ShadowCounts:
        """Return the counts of the pages so far, by result. O(1)."""
        with self._collecting:
            done = self._results
            found = (done["same"], done["different"], done["failed"], done["dropped"])
            return ShadowCounts(self._pages, *found, waiting=self._pages - sum(found))

    def differences(self) -> list[ShadowDifference]:
        """Return the differences so far, the most frequent first. Of more than 100 kinds, the first 100 are kept."""
        with self._collecting:
            kept = [(kind, self._different[kind], example) for kind, example in self._examples.items()]
        found = [ShadowDifference(*kind, count, *example) for kind, count, example in kept]
        return sorted(found, key=lambda each: -each.count)

    def close(self) -> None:
        """Compare the pages that wait, for at most five seconds, and stop. The counts can be read afterwards."""
        engine = self._engine()
        if engine is not None and engine._shadow is self:
            engine._shadow = None
        super().close()

    def __repr__(self) -> str:
        return f"<Shadow {self.revision}>"

    def _work(self) -> None:
        for _ in range(len(self._queue)):
            with self._collecting:
                if not self._queue:
                    return
                view, subjects = self._queue.popleft()
                self._waiting -= len(subjects)
            result = "failed"
            try:
                result = "different" if self._differs(view, subjects) else "same"
            except Exception as error:  # noqa: BLE001  # the pages that follow are compared
                if (text := escaped(f"{type(error).__name__}: {error}")) != self._error:  # log a repeated failure once
                    _log.error("%r failed: %s", self, text)
                self._error = text
            finally:
                with self._collecting:
                    self._results[result] += 1

    def _differs(self, view: View, subjects: list[Any]) -> bool:
        """Return whether the second rule set hides other items of a page, or other quotes in them. Record the tweets."""
        other = open_view(self._decider, view.viewer, view.at)
        before, after = _hidden(view.filter(subjects)), _hidden(other.filter(subjects))
        for index in sorted({index for index, *_ in before ^ after}):
            for tweet in _tweets_in(subjects[index]):
                links = links_of(tweet)
                old, new = (each._decider.decide(links, each.viewer, each.at) for each in (view, other))
                self._record(view, links, old, new)
        return before != after

    def _record(self, view: View, links: tuple[Link, ...], old: Decision, new: Decision) -> None:
        if old.outcome is new.outcome:
            return
        kind = (old.outcome, old.rule_ids, new.outcome, new.rule_ids)
        with self._collecting:
            if kind not in self._examples:
                if len(self._examples) == _KINDS:
                    return
                self._examples[kind] = links, Viewer.located(view.viewer.location_key, None, None), view.at
            self._different[kind] += 1


class ShadowedView(View):
    """A view that passes its pages to a shadow, and gives the same answers as the original view."""

    __slots__ = ("_decider", "_shadow", "_view", "at", "viewer")

    def __init__(self, view: View, shadow: Shadow) -> None:
        self._view, self._shadow = view, shadow
        self.viewer, self.at, self._decider = view.viewer, view.at, view._decider

    def withholds(self, tweet_id: int, account_id: int) -> bool:
        return self._view.withholds(tweet_id, account_id)

    def _named(self, subjects: list[Any]) -> tuple[list[tuple[int, Decision]], list[Freshness], list[int]]:
        # A copy, because the list can be the `visible` of the page, which belongs to the caller.
        self._shadow.offer(self._view, subjects.copy())
        return self._view._named(subjects)

    def _without(
        self, page: list[Any], hidden: list[tuple[int, Decision]], subjects: list[Any], named: dict[int, Any]
    ) -> list[Any]:
        return self._view._without(page, hidden, subjects, named)

    def _mark(self, tweet_ids: Sequence[int], account_ids: Sequence[int], marks: bytearray) -> None:
        self._view._mark(tweet_ids, account_ids, marks)


def _hidden(page: Page[Any]) -> set[tuple[int, tuple[str, ...], Outcome]]:
    """Return the index, the path and the outcome of each item and of each quote that a page hides."""
    items = {(index, (), decision.outcome) for index, decision in page.hidden}
    return items | {(index, path, decision.outcome) for index, path, decision in page.tombstones}


def _tweets_in(subject: Any) -> Iterator[Any]:
    """Yield the subject of an item, and each tweet that is quoted in it, at any depth."""
    waiting, known = [subject], set[int]()
    while waiting:
        tweet = waiting.pop()
        if id(tweet) not in known:
            known.add(id(tweet))
            yield tweet
            waiting += tweet.quotes() if isinstance(tweet, Tweet) else ()
