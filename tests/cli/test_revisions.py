"""Commits may be hostile: reading one stays inside it, and gives its files as they were committed."""

from __future__ import annotations

import os
import shutil
import unicodedata
from pathlib import Path

import pytest

from tests.cli.repositories import (
    LIST,
    LISTED,
    NONE,
    RULES,
    WITHHELD,
    blob,
    commit,
    diff,
    enter_repository,
    file,
    folder,
    git,
    link,
    outcome,
    stored,
    tree,
)
from withhold.cli.git import _program
from withhold.cli.revisions import lay_out

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not there")


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch):
    return enter_repository(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "entries",
    [
        "link-and-folder",
        "twice",
        "file-and-folder",
        "case",
        "case-of-folders",
        "normal-form",
        "trailing-dot",
        "dots",
        "dot",
        "git",
        "Git",
        "git-short",
        "git-ignorable",
        "backslash",
        "slash",
        "drive",
        "colon",
        "newline",
        "escape",
        "direction",
        "empty",
        "mode",
        "blob-as-tree",
        "tree-as-blob",
        "folders-twice",
        "deep",
    ],
)
def test_b1_a_tree_that_could_be_confused_is_refused_and_nothing_is_written_outside(tmp_path, entries):
    fine = file("in.yaml")
    made = {
        "link-and-folder": lambda: [link("d", str(tmp_path / "outside")), folder("d", file("pwned.yaml")), fine],
        "twice": lambda: [fine, file("in.yaml", NONE)],
        "file-and-folder": lambda: [file("x", ""), folder("x", file("y.yaml")), fine],
        "case": lambda: [file("IN.yaml", NONE), fine],
        "case-of-folders": lambda: [folder("A", file("a.yaml")), folder("a", file("b.yaml", NONE))],
        "normal-form": lambda: [file("é.yaml"), file(unicodedata.normalize("NFD", "é.yaml"), NONE)],
        "trailing-dot": lambda: [fine, file("in.yaml.", NONE)],
        "dots": lambda: [folder("..", folder("outside", file("pwned.yaml"))), fine],
        "dot": lambda: [folder(".", file("pwned.yaml")), fine],
        "git": lambda: [folder(".git", file("config", "x")), fine],
        "Git": lambda: [folder(".GIT", file("config", "x")), fine],
        "git-short": lambda: [folder("git~1", file("config", "x")), fine],
        "git-ignorable": lambda: [folder(".g\u200cit", file("config", "x")), fine],
        "backslash": lambda: [file("..\\..\\outside\\pwned.yaml"), fine],
        "slash": lambda: [file("../../../outside/pwned.yaml"), fine],
        "drive": lambda: [file("C:pwned.yaml"), fine],
        "colon": lambda: [folder("a: b", file("pwned.yaml")), fine],
        "newline": lambda: [file("a\n::error::forged\nb.yaml"), fine],
        "escape": lambda: [file("a\x1b[31m.yaml"), fine],
        "direction": lambda: [file("a\u202eb.yaml"), fine],
        "empty": lambda: [file("", "x"), fine],
        "mode": lambda: [("10", "odd.yaml", blob(RULES)), fine],
        "blob-as-tree": lambda: [("40000", "d", blob(RULES)), fine],
        "tree-as-blob": lambda: [("100644", "d.yaml", tree(fine)), fine],
        "folders-twice": lambda: [folder("d", file("a.yaml")), folder("d", file("b.yaml", NONE))],
        "deep": lambda: [nested(file("x.yaml"), 1500), fine],
    }[entries]()
    (tmp_path / "outside").mkdir()
    code, printed = outcome(folder("rules", *made))
    assert code == 2, printed
    assert "[bad-tree]" in printed or "[damaged-tree]" in printed
    assert list((tmp_path / "outside").iterdir()) == []
    assert list((tmp_path / "temporary").iterdir()) == []
    # This applies only to the rules: the rest of the commit may contain anything.
    code, printed = outcome(folder("other", *made), folder("rules", fine))
    assert (code, WITHHELD in printed) == (0, True), printed


def nested(entry, levels):
    for _ in range(levels):
        entry = folder("d", entry)
    return entry


