"""`withhold scan` copies files with the answers, continues after an interruption, and reports unreadable files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.bulk.material import columns_of, expected, hidden_of, random_rows, random_rules
from withhold import Engine, Policy, Snapshot
from withhold.cli.app import app

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")

from pyarrow import csv, parquet  # noqa: E402  # needs pyarrow

from withhold.bulk import reading  # noqa: E402
from withhold.bulk.columns import Columns  # noqa: E402
from withhold.bulk.scan import CannotWriteError, Scan  # noqa: E402

RULES = """\
rules:
  - id: in-1
    accounts: [17]
    withheld_in: IN
    from: 2021-02-10T00:00:00Z
    reason: legal_demand
    demand: IN-D1
"""
AT = "2021-03-01T00:00:00Z"
TABLE = {"tweet": [1, 2, 3], "account": [17, 17, 18], "country": ["IN", "US", "IN"], "other": ["a", None, "c"]}


@pytest.fixture(autouse=True)
def there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.yaml").write_text(RULES, encoding="utf-8")
    return tmp_path


def write(path, columns=TABLE, **options):
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(columns), file, **options)


def scan(*arguments, status=0):
    found = CliRunner().invoke(app, ["scan", "in.yaml", *arguments])
    assert found.exit_code == status, found.output
    return found


def in_json(*arguments, status=0):
    return json.loads(scan(*arguments, "--format", "json", status=status).stdout)


def test_a_copy_has_all_columns_and_the_answers():
    write("rows.parquet", compression="zstd")
    found = scan("rows.parquet", "-o", "out.parquet", "--at", AT).stdout
    assert "3 rows: 1 hidden, 0 without an id or an instant, 0 invalid" in found
    assert found.splitlines()[-1].split() == ["IN", "legal_demand", "IN-D1", "1"]
    copy = parquet.read_table("out.parquet")
    assert copy.select(list(TABLE)).to_pydict() == TABLE
    assert copy["hidden"].to_pylist() == [True, False, False]
    assert copy["hidden_rule"].to_pylist() == ["in-1", None, None]
    assert copy["hidden_demand"].to_pylist() == ["IN-D1", None, None]
    assert parquet.ParquetFile("out.parquet").metadata.row_group(0).column(0).compression == "ZSTD"
    scan("rows.parquet", "-o", "hidden.parquet", "--at", AT, "--only-hidden")
    assert parquet.read_table("hidden.parquet").to_pydict()["tweet"] == [1]


def test_many_rows_are_answered_as_by_the_reference(monkeypatch):
    """In several batches, with an instant for each row, retweets, subdivisions and nulls."""
    monkeypatch.setattr(reading, "BATCH", 700)
    rules, rows = random_rules(31), random_rows(32, 3_000, distinct=120)
    wanted = hidden_of(expected(rules, Policy(), rows))
    names = Columns("tweets", "accounts", "countries", "subdivisions", "at", "retweet_of", "retweeted_account")
    write("rows.parquet", columns_of(rows, pa), row_group_size=1000)
    question = Scan(engine=Engine(Snapshot.compile(rules)), columns=names, at=None, resume=False, threads=2)
    steps = []
    found = question.run(Path("rows.parquet"), Path("out.parquet"), lambda done, total: steps.append((done, total)))
    assert parquet.read_table("out.parquet")["hidden"].to_pylist() == wanted
    assert (found.rows, found.hidden, found.nulls, found.refused) == (3000, wanted.count(True), wanted.count(None), 0)
    assert sum(found.groups.values()) == found.hidden
    size = Path("rows.parquet").stat().st_size
    assert steps == sorted(steps)
    assert steps[-1] == (size, size)
    assert len(steps) > 4


def test_csv_is_read_alike(monkeypatch):
    rows = "# shown.csv\nat,tweet,account,country,note\n2021-03-01T05:30:00+05:30,1,17,IN,007\n2020-01-01T00:00:00Z,2,17,IN,\n,3,17,IN,x\n"
    Path("shown.csv").write_text(rows, encoding="utf-8")
    found = in_json("shown.csv", "-o", "out.parquet", "--at-column", "at")
    assert (found["rows"], found["hidden"], found["nulls"]) == (3, 1, 1)
    copy = parquet.read_table("out.parquet").to_pydict()
    assert (copy["hidden"], copy["note"]) == ([True, False, None], ["007", None, "x"])


def test_folders_are_copied_file_by_file_with_the_columns_in_their_names():
    rows = {name: TABLE[name] for name in ("tweet", "account")}
    for country in ("IN", "US", "__HIVE_DEFAULT_PARTITION__"):
        write(f"in/country={country}/part-0.parquet", rows)
    write("in/_temporary/part-1.parquet", rows)
    csv.write_csv(pa.table(rows), "in/country=IN/part-0.csv")
    Path("in/part.csv.gz").write_bytes(b"")
    Path("in/_SUCCESS").write_bytes(b"")
    found = in_json("in", "-o", "out", "--at", AT)
    assert found["files_not_read"] == ["in/part.csv.gz"]
    assert "do not end in .parquet or .csv: in/part.csv.gz\n" in scan("in", "-o", "out", "--at", AT).stdout
    assert (found["files"], found["rows"], found["hidden"]) == (4, 12, 4)
    assert {str(path.relative_to("out")) for path in Path("out").rglob("*.parquet")} == {
        "country=IN/part-0.parquet",
        "country=IN/part-0.csv.parquet",
        "country=US/part-0.parquet",
        "country=__HIVE_DEFAULT_PARTITION__/part-0.parquet",
    }
    assert parquet.read_table("out/country=IN/part-0.parquet", partitioning=None)["hidden"].to_pylist() == [
        True,
        True,
        False,
    ]


def test_a_scan_continues_where_it_stopped():
    for name in "abc":
        write(f"in/{name}.parquet")
    first = in_json("in", "-o", "out", "--at", AT)
    Path("out/b.parquet").unlink()
    before = Path("out/a.parquet").stat().st_mtime_ns
    again = in_json("in", "-o", "out", "--at", AT)
    assert again["files_kept"] == 2
    assert {**again, "files_kept": 0} == first
    assert Path("out/a.parquet").stat().st_mtime_ns == before
    write("in/c.parquet", {**TABLE, "account": [17, 17, 17]})
    assert in_json("in", "-o", "out", "--at", AT)["files_kept"] == 2
    for other in (
        ["--at", "2021-03-02T00:00:00Z"],
        [],
        ["--at", AT, "--only-hidden"],
        ["--at", AT, "--invalid", "null"],
    ):
        assert in_json("in", "-o", "out", *other)["files_kept"] == 0, other
    Path("in.yaml").write_text(RULES.replace("[17]", "[17, 19]"), encoding="utf-8")
    assert in_json("in", "-o", "out", "--at", AT, "--invalid", "null")["files_kept"] == 0


def test_files_that_cannot_be_read_are_named_and_the_others_scanned():
    write("in/a.parquet")
    write("in/b.parquet", {**TABLE, "country": ["IN", "XX", "IN"]})
    write("in/c.parquet", {name: TABLE[name] for name in ("tweet", "account")})
    write("in/e.parquet", {**TABLE, "hidden": [1, 2, 3]})
    whole = Path("in/a.parquet").read_bytes()
    Path("in/d.parquet").write_bytes(whole[:-20])
    Path("in/f.csv").write_text("tweet,account,country\n1.3E18,1,IN\n", encoding="utf-8")
    Path("in/g.csv").write_text("tweet,tweet,account,country\n", encoding="utf-8")
    Path("in/h.csv").write_bytes(b"")
    found = scan("in", "-o", "out", "--at", AT, status=1)
    assert "3 rows: 1 hidden" in found.stdout
    problems = [line for line in found.stderr.splitlines() if line.startswith("in/")]
    assert [line[:4] for line in problems] == [f"in/{name}" for name in "bcdefgh"]
    assert problems[0].startswith("in/b.parquet, row 2, countries: `XX` is not a territory [unknown-territory]")
    codes = ["no-such-column", "bad-parquet", "column-exists", "bad-csv", "repeated-column", "bad-csv"]
    assert all(f"[{code}]" in line for code, line in zip(codes, problems[1:], strict=True)), problems
    assert [path.name for path in Path("out").iterdir()] == ["a.parquet"]
    found = in_json("in", "-o", "out", "--at", AT, "--invalid", "null", status=1)
    assert (found["files"], found["rows"], found["refused"], len(found["files_failed"])) == (2, 6, 1, 6)
    assert [problem["code"] for problem in found["problems"]] == codes


def test_the_policy_is_that_of_the_configuration():
    """A rule that may reach viewers of unknown location hides its subjects from them, if so configured."""
    write("rows.parquet", {**TABLE, "country": [None, None, "IN"]})
    arguments = ("rows.parquet", "-o", "out.parquet", "--at", AT)
    assert in_json(*arguments)["hidden"] == 0
    Path("withhold.toml").write_text('policy = {unknown-location = "withhold"}\n', encoding="utf-8")
    assert (in_json(*arguments)["hidden"], in_json(*arguments, "--no-config")["hidden"]) == (2, 0)
    assert in_json(*arguments, "--unknown-location", "show")["hidden"] == 0


def test_no_other_file_is_replaced():
    write("rows.parquet")
    write("mine.parquet")
    mine = Path("mine.parquet").read_bytes()
    found = scan("rows.parquet", "-o", "mine.parquet", status=1)
    assert "[not-a-scan]" in found.stderr
    assert Path("mine.parquet").read_bytes() == mine


def test_a_copy_that_cannot_be_written_stops_the_scan():
    write("in/a.parquet")
    write("in/b.parquet")
    Path("out").mkdir()
    Path("out/.a.parquet.part").mkdir()
    found = scan("in", "-o", "out", status=1)
    assert found.stderr.startswith("cannot write out/.a.parquet.part: ")
    question = Scan(
        engine=Engine(Snapshot.compile(random_rules(1))), columns=Columns(), at=datetime.now(UTC), resume=False
    )
    with pytest.raises(CannotWriteError):
        question.run(Path("in"), Path("out"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rows.parquet", "-o", "rows.parquet"], "it is the input, or inside it"),
        (["in", "-o", "in/out"], "it is the input, or inside it"),
        (["in", "-o", "rows.parquet"], "it is a file, but the input is a folder"),
        (["rows.parquet", "-o", "in"], "it is a folder, but the input is a file"),
        (["rows.parquet", "-o", "o", "--columns", "twet=id"], "`twet` is not known; did you mean `tweet`?"),
        (["rows.parquet", "-o", "o", "--columns", "tweet"], "`tweet` names no column"),
        (["rows.parquet", "-o", "o", "--columns", "tweet=a,tweet=b"], "`tweet` is given twice"),
        (["rows.parquet", "-o", "o", "--columns", "at=a"], "give it with --at-column"),
        (["rows.parquet", "-o", "o", "--columns", "retweet_of=a"], "give both `retweet_of` and `retweeted_account`"),
        (["rows.parquet", "-o", "o", "--at", AT, "--at-column", "at"], "give one of the two"),
        (["rows.parquet", "-o", "o", "--invalid", "skip"], "`skip` is not one of `raise`, `null`"),
    ],
)
def test_wrong_command_lines_are_usage_errors(arguments, message):
    write("rows.parquet")
    write("in/a.parquet")
    found = scan(*arguments, status=2)
    assert message in " ".join(found.stderr.replace("│", " ").split())
    assert found.stdout == ""


def test_a_folder_without_files_is_an_error():
    Path("in").mkdir()
    assert "[no-rows]" in scan("in", "-o", "out", status=1).stderr
