"""The page about structures: the machine, the tables, the meaning of the columns, and the limitations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from benchmarks import machine
from benchmarks.report.tables import table
from withhold.snapshot.buckets import FILLING

COLUMNS = f"""\
The figures are nanoseconds of thread CPU time for one question. A question is about a tweet and its account, each in its own
table (80% and 20% of the ids). Each figure is the median of all turns, with half the width of their middle half.

- `alone`: a fence separates the questions, so that they cannot overlap and the whole latency is measured.
- `in a row`: without fences; wrong predictions of branches cost time instead of waiting.
- `beside work`: like `alone`, but 32 reads in 64 MB before each question empty the nearest caches. The time of no look-up
  is subtracted, because it is that of the clock. This is wall time, and worthless if its spread is wide, as on a busy
  machine.
- `page`: 500 questions at once, with prefetching.
- `hot`: the same 500 misses repeatedly, in a row.
- `hit`: both ids are in the tables; measured like `alone`.
- `×`: the ratio to `one read in each`, by turn. That reads a random word in each of two arrays, which are as large as the
  filter words of the buckets in the package, k = {FILLING}. A smaller structure can be faster than this if the caches
  hold it.
- `passed`: the share of missing tweets that pass the filter.

k is the mean number of ids in a bucket. The structure with `ships` is the one in `withhold/snapshot/buckets.py`."""

LIMITATIONS = """\
The figures do not include the call from Python and the conversion of its ints, which cost more than most of them. They
do not show competing threads, the time to build or change a table, or ids chosen to collide (the hash functions have no
secret). Compiler flags matter, and `CFLAGS` is used: split blocks gain most, with AVX2. Without SSE2 the Swiss
table compares byte by byte. The last-level cache of the machine may hold the largest of these tables, and other users of
the machine may share it. With a smaller cache, structures that read more cache lines become slower. Read the ratios."""


def page(described: dict[str, Any], compiler: str, shown: Sequence[Table]) -> str:
    """Return the whole page as Markdown."""
    lines = [
        "# Data structures for a table of ids",
        "Written by `python -m benchmarks.structures`. Do not edit.",
        f"{machine.summary(described)} · {compiler}",
        "All structures are built from the same ids. Their answers were compared before anything was timed.",
    ]
    for each in shown:
        head, *rows = zip(*([str(column.header), *map(str, column.cells)] for column in each.columns), strict=True)
        lines += [f"## {each.title}", table(head, rows)]
    lines += ["## The columns", COLUMNS, "## Limitations", LIMITATIONS]
    return "\n\n".join(lines) + "\n"
