"""Long lists of ids beside a rule file: CSV with the columns `kind,id`, or plain text with one id a line."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Callable, Iterator
from io import BufferedReader, TextIOWrapper
from pathlib import Path

from withhold.errors import Place, Problem, WithholdError
from withhold.model.ids import IdSet
from withhold.sources.entry import id_from_text
from withhold.sources.precision import Precision

#: Problems of one file that are told one by one; a file that is wrong from end to end would fill the memory.
TOLD = 100
_KINDS = ("account", "tweet")


class IdsFile:
    """Reads one file as a stream: eight bytes of memory for each id, and some 50 while they are sorted.

    `accounts` and `tweets` hold what was good, `problems` what was not. Raises `OSError` if the file cannot
    be opened, and nothing for what is in it.
    """

    def __init__(self, path: Path, kind: str | None, advance: Callable[[int], None]) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self._untold = 0
        self._advance = advance
        self._ids: dict[str, array[int]] = {name: array("q") for name in _KINDS}
        try:
            # Bytes that are no UTF-8 turn into characters that are no digits, and are told as such.
            with path.open("rb") as raw, TextIOWrapper(raw, "utf-8-sig", "replace", newline="") as text:
                lines = self._advancing(text, raw)
                rows = self._column(lines) if kind is None else self._plain(lines, kind.removesuffix("s"))
                self._read(rows)
        except csv.Error as error:
            self._tell(Problem("bad-csv", f"this is not CSV: {error}", Place(str(path))))
        if self._untold:
            message = f"{self._untold:,} more problems in this file"
            self.problems.append(Problem("more-problems", message, Place(str(path))))

    @property
    def accounts(self) -> IdSet:
        return IdSet.from_array(self._ids["account"])

    @property
    def tweets(self) -> IdSet:
        return IdSet.from_array(self._ids["tweet"])

    def _read(self, rows: Iterator[tuple[int, int, str, str]]) -> None:
        precision = Precision()
        rounded: list[tuple[Place, int]] = []
        for line, column, kind, text in rows:
            try:
                number = id_from_text(text)
                self._ids[kind].append(number)
            except (WithholdError, KeyError) as error:
                self._refuse(error, line, column, kind)
                continue
            if precision.looks_rounded(number) and len(rounded) <= TOLD:
                rounded.append((Place(str(self.path), line, column), number))
        if precision.is_lost():
            for place, number in rounded:
                self._tell(lost(number, place))

    def _refuse(self, error: Exception, line: int, column: int, kind: str) -> None:
        if isinstance(error, WithholdError):
            place = Place(str(self.path), line, column)
            self._tell(Problem(error.code, error.problem.message, place, error.hint))
        else:
            hint = "write `account` or `tweet`"
            self._tell(Problem("unknown-kind", f"unknown kind `{kind:.60}`", Place(str(self.path), line), hint))

    def _column(self, lines: Iterator[str]) -> Iterator[tuple[int, int, str, str]]:
        rows = csv.reader(lines)
        header = [name.strip().lower() for name in next(rows, [])]
        if "kind" not in header or "id" not in header:
            hint = "the first line is `kind,id`; a plain list of ids is `ids_file: {accounts: …}`"
            self._tell(
                Problem("bad-csv-header", "the columns `kind` and `id` are missing", Place(str(self.path)), hint)
            )
            return
        kind_at, id_at = header.index("kind"), header.index("id")
        for row in rows:
            if len(row) > max(kind_at, id_at):
                text = row[id_at]
                column = 1 + sum(len(field) + 1 for field in row[:id_at])
                yield rows.line_num, column, row[kind_at].strip().lower(), text.strip()
            elif any(row):
                message = f"a line of {len(row)} columns, where the first has {len(header)}"
                self._tell(Problem("bad-csv", message, Place(str(self.path), rows.line_num)))

    def _plain(self, lines: Iterator[str], kind: str) -> Iterator[tuple[int, int, str, str]]:
        for number, line in enumerate(lines, 1):
            text = line.partition("#")[0]
            if text.strip():
                yield number, 1 + len(text) - len(text.lstrip()), kind, text.strip()

    def _advancing(self, lines: TextIOWrapper, raw: BufferedReader) -> Iterator[str]:
        for number, line in enumerate(lines):
            if number % 4096 == 0:
                self._advance(raw.tell())
            yield line
        self._advance(raw.tell())

    def _tell(self, problem: Problem) -> None:
        if len(self.problems) < TOLD:
            self.problems.append(problem)
        else:
            self._untold += 1


def lost(number: int, place: Place) -> Problem:
    """Return the problem of an id that a floating-point number has rounded."""
    hint = "restore all its digits from its source; if they are exact, quote the id in the rule file"
    return Problem("lossy-id", f"id `{number}` looks rounded to what a floating-point number holds", place, hint)


def size_of(path: Path) -> int:
    """Return the size of a file in bytes, or 0 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
