"""Find the rules that are in force only while another one is, in one sweep over time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from withhold.model.rule import Rule

# The maximum number of rules with which a rule with stays is compared. Those that begin shortly before
# it are the likeliest to cover it.
_COMPARED = 30

_Span = tuple[int, int]


class Spans:
    """The periods of rules, with instants replaced by numbers in the same order."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        periods = [rule.periods for rule in rules]
        bounds = {bound for each in periods for period in each for bound in period if bound is not None}
        order = {bound: number for number, bound in enumerate(sorted(bounds))}
        self._spans: list[tuple[_Span, ...]] = [
            tuple((order.get(start, -1), order.get(end, len(order))) for start, end in each)  # type: ignore[arg-type]
            for each in periods
        ]

    def covered(self, own: list[int], candidates: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Yield the rules of `own` that are in force only while a candidate is, each with that candidate. O(n log n).

        The rules of `own` are equal except for their periods, and `candidates` contains them. The other candidates
        withhold more. If two rules of `own` have the same periods, the second is yielded.
        """
        among, equals = list(candidates), set(own)
        if len(among) < 2:
            return
        # In sorted order, a rule precedes the rules that it covers: it starts earlier, ends later, withholds more, or
        # has the lower number. Each span of a rule with stays can cover others. The rule itself is covered here only if
        # its whole time, from the first to the last instant, is covered.
        events = [
            (start, -end, number in equals, -len(self._spans[number]), number)
            for number in among
            for start, end in self._spans[number]
        ]
        stayed = [number for number in own if len(self._spans[number]) > 1]
        events += ((self._spans[number][0][0], -self._spans[number][-1][1], True, 0, number) for number in stayed)
        furthest, by, found = -2, -1, set()
        for _, end, equal, spans, number in sorted(events):
            if equal and spans >= -1 and furthest >= -end:
                found.add(number)
                yield number, by
            elif spans and -end > furthest:
                furthest, by = -end, number
        yield from self._stay_by_stay([number for number in stayed if number not in found], among, equals)

    def _stay_by_stay(self, stayed: list[int], among: list[int], equals: set[int]) -> Iterator[tuple[int, int]]:
        """Yield the rules with stays that are covered by another rule with stays, each with that rule."""
        first: dict[tuple[_Span, ...], int] = {}
        for number in sorted(among, key=lambda number: (number in equals, number)) if stayed else ():
            if len(self._spans[number]) > 1:
                first.setdefault(self._spans[number], number)
        others = sorted(first)
        for number in stayed:
            spans = self._spans[number]
            at = bisect_right(others, spans[0][0], key=lambda other: other[0][0])
            nearest = (first[other] for other in reversed(others[max(0, at - _COMPARED) : at]))
            likeliest = [first[spans], *nearest]
            by = next((other for other in likeliest if other != number and self._covers(other, number)), None)
            if by is not None:
                yield number, by

    def _covers(self, one: int, other: int) -> bool:
        return all(any(a <= start and end <= b for a, b in self._spans[one]) for start, end in self._spans[other])
