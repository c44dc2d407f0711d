"""Read a table: find its header, guess the role of each column, and read the columns that have targets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from withhold.demands.intake.cleaning import SIGNS, has_signs
from withhold.demands.intake.columns import Cell, Draft, Typed, is_handle_list, read_column
from withhold.demands.intake.entries import Bucket, Column, Note, Provenance, Role, note
from withhold.demands.intake.headers import is_header, likely, meaning, plain
from withhold.demands.intake.pieces import read_line
from withhold.errors import DemandError, Place, Problem, quoted

#: The largest number of cells: rows times columns.
MAX_CELLS = 20_000_000
_SAMPLE, _MOST_ROWS_ABOVE = 200, 50


class Row(NamedTuple):
    """A row as received. `line` is that of a text file."""

    number: int
    cells: Sequence[str]
    line: int | None = None


class Table(NamedTuple):
    """What a table contains."""

    drafts: list[Draft]
    columns: list[Column]
    notes: list[Note]


def read_table(rows: Sequence[Row], file: str, sheet: str | None, newest: int, wanted: Collection[str] = ()) -> Table:
    """Read the rows of a table. `wanted` are the headers of the columns to read; by default they are guessed.

    Raises `DemandError` for more than 20 million cells, blank ones included.
    """
    width = max((len(row.cells) for row in rows), default=0)
    if width * len(rows) > MAX_CELLS:
        raise DemandError(too_large(file))
    values = [[row.cells[at] if at < len(row.cells) else "" for row in rows] for at in range(width)]
    header_at = _header(rows, width)
    header = [plain(cell) for cell in rows[header_at].cells] if header_at is not None else []
    begin = 0 if header_at is None else header_at + 1
    columns = [
        _column(file, sheet, at, _cell(rows, header_at, at), values[at][begin:], wanted, width) for at in range(width)
    ]
    read = [at for at, column in enumerate(columns) if column.role not in (Role.SERIAL, Role.OTHER)]
    filled = [sum(bool(cell.strip()) for cell in row.cells) for row in rows]
    above = [index < begin or _is_header(row, header) for index, row in enumerate(rows)]
    drafts: list[list[list[Draft]]] = []
    for at in read:
        cells = [
            Cell(
                "" if above[index] else values[at][index],
                Provenance(file, sheet, row.number, at + 1, row.line),
                filled[index] == 1,
            )
            for index, row in enumerate(rows)
        ]
        declared = columns[at].header is not None and meaning(columns[at].header or "") is not None
        drafts.append(read_column(cells, columns[at].role, newest, declared=declared, is_table=True))
    found: list[Draft] = []
    for index, row in enumerate(rows):
        here = [draft for column in drafts for draft in column[index]]
        if not here and (above[index] or not any(values[at][index].strip() for at in read)):
            raw = " | ".join(cell for cell in row.cells if cell.strip())
            bucket = Bucket.IGNORED if raw else Bucket.BLANK
            here = [Draft(raw, Provenance(file, sheet, row.number, None, row.line), None, bucket)]
        found += here  # without drafts, the row continues a URL above it, and is part of that entry
    return Table(found, columns, _notes(columns, read, values, begin, wanted))


def too_large(file: str) -> Problem:
    """Return the problem that a table has too many cells."""
    hint = "remove columns and rows that have no targets, or split it"
    return Problem("list-too-large", f"it has more than {MAX_CELLS:,} cells, blank ones included", Place(file), hint)


def _cell(rows: Sequence[Row], row: int | None, at: int) -> str | None:
    if row is None or at >= len(rows[row].cells):
        return None
    return rows[row].cells[at].strip() or None


def _header(rows: Sequence[Row], width: int) -> int | None:
    """Return the index of the first row with a known header, if no row above it has a target."""
    seen = 0
    for at, row in enumerate(rows):
        cells = [cell for cell in row.cells if cell.strip()]
        if any(SIGNS.search(cell) for cell in cells) or seen == _MOST_ROWS_ABOVE:
            return None
        if any(map(is_header, cells)) and (len(cells) > 1 or width == 1):
            return at
        seen += bool(cells)
    return None


def _is_header(row: Row, header: Sequence[str]) -> bool:
    return 0 < len(header) == len(row.cells) and all(
        plain(cell) == name for cell, name in zip(row.cells, header, strict=True)
    )


def _column(
    file: str, sheet: str | None, at: int, header: str | None, values: list[str], wanted: Collection[str], width: int
) -> Column:
    filled = [value for value in values if value.strip()]
    role, because = _role(header, filled, width)
    if wanted:
        names = {plain(name) for name in wanted}
        if header is None or plain(header) not in names:
            role, because = Role.OTHER, "it is not one of the columns to read"
        elif role in (Role.OTHER, Role.SERIAL):
            role, because = Role.TARGET, "it is one of the columns to read"
    return Column(file, sheet, at + 1, header, role, because, len(filled))


def _role(header: str | None, filled: list[str], width: int) -> tuple[Role, str]:
    known = meaning(header) if header else None
    if known is not None:
        return known, f"its header is {quoted(header)}"
    if not filled:
        return Role.OTHER, "it is empty"
    unsure = likely(header) if header else None
    role = unsure or Role.TARGET
    sample = filled[:_SAMPLE]
    pure = sum(map(_is_pure, sample, [role] * len(sample)))
    if 2 * pure >= len(sample):
        return role, f"{pure} of its first {len(sample)} cells are targets"
    if (width == 1 or unsure is Role.HANDLE) and is_handle_list(filled):
        return Role.HANDLE, "all its cells are single words"
    return Role.OTHER, "few of its cells are targets"


def _is_pure(value: str, role: Role) -> bool:
    """Return whether a cell has a target and nothing else. An id that is not text counts, so that it is reported."""
    if isinstance(value, Typed):
        return len(value) >= 9
    line = read_line(value, Role.TARGET if role is Role.HANDLE else role, 0)
    return bool(line.pieces) and not line.words and not any(piece.reading.weak for piece in line.pieces)


def _notes(
    columns: list[Column], read: list[int], values: list[list[str]], begin: int, wanted: Collection[str]
) -> list[Note]:
    found = []
    if len(read) > 1 and not wanted:
        names = ", ".join(quoted(columns[at].header or f"column {at + 1}") for at in read)
        hint = "name the columns to read, or confirm that each of them lists targets"
        found.append(note("several-target-columns", f"several columns have targets: {names}", hint))
    for at, column in enumerate(columns):
        if at not in read and (count := sum(map(has_signs, values[at][begin:]))):
            name = quoted(column.header or f"column {at + 1}")
            found.append(note("unread-targets", f"{count:,} cells of {name}, which was not read, seem to have targets"))
    return found
