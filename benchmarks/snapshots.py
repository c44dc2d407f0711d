"""Compile snapshots for the benchmarks, in a process of their own, so that workers only map the file."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks import memory, package
from benchmarks.workload import Columns
from withhold import Snapshot

FILE = "rules.wh"


def compiled(directory: Path) -> dict[str, float]:
    """Compile the columns of a directory to a file in its own process, and return the time and memory."""
    found: dict[str, float] = package.output_of("benchmarks.snapshots", directory)
    return found


def main() -> None:
    """Compile and save; print the seconds and bytes as JSON."""
    package.begin()
    directory = Path(sys.argv[1])
    columns = Columns.opened(directory)
    began = time.perf_counter()
    rules = columns.rule_set()
    made, before = time.perf_counter(), memory.reset_peak()
    snapshot = Snapshot.compile(rules)
    done = time.perf_counter()
    size = snapshot.save(directory / FILE)
    found = {
        "ids": len(columns),
        "rules_s": made - began,
        "compile_s": done - made,
        "save_s": time.perf_counter() - done,
        "file_bytes": size,
        # The memory of compiling does not include the rules, which exist before.
        "peak_bytes": memory.peak() - before,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
