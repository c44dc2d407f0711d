"""`now` is the current instant in every option for an instant, and `lint --at` reports the reviews of that day."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from withhold.cli.app import app
from withhold.cli.demand_options import moment

RULES = """\
rules:
  - {id: a, accounts: [17], withheld_in: IN, reason: terms, review_by: 2021-05-01T00:00:00Z}
  - {id: b, accounts: [18], withheld_in: IN, reason: terms, review_by: 2021-07-01T00:00:00Z}
"""


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.yaml").write_text(RULES, encoding="utf-8")


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize("text", ["now", "NOW", " now "])
@pytest.mark.parametrize("command", ["check", "explain"])
def test_the_answer_has_the_current_instant(command: str, text: str) -> None:
    before = datetime.now(UTC) - timedelta(microseconds=1)
    answer = json.loads(run(command, "in.yaml", "--account", "17", "--at", text, "--format", "json").stdout)
    assert before <= datetime.fromisoformat(answer["at"]) <= datetime.now(UTC)


def test_both_ends_of_a_comparison_and_the_moments_of_demands_accept_it() -> None:
    for bounds in (["--from", "now"], ["--until", "now"], ["--from", "2021-01-01T00:00:00Z", "--until", "now"]):
        assert run("diff", "in.yaml", "in.yaml", *bounds).exit_code == 0
    assert run("diff", "in.yaml", "in.yaml", "--from", "now", "--until", "2021-01-01T00:00:00Z").exit_code == 2
    assert run("compile", "in.yaml", "-o", "in.wh", "--created", "now").exit_code == 0
    found = moment("now")
    assert found is not None
    assert datetime.now(UTC) - timedelta(minutes=1) <= datetime.fromisoformat(found["at"]) <= datetime.now(UTC)


def test_lint_reports_the_reviews_that_are_due_at_an_instant() -> None:
    for at, count in (
        ("2021-04-30T23:59:59Z", 0),
        ("2021-05-01T00:00:00Z", 1),
        ("2021-07-01T00:00:00Z", 2),
        ("now", 2),
    ):
        problems = json.loads(run("lint", "in.yaml", "--at", at, "--format", "json").stdout)["problems"]
        assert [each["code"] for each in problems].count("review-overdue") == count
    assert run("lint", "in.yaml", "--at", "tomorrow").exit_code == 2
