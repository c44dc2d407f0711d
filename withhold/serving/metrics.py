"""Count what pages show and hide. `prometheus.py` and `otel.py` pass the counts on to a monitoring system.

Counting costs a page a fraction of a microsecond: it increments integers in this process. A thread adds them up and passes
them on each second.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from withhold.engine import Following, FollowStatus, Page, Shadow, View
from withhold.model import Decision, Outcome, Reason, Scope
from withhold.serving.decision_log import DecisionLog
from withhold.territories import countries as known_countries
from withhold.watching import Background

_log = logging.getLogger("withhold.serving")
#: The lists of hidden items that wait to be counted, at most.
_WAITING = 4_096
#: The label of a page for a viewer in a country that is not counted by itself.
OTHER, UNKNOWN = "other", "unknown"


class Hidden(NamedTuple):
    """The labels by which hidden items are counted."""

    outcome: Outcome
    scope: Scope | None
    reason: Reason | None


@dataclass(slots=True)
class Counts:
    """The numbers that have not been passed on yet.

    - `pages`, and `items` on them, shown or hidden; `tombstones`: shown items in which a quote is hidden.
    - `unknown_locations`: pages for viewers of unknown location.
    - `uncertain`: hidden items for which a more precise location could give another outcome.
    - `hidden`: hidden items by outcome, scope and reason.
    - `countries`: pages by the viewer's country; empty unless countries are given to `Metrics`.
    - `logged` and `shadowed`: pages by their result in the decision log and in the shadow, with the names of
      `LogCounts` and `ShadowCounts`; empty unless these are given to `Metrics`.
    """

    pages: int = 0
    items: int = 0
    tombstones: int = 0
    unknown_locations: int = 0
    uncertain: int = 0
    hidden: Counter[Hidden] = field(default_factory=Counter)
    countries: Counter[str] = field(default_factory=Counter)
    logged: Counter[str] = field(default_factory=Counter)
    shadowed: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        """Add the numbers of `other` to these."""
        self.pages += other.pages
        self.items += other.items
        self.tombstones += other.tombstones
        self.unknown_locations += other.unknown_locations
        self.uncertain += other.uncertain
        self.hidden.update(other.hidden)
        self.countries.update(other.countries)
        self.logged.update(other.logged)
        self.shadowed.update(other.shadowed)


class PublishedState(Protocol):
    """The state of published rules in a process. `LiveStatus` of `withhold.live` is one."""

    @property
    def state(self) -> str: ...
    @property
    def version(self) -> int | None: ...
    @property
    def signed(self) -> datetime | None: ...
    @property
    def activated(self) -> datetime | None: ...


class PublishedRules(Protocol):
    """Published rules that a process serves. `Worker` of `withhold.live` is one."""

    def status(self) -> PublishedState:
        """Return the state as of now."""


class Sink(Protocol):
    """A monitoring system. `Metrics` calls it from one thread at a time."""

    def add(self, counts: Counts, following: FollowStatus | None, published: PublishedState | None) -> None:
        """Add new numbers, and set the state of following files and of published rules, if `Metrics` was given these."""


class Metrics(Background):
    """Counts pages, and passes the numbers on to a sink every `interval` seconds, in a thread.

    Some states and counts of other objects can be passed on too: the state of `following`, the result of `Engine.follow`, and of
    `published`, a `Worker` of `withhold.live`; the counts of `log`, a `DecisionLog`, and of `shadow`, the result of
    `Engine.shadow`.

    Pages are also counted by the viewer's country if it is one of `countries`; all others are counted together. By default, pages
    are not counted by country, because each value of a label costs a monitoring system memory.

    Threads may share it. In a forked process it starts again at zero, with a thread of its own. `close`, and the end of
    the process, pass on the last numbers. A sink that raises is logged, and gets the numbers with the next ones.

    >>> class Printed:
    ...     def add(self, counts, following, published):
    ...         print(counts.pages, counts.items, {str(key.reason): n for key, n in counts.hidden.items()})
    >>> from withhold import Engine, Rule, RuleSet, Viewer
    >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
    >>> view = engine.view(Viewer(country="IN"))
    >>> with Metrics(Printed()) as metrics:
    ...     metrics.page(view, view.filter([(20, 17), (21, 18)]))
    1 2 {'legal_demand': 1}

    Raises `ValueError` for an interval that is not positive (`bad-interval`) and for countries that do not exist
    (`unknown-country`).
    """

    def __init__(
        self,
        sink: Sink,
        *,
        following: Following | None = None,
        published: PublishedRules | None = None,
        log: DecisionLog | None = None,
        shadow: Shadow | None = None,
        countries: Iterable[str] = (),
        interval: float = 1.0,
    ) -> None:
        self._countries = frozenset(countries)
        if unknown := sorted(self._countries - {*known_countries()}):
            raise ValueError(f"unknown countries {', '.join(f'`{code}`' for code in unknown)} [unknown-country]")
        self._sink, self._following, self._published, self._log, self._shadow = sink, following, published, log, shadow
        super().__init__(interval, "withhold-metrics")

    def _begin(self) -> None:
        self._counts = Counts()
        self._hidden: list[list[tuple[int, Decision]]] = []
        #: The counts of the log and of the shadow that were passed on.
        self._before: dict[object, Counter[str]] = {}

    def page(self, view: View, page: Page[Any]) -> None:
        """Count a page that `view.filter` returned. Usually O(1): hidden items are counted later, in the thread."""
        hidden = page.hidden
        # The slot is read directly, because the property `country` would take a quarter of the time.
        country = view.viewer._location_key[0]
        with self._collecting:
            counts = self._counts
            counts.pages += 1
            counts.items += len(page.visible)
            if country is None:
                counts.unknown_locations += 1
            if hidden:
                self._hidden.append(hidden)
                if len(self._hidden) >= _WAITING:
                    self._count_hidden()
            if page.tombstones:
                counts.tombstones += len(page.tombstones)
            if self._countries:
                counts.countries[self._label(country)] += 1

    def _label(self, country: str | None) -> str:
        return UNKNOWN if country is None else country if country in self._countries else OTHER

    def _count_hidden(self) -> None:
        waiting, self._hidden = self._hidden, []
        decisions = [decision for hidden in waiting for _, decision in hidden]
        counts = self._counts
        counts.items += len(decisions)
        counts.uncertain += sum(not decision.certain for decision in decisions)
        counts.hidden.update(Hidden(each.outcome, each.scope, each.reason) for each in decisions)

    def _work(self) -> None:
        """Pass on the numbers. An error of the sink is logged, and the numbers are kept."""
        with self._collecting:
            self._count_hidden()
            counts, self._counts = self._counts, Counts()
        counts.logged.update(self._gained(self._log))
        counts.shadowed.update(self._gained(self._shadow))
        try:
            following = None if self._following is None else self._following.status()
            self._sink.add(counts, following, None if self._published is None else self._published.status())
        except Exception:  # noqa: BLE001  # counting goes on
            _log.exception("metrics were not passed on; they are kept")
            with self._collecting:
                self._counts.add(counts)

    def _gained(self, counted: DecisionLog | Shadow | None) -> Counter[str]:
        """Return the pages of a log or of a shadow since the last call, by their result."""
        if counted is None:
            return Counter()
        found = counted.counts()._asdict()
        now = Counter({name: count for name, count in found.items() if name not in ("pages", "waiting")})
        gained = now - self._before.get(counted, Counter())
        self._before[counted] = now
        return gained
