"""Run one rival in its own process: `python -m benchmarks.serving.worker NAME DIRECTORY`.

Each line of input is a JSON object whose `do` names a method of `Worker`; each line of output is the response. The
process lives until its size is measured, so that the rivals can be timed in turns.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import memory, package
from benchmarks.questions import POOLS, Pool, flat
from benchmarks.rivals import rival_class
from benchmarks.rivals.rival import LeftOut, Rival
from benchmarks.serving.agreement import disagreement
from benchmarks.serving.scenarios import Scenario, pages, questions_of, scenarios
from benchmarks.serving.timing import timed
from benchmarks.workload import Columns

#: Seconds for one scenario of a turn; slow rivals get fewer questions.
BUDGET = 0.12


class Worker:
    """The methods that the driver calls."""

    def __init__(self, rival: Rival, directory: Path) -> None:
        self.rival, self.directory = rival, directory
        self.pools: dict[str, Pool] = {}
        self.found: list[Scenario] = []
        self.plan: dict[str, int] = {}
        self.before: dict[str, int] = {}

    def ready(self) -> dict[str, Any]:
        """Respond once the process has started and imported everything."""
        return {}

    def load(self) -> dict[str, Any]:
        """Load the rules, and return the time and the memory that this took."""
        columns = Columns.opened(self.directory)
        memory.release()
        self.before, began = memory.usage(), time.perf_counter()
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
        """Plan the number of questions in a turn, ask all of them once, and return the first mistake."""
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
        pairs = questions_of(self.found, chosen, self.pools[chosen.pool].pairs, turn, self.plan[scenario])
        if chosen.pool == "hot":
            timed(self.rival, chosen, pairs[:500])
        return dict(timed(self.rival, chosen, pairs))

    def throughput(self, how: str, threads: int, seconds: float) -> dict[str, Any]:
        """Answer questions for some seconds in one or more threads. Return the questions per second."""
        pairs = self.pools["traffic"].pairs
        size = len(pairs) if how == "column" else 500
        parts, buffers = pages(pairs, size), how in ("mask", "column")
        answer = self._answering("mask" if buffers else how)
        if answer is None:
            return {}
        done = [0] * threads
        ready = threading.Barrier(threads + 1)
        given: list[Any] = [flat(part) for part in parts] if buffers else list(parts)
        # The answers to pages have been compared before, but not those to a long column.
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
        """Answer the questions of the traffic once."""
        check = self.rival.checker()
        for pair in Pool.opened(self.directory / "questions.traffic").pairs:
            check(*pair)
        return {}

    def growth(self) -> dict[str, Any]:
        """Return the growth of this process since it began to load, without the questions."""
        return dict(self._grown())

    def _grown(self) -> dict[str, int]:
        memory.release()
        after = memory.usage()
        return {kind: after[kind] - self.before[kind] for kind in after}


def _whole(count: int, scenario: Scenario) -> int:
    """Return the number of questions, rounded to whole pages, and at least one page."""
    return max(count // scenario.page, 1) * scenario.page if scenario.page else max(count, 30)


def main() -> None:
    """Respond to requests until the input ends."""
    package.begin()
    name, directory = sys.argv[1], Path(sys.argv[2])
    # A library may print to standard output, which must not mix with the responses.
    answers, sys.stdout = sys.stdout, sys.stderr
    worker: Worker | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if worker is None:
                worker = Worker(rival_class(name)(), directory)
            found = getattr(worker, request.pop("do"))(**request)
        except LeftOut as error:
            found = {"left_out": str(error)}
        except ImportError as error:
            found = {"left_out": f"not installed: {error}"}
        except Exception as error:  # noqa: BLE001
            # An error of another library is reported in the results, and the run continues.
            traceback.print_exc()
            found = {"left_out": f"fails with {type(error).__name__}: {error}"}
        print(json.dumps(found), file=answers, flush=True)
    if worker is not None:
        worker.rival.close()


if __name__ == "__main__":
    main()
