"""Threads and processes: how many questions a second, and what each process more holds."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.driver import Effort, Say
from benchmarks.process import Process

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
                process.ask("agree", effort.load_seconds, scale=effort.scale, turns=effort.turns)
            found[name] = {how: _turns(both, how, seconds, turns) for how in ("calls", "page", "mask", "column")}
    return found


def _turns(both: list[Process], how: str, seconds: float, turns: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"1 thread": [], "2 threads": [], "2 processes": []}
    for _ in range(turns):
        for threads, name in ((1, "1 thread"), (2, "2 threads")):
            said = both[0].ask("throughput", how=how, threads=threads, seconds=seconds)
            if not said:
                return {}
            found[name].append(said["per_second"])
        for process in both:
            process.tell("throughput", how=how, threads=1, seconds=seconds)
        found["2 processes"].append(sum(process.hear()["per_second"] for process in both))
    return found


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
            held = [process.ask("held") for process in workers]
            found[name] = {key: [one[key] for one in held] for key in ("rss", "pss", "own")}
    return found
