"""Case files and snapshots may be hostile: nothing outside their surroundings is opened or listed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.sources.test_root import nothing_is_opened_in
from tests.testing.material import FINE, RULES, write
from withhold import Place, Rule, RuleSet, Snapshot
from withhold.cli.app import app
from withhold.errors import CaseError
from withhold.sources.root import Root
from withhold.testing.suite import Library, read_all, read_case_file
from withhold.testing.uncovered import uncovered

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need a right there")
SECRET = "SECRET: key\n"  # noqa: S105


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, beside a directory that it must not access."""
    for name in ("project/.git", "project/rules", "outside"):
        (tmp_path / name).mkdir(parents=True)
    write(tmp_path / "project", rules=RULES, all=FINE)
    write(tmp_path / "outside", rules=RULES.replace("in-1", "out-1"), other=FINE.replace("withholds it", "SECRET case"))
    (tmp_path / "outside" / "secret.yaml").write_text(SECRET, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def codes(path: Path, library: Library | None = None) -> list[str]:
    with pytest.raises(CaseError) as caught:
        read_all([path], library or Library())
    assert "SECRET" not in str(caught.value)
    return [problem.code for problem in caught.value.problems]


@pytest.mark.parametrize("target", ["../../outside", "../../outside/repository", "../other", "../hop"])
@pytest.mark.parametrize("absolute", [False, True])
def test_b2_a_case_file_behind_a_link_to_a_folder_outside_is_refused(
    project: Path, target: str, absolute: bool
) -> None:
    """The root is that of the link itself and not that of its target, even if the target is a repository."""
    outside = project.parent / "outside"
    (outside / "repository" / ".git").mkdir(parents=True)
    write(outside / "repository", rules=RULES, other=FINE.replace("withholds it", "SECRET case"))
    (project / "hop").symlink_to("rules/../../outside")
    (project / "other").symlink_to(outside)
    (project / "rules" / "l").symlink_to(target)
    around = project if absolute else Path()
    with nothing_is_opened_in(outside):
        assert codes(around / "rules" / "l" / "other.cases.yaml") == ["outside-rule-set"]
    (project / "rules" / "down").symlink_to("../../outside/repository")
    with nothing_is_opened_in(outside):
        assert codes(around / "rules" / "down" / ".." / "other.cases.yaml") == ["outside-rule-set"]


def test_b2_a_link_of_the_users_own_may_lead_to_a_repository(project: Path) -> None:
    mine = project.parent / "mine"
    mine.symlink_to("project")
    assert [file.path.name for file in read_all([mine / "all.cases.yaml"], Library())] == ["all.cases.yaml"]
    (project / "rules" / "up").symlink_to("..")
    assert [file.path.name for file in read_all([Path("rules/up/all.cases.yaml")], Library())] == ["all.cases.yaml"]
    (mine / "rules" / "l").symlink_to(project.parent / "outside")
    assert codes(mine / "rules" / "l" / "other.cases.yaml") == ["outside-rule-set"]


def test_b2_a_root_around_both_lets_a_case_file_behind_a_link_be_read(project: Path) -> None:
    (project / "rules" / "l").symlink_to("../../outside")
    found = read_all([Path("rules/l/other.cases.yaml")], Library(project.parent))
    assert [rule.id for file in found for rule in file.rules] == ["out-1"]


def test_b2_without_a_repository_the_current_folder_bounds_case_files_behind_links(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".git").rmdir()
    (project / "rules" / "l").symlink_to("../../outside")
    path = project / "rules" / "l" / "other.cases.yaml"
    assert codes(path) == ["outside-rule-set"]
    monkeypatch.chdir("/")
    assert codes(path, Library(here=project)) == ["outside-rule-set"], "as pytest does, from its own directory"


def swap_once(monkeypatch: pytest.MonkeyPatch, path: Path, target: Path, owner: Any, name: str) -> None:
    """Replace a file or directory by a link just before a function is called."""
    function = getattr(owner, name)

    def call(*arguments: Any, **named: Any) -> Any:
        if not path.is_symlink():
            path.rename(path.with_name("was"))
            path.symlink_to(target)
        return function(*arguments, **named)

    monkeypatch.setattr(owner, name, call)


@pytest.mark.parametrize("owner", [Library, Root])
@pytest.mark.parametrize("root", ["", "root: .\n", "root: rules\n"])
@pytest.mark.parametrize("form", ["file", "folder", "snapshot"])
def test_b2_rules_that_are_replaced_by_a_link_before_they_are_opened_are_not_read(
    project: Path, monkeypatch: pytest.MonkeyPatch, form: str, root: str, owner: Any
) -> None:
    outside = project.parent / "outside"
    named = {"file": "rules/in.yaml", "folder": "rules/sub", "snapshot": "rules/in.wh"}[form]
    (project / "rules" / "sub").mkdir()
    if form == "snapshot":
        Snapshot.compile(RuleSet.load(project / "rules.yaml")).save(project / named)
        Snapshot.compile(RuleSet.load(outside / "rules.yaml")).save(outside / "in.wh")
        target = outside / "in.wh"
    elif form == "file":
        (project / named).write_text(RULES, encoding="utf-8")
        target = outside / "secret.yaml"
    else:
        (project / "rules" / "sub" / "in.yaml").write_text(RULES, encoding="utf-8")
        target = outside
    write(project, all=root + FINE.replace("rules.yaml", named))
    if owner is Library:
        swap_once(monkeypatch, project / named, target, Library, "rules")
    else:
        swap_once(monkeypatch, project / "rules", outside, Library, "rules")  # the root itself
    library = Library()
    with nothing_is_opened_in(outside), pytest.raises(CaseError) as caught:
        read_case_file(Path("all.cases.yaml"), library)
    assert "SECRET" not in str(caught.value)
    assert "out-1" not in str(caught.value)


def test_b2_folders_that_are_replaced_by_a_link_before_coverage_looks_into_them_are_not_read(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "rules" / "in.yaml").write_text(RULES, encoding="utf-8")
    write(project, all=FINE.replace("rules.yaml", "rules/in.yaml"))
    library = Library()
    files = read_all([Path("all.cases.yaml")], library)
    (project / "rules").rename(project / "was")
    (project / "rules").symlink_to("../outside")
    with nothing_is_opened_in(project.parent / "outside"), pytest.raises(CaseError) as caught:
        uncovered([], files, library)
    assert [problem.code for problem in caught.value.problems] == ["outside-rule-set"]


@pytest.mark.parametrize(
    "place", ["../outside/none.yaml", "{outside}/rules.yaml", "../outside/rules.yaml", "/etc/none"]
)
def test_b2_the_places_in_a_snapshot_are_no_places_to_look_for_rules(project: Path, place: str) -> None:
    outside = project.parent / "outside"
    rule = Rule(id="a", accounts=[17], withheld_in=["IN"], reason="terms", place=Place(place.format(outside=outside)))
    Snapshot.compile(RuleSet([rule])).save(project / "r.wh")
    write(project, all=FINE.replace("rules.yaml", "r.wh"))
    with nothing_is_opened_in(outside):
        found = CliRunner().invoke(app, ["test", "all.cases.yaml", "--coverage"])
        assert (found.exit_code, "no case file tests" in found.output) == (0, False), found.output
        found = CliRunner().invoke(app, ["test", "--mutate"])
        assert "out-1" not in found.output


def test_b2_a_rule_file_that_a_snapshot_was_compiled_from_has_cases(project: Path) -> None:
    Snapshot.compile(RuleSet.load("rules.yaml")).save("r.wh")
    write(project, all=FINE.replace("rules.yaml", "r.wh"))
    assert "no case file" not in CliRunner().invoke(app, ["test", ".", "--coverage"]).output
    (project / "more.yaml").write_text(RULES.replace("in-1", "in-2"), encoding="utf-8")
    assert "no case file tests it: more.yaml" in CliRunner().invoke(app, ["test", ".", "--coverage"]).output


def test_b7_a_file_of_another_tool_is_looked_through_in_proportion_to_its_length(project: Path) -> None:
    """A pattern once searched all following line breaks again from each of them."""
    (project / "more.yaml").write_text("a: &x b\nc: *x\n" + "\n" * 100_000, encoding="utf-8")
    assert CliRunner().invoke(app, ["test", ".", "--coverage"]).exit_code == 0
