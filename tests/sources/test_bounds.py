"""Odd paths, directories and links are reported with a place, after a bounded amount of work."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.sources.writing import FINE, RULE, refusal, reported, very_deep, write
from withhold import Place, RuleSet, RuleSetError

LIST = "kind,id\naccount,5\n"


def test_b7_whatever_cannot_be_opened_is_a_problem_with_a_place(tmp_path: Path) -> None:
    long = "n" * 300
    write(
        tmp_path,
        {"in.yaml": f"{RULE}  ids_file: ids.csv\n", "b.yaml": FINE.replace("id: a", f"id: b\n  ids_file: {long}")},
    )
    (tmp_path / "ids.csv").symlink_to(long)
    (tmp_path / "long.yaml").symlink_to(long)
    (tmp_path / "deep.yaml").symlink_to("/".join(["d"] * 2000))
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "one.yaml").symlink_to("two.yaml")
    (tmp_path / "two.yaml").symlink_to("one.yaml")
    (tmp_path / "no-rules").symlink_to(long)
    (tmp_path / "no-rules-either").symlink_to("no-rules-either")
    assert reported(refusal(tmp_path), tmp_path) == [
        "b.yaml:3:13 unreadable-file",
        "deep.yaml:1:1 unreadable-file",
        "in.yaml:5:13 unreadable-file",
        "long.yaml:1:1 unreadable-file",
        "loop.yaml:1:1 unreadable-file",
        "one.yaml:1:1 unreadable-file",
        "two.yaml:1:1 unreadable-file",
    ]
    for name in ("long.yaml", "loop.yaml", "no-rules"):  # an existing link, named by the caller
        assert reported(refusal(tmp_path / name), tmp_path) == [f"{name}:1:1 unreadable-file"]
    for name in ("a\0b", "\ud800", long, "in.yaml/x", "long.yaml/x"):
        error = refusal(tmp_path / name)
        assert [(problem.code, problem.place) for problem in error.problems] == [
            ("unreadable-file", Place(str(tmp_path / name)))
        ]
        with pytest.raises(RuleSetError, match="unreadable-file"):
            RuleSet.load(tmp_path, tmp_path / name)
    for name in ("none", "none/in.yaml"):
        with pytest.raises(FileNotFoundError):
            RuleSet.load(tmp_path / name)
        with pytest.raises(FileNotFoundError):
            RuleSet.load(tmp_path, tmp_path / name)
    with pytest.raises(NotADirectoryError):
        RuleSet.load(tmp_path, tmp_path / "in.yaml")


@pytest.mark.parametrize("form", ["a file", "a folder", "a root"])
def test_b7_a_path_below_a_folder_that_may_not_be_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """It may exist, so it is not the caller's mistake. (Tests may run as root, who may search everything.)"""
    write(tmp_path, {"closed/rules/in.yaml": FINE, "in.yaml": FINE})
    stat_of, lstat_of = os.stat, os.lstat

    def closed(of: Any) -> Any:
        def call(path: Any, *more: Any, **named: Any) -> Any:
            if "closed/" in os.fspath(path):
                raise PermissionError(13, "Permission denied", str(path))
            return of(path, *more, **named)

        return call

    path = tmp_path / "closed" / ("rules/in.yaml" if form == "a file" else "rules")
    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", closed(stat_of))
        patched.setattr(os, "lstat", closed(lstat_of))
        with pytest.raises(RuleSetError) as caught:
            RuleSet.load(*((tmp_path, path) if form == "a root" else (path,)))
    assert reported(caught.value, tmp_path) == [f"{path.relative_to(tmp_path).as_posix()}:1:1 unreadable-file"]


