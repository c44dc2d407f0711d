"""Targets of snapshot files: size, time to open, memory of a worker, time and memory to create."""

from __future__ import annotations

import csv
import gc
import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks import memory, package, snapshots
from benchmarks.questions import Pool
from benchmarks.workload import NOW, PLACES, VIEWER, WINDOWS, Columns, Pair
from withhold import Engine, RuleSet, RuleSetWarning, Snapshot, View

Figures = dict[str, dict[str, Any]]


def measured(small: Path, medium: Path, large: Path, turns: int, compiled: dict[str, float]) -> Figures:
    """Return the figures of the largest file, and of compiling ids from CSV."""
    path = large / snapshots.FILE
    size = path.stat().st_size
    questions = Pool.opened(large / "questions.traffic").pairs[:20_000]
    # Open the smallest file first, so that all modules are imported before the largest one.
    held = [(answering(one / snapshots.FILE, questions), min(repeated(gc.collect, turns))) for one in (small, large)]
    (before, alone), (after, mapped) = held
    header = repeated(lambda: Snapshot.open(path, verify="header"), turns)
    full = repeated(lambda: Snapshot.open(path, verify="full"), turns)
    csv_made = from_csv(medium)
    return {
        "gc": {"value": (mapped - alone) * 1e3},
        "file": {"value": size / compiled["ids"]},
        "private": {"value": (after - before) / 1e6},
        "open": spread([took * 1e3 for took in header]),
        "verify": spread([size / took / 1e9 for took in full]),
        "compile": {"value": compiled["ids"] / (compiled["compile_s"] + compiled["save_s"]) / 1e6},
        "compile, memory": {"value": compiled["peak_bytes"] / size},
        "csv": {"value": csv_made["ids"] / csv_made["seconds"] / 1e6},
        "csv, memory": {"value": csv_made["peak_bytes"] / csv_made["file_bytes"]},
    }


def answering(path: Path, questions: list[Pair]) -> int:
    """Answer questions from a file. Return the private memory of this process afterwards."""
    view = Engine(Snapshot.open(path, verify="header")).view(VIEWER, NOW)
    for pair in questions:
        view.withholds(*pair)
    _kept.append(view)
    memory.release()
    return memory.usage()["own"]


#: Keeps views alive, so that their memory is counted.
_kept: list[View] = []


def repeated(run: Callable[[], object], times: int) -> list[float]:
    """Return the seconds of each of several runs."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        found.append(time.perf_counter() - began)
    return found


def spread(values: list[float]) -> dict[str, Any]:
    """Return the median, and the middle half."""
    low, middle, high = statistics.quantiles(values, n=4)
    return {"value": middle, "low": low, "high": high}


def from_csv(directory: Path) -> dict[str, float]:
    """Load and compile rules whose ids are in CSV files, in their own process."""
    written = directory / "csv"
    written.mkdir(exist_ok=True)
    write_csv(Columns.opened(directory), written)
    found: dict[str, float] = package.output_of("benchmarks.targets.files", written)
    return found


def write_csv(columns: Columns, directory: Path) -> None:
    """Write the columns as a rule file with one rule for each place and window, and its ids in a CSV file."""
    rows = sorted(zip(columns.places, columns.windows, columns.on_accounts, columns.ids, strict=True))
    rules = []
    for (place, window), named in groupby(rows, key=lambda row: row[:2]):
        name = f"{PLACES[place]}-{window}"
        with (directory / f"{name}.csv").open("w", encoding="ascii", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("kind", "id"))
            writer.writerows(("account" if on_account else "tweet", id_) for _, _, on_account, id_ in named)
        start, end = (None if bound is None else bound.isoformat() for bound in WINDOWS[window])
        rule = {"id": name, "ids_file": f"{name}.csv", "withheld_in": [PLACES[place]], "reason": "legal_demand"}
        rules.append(rule | {"from": start, "until": end})
    (directory / "rules.json").write_text(json.dumps({"rules": rules}), encoding="ascii")


def main() -> None:
    """Load, compile and save; print the time and memory as JSON."""
    package.begin()
    directory = Path(sys.argv[1])
    memory.release()
    # Some random ids look rounded, which gives warnings.
    warnings.simplefilter("ignore", RuleSetWarning)
    before, began = memory.reset_peak(), time.perf_counter()
    rules = RuleSet.load(directory / "rules.json")
    size = Snapshot.compile(rules).save(directory / snapshots.FILE)
    seconds = time.perf_counter() - began
    ids = sum(len(rule.accounts) + len(rule.tweets) for rule in rules)
    print(json.dumps({"ids": ids, "seconds": seconds, "file_bytes": size, "peak_bytes": memory.peak() - before}))


if __name__ == "__main__":
    main()
