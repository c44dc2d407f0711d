"""Read the table that maps the ids of another system to ours."""

from __future__ import annotations

import os
from pathlib import Path

from withhold.errors import Place, Problem, WireError, quoted
from withhold.wire.event import Kind
from withhold.wire.reading import MAX_PROBLEMS
from withhold.wire.records import csv_records
from withhold.wire.takedowns import KINDS
from withhold.wire.values import Refused, id_value

_COLUMNS = ("theirs", "kind", "id")


def load_ids(path: str | os.PathLike[str]) -> dict[str, tuple[Kind, int]]:
    """Read a CSV file with the columns `theirs`, `kind` (account or tweet) and `id`.

    Raises `WireError` with at most 100 problems, and `OSError`.
    """
    found: dict[str, tuple[Kind, int]] = {}
    problems: list[Problem] = []
    with Path(path).open("rb") as file:
        for line, row in csv_records(file, str(path), _COLUMNS, _COLUMNS):
            try:
                _add(row, found)
            except Refused as error:
                problems.append(Problem(error.code, error.message, Place(str(path), line), error.hint))
            if len(problems) == MAX_PROBLEMS:
                break
    if problems:
        raise WireError(*problems)
    return found


def _add(row: dict[str, str] | Refused, found: dict[str, tuple[Kind, int]]) -> None:
    if isinstance(row, Refused):
        raise row
    kind = KINDS.get(row["kind"].strip())
    if kind is None:
        raise Refused("unknown-kind", f"unknown kind {quoted(row['kind'])}", "write `account` or `tweet`")
    theirs, subject = row["theirs"].strip(), (kind, id_value(row["id"].strip(), "id"))
    if found.setdefault(theirs, subject) != subject:
        raise Refused("repeated-subject", f"{quoted(theirs)} denotes two subjects", "keep one of the rows")
