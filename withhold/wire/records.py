"""Split a file into records: JSON objects, one per line or all in one document, or rows of CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from io import TextIOWrapper
from typing import BinaryIO

from pydantic_core import from_json

from withhold.errors import Problem, WireError, quoted
from withhold.parsing.lines import bounded_lines
from withhold.wire.values import Refused

#: The maximum number of bytes of a line, and of a document that spans several lines.
MAX_LINE, MAX_DOCUMENT = 2**24, 2**28

Record = tuple[int, object]

#: The maximum number of shapes that are kept, and of bytes in each.
_MAX_SHAPES, _MAX_SHAPE = 2**12, 512
_SAME_DIGITS = bytes.maketrans(b"023456789", b"1" * 9)
_OPENERS, _BLANKS = ("{", "["), " \t\r\n\ufeff"


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise Refused("repeated-key", f"key {quoted(repeated)} is repeated", "restore the event from its source")
    return found


def _constant(name: str) -> object:
    raise Refused("bad-json", f"this is not JSON: {name} is not a value", "restore the event from its source")


_scan = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant).scan_once  # type: ignore[attr-defined]


def parse(data: bytes) -> object:
    """Return the value of a JSON text. Raises `Refused`."""
    try:
        text = data.decode()
        if text[:1] not in _OPENERS:
            text = text.strip(_BLANKS)
        value, end = _scan(text, 0)
        if end == len(text) or not text[end:].strip(_BLANKS):
            return value
        message = f"text follows the value at character {end + 1:,}"
    except StopIteration as error:
        message = f"expected a value at character {error.value + 1:,}"
    except json.JSONDecodeError as error:
        message = f"it is invalid at character {error.pos + 1:,}"
    except UnicodeDecodeError:
        message = "it is not UTF-8"
    except ValueError:  # Python reads at most 4,300 digits
        message = "a number has too many digits"
    except RecursionError:
        message = "it is nested too deeply"
    raise Refused("bad-json", f"this is not JSON: {message}", "restore the event from its source")


def json_records(file: BinaryIO) -> Iterator[Record]:
    """Yield each record with its line. A record that cannot be parsed is a `Refused`.

    The file has one value per line, or is one value that spans several lines. The items of a list are records.
    """
    last = 0
    for last, begin in enumerate(iter(partial(file.readline, MAX_LINE), b""), 1):
        if not begin.isspace():
            try:
                first = parse(begin)
            except Refused:
                last = yield from _document(last, begin, file)  # noqa: PLW2901
            else:
                yield from _records(last, first)
            break
    shapes: set[bytes] = set()
    for number, line in bounded_lines(file, MAX_LINE, last + 1):
        if line is None:
            yield number, Refused("too-long", f"the line has more than {MAX_LINE:,} bytes", "write one event per line")
            continue
        try:
            value = _parse_line(line, shapes)
        except Refused as error:
            if not line.isspace():
                yield number, error
            continue
        if type(value) is dict:
            yield number, value
        else:
            yield from _records(number, value)


def _parse_line(line: bytes, shapes: set[bytes]) -> object:
    """Return the value of a JSON text, as `parse` does, in half the time if `shapes` contains the shape of the line.

    The shape of a line is the line with 1 for each digit, and most lines of a stream have one of few shapes. If a shape
    has no escapes, a key that is repeated in a line is also repeated in its shape. `from_json` does not report it.
    """
    if len(line) > _MAX_SHAPE:
        return parse(line)
    shape = line.translate(_SAME_DIGITS)
    if shape in shapes:
        try:
            return from_json(line)
        except ValueError:  # such as a number that begins with 0
            pass
    value = parse(line)
    if len(shapes) < _MAX_SHAPES and b"\\" not in shape:
        with suppress(Refused):  # keys that differ only in digits
            parse(shape)
            shapes.add(shape)
    return value


def _document(number: int, first: bytes, file: BinaryIO) -> Generator[Record, None, int]:
    """Yield the records of a document that spans several lines. If it turns out not to, yield the records of its lines.

    Return the number of the last line.
    """
    data = first + file.read(MAX_DOCUMENT)
    if len(data) < MAX_DOCUMENT:
        try:
            whole = parse(data)
        except Refused:
            pass
        else:
            yield from _records(number, whole)
            return number + data.count(b"\n")
    lines = data.split(b"\n")
    lines[-1] += file.readline(MAX_LINE)
    for at, line in enumerate(lines, number):
        try:
            yield from _records(at, parse(line))
        except Refused as error:
            if line and not line.isspace():
                yield at, error
    return number + len(lines) - 1


def _records(number: int, value: object) -> Iterable[Record]:
    if type(value) is list:
        return ((number, item) for item in value)
    return ((number, value),)


def csv_records(
    file: BinaryIO, name: str, required: Sequence[str], known: Sequence[str]
) -> Iterator[tuple[int, dict[str, str] | Refused]]:
    """Yield each row with the number of its first line, as a mapping from the known columns. Raises `WireError`."""
    text = TextIOWrapper(file, "utf-8-sig", errors="replace", newline="")
    try:
        rows = csv.reader(text)
        header = next((row for row in rows if not row or not row[0].startswith("#")), [])  # after comments
        header = [cell.strip() for cell in header]
        missing = [column for column in required if header.count(column) != 1]
        if missing:
            listed = ", ".join(f"`{column}`" for column in missing)
            hint = f"the first line has at least {', '.join(f'`{column}`' for column in required)}"
            raise WireError(Problem("bad-csv-header", f"columns are missing or repeated: {listed}", name, hint))
        places = {column: header.index(column) for column in known if column in header}
        while True:
            begins = rows.line_num + 1
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield begins, Refused("bad-csv", f"this is not CSV: {error}", "look for an unclosed quote")
                continue
            if row is None:
                return
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                lines = f"; the row ends at line {rows.line_num:,}" if rows.line_num > begins else ""
                message = f"columns: {len(row)} here, {len(header)} in the first line{lines}"
                yield begins, Refused("bad-csv", message, "look for an unclosed quote, or a comma outside quotes")
                continue
            yield begins, {column: row[at] for column, at in places.items()}
    finally:
        text.detach()
