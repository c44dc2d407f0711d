"""The right answers to questions, from `withhold.Reference`."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.questions import Pool
from benchmarks.workload import NOW, VIEWER, Columns, Pair
from withhold import Reference, RuleSet


class Oracle:
    """Answers from `Reference`.

    It reads all its rules for every question, so it gets only the rules that concern the question.
    """

    def __init__(self, columns: Columns, pairs: Iterable[Pair]) -> None:
        self._columns = columns
        ids = {id_ for pair in pairs for id_ in pair}
        self._named: dict[tuple[bool, int], list[int]] = {}
        for row, id_ in enumerate(columns.ids):
            if id_ in ids:
                rules = self._named.setdefault((bool(columns.on_accounts[row]), id_), [])
                rules.append(row // columns.per_rule)

    def withholds(self, pair: Pair) -> bool:
        """Return whether the tweet is withheld. Without rules it is not, so `Reference` is not asked."""
        tweet, account = pair
        numbers = {*self._named.get((False, tweet), ()), *self._named.get((True, account), ())}
        if not numbers:
            return False
        rules = RuleSet(self._columns.rule(number) for number in sorted(numbers))
        # Whether the viewer sees it does not depend on what viewers at other places see.
        return not Reference(rules, places=[VIEWER.location_key]).check(pair, VIEWER, NOW).visible


def judged(columns: Columns, pools: dict[str, list[Pair]]) -> dict[str, Pool]:
    """Return the pools with the right answers. Raise `AssertionError` if the answers do not match the name of a pool."""
    oracle = Oracle(columns, (pair for pairs in pools.values() for pair in pairs))
    found = {name: Pool(pairs, bytes(map(oracle.withholds, pairs))) for name, pairs in pools.items()}
    for name, right in (("cold", {0}), ("hot", {0}), ("hits", {1})):
        if set(found[name].expected) != right:
            raise AssertionError(f"the pool `{name}` has questions of another kind")
    return found
