"""`--format json` contains all facts of the text: every id, instant, code, place and word of the input."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from withhold.cli.app import app

RULES = """\
groups: {near: [PK, BD]}
rules:
  - id: first-rule
    accounts: [1101, 1102]
    tweets: [1355667106821046272]
    withheld_in: [IN, near]
    except_in: [IN-DL]
    from: 2021-02-10T05:00:00Z
    until: 2031-06-01T00:00:00Z
    stays: [{from: 2021-03-01T00:00:00Z, until: 2021-03-08T00:00:00Z}]
    reason: legal_demand
    demand: IN-D1
    note: re-imposed
    override: {no-end: none-ordered}
  - id: second-rule
    accounts: [1101]
    withheld_in: [UK]
    if_unknown: withhold
    reason: terms
"""
CHANGED = RULES.replace("1102]", "1103]").replace("2031-06", "2031-07").replace("re-imposed", "again")
CASES = """\
rules: rules.yaml
cases:
  - it: says-so
    tweet: 1355667106821046272
    account: 1101
    viewer: 4401
    at: 2021-02-11T00:00:00Z
    expect: {IN: withheld, US: visible}
    because: second-rule
  - it: is-fine
    account: 1102
    at: 2021-02-11T00:00:00Z
    expect: {IN: withheld}
"""
LOG = """\
{"version":1,"at":"2021-03-02T00:00:00Z","answer_revision":"8f0c93e41d7a2b56-show-author","country":"IN","subdivisions":["IN-DL"],\
"visible":87,"hidden":[{"index":0,"subject":[{"tweet_id":"1355667106821046272","account_id":"1101"},{"tweet_id":"20","account_id":"1101"}],\
"outcome":"withheld","certain":true,"rule_ids":["old-rule"]},{"index":1,"subject":[{"tweet_id":"21","account_id":"1102"}],\
"outcome":"withheld","certain":true,"rule_ids":["old-rule"]}],"tombstones":[],"left_out":{"dropped":61,"mask_failed":62}}
{"version":2}
"""
ABOUT = ["--tweet", "1355667106821046272", "--account", "1101", "--at", "2021-03-02T00:00:00Z"]
CALLS = {
    "check": ["check", "rules.yaml", *ABOUT, "--country", "GB", "--viewer", "4401"],
    "check an author": ["check", "rules.yaml", *ABOUT, "--country", "GB", "--viewer", "1101", "--author-sees-own"],
    "check anywhere": ["check", "rules.yaml", *ABOUT, "--anywhere"],
    "check the unknown": ["check", "rules.yaml", *ABOUT],
    "explain": ["explain", "rules.yaml", *ABOUT, "--country", "IN", "--subdivision", "IN-DL"],
    "explain the unknown": ["explain", "rules.yaml", *ABOUT],
    "explain an address": ["explain", "rules.yaml", *ABOUT, "--ip", "192.0.2.17", "--geoip", "demo.mmdb"],
    "find": ["find", "rules.yaml", "--account", "1101", "--at", "2021-03-02T00:00:00Z"],
    "list": ["list", "rules.yaml", "--in", "PK", "--ending", "4w", "--at", "2031-05-20T00:00:00Z"],
    "lint": ["lint", "rules.yaml", "--fail-on", "note"],
    "lint refused": ["lint", "refused.yaml"],
    "test": ["test", "all.cases.yaml"],
    "test coverage": ["test", "all.cases.yaml", "--coverage", "--fail-under", "87.5", "--mutation-threshold", "99.5"],
    "test mutate": ["test", "fine.cases.yaml", "--mutate", "--mutation-threshold", "99.5"],
    "test uncovered": ["test", ".", "--mutate"],
    "diff": ["diff", "rules.yaml", "changed.yaml", "--traffic", "traffic.csv", "--at", "2021-03-09T00:00:00Z"],
    "diff audit": ["diff", "rules.yaml", "changed.yaml", "--audit", "--from", "2021-03-02T00:00:00Z"],
    "replay": ["replay", "log.jsonl", "rules.yaml", "--all"],
    "compile": ["compile", "rules.yaml", "-o", "rules.wh"],
    "locate": ["locate", "192.0.2.17", "--geoip", "demo.mmdb"],
    "locate a request": [
        *("locate", "--peer", "10.0.0.5", "--trust", "10.0.0.0/8", "--geoip", "demo.mmdb", "--cdn", "cloudflare"),
        *("--header", "CF-IPCountry: PK", "--header", "X-Forwarded-For: 192.0.2.17"),
    ],
}
#: Instants, then codes and names with hyphens or dots, then numbers. All other words are the command's own.
FACT = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:]+Z|[A-Za-z0-9_/]+(?:[-.][A-Za-z0-9]+)+|\b[A-Z]{2}\b|[0-9a-f]{16}|\d[\d,]*(?:\.\d+)?"
)
#: Derived figures, whose parts are in JSON instead: shares, and the numbers of listed things.
DERIVED = re.compile(
    r"\(\d+\.\d+%\)|named by +\d+ rules?|\d+%|\b\d+ (?:failed|warnings?|errors?|notes?|problems?)\b|--\w[\w-]*|and \d+ more.*|\bIP\b"
)


def facts(text: str) -> set[str]:
    return {found.replace(",", "") for found in FACT.findall(DERIVED.sub("", text))}


def words(value: object) -> Iterator[str]:
    """Yield all keys and scalars of a JSON document as text."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for inner in value:
            yield from words(inner)
    else:
        yield str(value)


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    fine = CASES.replace("    because: second-rule\n", "")
    texts = {"rules.yaml": RULES, "changed.yaml": CHANGED, "all.cases.yaml": CASES, "fine.cases.yaml": fine}
    texts["refused.yaml"] = RULES.replace("IN, near", "IQN, near").replace("[1101,", "[x1101,")
    texts["log.jsonl"] = LOG
    texts["traffic.csv"] = "tweet,account,country,count\n20,1102,IN,900\n20,7,IN,8800\n"
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with as_file(files("withhold.cli") / "demo_data" / "demo.mmdb") as database:
        shutil.copy(database, tmp_path)
    return tmp_path


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize("call", CALLS)
def test_e3_json_holds_every_fact_that_the_text_holds(call: str, there: Path) -> None:
    if call == "test uncovered":
        for name in ("all.cases.yaml", "refused.yaml"):
            (there / name).unlink()
        (there / "apart").mkdir()
        (there / "changed.yaml").rename(there / "apart" / "changed.yaml")
    text, found = run(*CALLS[call]), run(*CALLS[call], "--format", "json")
    assert text.exit_code == found.exit_code
    held = {fact for word in words(json.loads(found.stdout)) for fact in facts(word)}
    printed = facts(text.stdout)
    assert len(printed) > 2
    assert printed <= held


