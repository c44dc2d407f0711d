"""`python -m benchmarks.differential DIRECTORY COUNT`: random questions to every way of answering; one answer each.

`--exhaustive` asks every question about a small world instead (`exhaustive.py`), which takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks import package
from benchmarks.differential import comparing, rows
from benchmarks.serving.agreement import WrongAnswerError
from benchmarks.workload import Columns


def main() -> None:
    """Compare, and print JSON; a disagreement ends the process with a message."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.differential", description=__doc__)
    parser.add_argument("--exhaustive", action="store_true", help="ask every question about a small world")
    parser.add_argument("directory", type=Path, nargs="?", help="where the rules of a benchmark are")
    parser.add_argument("count", type=int, nargs="?", help="how many random questions to ask")
    parser.add_argument("--pure", action="store_true", help=package.HELP)
    options = parser.parse_args()
    if options.exhaustive is (options.count is not None) or (options.exhaustive and options.directory):
        parser.error("give a directory and a count, or `--exhaustive` without them")
    if options.exhaustive:
        sys.exit(comparing.main())  # nothing is measured, so this runs without `withhold.native` too
    package.begin()
    try:
        print(json.dumps(rows.compared(Columns.opened(options.directory), options.directory, options.count)))
    except WrongAnswerError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
