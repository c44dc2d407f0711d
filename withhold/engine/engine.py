"""The engine: the current snapshot under a policy, and the views made of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from withhold.engine.decider import Decider
from withhold.engine.explain import Explanation, explain
from withhold.engine.view import View
from withhold.errors import Problem, SubjectTypeError, shown
from withhold.model.decision import Decision
from withhold.model.instants import utc
from withhold.model.policy import Policy
from withhold.model.rule_set import RuleSet
from withhold.model.tweet import Subject, links_of
from withhold.model.viewer import Viewer
from withhold.snapshot import Snapshot


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
        self.policy = policy or Policy()
        self._clock = clock
        # The one mutable cell of the library. Readers take it to a local first.
        self._decider = Decider(_compiled(rules), self.policy)

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that the next view will see."""
        return self._decider.snapshot

    def activate(self, rules: RuleSet | Snapshot) -> None:
        """Put another rule set in force, for every view made after this returns (A3).

        Compiling a `RuleSet` takes its time in the calling thread, while others go on with the current one;
        the exchange is one assignment.
        """
        self._decider = Decider(_compiled(rules), self.policy)

    def view(self, viewer: Viewer, at: datetime | None = None) -> View:
        """Return what `viewer` sees, now or at another instant. O(1): reads the clock once, and builds no index.

        Raises `InstantError` for a naive `at`, and `SubjectTypeError` for what is no `Viewer`.
        """
        return View(self._decider, _checked(viewer), self._instant(at))

    def check(self, subject: Subject, viewer: Viewer, at: datetime | None = None) -> Decision:
        """Decide on a `Tweet` (with what it retweets) or a pair (tweet_id, account_id) of which one may be None.

        Raises `SubjectIdTypeError`, `SubjectIdError`, `SubjectTypeError` or `InstantError`.
        """
        return self._decider.decide(links_of(subject), _checked(viewer), self._instant(at))

    def anywhere(self, subject: Subject, at: datetime | None = None) -> Decision:
        """Decide before it is known who will get it, a push for instance (R10): withheld if it is from anybody.

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

    def _instant(self, at: datetime | None) -> datetime:
        if at is not None:
            return utc(at, "at")
        now = self._clock()
        return now if now.tzinfo is UTC else utc(now, "clock")


def _checked(viewer: object) -> Viewer:
    if isinstance(viewer, Viewer):
        return viewer
    hint = "use `Viewer(country=…)`, or `Viewer.unknown()`"
    raise SubjectTypeError(Problem("not-a-viewer", f"{shown(viewer)} is not a viewer", hint=hint))


def _compiled(rules: RuleSet | Snapshot) -> Snapshot:
    return rules if isinstance(rules, Snapshot) else Snapshot.compile(rules)
