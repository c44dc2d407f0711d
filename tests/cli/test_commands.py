"""The command line: its output, and above all its exit statuses."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from withhold.cli import main
from withhold.cli.app import app

RULES = """\
rules:
  - id: in-1
    accounts: [17]
    tweets: [20]
    withheld_in: IN
    from: 2021-02-10T05:00:00Z
    reason: legal_demand
    demand: IN-D1
    jurisdiction: IN
  - id: allow-gb
    tweets: [30]
    withheld_in: WORLD
    except_in: UK
    reason: copyright
  - id: gone
    accounts: [99]
    effect: suspend
    reason: terms
"""


@pytest.fixture
def rules(tmp_path):
    file = tmp_path / "rules.yaml"
    file.write_text(RULES, encoding="utf-8")
    return str(file)


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--account", 17, "--country", "IN"], 3, "WITHHELD for a viewer in IN"),
        (
            ["--tweet", 20, "--country", "in"],
            3,
            "by rule in-1 on the tweet (legal demand, demand IN-D1, jurisdiction IN)",
        ),
        (
            ["--tweet", 20, "--country", "IN", "--at", "2021-02-10T10:29:59+05:30"],
            0,
            "holds until 2021-02-10T05:00:00Z",
        ),
        (["--tweet", 20, "--country", "US"], 0, "visible for a viewer in US"),
        (["--tweet", 20], 0, "uncertain"),
        (["--tweet", 20, "--unknown-location", "withhold"], 3, "WITHHELD for a viewer at an unknown location"),
        (["--tweet", 20, "--anywhere"], 3, "WITHHELD for some viewers"),
        (["--tweet", 30, "--country", "FR"], 3, "withheld in WORLD except GB; available in GB"),
        (["--tweet", 30], 3, "allow-gb"),
        (["--account", 99], 3, "withheld in WORLD; available nowhere"),
        (["--account", 17, "--viewer", 17, "--country", "IN", "--author-sees-own"], 0, "the viewer is the author"),
        (["--account", 17, "--country", "IN", "--subdivision", "IN-DL"], 3, "IN, IN-DL"),
    ],
)
def test_check_by_engine_and_reference(rules, arguments, status, message):
    for more in ([], ["--reference"]):
        found = run("check", rules, *arguments, *more)
        assert (found.exit_code, message in found.output) == (status, True), found.output


def test_check_as_json(rules):
    found = run("check", rules, "--tweet", 20, "--country", "IN", "--at", "2021-03-01T00:00:00Z", "--format", "json")
    answer = json.loads(found.stdout)
    assert answer["at"] == "2021-03-01T00:00:00Z"
    assert answer["decision"]["outcome"] == "withheld"
    assert answer["decision"]["rule_ids"] == ["in-1"]
    assert answer["decision"]["territories"] == "IN"


def test_explain(rules):
    found = run("explain", rules, "--tweet", 20, "--country", "US")
    assert found.exit_code == 0
    assert "in-1: ELSEWHERE" in found.output
    answer = json.loads(run("explain", rules, "--tweet", 20, "--country", "US", "--format", "json").stdout)
    assert [entry["state"] for entry in answer["rules"]] == ["elsewhere"]


def test_lint_counts_what_it_read_and_tells_warnings(rules):
    found = run("lint", rules)
    assert found.exit_code == 0
    assert "fine: 3 rules · 1 file · 2 accounts · 2 tweets, revision " in found.stdout
    assert "rules.yaml:13:16: warning: `UK` was read as `GB` [territory-alias]" in found.stdout
    answer = json.loads(run("lint", rules, "--format", "json").stdout)
    assert (answer["valid"], answer["rules"]) == (True, 3)
    assert [problem["code"] for problem in answer["problems"] if problem["severity"] != "note"] == ["territory-alias"]


@pytest.mark.parametrize("command", ["check", "explain", "lint"])
def test_a_refused_rule_set_exits_with_4_and_tells_all(tmp_path, command):
    file = tmp_path / "bad.yaml"
    file.write_text(RULES.replace("withheld_in: IN", "withheld_in: [DR, ZZ]"), encoding="utf-8")
    arguments = [] if command == "lint" else ["--tweet", 20]
    found = run(command, file, *arguments)
    assert found.exit_code == 4
    # For `lint` the report is the result; for other commands it is an error.
    report, other = (found.stdout, found.stderr) if command == "lint" else (found.stderr, found.stdout)
    assert other == ""
    assert (
        "bad.yaml:5:19: unknown country `DR` [unknown-territory]; write an ISO 3166 code such as `IN` or `US-MS`, or `WORLD`"
        in report
    )
    assert "bad.yaml:5:23: `ZZ` is not a territory" in report
    assert "2 problems; rules read: 2, refused: 1" in report

    found = run(command, file, *arguments, "--format", "json")
    assert found.exit_code == 4
    answer = json.loads(found.stdout)
    assert (answer["valid"], answer["read"], answer["refused"]) == (False, 2, 1)
    assert [problem["code"] for problem in answer["problems"]] == ["unknown-territory"] * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give the id of a tweet or an account"),
        (["--tweet", "2.5"], "--tweet"),
        (["--tweet", "1e5"], "--tweet"),
        (["--tweet", "0"], "is not between 1 and 2**63-1"),
        (["--tweet", "-1"], "is not between 1 and 2**63-1"),
        (["--account", str(2**63)], "is not between 1 and 2**63-1"),
        (["--tweet", "1", "--country", "XX"], "`XX` is not a territory"),
        (["--tweet", "1", "--country", "DR"], "write an ISO 3166 code such as `IN` or `US-MS`"),
        (["--tweet", "1", "--country", "IN", "--subdivision", "US-MS"], "contradicts"),
        (["--tweet", "1", "--at", "2021-02-10"], "is a date"),
        (["--tweet", "1", "--at", "2021-02-10T10:00:00"], "has no time zone"),
        (["--tweet", "1", "--at", "soon"], "is not an instant"),
        (["--tweet", "1", "--ip", "192.0.2.1"], "give both an address and a location database"),
        (["--account", "1101.0"], "is written as a floating-point number"),
        (["--account", "1_101"], "is not a number"),
        (["--tweet", "1", "--viewer", "0"], "is not between 1 and 2**63-1"),
        (["--tweet", "1", "--unknown-location", "maybe"], "--unknown-location"),
        (["--tweet", "1", "--format", "xml"], "--format"),
    ],
)
def test_what_is_not_understood_exits_with_2(rules, arguments, message):
    for command in ("check", "explain"):
        found = run(command, rules, *arguments)
        assert found.exit_code == 2, found.output
        assert message in " ".join(found.stderr.split())
        assert found.stdout == ""


def test_a_path_that_is_not_there_is_not_understood(tmp_path):
    found = run("lint", tmp_path / "nothing")
    assert found.exit_code == 2
    assert "does not exist" in found.stderr


def test_a_country_that_is_an_alias_is_read_with_a_warning(rules):
    found = run("check", rules, "--tweet", 30, "--country", "UK")
    assert found.exit_code == 0
    assert "warning: `UK` was read as `GB`" in found.stderr


def test_an_address_locates_the_viewer(rules, tmp_path):
    from importlib.resources import as_file, files

    with as_file(files("withhold.cli") / "demo_data" / "demo.mmdb") as database:
        found = run("check", rules, "--account", 17, "--ip", "192.0.2.17", "--geoip", database)
        assert found.exit_code == 3
        assert "IN, IN-DL (within 192.0.2.0/24 of demo.mmdb)" in found.output
        unknown = run("check", rules, "--account", 17, "--ip", "203.0.113.250", "--geoip", database)
        assert unknown.exit_code == 0
        assert "at an unknown location" in unknown.output
        slip = run("check", rules, "--account", 17, "--ip", "1.2", "--geoip", database)
        assert slip.exit_code == 2
        assert "`1.2` is not an IP address" in slip.output
        both = run("check", rules, "--account", 17, "--ip", "192.0.2.17", "--geoip", database, "--country", "IN")
        assert both.exit_code == 2


def test_a_database_that_is_none_is_a_failure(rules, tmp_path):
    fake = tmp_path / "fake.mmdb"
    fake.write_bytes(b"nothing")
    found = run("check", rules, "--account", 17, "--ip", "192.0.2.17", "--geoip", fake)
    assert found.exit_code == 1
    assert "`fake.mmdb` is broken" in found.stderr


def test_the_program_itself(rules):
    """In a process of its own: the shell gets the exit status, and a closed pipe or a missing terminal does no harm."""
    found = subprocess.run(
        [sys.executable, "-m", "withhold", "check", rules, "--account", "17", "--country", "IN"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 3
    assert found.stdout.startswith("WITHHELD")
    assert "\x1b" not in found.stdout
    version = subprocess.run(
        [sys.executable, "-m", "withhold", "--version"], capture_output=True, text=True, check=True
    )
    assert version.stdout.startswith("withhold ")


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_e11_without_its_libraries_it_names_the_extra_of_the_checkout_or_wheel(missing):
    code = f"import sys; sys.modules['{missing}'] = None; from withhold.cli import main; main()"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert f"needs `{missing}`, which is not installed; install the extra `cli` of withhold" in found.stderr
    assert "pip install '.[cli]'" in found.stderr
    assert "Traceback" not in found.stderr


def test_anywhere_takes_no_viewer(rules):
    found = run("check", rules, "--account", 17, "--anywhere", "--country", "IN")
    assert found.exit_code == 2
    assert "omit the options that describe one" in " ".join(found.stderr.split())


def test_a_tweet_without_its_author_is_answered_with_a_note(rules):
    found = run("check", rules, "--tweet", 5, "--country", "IN")
    assert found.exit_code == 0
    assert "give its author with --account" in found.stderr


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_without_the_letters_gets_the_answer_and_the_status(tmp_path, encoding, monkeypatch):
    file = tmp_path / "rules.yaml"
    file.write_text(RULES.replace("id: in-1", "id: in→1"), encoding="utf-8")
    monkeypatch.setattr("gc.freeze", lambda: None)
    for more in ([], ["--format", "json"]):
        with monkeypatch.context() as patch, io.TextIOWrapper(io.BytesIO(), encoding) as stream:
            patch.setattr(sys, "stdout", stream)
            patch.setattr(sys, "argv", ["withhold", "check", str(file), "--account", "17", "--country", "IN", *more])
            with pytest.raises(SystemExit) as caught:
                main()
            assert caught.value.code == 3
            stream.flush()
            assert b"in\\u2192" in stream.buffer.getvalue()


@pytest.mark.parametrize(
    "command",
    [
        ["lint", "rules"],
        ["find", "rules", "--account", "5"],
        ["list", "rules"],
        ["check", "rules", "--account", "5", "--country", "US"],
        ["explain", "rules", "--account", "5", "--country", "US"],
        ["compile", "rules", "-o", "rules.wh"],
        ["bench", "rules"],
        ["diff", "rules", "rules"],
        ["test", "cases"],
    ],
    ids=lambda command: command[0],
)
def test_b2_every_command_that_loads_rules_takes_their_root(tmp_path, monkeypatch, command):
    for folder in ("rules", "lists", "cases"):
        (tmp_path / folder).mkdir()
    outside = RULES.replace("    accounts: [17]\n", "    ids_file: ../lists/a.csv\n", 1)
    (tmp_path / "rules" / "in.yaml").write_text(outside, encoding="utf-8")
    (tmp_path / "lists" / "a.csv").write_text("kind,id\naccount,5\n", encoding="utf-8")
    case = "{it: a, account: 5, at: 2021-02-10T05:00:00Z, expect: {IN: withheld}}"
    (tmp_path / "cases" / "a.cases.yaml").write_text(f"rules: ../rules\ncases: [{case}]\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    refused = run(*command)
    assert (refused.exit_code, "rules/in.yaml:3:15: cannot read the ids file `../lists/a.csv`" in refused.output) == (
        4,
        True,
    ), refused.output
    assert "[outside-rule-set]" in refused.output
    for root in (".", str(tmp_path), "rules/.."):
        (tmp_path / "rules.wh").unlink(missing_ok=True)
        found = run(*command, "--root", root)
        assert found.exit_code == 0, found.output
    for root, status in (("lists", 4), ("nowhere", 2), ("rules/in.yaml", 2)):
        found = run(*command, "--root", root)
        assert found.exit_code == status, found.output


def test_b7_a_rule_set_that_cannot_be_read_ends_no_command_by_a_traceback(rules, monkeypatch):
    opens = os.open

    def closed(path, *more, **named):
        if str(path).endswith("rules.yaml"):
            raise PermissionError(13, "Permission denied", path)
        return opens(path, *more, **named)

    monkeypatch.setattr(os, "open", closed)
    found = run("lint", rules)
    assert found.exit_code == 4
    assert "rules.yaml:1:1: cannot read it: permission denied [unreadable-file]" in found.output
