"""When rules come into force and go out of it (R1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise

from withhold.model.rule import Period

_ALWAYS = Period()


def edges(periods: Iterable[Period]) -> set[datetime]:
    """Return the instants at which one of several periods begins or ends.

    Those of a rule are its `periods`, when it is in force: at an edge it comes into force or goes out of it.
    """
    return {bound for period in periods for bound in period if bound is not None}


def stretches(periods: Iterable[Period], within: Period = _ALWAYS) -> list[Period]:
    """Cut `within` at every edge: in each part, in order, the same rules are in force throughout."""
    cuts = sorted(edge for edge in edges(periods) if within.covers(edge) and edge != within.start)
    return [Period(*bounds) for bounds in pairwise([within.start, *cuts, within.end])]


def stretch_at(periods: Iterable[Period], at: datetime) -> Period:
    """Return the longest period around an instant in which the same rules are in force throughout. O(edges)."""
    found = edges(periods)
    before, after = (edge for edge in found if edge <= at), (edge for edge in found if edge > at)
    return Period(max(before, default=None), min(after, default=None))
