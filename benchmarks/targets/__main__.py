"""Measure the targets that are ratios within one process: `python -m benchmarks.targets SMALL MEDIUM LARGE TURNS COMPILED`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks import package
from benchmarks.targets import files, shapes, speed, viewers


def main() -> None:
    """Measure, and print JSON. The file comes first, while the process uses little memory."""
    package.begin()
    small, medium, large = map(Path, sys.argv[1:4])
    turns, compiled = int(sys.argv[4]), json.loads(sys.argv[5])
    found = files.measured(small, medium, large, turns, compiled)
    found |= shapes.measured(turns)
    found |= viewers.measured(medium, turns)
    print(json.dumps(found | speed.measured(small, medium, large, turns)))


if __name__ == "__main__":
    main()
