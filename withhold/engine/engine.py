"""The engine: the current snapshot under a policy, and the views made of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from threading import RLock
from typing import NoReturn, SupportsIndex, TypeVar
from weakref import WeakSet

from withhold.engine.decider import Decider
from withhold.engine.explain import Explanation, explain
from withhold.engine.view import View
from withhold.engine.views import open_view
from withhold.errors import Problem, SubjectTypeError, not_sent, quoted
from withhold.model.decision import Decision
from withhold.model.instants import utc
from withhold.model.places import everywhere
from withhold.model.policy import Policy
from withhold.model.rule_set import RuleSet
from withhold.model.tweet import Subject, links_of
from withhold.model.viewer import Viewer
from withhold.snapshot import Snapshot

_Kind = TypeVar("_Kind")


def _now() -> datetime:
    return datetime.now(UTC)


class Engine:
    """Answers for one rule set at a time; safe to share between threads.

    `rules` is a `RuleSet`, which is compiled, or a `Snapshot`. `clock` gives the current instant (aware), for
    tests that stop it.

    >>> from withhold import Engine, Rule, RuleSet, Viewer
    >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
    >>> engine.check((20, 17), Viewer(country="IN")).outcome
    <Outcome.WITHHELD: 'withheld'>
    >>> engine.check((20, 17), Viewer(country="US")).outcome
    <Outcome.VISIBLE: 'visible'>
    """

    def __init__(
        self, rules: RuleSet | Snapshot, policy: Policy | None = None, *, clock: Callable[[], datetime] = _now
    ) -> None:
        given = Policy() if policy is None else _meant(Policy, policy, "use `Policy(unknown_location=…)`")
        self._clock = clock
        self._activating = RLock()
        self._asked = count(1)
        _ENGINES.add(self)
        everywhere()  # the ISO data are read now, so that no request waits for them
        # The one mutable cell of the library. Readers take it to a local first.
        self._decider = Decider(_compiled(rules), given)

    @property
    def policy(self) -> Policy:
        """The policy, which is the engine's for good."""
        return self._decider.policy

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that the next view will see."""
        return self._decider.snapshot

    def activate(self, rules: RuleSet | Snapshot) -> None:
        """Put another rule set in force, for every view made after this returns (A3).

        Compiling a `RuleSet` takes its time in the calling thread, while others are answered from the current
        one; the exchange is one assignment. Threads that activate wait for each other. When this returns, `rules` are in
        force, or others that were asked for later, by another thread or a signal's handler.
        """
        asked = next(self._asked)
        with self._activating:
            decider = Decider(_compiled(rules), self.policy, asked)
            # Whatever was asked for later, by a handler that interrupted this thread for instance, stays in force if it got
            # there. No call comes between the comparison and the assignment, so no handler does.
            if asked > self._decider.asked:
                self._decider = decider

    def view(self, viewer: Viewer, at: datetime | None = None) -> View:
        """Return what `viewer` sees, now or at another instant. O(1): reads the clock once, and builds no index.

        Raises `InstantError` for a naive `at`, and `SubjectTypeError` for what is no `Viewer`.
        """
        return open_view(self._decider, _checked(viewer), self._instant(at))

    def check(self, subject: Subject, viewer: Viewer, at: datetime | None = None) -> Decision:
        """Decide on a `Tweet` (with what it retweets) or a pair (tweet_id, account_id) of which one may be None.

        Raises `SubjectIdTypeError`, `SubjectIdError`, `SubjectTypeError` or `InstantError`.
        """
        return self._decider.decide(links_of(subject), _checked(viewer), self._instant(at))

    def anywhere(self, subject: Subject, at: datetime | None = None) -> Decision:
        """Decide before it is known who will get it, a push for instance (R10): withheld if it is from anybody.

        As with `check`, what a tweet quotes is a question of its own.

        >>> from withhold import Engine, Rule, RuleSet
        >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
        >>> engine.anywhere((20, 17)).outcome
        <Outcome.WITHHELD: 'withheld'>
        """
        return self._decider.decide(links_of(subject), None, self._instant(at))

    def explain(self, subject: Subject, viewer: Viewer, at: datetime | None = None) -> Explanation:
        """Say why: every rule that names the subject and its state, also of those that do not act.

        Prints as text and dumps with `to_dict()`. Costs some 100 µs; for people, not for serving.
        """
        return explain(self._decider, subject, _checked(viewer), self._instant(at))

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Raise a `TypeError`: an engine belongs to its process."""
        raise not_sent("an engine", "send the path of a snapshot, or a `RuleSet`, and make an `Engine` there")

    def _instant(self, at: datetime | None) -> datetime:
        if at is not None:
            return utc(at, "at")
        now = self._clock()
        # C reads the numbers where those of a `datetime` are, so nothing else may come as far.
        return now if type(now) is datetime and now.tzinfo is UTC else utc(now, "clock")


_ENGINES: WeakSet[Engine] = WeakSet()


def _forked() -> None:
    """Let a process that is forked while a thread activates do so itself: nobody there would give the lock back."""
    for engine in _ENGINES:
        engine._activating = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def _checked(viewer: object) -> Viewer:
    return _meant(Viewer, viewer, "use `Viewer(country=…)`, or `Viewer.unknown()`")


def _meant(kind: type[_Kind], given: object, hint: str) -> _Kind:
    """Return what was given if it is what is meant; anything else could come to nobody's notice, and show all."""
    if isinstance(given, kind):
        return given
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.__name__).lower()
    raise SubjectTypeError(Problem(f"not-a-{name.replace(' ', '-')}", f"{quoted(given)} is not a {name}", hint=hint))


def _compiled(rules: RuleSet | Snapshot) -> Snapshot:
    if isinstance(rules, Snapshot):
        return rules
    return Snapshot.compile(_meant(RuleSet, rules, "use `RuleSet.load(path)`, or `RuleSet([…])`"))
