"""CSV: tables for spreadsheets. No cell is a formula, even if an order contains one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import singledispatch

from withhold.cli.render import unsupported
from withhold.cli.results import Refusal, RulesResult, TableResult
from withhold.errors import escaped

render = singledispatch(unsupported)

# A spreadsheet treats a cell that begins with one of these as a formula.
_FORMULA = ("=", "+", "-", "@")


@render.register
def _table(result: TableResult) -> Iterator[str]:
    yield from _lines(result.cells())


@render.register
def _rules(result: RulesResult) -> Iterator[str]:
    yield from _lines(result.cells())


@render.register
def _refusal(result: Refusal) -> Iterator[str]:
    rows = (
        [each.code, each.message, str(each.place or result.path), each.hint or ""] for each in result.error.problems
    )
    yield from _lines([["code", "message", "place", "hint"], *rows])


def _lines(rows: Iterator[list[str]] | list[list[str]]) -> Iterator[str]:
    for row in rows:
        with io.StringIO() as line:
            csv.writer(line, lineterminator="").writerow([_cell(cell) for cell in row])
            yield line.getvalue()


def _cell(text: str) -> str:
    """Return text that a spreadsheet shows unchanged."""
    shown = escaped(text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