def test_e3_what_was_asked_about_is_in_the_answer() -> None:
    subject = [{"tweet_id": "1355667106821046272", "account_id": "1101"}]
    for command in ("check", "explain"):
        assert json.loads(run(command, "rules.yaml", *ABOUT, "--format", "json").stdout)["subject"] == subject
    files_ = json.loads(run("test", "all.cases.yaml", "--format", "json").stdout)["files"]
    assert files_[0]["cases"][0]["subject"] == subject
    assert files_[0]["cases"][0]["answers"][0]["viewer_account"] == "4401"


def test_e3_an_explanation_has_all_that_a_rule_says_of_time_and_the_unknown() -> None:
    first, second = json.loads(run("explain", "rules.yaml", *ABOUT, "--format", "json").stdout)["rules"]
    by_id = {found["rule_id"]: found for found in (first, second)}
    assert by_id["first-rule"]["from"] == "2021-02-10T05:00:00Z"
    assert by_id["first-rule"]["until"] == "2031-06-01T00:00:00Z"
    assert by_id["first-rule"]["stays"] == [{"from": "2021-03-01T00:00:00Z", "until": "2021-03-08T00:00:00Z"}]
    assert (by_id["first-rule"]["if_unknown"], by_id["second-rule"]["if_unknown"]) == (None, "withhold")
    assert [by_id["second-rule"][key] for key in ("from", "until", "stays")] == [None, None, []]


@pytest.mark.parametrize(
    ("name", "arguments", "fine"),
    [
        ("all", [], False),
        ("fine", [], True),
        ("fine", ["--fail-under", "10"], True),
        ("fine", ["--fail-under", "99.5"], False),
        ("fine", ["--mutation-threshold", "10"], True),
        ("fine", ["--mutation-threshold", "99.5"], False),
        ("all", ["--mutation-threshold", "10"], False),
    ],
)
def test_e3_a_test_says_whether_it_is_fine_and_by_which_thresholds(name: str, arguments: list[str], fine: bool) -> None:
    found = run("test", f"{name}.cases.yaml", *arguments, "--format", "json")
    answer = json.loads(found.stdout)
    assert (answer["fine"], found.exit_code) == (fine, 0 if fine else 1)
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    for key in ("fail_under", "mutation_threshold"):
        asked = given.get(f"--{key.replace('_', '-')}")
        assert answer[key] == (None if asked is None else float(asked))


def test_e3_lint_and_diff_have_what_their_summaries_count() -> None:
    answer = json.loads(run("lint", "rules.yaml", "--fail-on", "note", "--format", "json").stdout)
    assert (answer["fine"], answer["fail_on"], answer["files"]) == (False, "note", 1)
    assert answer["digest"].startswith(answer["revision"])
    (Path("noted.yaml")).write_text(RULES.replace("re-imposed", "seen"), encoding="utf-8")
    answer = json.loads(run("diff", "rules.yaml", "noted.yaml", "--format", "json").stdout)
    assert (answer["different"], answer["unnoticed"]) == (False, {"accounts": 2, "tweets": 1})


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("call", ["check", "explain", "diff", "compile", "test"])
def test_e3_what_was_read_with_a_warning_is_told_in_every_format(call: str, form: str) -> None:
    found = run(*CALLS[call], "--format", form)
    assert "rules.yaml:17:19: warning: `UK` was read as `GB` [territory-alias]" in found.stderr
