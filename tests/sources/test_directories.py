"""A directory of rule files is one rule set, in one order."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sources.writing import FINE, RULE, refusal, reported, write
from withhold import CaseError, RuleSet, RuleSetError
from withhold.parsing.formats import ENDINGS
from withhold.sources import load_protected, protected_beside
from withhold.testing.suite import Library, read_case_file


def named(rule_id: str) -> str:
    return FINE.replace("id: a", f"id: {rule_id}")


def test_files_are_read_in_the_order_of_their_names_whatever_the_file_system_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["b.yaml", "a/z.yml", "a/b/c.yaml", "B.json", "a.yaml", "10.yaml", "9.yaml"]
    for name in names:
        text = named(name) if name != "B.json" else '{"rules": []}'
        write(tmp_path, {name: text})
    forwards = [rule.id for rule in RuleSet.load(tmp_path)]

    listed = Path.rglob
    monkeypatch.setattr(Path, "rglob", lambda self, pattern: reversed(list(listed(self, pattern))))
    backwards = [rule.id for rule in RuleSet.load(tmp_path)]

    assert forwards == backwards == ["10.yaml", "9.yaml", "a/b/c.yaml", "a/z.yml", "a.yaml", "b.yaml"]


def test_hidden_files_and_other_files_are_left_out(tmp_path: Path) -> None:
    broken = "rules: ["
    write(
        tmp_path,
        {
            "in.yaml": named("in"),
            ".in.yaml": broken,
            ".git/x.yaml": broken,
            "sub/.cache/deep/x.json": broken,
            "in.yaml~": broken,
            "in.yaml.bak": broken,
            "README.md": broken,
            "ids.csv": broken,
            "yaml": broken,
            "in.cases.yaml": broken,
            "sub/TR.Cases.yml": broken,
            "protected.yaml": broken,
            "sub/protected.yml": broken,
        },
    )
    (tmp_path / "folder.yaml").mkdir()
    assert [rule.id for rule in RuleSet.load(tmp_path)] == ["in"]


def test_a_directory_below_a_hidden_one_is_read_if_it_is_what_was_asked_for(tmp_path: Path) -> None:
    """Only names below the given path count as hidden."""
    write(tmp_path, {".config/rules/in.yaml": named("in")})
    assert len(RuleSet.load(tmp_path / ".config" / "rules")) == 1


def test_a_hidden_file_is_read_if_it_is_what_was_asked_for(tmp_path: Path) -> None:
    write(tmp_path, {".in.yaml": named("in")})
    assert len(RuleSet.load(tmp_path / ".in.yaml")) == 1


def test_mounted_files_that_are_links_into_a_hidden_directory_are_read(tmp_path: Path) -> None:
    """Kubernetes volumes have this form."""
    write(tmp_path, {"..2024/in.yaml": named("in")})
    (tmp_path / "..data").symlink_to("..2024", target_is_directory=True)
    (tmp_path / "in.yaml").symlink_to("..data/in.yaml")
    assert [rule.id for rule in RuleSet.load(tmp_path)] == ["in"]


def test_a_rule_file_that_is_a_broken_link_is_told(tmp_path: Path) -> None:
    """Missing rules withhold nothing. This must not be discovered only in production."""
    write(tmp_path, {"in.yaml": named("in")})
    (tmp_path / "tr.yaml").symlink_to("nowhere.yaml")
    assert reported(refusal(tmp_path), tmp_path) == ["tr.yaml:1:1 unreadable-file"]


@pytest.mark.parametrize("files", [{}, {"ids.csv": "kind,id"}, {".a.yaml": FINE}])
def test_a_directory_without_a_rule_file_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    """This is more likely a wrong path than a wish to withhold nothing."""
    write(tmp_path, files)
    error = refusal(tmp_path)
    assert reported(error, tmp_path) == [".:1:1 no-rule-files"]
    assert error.hint == f"they end in {ENDINGS}"


@pytest.mark.parametrize("kind", [str, Path, os.fspath])
def test_a_path_that_is_not_there_is_an_os_error(tmp_path: Path, kind: type) -> None:
    with pytest.raises(FileNotFoundError):
        RuleSet.load(kind(tmp_path / "nowhere.yaml"))


@pytest.mark.parametrize("name", ["rules.txt", "rules", "rules.yaml.bak", "ids.csv"])
def test_a_file_that_is_no_rule_file_by_its_name_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: FINE})
    error = refusal(tmp_path / name)
    assert reported(error, tmp_path) == [f"{name}:1:1 unknown-format"]
    assert error.hint == f"they end in {ENDINGS}"


def test_an_empty_path_is_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an unset variable, the rules must not be loaded from the current directory."""
    write(tmp_path, {"in.yaml": named("in")})
    monkeypatch.chdir(tmp_path)
    with pytest.raises((OSError, ValueError)):
        RuleSet.load("")


