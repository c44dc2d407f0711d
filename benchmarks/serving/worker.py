"""One rival in a process of its own: `python -m benchmarks.serving.worker NAME DIRECTORY`, told what to do line by line.

A line in is one JSON object with `do`; a line out is the answer to it. It lives as long as its size is measured, so
that all rivals can be asked in turn.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import memory, package
from benchmarks.questions import POOLS, Pool, flat
from benchmarks.rivals import RIVALS
from benchmarks.rivals.rival import LeftOut, Rival
from benchmarks.serving.agreement import disagreement
from benchmarks.serving.scenarios import Scenario, asked, pages, scenarios
from benchmarks.serving.timing import timed
from benchmarks.workload import Columns

#: Seconds that one rival may take for one scenario of a turn; the slow ones are asked fewer questions.
BUDGET = 0.12


class Worker:
    """Does what the driver says."""

    def __init__(self, rival: Rival, directory: Path) -> None:
        self.rival, self.directory = rival, directory
        self.pools: dict[str, Pool] = {}
        self.found: list[Scenario] = []
        self.plan: dict[str, int] = {}
        self.before: dict[str, int] = {}

    def ready(self) -> dict[str, Any]:
        """Say that the process is there, with all that it imports."""
        return {}

    def load(self) -> dict[str, Any]:
        """Take the rules in, and tell how long it took and what is held of it."""
        columns = Columns.opened(self.directory)
        memory.settle()
        self.before, began = memory.held(), time.perf_counter()
        self.rival.load(columns, self.directory)
        seconds = time.perf_counter() - began
        grown = self._grown()
        gc.freeze()
        return {
            "seconds": seconds,
            "memory": self.rival.memory(grown),
            "grown": grown,
            "version": self.rival.version(),
            "note": self.rival.note,
        }

    def agree(self, scale: float, turns: int) -> dict[str, Any]:
        """Plan how much can be asked in a turn, ask all of it once, and tell what is wrong."""
        self.found = scenarios(scale)
        self.pools = {name: Pool.opened(self.directory / f"questions.{name}") for name in POOLS}
        self.plan = self._planned()
        wrong = disagreement(self.rival, self.found, self.plan, self.pools, turns)
        gc.collect()
        gc.freeze()
        return {"wrong": wrong, "plan": self.plan}

    def _planned(self) -> dict[str, int]:
        few = self.pools["hot"].pairs[:50]
        costs = {}
        for scenario in self.found:
            probe = Scenario("probe", "hot", scenario.kind, 50, page=min(scenario.page, 50))
            timed(self.rival, probe, few)
            took = timed(self.rival, probe, few)
            costs[scenario.name] = took.get("mean", took.get("p50", 1.0))
        return {
            scenario.name: _whole(min(scenario.each, int(BUDGET * 1e9 / costs[scenario.name])), scenario)
            for scenario in self.found
        }

    def time(self, scenario: str, turn: int) -> dict[str, Any]:
        """Time one scenario once."""
        chosen = next(one for one in self.found if one.name == scenario)
        self.rival.forget()
        pairs = asked(self.found, chosen, self.pools[chosen.pool].pairs, turn, self.plan[scenario])
        if chosen.pool == "hot":
            timed(self.rival, chosen, pairs[:500])
        return dict(timed(self.rival, chosen, pairs))

    def throughput(self, how: str, threads: int, seconds: float) -> dict[str, Any]:
        """Answer as much as can be for some time, in one or more threads; return questions a second."""
        pairs = self.pools["traffic"].pairs
        size = len(pairs) if how == "column" else 500
        parts, buffers = pages(pairs, size), how in ("mask", "column")
        answer = self._answering("mask" if buffers else how)
        if answer is None:
            return {}
        done = [0] * threads
        ready = threading.Barrier(threads + 1)
        given: list[Any] = [flat(part) for part in parts] if buffers else list(parts)
        # Pages have been compared before; so long a column has not.
        if how == "column" and bytes(map(bool, answer(given[0]))) != self.pools["traffic"].expected:
            return {"wrong": "a long column"}

        def work(number: int) -> None:
            ready.wait()
            end = time.perf_counter() + seconds
            at = number * len(given) // threads
            while time.perf_counter() < end:
                answer(given[at % len(given)])
                done[number] += len(parts[at % len(parts)])
                at += 1

        running = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
        for thread in running:
            thread.start()
        ready.wait()
        began = time.perf_counter()
        for thread in running:
            thread.join()
        return {"per_second": sum(done) / (time.perf_counter() - began)}

    def _answering(self, how: str) -> Callable[[Any], Any] | None:
        mask, check = self.rival.masker(), self.rival.checker()
        if how == "mask":
            return mask and (lambda both: mask(*both))
        return self.rival.page if how == "page" else lambda page: [check(*pair) for pair in page]

    def answer(self) -> dict[str, Any]:
        """Answer for a while."""
        check = self.rival.checker()
        for pair in Pool.opened(self.directory / "questions.traffic").pairs:
            check(*pair)
        return {}

    def held(self) -> dict[str, Any]:
        """Return by how much this process has grown since it was to load, questions left aside."""
        return dict(self._grown())

    def _grown(self) -> dict[str, int]:
        memory.settle()
        after = memory.held()
        return {kind: after[kind] - self.before[kind] for kind in after}


def _whole(count: int, scenario: Scenario) -> int:
    """Return a number of questions that is one page at least, and whole pages."""
    return max(count // scenario.page, 1) * scenario.page if scenario.page else max(count, 30)


def main() -> None:
    """Read lines until there are no more."""
    package.begin()
    name, directory = sys.argv[1], Path(sys.argv[2])
    # What a library prints must not stand among the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    module, _, kind = RIVALS[name].partition(":")
    worker: Worker | None = None
    for line in sys.stdin:
        said = json.loads(line)
        try:
            if worker is None:
                rival: Rival = getattr(import_module(f"benchmarks.rivals.{module}"), kind)()
                worker = Worker(rival, directory)
            found = getattr(worker, said.pop("do"))(**said)
        except LeftOut as error:
            found = {"left_out": str(error)}
        except ImportError as error:
            found = {"left_out": f"not installed here: {error}"}
        except Exception as error:  # noqa: BLE001
            # Somebody else's library: said in the results, and the others go on.
            traceback.print_exc()
            found = {"left_out": f"fails with {type(error).__name__}: {error}"}
        print(json.dumps(found), file=answers, flush=True)
    if worker is not None:
        worker.rival.close()


if __name__ == "__main__":
    main()
