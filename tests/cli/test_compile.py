"""`withhold compile`, and the commands that read its output."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from withhold import RuleSet, Snapshot
from withhold.cli.app import app

RULES = """\
rules:
  - id: in-1
    accounts: [17, 18]
    tweets: [20]
    withheld_in: IN
    reason: legal_demand
"""


@pytest.fixture
def rules(tmp_path):
    file = tmp_path / "in.yaml"
    file.write_text(RULES, encoding="utf-8")
    return file


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_rule_set_becomes_a_file(rules, tmp_path):
    out = tmp_path / "rules.wh"
    found = run("compile", rules, "-o", out)
    assert found.exit_code == 0
    revision, size = RuleSet.load(rules).revision, out.stat().st_size
    wrote = f"wrote {out}: 1 rule · 2 accounts · 1 tweet, revision {revision}, {size:,} bytes"
    assert found.output == f"{wrote}; no list of protected accounts was read\n"
    assert Snapshot.open(out).rules == RuleSet.load(rules)


def test_the_same_as_json_with_an_instant(rules, tmp_path):
    out = tmp_path / "rules.wh"
    found = run("compile", rules, "-o", out, "--format", "json", "--created", "2026-01-01T00:00:00Z")
    assert json.loads(found.output) == {
        "file": str(out),
        "bytes": out.stat().st_size,
        "revision": RuleSet.load(rules).revision,
        "digest": RuleSet.load(rules).digest,
        "rules": 1,
        "accounts": 2,
        "tweets": 1,
        "protected": None,
        "protection": "no list of protected accounts was read",
    }
    assert b'"created": "2026-01-01T00:00:00Z"' in out.read_bytes()
    assert run("compile", rules, "-o", out, "--created", "yesterday").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["check", "--account", 17, "--country", "IN"], 3, "by rule in-1 on the account"),
        (["check", "--account", 17, "--country", "IN", "--reference"], 3, "by rule in-1 on the account"),
        (["check", "--account", 16, "--country", "IN"], 0, "visible"),
        (["explain", "--tweet", 20, "--country", "IN"], 0, "in.yaml:2:5"),
        (["lint"], 0, "fine: 1 rule · 1 file · 2 accounts · 1 tweet"),
        (["compile", "-o", "again.wh"], 0, "wrote again.wh: 1 rule"),
    ],
)
def test_what_takes_rules_takes_a_snapshot(rules, tmp_path, monkeypatch, arguments, status, message):
    monkeypatch.chdir(tmp_path)
    run("compile", rules, "-o", "snapshot")
    found = run(arguments[0], "snapshot", *arguments[1:])
    assert (found.exit_code, message in found.output) == (status, True), found.output


def test_a_refused_rule_set_writes_nothing(rules, tmp_path):
    out = tmp_path / "rules.wh"
    rules.write_text(RULES.replace("IN", "IQN"), encoding="utf-8")
    assert run("compile", rules, "-o", out).exit_code == 4
    assert not out.exists()


def test_a_file_that_is_no_snapshot_is_never_replaced(rules):
    found = run("compile", rules, "-o", rules)
    assert found.exit_code == 2
    assert "is not a snapshot" in found.output
    assert rules.read_text(encoding="utf-8") == RULES


def test_what_cannot_be_written_is_told(rules, tmp_path):
    found = run("compile", rules, "-o", tmp_path / "none" / "rules.wh")
    assert found.exit_code == 1
    assert "cannot write" in found.output
    assert "no such file or directory" in found.output


def test_a_damaged_snapshot_is_refused_as_rules_are(rules, tmp_path):
    out = tmp_path / "rules.wh"
    run("compile", rules, "-o", out)
    whole = bytearray(out.read_bytes())
    whole[-1] ^= 1
    out.write_bytes(whole)
    for command in (["check", out, "--account", 17], ["lint", out]):
        found = run(*command)
        assert found.exit_code == 4
        assert "section `rules.records` has changed since it was written [damaged-snapshot]" in found.output
