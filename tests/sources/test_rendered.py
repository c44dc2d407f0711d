"""What a refused rule set looks like to whoever has to mend it.

`terrible.txt` is what is printed for the directory `terrible`. After a change that is meant:
`WITHHOLD_WRITE_SNAPSHOTS=1 pytest tests/sources/test_rendered.py`, then read the difference.
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
