"""Codes that differ from the ISO 3166 data installed: `codes.tsv`, a row each, with the date of the change and its source.

The rows were measured, not remembered: the subdivisions in pycountry 1.0 to 26.2 were compared release by release, and
each code that vanished was looked up in ISO's change notices. A row gives the `code`, its `name`, `how` it is read, the
codes in its place `now`, when it `changed` (empty if it always stood so), and the `source`:

========  ============================================================================================================
how       meaning
========  ============================================================================================================
own       a second code for a place that has a country code of its own, or lies in such a place: read as that (T5)
renamed   a former code with one successor that covers the same place: read as that
split     a former code whose place was divided among those in `now`: refused
merged    a former code whose place is part of a larger one now: refused
replaced  as split, though pycountry still lists the code
new       a code that pycountry does not list yet
reserved  a code that ISO keeps free and others use, with the ISO code for the place: refused
========  ============================================================================================================

Records and headers are read where rules are refused: whoever is in the former place is in the smallest one around all in
`now`. A code in use always wins over a row that is `renamed`, `split`, `merged` or `reserved`: codes are assigned again.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple


class CodeRow(NamedTuple):
    """One code of the table."""

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

#: The edition of the table, which changes with every edit.
EDITION = sha256(_TEXT.encode()).hexdigest()[:8]

#: Second codes, each with the code that the place is known by.
SECOND: Mapping[str, str] = MappingProxyType({row.code: row.now[0] for row in TABLE.values() if row.how == "own"})
