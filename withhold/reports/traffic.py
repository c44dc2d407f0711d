"""Read impressions from CSV or Parquet: which tweets were shown, in which countries, and how often."""

from __future__ import annotations

import csv
import importlib
import os
import warnings
from collections.abc import Iterator
from functools import lru_cache
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import Any, NamedTuple

from withhold.errors import (
    Place,
    Problem,
    RuleSetWarning,
    TerritoryError,
    TrafficError,
    WithholdError,
    excerpt,
    how_to_install,
    quoted,
)
from withhold.parsing.ids import id_from_text
from withhold.sources.files import more_in
from withhold.sources.tables import header_hint, not_as_wide, not_csv
from withhold.territories import UNKNOWN_IN_DATA, WORLD, Resolved, is_subdivision, resolve

#: The required columns, in any order; a file may have others.
COLUMNS = ("tweet", "account", "country", "count")
#: The maximum number of problems of a file that are listed.
MAX_PROBLEMS = 100


class Impression(NamedTuple):
    """A tweet, an account or both, shown `count` times to viewers in a country (None: unknown)."""

    tweet: int | None
    account: int | None
    country: str | None
    count: int  # type: ignore[assignment]  # hides a method of tuples


#: The texts of the four columns of a row.
_Texts = list[str]


def read_traffic(path: str | os.PathLike[str]) -> Iterator[Impression]:
    """Yield the impressions of a file while it is read, in about 3 µs each.

    After the first problem, no more impressions are yielded. At the end of the file, a `TrafficError` lists the
    problems, and all sums so far must be discarded. Raises `OSError` if the file cannot be opened. Issues a
    `RuleSetWarning` where a code is first read as another, such as `UK` as `GB`.
    """
    problems = _Problems(Path(path))
    with problems.path.open("rb") as file:  # opened once, since it may be a pipe
        rows = _parquet_rows(problems) if file.peek(4).startswith(b"PAR1") else _csv_rows(file, problems)
        for texts in rows:
            impression = _impression(texts, problems)
            if impression is not None and not problems.count:
                yield impression
    if problems.count:
        raise TrafficError(*problems.all())


