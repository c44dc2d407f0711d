"""Check that the territory codes in a file still exist. ISO 3166 changes, and so does pycountry."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache

from withhold.errors import Problem, SnapshotError, TerritoryError
from withhold.snapshot.format import Bytes, Territories
from withhold.territories import EDITION, GROUPS, current, iso_version, resolve

# The text before the codes in `withheld_in`, `except_in` and `jurisdiction`, and before no other list. It cannot occur
# inside a JSON string, where `"` is escaped.
_OPENING = b'n": ['
_CHUNK = 1 << 20


@cache
def territories_here() -> Territories:
    """Return the versions of the territory data in this process."""
    return Territories(pycountry=iso_version(), table=EDITION)


def check_codes(written: Territories | None, records: Bytes, file: str) -> None:
    """Check the territory codes in the records of rules. O(bytes); the rules are not parsed.

    Raises `SnapshotError` for a code that does not denote exactly one place today. Renamed codes are accepted.
    """
    for code in sorted(_codes(records)):
        if current(code) is None and code not in GROUPS:  # a jurisdiction may be `EU`
            raise _obsolete(code, written, file)


def _obsolete(code: str, written: Territories | None, file: str) -> SnapshotError:
    """Return the error for a code that no longer exists."""
    by = f"pycountry {written.pycountry}" if written else "an unknown version"
    message = f"`{code}` is not a territory in pycountry {iso_version()}; the file was written with {by}"
    hint = "correct the rules and compile them again"
    try:
        resolve(code)
    except TerritoryError as error:
        if str(error.hint).startswith(("it was", "did you mean")):
            hint = f"{error.hint}; {hint}"
    return SnapshotError(Problem("unknown-territory", message, file, hint))


def _codes(records: Bytes) -> set[str]:
    found: set[str] = set()
    for codes in _lists(records):
        with suppress(ValueError):  # reading the record reports what is wrong with it
            found.update(code for code in json.loads(b"[" + codes + b"]") if isinstance(code, str))
    return found


def _lists(records: Bytes) -> set[bytes]:
    """Return the distinct lists of codes; there are few.

    The section is searched piece by piece, because it may be larger than memory.
    """
    found: set[bytes] = set()
    data, rest = memoryview(records).cast("B"), b""
    for at in range(0, data.nbytes, _CHUNK):
        text = rest + bytes(data[at : at + _CHUNK])
        _, *behind = text.split(_OPENING)
        cut = bool(behind) and b"]" not in behind[-1]
        rest = _OPENING + behind.pop() if cut else text[-len(_OPENING) :]
        found.update([piece.partition(b"]")[0] for piece in behind])
    return found