def test_b1_two_folders_of_rules_are_refused():
    for second in ("rules", "Rules"):
        code, printed = outcome(folder("rules", file("a.yaml")), folder(second, file("b.yaml", NONE)))
        assert (code, "[bad-tree]" in printed) == (2, True), printed


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/etc/passwd", "outside-rule-set"),
        ("../../../etc/passwd", "outside-rule-set"),
        ("../other/in.yaml", "outside-rule-set"),
        ("../other/nowhere.yaml", "outside-rule-set"),
        ("out/in.yaml", "outside-rule-set"),
        ("b.yaml/../../rules/../other/in.yaml", "outside-rule-set"),
        ("nowhere.yaml", "broken-link"),
        ("a.yaml", "broken-link"),
        ("n" * 300, "broken-link"),
        ("n" * 5000, "too-large"),
        ("", "broken-link"),
        ("b.yaml/x", "broken-link"),
        ("sub", "submodule"),
    ],
)
def test_b1_links_are_resolved_in_memory_and_inside_the_rules(tmp_path, target, code):
    entries = [link("a.yaml", target), file("b.yaml", NONE), ("160000", ".sub", "1" * 40)]
    if target == "sub":
        entries[0] = link("a.yaml", ".sub")
    if target.startswith("out"):
        entries.append(link("out", "../other"))
    status, printed = outcome(folder("other", file("in.yaml")), folder("rules", *entries))
    assert (status, f"[{code}]" in printed) == (2, True), printed
    # Links that are not read as rules may be broken.
    entries[0] = ("120000", ".a.md", entries[0][2])
    entries = [(mode, f".{name}" if name == "out" else name, oid) for mode, name, oid in entries]
    if code != "too-large":
        status, printed = outcome(folder("other", file("in.yaml")), folder("rules", *entries))
        assert status == 0, printed


def test_b1_links_to_files_and_folders_inside_are_read_as_what_they_lead_to(tmp_path):
    rules = folder(
        "rules",
        folder("2024", file("in.yaml", LISTED % "../lists.csv"), file("lists.csv", "x")),
        link("lists.csv", "../rules/./.hidden/../.hidden/real.csv"),
        folder(".hidden", file("real.csv", LIST), link("up", ".."), link("loop", "loop")),
        link("round", "../rules"),
    )
    code, printed = outcome(rules)
    assert (code, WITHHELD in printed) == (0, True), printed
    linked = folder("rules", link("now", ".2024"), folder(".2024", file("in.yaml")))
    code, printed = outcome(linked)
    assert (code, "rules/now/in.yaml:2:3" in printed) == (0, True), printed
    code, printed = outcome(linked, link("current", "rules"), rules="current")
    assert (code, "current/now/in.yaml:2:3" in printed) == (0, True), printed
    code, printed = outcome(linked, link("in.yaml", "rules/now/in.yaml"), rules="in.yaml")
    assert (code, "rules/.2024/in.yaml:2:3" in printed) == (0, True), printed


def test_b1_nothing_but_regular_files_is_written(tmp_path):
    made = folder(
        "rules", file("in.yaml"), ("100755", "run.yaml", blob(NONE)), ("100664", "old.yaml", blob(NONE)), link("l", ".")
    )
    oid = commit(tree(made))
    path, root = lay_out(oid, Path("rules"), None, tmp_path / "temporary")
    assert path == root
    assert {(found.name, found.is_symlink(), oct(found.stat().st_mode & 0o111)) for found in path.iterdir()} == {
        (name, False, "0o0") for name in ("in.yaml", "run.yaml", "old.yaml")
    }


def test_b1_folders_that_stand_for_billions_of_files_are_refused(monkeypatch):
    """Twelve levels, each with ten entries for the next one: as trees, and as links."""
    monkeypatch.setattr("withhold.cli.tree._MOST_FILES", 5000)
    inner = tree(file("in.yaml"))
    for _ in range(11):
        inner = tree(*(("40000", f"d{number}", inner) for number in range(10)))
    code, printed = outcome(("40000", "rules", inner))
    assert (code, "[too-large]" in printed) == (2, True), printed
    levels = [
        folder(f"{level}", *(link(f"l{number}", f"../{level + 1}") for number in range(10))) for level in range(11)
    ]
    code, printed = outcome(folder("rules", *levels, folder("11", file("in.yaml"))))
    assert (code, "[too-large]" in printed) == (2, True), printed


def test_b1_no_attribute_filter_or_configuration_applies(tmp_path):
    attributes = (
        "*.yaml export-ignore\n*.csv eol=crlf filter=evil diff=evil export-subst working-tree-encoding=UTF-16\n"
    )
    marker = tmp_path / "marker"
    for key in (
        "filter.evil.smudge",
        "diff.evil.textconv",
        "core.fsmonitor",
        "core.pager",
        "core.alternateRefsCommand",
    ):
        git("config", key, f"touch {marker}")
    git("config", "core.autocrlf", "true")
    code, printed = outcome(
        file(".gitattributes", attributes),
        folder("rules", file(".gitattributes", attributes), file("in.yaml", LISTED % "a.csv"), file("a.csv", LIST)),
    )
    assert (code, WITHHELD in printed) == (0, True), printed
    assert not marker.exists()


