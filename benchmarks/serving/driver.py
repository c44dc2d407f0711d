"""Measure one size: load all rivals, compare their answers with the oracle's, and time them in several turns."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarks import memory, oracle, questions, snapshots
from benchmarks.rivals import rival_class
from benchmarks.serving.agreement import WrongAnswerError
from benchmarks.serving.process import Process, WorkerLostError
from benchmarks.serving.scenarios import scenarios, stride
from benchmarks.workload import Columns, Size

#: Reports the current step.
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """The length of a run, and the limits of a rival."""

    turns: int
    scale: float
    load_seconds: float
    load_bytes: float


FULL = Effort(turns=9, scale=1.0, load_seconds=300, load_bytes=6e9)
QUICK = Effort(turns=3, scale=0.3, load_seconds=20, load_bytes=1e9)


def prepare(directory: Path, size: Size, effort: Effort) -> dict[str, Any]:
    """Write rules, questions with their answers, and the snapshot file into a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    columns = Columns.made(size)
    columns.save(directory)
    found = scenarios(effort.scale)
    cold, traffic = (effort.turns * stride(found, pool) for pool in ("cold", "traffic"))
    pools = oracle.judged(columns, questions.drawn(columns, cold=cold, traffic=traffic))
    for name, pool in pools.items():
        pool.save(directory / f"questions.{name}")
    return dict(snapshots.compiled(directory))


def measured(
    directory: Path,
    size: Size,
    names: Iterable[str],
    effort: Effort,
    progress: Progress,
    absent: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the figures of each rival for one size. Rivals in `absent` are left out with the given reasons."""
    progress("generating rules, questions and right answers")
    compiled = prepare(directory, size, effort)
    left_out: dict[str, str] = dict(absent)
    rivals: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        alive: list[Process] = []
        for name in (name for name in names if name not in absent):
            reason = too_large(name, size, effort)
            if reason is None:
                progress(f"loading {name}")
                process = stack.enter_context(Process(name, directory))
                reason = _loaded(process, rivals, effort)
            if reason is not None:
                left_out[name] = reason
                progress(f"left out: {name}: {reason}")
            else:
                alive.append(process)
        _agree(alive, rivals, left_out, effort, progress)
        _timed(alive, rivals, left_out, effort, progress)
    timed = {name: found for name, found in rivals.items() if name not in left_out}
    return {"ids": size.ids, "rules": size.rules, "compiled": compiled, "rivals": timed, "left_out": left_out}


def absent(names: Iterable[str]) -> dict[str, str]:
    """Return the rivals that cannot be measured on this machine at any size, with the reasons."""
    found: dict[str, str] = {}
    for name in names:
        try:
            reason = rival_class(name).missing()
        except ImportError as error:
            reason = f"not installed ({error})"
        if reason is not None:
            found[name] = reason
    return found


def too_large(name: str, size: Size, effort: Effort) -> str | None:
    """Return the reason if a rival would need too much memory at a size, or None."""
    rival = rival_class(name)
    wanted = rival.bytes_per_id * size.ids
    if wanted > effort.load_bytes:
        return f"would need about {wanted / 1e9:.0f} GB to load; the limit is {effort.load_bytes / 1e9:.0f} GB"
    if wanted > memory.available():
        return f"would need about {wanted / 1e9:.0f} GB to load; {memory.available() / 1e9:.0f} GB are free"
    return None


def _loaded(process: Process, rivals: dict[str, dict[str, Any]], effort: Effort) -> str | None:
    """Load a rival. Return the reason if it fails, otherwise None."""
    found = _call(process, "load", effort.load_seconds)
    if "left_out" in found:
        return str(found["left_out"])
    rivals[process.name] = {**found, "timings": {}}
    return None


def _call(process: Process, do: str, timeout: float, **arguments: object) -> dict[str, Any]:
    """Call a worker. If it is lost, return the reason as `left_out`."""
    try:
        return process.ask(do, timeout, **arguments)
    except WorkerLostError as error:
        return {"left_out": str(error)}


def _agree(
    alive: list[Process],
    rivals: dict[str, dict[str, Any]],
    left_out: dict[str, str],
    effort: Effort,
    progress: Progress,
) -> None:
    """Compare the answers of all rivals. Raise `WrongAnswerError` if one is wrong."""
    for process in list(alive):
        progress(f"checking the answers of {process.name}")
        found = _call(process, "agree", 2 * effort.load_seconds, scale=effort.scale, turns=effort.turns)
        if "left_out" in found:
            left_out[process.name] = f"while its answers were checked: {found['left_out']}"
            alive.remove(process)
        elif found["wrong"]:
            raise WrongAnswerError(f"{process.name} is wrong: {found['wrong']}")
        else:
            rivals[process.name]["plan"] = found["plan"]


def _timed(
    alive: list[Process],
    rivals: dict[str, dict[str, Any]],
    left_out: dict[str, str],
    effort: Effort,
    progress: Progress,
) -> None:
    """Time all rivals in every turn, in random order, so that a slow moment affects all of them."""
    for turn in range(effort.turns):
        progress(f"turn {turn + 1} of {effort.turns}")
        for scenario in scenarios(effort.scale):
            random.Random(f"{turn} {scenario.name}").shuffle(alive)
            for process in list(alive):
                found: dict[str, Any] = _call(process, "time", 120, scenario=scenario.name, turn=turn)
                if "left_out" in found:
                    left_out[process.name] = f"while it was timed at `{scenario.name}`: {found['left_out']}"
                    alive.remove(process)
                    continue
                into = rivals[process.name]["timings"].setdefault(scenario.name, {})
                for figure, value in found.items():
                    into.setdefault(figure, []).append(value)
