"""Links in a repository do not redirect the output of a command to another place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from withhold import RuleSet, Snapshot
from withhold.cli.app import app

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links need no rights there")

RULES = "rules:\n- {id: a, accounts: [17], withheld_in: IN, reason: terms}\n"
CASES = "rules: in.yaml\ncases:\n- {it: withholds, account: 17, at: 2021-03-01T00:00:00Z, expect: {IN: withheld}}\n"
FORMS = {
    "compile": ("compile", "rules/in.yaml", "--output"),
    "test": ("test", "rules", "--format", "junit", "--output"),
    # Other code writes the report on refused files.
    "test-refused": ("test", "refused", "--format", "junit", "--output"),
}
each_command = pytest.mark.parametrize("command", FORMS)


@pytest.fixture(params=["repository", "folder"])
def there(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, or a directory with the same content, beside a directory with files that must not change."""
    here = tmp_path / "here"
    for folder in (
        ("rules", "refused", "made", ".git/hooks") if request.param == "repository" else ("rules", "refused", "made")
    ):
        (here / folder).mkdir(parents=True)
    (here / "rules" / "in.yaml").write_text(RULES, encoding="utf-8")
    (here / "rules" / "in.cases.yaml").write_text(CASES, encoding="utf-8")
    (here / "refused" / "in.cases.yaml").write_text("cases: 1", encoding="utf-8")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").write_text("precious", encoding="utf-8")
    Snapshot.compile(RuleSet()).save(tmp_path / "outside" / "prod.wh")
    monkeypatch.chdir(here)
    return here


def run(command: str, output: str | Path) -> Any:
    return CliRunner().invoke(app, [*FORMS[command], str(output)])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@each_command
@pytest.mark.parametrize("target", ["../outside/precious", "../outside/prod.wh", "/outside", "chain"])
def test_b1_no_output_goes_through_a_link_out_of_its_folder(there: Path, command: str, target: str) -> None:
    before = contents(there.parent / "outside")
    (there / "chain").symlink_to("../outside/prod.wh")
    target = str(there.parent / "outside" / "created") if target == "/outside" else target
    (there / "made" / "out").symlink_to(target if target.startswith("/") else f"../{target}")
    (there / "out").symlink_to(target)
    for output in (there / "out", "made/out"):
        found = run(command, output)
        assert found.exit_code in (1, 2), found.output
        assert "give the path of its target" in found.stderr or "exists, and is not a snapshot" in found.stderr
    assert contents(there.parent / "outside") == before
    assert Path("out").is_symlink()


@each_command
@pytest.mark.parametrize("output", ["out/x", "made/out/../../out/x", "out/deeper/x"])
def test_b1_no_output_goes_through_a_folder_that_is_a_link_out(there: Path, command: str, output: str) -> None:
    (there.parent / "outside" / "deeper").mkdir()
    (there / "out").symlink_to("../outside")
    (there / "made" / "out").symlink_to("../../outside")
    for given in (output, there / output):
        found = run(command, given)
        assert found.exit_code == 2, found.output
        assert "is behind a link that leads out of" in found.stderr
    assert {path.name for path in (there.parent / "outside").rglob("*")} == {"deeper", "precious", "prod.wh"}


@each_command
def test_b1_no_output_goes_into_the_files_of_git(there: Path, command: str) -> None:
    if not (there / ".git").exists():
        pytest.skip("there are none")
    (there / "out").symlink_to(".git/hooks/pre-commit")
    (there / "folder").symlink_to(".git/hooks")
    for output in ("out", "folder/pre-commit"):
        assert run(command, output).exit_code in (1, 2)
    assert list((there / ".git" / "hooks").iterdir()) == []


@each_command
def test_b1_links_to_folders_inside_and_links_of_the_user_are_followed(there: Path, command: str) -> None:
    (there / "inside").symlink_to("made")
    (there.parent / "mine").symlink_to("outside")
    for output, written in (
        ("inside/x", there / "made" / "x"),
        ("../mine/x", there.parent / "outside" / "x"),
        (there.parent / "mine" / "y", there.parent / "outside" / "y"),
        ("x", there / "x"),
    ):
        found = run(command, output)
        assert found.exit_code in (0, 4), found.output
        assert written.is_file()


def test_b1_a_link_in_its_folder_leads_to_the_new_snapshot(there: Path) -> None:
    Snapshot.compile(RuleSet()).save("real.wh")
    Path("current.wh").symlink_to("real.wh")
    Path("new.wh").symlink_to("made/new.wh")
    for output in ("current.wh", "new.wh"):
        assert run("compile", output).exit_code == 0
        assert Path(output).is_symlink()
        assert len(Snapshot.open(output).rules) == 1


@pytest.mark.parametrize("target", ["rules/in.yaml", "nothing"])
def test_b1_a_report_replaces_nothing_behind_a_link(there: Path, target: str) -> None:
    Path("report.xml").symlink_to(target)
    found = run("test", "report.xml")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "report.xml is a link; give the path of its target" in found.stderr
    assert Path("rules/in.yaml").read_text(encoding="utf-8") == RULES
    assert not Path("nothing").exists()


@each_command
def test_an_output_with_a_name_that_is_too_long_is_reported(there: Path, command: str) -> None:
    for output in ("n" * 300, "n" * 300 + "/x", "made/" * 1_000 + "x"):
        found = run(command, output)
        assert (found.exit_code, "cannot write" in found.stderr) == (1, True), found.output
