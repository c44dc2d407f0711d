"""Threads and processes: how many questions a second, and what each process more holds."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.serving.agreement import WrongAnswerError
from benchmarks.serving.driver import Effort, Say
from benchmarks.serving.process import Process, WorkerLostError

THROUGHPUT = ("withhold", "withhold, pure Python", "frozensets", "dict")
SHARED = ("withhold", "frozensets")
WORKERS = 4


def throughput(directory: Path, effort: Effort, say: Say, seconds: float, turns: int) -> dict[str, Any]:
    """Return questions a second with one and two threads, one and two processes."""
    found: dict[str, Any] = {}
    for name in THROUGHPUT:
        with ExitStack() as stack:
            both = [stack.enter_context(Process(name, directory)) for _ in range(2)]
            loaded = [process.ask("load", effort.load_seconds) for process in both]
            if any("left_out" in one for one in loaded):
                say(f"throughput: without {name}")
                continue
            say(f"throughput of {name}")
            for process in both:
                process.tell("agree", scale=effort.scale, turns=effort.turns)
                _heard(process, effort.load_seconds)
            found[name] = {how: _turns(both, how, seconds, turns) for how in ("calls", "page", "mask", "column")}
    return found


def _turns(both: list[Process], how: str, seconds: float, turns: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"1 thread": [], "2 threads": [], "2 processes": []}
    for _ in range(turns):
        for threads, name in ((1, "1 thread"), (2, "2 threads")):
            both[0].tell("throughput", how=how, threads=threads, seconds=seconds)
            rate = _rate(both[0])
            if rate is None:
                return {}
            found[name].append(rate)
        for process in both:
            process.tell("throughput", how=how, threads=1, seconds=seconds)
        found["2 processes"].append(sum(filter(None, map(_rate, both))))
    return found


def _rate(process: Process) -> float | None:
    """Return questions a second, if it can be asked in this way."""
    return _heard(process).get("per_second")


def _heard(process: Process, patience: float = 120) -> dict[str, Any]:
    """Return what a worker says; stop the run at a wrong answer, and if there is none."""
    said = process.hear(patience)
    if said.get("wrong"):
        raise WrongAnswerError(f"{process.name} is wrong: {said['wrong']}")
    if "left_out" in said:
        raise WorkerLostError(f"{process.name}: {said['left_out']}")
    return said


def sharing(directory: Path, effort: Effort, say: Say) -> dict[str, Any]:
    """Return what four workers of a kind hold together, once all of them have answered."""
    found: dict[str, Any] = {}
    for name in SHARED:
        with ExitStack() as stack:
            workers = [stack.enter_context(Process(name, directory)) for _ in range(WORKERS)]
            say(f"memory of {WORKERS} workers of {name}")
            # All of them are there before the first one loads: what they share does not change any more.
            for do in ("ready", "load"):
                said = [process.ask(do, effort.load_seconds) for process in workers]
            if any("left_out" in one for one in said):
                continue
            # A page that one of them has read is one fourth of each only when all have read it.
            for do in ("answer", "held"):
                held = [process.ask(do) for process in workers]
            found[name] = {key: [one[key] for one in held] for key in ("rss", "pss", "own")}
    return found