class _Problems:
    """The problems of one file, and the current position in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._reported: list[Problem] = []
        #: The number of the current line or row, and the text of a line.
        self.number = 1
        self.line: str | None = None
        #: The positions of `COLUMNS` in a row.
        self.order: list[int] = []
        #: Codes that were read as others; each is reported where it first occurs.
        self.aliases: set[str] = set()

    def add(self, code: str, message: str, column: int | None = None, hint: str | None = None) -> None:
        self.count += 1
        if self.count <= MAX_PROBLEMS:
            self._reported.append(Problem(code, message, self._place(column), hint))

    def read_as(self, country: Resolved) -> str:
        message = f"`{country.alias}` was read as `{country.code}`"
        return str(Problem("territory-alias", message, self._place(2), severity="warning"))

    def all(self) -> list[Problem]:
        left = self.count - len(self._reported)
        return [*self._reported, *([more_in(self.path, left)] if left else [])]

    def _place(self, column: int | None) -> Place | str:
        if self.line is None:
            name = f", {COLUMNS[column]}" if column is not None else ""
            return f"{self.path}, row {self.number:,}{name}"
        before, quoted = self.order[column] if column is not None and self.order else 0, False
        start = 0
        for at, letter in enumerate(self.line):
            if not before:
                break
            quoted ^= letter == '"'
            if letter == "," and not quoted:
                start, before = at + 1, before - 1
        return Place(str(self.path), self.number, start + 1)


def _impression(texts: _Texts, problems: _Problems) -> Impression | None:
    """Return the impression of one row, or None after reporting all problems of the row."""
    before = problems.count
    ids: list[int | None] = [None, None]
    for column in (0, 1):
        if text := texts[column]:
            try:
                ids[column] = id_from_text(text, COLUMNS[column])
            except WithholdError as error:
                problems.add(error.code, error.problem.message, column, error.hint)
    if not texts[0] and not texts[1]:
        problems.add(
            "no-subject", "neither a tweet nor an account", 0, "give the id of the tweet, of the account, or of both"
        )
    country = texts[2] or None
    if country is not None:
        found = _country(country)
        if isinstance(found, Problem):
            problems.add(found.code, found.message, 2, found.hint)
        else:
            country = found.code
            if found.alias and found.alias not in problems.aliases:
                problems.aliases.add(found.alias)
                warnings.warn(problems.read_as(found), RuleSetWarning, stacklevel=3)
    if not (texts[3].isascii() and texts[3].isdigit() and len(texts[3]) < 19):
        hint = "write how often it was shown, such as `900`"
        problems.add("bad-count", f"count {excerpt(texts[3])} is not a whole number", 3, hint)
    return Impression(ids[0], ids[1], country, int(texts[3])) if problems.count == before else None


@lru_cache(maxsize=1024)
def _country(text: str) -> Resolved | Problem:
    """Return a country, or the problem with it. For codes of an unknown country, the hint is to leave the field empty."""
    try:
        found = resolve(text)
    except TerritoryError as error:
        unknown = text.strip().upper() in UNKNOWN_IN_DATA
        hint = "leave the country empty if it is unknown" if unknown else error.hint
        message = error.problem.message if len(text) <= 20 else f"unknown country {excerpt(text)}"
        return Problem(error.code, message, hint=hint)
    if found.code == WORLD or is_subdivision(found.code):
        hint = "impressions are counted by country: "
        hint += f"write `{found.code[:2]}`" if found.code != WORLD else "leave it empty if it is unknown"
        return Problem("bad-country", f"{quoted(text)} is not a country", hint=hint)
    return found


def _csv_rows(file: BufferedReader, problems: _Problems) -> Iterator[_Texts]:
    """Yield the rows of a CSV file, and record the line of each in `problems`."""
    # Bytes that are not UTF-8 become characters that are not digits, and are then reported as a bad id.
    with TextIOWrapper(file, "utf-8-sig", "replace", newline="") as text:
        rows = csv.reader(_lines(text, problems), strict=True)
        try:
            header = [name.strip().lower() for name in next(rows, [])]
            if not _ordered(header, problems):
                return
            tweet, account, country, count = problems.order
            for row in rows:
                if len(row) == len(header):
                    yield [row[at].strip() for at in (tweet, account, country, count)]
                elif any(map(str.strip, row)):
                    message, hint = not_as_wide(row, len(header))
                    problems.add("bad-csv", message, hint=hint)
        except csv.Error as error:
            message, hint = not_csv(error)
            problems.add("bad-csv", message, hint=hint)


def _lines(text: TextIOWrapper, problems: _Problems) -> Iterator[str]:
    for number, line in enumerate(text, 1):
        problems.number, problems.line = number, line
        if not line.startswith("#"):
            yield line


def _ordered(header: list[str], problems: _Problems) -> bool:
    """Record the positions of the columns. If columns are missing or repeated, report them and return False."""
    missing = [f"`{name}`" for name in COLUMNS if header.count(name) != 1]
    if missing:
        expected = ",".join(COLUMNS)
        hint = header_hint(header, expected) or f"the first line must be `{expected}`"
        are = "are" if len(missing) > 1 else "is"
        problems.add("bad-traffic-header", f"{', '.join(missing)} {are} missing or repeated", hint=hint)
        return False
    problems.order = [header.index(name) for name in COLUMNS]
    return True


def _parquet_rows(problems: _Problems) -> Iterator[_Texts]:
    """Yield the rows of a Parquet file as text, like rows of CSV, so that one function reads both."""
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        hint = f"{how_to_install('arrow')}; or write CSV"
        problems.add("no-pyarrow", "this is a Parquet file, which requires `pyarrow`", hint=hint)
        return
    try:
        file = parquet.ParquetFile(problems.path)
        if not _ordered(list(file.schema_arrow.names), problems):
            return
        for batch in file.iter_batches(columns=list(COLUMNS)):
            columns = [batch.column(name).to_pylist() for name in COLUMNS]
            for row in zip(*columns, strict=True):
                yield ["" if value is None else str(value).strip() for value in row]
                problems.number += 1
    except (importlib.import_module("pyarrow").ArrowException, OSError) as error:
        message = f"this Parquet file cannot be read: {quoted(str(error))}"
        problems.add("bad-parquet", message, hint="write it again, or write CSV")