def test_b1_what_a_partial_clone_lacks_is_not_fetched_by_a_command_of_its_configuration(tmp_path, repository):
    marker = tmp_path / "marker"
    oid = commit(tree(folder("rules", ("100644", "in.yaml", "1" * 40))))
    for key, value in {
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "evil",
        "remote.evil.promisor": "true",
        "remote.evil.url": f"ext::touch {marker}",
        "protocol.ext.allow": "always",
    }.items():
        git("config", key, value)
    found = diff("none.yaml", oid)
    assert (found.exit_code, "[missing-object]" in found.output) == (2, True), found.output
    assert not marker.exists()


def test_b1_the_environment_and_replaced_objects_change_nothing(tmp_path, repository, monkeypatch):
    """A hook runs with variables set for its own repository."""
    oid = commit(tree(folder("rules", file("in.yaml"))))
    other = commit(tree(folder("rules", file("in.yaml", NONE))))
    git("replace", oid, other)
    git("init", "--quiet", "--bare", str(tmp_path / "other.git"))
    for name, value in {
        "GIT_DIR": str(tmp_path / "other.git"),
        "GIT_WORK_TREE": str(tmp_path),
        "GIT_OBJECT_DIRECTORY": str(tmp_path / "other.git" / "objects"),
        "GIT_INDEX_FILE": "nowhere",
        "GIT_ICASE_PATHSPECS": "1",
        "GIT_TRACE": str(tmp_path / "trace"),
    }.items():
        monkeypatch.setenv(name, value)
    found = diff("none.yaml", oid)
    assert (found.exit_code, WITHHELD in found.output) == (0, True), found.output
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("config", ["bare = true", "bare = false\nworktree = ..", "bare = false\nworktree = ."])
@pytest.mark.parametrize("option", ["safe.bareRepository", "none.none"])
def test_b1_a_repository_in_a_commit_does_not_answer_for_git(repository, monkeypatch, config, option):
    """Also with a git too old to know the option, which an unknown option simulates."""
    monkeypatch.setattr("withhold.cli.git._OPTIONS", ("-c", f"{option}=explicit"))
    oid = commit(tree(folder("rules", file("in.yaml"))))
    git("update-ref", "refs/heads/main", oid)
    planted = repository / "rules"
    git("init", "--quiet", "--bare", str(planted))
    (planted / "config").write_text(f"[core]\nrepositoryformatversion = 0\n{config}\n", encoding="utf-8")
    shutil.copytree(repository / ".git" / "objects", planted / "objects", dirs_exist_ok=True)
    other = stored("commit", f"tree {tree(folder('rules', file('in.yaml', NONE)))}\nauthor n <e> 1 +0\n\n".encode())
    shutil.copytree(repository / ".git" / "objects", planted / "objects", dirs_exist_ok=True)
    (planted / "refs" / "heads" / "main").write_text(f"{other}\n", encoding="utf-8")
    (planted / "main").mkdir()
    for inside in (planted, planted / "refs"):
        monkeypatch.chdir(inside)
        for side in ("main", "refs/heads/main", "HEAD"):
            found = diff(side, "main", "--rules", str(planted))
            assert (found.exit_code, found.stdout) == (2, ""), found.output
            assert ("safe.bareRepository" if option.startswith("safe") else "[planted-repository]") in found.output
    monkeypatch.chdir(repository)
    found = diff("none.yaml", "main")
    assert (found.exit_code, WITHHELD in found.output) == (0, True), found.output


def test_b1_a_repository_that_a_git_file_or_link_names_is_read(tmp_path, repository, monkeypatch):
    """In linked work trees and submodules, `.git` is a file."""
    git("update-ref", "refs/heads/main", commit(tree(folder("rules", file("in.yaml")), file("none.yaml", NONE))))
    git("worktree", "add", "--quiet", "--detach", str(tmp_path / "other"), "main")
    (tmp_path / "linked").mkdir()
    (repository / ".git").rename(tmp_path / "store")
    (tmp_path / "linked" / ".git").symlink_to("../store")
    (repository / ".git").write_text("gitdir: ../store\n", encoding="utf-8")
    git("worktree", "repair", str(tmp_path / "other"))
    for there in (repository, tmp_path / "linked", tmp_path / "other", tmp_path / "other" / "rules"):
        monkeypatch.chdir(there)
        found = diff("main:none.yaml", "main:rules")
        assert (found.exit_code, WITHHELD in found.output) == (0, True), found.output


