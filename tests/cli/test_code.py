"""`withhold code` explains every code that a command prints."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.conftest import DOCUMENTED
from withhold.cli.app import app
from withhold.cli.codes import explained

CHECK = """\
no-end: note, from withhold lint
  A rule should have an end or a date of review. Content stays withheld long
  after the order is forgotten. Enter the end that the order sets as `until`. If
  it sets none, enter a date of review as `review_by`: with `until`, the content
  would be visible if nobody reviewed the rule.
  To silence it on one rule, add `override: {no-end: '…'}` to the rule, with the
  reason in place of the dots.
"""
PROBLEM = """\
bad-jurisdiction: from rules
  The jurisdiction is `WORLD`, a group other than `EU`, or not text. Write the
  country or subdivision whose law it is, or `EU`.
"""


def run(*arguments: str, **more: Any) -> Any:
    return CliRunner().invoke(app, ["code", *arguments], **more)


@pytest.mark.parametrize(("code", "text"), [("no-end", CHECK), ("bad-jurisdiction", PROBLEM), ("[no-end]", CHECK)])
@pytest.mark.parametrize("terminal", [True, False])
def test_the_text_fits_into_80_columns(code: str, text: str, terminal: bool) -> None:
    environment = {"COLUMNS": "80", "FORCE_COLOR": "1", "TERM": "dumb"} if terminal else {}
    found = run(code, env=environment)
    assert (found.exit_code, found.stdout) == (0, text)
    assert max(map(len, found.stdout.splitlines())) <= 80


def test_json_has_the_same() -> None:
    answer = json.loads(run("no-end", "--format", "json").stdout)
    assert answer.pop("meaning").startswith("A rule should have an end")
    assert answer.pop("silence").startswith("To silence it on one rule")
    assert answer == {"code": "no-end", "severity": "note", "source": "withhold lint"}
    assert json.loads(run("bad-id", "--format", "json").stdout)["silence"] is None


def test_every_documented_code_is_explained() -> None:
    assert set(explained()) == DOCUMENTED
    for code, found in explained().items():
        assert str(found).startswith(f"{code}: ")
        assert len(str(found).splitlines()) > 1


@pytest.mark.parametrize(
    ("code", "hint"), [("no-ent", "did you mean `no-end`?"), ("x", "known: "), ("", "known: "), ("\x1b", "known: ")]
)
def test_an_unknown_code_is_a_usage_error(code: str, hint: str) -> None:
    found = run(code)
    assert (found.exit_code, found.stdout) == (2, "")
    assert hint in " ".join(found.stderr.split())
    assert "\x1b" not in found.stderr
