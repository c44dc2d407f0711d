"""Time `withhold.bulk` on ten million rows, after comparing all answers.

Every figure is the median of some rounds in one process, in which the contenders take turns in random order, with its
quartiles, and the processor time of all threads. The machine is shared, so compare the ratios. `--spark` adds Spark, and `--memory` streams a hundred million rows.
"""

from __future__ import annotations

import argparse
import gc
import random
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from benchmarks import machine, package

with package.needed():
    import polars as pl
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import parquet

    from benchmarks.bulk import joins, world

from withhold import Engine, Snapshot, Viewer
from withhold.bulk.arrow import decide, mask
from withhold.bulk.columns import Columns
from withhold.bulk.polars import mask as polars_mask
from withhold.bulk.scan import Scan

COLUMNS = Columns(at="at")
Jobs = dict[str, Callable[[], object]]
#: For each job and round, the seconds that passed and those of processor time in this process.
Taken = dict[str, list[tuple[float, float]]]


def timed(jobs: Jobs, rounds: int) -> Taken:
    """Return the time of each job in each round but the first."""
    taken: Taken = {name: [] for name in jobs}
    order = list(jobs)
    gc.collect()
    gc.freeze()
    for turn in range(rounds + 1):
        random.Random(turn).shuffle(order)
        for name in order:
            began, worked = perf_counter(), process_time()
            jobs[name]()
            if turn:
                taken[name].append((perf_counter() - began, process_time() - worked))
    return taken


def show(title: str, taken: Taken) -> None:
    """Print medians and quartiles."""
    print(f"\n{title}\n  {'':58}{'s':>8}{'quartiles':>18}{'processor':>12}")
    for name, each in taken.items():
        passed, worked = zip(*each, strict=True)
        low, middle, high = statistics.quantiles(passed, n=4) if len(passed) > 1 else passed * 3
        print(f"  {name:58}{middle:8.3f}{low:9.3f}{high:9.3f}{statistics.median(worked):12.3f}")


def target(taken: Taken, one: str, other: str, limit: float, *, at_least: bool = False) -> None:
    """Print the ratio of two medians, and whether it is within its limit; and that of processor time."""
    ratio, work = (
        statistics.median(each[of] for each in taken[one]) / statistics.median(each[of] for each in taken[other])
        for of in (0, 1)
    )
    fine = ratio >= limit if at_least else ratio <= limit
    bound = f"{'at least' if at_least else 'at most'} {limit:g}{'' if fine else ': MISSED'}"
    print(f"  {one} / {other}: {ratio:.2f} ({bound}); processor time {work:.2f}")


def check(engine: Engine, table: pa.Table, rules: dict[str, pa.Table], folder: Path) -> pa.Array:
    """Compare the answers of all engines with each other, and some of them with single decisions. Return the mask."""
    found = mask(engine, **COLUMNS.of(table))
    hidden = pc.sum(found).as_py()
    again = [
        ("two threads", mask(engine, **COLUMNS.of(table), threads=2)),
        ("`decide`", decide(engine, **COLUMNS.of(table)).hidden),
        ("Polars", streamed(engine, folder).collect(engine="streaming")["hidden"].to_arrow()),
    ]
    for name, other in again:
        if not other.equals(found):
            sys.exit(f"stopped: {name} gives other answers")
    for name, count in (
        ("Polars", joins.polars_periods(table, rules)),
        ("DuckDB", joins.duckdb_periods(table, rules, 2)),
    ):
        if count() != hidden:
            sys.exit(f"stopped: the join in {name} finds {count():,} hidden rows, not {hidden:,}")
    rows = [*pc.indices_nonzero(found).to_pylist()[:2_000], *range(2_000)]
    for row in rows:
        tweet, account, country, at = (table[name][row].as_py() for name in ("tweet", "account", "country", "at"))
        if engine.check((tweet, account), Viewer(country=country), at).visible is found[row].as_py():
            sys.exit(f"stopped: row {row} has another answer than `engine.check`")
    print(f"all answers are equal: {hidden:,} of {len(table):,} rows are hidden")
    return found


def streamed(engine: Engine, folder: Path) -> pl.LazyFrame:
    hidden = polars_mask(engine, "tweet", "account", "country", at="at")
    return pl.scan_parquet(folder / "rows.parquet").select(hidden=hidden)


def in_memory(engine: Engine, table: pa.Table, rules: dict[str, pa.Table], rounds: int) -> None:
    """Compare the masks of tables in memory with marking the rows alone, and with joins."""
    whole = table.combine_chunks()
    tweets, accounts = (whole[name].chunk(0) for name in ("tweet", "account"))
    view, marks = engine.view(Viewer.unknown()), bytearray(len(table))
    of_tweets, of_accounts = (memoryview(column.buffers()[1]).cast("B").cast("q") for column in (tweets, accounts))
    coded = pa.table(whole).set_column(2, "country", whole["country"].combine_chunks().dictionary_encode())
    cut = pa.Table.from_batches(coded.to_batches(max_chunksize=100_000))
    one = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int8()), len(table)), ["IN"])
    at = world.START + timedelta(days=180)
    taken = timed(
        {
            "marking alone": lambda: view._mark(of_tweets, of_accounts, marks),
            "mask": lambda: mask(engine, **COLUMNS.of(coded)),
            "mask, batches of 100,000": lambda: mask(engine, **COLUMNS.of(cut)),
            "mask, countries as text": lambda: mask(engine, **COLUMNS.of(whole)),
            "mask, two threads": lambda: mask(engine, **COLUMNS.of(coded), threads=2),
            "mask, one country and instant, two threads": lambda: mask(engine, tweets, accounts, one, at=at, threads=2),
            "mask, countries as text, two threads": lambda: mask(engine, **COLUMNS.of(whole), threads=2),
            "decide": lambda: decide(engine, **COLUMNS.of(coded)),
            "Polars, anti-join, one country": joins.polars_one_country(table, rules),
            "Polars, join, countries and periods": joins.polars_periods(table, rules),
            "DuckDB, join, countries and periods": joins.duckdb_periods(table, rules, 2),
        },
        rounds,
    )
    show("Tables in memory", taken)
    target(taken, "mask", "marking alone", 2)
    target(taken, "mask, countries as text", "marking alone", 3)
    target(taken, "mask", "mask, two threads", 1.8, at_least=True)
    target(taken, "mask, one country and instant, two threads", "Polars, anti-join, one country", 1.5)
    target(taken, "Polars, join, countries and periods", "mask, countries as text, two threads", 1.5, at_least=True)
    target(taken, "DuckDB, join, countries and periods", "mask, countries as text, two threads", 2, at_least=True)


