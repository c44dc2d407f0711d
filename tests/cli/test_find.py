"""`withhold find` and `withhold list`: what they print, in every format, and their exit statuses.

The files `found/*.txt` contain the output for the rules in `found/rules`. After an intended change, run
`WITHHOLD_WRITE_SNAPSHOTS=1 pytest tests/cli/test_find.py`, and read the diff.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from withhold import Snapshot
from withhold.cli.app import app

HERE = Path(__file__).parent / "found"
MARCH = ["--at", "2021-03-02T00:00:00Z"]
TWEET = "1355667106821046272"
#: The name of the expected output, and the arguments.
PRINTED = {
    "account": ["find", "rules", "--account", "1101", *MARCH],
    "tweet": ["find", "rules", "--tweet", TWEET, *MARCH],
    "demand": ["find", "rules", "--demand", "KW-7", *MARCH],
    "nothing": ["find", "rules", "--account", "7"],
    "explain": ["explain", "rules", "--account", "1101", "--tweet", TWEET, *MARCH],
    "json": ["find", "rules", "--account", "1101", *MARCH, "--format", "json"],
    "csv": ["find", "rules", "--account", "1101", *MARCH, "--format", "csv"],
    "list": ["list", "rules"],
    "list-at": ["list", "rules", "--at", "2021-04-01T05:30:00+05:30"],
    "list-ending": ["list", "rules", "--ending", "4w", "--at", "2021-02-05T00:00:00Z"],
    "list-protected": ["list", "rules", "--protected"],
    "list-json": ["list", "rules", "--in", "de", "--protected", *MARCH, "--format", "json"],
    "list-csv": ["list", "rules", "--format", "csv"],
}


@pytest.fixture(autouse=True)
def there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)
    monkeypatch.setenv("COLUMNS", "80")


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize("name", PRINTED)
def test_what_is_printed(name: str) -> None:
    found = run(*PRINTED[name])
    assert found.exit_code == 0, found.output
    expected = HERE / f"{name}.txt"
    if os.environ.get("WITHHOLD_WRITE_SNAPSHOTS"):
        expected.write_text(found.stdout, encoding="utf-8")
    assert found.stdout.replace(os.sep, "/") == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in PRINTED if not name.endswith(("json", "csv", "explain"))])
def test_the_text_fits_into_80_columns(name: str) -> None:
    assert max(map(len, (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines())) <= 80


def test_a_pipe_gets_the_same_bytes_without_colours() -> None:
    found = subprocess.run([sys.executable, "-m", "withhold", *PRINTED["account"]], capture_output=True, check=True)
    assert found.stdout.decode().replace(os.sep, "/") == (HERE / "account.txt").read_text(encoding="utf-8")


def test_the_table_and_the_document_have_the_same_rules() -> None:
    for command in (["list", "rules"], ["find", "rules", "--tweet", TWEET]):
        rows = list(csv.DictReader(run(*command, "--format", "csv").stdout.splitlines()))
        found = json.loads(run(*command, "--format", "json").stdout)["rules"]
        assert len(rows) == len(found) > 1
        for row, rule in zip(rows, found, strict=True):
            for name, cell in row.items():
                value = rule[name]
                assert cell == ("" if value is None else "; ".join(value) if isinstance(value, list) else str(value))


def test_a_snapshot_has_the_same_rules_without_the_lines_that_name_ids(tmp_path: Path) -> None:
    path = str(tmp_path / "rules.wh")
    assert run("compile", "rules", "-o", path).exit_code == 0
    for more in (["--account", "1101"], ["--tweet", TWEET], ["--demand", "IN-D1"], ["--tweet", "1"]):
        found, expected = (
            json.loads(run("find", rules, *more, *MARCH, "--format", "json").stdout) for rules in (path, "rules")
        )
        for rule in expected["rules"]:
            rule["named_at"] = []
        assert found == expected
    assert run("list", path).stdout == run("list", "rules").stdout


def test_only_one_thing_is_read_from_a_snapshot_to_find_an_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot of a million rules has the answer at once."""
    path = str(tmp_path / "rules.wh")
    run("compile", "rules", "-o", path)
    monkeypatch.setattr(Snapshot, "rules", property(lambda _: pytest.fail("all rules were read")))
    monkeypatch.setattr("withhold.snapshot.stored.StoredRules.ids_of", lambda *_: pytest.fail("all ids were read"))
    assert "2 rules name account 1101" in run("find", path, "--account", "1101").stdout


