"""Measure how often a decision reads `withhold.snapshot.cache.Cache`, and the share of its time that the reads take.

`python -m benchmarks.caches` prints both in a few seconds. It checks every answer first, and compares the first answer
of each list with `Reference`. Reads are counted in separate runs, so no time includes the counting.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from time import perf_counter_ns
from typing import NamedTuple

from withhold import Decision, Engine, Reference, Rule, RuleSet, Snapshot, Tweet, View, Viewer, engine_info
from withhold.snapshot.cache import Cache

AT = datetime(2021, 2, 10, tzinfo=UTC)
VIEWER = Viewer(country="IN")
ACCOUNTS = range(1_000, 3_000)
#: Tweets and authors: a rule names each author of the first list, and none of the second.
NAMED = [(account + 1_000_000, account) for account in ACCOUNTS]
UNNAMED = [(account + 1_000_000, account + 500_000) for account in ACCOUNTS]
REPEATS = 5

#: A function that asks about a tweet and its author.
Ask = Callable[[int, int], object]
#: A function that returns an `Ask` for an engine and one of its views.
Way = Callable[[Engine, View], Ask]
#: The answers of `Reference` to the first question of each list. It is too slow for all questions.
Right = dict[tuple[int, int], Decision]


class Reading(NamedTuple):
    """The cost of one question of a kind: the number of cache reads, and nanoseconds."""

    kind: str
    reads: float
    took: float


def rules() -> RuleSet:
    """Return rules that name one account each, so that no two accounts share a decision."""
    return RuleSet(
        Rule(id=f"r-{account}", accounts=[account], withheld_in=["IN"], reason="terms") for account in ACCOUNTS
    )


def measure_lookups() -> dict[str, tuple[float, float]]:
    """Return the nanoseconds of a hit and of a miss, by the name of the look-up. The keys are like those of decisions."""
    keys: list[object] = [(((posting,), (), None), VIEWER.location_key) for posting, _ in enumerate(NAMED)]
    others: list[object] = [(((), (posting,), None), VIEWER.location_key) for posting, _ in enumerate(NAMED)]
    kept = dict.fromkeys(keys, 1)
    cache: Cache[object, int] = Cache(len(keys))
    for key in keys:
        cache.keep(key, 1)
    found = {}
    for name, look_up in (("dict.get", kept.get), ("Cache.recall", cache.recall)):
        if [*map(look_up, keys + others)] != [1] * len(keys) + [None] * len(others):
            raise AssertionError(f"{name} returns a wrong value")
        hit, miss = (_best(lambda: None, partial(_each, look_up, some)) for some in (keys, others))
        found[name] = hit, miss
    return found


def _each(look_up: Callable[[object], int | None], keys: list[object]) -> None:
    for key in keys:
        look_up(key)


def _best(prepare: Callable[[], object], run: Callable[[], object]) -> float:
    """Return the nanoseconds per question of the fastest run."""
    took = []
    for _ in range(REPEATS):
        prepare()
        began = perf_counter_ns()
        run()
        took.append(perf_counter_ns() - began)
    return min(took) / len(NAMED)


@contextmanager
def _counting() -> Iterator[list[int]]:
    """Count the calls of `Cache.recall`."""
    counted = [0]
    recall = Cache.recall

    def counts(self: Cache[object, object], key: object) -> object:
        counted[0] += 1
        return recall(self, key)

    Cache.recall = counts  # type: ignore[method-assign, assignment]
    try:
        yield counted
    finally:
        Cache.recall = recall  # type: ignore[method-assign]


def _ask(ask: Ask, pairs: list[tuple[int, int]]) -> None:
    for tweet, account in pairs:
        ask(tweet, account)


def measure_questions(snapshot: Snapshot, right: Right) -> list[Reading]:
    """Return the cost of each kind of question to a snapshot."""
    kinds: list[tuple[str, Way, list[tuple[int, int]], bool]] = [
        ("view.check, a miss", lambda _, view: _check(view), UNNAMED, False),
        ("view.check, first time", lambda _, view: _check(view), NAMED, False),
        ("view.check, again", lambda _, view: _check(view), NAMED, True),
        ("view.check_tweet, again", lambda _, view: _tweets(view), NAMED, True),
        ("engine.check, again", lambda engine, _: _engine(engine), NAMED, True),
    ]
    return [Reading(kind, *_cost(snapshot, right, way, pairs, again)) for kind, way, pairs, again in kinds]


def _check(view: View) -> Ask:
    return lambda tweet, account: view.check(tweet_id=tweet, account_id=account)


def _tweets(view: View) -> Ask:
    return lambda tweet, account: view.check_tweet(Tweet(id=tweet, account_id=account)).decision


def _engine(engine: Engine) -> Ask:
    return lambda tweet, account: engine.check((tweet, account), VIEWER, AT)


def _cost(snapshot: Snapshot, right: Right, way: Way, pairs: list[tuple[int, int]], again: bool) -> tuple[float, float]:
    def fresh() -> Ask:
        engine = Engine(snapshot)
        ask = way(engine, engine.view(VIEWER, AT))
        if again:
            _ask(ask, pairs)
        return ask

    ask = fresh()
    for tweet, account in pairs:
        found = ask(tweet, account)
        named = (f"r-{account}",) if account in ACCOUNTS else ()
        if not isinstance(found, Decision) or found.rule_ids != named or found.visible is bool(named):
            raise AssertionError(f"wrong answer for {tweet, account}: {found}")
    if ask(*pairs[0]) != right[pairs[0]]:
        raise AssertionError(f"the reference gives another answer for {pairs[0]}")
    ask = fresh()
    with _counting() as counted:
        _ask(ask, pairs)
    waiting: list[Ask] = []
    took = _best(lambda: waiting.append(fresh()), lambda: _ask(waiting[-1], pairs))
    return counted[0] / len(pairs), took


def main() -> None:
    """Print the cost of a look-up, and then of each kind of question."""
    argparse.ArgumentParser(prog="python -m benchmarks.caches", description=__doc__).parse_args()
    found = measure_lookups()
    print(f"{'look-up':<32} {'ns for a hit':>15} {'ns for a miss':>19}")
    for name, (hit, miss) in found.items():
        print(f"{name:<32} {hit:>15,.0f} {miss:>19,.0f}")
    hit, miss = found["Cache.recall"]
    given = rules()
    reference = Reference(given)
    right = {pair: reference.check(pair, VIEWER, AT) for pair in (NAMED[0], UNNAMED[0])}
    for native in (True, False) if engine_info().native else (False,):
        print(f"\n{'in C' if native else 'in Python':<32} {'cache reads':>15} {'ns':>8} {'share':>10}")
        for kind, reads, took in measure_questions(Snapshot.compile(given, native=native), right):
            print(
                f"{kind:<32} {reads:>15.2f} {took:>8,.0f} {reads * (miss if kind.endswith('first time') else hit) / took:>10.0%}"
            )


if __name__ == "__main__":
    main()
