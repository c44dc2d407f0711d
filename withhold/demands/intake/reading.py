"""Read the files of an order: CSV, XLSX, plain text and mail."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from datetime import datetime
from hashlib import sha256
from pathlib import Path, PurePath

from withhold.demands.intake.columns import Draft
from withhold.demands.intake.entries import Bucket, Column, Note, Provenance, note
from withhold.demands.intake.headers import plain
from withhold.demands.intake.intake import Intake, intake_of
from withhold.demands.intake.mail import parts_of
from withhold.demands.intake.numbers import error, newest_id
from withhold.demands.intake.spreadsheet import read_sheets
from withhold.demands.intake.tables import read_table
from withhold.demands.intake.texts import decode, read_text, rows_of
from withhold.errors import DemandError, Place, Problem, quoted
from withhold.model.instants import utc
from withhold.sources.files import size_of, unreadable
from withhold.sources.root import Root

#: The largest size of a list, in bytes.
MAX_BYTES = 1 << 28
_SHEETS, _TABLES, _TEXTS = (".xlsx", ".xlsm"), (".csv", ".tsv"), (".txt", ".text", ".md", "")
_OTHERS = {
    b"%PDF": "copy its text into a text file, or ask the authority for a spreadsheet",
    b"\xd0\xcf\x11\xe0": "save it as XLSX",
}


def read_lists(
    paths: Iterable[str | os.PathLike[str]], received_at: datetime, *, columns: Collection[str] = ()
) -> Intake:
    """Read all lists of an order into one intake. O(n log n); 100,000 lines take seconds. Opens no connection.

    An id that was created after `received_at` (aware) is an error. `columns` are the headers of the columns to read in
    tables; by default, columns are guessed, and `Intake.columns` shows the guesses.

    Raises `DemandError` with the problems of all files that cannot be read, and `InstantError` for a naive instant.
    """
    reader = _Reader(received_at, columns)
    for path in paths:
        reader.read_path(path)
    return reader.intake()


def read_text_list(text: str, received_at: datetime) -> Intake:
    """Read pasted text as `read_lists` reads a text file, with the same errors.

    >>> from datetime import UTC, datetime
    >>> intake = read_text_list("@User_1\\n\\nhttps://x.com/user_1/", datetime(2021, 2, 4, tzinfo=UTC))
    >>> intake.counts
    {'unique': 1, 'duplicate': 1, 'error': 0, 'blank': 1, 'ignored': 0}
    """
    reader = _Reader(received_at, ())
    reader.read_data(text.encode("utf-8", "replace"), "pasted.txt")
    return reader.intake()


class _Reader:
    """Collects what the files of one order contain."""

    def __init__(self, received_at: datetime, columns: Collection[str]) -> None:
        self._newest = newest_id(utc(received_at, "received_at"))
        self._wanted = columns
        self._drafts: list[Draft] = []
        self._columns: list[Column] = []
        self._notes: list[Note] = []
        self._problems: list[Problem] = []
        self._files: list[tuple[str, str]] = []

    def intake(self) -> Intake:
        headers = {plain(column.header) for column in self._columns if column.header is not None}
        for name in self._wanted:
            if plain(name) not in headers:
                hint = "write one of the headers of the tables"
                self._problems.insert(0, Problem("unknown-column", f"no table has a column {quoted(name)}", hint=hint))
        if self._problems:
            raise DemandError(*self._problems)
        return intake_of(self._drafts, self._columns, self._notes, self._files)

    def read_path(self, path: str | os.PathLike[str]) -> None:
        name = os.fspath(path)
        try:
            if size_of(Path(path)) > MAX_BYTES:
                problem = Problem("list-too-large", f"it has more than {MAX_BYTES:,} bytes", Place(name), "split it")
                self._problems.append(problem)
                return
            data = Root(path).read(path)
        except (OSError, ValueError) as failure:
            self._problems.append(unreadable(failure, Place(name)))
            return
        self._files.append((Path(path).name, sha256(data).hexdigest()))
        before = len(self._drafts)
        problems = len(self._problems)
        try:
            self.read_data(data, name)
        except DemandError as failure:
            self._problems += failure.problems
        found = self._drafts[before:]
        if len(self._problems) == problems and all(draft.reading is None for draft in found):
            hint = "name the column of its targets `url`, `handle`, `tweet id` or `account id`"
            self._problems.append(Problem("no-targets", "the list has no targets", Place(name), hint))

    def read_data(self, data: bytes, name: str, charset: str | None = None) -> None:
        suffix = PurePath(name).suffix.lower()
        for magic, hint in _OTHERS.items():
            if data.startswith(magic):
                raise DemandError(Problem("not-a-list", "files of this format are not read", Place(name), hint))
        if data.startswith(b"PK\3\4") or suffix in _SHEETS:
            self._read_sheets(data, name)
        elif suffix == ".eml":
            self._read_mail(data, name)
        elif suffix in (*_TABLES, *_TEXTS):
            text, notes = decode(data, name, charset)
            self._notes += notes
            rows = rows_of(text, name, is_csv=suffix in _TABLES)
            if rows is None:
                self._drafts += read_text(text, name, self._newest)
            else:
                self._add_table(*read_table(rows, name, None, self._newest, self._wanted))
        else:
            hint = "lists are CSV, XLSX, text (`.txt`) or mail (`.eml`)"
            raise DemandError(Problem("not-a-list", f"{quoted(suffix)} files are not read", Place(name), hint))

    def _add_table(self, drafts: list[Draft], columns: list[Column], notes: list[Note]) -> None:
        self._drafts += drafts
        self._columns += columns
        self._notes += notes

    def _read_sheets(self, data: bytes, name: str) -> None:
        for sheet in read_sheets(data, name):
            if sheet.hidden and sheet.rows:
                self._notes.append(note("hidden-sheet", f"the sheet {quoted(sheet.name)} is hidden, and was read"))
            if sheet.blank_links:
                message = f"{sheet.blank_links:,} blank cells of the sheet {quoted(sheet.name)} have links, which were not read"
                self._notes.append(note("unread-targets", message))
            self._add_table(*read_table(sheet.rows, name, sheet.name, self._newest, self._wanted))

    def _read_mail(self, data: bytes, name: str) -> None:
        try:
            parts = list(parts_of(data))
        except RecursionError:
            hint = "save its lists as files of their own"
            raise DemandError(Problem("not-a-list", "the mail is nested too deeply", Place(name), hint)) from None
        for part in parts:
            if part.type == "text/plain" and part.name is None:
                text, notes = decode(part.data, name, part.charset)
                self._notes += notes
                self._drafts += read_text(text, name, self._newest, is_mail=True)
                continue
            attached = f"{name}/{part.name or part.type.replace('/', '.')}"
            try:
                self.read_data(part.data, attached, part.charset)
            except DemandError as failure:
                hint = "save it as a list of its own, and add that list"
                reading = error("unread-part", f"a part of the mail was not read: {failure.problem.message}", hint)
                self._drafts.append(Draft(part.name or part.type, Provenance(attached), reading, Bucket.ERROR))
