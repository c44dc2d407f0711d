"""Read a file of any form: count every record, and report those that are refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from withhold.errors import Place, Problem, WireError
from withhold.model.instants import utc
from withhold.model.precision import Precision, Sign
from withhold.wire.event import Event, Kind
from withhold.wire.forms import Form
from withhold.wire.records import Record, csv_records, json_records
from withhold.wire.values import Context, Refused

#: The maximum number of problems that are kept. The others are counted.
MAX_PROBLEMS = 100


@dataclass(slots=True)
class Read:
    """The events of a file. `given` is the number of its records: `read` plus `refused`.

    `skipped` counts, by kind, the read records that do not concern withholding. `problems` has at most 100 problems of
    the refused records. `aliases` counts the codes that were read as other ones.
    """

    form: Form
    events: list[Event] = field(default_factory=list)
    given: int = 0
    refused: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    aliases: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)

    @property
    def read(self) -> int:
        return self.given - self.refused


def read(
    form: Form,
    file: BinaryIO,
    name: str,
    *,
    at: datetime | None = None,
    theirs: Mapping[str, tuple[Kind, int]] | None = None,
) -> Read:
    """Read a file of events in a form. O(size of the file).

    `name` is the name of the file in problems. `at` is the instant of events that do not contain one; a form without
    instants needs it. `theirs` maps the ids of another system to the kind and the id of each subject here.

    Raises `WireError` if `at` or `theirs` is missing, or if a table lacks columns. Any other problem concerns a record,
    which is refused and counted, and the others are read.
    """
    if at is None and not form.dated:
        message = f"events in the form `{form.name}` have no instant"
        raise WireError(Problem("no-instant", message, name, "give the instant at which the file was made"))
    if theirs is None and form.needs_ids:
        message = f"the form `{form.name}` uses the ids of another system"
        raise WireError(
            Problem("no-table-of-ids", message, name, "give a table of the accounts and tweets that they denote")
        )
    reading = _Reading(form, name, Context(None if at is None else utc(at, "at"), theirs))
    if form.columns:
        reading.run(csv_records(file, name, form.required, form.columns))
    else:
        reading.run(json_records(file))
    return reading.result


def _unwrapped(records: Iterable[Record], unwrap: Callable[[object], Iterable[object]]) -> Iterator[Record]:
    """Yield the records inside each record, with its line."""
    for line, record in records:
        try:
            for inner in (record,) if type(record) is Refused else unwrap(record):
                yield line, inner
        except Refused as error:
            yield line, error


class _Reading:
    """The state of one call of `read`."""

    def __init__(self, form: Form, name: str, context: Context) -> None:
        self.result = Read(form, skipped=context.skipped, aliases=context.aliases)
        self._name, self._context = name, context
        #: The records with ids that could be rounded: the line, the range of its events, and these ids.
        self._doubtful: list[tuple[int, int, int, tuple[int, ...]]] = []

    def run(self, records: Iterable[Record]) -> None:
        found, context = self.result, self._context
        read_one, events, bare = found.form.read, found.events, context.bare
        if found.form.unwrap is not None:
            records = _unwrapped(records, found.form.unwrap)
        given = 0
        for line, record in records:
            given += 1
            try:
                if type(record) is Refused:
                    raise record
                got = read_one(record, context)
            except Refused as error:
                self._refuse(line, error.code, error.message, error.hint)
            except RecursionError:
                self._refuse(line, "bad-json", "the record is nested too deeply", None)
            else:
                if bare:  # whether ids were rounded is decided on all ids of the file together
                    self._doubtful.append((line, len(events), len(events) + len(got), tuple(bare)))
                events += got
            if bare:
                bare.clear()
        found.given = given
        self._refuse_rounded()

    def _refuse(self, line: int, code: str, message: str, hint: str | None) -> None:
        self.result.refused += 1
        if len(self.result.problems) < MAX_PROBLEMS:
            self.result.problems.append(Problem(code, message, Place(self._name, line), hint))

    def _refuse_rounded(self) -> None:
        """Refuse records with rounded ids: those that cannot be exact, or all of them if too many look rounded."""
        precision = Precision()
        suspects = dict.fromkeys(id_ for _, _, _, ids in self._doubtful for id_ in ids)
        short = {id_ for id_ in suspects if precision.sign(id_) is Sign.SHORT}
        all_lost = bool(precision.lost())
        if not (short or all_lost):
            return
        refused: set[int] = set()
        for line, start, end, ids in self._doubtful:
            rounded = next((id_ for id_ in ids if all_lost or id_ in short), None)
            if rounded is not None:
                looks = "is from a file whose ids look rounded" if all_lost else "looks rounded"
                message = f"id `{rounded}` {looks} to the precision of a floating-point number"
                self._refuse(line, "lossy-id", message, "give ids as text, such as in `id_str`")
                refused.update(range(start, end))
        if refused:
            self.result.events[:] = [event for at, event in enumerate(self.result.events) if at not in refused]
            self.result.problems.sort(key=lambda problem: problem.place.line if isinstance(problem.place, Place) else 0)
