"""Read XLSX files with openpyxl, row by row. Formulas are not evaluated, and links are not followed."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from withhold.demands.intake.cleaning import Linked
from withhold.demands.intake.columns import Typed
from withhold.demands.intake.tables import MAX_CELLS, Row, too_large
from withhold.errors import DemandError, Place, Problem, how_to_install

#: The largest size of the unpacked parts of a file, in bytes. A small file can claim to contain much more.
MAX_UNPACKED = 1 << 30
# The largest number of blank rows in succession. A file can give its last row any number.
_MOST_BLANK = 100_000
# The largest number of cells with links: a link can cover a whole column.
_MOST_LINKS = 2_000_000
_LAST_ROW, _LAST_COLUMN = 1 << 20, 1 << 14
_URL = re.compile(r"\s*[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class Sheet(NamedTuple):
    """The rows of one sheet, up to the last one that is not blank."""

    name: str
    rows: list[Row]
    hidden: bool
    #: The number of cells that have a link and no text.
    blank_links: int


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
            return [_read(book, sheet, file) for sheet in book.worksheets]
        finally:
            book.close()
    except DemandError:
        raise
    except Exception as error:  # noqa: BLE001  # a damaged file makes openpyxl raise many types
        problem = Problem("not-a-list", f"this is not a readable XLSX file: {type(error).__name__}", Place(file), hint)
        raise DemandError(problem) from None


def _read(book: Any, sheet: Any, file: str) -> Sheet:
    links = _links(book, sheet, file)
    rows = _trimmed(_rows(sheet, file, links))
    hidden = getattr(sheet, "sheet_state", "visible") != "visible"
    return Sheet(sheet.title, rows, hidden, len(links))  # those of cells with text were taken out


def _links(book: Any, sheet: Any, file: str) -> dict[tuple[int, int], str]:
    """Return the addresses of links by row and column. Links to files and to mail addresses are left out."""
    from openpyxl.packaging.relationship import get_dependents, get_rels_path
    from openpyxl.utils import range_boundaries
    from openpyxl.xml.functions import iterparse

    # openpyxl reads links only together with the whole sheet in memory.
    archive, part = book._archive, sheet._worksheet_path
    name: str = get_rels_path(part)  # type: ignore[no-untyped-call]
    related = get_dependents(archive, name) if name in archive.namelist() else ()
    addresses = {
        each.Id: each.Target for each in related if each.Type.endswith("/hyperlink") and _URL.match(each.Target)
    }
    found: dict[tuple[int, int], str] = {}
    if not addresses:
        return found
    with archive.open(part) as content:
        for _, element in iterparse(content):
            if element.tag.endswith("}hyperlink"):
                address = addresses.get(next((id_ for key, id_ in element.items() if key.endswith("}id")), None))
                if address is not None:
                    fragment = element.get("location")
                    first_column, first_row, last_column, last_row = range_boundaries(element.get("ref"))
                    rows = range(first_row or 1, (last_row or _LAST_ROW) + 1)
                    columns = range(first_column or 1, (last_column or _LAST_COLUMN) + 1)
                    if len(found) + len(rows) * len(columns) > _MOST_LINKS:
                        message, hint = (
                            f"its links cover more than {_MOST_LINKS:,} cells",
                            "remove links that have no targets",
                        )
                        raise DemandError(Problem("list-too-large", message, Place(file), hint))
                    found.update(
                        dict.fromkeys(product(rows, columns), f"{address}#{fragment}" if fragment else address)
                    )
            element.clear()
    return found


def _rows(sheet: Any, file: str, links: dict[tuple[int, int], str]) -> Iterator[Row]:
    sheet.reset_dimensions()  # a file may claim any: cells outside would be lost, and millions of blank ones made
    cells = blank = 0
    for number, row in enumerate(sheet.iter_rows(), 1):
        texts = [_text(cell) for cell in row]
        if links:
            for at, text in enumerate(texts):
                address = links.pop((number, at + 1), text) if text.strip() else text
                if address != text and not isinstance(text, Typed):
                    texts[at] = Linked(text, address)
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
