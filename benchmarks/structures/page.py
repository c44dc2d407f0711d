"""The page about structures: on what the figures were taken, the tables, and what they do not show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from benchmarks import machine
from benchmarks.report.tables import table
from withhold.snapshot.buckets import FILLING

COLUMNS = f"""\
Nanoseconds for one question, which is about a tweet and about its account, each in a table of its own (80 and 20 % of
the ids): medians of all turns, half the width of the middle half beside them; thread CPU time. `alone`: a fence between
questions, so that none overlaps with the next, and the whole latency is seen; `in a row`: without it, and with wrong
guesses of branches in place of waiting. `beside work`: as `alone`, but 32 reads of 64 MB before each question have
emptied the nearer caches, and less the time of no look-up, which is that of the clock; it is wall time, worth
nothing where its spread is wide, as on a busy machine. `page`: 500 at once,
prefetched. `hot`: 500 misses again and again, in a row. `hit`: both ids are there, alone. `×` is to `one read in each`,
turn by turn: a random word of two arrays as large as the filter words of the buckets that ship, k = {FILLING}. What is
smaller can be faster than that where the caches hold it. `passed`: what a filter lets through of the tweets that are not
there; k is the mean number of ids in a bucket. `ships`: what `withhold/snapshot/buckets.py` defines."""

UNSAID = """\
The call from Python and the reading of its ints, which cost more than most of these figures;
threads that compete; how long it takes to build, or to change; ids chosen to collide (the mixers have no secret); other
compilers' flags (`CFLAGS` is read; split blocks gain most, with AVX2; without SSE2 the Swiss table here compares
byte by byte). The last cache of the machine may hold the largest of these tables, and neighbours may share it: where it does not,
what reads more lines loses more. Read the ratios."""


def page(described: dict[str, Any], compiler: str, shown: Sequence[Table]) -> str:
    """Return the whole page as Markdown."""
    lines = [
        "# What a table of ids could be made of",
        "Written by `python -m benchmarks.structures`. Do not edit.",
        f"{machine.said(described)} · {compiler}",
        "All structures are built from the same ids, and gave the same answers before anything was timed.",
    ]
    for each in shown:
        head, *rows = zip(*([str(column.header), *map(str, column.cells)] for column in each.columns), strict=True)
        lines += [f"## {each.title}", table(head, rows)]
    lines += ["## What the columns are", COLUMNS, "## What this does not show", UNSAID]
    return "\n\n".join(lines) + "\n"
