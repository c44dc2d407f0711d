"""When rules come into force and go out of force (R1)."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from withhold.model.rule import Period

_ALWAYS = Period()


def edges(periods: Iterable[Period]) -> set[datetime]:
    """Return the instants at which any of several periods begins or ends.

    For the `periods` of a rule, these are the instants at which it comes into force or goes out of force.
    """
    return {bound for period in periods for bound in period if bound is not None}


def stretches(periods: Iterable[Period], within: Period = _ALWAYS) -> list[Period]:
    """Cut `within` at every edge and return the parts in order. Throughout each part the same rules are in force."""
    cuts = sorted(edge for edge in edges(periods) if within.covers(edge) and edge != within.start)
    return [Period(*bounds) for bounds in pairwise([within.start, *cuts, within.end])]


def sweep(
    periods: Sequence[Iterable[Period]], within: Period = _ALWAYS
) -> Iterator[tuple[Period, list[int], list[int]]]:
    """Yield each of the `stretches` with the rules that change at its start. O(edges log edges).

    `periods` has the periods of each rule. Each item is a stretch, the indices of the rules that come into force at its
    start, and the indices of those that go out of force.

    >>> from datetime import UTC
    >>> new_year = datetime(2021, 1, 1, tzinfo=UTC)
    >>> [(*changes,) for _, *changes in sweep([[Period(None, new_year)], [Period()]])]
    [([0, 1], []), ([], [0])]
    """
    begin: defaultdict[datetime | None, list[int]] = defaultdict(list)
    end: defaultdict[datetime | None, list[int]] = defaultdict(list)
    for number, own in enumerate(periods):
        for period in own:
            begin[period.start].append(number)
            end[period.end].append(number)
    waiting = deque(sorted(edges(period for own in periods for period in own)))
    begun, ended = begin[None], []
    for stretch in stretches((period for own in periods for period in own), within):
        while waiting and stretch.start is not None and waiting[0] <= stretch.start:
            edge = waiting.popleft()
            begun += begin[edge]
            ended += end[edge]
        yield stretch, begun, ended
        begun, ended = [], []


def stretch_at(periods: Iterable[Period], at: datetime) -> Period:
    """Return the longest period around an instant throughout which the same rules are in force. O(edges)."""
    before: datetime | None = None
    after: datetime | None = None
    for period in periods:
        for edge in period:
            if edge is None:
                continue
            if edge > at:
                after = edge if after is None or edge < after else after
            elif before is None or edge > before:
                before = edge
    return Period(before, after)
