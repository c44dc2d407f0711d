"""What is said of a file that should be CSV, or a plain list, and is something else."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
# A number with a comma in it, seen as two columns or more: `1,35567E+18`, `1,355,667`.
_PARTS = re.compile(r"\d{3}|\d*[eE][-+]?\d+", re.ASCII)


def is_text(beginning: bytes) -> bool:
    """Tell whether a file may be text in UTF-8 by its first bytes: no UTF-16, workbook or archive."""
    return b"\0" not in beginning and not beginning.startswith(
        (b"\xff\xfe", b"\xfe\xff", b"PK\3\4", b"%PDF", b"\x1f\x8b")
    )


def header_hint(header: Sequence[str], expected: str) -> str | None:
    """Return the hint for a first line without the columns of a format, or None if nothing is known of it.

    `header` are its cells as a reader of CSV has them, and `expected` the columns with commas between them.
    """
    line = ",".join(header)
    if not line.strip(", "):
        return "the file is empty"
    if "\0" in line or "\ufffd" in line or line.startswith("pk"):
        return "this is no text in UTF-8: save it as CSV, in UTF-8"
    if line.startswith("sep="):
        return f"take the line `sep=` away, and separate the columns by commas: `{expected}`"
    for separator, name in _SEPARATORS.items():
        if separator in line:
            return f"the columns are separated by {name}: save it with commas, as `{expected}`"
    return None


def not_csv(error: csv.Error) -> tuple[str, str]:
    """Return what to say where a file stops being CSV, and the hint."""
    return f"this is not CSV: {error}", "look for a quote that is not closed"


def not_as_wide(row: Sequence[str], width: int) -> tuple[str, str]:
    """Return what to say of a row that has other columns than the first line, and the hint."""
    hint = "write as many, and a value with a comma in it in quotes"
    if any(separator in cell for cell in row for separator in _SEPARATORS) and len(row) < width:
        hint = "separate the columns by commas"
    elif len(row) > width and any(map(_PARTS.fullmatch, row[1:])):
        hint = "write an id as its digits alone: a spreadsheet puts commas into a number"
    return f"columns: {len(row)} here, {width} in the first line", hint