@pytest.mark.parametrize("name", ["link", "link.yaml"])
def test_b7_a_link_into_a_folder_that_may_not_be_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The rules behind it would be missing. (Tests may run as root, who may search everything.)"""
    write(tmp_path, {"in.yaml": FINE, ".closed/in.yaml": FINE})
    (tmp_path / name).symlink_to(".closed/in.yaml")
    stat_of, lstat_of, readlink_of = os.stat, os.lstat, os.readlink

    def closed(of: Any) -> Any:
        def call(path: Any, *more: Any, **named: Any) -> Any:
            follows = of is stat_of and named.get("follow_symlinks", True)
            asked = os.fspath(path) if isinstance(path, str | os.PathLike) else ""
            if ".closed/" in str(asked) or (follows and str(asked).endswith(name)):
                raise PermissionError(13, "Permission denied", str(asked))
            return of(path, *more, **named)

        return call

    for function in (stat_of, lstat_of, readlink_of):
        monkeypatch.setattr(os, function.__name__, closed(function))
    error = refusal(tmp_path)
    assert reported(error, tmp_path) == [f"{name}:1:1 unreadable-file"]
    assert "permission denied" in str(error)


def test_b7_a_folder_that_vanishes_or_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"in.yaml": FINE, "sub/in.yaml": FINE})
    listed = os.listdir

    def vanish(path: Any = ".") -> list[str]:
        if str(path).endswith("sub"):
            raise FileNotFoundError(2, "No such file or directory")
        return listed(path)

    monkeypatch.setattr(os, "listdir", vanish)
    assert reported(refusal(tmp_path), tmp_path) == ["sub:1:1 unreadable-file"]


@pytest.mark.parametrize("kind", [MemoryError, RecursionError])
@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("withhold.parsing.yaml_file.Builder.scalar", "in.yaml:1:1"),
        ("withhold.sources.loader.read_model", "in.yaml:1:1"),
        ("withhold.sources.groups._expand", "."),
        ("withhold.sources.loader.IdsFile", "in.yaml:1:1"),
        ("withhold.sources.loader.rule_files", "."),
    ],
)
def test_b7_what_is_too_large_for_the_memory_is_a_problem_with_a_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception], where: str, place: str
) -> None:
    text = f"groups: {{g: [IN, PK]}}\n{RULE.replace('IN', 'g')}  ids_file: in.csv\n"
    write(tmp_path, {"in.yaml": text, "in.csv": LIST})

    def burst(*_: Any, **__: Any) -> None:
        raise kind

    monkeypatch.setattr(where, burst)
    error = refusal(tmp_path)
    assert error.code == "too-large"
    assert isinstance(error.problem.place, Place)
    assert str(Path(error.problem.place.file).relative_to(tmp_path)) == place.partition(":")[0]


@pytest.mark.skipif(os.name == "nt", reason="folders lie less deep there")
def test_b7_folders_lie_at_most_a_hundred_deep(tmp_path: Path) -> None:
    write(tmp_path, {"in.yaml": FINE})
    deep = "/".join(["d"] * 100)
    write(tmp_path, {f"{deep}/in.yaml": FINE.replace("id: a", "id: b")})
    assert len(RuleSet.load(tmp_path)) == 2
    write(tmp_path, {f"{deep}/d/in.yaml": FINE.replace("id: a", "id: c")})
    assert reported(refusal(tmp_path), tmp_path) == [f"{deep}/d:1:1 too-deep"]
    with very_deep(tmp_path / deep / "d", 1200):
        assert reported(refusal(tmp_path), tmp_path) == [f"{deep}/d:1:1 too-deep"]


def test_b7_links_that_multiply_are_refused(tmp_path: Path) -> None:
    """Thirty directories, each with two links to the next one. Without a limit, a billion paths would be followed."""
    for number in range(30):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        if number < 29:
            (folder / "a").symlink_to(f"../{number + 1}")
            (folder / "b").symlink_to(f"../{number + 1}")
    write(tmp_path, {"in.yaml": FINE})
    assert {problem.code for problem in refusal(tmp_path).problems} == {"too-many-links"}


def counting(monkeypatch: pytest.MonkeyPatch, *names: str) -> list[str]:
    """Return a list to which each call of some functions of `os` is appended."""
    calls: list[str] = []

    def watched(name: str) -> Any:
        function = getattr(os, name)

        def call(*arguments: Any, **named: Any) -> Any:
            calls.append(name)
            return function(*arguments, **named)

        return call

    for name in names:
        monkeypatch.setattr(os, name, watched(name))
    return calls


def test_b7_folders_of_links_into_one_another_are_looked_at_a_bounded_number_of_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of names is limited for the whole load, not for each directory."""
    for number in range(40):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        for other in range(40):
            (folder / f"l{other}").symlink_to(f"../{other}")
    write(tmp_path, {"in.yaml": FINE})
    calls = counting(monkeypatch, "listdir", "stat", "readlink")
    assert {problem.code for problem in refusal(tmp_path).problems} == {"too-many-links"}
    assert len(calls) < 200_000


def test_b7_a_folder_without_rules_may_be_shared_by_many(tmp_path: Path) -> None:
    for number in range(150):
        name = f"{number:03}"
        rules = FINE.replace("id: a", f"id: r{name}").replace("accounts: 1", "ids_file: lists/in.csv")
        write(tmp_path, {f"{name}/in.yaml": rules})
        (tmp_path / name / "lists").symlink_to("../shared")
    write(tmp_path, {"shared/in.csv": LIST} | {f"shared/{number}.csv": LIST for number in range(99)})
    assert len(RuleSet.load(tmp_path)) == 150


