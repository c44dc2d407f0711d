"""Throughput with several threads and processes, and the memory of several workers."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.serving.agreement import WrongAnswerError
from benchmarks.serving.driver import Effort, Progress
from benchmarks.serving.process import Process, WorkerLostError

THROUGHPUT = ("withhold", "withhold, pure Python", "frozensets", "dict")
SHARED = ("withhold", "frozensets")
WORKERS = 4


def throughput(directory: Path, effort: Effort, progress: Progress, seconds: float, turns: int) -> dict[str, Any]:
    """Return the questions per second with one thread, two threads, and two processes."""
    found: dict[str, Any] = {}
    for name in THROUGHPUT:
        with ExitStack() as stack:
            both = [stack.enter_context(Process(name, directory)) for _ in range(2)]
            loaded = [process.ask("load", effort.load_seconds) for process in both]
            if any("left_out" in one for one in loaded):
                progress(f"throughput: left out: {name}")
                continue
            progress(f"throughput of {name}")
            for process in both:
                process.send("agree", scale=effort.scale, turns=effort.turns)
                _received(process, effort.load_seconds)
            found[name] = {how: _turns(both, how, seconds, turns) for how in ("calls", "page", "mask", "column")}
    return found


def _turns(both: list[Process], how: str, seconds: float, turns: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"1 thread": [], "2 threads": [], "2 processes": []}
    for _ in range(turns):
        for threads, name in ((1, "1 thread"), (2, "2 threads")):
            both[0].send("throughput", how=how, threads=threads, seconds=seconds)
            rate = _rate(both[0])
            if rate is None:
                return {}
            found[name].append(rate)
        for process in both:
            process.send("throughput", how=how, threads=1, seconds=seconds)
        found["2 processes"].append(sum(filter(None, map(_rate, both))))
    return found


def _rate(process: Process) -> float | None:
    """Return the questions per second, or None if the rival does not support the kind of question."""
    return _received(process).get("per_second")


def _received(process: Process, timeout: float = 120) -> dict[str, Any]:
    """Return a worker's response. Raise an error if the worker found a wrong answer or failed."""
    response = process.receive(timeout)
    if response.get("wrong"):
        raise WrongAnswerError(f"{process.name} is wrong: {response['wrong']}")
    if "left_out" in response:
        raise WorkerLostError(f"{process.name}: {response['left_out']}")
    return response


def sharing(directory: Path, effort: Effort, progress: Progress) -> dict[str, Any]:
    """Return the memory of four workers of each kind after all of them have answered questions."""
    found: dict[str, Any] = {}
    for name in SHARED:
        with ExitStack() as stack:
            workers = [stack.enter_context(Process(name, directory)) for _ in range(WORKERS)]
            progress(f"memory of {WORKERS} workers of {name}")
            # Start all workers before the first one loads, so that the pages that they share remain the same.
            for do in ("ready", "load"):
                responses = [process.ask(do, effort.load_seconds) for process in workers]
            if any("left_out" in one for one in responses):
                continue
            # The kernel divides a page between the workers only once all of them have read it.
            for do in ("answer", "growth"):
                growth = [process.ask(do) for process in workers]
            found[name] = {key: [one[key] for one in growth] for key in ("rss", "pss", "own")}
    return found
