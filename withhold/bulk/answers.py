"""The answers for the rows of a question: several threads answer batches, which are joined into arrays."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial, reduce
from itertools import accumulate
from typing import Any, Literal, NamedTuple

from withhold import native
from withhold.bulk.columns import Batch, batches
from withhold.bulk.extras import pa, pc
from withhold.bulk.kernel import Found, Kernel
from withhold.bulk.locations import Located, located
from withhold.bulk.timelines import BulkAnswer
from withhold.errors import Problem, TrafficError, WithholdError, quoted
from withhold.model import Outcome
from withhold.model.ids import check_id
from withhold.model.places import location_of

#: The largest number of problems that an error lists.
MAX_PROBLEMS = 100
#: How to treat rows with a code or an id that does not exist: `raise` names them in an error, `null` makes their answer
#: null.
Errors = Literal["raise", "null"]


class Decisions(NamedTuple):
    """The answers for rows. All arrays have one value for each row."""

    #: Whether the row is hidden: withheld or suspended.
    hidden: pa.BooleanArray
    #: `visible`, `withheld` or `suspended`.
    outcome: pa.DictionaryArray
    #: The id of the rule that speaks, its reason and its demand, as in `Decision`; null if the row is visible.
    rule: pa.DictionaryArray
    reason: pa.DictionaryArray
    demand: pa.DictionaryArray
    #: The number of rows without an answer, because an id or an instant is null.
    nulls: int
    #: The number of rows without an answer, because a code or an id does not exist.
    refused: int


class Group(NamedTuple):
    """The key by which hidden rows are counted. The country is None if the location is unknown."""

    country: str | None
    reason: str
    demand: str | None


def answered(
    kernel: Kernel,
    columns: Mapping[str, Any],
    at: datetime | None,
    errors: Errors,
    threads: int,
    *,
    first: int = 0,
    name: str = "",
) -> Answers:
    """Return the answers for all rows of columns. The keys of the columns are arguments of `mask`.

    Messages count the rows from `first` on, and begin with `name`. Raises the errors of `mask`.
    """
    if errors not in ("raise", "null"):
        raise ValueError(f"errors must be `raise` or `null`, not {quoted(errors)} [bad-errors]")
    if threads < 1:
        raise ValueError(f"threads must be at least 1, not {quoted(threads)} [bad-threads]")
    answer = partial(_answer, kernel)
    cut = batches(columns, at, threads)
    if threads == 1:
        found = Answers(kernel, [*map(answer, cut)])
    else:
        with ThreadPoolExecutor(threads) as pool:
            found = Answers(kernel, [*pool.map(answer, cut)])
    if errors == "raise" and found.refused:
        raise TrafficError(*found.problems(first, name))
    return found


class _Part(NamedTuple):
    """A batch, and the result for its rows."""

    batch: Batch
    located: Located
    found: Found
    #: For each row, whether it has a value in all required columns; None if all rows do.
    complete: Any | None

    def refused(self) -> list[int]:
        """Return the rows with a code or an id that does not exist, in order."""
        return sorted({*self.located.bad, *_numbers(self.found.bad)})

    def answers(self) -> Iterator[tuple[int, int, int]]:
        """Return the timeline, the stretch and the place of each hidden row."""
        stretches, places = memoryview(self.found.stretches).cast("I"), memoryview(self.located.places).cast("H")
        here = (places[row] for row in _numbers(self.found.rows))
        return zip(stretches[::2].tolist(), stretches[1::2].tolist(), here, strict=True)


@dataclass(frozen=True)
class Answers:
    """The answers for all rows, in the order of the batches."""

    kernel: Kernel
    parts: list[_Part]

    @cached_property
    def rows(self) -> int:
        """The number of rows."""
        return sum(len(part.batch) for part in self.parts)

    @cached_property
    def refused(self) -> int:
        """The number of rows with a code or an id that does not exist."""
        return sum(len(part.refused()) for part in self.parts if part.located.bad or part.found.bad)

    @cached_property
    def hidden(self) -> pa.BooleanArray:
        """Whether each row is hidden; null if it has no answer."""
        bits = bytearray(self.rows + 7 >> 3)
        for offset, part in self._with_offsets():
            _set_bits(bits, part.found.rows, offset, value=True)
        validity = self._validity()
        return pa.Array.from_buffers(pa.bool_(), self.rows, [validity and pa.py_buffer(validity), pa.py_buffer(bits)])

    @property
    def nulls(self) -> int:
        """The number of rows without an answer, because an id or an instant is null."""
        return int(self.hidden.null_count) - self.refused

    def decisions(self) -> Decisions:
        """Return why rows are hidden. Takes about a microsecond for each hidden row."""
        numbers = array("i", bytes(4 * self.rows))
        known: dict[tuple[int, int, int], int] = {}
        for offset, part in self._with_offsets():
            for row, key in zip(_numbers(part.found.rows), part.answers(), strict=True):
                numbers[offset + row] = known.setdefault(key, len(known))
        hidden = self.hidden
        answers = [self.kernel.timelines.answer(*key) for key in known]
        indices = pa.Array.from_buffers(pa.int32(), self.rows, [hidden.buffers()[1], pa.py_buffer(numbers)])
        visible = pc.if_else(hidden.is_valid(), pa.scalar(0, pa.int32()), None)
        outcomes = _indices([*Outcome], [each.outcome for each in answers]).take(indices)
        return Decisions(
            hidden=hidden,
            outcome=pa.DictionaryArray.from_arrays(pc.coalesce(outcomes, visible), [str(each) for each in Outcome]),
            rule=_dictionary([each.rule for each in answers], indices),
            reason=_dictionary([str(each.reason) for each in answers], indices),
            demand=_dictionary([each.demand for each in answers], indices),
            nulls=self.nulls,
            refused=self.refused,
        )

    def groups(self) -> Counter[Group]:
        """Count the hidden rows by country, reason and demand."""
        counts: Counter[tuple[int, int, int]] = Counter()
        for part in self.parts:
            counts.update(part.answers())
        groups: Counter[Group] = Counter()
        for key, rows in counts.items():
            answer: BulkAnswer = self.kernel.timelines.answer(*key)
            groups[Group(location_of(1 << key[2])[0], str(answer.reason), answer.demand)] += rows
        return groups

    def problems(self, first: int, name: str) -> Iterator[Problem]:
        """Yield the problems of the first invalid rows, and the number of the other invalid rows."""
        listed = []
        for offset, part in self._with_offsets():
            found = [*zip(part.located.bad, part.located.problems, strict=False)]
            found += [
                (row, problem) for row in _numbers(part.found.bad)[:MAX_PROBLEMS] for problem in _of_ids(part, row)
            ]
            listed += [(first + offset + row, problem) for row, problem in sorted(found, key=lambda each: each[0])]
            if len(listed) >= MAX_PROBLEMS:
                break
        for row, problem in listed[:MAX_PROBLEMS]:
            place = f"{name}row {row:,}, {problem.place}"
            yield Problem(problem.code, problem.message, place, problem.hint)
        if left := self.refused - len({row for row, _ in listed[:MAX_PROBLEMS]}):
            yield Problem("more-problems", f"{left:,} more row{'s' if left > 1 else ''} with problems", name or None)

    def _with_offsets(self) -> Iterator[tuple[int, _Part]]:
        """Yield each part with the number of rows before it."""
        return zip(accumulate((len(part.batch) for part in self.parts), initial=0), self.parts, strict=False)

    def _validity(self) -> bytearray | None:
        """Return the bitmap of the rows that have an answer, or None if all do."""
        if not self.refused and all(part.complete is None for part in self.parts):
            return None
        whole = [pa.repeat(True, len(part.batch)) if part.complete is None else part.complete for part in self.parts]
        bits = bytearray(pa.concat_arrays(whole).buffers()[1])
        for offset, part in self._with_offsets():
            _set_bits(bits, bytearray(array("q", part.refused()).tobytes()), offset, value=False)
        return bits


def _answer(kernel: Kernel, batch: Batch) -> _Part:
    where = located(batch.countries, batch.subdivisions, MAX_PROBLEMS)
    found = kernel.hidden(batch, where.places)
    return _Part(batch, where, found, _complete(batch))


def _complete(batch: Batch) -> Any | None:
    """Return, for each row, whether it has a value in all required columns. Return None if all rows do."""
    tests = [column.is_valid() for column in batch.required() if column.null_count]
    if batch.sources is not None and any(column.null_count for column in batch.sources):
        tests.append(pc.equal(*(column.is_valid() for column in batch.sources)))
    return reduce(pc.and_, tests) if tests else None


def _of_ids(part: _Part, row: int) -> Iterator[Problem]:
    """Yield the problems of the ids of a row."""
    batch = part.batch
    names = [("tweets", batch.tweets), ("accounts", batch.accounts)]
    if batch.sources is not None:
        names += zip(("retweet_of", "retweeted_account"), batch.sources, strict=True)
    for name, column in names:
        try:
            check_id(column[row].as_py() or 0 if column[row].is_valid else 1)
        except WithholdError as error:
            yield Problem(error.code, error.problem.message, name, error.hint)


def _indices(values: list[Any], of: Iterable[Any]) -> Any:
    """Return the index of each value, null for None."""
    at = {value: index for index, value in enumerate(values)}
    return pa.array([at.get(value) for value in of], pa.int32())


def _dictionary(values: list[str | None], indices: Any) -> Any:
    """Return the values that indices denote as an array whose dictionary has each value once."""
    distinct = [*dict.fromkeys(value for value in values if value is not None)]
    return pa.DictionaryArray.from_arrays(_indices(distinct, values).take(indices), pa.array(distinct, pa.string()))


def _numbers(column: bytearray) -> memoryview[int]:
    return memoryview(column).cast("q")


def _set_bits(bitmap: bytearray, rows: bytearray, offset: int, *, value: bool) -> None:
    """Set or clear the bits of rows, to which `offset` is added."""
    if native.AVAILABLE:
        native.cells.set_bits(bitmap, rows, offset, value)
        return
    for row in _numbers(rows):
        at, bit = divmod(row + offset, 8)
        bitmap[at] = bitmap[at] | 1 << bit if value else bitmap[at] & ~(1 << bit)
