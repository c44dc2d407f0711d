"""Decode plain text and mail, split them into lines or columns, and read these."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from withhold.demands.intake.columns import Cell, Draft, is_handle_list, read_column
from withhold.demands.intake.entries import Bucket, Note, Provenance, Role, note
from withhold.demands.intake.headers import is_header
from withhold.demands.intake.tables import Row
from withhold.errors import DemandError, Place, Problem, quoted
from withhold.sources.tables import not_csv

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_BREAK = re.compile(r"\r\n|\r|\n")
_SEP = re.compile(r"\ufeff?\"?sep=([,;\t|])\"?\s*", re.IGNORECASE)
# A text with fewer lines is not read as a table, because its separators may be chance.
_FEWEST_ROWS = 3
# A line below which a mail has only its signature (RFC 3676, section 4.3).
_SIGNATURE = "-- "


def decode(data: bytes, file: str, charset: str | None = None) -> tuple[str, list[Note]]:
    """Return the text of a file, and a note if its encoding had to be guessed. Raises `DemandError` for binary data."""
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), None)
    even, odd = data[:1000:2].count(0), data[1:1000:2].count(0)
    if encoding is None and 3 * max(even, odd) > min(len(data), 1000) and not even * odd:  # ASCII letters, mostly
        encoding = "utf-16-le" if odd else "utf-16-be"
    for name in filter(None, (encoding, charset, "utf-8")):
        try:
            text = data.decode(name)
        except (LookupError, ValueError):  # a mail may state any charset
            continue
        if "\0" in text:
            break
        return text, []
    if encoding is None and b"\0" not in data:
        return data.decode("cp1252", "replace"), [
            note("guessed-encoding", "the file is not UTF-8, and was read as Windows-1252")
        ]
    raise DemandError(Problem("not-a-list", "this is not text", Place(file), "save the list as text, CSV or XLSX"))


def rows_of(text: str, file: str, *, is_csv: bool) -> list[Row] | None:
    """Return the rows of a table with commas, semicolons or tabs, or None if the text is not one.

    A file that `is_csv` is a table in any case. Raises `DemandError` if its quotes are not closed.
    """
    begin = _SEP.match(text)
    if begin:
        return list(_parsed(text[begin.end() :], begin[1], file, 1))
    delimiter = _delimiter(text, ",;\t" if is_csv else "\t;")
    if not is_csv and (delimiter is None or len(_BREAK.split(text.strip())) < _FEWEST_ROWS):
        return None
    return list(_parsed(text, delimiter or ",", file, 0))


def _delimiter(text: str, allowed: str) -> str | None:
    """Return the delimiter that gives most of the first lines the same number of columns, or None."""
    sample = [line for line in _BREAK.split(text[:50_000])[:100] if line.strip()]
    best: tuple[int, str] | None = None
    for delimiter in allowed:
        widths = Counter(len(row) for row in csv.reader(sample, delimiter=delimiter) if row)
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        several = sum(found for size, found in widths.items() if size > 1)
        if width > 1 and 2 * count > len(sample) and (best is None or several > best[0]):
            best = several, delimiter
    return best[1] if best else None


def _parsed(text: str, delimiter: str, file: str, lines_above: int) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    above = 0
    try:
        for number, cells in enumerate(reader, 1):
            yield Row(number + lines_above, cells, above + 1 + lines_above)
            above = reader.line_num
    except csv.Error as error:
        message, hint = not_csv(error)
        raise DemandError(Problem("bad-csv", message, Place(file, above + 1 + lines_above), hint)) from None


def read_text(text: str, file: str, newest: int, *, is_mail: bool = False) -> list[Draft]:
    """Read a text line by line. Single words are handles if all lines are single words, but never in a mail."""
    lines = _BREAK.split(text)
    if lines[-1] == "":
        lines.pop()
    cells: list[Cell] = []
    page = 1
    for number, line in enumerate(lines, 1):
        page += line.count("\f")
        raw = line.replace("\f", " ")
        quoting = re.match(r"(?:>\s?)*", raw)
        cells.append(Cell(raw[quoting.end() :] if quoting else raw, Provenance(file, line=number, page=page)))
    first = next((at for at, cell in enumerate(cells) if cell.raw.strip()), 0)
    signature = next((at for at, cell in enumerate(cells) if cell.raw == _SIGNATURE), len(cells))
    header = cells[first].raw.strip() if cells and is_header(cells[first].raw) else None
    body = [cell._replace(raw="") if cell.raw.strip() == header else cell for cell in cells[:signature]]
    is_list = not is_mail and signature == len(cells) and is_handle_list([cell.raw for cell in body])
    if page == 1:
        cells = [cell._replace(provenance=cell.provenance._replace(page=None)) for cell in cells]
        body = [cell._replace(provenance=cell.provenance._replace(page=None)) for cell in body]
    found = read_column(body, Role.HANDLE if is_list else Role.TARGET, newest)
    drafts = list(_in_order(cells, body, found))
    return drafts + list(_signature(cells[signature:], newest))


def _in_order(cells: Sequence[Cell], body: Sequence[Cell], found: list[list[Draft]]) -> Iterator[Draft]:
    for cell, read, here in zip(cells, body, found, strict=False):
        yield from here
        if not here and not read.raw.strip():  # otherwise it continues a URL above it, and is part of that entry
            yield Draft(cell.raw, cell.provenance, None, Bucket.IGNORED if cell.raw.strip() else Bucket.BLANK)


def _signature(cells: Sequence[Cell], newest: int) -> Iterator[Draft]:
    """Yield the drafts of the text below the line `-- `. A target there is an error: it belongs to the sender."""
    for draft in (draft for here in read_column(cells, Role.TARGET, newest) for draft in here):
        if draft.reading is not None and draft.reading.key is not None:
            message = f"{quoted(draft.raw)} is in the signature of the mail"
            reason = note("in-prose", message, f"it may mean `{draft.reading.key}`: a person must decide")
            yield draft._replace(reading=draft.reading._replace(key=None, notes=(*draft.reading.notes, reason)))
        elif draft.reading is not None and not draft.reading.weak:
            yield draft
        else:
            yield Draft(draft.raw, draft.provenance, None, Bucket.IGNORED)
