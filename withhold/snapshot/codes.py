"""Whether the codes of territories in a file are still codes: ISO 3166 changes, and pycountry with it."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache

from withhold.errors import Problem, SnapshotError, TerritoryError
from withhold.snapshot.format import Bytes, Territories
from withhold.territories import EDITION, current, iso_version, resolve

# What stands before the codes in `withheld_in` and `except_in`. In other text a quotation mark stands behind a backslash.
_OPENING = b'_in": ['
_CHUNK = 1 << 20


@cache
def territories_here() -> Territories:
    """Return the list by which codes are valid in this process."""
    return Territories(pycountry=iso_version(), table=EDITION)


def check_codes(written: Territories | None, records: Bytes, file: str) -> None:
    """Check the codes in the records of rules. O(bytes), without reading the rules.

    Raises `SnapshotError` for a code that stands for no single place today. One with a new name is read as that.
    """
    for code in sorted(_codes(records)):
        if current(code) is None:
            raise gone(code, written, file)


def gone(code: str, written: Territories | None, file: str) -> SnapshotError:
    """Return the error to raise for a code that is none any more."""
    by = f"pycountry {written.pycountry}" if written else "a version that it does not name"
    message = f"`{code}` is no territory in pycountry {iso_version()}, and the file was written with {by}"
    hint = "mend the rules, and compile them again"
    try:
        resolve(code)
    except TerritoryError as error:
        if str(error.hint).startswith(("it was", "did you mean")):
            hint = f"{error.hint}; {hint}"
    return SnapshotError(Problem("unknown-territory", message, file, hint))


def _codes(records: Bytes) -> set[str]:
    found: set[str] = set()
    for listed in _lists(records):
        with suppress(ValueError):  # reading the record says what is wrong with it
            found.update(code for code in json.loads(b"[" + listed + b"]") if isinstance(code, str))
    return found


def _lists(records: Bytes) -> set[bytes]:
    """Return the lists of codes, of which there are few. Searched in pieces: a section may be larger than memory."""
    found: set[bytes] = set()
    data, rest = memoryview(records).cast("B"), b""
    for at in range(0, data.nbytes, _CHUNK):
        text = rest + bytes(data[at : at + _CHUNK])
        _, *behind = text.split(_OPENING)
        cut = bool(behind) and b"]" not in behind[-1]
        rest = _OPENING + behind.pop() if cut else text[-len(_OPENING) :]
        found.update([piece.partition(b"]")[0] for piece in behind])
    return found
