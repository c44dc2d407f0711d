"""Which rows of a Polars frame are hidden, as an expression."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from os import PathLike

from withhold.bulk.answers import Errors, answered
from withhold.bulk.kernel import Kernel, kernel_of
from withhold.bulk.opened import engine_of
from withhold.engine import Engine
from withhold.errors import missing_extra

try:
    import polars as pl
except ModuleNotFoundError as _error:
    raise missing_extra(_error, "polars") from None


def mask(
    rules: Engine | str | PathLike[str],
    tweets: str | pl.Expr,
    accounts: str | pl.Expr,
    countries: str | pl.Expr,
    subdivisions: str | pl.Expr | None = None,
    at: str | pl.Expr | datetime | None = None,
    retweet_of: str | pl.Expr | None = None,
    retweeted_account: str | pl.Expr | None = None,
    *,
    errors: Errors = "raise",
    threads: int = 1,
) -> pl.Expr:
    """Return an expression that is true for each row whose tweet is hidden from a viewer in its country.

    The arguments are those of `withhold.bulk.arrow.mask`, but columns are given by their names or as expressions. The
    snapshot is the current one at this call. Without `at`, the instant is that of this call too. The expression is
    elementwise, so the streaming engine evaluates it in batches, and a lazy frame never holds a whole column. Columns
    are not copied. Invalid rows raise `TrafficError` while the frame is collected, which Polars reports as a
    `ComputeError`; its message counts the rows of a batch.

    >>> import polars as pl
    >>> from withhold import Engine, Rule, RuleSet
    >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
    >>> shown = pl.LazyFrame({"tweet": [20, 21], "account": [17, 17], "country": ["IN", "US"]})
    >>> shown.with_columns(hidden=mask(engine, "tweet", "account", "country")).collect()["hidden"].to_list()
    [True, False]
    """
    given = {"tweets": tweets, "accounts": accounts, "countries": countries, "subdivisions": subdivisions}
    given |= {"retweet_of": retweet_of, "retweeted_account": retweeted_account}
    instant = None
    if at is None or isinstance(at, datetime):
        instant = datetime.now(UTC) if at is None else at
    else:
        given["at"] = at
    columns = [_named(column, name) for name, column in given.items() if column is not None]
    # Use one snapshot for all batches, even if the engine gets another one or the file is replaced in between.
    answer = partial(_mask, kernel_of(engine_of(rules)), instant, errors, threads)
    return pl.struct(columns).map_batches(answer, return_dtype=pl.Boolean, is_elementwise=True)


def _named(column: str | pl.Expr, name: str) -> pl.Expr:
    return (pl.col(column) if isinstance(column, str) else column).alias(name)


def _mask(kernel: Kernel, instant: datetime | None, errors: Errors, threads: int, rows: pl.Series) -> pl.Series:
    # The newest layout has views of text, which are not copied.
    table = rows.struct.unnest().to_arrow(compat_level=pl.CompatLevel.newest())
    columns = dict(zip(table.column_names, table.columns, strict=True))
    return pl.Series(answered(kernel, columns, instant, errors, threads).hidden)
