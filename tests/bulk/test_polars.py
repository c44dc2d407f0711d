"""The expression for Polars equals the reference, in eager, lazy and streaming frames."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.bulk.material import columns_of, expected, hidden_of, random_rows, random_rules
from withhold import Engine, Policy, Rule, RuleSet

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
pl = pytest.importorskip("polars", reason="polars is not installed")

from withhold.bulk.polars import mask  # noqa: E402  # needs polars

ENGINE = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
NAMES = ("tweets", "accounts", "countries", "subdivisions", "at", "retweet_of", "retweeted_account")


@pytest.mark.parametrize("codes", [pl.String, pl.Categorical])
def test_frames_get_the_answers_of_the_reference(codes):
    rules, rows = random_rules(11), random_rows(12, 5_000, distinct=120)
    wanted = hidden_of(expected(rules, Policy(), rows))
    frame = pl.from_arrow(pa.table(columns_of(rows, pa))).with_columns(pl.col("countries").cast(codes))
    hidden = mask(Engine(rules), *NAMES).alias("hidden")
    assert frame.with_columns(hidden)["hidden"].to_list() == wanted
    assert frame[7:].lazy().with_columns(hidden).collect(engine="streaming")["hidden"].to_list() == wanted[7:]


def test_a_file_is_streamed_in_batches(tmp_path):
    """Also if it is filtered by the answer."""
    path = tmp_path / "rows.parquet"
    pl.DataFrame(
        {"tweet": range(1, 300_001), "account": [17, 18, 19] * 100_000, "country": ["IN"] * 300_000}
    ).write_parquet(path, row_group_size=10_000)
    hidden = mask(ENGINE, "tweet", "account", "country")
    found = pl.scan_parquet(path).filter(hidden).select("tweet").collect(engine="streaming")
    assert found["tweet"].to_list() == [*range(1, 300_001, 3)]


def test_columns_may_be_expressions_and_literals():
    frame = pl.DataFrame({"t": ["20", "21"], "a": [17, 17], "c": ["in", None]})
    hidden = mask(ENGINE, pl.col("t").cast(pl.Int64), "a", pl.lit("IN"), at=datetime(2021, 1, 1, tzinfo=UTC))
    assert frame.select(hidden.alias("h"))["h"].to_list() == [True, True]
    by_column = mask(ENGINE, pl.col("t").cast(pl.Int64), pl.col("a"), "c")
    assert frame.select(by_column.alias("h"))["h"].to_list() == [True, False]


def test_all_batches_are_answered_from_one_snapshot():
    """That of the engine when the expression was made."""
    engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
    query = pl.LazyFrame({"t": [20], "a": [17], "c": ["IN"]}).select(mask(engine, "t", "a", "c").alias("h"))
    engine.activate(RuleSet())
    assert query.collect()["h"].to_list() == [True]


def test_an_empty_frame_has_an_empty_answer():
    frame = pl.DataFrame({"t": [], "a": [], "c": []}, schema={"t": pl.Int64, "a": pl.Int64, "c": pl.String})
    assert frame.select(mask(ENGINE, "t", "a", "c").alias("h"))["h"].to_list() == []


@pytest.mark.parametrize(
    ("change", "code"),
    [({"c": ["XX"]}, "unknown-territory"), ({"a": [-17]}, "id-out-of-range"), ({"a": [17.0]}, "id-not-an-int")],
)
def test_what_is_not_understood_fails_the_query(change, code):
    frame = pl.DataFrame({"t": [20], "a": [17], "c": ["IN"]} | change)
    for query in (frame, frame.lazy()):
        with pytest.raises(Exception, match=code):  # Polars wraps it
            query.lazy().select(mask(ENGINE, "t", "a", "c")).collect()


def test_an_instant_without_a_zone_fails_the_query():
    frame = pl.DataFrame({"t": [20], "a": [17], "c": ["IN"], "at": [datetime(2021, 1, 1)]})  # noqa: DTZ001
    with pytest.raises(Exception, match="naive-instant"):
        frame.select(mask(ENGINE, "t", "a", "c", at="at"))
