"""Read XLSX files with openpyxl, row by row. Formulas are not evaluated, and links are not followed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any, NamedTuple

from withhold.demands.intake.columns import Typed
from withhold.demands.intake.tables import MAX_CELLS, Row, too_large
from withhold.errors import DemandError, Place, Problem, how_to_install

#: The largest size of the unpacked parts of a file, in bytes. A small file can claim to contain much more.
MAX_UNPACKED = 1 << 30
# The largest number of blank rows in succession. A file can give its last row any number.
_MOST_BLANK = 100_000


class Sheet(NamedTuple):
    """The rows of one sheet, up to the last one that is not blank."""

    name: str
    rows: list[Row]
    hidden: bool


def read_sheets(data: bytes, file: str) -> list[Sheet]:
    """Return the sheets of an XLSX file, hidden ones included. Raises `DemandError`."""
    try:
        from openpyxl import load_workbook
    except ImportError:
        problem = Problem("no-openpyxl", "XLSX files need openpyxl", Place(file), how_to_install("demands"))
        raise DemandError(problem) from None
    hint = "open it in a spreadsheet program, and save it again as XLSX"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(part.file_size for part in archive.infolist())
        if size > MAX_UNPACKED:
            raise DemandError(  # noqa: TRY301
                Problem("list-too-large", f"it unpacks to {size:,} bytes", Place(file), "split it")
            )
        book = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
        try:
            return [
                Sheet(sheet.title, _trimmed(_rows(sheet, file)), getattr(sheet, "sheet_state", "visible") != "visible")
                for sheet in book.worksheets
            ]
        finally:
            book.close()
    except DemandError:
        raise
    except Exception as error:  # noqa: BLE001  # a damaged file makes openpyxl raise many types
        problem = Problem("not-a-list", f"this is not a readable XLSX file: {type(error).__name__}", Place(file), hint)
        raise DemandError(problem) from None


def _rows(sheet: Any, file: str) -> Iterator[Row]:
    sheet.reset_dimensions()  # a file may claim any: cells outside would be lost, and millions of blank ones made
    cells = blank = 0
    for number, row in enumerate(sheet.iter_rows(), 1):
        texts = [_text(cell) for cell in row]
        while texts and not texts[-1].strip():
            texts.pop()
        cells, blank = cells + len(row), 0 if texts else blank + 1
        if cells > MAX_CELLS or blank > _MOST_BLANK:
            raise DemandError(too_large(file))
        yield Row(number, texts)


def _trimmed(rows: Iterator[Row]) -> list[Row]:
    found = list(rows)
    while found and not any(cell.strip() for cell in found[-1].cells):
        found.pop()
    return found


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return Typed(getattr(value, "text", value))  # array formulas are objects with a text
