"""The output for a difference, in each format.

The files `rendered/*.txt` contain the output for `rendered/rules` and `rendered/proposed`. After an intended change,
run `WITHHOLD_WRITE_SNAPSHOTS=1 pytest tests/reports/test_rendered.py`, and read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from withhold.cli.app import app

HERE = Path(__file__).parent / "rendered"
WEIGHED = ["--traffic", "traffic.csv", "--at", "2021-03-01T00:00:00Z"]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("text", ["rules", "proposed", *WEIGHED]),
        ("all", ["rules", "proposed", "--all", "--audit"]),
        ("markdown", ["rules", "proposed", "--format", "markdown", "--audit", *WEIGHED]),
        ("json", ["rules", "proposed", "--format", "json", "--audit", *WEIGHED]),
        ("nothing", ["rules", "rules"]),
        ("nothing-in-markdown", ["rules", "rules", "--format", "markdown", *WEIGHED]),
        ("from-june", ["rules", "proposed", "--from", "2021-06-01T00:00:00Z"]),
    ],
)
def test_what_is_printed(monkeypatch: pytest.MonkeyPatch, name: str, arguments: list[str]) -> None:
    monkeypatch.chdir(HERE)
    found = CliRunner().invoke(app, ["diff", *arguments])
    assert found.exit_code == 0
    text = found.output.replace(os.sep, "/") if name != "json" else found.output
    expected = HERE / f"{name}.txt"
    if os.environ.get("WITHHOLD_WRITE_SNAPSHOTS"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")
