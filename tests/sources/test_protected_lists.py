"""Lists of protected accounts apply to all rules below them, up to the top of the repository."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sources.writing import FINE, reported, write
from withhold import RuleSet, RuleSetError
from withhold.sources import load_protected, protected_beside, protected_lists

posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no such files there")


def listing(*accounts: int, category: str = "journalist") -> str:
    entries = "".join(f"  - {{account: {account}, category: {category}}}\n" for account in accounts)
    return f"protected:\n{entries}" if entries else "protected: []\n"


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """A repository with lists at several levels, and one list above it."""
    write(
        tmp_path,
        {
            "protected.yaml": listing(1),
            "repo/.git/HEAD": "",
            "repo/protected.yaml": listing(2),
            "repo/rules/protected.yml": listing(3),
            "repo/rules/in/in.yaml": FINE,
            "repo/rules/in/deep/protected.yaml": listing(4),
            "repo/rules/pk/pk.yaml": FINE,
            "repo/rules/pk/protected.yaml": listing(5),
        },
    )
    return tmp_path


def accounts(path: Path, root: Path | None = None) -> list[int] | None:
    found = protected_beside(path, root)
    return None if found is None else sorted(each.account for each in found)


def test_b6_lists_are_looked_for_upwards_to_the_top_of_the_repository_and_united(there: Path) -> None:
    assert accounts(there / "repo") == [2, 3, 4, 5]
    assert accounts(there / "repo" / "rules") == [2, 3, 4, 5]
    assert accounts(there / "repo" / "rules" / "in") == [2, 3, 4]
    assert accounts(there / "repo" / "rules" / "in" / "in.yaml") == [2, 3], (
        "lists below the directory of a file do not apply"
    )
    assert accounts(there / "repo" / "rules" / "pk" / ".." / "in" / "in.yaml") == [2, 3]


def test_b6_where_they_are_is_the_same_from_everywhere(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for here, path in (
        ("repo/rules/in", "."),
        ("repo/rules/in", "in.yaml"),
        ("repo", "rules/in"),
        ("repo/rules/pk", "../in"),
    ):
        monkeypatch.chdir(there / here)
        assert {2, 3} <= set(accounts(Path(path)) or ()), (here, path)
        monkeypatch.chdir(there)


def test_b6_in_another_work_tree_git_is_a_file(there: Path) -> None:
    write(there, {"repo/rules/.git": "gitdir: elsewhere\n"})
    assert accounts(there / "repo" / "rules" / "in") == [3, 4]


@posix
def test_b6_a_link_named_git_ends_the_search_too(there: Path) -> None:
    (there / "repo" / "rules" / ".git").symlink_to("nowhere")
    assert accounts(there / "repo" / "rules" / "in") == [3, 4]


def test_b6_in_no_repository_the_search_ends_at_the_root(there: Path) -> None:
    (there / "repo" / ".git" / "HEAD").unlink()
    (there / "repo" / ".git").rmdir()
    rules = there / "repo" / "rules"
    assert accounts(rules / "in") == [4]
    assert accounts(rules / "in" / "in.yaml") is None
    assert accounts(rules / "in", rules) == [3, 4]
    assert accounts(rules / "in" / "in.yaml", there / "repo") == [2, 3]
    assert accounts(rules / "in", rules / "pk") == [4], "which is not above the rules"


def test_b6_a_list_without_entries_is_a_list(there: Path) -> None:
    write(there, {"repo/protected.yaml": listing(), "repo/rules/protected.yml": listing()})
    assert accounts(there / "repo" / "rules" / "in" / "in.yaml") == []


def test_b6_an_account_of_several_levels_is_protected_once(there: Path) -> None:
    write(there, {"repo/protected.yaml": listing(2, 3, category="activist")})
    found = protected_beside(there / "repo" / "rules" / "in")
    assert [(each.account, each.category.value) for each in sorted(found or (), key=lambda each: each.account)] == [
        (2, "activist"),
        (3, "journalist"),  # from the nearest list
        (4, "journalist"),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad-protected"),
        ("protected:\n", "bad-protected"),
        ("accounts: []\n", "unknown-key"),
        ("protected: [1]\n", "bad-protected"),
        ("protected: [\n", "bad-yaml"),
        (b"\xff", "not-utf-8"),
        ('protected: [{account: 1, category: journalist, name: "a\\eb"}]', "control-character"),
    ],
)
def test_b6_each_list_is_read_in_full_and_a_bad_one_is_an_error(there: Path, text: str | bytes, code: str) -> None:
    write(
        there,
        {"repo/protected.yaml": text, "repo/rules/protected.yml": "protected: [{account: x, category: activist}]"},
    )
    with pytest.raises(RuleSetError) as caught:
        protected_beside(there / "repo" / "rules" / "in" / "in.yaml")
    assert {code, "bad-id"} <= {problem.code for problem in caught.value.problems}


@posix
@pytest.mark.parametrize("kind", ["dangling", "pipe", "folder", "loop", "forbidden"])
@pytest.mark.parametrize("where", ["repo", "repo/rules/in", "repo/rules/in/deep"])
def test_b6_a_list_that_cannot_be_read_is_never_no_list(there: Path, kind: str, where: str) -> None:
    (there / "repo" / "rules" / "in" / "deep" / "protected.yaml").unlink()
    (there / "repo" / "protected.yaml").unlink()
    path = there / where / "protected.yaml"
    match kind:
        case "dangling":
            path.symlink_to("nowhere")
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "loop":
            path.symlink_to(path.name)
        case _:
            path.write_text(listing(1), encoding="utf-8")
            path.chmod(0)
            if os.access(path, os.R_OK):
                pytest.skip("root may read it")
    with pytest.raises(RuleSetError) as caught:
        protected_beside(there / "repo" / "rules" / "in")
    assert reported(caught.value, there) == [f"{where}/protected.yaml:1:1 unreadable-file"]


@posix
def test_b6_a_list_that_is_a_link_out_of_the_repository_is_refused_unopened(there: Path) -> None:
    path = there / "repo" / "rules" / "in" / "protected.yaml"
    for target in ("../../../protected.yaml", there / "protected.yaml", "/dev/null", "../../../none.yaml"):
        path.symlink_to(target)
        with pytest.raises(RuleSetError) as caught:
            protected_beside(there / "repo" / "rules" / "in" / "in.yaml")
        assert reported(caught.value, there) == ["repo/rules/in/protected.yaml:1:1 outside-rule-set"]
        path.unlink()
    path.symlink_to("../pk/protected.yaml")
    assert accounts(there / "repo" / "rules" / "in" / "in.yaml") == [2, 3, 5]


@posix
def test_b6_a_link_outside_of_a_repository_stays_in_its_root(there: Path) -> None:
    (there / "repo" / ".git" / "HEAD").unlink()
    (there / "repo" / ".git").rmdir()
    (there / "repo" / "rules" / "in" / "protected.yaml").symlink_to("../protected.yml")
    with pytest.raises(RuleSetError, match="outside-rule-set"):
        protected_beside(there / "repo" / "rules" / "in")
    assert accounts(there / "repo" / "rules" / "in", there / "repo" / "rules") == [3, 4]


@posix
def test_b6_from_a_link_both_ways_lead_up(there: Path) -> None:
    write(there, {"other/.git/HEAD": "", "other/protected.yaml": listing(7)})
    (there / "other" / "rules").symlink_to(there / "repo" / "rules" / "in")
    (there / "other" / "one.yaml").symlink_to(there / "repo" / "rules" / "in" / "in.yaml")
    assert accounts(there / "other" / "rules") == [2, 3, 4, 7]
    assert accounts(there / "other" / "rules" / "in.yaml") == [2, 3, 7]
    assert accounts(there / "other" / "one.yaml") == [2, 3, 7]


@posix
def test_links_in_circles_are_followed_once(there: Path) -> None:
    for name in "abcdefgh":
        (there / "repo" / "rules" / "in" / name).symlink_to(".")
        (there / "repo" / "rules" / "pk" / name).symlink_to("../in")
    assert accounts(there / "repo" / "rules") == [2, 3, 4, 5]


@posix
def test_b6_rules_behind_links_have_the_lists_around_their_real_places(there: Path) -> None:
    """For rules behind a link, the lists around their real place apply too."""
    repo = there / "repo"
    write(
        repo,
        {
            "orders/protected.yaml": listing(11),
            "orders/x/protected.yaml": listing(12),
            "orders/x/o.yaml": FINE.replace("id: a", "id: o"),
            "orders/y/deep/.git/HEAD": "",
            "orders/y/protected.yaml": listing(13),
            "orders/y/deep/y.yaml": FINE.replace("id: a", "id: y"),
            "orders/none/protected.yaml": listing(14),
        },
    )
    assert accounts(repo / "rules" / "pk", repo) == [2, 3, 5]
    link = repo / "rules" / "pk" / "link.yaml"
    link.symlink_to("../../orders/x/o.yaml")
    assert accounts(repo / "rules" / "pk", repo) == [2, 3, 5, 11, 12]
    link.unlink()
    link.symlink_to("../../orders/x")
    assert accounts(repo / "rules" / "pk", repo) == [2, 3, 5, 11, 12]
    link.unlink()
    (repo / "orders" / "z").symlink_to("x")
    link.symlink_to("../../orders/z/o.yaml")
    assert accounts(repo / "rules" / "pk", repo) == [2, 3, 5, 11, 12], "by a link to a link"
    (repo / "rules" / "pk" / "y.yaml").symlink_to("../../orders/y/deep/y.yaml")
    assert accounts(repo / "rules" / "pk", repo) == [2, 3, 5, 11, 12], "which is in another repository"
    assert accounts(repo / "rules" / "pk", there) == [2, 3, 5, 11, 12]


@posix
def test_b6_rules_behind_links_outside_of_a_repository_have_the_lists_up_to_the_root(there: Path) -> None:
    write(
        there,
        {"shared/protected.yaml": listing(21), "shared/x/in.yaml": FINE, "repo/rules/pk/.hidden/a/in.yaml": FINE},
    )
    write(
        there, {"repo/rules/pk/.hidden/protected.yaml": listing(22), "repo/rules/pk/.other/protected.yaml": listing(23)}
    )
    pk = there / "repo" / "rules" / "pk"
    (pk / "shared.yaml").symlink_to("../../../shared/x/in.yaml")
    assert accounts(pk, there) == [1, 2, 3, 5, 21], "the root is above the repository"
    (pk / "hidden.yaml").symlink_to(".hidden/a/in.yaml")
    assert accounts(pk, there) == [1, 2, 3, 5, 21, 22]
    (there / "repo" / ".git" / "HEAD").unlink()
    (there / "repo" / ".git").rmdir()
    (pk / "shared.yaml").unlink()
    assert accounts(pk) == [5, 22], "outside a repository, up to the loaded path"


@posix
def test_b6_rules_that_are_not_loaded_bring_no_lists(there: Path) -> None:
    write(there, {"shared/protected.yaml": listing(21), "shared/in.yaml": FINE})
    pk = there / "repo" / "rules" / "pk"
    (pk / "shared.yaml").symlink_to("../../../shared/in.yaml")
    assert accounts(pk) == [2, 3, 5]
    with pytest.raises(RuleSetError, match="outside-rule-set"):
        RuleSet.load(pk)


@posix
def test_b2_a_list_that_is_replaced_by_a_link_before_it_is_opened_is_not_read(
    there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(there, {"secret.yaml": "SECRET"})
    path = there / "repo" / "rules" / "in" / "protected.yaml"
    path.write_text(listing(6), encoding="utf-8")

    def swapping(function: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            if "protected.yaml" in str(arguments[0]) and not path.is_symlink():
                path.unlink()
                path.symlink_to(there / "secret.yaml")
            return function(*arguments, **named)

        return call

    for owner, name in ((os, "open"), (protected_lists, "read_protected")):
        monkeypatch.undo()
        path.unlink()
        path.write_text(listing(6), encoding="utf-8")
        monkeypatch.setattr(owner, name, swapping(getattr(owner, name)))
        with pytest.raises(RuleSetError) as caught:
            protected_beside(there / "repo" / "rules" / "in" / "in.yaml")
        assert path.is_symlink()
        assert "SECRET" not in str(caught.value)
        assert reported(caught.value, there) in (
            ["repo/rules/in/protected.yaml:1:1 outside-rule-set"],
            ["repo/rules/in/protected.yaml:1:1 unreadable-file"],  # a link is not followed
        )


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "n" * 300])
def test_b7_a_path_that_nothing_can_have_is_a_problem_with_a_place(tmp_path: Path, name: str) -> None:
    for path in (name, tmp_path / name):
        with pytest.raises(RuleSetError, match="unreadable-file"):
            load_protected(path)
        if len(name) < 300:
            with pytest.raises(RuleSetError, match="unreadable-file"):
                protected_beside(path)
            with pytest.raises(RuleSetError, match="unreadable-file"):
                protected_beside(tmp_path, path)
