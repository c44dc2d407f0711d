"""The scenarios that are timed: which questions, in which form, and how many in each turn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import cycle, islice

from benchmarks.questions import HITS, HOT
from benchmarks.workload import Pair

#: The scenario of cold misses in a loop, whose figure plots and ratios use.
LOOP = "miss, cold, in a loop"
#: The pools whose questions are used repeatedly, with their sizes.
REPEATED = {"hot": HOT, "hits": HITS}


@dataclass(frozen=True)
class Scenario:
    """A figure to measure in every turn."""

    name: str
    pool: str
    #: `calls`: single calls, each timed. `loop`: the loop is timed, so reading the clock costs nothing. `page`: lists of
    #: pairs. `mask`: two buffers.
    kind: str
    #: The maximum number of questions in a turn. Slow rivals get fewer.
    each: int
    page: int = 0
    #: The index of its first question among those of a turn.
    offset: int = 0


def scenarios(scale: float = 1.0) -> list[Scenario]:
    """Return all scenarios. `scale` shortens each of them."""
    pages = [(page, kind) for kind in ("page", "mask") for page in (50, 500, 2_000)]
    found = [
        Scenario("miss, cold", "cold", "calls", 5_000),
        Scenario(LOOP, "cold", "loop", 10_000),
        Scenario("miss, hot", "hot", "calls", 5_000),
        Scenario("miss, hot, in a loop", "hot", "loop", 10_000),
        Scenario("hit", "hits", "calls", 5_000),
        Scenario("hit, in a loop", "hits", "loop", 5_000),
        Scenario("traffic, in a loop", "traffic", "loop", 10_000),
        *(Scenario(f"{kind} of {page}", "traffic", kind, max(10 * page, 4_000), page) for page, kind in pages),
    ]
    offsets: dict[str, int] = {}
    placed = []
    for scenario in found:
        each = max(int(scenario.each * scale), 2 * scenario.page, 1_000)
        offset = 0 if scenario.pool in REPEATED else offsets.get(scenario.pool, 0)
        placed.append(replace(scenario, each=each, offset=offset))
        offsets[scenario.pool] = offset + each
    return placed


def stride(found: list[Scenario], pool: str) -> int:
    """Return the number of questions from a pool in a turn."""
    return sum(scenario.each for scenario in found if scenario.pool == pool)


def questions_of(found: list[Scenario], scenario: Scenario, pairs: list[Pair], turn: int, count: int) -> list[Pair]:
    """Return the questions of one turn: new ones in each turn, except from pools that are repeated."""
    if scenario.pool in REPEATED:
        return list(islice(cycle(pairs), count))
    start = turn * stride(found, scenario.pool) + scenario.offset
    return pairs[start : start + count]


def pages(pairs: list[Pair], size: int) -> list[list[Pair]]:
    """Split questions into pages."""
    return [pairs[at : at + size] for at in range(0, len(pairs), size)]