def test_b1_grafts_change_nothing(repository):
    """They give a commit other parents, as replaced objects give it other content."""
    none = commit(tree(folder("rules", file("in.yaml", NONE))))
    by = "author n <e> 1 +0000\ncommitter n <e> 1 +0000\n\n"
    right, wrong = commit(tree(folder("rules", file("in.yaml")))), none
    child = stored("commit", f"tree {tree(folder('rules', file('in.yaml')))}\nparent {right}\n{by}".encode())
    (repository / ".git" / "info").mkdir(exist_ok=True)
    (repository / ".git" / "info" / "grafts").write_text(f"{child} {wrong}\n", encoding="utf-8")
    found = diff("none.yaml", f"{child}~1")
    assert (found.exit_code, WITHHELD in found.output, f"commit {right}" in found.output) == (0, True, True)


@pytest.mark.skipif(os.name != "posix", reason="programs are files with permissions")
@pytest.mark.parametrize("before", ["", ".", "bin", "./bin"])
def test_b1_git_is_not_looked_for_in_the_current_folder(repository, monkeypatch, before):
    oid = commit(tree(folder("rules", file("in.yaml"))))
    (repository / "bin").mkdir()
    for planted in (repository / "git", repository / "bin" / "git"):
        planted.write_text("#!/bin/sh\ntouch ran\n", encoding="utf-8")
        planted.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([before, os.environ["PATH"]]))
    found = diff("none.yaml", oid)
    assert (found.exit_code, WITHHELD in found.output) == (0, True), found.output
    assert not (repository / "ran").exists()
    monkeypatch.setenv("PATH", before)
    assert "git cannot be run" in diff("none.yaml", oid).output


def test_b1_on_windows_git_is_started_by_its_whole_path(monkeypatch):
    """Windows searches the current directory first for a program without a path."""
    monkeypatch.setattr("withhold.cli.git.sys.platform", "win32")
    monkeypatch.setattr("withhold.cli.git.os.get_exec_path", lambda: [".", "/Git/cmd", "here"])
    monkeypatch.setattr("withhold.cli.git.shutil.which", lambda path: path)
    assert _program() == "/Git/cmd/git.exe"


def test_b1_submodules_are_refused_where_rules_are_read_and_left_out_elsewhere():
    submodule = ("160000", "vendor", "1" * 40)
    fine = file("in.yaml")
    for entries in ([folder("rules", fine, submodule)], [("160000", "rules", "1" * 40)]):
        code, printed = outcome(*entries)
        assert (code, "is a submodule [submodule]" in printed) == (2, True), printed
    for root in (None, "."):
        code, printed = outcome(folder("rules", fine), submodule, root=root)
        assert (code, WITHHELD in printed) == (0, True), printed


def test_b1_a_missing_or_damaged_object_is_a_usage_error():
    for entry in (("100644", "in.yaml", "1" * 40), ("40000", "d", "1" * 40), ("120000", "l.yaml", "1" * 40)):
        code, printed = outcome(folder("rules", entry))
        assert (code, "[missing-object]" in printed) == (2, True), printed
    cut = stored("tree", b"100644 in.yaml\x001234")
    for broken in (cut, stored("tree", b"nonsense")):
        code, printed = outcome(("40000", "rules", broken))
        assert (code, "its tree is damaged [bad-tree]" in printed) == (2, True), printed


@pytest.mark.parametrize(
    "mode",
    [
        "-100644",
        "+100644",
        "0o100644",
        "1_00644",
        "7" * 23,
        "1006440",
        "0100644",
        "644",
        "",
        "100648",
        "١00644",
        "100644\t",
    ],
)
def test_b1_a_mode_that_is_not_five_or_six_octal_digits_is_refused(mode):
    code, printed = outcome(folder("rules", (mode, "in.yaml", blob(RULES))))
    assert (code, "its tree is damaged [bad-tree]" in printed) == (2, True), printed
    code, printed = outcome((mode, "other", blob(RULES)), folder("rules", file("in.yaml")))
    assert (code, "its tree is damaged [bad-tree]" in printed) == (2, True), printed


@pytest.mark.parametrize("mode", ["100000", "100777", "100664"])
def test_b1_any_permissions_of_a_file_are_read(mode):
    code, printed = outcome(folder("rules", (mode, "in.yaml", blob(RULES))))
    assert (code, WITHHELD in printed) == (0, True), printed


def test_b1_a_revision_with_a_long_name_has_places_all_the_same():
    git("update-ref", "HEAD", commit(tree(folder("rules", file("in.yaml")))))
    found = diff("none.yaml", "HEAD" + "^0" * 150)
    assert (found.exit_code, WITHHELD in found.output) == (0, True), found.output
