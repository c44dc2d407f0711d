"""When rules come into force and go out of it (R1)."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
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


def sweep(
    periods: Sequence[Iterable[Period]], within: Period = _ALWAYS
) -> Iterator[tuple[Period, list[int], list[int]]]:
    """Yield each of the `stretches` of rules, by their periods, with the numbers of those that come into force with it and of
    those that went out of it. O(edges log edges).

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
    """Return the longest period around an instant in which the same rules are in force throughout. O(edges)."""
    found = edges(periods)
    before, after = (edge for edge in found if edge <= at), (edge for edge in found if edge > at)
    return Period(max(before, default=None), min(after, default=None))