def test_b7_one_rule_file_is_read_a_few_times_however_many_links_lead_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"in.yaml": FINE, "sub/empty.yaml": "rules: []\n", "ok.yaml": FINE.replace("id: a", "id: b")})
    for number in range(300):
        (tmp_path / f"l{number:03}.yaml").symlink_to("in.yaml")
    calls = counting(monkeypatch, "open")
    error = refusal(tmp_path)
    assert [problem.code for problem in error.problems].count("too-many-links") == 1
    assert {problem.code for problem in error.problems} == {"too-many-links", "repeated-rule-id"}
    assert len(calls) < 20
    for number in range(300):
        (tmp_path / f"l{number:03}.yaml").unlink()
    for number in range(8):
        (tmp_path / f"l{number}.yaml").symlink_to("sub/empty.yaml")
    assert len(RuleSet.load(tmp_path)) == 2, "a few links to a file without rules are no error"


def test_b7_rules_behind_more_links_than_one_path_can_have_are_not_passed_over(tmp_path: Path) -> None:
    write(tmp_path, {"in.yaml": FINE} | {f".{number}/in.csv": LIST for number in range(45)})
    (tmp_path / "next").symlink_to(".0")
    for number in range(44):
        (tmp_path / f".{number}" / "next").symlink_to(f"../.{number + 1}")
    assert reported(refusal(tmp_path), tmp_path) == [f"{'/'.join(['next'] * 41)}:1:1 unreadable-file"]


@pytest.mark.parametrize("name", ["a/" * 160_000 + "b", "a" * 5000, "l/" * 2040 + "b", "ä" * 2100])
def test_b7_a_path_longer_than_any_can_be_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write(tmp_path, {"in.yaml": f"{RULE}  ids_file: {name}\n"})
    (tmp_path / "l").symlink_to(".")
    calls = counting(monkeypatch, "readlink", "lstat", "stat")
    assert reported(refusal(tmp_path / "in.yaml"), tmp_path) == ["in.yaml:5:13 unreadable-file"]
    assert len(calls) < 200


def test_b7_each_link_is_followed_once_however_many_lists_go_through_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the cache, thirty links, each through 650 directories, would be followed again for each list."""
    names = [f"{left}/{right}" for left in "abcdef" for right in "abcdef"]
    rules = "".join(f"- {{id: {n}, reason: terms, withheld_in: IN, ids_file: {n}/l0/in.csv}}\n" for n in names)
    write(tmp_path, {"in.yaml": f"rules:\n{rules}", "in.csv": LIST, "dd/in.csv": LIST})
    for name in "abcdef":
        (tmp_path / name).symlink_to(".")
    for number in range(30):
        (tmp_path / f"l{number}").symlink_to("dd/../" * 650 + f"l{number + 1}")
    (tmp_path / "l30").symlink_to(".")
    calls = counting(monkeypatch, "readlink")
    assert len(RuleSet.load(tmp_path / "in.yaml")) == len(names)
    assert len(calls) < 35_000


def test_b7_names_that_are_missing_are_looked_for_in_a_folder_folded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = "".join(f"- {{id: r{n}, reason: terms, withheld_in: IN, ids_file: none{n}.csv}}\n" for n in range(100))
    write(tmp_path, {"in.yaml": f"rules:\n{rules}"} | {f"{number}.csv": LIST for number in range(300)})
    folds = 0

    def folded(name: str) -> str:
        nonlocal folds
        folds += 1
        return name.casefold()

    monkeypatch.setattr("withhold.sources.root.folded", folded)
    assert len(refusal(tmp_path / "in.yaml").problems) == 100
    assert folds < 500


@pytest.mark.parametrize("prefix", ["", "../", "l/", "here/"])
def test_b7_below_a_name_that_is_missing_no_link_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    name = f"{prefix}{'a/' * 1500}in.csv"
    write(tmp_path, {"rules/in.yaml": f"{RULE}  ids_file: {name}\n", "rules/here/in.csv": LIST})
    (tmp_path / "rules" / "l").symlink_to("nowhere")
    calls = counting(monkeypatch, "readlink")
    code = "outside-rule-set" if prefix == "../" else "unreadable-file"
    assert reported(refusal(tmp_path / "rules"), tmp_path) == [f"rules/in.yaml:5:13 {code}"]
    assert len(calls) < 200
    monkeypatch.undo()
    for back in ("here/a/../in.csv", "a/b/../../here/in.csv", "a/../l2/in.csv", "l/../here/in.csv"):
        (tmp_path / "rules" / "l2").unlink(missing_ok=True)
        (tmp_path / "rules" / "l2").symlink_to(tmp_path)
        write(tmp_path, {"rules/in.yaml": f"{RULE}  ids_file: {back}\n"})
        code = "outside-rule-set" if "l2" in back else "unreadable-file"
        assert reported(refusal(tmp_path / "rules" / "in.yaml"), tmp_path) == [f"rules/in.yaml:5:13 {code}"]
