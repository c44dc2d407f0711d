"""A file in each form, with the report on it, the rules that follow, and the events that are written from these rules.

The samples come from the sources that the modules in `withhold/wire` name. `golden/FORM.txt` has the expected output. After an
intended change, run `WITHHOLD_WRITE_SNAPSHOTS=1 pytest tests/wire/test_golden.py`, and read the diff.
"""

from __future__ import annotations

import os

import pytest
from typer.testing import CliRunner

from tests.wire.material import AT, FILES, GOLDEN, LAST
from withhold import RuleSet
from withhold.cli.app import app
from withhold.lint import lint
from withhold.model.instants import in_iso
from withhold.wire import FORMS, WRITTEN


def run(*arguments: object) -> tuple[int, str]:
    found = CliRunner().invoke(app, [str(each) for each in arguments])
    assert isinstance(found.exception, SystemExit | None), found.exception
    return found.exit_code, found.output.replace(os.sep, "/")


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_read_and_written_as_expected(form, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--at", in_iso(AT)] + (["--ids", GOLDEN / "ids.csv"] if FORMS[form].needs_ids else [])
    status, report = run("import", form, FILES[form], "-o", "rules", *options)
    assert status == 0
    parts = [
        report,
        *(
            f"# {path.relative_to(tmp_path)}\n{path.read_text('utf-8')}"
            for path in sorted((tmp_path / "rules").rglob("*.*"))
        ),
    ]
    if form in WRITTEN:
        parts.append(run("export", form, "rules", "--at", in_iso(LAST))[1])
    text = "\n".join(parts).replace(f"{tmp_path}{os.sep}", "")
    expected = GOLDEN / f"{form}.txt"
    if os.environ.get("WITHHOLD_WRITE_SNAPSHOTS"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")
    loaded = RuleSet.load("rules")
    assert loaded.warnings == ()
    assert [problem for problem in lint(loaded) if problem.severity != "note" and problem.code != "shadowed"] == []


def test_every_form_has_a_file():
    assert FILES.keys() == FORMS.keys()
