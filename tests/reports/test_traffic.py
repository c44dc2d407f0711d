"""Impressions are read strictly from CSV and Parquet, and counted by outcome."""

from __future__ import annotations

import importlib
import os
import threading
from datetime import UTC, datetime

import pytest

from withhold import Outcome, Policy, Rule, RuleSet, RuleSetWarning, Snapshot, TrafficError
from withhold.reports import Impression, read_traffic, weigh

HEADER = "tweet,account,country,count\n"


@pytest.fixture
def write(tmp_path):
    def written(text, *, headed=True):
        file = tmp_path / "traffic.csv"
        file.write_text(HEADER * headed + text, encoding="utf-8")
        return file

    return written


def refusal(path):
    with pytest.raises(TrafficError) as caught:
        list(read_traffic(path))
    reported = caught.value.problems
    assert [problem for problem in reported if not problem.hint and problem.code != "more-problems"] == []
    return reported


def test_impressions_are_read(write):
    found = list(read_traffic(write('40,1101,IN,900\n# a comment\n ,1101, us ,"3"\n\n41,,,0\n')))
    assert found == [
        Impression(40, 1101, "IN", 900),
        Impression(None, 1101, "US", 3),
        Impression(41, None, None, 0),
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="only where pipes have names")
def test_a_pipe_is_read_once(tmp_path, write):
    pipe, text = tmp_path / "pipe", write("40,1101,IN,900\n").read_bytes()
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(text,), daemon=True)
    writer.start()
    assert list(read_traffic(pipe)) == [Impression(40, 1101, "IN", 900)]
    writer.join()


def test_columns_may_stand_in_any_order_and_among_others(write):
    file = write("day,Count,account,country,tweet\nmonday,2,1101,IN,40\n", headed=False)
    assert list(read_traffic(file)) == [Impression(40, 1101, "IN", 2)]


def test_another_code_of_a_country_is_read_with_a_warning_where_it_first_stands(write):
    file = write("1,,UK,1\n1,,IN,1\n1,,UK,1\n10,,EL,1\n")
    with pytest.warns(RuleSetWarning) as caught:
        assert list(read_traffic(file))[2:] == [Impression(1, None, "GB", 1), Impression(10, None, "GR", 1)]
    assert [str(warning.message) for warning in caught] == [
        f"{file}:2:4: warning: `UK` was read as `GB` [territory-alias]",
        f"{file}:5:5: warning: `EL` was read as `GR` [territory-alias]",
    ]


@pytest.mark.parametrize(
    "cell", ["1,2,SECRET_TOKEN=sk-live-0123456789abcdef,1", "SECRET_TOKEN=sk-live,2,IN,1", "1,2,IN,SECRET_TOKEN=sk"]
)
def test_b4_little_is_quoted_of_a_file_that_may_be_anybodys(write, cell):
    [problem] = refusal(write(f"{cell}\n"))
    assert "`SECRET…`" in problem.message


@pytest.mark.parametrize(
    ("row", "printed"),
    [
        ("'1,2,IN,1", "has an apostrophe before it [bad-id]"),
        ('"1,35567E+18",2,IN,1', "is written as a floating-point number [lossy-id]"),
        ("1;2;IN;1", "columns: 1 here, 4 in the first line [bad-csv]; separate the columns by commas"),
    ],
)
def test_e9_ids_in_other_forms_are_called_by_their_names(write, row, printed):
    [problem] = refusal(write(f"{row}\n"))
    assert printed in str(problem)


@pytest.mark.parametrize(
    ("row", "printed"),
    [
        ("1.35E+18,1,IN,1", "2:1: tweet `1.35E+18` is written as a floating-point number [lossy-id]"),
        ("1,0,IN,1", "2:3: account `0` is not between 1 and 2**63-1 [id-out-of-range]"),
        ("1,x,IN,1", "2:3: account `x` is not a number [bad-id]"),
        (",,IN,1", "2:1: neither a tweet nor an account [no-subject]"),
        (
            "1,2,DR,1",
            "2:5: unknown country `DR` [unknown-territory]; write an ISO 3166 code such as `IN` or `US-MS`, or `WORLD`",
        ),
        ("1,2,XX,1", "2:5: `XX` is not a territory [unknown-territory]; leave the country empty if it is unknown"),
        ("1,2,US-MS,1", "2:5: `US-MS` is not a country [bad-country]"),
        ("1,2,WORLD,1", "2:5: `WORLD` is not a country [bad-country]"),
        ("1,2,IN,-1", "2:8: count `-1` is not a whole number [bad-count]"),
        ("1,2,IN,1.5", "2:8: count `1.5` is not a whole number [bad-count]"),
        ("1,2,IN,", "2:8: count `` is not a whole number [bad-count]"),
        ('"1","2","I,N",1', "2:9: unknown territory `I,N` [unknown-territory]"),
        ("1,2,IN", "2:1: columns: 3 here, 4 in the first line [bad-csv]"),
        ('1,2,IN,"1', "this is not CSV: unexpected end of data [bad-csv]"),
    ],
)
def test_what_is_wrong_has_its_place(write, row, printed):
    [problem] = refusal(write(f"{row}\n"))
    assert printed in str(problem)


