"""The engine: the current snapshot under a policy, and the views made from it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from threading import RLock
from typing import Literal, NoReturn, SupportsIndex, TypeVar

from withhold.engine.decider import Decider
from withhold.engine.explain import Explanation, explain
from withhold.engine.following import Following, FollowStatus
from withhold.engine.guard import check_loss, check_share
from withhold.engine.preparing import prepare
from withhold.engine.shadow import Shadow
from withhold.engine.view import View
from withhold.engine.views import open_view
from withhold.errors import Problem, SubjectTypeError, not_picklable, quoted
from withhold.model.decision import Decision
from withhold.model.instants import utc
from withhold.model.places import everywhere
from withhold.model.policy import Policy
from withhold.model.rule_set import RuleSet
from withhold.model.tweet import Subject, links_of
from withhold.model.viewer import Viewer
from withhold.snapshot import Snapshot
from withhold.watching import RestoredAfterFork

_Kind = TypeVar("_Kind")


def _now() -> datetime:
    return datetime.now(UTC)


class Engine:
    """Answers questions from the current rule set. Threads may share it.

    `rules` is a `Snapshot`, or a `RuleSet` to compile. `clock` returns the current instant as an aware
    `datetime`; tests can pass a fixed clock. Raises `SubjectTypeError` if `rules` or `policy` has another type.

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
        checked = Policy() if policy is None else _expect(Policy, policy, "use `Policy(unknown_location=…)`")
        self._clock = clock
        self._activating = RLock()
        self._activations = count(1)
        self._following: Following | None = None
        self._shadow: Shadow | None = None
        _ENGINES.add(self)
        everywhere()  # reads the ISO data now, so that no request waits for them
        # The only mutable cell of the library that answers depend on. Readers copy it to a local variable first.
        self._decider = Decider(_compiled(rules), checked)

    @property
    def policy(self) -> Policy:
        """The policy. It does not change during the lifetime of the engine."""
        return self._decider.policy

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that the next view will see."""
        return self._decider.snapshot

    @property
    def answer_revision(self) -> str:
        """The revision of the rules and of the policy by which the next view will answer."""
        return self._decider.answer_revision

    def activate(self, rules: RuleSet | Snapshot, *, guard: float | None = None) -> None:
        """Replace the rule set for every view made after this returns (A3).

        A `RuleSet` is compiled in the calling thread, while other threads get answers from the current one. The
        replacement is one assignment. Concurrent calls wait for each other. When this returns, the current rules are
        `rules`, or those of a later call by another thread or a signal handler. Raises `SubjectTypeError` for anything
        but a `RuleSet` or a `Snapshot`, and the errors of `Snapshot.compile`.

        `guard` is the largest share of the current rules, and of the ids that they name, that may be lost: with 0.5, at
        most half of each. An empty rule set is also refused, unless the current one is empty. The default allows any
        loss. It protects from truncated exports and wrong directories; it counts rules that are not in force too, and
        compares no contents. Raises `RuleSetError` (`guard-refused`) and keeps the current rules, or `ValueError`
        (`bad-guard`) for anything but a number from 0 to 1.

        >>> from withhold import Engine, Rule, RuleSet, RuleSetError
        >>> rules = [Rule(id=f"in-{n}", accounts=[n], withheld_in=["IN"], reason="terms") for n in range(1, 101)]
        >>> engine = Engine(RuleSet(rules))
        >>> try:
        ...     engine.activate(RuleSet(rules[:40]), guard=0.5)
        ... except RuleSetError as error:
        ...     print(error.problem.message)
        the new rules are 40 rules with 40 ids instead of 100 rules with 100 ids; at most 50% may be lost
        """
        if guard is not None:
            check_share(guard, "guard")
        activation = next(self._activations)
        with self._activating:
            self._replace(Decider(_compiled(rules), self.policy, activation), guard)

    def _activate_prepared(self, rules: RuleSet | Snapshot, guard: float | None, at: datetime) -> None:
        """Activate rules as `activate` does, after they have answered the most frequent questions."""
        decider = Decider(_compiled(rules), self.policy, next(self._activations))
        prepare(decider, self._decider, at)  # without the lock, so that other activations do not wait
        self._replace(decider, guard)

    def _replace(self, decider: Decider, guard: float | None) -> None:
        with self._activating:
            if guard is not None:
                check_loss(self.snapshot, decider.snapshot, guard)
            # A later call may have finished first, for example one by a signal handler that interrupted this thread.
            # Its rules stay. No handler can run between the comparison and the assignment, because no call is between
            # them.
            if decider.activation > self._decider.activation:
                self._decider = decider

    def follow(
        self,
        path: str | os.PathLike[str],
        interval: float = 10.0,
        *,
        guard: float | None = 0.5,
        mapped: bool = False,
        verify: Literal["full", "header"] = "full",
        on_change: Callable[[FollowStatus], object] | None = None,
    ) -> Following:
        """Activate the rules at a path, now and whenever they change. `path` is a snapshot, a rule file or a directory.

        A thread looks at the files every `interval` seconds: rule files, the lists of ids that they name, and lists of
        protected accounts. Changed files are read once they have been the same for one interval, because until then
        they may be incomplete. If they are invalid, damaged or missing, or the guard refuses them, the current rules
        stay active, the error is logged and in `status()`, and the files are read again after 2, 4, 8 and up to 64
        intervals, or when they change. Rules with the revision of the current ones are not activated again.

        Before they are activated, new rules answer the questions that the current ones have answered most often, so that the
        first pages find cached decisions: at most 512 questions, for at most 0.3 seconds. Only the modules in C count
        them: those about pairs, and about tweets without others in them.

        `guard` is as in `activate`, but not None by default. Snapshots are read into memory, because a mapped file that
        is copied over kills the process; pass `mapped=True` to share their memory if files are only replaced by
        renaming, as `Snapshot.save` does. `verify` is as in `Snapshot.open`. `on_change` is called with the status after
        each activation, in the thread that activates; an exception in it is logged and counted.

        The first reading is done before this returns, and its errors are raised: those of `Snapshot.open` and
        `RuleSet.load`, and `guard-refused`. Nothing is followed then. An engine follows one path: a second call before
        `close` raises `RuntimeError` (`already-following`). `activate` may be called meanwhile; its rules stay active
        until the files change again. Raises `ValueError` (`bad-interval`, `bad-guard`).

        >>> from pathlib import Path
        >>> from tempfile import mkdtemp
        >>> from withhold import Engine, Rule, RuleSet, Snapshot
        >>> path = Path(mkdtemp(), "rules.wh")
        >>> rules = RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")])
        >>> _ = Snapshot.compile(rules).save(path)
        >>> engine = Engine(Snapshot.open(path, mapped=False))
        >>> with engine.follow(path) as following:
        ...     status = following.status()
        >>> status.alive, status.error, status.revision == rules.revision
        (True, None, True)
        """
        following = Following(self, path, interval, guard, on_change, mapped=mapped, verify=verify)
        with self._activating:
            if self._following is not None:
                hint = "close what `follow` returned before"
                raise RuntimeError(f"this engine follows {self._following} [already-following]; {hint}")
            self._following = following
        try:
            following._start(self)
        except BaseException:
            self._following = None
            raise
        return following

    def shadow(self, rules: RuleSet | Snapshot, *, share: float, interval: float = 1.0) -> Shadow:
        """Ask a second rule set about the pages that a share of the new views filters, and compare what the two hide.

        No answer depends on it, and no request waits for it: a thread compares the pages every `interval` seconds, for the
        same viewer, instant and policy. If too many pages wait, further ones are dropped and counted. The returned `Shadow`
        has `counts()` and `differences()`; whether to activate the rules is your decision. `Metrics(shadow=…)` passes the
        counts on. After `activate`, the new rules are compared with the same second rule set.

        An engine has one shadow: a second call before `close` raises `RuntimeError` (`already-shadowed`). Raises
        `ValueError` for a share that is not from 0 to 1 (`bad-share`) or an interval that is not positive
        (`bad-interval`), and the errors of `activate` for the rules.

        >>> from withhold import Engine, Rule, RuleSet, Viewer
        >>> rule = Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")
        >>> engine = Engine(RuleSet([rule]))
        >>> with engine.shadow(RuleSet([]), share=1.0) as shadow:
        ...     page = engine.view(Viewer(country="IN")).filter([(20, 17), (21, 18)])
        >>> shadow.counts().different, [(str(found.old), str(found.new), found.links) for found in shadow.differences()]
        (1, [('withheld', 'visible', ((20, 17),))])
        """
        check_share(share, "share")
        decider = Decider(_compiled(rules), self.policy)
        with self._activating:
            if self._shadow is not None:
                hint = "close the earlier shadow first"
                raise RuntimeError(f"this engine has {self._shadow!r} [already-shadowed]; {hint}")
            self._shadow = shadow = Shadow(self, decider, share, interval)
        return shadow

    def view(self, viewer: Viewer, at: datetime | None = None) -> View:
        """Return a view for `viewer`, now or at another instant. O(1): it reads the clock once and builds no index.

        Raises `InstantError` for a naive `at`, and `SubjectTypeError` for anything but a `Viewer`.
        """
        given: object = viewer
        if not isinstance(given, Viewer):  # tested here first, because a call would take a tenth of the time
            _checked(given)
        view = open_view(self._decider, viewer, self._instant(at))
        shadow = self._shadow
        return view if shadow is None else shadow.over(view)

    def check(self, subject: Subject, viewer: Viewer, at: datetime | None = None) -> Decision:
        """Decide on a `Tweet`, including the tweets that it retweets, or on a pair (tweet_id, account_id).

        One id of a pair may be None. O(1) if the question is repeated.

        Raises `SubjectIdTypeError`, `SubjectIdError`, `SubjectTypeError` or `InstantError`.
        """
        return self._decider.decide(links_of(subject), _checked(viewer), self._instant(at))

    def anywhere(self, subject: Subject, at: datetime | None = None) -> Decision:
        """Decide for viewers anywhere, for example for a push before its recipients are known (R10).

        The subject is withheld if it is withheld from anybody. As with `check`, a quoted tweet is decided separately.
        Raises the errors of `check`.

        >>> from withhold import Engine, Rule, RuleSet
        >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
        >>> engine.anywhere((20, 17)).outcome
        <Outcome.WITHHELD: 'withheld'>
        """
        return self._decider.decide(links_of(subject), None, self._instant(at))

    def explain(self, subject: Subject, viewer: Viewer, at: datetime | None = None) -> Explanation:
        """Explain a decision: return every rule that names the subject with its state, even if it does not apply.

        It answers from the current rules. `View.explain` explains what a view has answered, perhaps from earlier rules.
        `str()` of the result is for people, `to_dict()` for programs. Takes about 100 µs, so do not use it for serving.
        Raises the errors of `check`.
        """
        return explain(self._decider, subject, _checked(viewer), self._instant(at))

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Raise a `TypeError`: an engine belongs to its process."""
        raise not_picklable("an engine", "send the path of a snapshot, or a `RuleSet`, and make an `Engine` there")

    def _instant(self, at: datetime | None) -> datetime:
        if at is not None:
            return utc(at, "at")
        # Without the call of `_now`, because a view is opened for each request.
        now = datetime.now(UTC) if self._clock is _now else self._clock()
        # The views in C read the fields of a `datetime` directly, so they must not get an instance of a subclass.
        return now if type(now) is datetime and now.tzinfo is UTC else utc(now, "clock")


def _forked(engine: Engine) -> None:
    """In a forked child, replace the lock, whose holder does not exist, and restart the thread that follows files."""
    engine._activating = RLock()
    if engine._following is not None:
        engine._following._forked(engine)


_ENGINES = RestoredAfterFork(_forked)


def _checked(viewer: object) -> Viewer:
    return _expect(Viewer, viewer, "use `Viewer(country=…)`, or `Viewer.unknown()`")


def _expect(kind: type[_Kind], given: object, hint: str) -> _Kind:
    """Return `given` if it has the expected type. Another type could go unnoticed and show everything."""
    if isinstance(given, kind):
        return given
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.__name__).lower()
    raise SubjectTypeError(Problem(f"not-a-{name.replace(' ', '-')}", f"{quoted(given)} is not a {name}", hint=hint))


def _compiled(rules: RuleSet | Snapshot) -> Snapshot:
    if isinstance(rules, Snapshot):
        return rules
    return Snapshot.compile(_expect(RuleSet, rules, "use `RuleSet.load(path)`, or `RuleSet([…])`"))
