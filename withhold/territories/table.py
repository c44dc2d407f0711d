"""Codes that are read differently from the installed ISO 3166 data. `codes.tsv` has one row for each.

The rows come from data, not from memory: the subdivisions in pycountry 1.0 to 26.2 were compared release by release,
and each code that vanished was looked up in ISO's change notices. A row has the `code`, its `name`, `how` it is read,
the codes that replace it `now`, the date when it `changed` (empty if it never did), and the `source`:

========  ============================================================================================================
how       meaning
========  ============================================================================================================
own       a second code of a country (`US-PR`), or the code of a part of it (`RS-25`): read as that country (T5)
renamed   a former code with one successor that covers the same place: read as the successor
split     a former code whose place was divided among the codes in `now`: refused
merged    a former code whose place is now part of a larger one: refused
replaced  like `split`, but pycountry still lists the code
new       a code that pycountry does not list yet
reserved  a code that ISO reserves and others use; `now` has the ISO code of the place: refused
========  ============================================================================================================

Records of location databases and headers may contain codes that are refused in rules. A viewer in such a place is in
the smallest territory that contains all codes in `now` (see `covering`). ISO reassigns codes, so a code in use always
takes precedence over a row that is `renamed`, `split`, `merged` or `reserved`.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple


class CodeRow(NamedTuple):
    """One row of the table."""

    code: str
    name: str
    how: str
    now: tuple[str, ...]
    changed: str
    source: str


_TEXT = Path(__file__).with_name("codes.tsv").read_text(encoding="utf-8")


def _rows() -> dict[str, CodeRow]:
    fields = (line.split("\t") for line in _TEXT.splitlines()[1:])
    return {code: CodeRow(code, name, how, tuple(now.split()), *rest) for code, name, how, now, *rest in fields}


#: All rows, by code.
TABLE: Mapping[str, CodeRow] = MappingProxyType(_rows())

#: Codes that pycountry may not list yet.
NEWER = tuple(row.code for row in TABLE.values() if row.how == "new")

#: The edition of the table: a digest that changes with every edit.
EDITION = sha256(_TEXT.encode()).hexdigest()[:8]

#: Second codes, each with the code that is used for the place.
SECOND: Mapping[str, str] = MappingProxyType({row.code: row.now[0] for row in TABLE.values() if row.how == "own"})