def from_files(engine: Engine, folder: Path, rounds: int) -> None:
    """Compare jobs on a Parquet file with reading and copying it."""
    path = folder / "rows.parquet"
    names = ["tweet", "account", "country", "at"]

    def arrow() -> None:
        for batch in parquet.ParquetFile(path).iter_batches(batch_size=1 << 17, columns=names):
            mask(engine, **COLUMNS.of(batch), threads=1)

    def read() -> None:
        for _ in parquet.ParquetFile(path).iter_batches(batch_size=1 << 19):
            pass

    def copy() -> None:
        file = parquet.ParquetFile(path)
        with parquet.ParquetWriter(folder / "copy.parquet", file.schema_arrow) as writer:
            for batch in file.iter_batches(batch_size=1 << 19):
                writer.write_batch(batch)

    def scanned(*, only_hidden: bool) -> Callable[[], object]:
        question = Scan(engine=engine, columns=COLUMNS, at=None, resume=False, only_hidden=only_hidden, threads=2)
        return lambda: question.run(path, folder / f"scan-{only_hidden}.parquet")

    taken = timed(
        {
            "Arrow, batches of a Parquet file": arrow,
            "Polars, streaming a Parquet file": lambda: streamed(engine, folder).sum().collect(engine="streaming"),
            "reading": read,
            "copying": copy,
            "scan": scanned(only_hidden=False),
            "scan --only-hidden": scanned(only_hidden=True),
        },
        max(3, rounds // 2),
    )
    show("Parquet files", taken)
    target(taken, "Polars, streaming a Parquet file", "Arrow, batches of a Parquet file", 1.3)
    target(taken, "scan", "copying", 1.15)
    target(taken, "scan --only-hidden", "reading", 2)


def in_spark(snapshot: Path, folder: Path, rounds: int, hidden: int) -> None:
    """Compare `mapInArrow` with a function that returns its batches."""
    from pyspark.sql import SparkSession

    from withhold.bulk.spark import mapper

    spark: Any = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 100_000)
    rows = spark.read.parquet(str(folder / "rows.parquet")).select("tweet", "account", "country", "at")
    kind = "tweet long, account long, country string, at timestamp, hidden boolean"

    def identity(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield batch.append_column("hidden", pa.nulls(len(batch), pa.bool_()))

    jobs: Jobs = {
        "Spark, mapInArrow, identity": lambda: rows.mapInArrow(identity, kind).where("hidden").count(),
        "Spark, mapInArrow": lambda: rows.mapInArrow(mapper(snapshot, COLUMNS), kind).where("hidden").count(),
    }
    if (found := jobs["Spark, mapInArrow"]()) != hidden:
        sys.exit(f"stopped: Spark finds {found:,} hidden rows, not {hidden:,}")
    taken = timed(jobs, max(3, rounds // 2))
    show("Spark", taken)
    target(taken, "Spark, mapInArrow", "Spark, mapInArrow, identity", 1.25)
    spark.stop()


def memory(engine: Engine, table: pa.Table, rows: int) -> None:
    """Print the peak memory of this process while it answers batches, after some and after all of them."""
    part = table[:1_000_000]
    for number in range(rows // len(part)):
        mask(engine, **COLUMNS.of(part), threads=2)
        if number in (9, rows // len(part) - 1):
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"  peak memory after {(number + 1) * len(part):,} rows: {peak:,.0f} MB")


def main() -> None:
    """Check the answers, measure, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--ids", type=int, default=1_000_000, help="the number of ids that rules name")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--spark", action="store_true", help="also measure Spark, which needs Java")
    parser.add_argument("--memory", action="store_true", help="also answer a hundred million rows")
    parser.add_argument("--pure", action="store_true", help=package.HELP)
    package.begin()
    options = parser.parse_args()
    print(machine.summary(machine.described()))
    rule_set = world.random_rules(options.ids)
    table = world.random_rows(rule_set, options.rows)
    rules = {name: pa.Table.from_pylist(rows) for name, rows in world.as_rows(rule_set).items()}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        snapshot = folder / "rules.wh"
        Snapshot.compile(rule_set).save(snapshot)
        engine = Engine(Snapshot.open(snapshot))
        parquet.write_table(table, folder / "rows.parquet", row_group_size=1 << 20)
        hidden = check(engine, table, rules, folder)
        in_memory(engine, table, rules, options.rounds)
        from_files(engine, folder, options.rounds)
        if options.spark:
            in_spark(snapshot, folder, options.rounds, pc.sum(hidden).as_py())
        if options.memory:
            memory(engine, table, 10 * options.rows)


if __name__ == "__main__":
    main()
