"""One size: all rivals are loaded, each agrees with the oracle, and then they are asked in turn, several turns."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarks import memory, oracle, questions, snapshots
from benchmarks.rivals import RIVALS
from benchmarks.rivals.rival import Rival
from benchmarks.serving.agreement import WrongAnswerError
from benchmarks.serving.process import Process, WorkerLostError
from benchmarks.serving.scenarios import scenarios, stride
from benchmarks.workload import Columns, Size

Say = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How long a run takes, and how much a rival may."""

    turns: int
    scale: float
    load_seconds: float
    load_bytes: float


FULL = Effort(turns=9, scale=1.0, load_seconds=300, load_bytes=6e9)
QUICK = Effort(turns=3, scale=0.3, load_seconds=20, load_bytes=1e9)


def prepare(directory: Path, size: Size, effort: Effort) -> dict[str, Any]:
    """Write rules and questions with their answers into a directory, and the snapshot's file."""
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
    say: Say,
    absent: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return what one size costs each rival; those that are `absent` have been told of."""
    say("rules, questions, answers of the reference")
    compiled = prepare(directory, size, effort)
    left_out: dict[str, str] = dict(absent)
    rivals: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        alive: list[Process] = []
        for name in (name for name in names if name not in absent):
            reason = too_large(name, size, effort)
            if reason is None:
                say(f"loading {name}")
                process = stack.enter_context(Process(name, directory))
                reason = _loaded(process, rivals, effort)
            if reason is not None:
                left_out[name] = reason
                say(f"left out: {name}: {reason}")
            else:
                alive.append(process)
        _agree(alive, rivals, left_out, effort, say)
        _timed(alive, rivals, left_out, effort, say)
    lost = {name: found for name, found in rivals.items() if name not in left_out}
    return {"ids": size.ids, "rules": size.rules, "compiled": compiled, "rivals": lost, "left_out": left_out}


def kind_of(name: str) -> type[Rival]:
    """Return the class of a rival; raises `ImportError` where what it is made of is not installed."""
    module, _, kind = RIVALS[name].partition(":")
    found: type[Rival] = getattr(import_module(f"benchmarks.rivals.{module}"), kind)
    return found


def absent(names: Iterable[str]) -> dict[str, str]:
    """Return the rivals that are not to be had here at any size, each with the reason."""
    found: dict[str, str] = {}
    for name in names:
        try:
            reason = kind_of(name).missing()
        except ImportError as error:
            reason = f"not installed here ({error})"
        if reason is not None:
            found[name] = reason
    return found


def too_large(name: str, size: Size, effort: Effort) -> str | None:
    """Return why a rival would not load at a size, by what it was measured to take."""
    rival = kind_of(name)
    wanted = rival.bytes_per_id * size.ids
    if wanted > effort.load_bytes:
        return f"would take about {wanted / 1e9:.0f} GB while it loads; the limit is {effort.load_bytes / 1e9:.0f} GB"
    if wanted > memory.available():
        return f"would take about {wanted / 1e9:.0f} GB while it loads, and {memory.available() / 1e9:.0f} GB are free"
    return None


def _loaded(process: Process, rivals: dict[str, dict[str, Any]], effort: Effort) -> str | None:
    """Load a rival; return why not, if not."""
    found = _asked(process, "load", effort.load_seconds)
    if "left_out" in found:
        return str(found["left_out"])
    rivals[process.name] = {**found, "timings": {}}
    return None


def _asked(process: Process, do: str, patience: float, **said: object) -> dict[str, Any]:
    try:
        return process.ask(do, patience, **said)
    except WorkerLostError as error:
        return {"left_out": str(error)}


def _agree(
    alive: list[Process], rivals: dict[str, dict[str, Any]], left_out: dict[str, str], effort: Effort, say: Say
) -> None:
    """Stop the run if anybody gives a wrong answer."""
    for process in list(alive):
        say(f"checking the answers of {process.name}")
        found = _asked(process, "agree", 2 * effort.load_seconds, scale=effort.scale, turns=effort.turns)
        if "left_out" in found:
            left_out[process.name] = f"asked for its answers: {found['left_out']}"
            alive.remove(process)
        elif found["wrong"]:
            raise WrongAnswerError(f"{process.name} is wrong: {found['wrong']}")
        else:
            rivals[process.name]["asked"] = found["plan"]


def _timed(
    alive: list[Process], rivals: dict[str, dict[str, Any]], left_out: dict[str, str], effort: Effort, say: Say
) -> None:
    """Ask everybody in every turn, in an order that changes, so that a slow moment strikes all alike."""
    for turn in range(effort.turns):
        say(f"turn {turn + 1} of {effort.turns}")
        for scenario in scenarios(effort.scale):
            random.Random(f"{turn} {scenario.name}").shuffle(alive)
            for process in list(alive):
                found: dict[str, Any] = _asked(process, "time", 120, scenario=scenario.name, turn=turn)
                if "left_out" in found:
                    left_out[process.name] = f"timed at `{scenario.name}`: {found['left_out']}"
                    alive.remove(process)
                    continue
                into = rivals[process.name]["timings"].setdefault(scenario.name, {})
                for figure, value in found.items():
                    into.setdefault(figure, []).append(value)
