"""Impressions: what was shown to viewers where, and how often. CSV, or Parquet where pyarrow is installed."""

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
from withhold.sources.tables import header_hint, not_as_wide, not_csv
from withhold.territories import UNKNOWN_IN_DATA, WORLD, Resolved, is_subdivision, resolve

#: The columns that a file must have, in any order and among others.
COLUMNS = ("tweet", "account", "country", "count")
#: Problems that are told one by one.
TOLD = 100


class Impression(NamedTuple):
    """A tweet, its author or an account alone, shown `count` times to viewers in a country (None: not known where)."""

    tweet: int | None
    account: int | None
    country: str | None
    count: int  # type: ignore[assignment]  # what a tuple has of that name, nobody asks


#: The texts of the four columns of a row.
_Texts = list[str]


def read_traffic(path: str | os.PathLike[str]) -> Iterator[Impression]:
    """Yield the impressions of a file as it is read; about 3 µs each.

    Once something is wrong nothing more is yielded, and when all is read a `TrafficError` says everything that is. So
    what was counted up to then is to be thrown away. Raises `OSError` if the file cannot be opened, and warns with a
    `RuleSetWarning` where a code is read as another for the first time, `UK` as `GB`.
    """
    problems = _Problems(Path(path))
    with problems.path.open("rb") as file:  # once, as a pipe can be
        rows = _parquet_rows(problems) if file.peek(4).startswith(b"PAR1") else _csv_rows(file, problems)
        for texts in rows:
            impression = _impression(texts, problems)
            if impression is not None and not problems.count:
                yield impression
    if problems.count:
        raise TrafficError(*problems.all())


class _Problems:
    """What is wrong in one file, and where its reading has come to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._told: list[Problem] = []
        #: The line or row that is being read, and its text if it has one.
        self.number = 1
        self.line: str | None = None
        #: Where the columns stand in a line.
        self.order: list[int] = []
        #: Codes that were read as others, each of which is told where it comes first.
        self.aliases: set[str] = set()

    def tell(self, code: str, message: str, column: int | None = None, hint: str | None = None) -> None:
        self.count += 1
        if self.count <= TOLD:
            self._told.append(Problem(code, message, self._place(column), hint))

    def read_as(self, country: Resolved) -> str:
        message = f"`{country.alias}` was read as `{country.code}`"
        return str(Problem("territory-alias", message, self._place(2), severity="warning"))

    def all(self) -> list[Problem]:
        untold = self.count - len(self._told)
        more = f"{untold:,} more problem{'s' if untold > 1 else ''} in this file"
        return [*self._told, *([Problem("more-problems", more, Place(str(self.path)))] if untold else [])]

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
    """Read one row; None after telling all that is wrong with it."""
    before = problems.count
    ids: list[int | None] = [None, None]
    for column in (0, 1):
        if text := texts[column]:
            try:
                ids[column] = id_from_text(text, COLUMNS[column])
            except WithholdError as error:
                problems.tell(error.code, error.problem.message, column, error.hint)
    if not texts[0] and not texts[1]:
        problems.tell("no-subject", "neither a tweet nor an account", 0, "name what was shown, one of them or both")
    country = texts[2] or None
    if country is not None:
        found = _country(country)
        if isinstance(found, Problem):
            problems.tell(found.code, found.message, 2, found.hint)
        else:
            country = found.code
            if found.alias and found.alias not in problems.aliases:
                problems.aliases.add(found.alias)
                warnings.warn(problems.read_as(found), RuleSetWarning, stacklevel=3)
    if not (texts[3].isascii() and texts[3].isdigit() and len(texts[3]) < 19):
        hint = "write how often it was shown, such as `900`"
        problems.tell("bad-count", f"count {excerpt(texts[3])} is not a whole number", 3, hint)
    return Impression(ids[0], ids[1], country, int(texts[3])) if problems.count == before else None


@lru_cache(maxsize=1024)
def _country(text: str) -> Resolved | Problem:
    """Read a country; what a location service writes for none is told to be left out."""
    try:
        found = resolve(text)
    except TerritoryError as error:
        unknown = text.strip().upper() in UNKNOWN_IN_DATA
        hint = "leave the country empty where it is not known" if unknown else error.hint
        message = error.problem.message if len(text) <= 20 else f"unknown country {excerpt(text)}"
        return Problem(error.code, message, hint=hint)
    if found.code == WORLD or is_subdivision(found.code):
        hint = "impressions count by country: "
        hint += f"write `{found.code[:2]}`" if found.code != WORLD else "leave it empty where it is not known"
        return Problem("bad-country", f"{quoted(text)} is not a country", hint=hint)
    return found


def _csv_rows(file: BufferedReader, problems: _Problems) -> Iterator[_Texts]:
    """Yield the rows of a CSV file; `problems` knows the line of each."""
    # Bytes that are no UTF-8 turn into characters that are no digits, and are told as such.
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
                    problems.tell("bad-csv", message, hint=hint)
        except csv.Error as error:
            message, hint = not_csv(error)
            problems.tell("bad-csv", message, hint=hint)


def _lines(text: TextIOWrapper, problems: _Problems) -> Iterator[str]:
    for number, line in enumerate(text, 1):
        problems.number, problems.line = number, line
        if not line.startswith("#"):
            yield line


def _ordered(header: list[str], problems: _Problems) -> bool:
    """Note where the columns stand; False after telling that they are not there once each."""
    missing = [f"`{name}`" for name in COLUMNS if header.count(name) != 1]
    if missing:
        expected = ",".join(COLUMNS)
        hint = header_hint(header, expected) or f"the first line is `{expected}`"
        are = "are" if len(missing) > 1 else "is"
        problems.tell("bad-traffic-header", f"{', '.join(missing)} {are} not there, or not once", hint=hint)
        return False
    problems.order = [header.index(name) for name in COLUMNS]
    return True


def _parquet_rows(problems: _Problems) -> Iterator[_Texts]:
    """Yield the rows of a Parquet file as the texts that CSV would have, so that both are read alike."""
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        hint = f"{how_to_install('arrow')}; or write CSV"
        problems.tell("no-pyarrow", "this is Parquet, which needs `pyarrow`", hint=hint)
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
        message = f"this is not Parquet that can be read: {quoted(str(error))}"
        problems.tell("bad-parquet", message, hint="write it anew, or write CSV")
