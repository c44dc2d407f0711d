"""The exact output of `withhold test`.

`planted.txt` is for rules whose cases have gaps, and `thorough.txt` for the same rules with the suggested cases. After
an intended change, run `WITHHOLD_WRITE_SNAPSHOTS=1 pytest tests/testing/test_rendered.py`, and read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from withhold.cli.app import app

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("name", "status", "arguments"),
    [
        ("failing", 1, ["failing"]),
        ("failing-junit", 1, ["failing", "--format", "junit"]),
        ("several", 1, ["several"]),
        ("refused", 4, ["refused"]),
        ("planted", 0, ["planted", "--coverage", "--mutate"]),
        ("thorough", 0, ["thorough", "--coverage", "--mutate"]),
    ],
)
def test_the_report(monkeypatch, name, status, arguments):
    monkeypatch.chdir(HERE)
    found = CliRunner().invoke(app, ["test", *arguments])
    assert found.exit_code == status
    expected = HERE / f"{name}.txt"
    text = found.output.replace(os.sep, "/")
    if os.environ.get("WITHHOLD_WRITE_SNAPSHOTS"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")
