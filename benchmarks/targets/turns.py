"""Time several functions in turns within one process, on the same questions, in random order."""

from __future__ import annotations

import gc
import random
import statistics
from array import array
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter_ns
from typing import Any, TypeVar

from benchmarks.workload import Pair

_Part = TypeVar("_Part")


def take_turns(
    contenders: Mapping[str, Callable[[_Part], object]], parts: Sequence[_Part], items: int
) -> dict[str, Any]:
    """Return the nanoseconds per item for each contender and turn, without the first turn, which is a warm-up.

    Each turn has new questions, and all contenders get the same ones.
    """
    found: dict[str, list[float]] = {name: [] for name in contenders}
    order = list(contenders)
    # As in a service, the garbage collector runs, but skips loaded data.
    gc.collect()
    gc.freeze()
    for turn, part in enumerate(parts):
        random.Random(turn).shuffle(order)
        for name in order:
            run = contenders[name]
            _touch(part)
            began = perf_counter_ns()
            run(part)
            took = (perf_counter_ns() - began) / items
            if turn:
                found[name].append(took)
    return found


def _touch(part: object) -> None:
    """Read the ids, as a request does, so that the first contender does not pay for loading them into the caches."""
    if isinstance(part, list | tuple):
        for one in part:
            _touch(one)
    elif isinstance(part, array):
        sum(part)


def asking(method: Callable[[int, int], object]) -> Callable[[list[Pair]], None]:
    """Return a function that asks about single pairs. All figures include the loop."""

    def run(pairs: list[Pair]) -> None:
        for tweet, account in pairs:
            method(tweet, account)

    return run


def by_pages(answer: Callable[[Any], object]) -> Callable[[list[Any]], None]:
    """Return a function that asks about whole pages."""

    def run(parts: list[Any]) -> None:
        for part in parts:
            answer(part)

    return run


def ratio(found: dict[str, list[float]], over: str, under: str) -> dict[str, Any]:
    """Return the median and the middle half of the turns' own ratios, and the medians of all contenders.

    Both parts of a ratio were timed within one turn, so a machine that slows down for a while does not change it.
    """
    each = sorted(above / below for above, below in zip(found[over], found[under], strict=True))
    low, middle, high = statistics.quantiles(each, n=4)
    medians = {name: statistics.median(took) for name, took in found.items()}
    # The two contenders of the ratio come first.
    medians = {name: medians[name] for name in (over, under, *found)}
    return {"value": middle, "low": low, "high": high, "ns": medians}
