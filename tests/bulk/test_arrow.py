"""`mask` and `decide` equal the reference, in every layout of Arrow, and refuse invalid columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bulk.material import INSTANTS, Row, columns_of, expected, hidden_of, random_rows, random_rules
from tests.implementations import each_snapshot, every_snapshot
from tests.strategies import ACCOUNTS, PLACES, TWEETS, policies, rule_sets
from withhold import Decision, Engine, Policy, Rule, RuleSet, RuleSetWarning, Snapshot, TrafficError, WithholdError

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")

from withhold.bulk.arrow import decide, mask  # noqa: E402  # needs pyarrow
from withhold.bulk.columns import Columns  # noqa: E402

RULES = RuleSet(
    [
        Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand", demand="IN-D1"),
        Rule(id="ms-1", tweets=[20], withheld_in=["US-MS"], reason="terms"),
        Rule(id="away", tweets=[30], withheld_in="WORLD", except_in="US", reason="copyright"),
    ]
)
ENGINE = Engine(RULES)
NOW = datetime(2026, 11, 1, tzinfo=UTC)

ids = st.none() | st.sampled_from((*TWEETS, *ACCOUNTS, 99))
rows_ = st.lists(
    st.builds(
        lambda tweet, account, place, at, source: Row(tweet, account, place[0], place[1], at, *source),
        ids,
        ids,
        st.sampled_from(PLACES),
        st.none() | st.sampled_from(INSTANTS),
        st.just((None, None)) | st.tuples(ids, ids),
    ),
    max_size=6,
)


def asked(
    tweets: Sequence[int | None], accounts: Sequence[int | None], countries: Sequence[str | None]
) -> tuple[Any, Any, Any]:
    return pa.array(tweets, pa.int64()), pa.array(accounts, pa.int64()), pa.array(countries, pa.string())


def fields(decision: Decision | None) -> tuple[object, ...]:
    if decision is None:
        return (None,) * 4
    reason = None if decision.reason is None else str(decision.reason)
    return (str(decision.outcome), decision.rule_id, reason, decision.demand)


@cache
def many() -> tuple[RuleSet, list[Row], list[bool | None]]:
    """Return rules, many rows, and their answers."""
    rules, rows = random_rules(1), random_rows(2, 20_000)
    return rules, rows, hidden_of(expected(rules, Policy(), rows))


@settings(max_examples=30)
@given(rule_sets(), policies, rows_)
def test_every_row_gets_the_answer_of_the_reference(rules: RuleSet, policy: Policy, rows: list[Row]) -> None:
    wanted = expected(rules, policy, rows)
    columns = columns_of(rows, pa)
    for snapshot in every_snapshot(rules):
        found = decide(Engine(snapshot, policy), **columns)
        assert found.hidden.to_pylist() == hidden_of(wanted)
        arrays = (found.outcome, found.rule, found.reason, found.demand)
        assert [*zip(*(array.to_pylist() for array in arrays), strict=True)] == [*map(fields, wanted)]
        assert (found.nulls, found.refused) == (wanted.count(None), 0)


@each_snapshot
def test_many_rows_get_the_answers_of_the_reference(snapshot_of: Any) -> None:
    """On two threads, in chunks that differ between the columns."""
    rules, rows, wanted = many()
    assert 2_000 < wanted.count(True) < 18_000
    assert wanted.count(None) > 1000
    whole = columns_of(rows, pa)
    cut = {
        name: pa.chunked_array([column[:at], column[at : at + 77], column[at + 77 :]])
        for at, (name, column) in enumerate(whole.items(), 1000)
    }
    engine = Engine(snapshot_of(rules))
    for columns in (whole, cut):
        assert mask(engine, **columns, threads=2).to_pylist() == wanted
    assert mask(engine, **cut).equals(mask(engine, **whole))


@each_snapshot
def test_one_instant_may_be_given_for_all_rows(snapshot_of: Any) -> None:
    rules, rows = random_rules(3), random_rows(4, 150, sources=False)
    columns = columns_of(rows, pa)
    del columns["retweet_of"], columns["retweeted_account"]
    for instant in (INSTANTS[0], INSTANTS[5]):
        wanted = expected(rules, Policy(), [row._replace(at=instant) for row in rows])
        found = decide(Engine(snapshot_of(rules)), **(columns | {"at": instant}))
        assert [*zip(found.outcome.to_pylist(), found.rule.to_pylist(), strict=True)] == [
            fields(each)[:2] for each in wanted
        ]


LAYOUTS = {
    "uint64 ids": lambda c: {**c, "tweets": c["tweets"].cast(pa.uint64()), "accounts": c["accounts"].cast(pa.uint64())},
    "int16 ids": lambda c: {**c, "tweets": c["tweets"].cast(pa.int16()), "accounts": c["accounts"].cast(pa.uint8())},
    "dictionaries of ids": lambda c: {**c, "tweets": c["tweets"].dictionary_encode()},
    "large text": lambda c: {**c, "countries": c["countries"].cast(pa.large_string())},
    "views of text": lambda c: {**c, "countries": c["countries"].cast(pa.string_view())},
    "a dictionary": lambda c: {**c, "countries": c["countries"].dictionary_encode()},
    "a dictionary with a null": lambda c: {**c, "countries": c["countries"].dictionary_encode(null_encoding="encode")},
    "a wide dictionary": lambda c: {
        **c,
        "countries": pa.DictionaryArray.from_arrays(
            c["countries"].dictionary_encode().indices.cast(pa.uint64()), c["countries"].dictionary_encode().dictionary
        ),
    },
    "seconds": lambda c: {**c, "at": c["at"].cast(pa.timestamp("s", "UTC"), safe=False)},
    "nanoseconds elsewhere": lambda c: {**c, "at": c["at"].cast(pa.timestamp("ns", "Asia/Kolkata"))},
    "large lists": lambda c: {**c, "subdivisions": c["subdivisions"].cast(pa.large_list(pa.large_string()))},
}


@cache
def sliceable(with_subdivisions: bool) -> tuple[RuleSet, list[Row], list[bool | None]]:
    """Return rules, rows whose instants are whole seconds, and their answers."""
    rules = random_rules(5)
    rows = [
        row._replace(
            at=row.at.replace(microsecond=0) if row.at else None,
            subdivisions=row.subdivisions if with_subdivisions else (),
        )
        for row in random_rows(6, 300)
    ]
    return rules, rows, hidden_of(expected(rules, Policy(), rows))


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("with_subdivisions", [True, False])
@each_snapshot
def test_every_layout_is_read_alike(snapshot_of: Any, layout: Any, with_subdivisions: bool) -> None:
    """Also if the arrays are slices that begin in the middle of a byte of their bitmaps."""
    rules, rows, wanted = sliceable(with_subdivisions)
    columns = layout(columns_of(rows, pa))
    if not with_subdivisions:
        del columns["subdivisions"]
    engine = Engine(snapshot_of(rules))
    for start, end in ((0, 300), (3, 300), (13, 13), (13, 298)):
        sliced = {name: column[start:end] for name, column in columns.items()}
        assert mask(engine, **sliced).to_pylist() == wanted[start:end]


def test_a_full_code_in_each_row_is_a_subdivision_too() -> None:
    subdivisions = pa.array(["US-MS", "US-TX", None, "US-MS"])
    found = mask(ENGINE, *asked([20] * 4, [1] * 4, ["US"] * 4), subdivisions)
    assert found.to_pylist() == [True, False, False, True]


def test_empty_and_all_null_columns_have_answers() -> None:
    assert mask(ENGINE, *asked([], [], [])).to_pylist() == []
    found = decide(ENGINE, pa.nulls(3), pa.nulls(3), pa.nulls(3))
    assert (found.hidden.to_pylist(), found.rule.to_pylist(), found.nulls) == ([None] * 3, [None] * 3, 3)
    assert mask(ENGINE, *asked([30, 20], [1, 1], [None, None])).to_pylist() == [True, False]


def test_values_under_nulls_do_not_matter() -> None:
    """An id that is named, invalid or garbage may be stored under a null."""
    valid = pa.py_buffer(bytes([0b0100]))
    stored = [pa.array(values, pa.int64()).buffers()[1] for values in ([-5, 20, 30], [17, 17, 17])]
    tweets = pa.Array.from_buffers(pa.int64(), 3, [valid, stored[0]])
    accounts = pa.Array.from_buffers(pa.int64(), 3, [None, stored[1]])
    countries = pa.array(["IN"] * 3)
    assert mask(ENGINE, tweets, accounts, countries).to_pylist() == [None, None, True]
    sources = {"retweet_of": tweets, "retweeted_account": tweets}
    ordinary = pa.array([1, 2, 3])
    assert mask(ENGINE, ordinary, ordinary, countries, **sources).to_pylist() == [False, False, True]


def test_unused_values_of_a_dictionary_need_not_be_places() -> None:
    codes = pa.DictionaryArray.from_arrays(pa.array([1, 1], pa.int8()), pa.array(["nowhere", "IN", "XX"]))
    assert mask(ENGINE, pa.array([1, 1]), pa.array([17, 18]), codes).to_pylist() == [True, False]


def test_an_index_outside_a_dictionary_is_an_error() -> None:
    for index in (5, -1):
        codes = pa.DictionaryArray.from_arrays(pa.array([index], pa.int8()), pa.array(["IN"]), safe=False)
        with pytest.raises(TrafficError, match=f"the index {index} is not in the dictionary"):
            mask(ENGINE, pa.array([1]), pa.array([17]), codes)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("size", [1, 63, 65_535, 65_536, 65_537, 140_000])
def test_a_hit_is_found_at_every_edge(size: int, threads: int) -> None:
    edges = sorted({at for edge in (0, 64, 65_536, 70_000, 131_072, size) for at in (edge - 1, edge) if 0 <= at < size})
    accounts = [1] * size
    for at in edges:
        accounts[at] = 17
    found = mask(ENGINE, *asked([1] * size, accounts, ["IN"] * size), threads=threads)
    assert [at for at, hidden in enumerate(found.to_pylist()) if hidden] == edges


@each_snapshot
def test_instants_far_away_are_before_or_after_all_rules(snapshot_of: Any) -> None:
    rules = RuleSet([Rule(id="a", accounts=[17], withheld_in="WORLD", reason="terms", from_=NOW)])
    at = pa.array([-(2**62), 2**62], pa.timestamp("s", "UTC"))
    assert mask(Engine(snapshot_of(rules)), *asked([1, 1], [17, 17], ["IN", "IN"]), at=at).to_pylist() == [False, True]


@each_snapshot
def test_nanoseconds_are_rounded_down(snapshot_of: Any) -> None:
    begin = datetime(1960, 1, 1, tzinfo=UTC)
    rules = RuleSet([Rule(id="a", accounts=[17], withheld_in="WORLD", reason="terms", from_=begin)])
    start = int(begin.timestamp()) * 10**9
    at = pa.array([start - 1, start, start + 1], pa.timestamp("ns", "UTC"))
    found = mask(Engine(snapshot_of(rules)), *asked([1] * 3, [17] * 3, ["IN"] * 3), at=at)
    assert found.to_pylist() == [False, True, True]


def test_invalid_rows_are_named_with_their_values() -> None:
    tweets = pa.array([20, 2**63, 20, 20, 0], pa.uint64())
    accounts = pa.array([17, 17, -3, 17, None], pa.int64())
    countries = pa.array(["IN", "IN", "IN", "XX", "DR"])
    with pytest.raises(TrafficError) as caught:
        mask(ENGINE, tweets, accounts, countries)
    assert [(problem.code, problem.place) for problem in caught.value.problems] == [
        ("id-out-of-range", "row 1, tweets"),
        ("id-out-of-range", "row 2, accounts"),
        ("unknown-territory", "row 3, countries"),
        ("unknown-territory", "row 4, countries"),
    ]
    assert "`9223372036854775808`" in str(caught.value)
    found = decide(ENGINE, tweets, accounts, countries, errors="null")
    assert (found.hidden.to_pylist(), found.nulls, found.refused) == ([True, None, None, None, None], 0, 4)
    assert found.outcome.to_pylist() == ["withheld", None, None, None, None]


def test_problems_are_listed_up_to_a_hundred() -> None:
    with pytest.raises(TrafficError) as caught:
        mask(ENGINE, *asked([1] * 250, [1] * 250, ["XX"] * 250), threads=2)
    assert len(caught.value.problems) == 101
    assert caught.value.problems[-1].message == "150 more rows with problems"


@pytest.mark.parametrize(
    ("country", "subdivision", "code"),
    [
        ("IN", "US-MS", "bad-viewer"),
        (None, "US-MS", "bad-viewer"),
        ("US", "US-XX", "unknown-territory"),
        ("US-MS", None, "bad-viewer"),
        ("WORLD", None, "bad-viewer"),
        ("", None, "unknown-territory"),
        ("US", "", "unknown-territory"),
    ],
)
def test_contradictions_and_unknown_codes_are_errors(country: str | None, subdivision: str | None, code: str) -> None:
    for subdivisions in (pa.array([subdivision]), pa.array([[subdivision]])):
        with pytest.raises(TrafficError) as caught:
            mask(ENGINE, *asked([1], [1], [country]), subdivisions)
        assert caught.value.code == code


def test_codes_are_read_as_those_of_a_viewer_are() -> None:
    with pytest.warns(RuleSetWarning, match="`UK` was read as `GB`"):
        found = mask(ENGINE, *asked([30] * 4, [1] * 4, ["UK", "us", " us", "Gb"]))
    assert found.to_pylist() == [True, False, False, True]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"tweets": pa.array([1.0])}, "`tweets` has the type `double`, not integers [id-not-an-int]"),
        ({"tweets": pa.array([True])}, "`tweets` has the type `bool`, not integers [id-not-an-int]"),
        ({"tweets": pa.array(["1"])}, "`tweets` has the type `string`, not integers [id-not-an-int]"),
        ({"tweets": [1]}, "`tweets` is a `list`, not a column [not-a-column]"),
        ({"tweets": pa.table({"a": [1]})}, "`tweets` is a `Table`, not a column [not-a-column]"),
        ({"tweets": pa.array([1, 2])}, "there are 2 rows in `tweets`, but 1 in `accounts` [uneven-ids]"),
        ({"countries": pa.array([1])}, "`countries` has the type `int64`, not text [not-a-column]"),
        ({"countries": "IN"}, "`countries` is a `str`, not a column [not-a-column]"),
        ({"subdivisions": pa.array([1])}, "`subdivisions` has the type `int64`, not text [not-a-column]"),
        ({"at": pa.array([1])}, "`at` has the type `int64`, not instants [not-an-instant]"),
        ({"at": pa.array([1], pa.timestamp("us"))}, "without a time zone [naive-instant]"),
        ({"at": datetime(2021, 1, 1)}, "[naive-instant]"),  # noqa: DTZ001
        ({"at": "2021"}, "`at` is a `str`, not a column [not-a-column]"),
        ({"retweet_of": pa.array([1])}, "`retweet_of` and `retweeted_account` are only useful together [bad-retweet]"),
    ],
)
def test_columns_of_another_type_are_refused(change: dict[str, Any], error: str) -> None:
    columns = {"tweets": pa.array([1]), "accounts": pa.array([1]), "countries": pa.array(["IN"])}
    with pytest.raises(WithholdError) as caught:
        mask(ENGINE, **(columns | change))
    assert error in str(caught.value)


def test_arguments_that_are_not_understood_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[bad-errors\]"):
        mask(ENGINE, *asked([1], [1], ["IN"]), errors="ignore")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"\[bad-threads\]"):
        mask(ENGINE, *asked([1], [1], ["IN"]), threads=0)
    with pytest.raises(WithholdError, match=r"\[not-an-engine\]"):
        mask(RULES, *asked([1], [1], ["IN"]))  # type: ignore[arg-type]


def test_columns_are_named_in_tables_and_record_batches() -> None:
    table = pa.table({"id": [1], "author": [17], "cc": ["IN"], "cc2": ["US"]})
    named = Columns(tweet="id", account="author", country="cc")
    for rows in (table, table.to_batches()[0]):
        assert mask(ENGINE, **named.of(rows)).to_pylist() == [True]
    with pytest.raises(WithholdError, match=r"lacks the column `country` \[no-such-column\]; its columns: `id`"):
        Columns(tweet="id", account="author").of(table)
    twice = pa.table([[1], [2]], names=["tweet", "tweet"])
    with pytest.raises(WithholdError, match="more than one of the column `tweet`"):
        Columns().of(twice)


def test_a_path_is_opened_once_and_again_when_it_is_replaced(tmp_path: Any) -> None:
    path = tmp_path / "rules.wh"
    Snapshot.compile(RULES).save(path)
    question = asked([1], [17], ["IN"])
    assert mask(path, *question).to_pylist() == mask(str(path), *question).to_pylist() == [True]
    Snapshot.compile(RuleSet()).save(path)
    assert mask(path, *question).to_pylist() == [False]


def test_a_new_snapshot_of_an_engine_is_used_at_once() -> None:
    engine = Engine(RULES)
    question = asked([1], [17], ["IN"])
    assert mask(engine, *question).to_pylist() == [True]
    engine.activate(RuleSet())
    assert mask(engine, *question).to_pylist() == [False]
