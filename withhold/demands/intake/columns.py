"""Read the cells of one column, or the lines of a text, into drafts of entries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from withhold.demands.intake.broken import FRAGMENT, MOST
from withhold.demands.intake.cleaning import SIGNS, Linked, clean, trim
from withhold.demands.intake.entries import Bucket, Provenance, Role, note
from withhold.demands.intake.numbers import Reading, error
from withhold.demands.intake.pieces import read_line
from withhold.errors import quoted

_IN_HANDLE_LIST = re.compile(r"(?:\d{1,4}[.)]\s*)?(?:[@＠]?(?!\d+$)[A-Za-z0-9_]{1,20}|[#＃]\S+)", re.ASCII)
_AS_HANDLE = note("read-as-handle", "the word was read as a handle: the whole list consists of single words")


class Typed(str):
    """The text of a spreadsheet's cell that holds a number, a date or a truth value, not text."""

    __slots__ = ()


class Cell(NamedTuple):
    """A cell or line as received, and whether nothing else is in its row."""

    raw: str
    provenance: Provenance
    isolated: bool = True


class Draft(NamedTuple):
    """An entry before duplicates and rounded ids are known. Entries without a reading have a bucket."""

    raw: str
    provenance: Provenance
    reading: Reading | None = None
    bucket: Bucket = Bucket.BLANK


def is_handle_list(values: Sequence[str]) -> bool:
    """Return whether all texts that are not blank are single words: handles, with or without `@`.

    >>> is_handle_list(["@user_1", "", "user_2"]), is_handle_list(["user_1", "https://x.com/user_2"])
    (True, False)
    """
    found = [trim(clean(value)[0]) for value in values if value.strip()]
    return bool(found) and all(map(_IN_HANDLE_LIST.fullmatch, found))


def read_column(
    cells: Sequence[Cell], role: Role, newest: int, *, declared: bool = False, is_table: bool = False
) -> list[list[Draft]]:
    """Return the drafts of each cell. A blank cell, or a cell that continues the URL above it, has none.

    `declared` means that a header gives the role. Words that are not targets are errors in a table, and prose in a
    text.
    """
    found: list[list[Draft]] = [[] for _ in cells]
    at = 0
    while at < len(cells):
        raw, provenance, _ = cells[at]
        if not raw.strip():
            at += 1
            continue
        if isinstance(raw, Typed):
            message = f"{quoted(str(raw))} is not text, so digits may be lost"
            reading = error("id-not-text", message, "format the column as text, and enter the value again")
            found[at] = [Draft(str(raw), provenance, reading)]
            at += 1
            continue
        line = read_line(raw, role, newest, declared=declared, below=_below(cells, at))
        raw = str(raw)
        if line.used:
            raw = "\n".join(cell.raw for cell in cells[at : at + line.used + 1])
        for text, reading in line.pieces:
            is_bare = role is Role.HANDLE and not declared and raw.strip()[0] not in "@＠" and reading.key is not None
            read = reading._replace(notes=(*reading.notes, _AS_HANDLE)) if is_bare else reading
            found[at].append(Draft(raw if len(line.pieces) == 1 else text, provenance, read))
        if not line.pieces and is_table and line.words:
            found[at] = [Draft(raw, provenance, error("not-a-target", f"{quoted(raw)} names no target"))]
        elif not line.pieces and SIGNS.search(raw):
            message = f"{quoted(raw)} is prose with the signs of a target"
            found[at] = [Draft(raw, provenance, error("in-prose", message, "a person decides what it names"))]
        elif not line.pieces:
            bucket = Bucket.IGNORED if clean(raw)[0] else Bucket.BLANK
            found[at] = [Draft(raw, provenance, None, bucket)]
        at += 1 + line.used
    return found


def _below(cells: Sequence[Cell], at: int) -> tuple[str, ...]:
    """Return the next texts that could be parts of a broken URL."""
    texts: list[str] = []
    for raw, _, isolated in cells[at + 1 : at + 1 + MOST]:
        text = raw.strip()
        if not (isolated and text and FRAGMENT.fullmatch(trim(text))) or isinstance(raw, (Typed, Linked)):
            break
        texts.append(text)
    return tuple(texts)
