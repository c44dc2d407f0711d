"""Turn drafts into an intake: link duplicates, quarantine ids that look rounded, and count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from withhold.demands.intake.columns import Draft
from withhold.demands.intake.entries import Bucket, Column, Entry, Kind, Note, note
from withhold.demands.intake.numbers import Reading
from withhold.model.precision import Precision, Sign

#: A spreadsheet keeps this many digits of a number, and fills the rest with zeros.
_KEPT_DIGITS, _ZEROS = 15, 10_000


@dataclass(frozen=True, slots=True)
class Intake:
    """The entries of an order's lists, in the order in which they were received, and how its tables were read.

    `notes` are about whole lists. `files` has the name and the SHA-256 digest of each file that was read. `len(entries)` is
    the sum of `counts`. Threads may share it.
    """

    entries: tuple[Entry, ...]
    columns: tuple[Column, ...] = ()
    notes: tuple[Note, ...] = ()
    files: tuple[tuple[str, str], ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """The number of entries in each bucket: `unique`, `duplicate`, `error`, `blank` and `ignored`. O(n)."""
        found = {bucket.value: 0 for bucket in Bucket}
        for entry in self.entries:
            found[entry.bucket.value] += 1
        return found

    @property
    def targets(self) -> tuple[Entry, ...]:
        """The unique entries."""
        return tuple(entry for entry in self.entries if entry.bucket is Bucket.UNIQUE)

    @property
    def waiting(self) -> tuple[Note, ...]:
        """The notes that a person must settle before decisions are possible."""
        return tuple(each for each in self.notes if each.code == "several-target-columns")


def intake_of(
    drafts: Sequence[Draft], columns: Iterable[Column], notes: Iterable[Note], files: Iterable[tuple[str, str]]
) -> Intake:
    """Return the intake of all drafts, numbered from 1."""
    readings = _quarantined([draft.reading for draft in drafts])
    first: dict[str, int] = {}
    handles: dict[str, str] = {}
    entries = []
    for number, (draft, reading) in enumerate(zip(drafts, readings, strict=True), 1):
        if reading is None:
            entries.append(Entry(number, draft.raw, draft.provenance, draft.bucket))
            continue
        kind, key, handle, found, _ = reading
        if key is None:
            entries.append(Entry(number, draft.raw, draft.provenance, Bucket.ERROR, kind, None, handle, found))
            continue
        if kind is Kind.TWEET and handle is not None:
            other = handles.setdefault(key, handle)
            if other.lower() != handle.lower():
                message = f"the URL names `{handle}`, and another URL of the same tweet names `{other}`"
                found = (*found, note("handle-mismatch", message, "the id was used: compare it with the order"))
        original = first.setdefault(key, number)
        bucket, repeats = (Bucket.UNIQUE, None) if original == number else (Bucket.DUPLICATE, original)
        entries.append(Entry(number, draft.raw, draft.provenance, bucket, kind, key, handle, found, repeats))
    return Intake(tuple(entries), tuple(columns), tuple(notes), tuple(files))


def _quarantined(readings: list[Reading | None]) -> list[Reading | None]:
    """Return the readings with errors for ids that look rounded, judging each id and all of them together."""
    precision = Precision()
    signs: dict[int, Sign | None] = {}
    zeros: list[int] = []
    for at, reading in enumerate(readings):
        number = _id_in(reading)
        if number is not None:
            signs[at] = precision.sign(number)
            if number >= 10**_KEPT_DIGITS and number % _ZEROS == 0:
                zeros.append(at)
    lost = precision.lost() | {Sign.SHORT}
    found = list(readings)
    for at, sign in signs.items():
        if sign in lost:
            found[at] = _rounded(readings[at], "precision-lost", "has lost its last digits, like others of the order")
    for at in zeros:
        code, why = "precision-suspect", "ends in four zeros or more, as a spreadsheet leaves them"
        if len(zeros) > 1 + 10 * len(signs) / _ZEROS:  # ten times as many as chance gives
            code, why = "precision-lost", f"ends in four zeros or more, like {len(zeros) - 1:,} other entries"
        found[at] = _rounded(readings[at], code, why)
    return found


def _id_in(reading: Reading | None) -> int | None:
    if reading is None or reading.key is None or reading.kind not in (Kind.ACCOUNT, Kind.TWEET):
        return None
    digits = reading.key.partition(":")[2]
    return None if digits[0] == "@" else int(digits)


def _rounded(reading: Reading | None, code: str, why: str) -> Reading:
    assert reading is not None and reading.key is not None  # noqa: S101, PT018  # only ids are judged
    message = f"id `{reading.key.partition(':')[2]}` {why}"
    reason = note(code, message, "compare it with the order, or ask the authority for the id as text")
    return reading._replace(key=None, notes=(*reading.notes, reason))
