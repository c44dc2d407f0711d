"""Rules that draw no advice at all, for a test to spoil in one way."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from withhold import Rule, RuleSet
from withhold.lint import Protected, lint

START = datetime(2021, 2, 10, 5, tzinfo=UTC)
END = START + timedelta(days=90)
DAY = timedelta(days=1)
#: A tweet of 31 January 2021, and one of 1 April.
TWEET, LATER_TWEET = 1355667106821046272, 1377410409369399296


def rule(**keys: Any) -> Rule:
    """Return a rule of which nothing is to be said but what `keys` make of it."""
    fine = {"id": "a", "accounts": [17], "withheld_in": ["IN"], "reason": "legal_demand", "demand": "IN-D1"}
    return Rule(**{**fine, "from_": START, "until": END, **keys})


def advised(*rules: Rule, protected: Iterable[Protected] = ()) -> list[str]:
    """Return the advice on rules as `severity rule: code`."""
    return [f"{problem.severity} {problem.place}: {problem.code}" for problem in lint(RuleSet(rules), protected)]