def test_all_problems_come_at_once_and_of_many_a_hundred(write):
    file = write("1,2,DR,x\n" + "1,1,IN,1\n0,,IN,1\n" * 150)
    problems = refusal(file)
    assert [problem.code for problem in problems[:3]] == ["unknown-territory", "bad-count", "id-out-of-range"]
    assert len(problems) == 101
    assert str(problems[-1]).endswith("52 more problems in this file [more-problems]")


def test_nothing_is_yielded_behind_a_problem(write):
    found: list[Impression] = []
    with pytest.raises(TrafficError):
        found.extend(read_traffic(write("1,,IN,1\n0,,IN,1\n2,,IN,1\n")))
    assert found in ([], [Impression(1, None, "IN", 1)])


@pytest.mark.parametrize("header", ["", "tweet,account,country\n", "tweet,account,country,count,count\n", "\0PK\n"])
def test_a_header_that_lacks_a_column_is_refused(write, header):
    [problem] = refusal(write(header + "1,2,IN,3\n" * bool(header), headed=False))
    assert problem.code in ("bad-traffic-header", "bad-csv")


def test_parquet_is_read_alike(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    columns = {"tweet": [40, None], "account": [1101, 7], "country": ["IN", None], "count": [900, 2]}
    file = tmp_path / "traffic"
    importlib.import_module("pyarrow.parquet").write_table(pyarrow.table(columns), file)
    assert list(read_traffic(file)) == [Impression(40, 1101, "IN", 900), Impression(None, 7, None, 2)]
    wrong = {**columns, "tweet": [1.5e18, None], "country": ["IN", "DR"]}
    importlib.import_module("pyarrow.parquet").write_table(pyarrow.table(wrong), file)
    first, second = refusal(file)
    assert (first.code, str(first.place)) == ("lossy-id", f"{file}, row 1, tweet")
    assert (second.code, str(second.place)) == ("unknown-territory", f"{file}, row 2, country")
    file.write_bytes(b"PAR1 and then nothing")
    assert [problem.code for problem in refusal(file)] == ["bad-parquet"]


def test_parquet_without_pyarrow_is_told(tmp_path, monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr("withhold.reports.traffic.importlib.import_module", absent)
    file = tmp_path / "traffic.parquet"
    file.write_bytes(b"PAR1")
    [problem] = refusal(file)
    assert problem.code == "no-pyarrow"
    assert problem.hint.startswith("install the extra `arrow` of withhold: `pip install '.[arrow]'` in its checkout")


def test_an_impression_weighs_if_the_stronger_of_its_two_changes():
    before = Rule(id="a", accounts=[1], withheld_in="IN", reason="local_law")
    added = Rule(id="b", accounts=[2], tweets=[10], withheld_in="IN", reason="local_law")
    old, new = RuleSet([before]), RuleSet([before, added])
    traffic = [
        Impression(10, 1, "IN", 1),  # its author was withheld before
        Impression(10, 3, "IN", 20),
        Impression(11, 2, "IN", 300),
        Impression(10, 3, "TR", 4000),
        Impression(10, 3, None, 50000),
    ]
    at = datetime(2026, 1, 1, tzinfo=UTC)
    sides = Snapshot.compile(old), Snapshot.compile(new)
    turn = (Outcome.VISIBLE, Outcome.WITHHELD)
    assert weigh(*sides, traffic, at).changed == {("IN", *turn): 320}
    cautious = weigh(*sides, traffic, at, Policy(unknown_location="withhold"))
    assert cautious.changed == {(None, *turn): 50000, ("IN", *turn): 320}
    assert cautious.impressions == 54321
