"""Messages for files that are expected to be CSV or a plain list, but are something else."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
# The parts of a number with commas in it, which look like columns: `1,35567E+18`, `1,355,667`.
_PARTS = re.compile(r"\d{3}|\d*[eE][-+]?\d+", re.ASCII)


def is_text(beginning: bytes) -> bool:
    """Return whether a file may be UTF-8 text, judging by its first bytes: not UTF-16, a workbook or an archive."""
    return b"\0" not in beginning and not beginning.startswith(
        (b"\xff\xfe", b"\xfe\xff", b"PK\3\4", b"%PDF", b"\x1f\x8b")
    )


def header_hint(header: Sequence[str], expected: str) -> str | None:
    """Return the hint for a first line that lacks the expected columns, or None if its form is unknown.

    `header` are its cells, and `expected` is the right first line.
    """
    line = ",".join(header)
    if not line.strip(", "):
        return "the file is empty"
    if "\0" in line or "\ufffd" in line or line.startswith("pk"):
        return "this is not UTF-8 text: save it as CSV, in UTF-8"
    if line.startswith("sep="):
        return f"remove the line `sep=`, and separate the columns by commas: `{expected}`"
    for separator, name in _SEPARATORS.items():
        if separator in line:
            return f"the columns are separated by {name}: save it with commas, as `{expected}`"
    return None


def not_csv(error: csv.Error) -> tuple[str, str]:
    """Return the message and the hint for a file that is not CSV."""
    return f"this is not CSV: {error}", "look for an unclosed quote"


def not_as_wide(row: Sequence[str], width: int) -> tuple[str, str]:
    """Return the message and the hint for a row with more or fewer columns than the first line."""
    hint = "write the same number of columns, and put a value with a comma in quotes"
    if any(separator in cell for cell in row for separator in _SEPARATORS) and len(row) < width:
        hint = "separate the columns by commas"
    elif len(row) > width and any(map(_PARTS.fullmatch, row[1:])):
        hint = "write only the digits of an id: spreadsheets put commas into numbers"
    return f"columns: {len(row)} here, {width} in the first line", hint
