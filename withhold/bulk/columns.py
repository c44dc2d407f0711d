"""Find the Arrow columns of a question by name, check them, and cut them into batches of rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from withhold.bulk.extras import pa
from withhold.bulk.locations import check_codes
from withhold.bulk.timelines import microseconds
from withhold.errors import InstantError, Problem, SubjectIdError, SubjectIdTypeError, SubjectTypeError, quoted
from withhold.model.instants import utc

#: The largest number of rows of a batch.
BATCH = 1 << 20
_UNITS = {"s": (1_000_000, 1), "ms": (1_000, 1), "us": (1, 1), "ns": (1, 1_000)}


class Columns(NamedTuple):
    """The names of the columns of a table. None means that the table does not have the column.

    >>> from withhold.bulk.extras import pa
    >>> columns = Columns(tweet="id", account="author", country="cc")
    >>> sorted(columns.of(pa.table({"id": [20], "author": [17], "cc": ["IN"]})))
    ['accounts', 'countries', 'tweets']
    """

    tweet: str = "tweet"
    account: str = "account"
    country: str = "country"
    subdivision: str | None = None
    at: str | None = None
    retweet_of: str | None = None
    retweeted_account: str | None = None

    def of(self, table: Any) -> dict[str, Any]:
        """Return the columns of a table or a record batch as the arguments of `mask` and `decide`.

        Raises `SubjectTypeError` if the table lacks one, or has two of the same name.
        """
        names = table.schema.names
        found = {}
        for argument, name in zip(ARGUMENTS, self, strict=True):
            if name is not None:
                if names.count(name) != 1:
                    wrong = "lacks" if name not in names else "has more than one of"
                    hint = f"its columns: {', '.join(map(quoted, names[:20]))}"
                    problem = Problem("no-such-column", f"the table {wrong} the column {quoted(name)}", hint=hint)
                    raise SubjectTypeError(problem)
                found[argument] = table.column(name)
        return found


#: The arguments of `mask` and `decide`, in the order of the fields of `Columns`.
ARGUMENTS = ("tweets", "accounts", "countries", "subdivisions", "at", "retweet_of", "retweeted_account")


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a question. The columns are Arrow arrays of equal length, and their types are checked."""

    tweets: Any
    accounts: Any
    countries: Any
    subdivisions: Any | None
    #: A column of timestamps, or the microseconds since 1970 for all rows.
    at: Any | int
    #: The tweets that the tweets retweet, and their authors; None if the question has no such columns.
    sources: tuple[Any, Any] | None

    def __len__(self) -> int:
        return len(self.tweets)

    @property
    def unit(self) -> tuple[int, int]:
        """The microseconds in a unit of the instants, and the units in a microsecond; one of the two is 1."""
        return (1, 1) if isinstance(self.at, int) else _UNITS[self.at.type.unit]

    def required(self) -> list[Any]:
        """Return the required columns: a row with a null in one of them has no answer."""
        return [self.tweets, self.accounts, *([] if isinstance(self.at, int) else [self.at])]


def batches(given: Mapping[str, Any], at: datetime | None, threads: int) -> Iterator[Batch]:
    """Check columns, given by the names of arguments, and return them in batches, at least one for each thread. `at` is the instant of all rows.

    Nothing is copied, except for columns of ids that are not 64-bit integers. Raises `SubjectTypeError`,
    `SubjectIdTypeError`, `SubjectIdError` or `InstantError` before the first batch.
    """
    columns = {name: _column(column, name) for name, column in given.items() if column is not None}
    for name in ("tweets", "accounts", "retweet_of", "retweeted_account"):
        if name in columns:
            columns[name] = _ids(columns[name], name)
    check_codes(columns["countries"], "countries")
    if "subdivisions" in columns:
        check_codes(columns["subdivisions"], "subdivisions", lists=True)
    if "at" in columns:
        _check_instants(columns["at"])
    if ("retweet_of" in columns) != ("retweeted_account" in columns):
        message = "`retweet_of` and `retweeted_account` are only useful together"
        raise SubjectTypeError(Problem("bad-retweet", message, hint="pass both, or neither"))
    rows = len(columns["tweets"])
    for name, column in columns.items():
        if len(column) != rows:
            message = f"there are {rows:,} rows in `tweets`, but {len(column):,} in `{name}`"
            raise SubjectIdError(Problem("uneven-ids", message, hint="pass columns of equal length"))
    instant = None if at is None else microseconds(utc(at, "at"))
    table = pa.Table.from_arrays([*columns.values()], names=[*columns])
    size = max(1, min(BATCH, -(-rows // threads)))
    return (_batch(batch, instant) for batch in table.to_batches(max_chunksize=size) if len(batch))


def _batch(batch: Any, instant: int | None) -> Batch:
    found = dict(zip(batch.schema.names, batch.columns, strict=True))
    sources = (found["retweet_of"], found["retweeted_account"]) if "retweet_of" in found else None
    at = found["at"] if instant is None else instant
    return Batch(found["tweets"], found["accounts"], found["countries"], found.get("subdivisions"), at, sources)


def _column(given: Any, name: str) -> Any:
    """Return a pyarrow column. A column of another library is converted without a copy."""
    if isinstance(given, pa.Array | pa.ChunkedArray):
        return given
    if not isinstance(given, pa.Table | pa.RecordBatch):
        if hasattr(given, "__arrow_c_stream__"):
            return pa.chunked_array(given)
        if hasattr(given, "__arrow_c_array__"):
            return pa.array(given)
    hint = "pass an array of Arrow, such as `pyarrow.array(ids)`"
    raise SubjectTypeError(Problem("not-a-column", f"`{name}` is a `{type(given).__name__}`, not a column", hint=hint))


def _ids(column: Any, name: str) -> Any:
    """Return a column of ids as 64-bit integers. The values are not checked."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _ids(column.cast(kind.value_type), name)
    if pa.types.is_int64(kind) or pa.types.is_uint64(kind):
        return column
    if pa.types.is_integer(kind) or pa.types.is_null(kind):
        return column.cast(pa.int64())
    hint = "cast the column to `int64` where it is read"
    if pa.types.is_floating(kind):
        hint = "floats cannot hold ids: read the column as integers that can be null, in pandas as `Int64`"
    raise SubjectIdTypeError(Problem("id-not-an-int", f"`{name}` has the type `{kind}`, not integers", hint=hint))


def _check_instants(column: Any) -> None:
    kind = column.type
    if not pa.types.is_timestamp(kind):
        hint = "pass timestamps with a time zone, or one aware `datetime` for all rows"
        raise InstantError(Problem("not-an-instant", f"`at` has the type `{kind}`, not instants", hint=hint))
    if kind.tz is None:
        hint = "cast it, for example to `timestamp('us', 'UTC')` if it is in UTC"
        raise InstantError(Problem("naive-instant", f"`at` has the type `{kind}`, without a time zone", hint=hint))
