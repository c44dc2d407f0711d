"""When rules come into force and go out of it (R1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise

from withhold.model.rule import Period, Rule

_ALWAYS = Period()


def edges(rules: Iterable[Rule]) -> set[datetime]:
    """Return the instants at which some rule comes into force or goes out of it."""
    return {bound for rule in rules for period in rule.periods for bound in period if bound is not None}


def stretches(rules: Iterable[Rule], within: Period = _ALWAYS) -> list[Period]:
    """Cut a period at every edge of some rules: in each part the same rules are in force throughout."""
    cuts = sorted(edge for edge in edges(rules) if within.covers(edge) and edge != within.start)
    return [Period(*bounds) for bounds in pairwise([within.start, *cuts, within.end])]


def stretch_at(rules: Iterable[Rule], at: datetime) -> Period:
    """Return the longest period around an instant in which the same rules are in force throughout. O(edges)."""
    found = edges(rules)
    before, after = (edge for edge in found if edge <= at), (edge for edge in found if edge > at)
    return Period(max(before, default=None), min(after, default=None))
