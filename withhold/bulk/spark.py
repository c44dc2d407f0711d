"""Which rows of a Spark frame are hidden: a function for SQL and for columns, and one for `mapInArrow`.

Only the path of a snapshot is sent to the executors, never an engine. Each process opens the file once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from withhold.bulk import arrow
from withhold.bulk.answers import Errors
from withhold.bulk.columns import ARGUMENTS, Columns
from withhold.bulk.extras import pa
from withhold.bulk.opened import engine_of
from withhold.errors import missing_extra, quoted
from withhold.model import Policy
from withhold.model.instants import utc

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class _Question:
    """The data that is sent to the executors."""

    path: str
    revision: str
    policy: Policy
    at: datetime | None
    errors: Errors

    def mask(self, columns: dict[str, Any]) -> Any:
        engine = engine_of(self.path, self.revision, self.policy)
        if self.at is not None:
            columns["at"] = self.at
        return arrow.mask(engine, **columns, errors=self.errors)


def register(
    spark: SparkSession,
    path: str | os.PathLike[str],
    *,
    name: str = "withheld",
    arguments: tuple[str, ...] = ("tweets", "accounts", "countries"),
    revision: str | None = None,
    policy: Policy | None = None,
    at: datetime | None = None,
    errors: Errors = "raise",
) -> Callable[..., Any]:
    """Register a function of columns that is true for each row whose tweet is hidden from a viewer in its country.

    SQL calls it by `name`, and the function that this returns takes columns. `arguments` are the names of its arguments,
    in order, among those of `withhold.bulk.arrow.mask`: `tweets`, `accounts` and `countries`, and perhaps `subdivisions`,
    `at`, `retweet_of` and `retweeted_account`. `at` is the instant of all rows; without it and without such a column, the
    instant is that of this call. `policy` is that of an engine.

    `path` is a snapshot, which every executor must find. `revision` is the revision that it must have. By default it is
    read from the file on this machine. An executor that finds another revision fails (`other-revision`).
    """
    try:
        from pyspark.sql.functions import arrow_udf
    except ModuleNotFoundError as error:
        raise missing_extra(error, "spark") from None
    _check_arguments(arguments)
    question = _question(path, revision, policy, at, errors, has_instants="at" in arguments)

    def hidden(*columns: pa.Array) -> pa.Array:
        return question.mask(dict(zip(arguments, columns, strict=True)))

    registered: Callable[..., Any] = spark.udf.register(name, arrow_udf(hidden, "boolean"))
    return registered


def mapper(
    path: str | os.PathLike[str],
    columns: Columns | None = None,
    *,
    name: str = "hidden",
    revision: str | None = None,
    policy: Policy | None = None,
    at: datetime | None = None,
    errors: Errors = "raise",
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return a function for `frame.mapInArrow`, which adds a boolean column `name` to the rows.

    `columns` has the names of the columns of the frame. The other arguments are those of `register`.
    """
    named = columns or Columns()
    question = _question(path, revision, policy, at, errors, has_instants=named.at is not None)

    def answer(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            hidden = question.mask(named.of(batch))
            yield pa.RecordBatch.from_arrays([*batch.columns, hidden], names=[*batch.schema.names, name])

    return answer


def _question(
    path: str | os.PathLike[str],
    revision: str | None,
    policy: Policy | None,
    at: datetime | None,
    errors: Errors,
    *,
    has_instants: bool,
) -> _Question:
    if has_instants and at is not None:
        raise TypeError("give either `at` or a column of instants, not both [two-instants]")
    instant = None if has_instants else datetime.now(UTC) if at is None else utc(at, "at")
    found = revision or engine_of(path).snapshot.revision
    return _Question(os.path.abspath(path), found, policy or Policy(), instant, errors)  # noqa: PTH100


def _check_arguments(arguments: tuple[str, ...]) -> None:
    missing = [name for name in ARGUMENTS[:3] if name not in arguments]
    unknown = [name for name in arguments if name not in ARGUMENTS or arguments.count(name) > 1]
    if missing or unknown:
        wrong = f"lack {', '.join(map(quoted, missing))}" if missing else f"have {', '.join(map(quoted, unknown))}"
        raise ValueError(f"the arguments {wrong} [bad-arguments]; use each of {', '.join(ARGUMENTS)} at most once")
