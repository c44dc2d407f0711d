"""What is timed: which questions, one by one or as pages, and how many of them each turn asks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import cycle, islice

from benchmarks.questions import HITS, HOT
from benchmarks.workload import Pair

REPEATED = {"hot": HOT, "hits": HITS}


@dataclass(frozen=True)
class Scenario:
    """One thing to time, in every turn."""

    name: str
    pool: str
    #: `calls`: the clock is read around each. `loop`: around all of them, so that it costs nothing. `page`: lists of
    #: pairs. `mask`: two buffers.
    kind: str
    #: Questions asked in a turn, at the most: slow rivals are asked fewer.
    each: int
    page: int = 0
    #: Where its questions begin among those of a turn.
    offset: int = 0


def scenarios(scale: float = 1.0) -> list[Scenario]:
    """Return all of them; `scale` makes each shorter."""
    pages = [(page, kind) for kind in ("page", "mask") for page in (50, 500, 2_000)]
    found = [
        Scenario("miss, cold", "cold", "calls", 5_000),
        Scenario("miss, cold, in a loop", "cold", "loop", 10_000),
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
    """Return how many questions of a pool a turn asks."""
    return sum(scenario.each for scenario in found if scenario.pool == pool)


def asked(found: list[Scenario], scenario: Scenario, pairs: list[Pair], turn: int, count: int) -> list[Pair]:
    """Return the questions of one turn: new ones each time, but for the pools that are asked again and again."""
    if scenario.pool in REPEATED:
        return list(islice(cycle(pairs), count))
    start = turn * stride(found, scenario.pool) + scenario.offset
    return pairs[start : start + count]


def pages(pairs: list[Pair], size: int) -> list[list[Pair]]:
    """Cut questions into pages."""
    return [pairs[at : at + size] for at in range(0, len(pairs), size)]