def test_the_digest_does_not_depend_on_how_rules_lie_in_files(tmp_path: Path) -> None:
    rule = named("b").removeprefix("rules:\n")
    write(tmp_path, {"one/all.yaml": named("a") + rule, "two/b.yaml": named("b"), "two/c.yaml": named("a")})
    one, two = RuleSet.load(tmp_path / "one"), RuleSet.load(tmp_path / "two")
    assert [rule.id for rule in one] != [rule.id for rule in two]
    assert one.digest == two.digest


def test_ids_files_are_found_beside_the_rule_file_not_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        tmp_path, {"rules/sub/in.yaml": named("in") + "  ids_file: ../ids.csv\n", "rules/ids.csv": "kind,id\ntweet,5\n"}
    )
    write(tmp_path, {"ids.csv": "kind,id\ntweet,6\n"})
    monkeypatch.chdir(tmp_path)
    assert list(RuleSet.load("rules")["in"].tweets) == [5]


@pytest.mark.skipif(os.name == "nt", reason="there are no pipes among the files")
def test_a_pipe_or_a_device_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """A pipe would never end, and a device is outside every rule set."""
    write(tmp_path, {"in.yaml": f"{RULE}  ids_file: ids.csv\n"})
    for name in ("ids.csv", "none.yaml", "protected.yaml"):
        os.mkfifo(tmp_path / name)
    assert reported(refusal(tmp_path), tmp_path) == ["in.yaml:5:13 unreadable-file", "none.yaml:1:1 unreadable-file"]
    (tmp_path / "protected.yaml").unlink()
    os.mkfifo(tmp_path / "protected.yaml")
    for beside in (tmp_path, tmp_path / "in.yaml"):
        with pytest.raises(RuleSetError, match="it is a pipe or a device"):
            protected_beside(beside)
    for name in ("ids.csv", "none.yaml", "protected.yaml"):
        (tmp_path / name).unlink()
        (tmp_path / name).symlink_to(os.devnull)
    assert reported(refusal(tmp_path), tmp_path) == ["in.yaml:5:13 outside-rule-set", "none.yaml:1:1 outside-rule-set"]
    with pytest.raises(RuleSetError, match="outside-rule-set"):
        protected_beside(tmp_path)


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="there are no paths of open pipes")  # noqa: PTH110
@pytest.mark.parametrize(
    "load", [RuleSet.load, lambda path: load_protected(Path(path)), lambda path: read_case_file(Path(path), Library())]
)
def test_b7_a_pipe_that_has_no_name_is_called_a_pipe(load: Callable[[str], object]) -> None:
    """As in `cat rules.yaml | withhold lint /dev/stdin` or `withhold lint <(cat rules.yaml)`."""
    reading, writing = os.pipe()
    try:
        with pytest.raises((RuleSetError, CaseError), match="it is a pipe or a device") as caught:
            load(f"/dev/fd/{reading}")
    finally:
        os.close(reading)
        os.close(writing)
    assert "save its contents to a file" in str(caught.value)
