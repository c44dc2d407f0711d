"""Which rows of columns are hidden, and why: `mask` and `decide` on arrays of Arrow."""

from __future__ import annotations

from datetime import UTC, datetime
from os import PathLike
from typing import Any

from withhold.bulk.answers import Decisions, Errors, answered
from withhold.bulk.extras import pa
from withhold.bulk.kernel import kernel_of
from withhold.bulk.opened import engine_of
from withhold.engine import Engine


def mask(
    rules: Engine | str | PathLike[str],
    tweets: Any,
    accounts: Any,
    countries: Any,
    subdivisions: Any | None = None,
    at: Any | datetime | None = None,
    retweet_of: Any | None = None,
    retweeted_account: Any | None = None,
    *,
    errors: Errors = "raise",
    threads: int = 1,
) -> pa.BooleanArray:
    """Return an array that is true for each row whose tweet is hidden from a viewer in its country.

    `rules` is an `Engine`, or the path of a snapshot, which is then opened once in each process, with the default policy.
    The columns are arrays or chunked arrays of Arrow, or columns of other libraries with the same layout. `countries` has
    text, dictionary-encoded or not; null is an unknown location. `subdivisions` has a full code such as `US-MS` in each row,
    or a list of codes. `at` is an aware `datetime`, by default now, or a column of timestamps with a time zone.
    `retweet_of` and `retweeted_account` have the tweet that a tweet retweets and its author, and null if it is no retweet.
    The policy's exemption of authors does not apply, because the viewers have no account.

    A row is null if its tweet, account or instant is null, or one of the two columns on its source is. With
    `errors="raise"`, a code that does not exist, a subdivision that contradicts its country, or an id that is out of range
    raises `TrafficError`, which names at most 100 rows; rows count from 0. With `errors="null"` such rows are null.

    O(rows): about 25 ns for each row on one thread, and twice that for retweets. Ids are not copied, and `threads`
    threads share the work without the GIL. Raises `SubjectTypeError`, `SubjectIdTypeError`, `SubjectIdError` or
    `InstantError` for columns of another type or length, and `SnapshotError` and `OSError` as `Snapshot.open` does.

    >>> import pyarrow as pa
    >>> from withhold import Rule, RuleSet
    >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
    >>> mask(engine, pa.array([20, 20, None]), pa.array([17, 17, 17]), pa.array(["IN", "US", "IN"])).to_pylist()
    [True, False, None]
    """
    given = _given(tweets, accounts, countries, subdivisions, at, retweet_of, retweeted_account)
    return answered(kernel_of(engine_of(rules)), *given, errors, threads).hidden


def decide(
    rules: Engine | str | PathLike[str],
    tweets: Any,
    accounts: Any,
    countries: Any,
    subdivisions: Any | None = None,
    at: Any | datetime | None = None,
    retweet_of: Any | None = None,
    retweeted_account: Any | None = None,
    *,
    errors: Errors = "raise",
    threads: int = 1,
) -> Decisions:
    """Return the outcome of each row with the rule that speaks, and how many rows have no answer.

    The arguments and errors are those of `mask`. It takes about a microsecond more for each hidden row.

    >>> import pyarrow as pa
    >>> from withhold import Rule, RuleSet
    >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
    >>> found = decide(engine, pa.array([20, None]), pa.array([17, 17]), pa.array(["IN", "IN"]))
    >>> found.outcome.to_pylist(), found.rule.to_pylist(), found.nulls
    (['withheld', None], ['in-1', None], 1)
    """
    given = _given(tweets, accounts, countries, subdivisions, at, retweet_of, retweeted_account)
    return answered(kernel_of(engine_of(rules)), *given, errors, threads).decisions()


def _given(
    tweets: Any, accounts: Any, countries: Any, subdivisions: Any, at: Any, retweet_of: Any, retweeted_account: Any
) -> tuple[dict[str, Any], datetime | None]:
    """Return the columns by the names of their arguments, and the instant of all rows if there is one."""
    columns = {"tweets": tweets, "accounts": accounts, "countries": countries, "subdivisions": subdivisions}
    columns |= {"retweet_of": retweet_of, "retweeted_account": retweeted_account}
    if at is None or isinstance(at, datetime):
        return columns, datetime.now(UTC) if at is None else at
    return columns | {"at": at}, None