@pytest.mark.parametrize(
    ("arguments", "rules"),
    [
        ([], ["in-d1-2021-02-10", "gulf-7", "licensed in some countries", "broke-the-terms"]),
        (["--in", "AE"], ["gulf-7", "licensed in some countries", "broke-the-terms"]),
        (["--in", "us"], ["gulf-7", "licensed in some countries", "broke-the-terms"]),
        (["--in", "US-TX"], ["licensed in some countries", "broke-the-terms"]),
        (["--in", "EU"], ["broke-the-terms"]),
        (["--in", "eea"], ["licensed in some countries", "broke-the-terms"]),
        (["--demand", "IN-D1"], ["in-d1-2021-02-10"]),
        (["--demand", "in-d1"], []),
        (["--jurisdiction", "kw"], ["gulf-7"]),
        (["--reason", "terms"], ["broke-the-terms"]),
        (["--reason", "terms", "--in", "IN", "--demand", "IN-D1"], []),
        (MARCH, ["broke-the-terms"]),
        (["--beginning", "24h", "--at", "2021-03-31T00:00:00Z"], ["gulf-7"]),
        (["--beginning", "24h", "--at", "2021-04-01T00:00:00Z"], []),
        (["--beginning", "24h", "--at", "2021-03-30T23:59:59Z"], []),
        (["--beginning", "30d", *MARCH], ["in-d1-2021-02-10", "gulf-7"]),
        (["--ending", "1w", "--at", "2021-02-22T00:00:00Z"], ["in-d1-2021-02-10", "licensed in some countries"]),
        (["--ending", "1w", "--at", "2021-02-21T00:00:00Z"], []),
        (["--due", "0d", "--at", "2021-06-30T00:00:00Z"], ["in-d1-2021-02-10"]),
        (["--due", "1D", "--at", "2021-06-30T00:00:00Z"], ["in-d1-2021-02-10", "gulf-7"]),
        (["--due", "99999w", "--at", "9998-06-30T00:00:00Z"], ["gulf-7"]),
        (["--due", "0h", "--ending", "99999d", "--at", "2021-06-30T00:00:00Z"], ["in-d1-2021-02-10"]),
        (["--protected"], ["in-d1-2021-02-10", "broke-the-terms"]),
        (["--protected", "--in", "IN", "--at", "now"], ["broke-the-terms"]),
    ],
)
def test_which_rules_are_listed(arguments: list[str], rules: list[str]) -> None:
    found = run("list", "rules", *arguments, "--format", "json")
    assert found.exit_code == 0, found.output
    answer = json.loads(found.stdout)
    assert [rule["rule_id"] for rule in answer["rules"]] == rules
    assert answer["counts"]["rules"] == len(rules)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["find", "rules"], "give exactly one of them"),
        (["find", "rules", "--account", "1", "--tweet", "1"], "give exactly one of them"),
        (["find", "rules", "--account", "1", "--demand", "IN-D1"], "give exactly one of them"),
        (["find", "rules", "--account", "1.5"], "written as a floating-point number"),
        (["find", "rules", "--tweet", ""], "is not a number"),
        (["find", "rules", "--tweet", "5", "--at", "today"], "is not an instant"),
        (["find", "nowhere", "--tweet", "5"], "does not exist"),
        (["list", "rules", "--in", "IM1"], "unknown territory `IM1`"),
        (["list", "rules", "--in", "XX"], "write `WORLD`"),
        (["list", "rules", "--jurisdiction", "WORLD"], "`WORLD` is not a jurisdiction"),
        (["list", "rules", "--reason", "law"], "'--reason': 'law' is not one of 'legal_demand'"),
        (["list", "rules", "--ending", "30"], "`30` is not a duration"),
        (["list", "rules", "--due", "-1d"], "`-1d` is not a duration"),
        (["list", "rules", "--beginning", "1000000d"], "is not a duration"),
        (["list", "rules", "--at", "2021-03-01"], "is a date"),
        (["list", "rules/more.yaml", "--protected", "--root", "rules/targets"], "cannot read it"),
    ],
)
def test_what_is_not_understood_exits_with_2(arguments: list[str], message: str) -> None:
    found = run(*arguments)
    assert (found.exit_code, found.stdout) == (4 if message == "cannot read it" else 2, "")
    assert message in " ".join(found.stderr.replace("│", " ").split())


def test_protected_accounts_are_never_silently_unknown(tmp_path: Path) -> None:
    (tmp_path / "in.yaml").write_text((HERE / "rules" / "more.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    path = str(tmp_path / "rules.wh")
    assert run("compile", str(tmp_path / "in.yaml"), "-o", path).exit_code == 0
    for rules, message in (
        (tmp_path, "no list of protected accounts was found"),
        (path, "a snapshot does not contain"),
    ):
        found = run("list", str(rules), "--protected")
        assert (found.exit_code, found.stdout) == (2, "")
        assert message in " ".join(found.stderr.replace("│", " ").split())
    (tmp_path / "protected.yaml").write_text("protected: [{account: x, category: journalist}]\n", encoding="utf-8")
    found = run("list", str(tmp_path), "--protected", "--format", "json")
    assert (found.exit_code, json.loads(found.stdout)["problems"][0]["code"]) == (4, "bad-id")


def test_the_groups_of_the_rule_files_are_territories(tmp_path: Path) -> None:
    (tmp_path / "groups.yaml").write_text("groups: {Gulf: [AE, KW], outer: [gulf, us-ms, EU]}\n", encoding="utf-8")
    rule = "- {{id: {0}, accounts: [1], withheld_in: {0}, reason: terms}}\n"
    places = ["KW", "US-MS", "US-TX", "FR", "IN", "outer"]
    (tmp_path / "rules.yaml").write_text("rules:\n" + "".join(map(rule.format, places)), encoding="utf-8")
    for name, listed in (
        ("GULF", ["KW", "outer"]),
        (" outer", ["KW", "US-MS", "FR", "outer"]),
        ("US", ["US-MS", "US-TX", "outer"]),
    ):
        found = json.loads(run("list", str(tmp_path), "--in", name, "--format", "json").stdout)
        assert [each["rule_id"] for each in found["rules"]] == listed
    snapshot = str(tmp_path / "rules.wh")
    assert run("compile", str(tmp_path), "-o", snapshot).exit_code == 0
    found = run("list", snapshot, "--in", "gulf")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "a snapshot does not contain groups: give the rule files" in " ".join(found.stderr.split())
    assert json.loads(run("list", snapshot, "--in", "EU", "--format", "json").stdout)["counts"]["rules"] == 2


def test_a_code_that_is_read_as_another_is_mentioned() -> None:
    found = run("list", "rules", "--in", "UK", "--jurisdiction", "el")
    assert (found.exit_code, found.stdout) == (0, "no rule matches\n")
    assert "warning: `UK` was read as `GB`" in found.stderr
    assert "warning: `EL` was read as `GR`" in found.stderr
