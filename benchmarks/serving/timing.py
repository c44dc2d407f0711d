"""Time single calls, loops and pages, in nanoseconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import TypeVar

from benchmarks.questions import flat
from benchmarks.rivals.rival import Check, Rival
from benchmarks.serving.scenarios import Scenario, pages
from benchmarks.workload import Pair

Timing = dict[str, float]
_Part = TypeVar("_Part")


def timed(rival: Rival, scenario: Scenario, pairs: list[Pair]) -> Timing:
    """Time a scenario once with the questions of a turn."""
    if scenario.kind == "calls":
        return quantiles(calls(rival.checker(), pairs))
    if scenario.kind == "loop":
        return {"mean": loop(rival.checker(), pairs)}
    if scenario.kind == "page":
        return {"mean": each(rival.page, pages(pairs, scenario.page)) / scenario.page}
    mask = rival.masker()
    if mask is None:
        return {}
    columns = [flat(part) for part in pages(pairs, scenario.page)]
    return {"mean": each(lambda both: mask(*both), columns) / scenario.page}


def calls(check: Check, pairs: list[Pair]) -> list[int]:
    """Return the time of each call, which includes that of reading the clock."""
    took: list[int] = []
    for tweet, account in pairs:
        began = perf_counter_ns()
        check(tweet, account)
        took.append(perf_counter_ns() - began)
    return took


def loop(check: Check, pairs: list[Pair]) -> float:
    """Return the mean time of a call in a loop, which includes that of the loop."""
    began = perf_counter_ns()
    for tweet, account in pairs:
        check(tweet, account)
    return (perf_counter_ns() - began) / len(pairs)


def each(answer: Callable[[_Part], object], parts: list[_Part]) -> float:
    """Return the mean time of a call with a part."""
    began = perf_counter_ns()
    for part in parts:
        answer(part)
    return (perf_counter_ns() - began) / len(parts)


def quantiles(took: Sequence[int]) -> Timing:
    """Return the median, and those tails for which there are enough calls."""
    ordered = sorted(took)
    known = ((name, part) for name, part in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)))
    return {name: ordered[int(len(ordered) * part)] for name, part in known if len(ordered) * (1 - part) >= 0.99}


def clock_cost(times: int = 20_000) -> float:
    """Return the median time of reading the clock twice."""
    took = []
    for _ in range(times):
        began = perf_counter_ns()
        took.append(perf_counter_ns() - began)
    return sorted(took)[times // 2]
