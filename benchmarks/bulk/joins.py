"""What people do today: joins of the rows with a table of rules, in Polars and DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa


def polars_one_country(table: pa.Table, rules: Mapping[str, pa.Table]) -> Callable[[], int]:
    """Return a function that counts the rows of ids that any rule names, whatever the country and the instant."""
    rows = pl.from_arrow(table.select(["tweet", "account"]))
    named = {name: pl.from_arrow(of.select([name])).unique() for name, of in rules.items()}

    def count() -> int:
        left = rows.lazy()
        for name, ids in named.items():
            left = left.join(ids.lazy(), on=name, how="anti")
        return len(rows) - int(left.select(pl.len()).collect().item())

    return count


def polars_periods(table: pa.Table, rules: Mapping[str, pa.Table]) -> Callable[[], int]:
    """Return a function that counts the hidden rows, with countries and periods."""
    rows = pl.from_arrow(table.select(["tweet", "account", "country", "at"])).with_row_index("row")
    named = {name: pl.from_arrow(of) for name, of in rules.items()}

    def count() -> int:
        hidden = [
            rows.lazy()
            .join(of.lazy(), on=name, suffix=" of rule")
            .filter(pl.col("country") == pl.col("country of rule"))
            .filter((pl.col("begin") <= pl.col("at")) & (pl.col("at") < pl.col("until")))
            .select("row")
            for name, of in named.items()
        ]
        return int(pl.concat(hidden).unique().select(pl.len()).collect().item())

    return count


def duckdb_periods(table: pa.Table, rules: Mapping[str, pa.Table], threads: int) -> Callable[[], int]:
    """Return the same for DuckDB. The tables are its own."""
    database: Any = duckdb.connect(config={"threads": threads})
    for name, of in (("shown", table.select(["tweet", "account", "country", "at"])), *rules.items()):
        database.register("given", of)
        database.execute(f'CREATE TABLE "{name}_" AS SELECT * FROM given')  # noqa: S608
        database.unregister("given")
    query = """
        SELECT count(DISTINCT number) FROM (
            SELECT s.rowid AS number FROM shown_ AS s JOIN tweet_ AS r ON s.tweet = r.tweet
            WHERE r.country = s.country AND r.begin <= s.at AND s.at < r.until
            UNION ALL
            SELECT s.rowid AS number FROM shown_ AS s JOIN account_ AS r ON s.account = r.account
            WHERE r.country = s.country AND r.begin <= s.at AND s.at < r.until
        )
    """

    def count() -> int:
        return int(database.execute(query).fetchone()[0])

    return count
