"""No file outside the root is opened, whatever rules, links and file names contain."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from tests.sources.writing import FINE, RULE, refusal, reported, write
from withhold import RuleSet, RuleSetError
from withhold.sources import load_protected, protected_beside

SECRET = "SECRET_TOKEN=eyJhbGciOiJIUzI1NiJ9\n"  # noqa: S105
LIST = "kind,id\naccount,5\n"

#: The paths that were opened while they are recorded, otherwise None.
_opened: list[str] | None = None


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _opened is not None and event in ("open", "os.listdir", "os.scandir"):
        _opened.append(os.path.realpath(arguments[0] or "."))


sys.addaudithook(_watch)


@contextmanager
def nothing_is_opened_in(folder: Path) -> Iterator[None]:
    global _opened  # noqa: PLW0603  # an audit hook cannot be removed
    _opened = []
    try:
        yield
        assert [path for path in _opened if Path(path).is_relative_to(os.path.realpath(folder))] == []
    finally:
        _opened = None


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    write(tmp_path, {"outside/secret.txt": SECRET, "outside/in.yaml": FINE, "outside/protected.yaml": SECRET})
    return tmp_path / "outside"


@pytest.mark.parametrize(
    "name",
    [
        "{outside}/secret.txt",
        "../outside/secret.txt",
        "../../../../../../../../../../../../{outside}/secret.txt",
        "sub/../../outside/secret.txt",
        "nowhere/../../outside/secret.txt",
        "./../outside/../outside/secret.txt",
        "to-file.txt",
        "to-folder/secret.txt",
        "to-absolute.txt",
        "to-link.txt",
        "sub/up/../../outside/secret.txt",
        "{tmp}/rules/in.csv",
        "/in.csv",
        "//server/share/in.csv",
        "C:/in.csv",
        "c:in.csv",
        "\\\\server\\share\\in.csv",
        "sub\\in.csv",
        "..\\outside\\secret.txt",
        "IN.CSV",
        "SUB/in.csv",
        "to-case.csv",
        "../outside/nowhere.txt",
        "../outside",
        "..",
    ],
)
@pytest.mark.parametrize("kind", ["accounts", None])
@pytest.mark.parametrize("loaded", ["rules", "rules/in.yaml"])
def test_b2_an_ids_file_outside_of_the_rule_set_is_refused_before_it_is_opened(
    tmp_path: Path, outside: Path, name: str, kind: str | None, loaded: str
) -> None:
    name = name.format(outside=outside, tmp=tmp_path)
    value = yaml.safe_dump({kind: name} if kind else name, default_flow_style=True, width=9999).partition("\n...")[0]
    write(
        tmp_path,
        {"rules/in.yaml": f"{RULE}  ids_file: {value}\n", "rules/in.csv": LIST, "rules/sub/in.csv": LIST},
    )
    rules = tmp_path / "rules"
    (rules / "to-file.txt").symlink_to("../outside/secret.txt")
    (rules / "to-folder").symlink_to("../outside")
    (rules / "to-absolute.txt").symlink_to(outside / "secret.txt")
    (rules / "to-link.txt").symlink_to("sub/../to-file.txt")
    (rules / "to-case.csv").symlink_to("IN.csv")
    (rules / "sub" / "up").symlink_to("..")
    expected = ["in.yaml:5:13 outside-rule-set"]
    if loaded == "rules":
        expected = ["in.yaml:5:13 outside-rule-set", "to-folder:1:1 outside-rule-set"]
    with nothing_is_opened_in(outside):
        error = refusal(tmp_path / loaded)
    assert reported(error, rules) == expected
    assert "SECRET" not in str(error)


@pytest.mark.parametrize("name", ["in.csv", "sub/in.csv", "./sub/../in.csv", "link.csv", "abs.csv", "up/sub/in.csv"])
def test_b2_links_and_detours_inside_are_read(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"rules/in.yaml": f"{RULE}  ids_file: {name}\n", "rules/in.csv": LIST, "rules/sub/in.csv": LIST})
    rules = tmp_path / "rules"
    (rules / "link.csv").symlink_to("sub/../in.csv")
    (rules / "abs.csv").symlink_to(rules / "in.csv")
    (rules / "up").symlink_to("../rules")
    (tmp_path / "linked").symlink_to("rules")
    for loaded in ("rules", "rules/in.yaml", "linked", "linked/in.yaml"):
        assert list(RuleSet.load(tmp_path / loaded)["a"].accounts) == [5]


def test_b2_lists_beside_the_rules_are_read_with_a_root_around_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"all/rules/in.yaml": f"{RULE}  ids_file: ../lists/a.csv\n", "all/lists/a.csv": LIST})
    assert reported(refusal(tmp_path / "all/rules"), tmp_path) == ["all/rules/in.yaml:5:13 outside-rule-set"]
    monkeypatch.chdir(tmp_path)
    for root in (tmp_path / "all", "all", "all/rules/..", "."):
        for path in ("all/rules", "all/rules/in.yaml"):
            assert list(RuleSet.load(path, root)["a"].accounts) == [5]
            assert list(RuleSet.load(path, root=root)["a"].accounts) == [5]
    for root in ("all/lists", "all/rules/in.yaml", "nowhere", ""):
        with pytest.raises((RuleSetError, NotADirectoryError, FileNotFoundError)) as caught:
            RuleSet.load("all/rules", root)
        if root == "all/lists":
            assert isinstance(caught.value, RuleSetError)
            assert str(caught.value.problem) == (
                "all/rules:1:1: cannot read it: it is outside the root `all/lists` [outside-rule-set]; give a root that contains it"
            )


def test_b2_rule_files_and_folders_behind_links_that_lead_out_are_refused(tmp_path: Path, outside: Path) -> None:
    write(tmp_path, {"rules/in.yaml": FINE})
    rules = tmp_path / "rules"
    (rules / "a.yaml").symlink_to("../outside/in.yaml")
    (rules / "b").symlink_to("../outside")
    (rules / "c").symlink_to("..")
    (rules / "README.md").symlink_to("../outside/secret.txt")
    (rules / "none").symlink_to("../outside/nowhere")
    with nothing_is_opened_in(outside):
        assert reported(refusal(rules), rules) == [f"{name}:1:1 outside-rule-set" for name in ("a.yaml", "b", "c")]


def test_b2_a_list_of_protected_accounts_behind_a_link_that_leads_out_is_refused(tmp_path: Path, outside: Path) -> None:
    write(tmp_path, {"rules/in.yaml": FINE})
    (tmp_path / "rules" / "protected.yaml").symlink_to("../outside/protected.yaml")
    with nothing_is_opened_in(outside), pytest.raises(RuleSetError) as caught:
        protected_beside(tmp_path / "rules")
    assert caught.value.code == "outside-rule-set"
    (tmp_path / "mine.yaml").symlink_to("outside/protected.yaml")
    with pytest.raises(RuleSetError, match="not a list of protected"):  # the caller names this one, so it is read
        load_protected(tmp_path / "mine.yaml")


def test_b2_a_file_that_is_replaced_by_a_link_while_it_is_opened_is_not_read(
    tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"rules/in.yaml": f"{RULE}  ids_file: sub/in.csv\n", "rules/sub/in.csv": LIST})
    rules = tmp_path / "rules"
    write(outside, {"in.csv": f"kind,id\naccount,{SECRET}"})
    opens = os.open

    def swap(path: Any, flags: int, *more: Any) -> int:
        if str(path).endswith("in.csv"):
            (rules / "sub").rename(rules / "was")
            (rules / "sub").symlink_to("../outside")
        return opens(path, flags, *more)

    monkeypatch.setattr(os, "open", swap)
    error = refusal(rules / "in.yaml")
    assert (error.code, "replaced while it was being opened" in str(error), "SECRET" in str(error)) == (
        "outside-rule-set",
        True,
        False,
    )


PARTS = st.sampled_from(["..", ".", "a", "b", "l0", "l1", "l2", "in.csv", "A", "nowhere", "outside", "rules", ""])
PATHS = st.lists(PARTS, min_size=1, max_size=7).map("/".join)
TARGETS = st.one_of(PATHS, PATHS.map("{tmp}/".__add__), PATHS.map("{tmp}/rules/".__add__))


@given(PATHS, st.tuples(*[st.tuples(st.sampled_from(["", "a/", "a/b/"]), TARGETS)] * 3))
@example("../outside/in.csv", (("", "."),) * 3)
@example("l0/in.csv", (("", "a/l1"), ("a/", "../../outside"), ("", ".")))
@example("l0", (("", "{tmp}/outside/in.csv"), ("", "."), ("", ".")))
def test_b2_no_mix_of_links_and_dots_and_absolute_parts_opens_what_is_outside(
    name: str, links: tuple[tuple[str, str], ...]
) -> None:
    with TemporaryDirectory() as folder:
        tmp = Path(os.path.realpath(folder))
        rules, outside = tmp / "rules", tmp / "outside"
        written = yaml.safe_dump(name, width=9999).partition("\n")[0]
        content = {"rules/in.yaml": f"{RULE}  ids_file: {written}\n"}
        for inner in ("", "a/", "a/b/"):
            content |= {f"rules/{inner}in.csv": LIST, f"outside/{inner}in.csv": "kind,id\naccount,6\n"}
        write(tmp, content)
        for number, (inner, target) in enumerate(links):
            (rules / inner / f"l{number}").symlink_to(target.format(tmp=tmp) or ".")
        real = Path(os.path.realpath(rules / name))
        with nothing_is_opened_in(outside):
            try:
                found = list(RuleSet.load(rules / "in.yaml")["a"].accounts)
            except RuleSetError as error:
                found = []
                codes = {problem.code for problem in error.problems}
                inside = real.is_relative_to(rules) and not name.startswith("/")
                if not inside:
                    assert codes <= {"outside-rule-set", "unreadable-file", "bad-ids-file"}
        if found:
            assert found == [5]
            assert real.is_relative_to(rules)
