"""The report on a refused rule set, for the person who has to correct it.

`terrible.txt` contains the output for the directory `terrible`. After an intended change, run
`WITHHOLD_WRITE_SNAPSHOTS=1 pytest tests/sources/test_rendered.py`, and read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.sources.writing import refusal

HERE = Path(__file__).parent
EXPECTED = HERE / "terrible.txt"


def test_the_report_on_a_terrible_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)
    error = refusal(Path("terrible"))
    text = f"{error}\n\nrules read: {error.read}, refused: {error.refused}\n"
    if os.environ.get("WITHHOLD_WRITE_SNAPSHOTS"):
        EXPECTED.write_text(text, encoding="utf-8")
    assert text == EXPECTED.read_text(encoding="utf-8")
