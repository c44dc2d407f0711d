"""Snapshots for the benchmarks: compiled in a process that ends, and mapped by those that serve."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import memory, package
from benchmarks.workload import Columns
from withhold import Snapshot

FILE = "rules.wh"


def compiled(directory: Path) -> dict[str, float]:
    """Compile the columns of a directory to a file, in a process of its own, and return what it took."""
    done = subprocess.run(package.command("benchmarks.snapshots", directory), check=True, stdout=subprocess.PIPE)  # noqa: S603
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Compile and save; print seconds and bytes."""
    package.begin()
    directory = Path(sys.argv[1])
    columns = Columns.opened(directory)
    began = time.perf_counter()
    rules = columns.rule_set()
    made, before = time.perf_counter(), memory.watch_peak()
    snapshot = Snapshot.compile(rules)
    done = time.perf_counter()
    size = snapshot.save(directory / FILE)
    found = {
        "ids": len(columns),
        "rules_s": made - began,
        "compile_s": done - made,
        "save_s": time.perf_counter() - done,
        "file_bytes": size,
        # The rules themselves are there before compiling starts, and are no part of what it takes.
        "peak_bytes": memory.peak() - before,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
