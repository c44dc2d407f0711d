"""Long lists of ids beside a rule file: CSV with the columns `kind,id`, or plain text with one id a line."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from io import BufferedReader, TextIOWrapper
from pathlib import Path

from withhold.errors import Place, Problem, WithholdError, shown
from withhold.model.ids import IdSet
from withhold.model.precision import Precision
from withhold.sources.entry import id_from_text
from withhold.sources.files import regular

#: Problems of one file that are told one by one; a file that is wrong from end to end would fill the memory.
TOLD = 100
_KINDS = ("account", "tweet")


class IdsFile:
    """Reads one file as a stream: eight bytes of memory for each id, and some 60 while they are sorted.

    `accounts` and `tweets` hold what was good, `problems` what was not. Raises `OSError` if the file cannot
    be opened, and nothing for what is in it.
    """

    def __init__(self, path: Path, kind: str | None, advance: Callable[[int], None]) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._untold = 0
        self._advance = advance
        self._ids: dict[str, array[int]] = {name: array("q") for name in _KINDS}
        # The lines of the record that is being read, for the column of what is wrong in it, and where it begins.
        self._record: list[str] = []
        self._line = 1
        # Bytes that are no UTF-8 turn into characters that are no digits, and are told as such.
        with regular(path).open("rb") as raw, TextIOWrapper(raw, "utf-8-sig", "replace", newline="") as text:
            lines = self._lines(text, raw)
            try:
                self._read(self._columns(lines) if kind is None else self._plain(lines, kind.removesuffix("s")))
            except csv.Error as error:
                message, hint = not_csv(error)
                self._tell("bad-csv", message, hint=hint)
        if self._untold:
            more = f"{self._untold:,} more problem{'s' if self._untold > 1 else ''} in this file"
            self.problems.append(Problem("more-problems", more, Place(str(path))))

    @property
    def accounts(self) -> IdSet:
        return IdSet.from_array(self._ids["account"])

    @property
    def tweets(self) -> IdSet:
        return IdSet.from_array(self._ids["tweet"])

    def _read(self, rows: Iterator[tuple[str, str, int]]) -> None:
        precision = Precision()
        rounded: list[tuple[Place, int]] = []
        suspects = 0
        for kind, text, at in rows:
            if kind not in self._ids:
                self._tell("unknown-kind", f"unknown kind {shown(kind)}", hint="write `account` or `tweet`")
                continue
            try:
                number = id_from_text(text)
            except WithholdError as error:
                self._tell(error.code, error.problem.message, at, error.hint)
                continue
            self._ids[kind].append(number)
            if precision.looks_rounded(number):
                suspects += 1
                if suspects <= TOLD:
                    rounded.append((self._place(at), number))
        if precision.is_lost():
            self.problems += [lost(number, place) for place, number in rounded]
            self._untold += suspects - len(rounded)
        elif precision.is_doubtful():
            self.warnings += [replace(lost(number, place), severity="warning") for place, number in rounded]

    def _columns(self, lines: Iterator[str]) -> Iterator[tuple[str, str, int]]:
        """Yield kind, id and the number of the id's column for each record."""
        rows = csv.reader(lines, strict=True)  # a quote that nothing ends would swallow the ids behind it
        header = [name.strip().lower() for name in next(rows, [])]
        if header.count("kind") != 1 or header.count("id") != 1:
            message = "the columns `kind` and `id` are not there, or not once"
            self._tell("bad-csv-header", message, hint=_header_hint(",".join(header)))
            return
        kind_at, id_at, width = header.index("kind"), header.index("id"), len(header)
        self._next_record()
        for row in rows:
            if len(row) == width:
                kind, text = row[kind_at].strip().lower(), row[id_at].strip()
                if kind or text or any(map(str.strip, row)):
                    yield kind, text, id_at
            elif any(map(str.strip, row)):
                message, hint = not_as_wide(row, width)
                self._tell("bad-csv", message, hint=hint)
            self._next_record()

    def _plain(self, lines: Iterator[str], kind: str) -> Iterator[tuple[str, str, int]]:
        for line in lines:
            text = line.partition("#")[0].strip()
            if text:
                yield kind, text, 0
            self._next_record()

    def _lines(self, lines: TextIOWrapper, raw: BufferedReader) -> Iterator[str]:
        for number, line in enumerate(lines):
            if number % 4096 == 0:
                self._advance(raw.tell())
            self._record.append(line)
            if line.startswith("#") and len(self._record) == 1:
                self._next_record()
            else:
                yield line
        self._advance(raw.tell())

    def _next_record(self) -> None:
        self._line += len(self._record)
        self._record.clear()

    def _place(self, column: int = 0) -> Place:
        """Return where a column of the record begins: its text, behind blanks and quotes' opening."""
        text = "".join(self._record)
        start, quoted = 0, False
        for at, letter in enumerate(text):
            if column == 0:
                break
            quoted ^= letter == '"'
            if letter == "," and not quoted:
                start, column = at + 1, column - 1
        start += len(text[start:]) - len(text[start:].lstrip(" \t"))
        before = text[:start]
        line = before.count("\n") + before.replace("\r\n", "").count("\r")
        return Place(str(self.path), self._line + line, start - max(before.rfind("\n"), before.rfind("\r")))

    def _tell(self, code: str, message: str, column: int = 0, hint: str | None = None) -> None:
        if len(self.problems) < TOLD:
            self.problems.append(Problem(code, message, self._place(column), hint))
        else:
            self._untold += 1


def _header_hint(header: str) -> str:
    if not header:
        return "the file is empty"
    if "\0" in header or "\ufffd" in header or header.startswith("pk"):
        return "this is no text in UTF-8: save it as CSV, in UTF-8"
    if ";" in header or "\t" in header:
        return "the columns are not separated by commas"
    return "the first line is `kind,id`; a plain list of ids is `ids_file: {accounts: …}`"


def not_csv(error: csv.Error) -> tuple[str, str]:
    """Return what to say where a file stops being CSV, and the hint."""
    return f"this is not CSV: {error}", "look for a quote that is not closed"


def not_as_wide(row: Sequence[str], width: int) -> tuple[str, str]:
    """Return what to say of a row that has other columns than the first line, and the hint."""
    return (
        f"columns: {len(row)} here, {width} in the first line",
        "write as many, and a value with a comma in it in quotes",
    )


def lost(number: int, place: Place, remedy: str = "list it in the rule file itself, in quotes") -> Problem:
    """Return the problem of an id that a floating-point number has rounded."""
    hint = f"restore all its digits from its source; if they are exact, {remedy}"
    return Problem("lossy-id", f"id `{number}` looks rounded to what a floating-point number holds", place, hint)
