"""Assertions about decisions. The message of a failure explains the decision."""

from __future__ import annotations

from datetime import datetime

from withhold.engine import Engine
from withhold.errors import quoted
from withhold.model import Decision, Outcome, Viewer
from withhold.model.tweet import Subject
from withhold.model.viewer import viewer_text
from withhold.testing.viewers import viewer


def assert_visible(engine: Engine, subject: Subject, who: Viewer | str, at: datetime | None = None) -> Decision:
    """Assert that a viewer may see a `Tweet` or a pair (tweet_id, account_id); return the decision.

    `who` is a `Viewer`, or a place such as `"IN"`, `"US-MS"` or `"unknown"`. `at` defaults to the time of the engine's
    clock. The message of a failure contains the text of `engine.explain`.
    """
    __tracebackhide__ = True
    return _assert(Outcome.VISIBLE, engine, subject, who, at)


def assert_withheld(
    engine: Engine, subject: Subject, who: Viewer | str, at: datetime | None = None, *, because: str | None = None
) -> Decision:
    """Assert that a subject is withheld from a viewer; with `because`, that this rule speaks.

    >>> from withhold import Rule, RuleSet
    >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
    >>> assert_withheld(engine, (20, 17), "IN", because="in-1").demand
    >>> assert_withheld(engine, (20, 17), "US")
    Traceback (most recent call last):
        ...
    AssertionError: expected withheld for a viewer in US, got visible
    tweet 20 by account 17 is VISIBLE for a viewer in United States (US)
    ...
    """
    __tracebackhide__ = True
    return _assert(Outcome.WITHHELD, engine, subject, who, at, because)


def assert_suspended(
    engine: Engine, subject: Subject, who: Viewer | str, at: datetime | None = None, *, because: str | None = None
) -> Decision:
    """Assert that a subject is suspended; with `because`, that this rule speaks."""
    __tracebackhide__ = True
    return _assert(Outcome.SUSPENDED, engine, subject, who, at, because)


def _assert(
    wanted: Outcome,
    engine: Engine,
    subject: Subject,
    who: Viewer | str,
    at: datetime | None,
    because: str | None = None,
) -> Decision:
    __tracebackhide__ = True
    asking = viewer(who) if isinstance(who, str) else who
    explanation = engine.explain(subject, asking, at)
    found = explanation.decision
    described = viewer_text(asking)
    if found.outcome is not wanted:
        raise AssertionError(f"expected {wanted} for {described}, got {found.outcome}\n{explanation}")
    if because is not None and found.rule_id != because:
        raise AssertionError(
            f"{wanted} for {described}, but by rule {quoted(found.rule_id)} and not by {quoted(because)}\n{explanation}"
        )
    return found
