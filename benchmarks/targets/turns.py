"""Contenders that take turns in one process, on the same questions, in an order that changes."""

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
    """Return the nanoseconds of an item for each contender and turn. The first turn warms up.

    A turn has questions that no turn before it had, and all contenders get the same.
    """
    found: dict[str, list[float]] = {name: [] for name in contenders}
    order = list(contenders)
    # As in a service: what is loaded is kept out of the collector's way, and the collector runs.
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
    """Bring the ids themselves near, as they are in a request that has just been read; whoever is first paid else."""
    if isinstance(part, list | tuple):
        for one in part:
            _touch(one)
    elif isinstance(part, array):
        sum(part)


def asking(method: Callable[[int, int], object]) -> Callable[[list[Pair]], None]:
    """Ask one by one; the loop's cost is in everybody's figure."""

    def run(pairs: list[Pair]) -> None:
        for tweet, account in pairs:
            method(tweet, account)

    return run


def by_pages(answer: Callable[[Any], object]) -> Callable[[list[Any]], None]:
    """Ask page by page."""

    def run(parts: list[Any]) -> None:
        for part in parts:
            answer(part)

    return run


def ratio(found: dict[str, list[float]], over: str, under: str) -> dict[str, Any]:
    """Return the ratio of the medians, the middle half of the turns' own ratios, and both medians."""
    each = sorted(above / below for above, below in zip(found[over], found[under], strict=True))
    low, _, high = statistics.quantiles(each, n=4)
    medians = {name: statistics.median(took) for name, took in found.items()}
    # What the ratio is of stands first; who else took turns stands after it.
    medians = {name: medians[name] for name in (over, under, *found)}
    return {"value": medians[over] / medians[under], "low": low, "high": high, "ns": medians}
