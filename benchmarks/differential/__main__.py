"""Ask all implementations the same random questions, and compare the answers.

With --exhaustive, ask every question about a small world instead, which takes some minutes.
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
    """Compare, and print JSON; exit with a message if an answer is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.differential", description=__doc__)
    parser.add_argument("--exhaustive", action="store_true", help="ask every question about a small world")
    parser.add_argument("directory", type=Path, nargs="?", help="the directory with the rules of a benchmark")
    parser.add_argument("count", type=int, nargs="?", help="the number of random questions")
    parser.add_argument("--pure", action="store_true", help=package.HELP)
    options = parser.parse_args()
    if options.exhaustive is (options.count is not None) or (options.exhaustive and options.directory):
        parser.error("give a directory and a count, or `--exhaustive` without them")
    if options.exhaustive:
        sys.exit(comparing.main())  # no time is measured, so this also runs in pure Python
    package.begin()
    try:
        print(json.dumps(rows.compared(Columns.opened(options.directory), options.directory, options.count)))
    except WrongAnswerError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
