"""`withhold diff`: the sides that it accepts, above all git revisions, and its exit statuses."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter

import pytest
from typer.testing import CliRunner

from tests.cli.diff_material import CHANGED, RULES, _git, git_is_there, run
from tests.cli.diff_material import repository as repository
from tests.cli.diff_material import sides as sides
from withhold.cli.app import app
from withhold.cli.git import RevisionError
from withhold.cli.revisions import is_path

LIFTED = "account 18: IN withheld → visible from 2021-02-10T05:00:00Z\n"


def _said(*arguments):
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()  # noqa: S607


def _make_ambiguous():
    """Create many objects, and return a prefix that the ids of two of them share."""
    lines = "".join(f"blob\ndata {len(str(number))}\n{number}\n" for number in range(2_000))
    subprocess.run(["git", "fast-import", "--quiet"], input=lines, check=True, text=True)  # noqa: S607
    listed = _said("cat-file", "--batch-all-objects", "--batch-check").splitlines()
    return Counter(line[:4] for line in listed).most_common(1)[0][0]


def test_files_directories_and_snapshots(sides):
    CliRunner().invoke(app, ["compile", "new", "-o", "new.wh"])
    for pair in (("old", "new"), ("old/in.yaml", "new"), ("old", "new.wh")):
        found = run(*pair)
        assert found.exit_code == 0
        assert LIFTED in found.output
    assert LIFTED not in run("new", "new.wh").output


@git_is_there
def test_revisions_are_read_without_the_work_tree(repository):
    before = sorted((path, path.stat().st_mtime_ns) for path in repository.rglob("*") if ".git/" not in str(path))
    for pair in (("first", "main"), ("main~1", "HEAD"), ("first", "origin/second")):
        found = run(*pair)
        assert found.exit_code == 0, found.output
        assert f"{LIFTED}  no longer names these: in-1 ({pair[0]}:rules/in.yaml:2:5)\n" in found.output
    assert before == sorted(
        (path, path.stat().st_mtime_ns) for path in repository.rglob("*") if ".git/" not in str(path)
    )


@git_is_there
def test_b1_a_path_that_may_be_a_revision_too_is_refused_in_every_form(repository):
    """A commit can contain a directory with any name, which must not be compared instead of the intended revision."""
    head = _said("rev-parse", "HEAD")
    # An ambiguous short id: it exists, but git cannot resolve it.
    short = _make_ambiguous()
    assert LIFTED in run("first", "new").stdout
    names = ["first", "main", "HEAD", "@", "origin/second", "refs/heads/main", "heads/main", head, head[:7], short]
    names += ["HEAD^{/second}", "main~1", "HEAD^0", "main@{0}", "main^{tree}", f"v1-1-g{head[:8]}", ":first", "main~99"]
    names += [
        "main@{99}",
        "first..main",
        "first...main",
        "main..",
        "main:rules",
        "main:nowhere",
        "main:",
        ":rules/in.yaml",
    ]
    for name in names:
        there = repository.joinpath(name)
        there.mkdir(parents=True)
        (there / "none.yaml").write_text("rules: []", encoding="utf-8")
        with pytest.raises(RevisionError, match="is a path, and may be a git revision too") as refused:
            is_path(name)
        assert f"[path-or-revision]; write `./{name}` for the path" in str(refused.value)
        assert is_path(f"./{name}")
        if name in ("first", "main:rules", "first..main"):
            for pair in ((name, "new"), ("new", name)):
                found = run(*pair)
                assert (found.exit_code, found.stdout) == (2, ""), name
                assert "[path-or-revision]" in found.stderr
            assert "account 17: IN visible → withheld" in run(f"./{name}", "new").stdout
        shutil.rmtree(repository / name.split("/")[0])
    assert LIFTED in run("first", "new").stdout


@git_is_there
def test_b1_what_to_type_for_a_revision_names_no_file(repository):
    head, first = _said("rev-parse", "HEAD"), _said("rev-parse", "first")
    for name, there, hint in (
        ("first", [], "first^0"),
        ("first", ["first^0"], first),
        ("first", ["first^0", first], f"{first}^0"),
        ("first:rules", [], "first^0:rules"),
        ("first:rules", ["first^0:rules"], f"{first}:rules"),
        (head, [], f"{head}^0"),
    ):
        for made in (name, *there):
            (repository / made).mkdir()
        found = run(name, "new")
        assert (found.exit_code, f"for the path, or `{hint}` for the revision" in found.stderr) == (2, True), (
            found.output
        )
        reported = run(hint, "new", "--rules", "rules")
        assert reported.exit_code == 0, reported.output
        for made in (name, *there):
            (repository / made).rmdir()


@git_is_there
def test_b1_what_git_does_not_know_is_a_path(repository, monkeypatch):
    for name in ("new", "new/in.yaml", "new/", "a b", "a..b", "new:old", "x~1", "x^2", "..new", "first..new", "x-g"):
        if name.split("/")[0] != "new":
            shutil.copytree("new", name)
        assert run(name, "new").exit_code == 0, name
    monkeypatch.chdir(repository / "new")
    assert run("..", "../new").exit_code == 4, "the whole directory, which contains unreadable rules"


@git_is_there
def test_b1_a_path_that_begins_with_a_dot_is_never_a_revision(repository):
    """Git resolves any text that ends in `-g` and an id."""
    found = run(f"./x-g{_said('rev-parse', '--short', 'HEAD')}", "new")
    assert (found.exit_code, "is a path, but does not exist [no-such-path]" in found.stderr) == (2, True), found.output


@git_is_there
def test_b1_where_git_cannot_be_asked_a_name_is_not_believed(repository, monkeypatch):
    (repository / "main").mkdir()
    (repository / ".git" / "HEAD").write_text("broken", encoding="utf-8")
    found = run("main", "new")
    assert (found.exit_code, "git cannot determine whether it is a revision too" in found.stderr) == (2, True), (
        found.output
    )
    assert "write `./main` for the path" in found.stderr
    (repository / "bin").mkdir()
    monkeypatch.setenv("PATH", str(repository / "bin"))  # without git, it cannot be a revision
    assert run("new", "new").exit_code == 0


@git_is_there
@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_b1_the_report_states_what_each_side_was(repository, form):
    oid = _said("rev-parse", "main~1")
    found = run("first:rules", "new", "--format", form)
    assert found.exit_code == 0
    if form == "json":
        answer = json.loads(found.stdout)
        assert (answer["old"]["source"], answer["new"]["source"]) == (f"commit {oid}", "path")
    elif form == "text":
        assert found.stdout.startswith(f"first:rules (commit {oid}, revision ")
        assert " → new (path, revision " in found.stdout
    else:
        assert f"\nOLD: commit {oid}, revision " in found.stdout
        assert ". NEW: path, revision " in found.stdout


@git_is_there
def test_b1_a_name_that_git_finds_ambiguous_is_refused(repository):
    """If a branch and a tag have the same name, git chooses the tag, with a warning that is easily missed."""
    _git("config", "core.warnAmbiguousRefs", "false")
    _git("branch", "origin/second", "first")
    _git("branch", "other", "main")
    for given in ("origin/second", "origin/second~0", "origin/second:rules", "origin/second^0"):
        found = run("other", given)
        assert (found.exit_code, found.stdout) == (2, ""), found.output
        assert "`origin/second` is ambiguous in this repository [ambiguous-revision]; write it in full" in (
            found.stderr
        )
    for given in ("refs/tags/origin/second", "refs/heads/origin/second", _said("rev-parse", "main")):
        assert run("other", given).exit_code == 0
    (repository / "origin" / "second").mkdir(parents=True)
    found = run("other", "origin/second")
    assert (found.exit_code, "[path-or-revision]" in found.stderr) == (2, True), found.output


@git_is_there
def test_a_revision_can_say_where_its_rules_are_for_itself(repository, monkeypatch):
    """So rules that were in another directory in that revision can be compared."""
    _git("checkout", "--quiet", "--force", "main")
    _git("mv", "rules", "orders: all")
    _git("commit", "--quiet", "--message", "moved: to orders")
    for now in ("main:orders: all", "HEAD^{/moved: to}:orders: all/", "main:./orders: all"):
        found = run("first:rules", now)
        assert (found.exit_code, found.stderr) == (0, ""), found.output
        assert f"{LIFTED}  no longer names these: in-1 (first:rules/in.yaml:2:5)\n" in found.stdout
    _git("mv", "orders: all/in.yaml", "orders: all/ids.csv", ".")
    _git("commit", "--quiet", "--message", "moved to the top")
    assert LIFTED in run("first:rules", "main:").stdout
    monkeypatch.chdir(repository / "new")
    for there in ("first:rules", "first:../rules", "first:./../rules"):
        assert LIFTED in run(there, ".", "--rules", "nowhere").stdout


@git_is_there
def test_a_revision_may_have_two_dots(repository):
    assert LIFTED in run("HEAD^{/f..st}", "main").output


@git_is_there
def test_what_a_branch_changes_is_told_without_what_others_have_changed(repository):
    """As the hint for `main...HEAD` recommends, and including uncommitted changes."""
    _git("checkout", "--quiet", "--force", "-b", "branch", "first")
    (repository / "rules" / "in.yaml").write_text(RULES.replace("[17, 18]", "[17, 18, 19]"), encoding="utf-8")
    base = subprocess.run(["git", "merge-base", "main", "HEAD"], check=True, capture_output=True, text=True)  # noqa: S607
    for old, reported in (
        ("main", "2 accounts (18, 19): IN visible → withheld"),
        (base.stdout.strip(), "account 19: IN visible"),
        (base.stdout.strip(), "1 account gets a different outcome"),
    ):
        assert reported in run(old, "rules").output


@git_is_there
def test_rules_of_a_revision_that_had_none_are_compared_with_none(repository):
    (repository / "none.yaml").write_text("rules: []\n", encoding="utf-8")
    assert "1 account and 1 tweet get a different outcome" in run("none.yaml", "main").output


@git_is_there
@pytest.mark.parametrize(
    ("folder", "where"), [(".", "rules"), ("rules", "."), ("new", "../rules"), (".", "rules/in.yaml")]
)
def test_where_the_rules_are_is_seen_from_the_current_folder(repository, monkeypatch, folder, where):
    monkeypatch.chdir(repository / folder)
    found = run("first", "main", "--rules", where)
    assert LIFTED in found.output


@git_is_there
def test_problems_of_a_revision_have_its_places(repository):
    _git("add", "rules")
    _git("commit", "--quiet", "--message", "broken")
    found = run("first", "HEAD")
    assert found.exit_code == 4
    assert "HEAD:rules/in.yaml:" in found.output


@git_is_there
def test_links_are_followed_inside_and_not_out_of_the_rules(repository):
    (repository / "rules" / "in.yaml").write_text(CHANGED.replace("ids.csv", "link.csv"), encoding="utf-8")
    (repository / "rules" / "link.csv").symlink_to("ids.csv")
    _git("add", "rules")
    _git("commit", "--quiet", "--message", "linked")
    assert LIFTED in run("first", "main").output
    (repository / "rules" / "link.csv").unlink()
    (repository / "rules" / "link.csv").symlink_to("../new/ids.csv")
    _git("add", "rules")
    _git("commit", "--quiet", "--message", "linked elsewhere")
    found = run("first", "main")
    assert (found.exit_code, "`rules/link.csv` is a link to a path outside `rules`" in found.output) == (2, True)
