"""`withhold diff`: what it takes, git revisions above all, and what it exits with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest
from typer.testing import CliRunner

from withhold.cli.app import app

RULES = """\
rules:
  - id: in-1
    accounts: [17, 18]
    ids_file: ids.csv
    withheld_in: IN
    from: 2021-02-10T05:00:00Z
    reason: legal_demand
"""
CHANGED = RULES.replace("[17, 18]", "[17]")
LIFTED = "account 18: IN withheld → visible from 2021-02-10T05:00:00Z\n"
git_is_there = pytest.mark.skipif(shutil.which("git") is None, reason="git is not there")


def run(*arguments):
    return CliRunner().invoke(app, ["diff", *map(str, arguments)])


@pytest.fixture
def sides(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in (("old", RULES), ("new", CHANGED)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "in.yaml").write_text(text, encoding="utf-8")
        (tmp_path / name / "ids.csv").write_text("kind,id\ntweet,20\n", encoding="utf-8")
    return tmp_path


def _git(*arguments):
    name = {"GIT_AUTHOR_NAME": "n", "GIT_AUTHOR_EMAIL": "e", "GIT_COMMITTER_NAME": "n", "GIT_COMMITTER_EMAIL": "e"}
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *arguments], check=True, capture_output=True, env={**os.environ, **name, **alone})  # noqa: S607


@pytest.fixture
def repository(sides):
    """A repository with two commits on main; a tag `first`; in the work tree rules that cannot be read."""
    (sides / "old").rename(sides / "rules")
    _git("init", "--quiet", "--initial-branch=main", ".")
    (sides / "rules" / ".gitattributes").write_text("*.yaml export-ignore\n*.csv eol=crlf\n", encoding="utf-8")
    for name, text in (("first", RULES), ("origin/second", CHANGED)):
        (sides / "rules" / "in.yaml").write_text(text, encoding="utf-8")
        _git("add", "rules")
        _git("commit", "--quiet", "--message", name)
        _git("tag", name)
    (sides / "rules" / "in.yaml").write_text("rules: [", encoding="utf-8")
    return sides


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
def test_a_path_goes_before_a_revision_and_both_can_be_mixed(repository):
    found = run("first", "new")
    assert LIFTED in found.stdout
    assert found.stderr == ""
    (repository / "first").mkdir()
    (repository / "first" / "none.yaml").write_text("rules: []", encoding="utf-8")
    found = run("first", "new")
    assert "account 17: IN visible → withheld" in found.stdout
    note = "note: `first` is both a path, which is used, and a git revision; write `./first` or `first^0`"
    assert found.stderr.startswith(note)
    for name, differs in (("./first", "account 17: IN visible → withheld"), ("first^0", LIFTED)):
        found = run(name, "new")
        assert (differs in found.stdout, found.stderr) == (True, "")


@git_is_there
def test_a_revision_can_say_where_its_rules_are_for_itself(repository, monkeypatch):
    """So that rules can be compared that lay in another folder then."""
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
def test_a_revision_and_a_path_may_have_two_dots(repository):
    assert LIFTED in run("HEAD^{/f..st}", "main").output
    (repository / "first..main").mkdir()
    (repository / "first..main" / "none.yaml").write_text("rules: []", encoding="utf-8")
    assert "account 17: IN visible → withheld" in run("first..main", "main").output


@git_is_there
def test_what_a_branch_changes_is_told_without_what_others_have_changed(repository):
    """As the hint on `main...HEAD` says to do it, and with what is not committed."""
    _git("checkout", "--quiet", "--force", "-b", "branch", "first")
    (repository / "rules" / "in.yaml").write_text(RULES.replace("[17, 18]", "[17, 18, 19]"), encoding="utf-8")
    base = subprocess.run(["git", "merge-base", "main", "HEAD"], check=True, capture_output=True, text=True)  # noqa: S607
    for old, told in (
        ("main", "2 accounts (18, 19): IN visible → withheld"),
        (base.stdout.strip(), "account 19: IN visible"),
        (base.stdout.strip(), "1 account gets another outcome"),
    ):
        assert told in run(old, "rules").output


@git_is_there
def test_rules_of_a_revision_that_had_none_are_compared_with_none(repository):
    (repository / "none.yaml").write_text("rules: []\n", encoding="utf-8")
    assert "1 account and 1 tweet get another outcome" in run("none.yaml", "main").output


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


@git_is_there
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mian", "main"), "`mian` is neither a path nor a readable git revision: the repository has no"),
        (
            ("first", "first:new"),
            "`first` is a revision without `new` [no-rules-there]; name the folder that has its rules; if it has no rules",
        ),
        (
            ("mian:rules", "main"),
            "`mian` is neither a path nor a readable git revision: the repository has no",
        ),
        (("first", "first:../rules"), "is not in the repository"),
        (("first", ":rules"), "`:rules` is neither a path nor a readable git revision"),
        (("", "main"), "it is empty"),
        (("first", ""), "it is empty"),
        (("first", "m" * 300), "nor a readable git revision"),
        (
            ("first", "main", "--rules", "none"),
            "`first` is a revision without `none` [no-rules-there]; give the path",
        ),
        (
            ("first", "main", "--rules", "../elsewhere"),
            "`../elsewhere` is not in the repository [outside-repository]; ",
        ),
        (
            ("first..main",),
            "`first..main` is a range, not a revision [revision-range]; type `withhold diff first main`",
        ),
        (("first...", "new"), 'type `withhold diff "$(git merge-base first HEAD)" HEAD`'),
        (("first", "first..main~1:rules"), "type `withhold diff first 'main~1'`"),
        (("first",), "Missing argument 'NEW'"),
    ],
)
def test_what_is_no_side_is_a_usage_error(repository, arguments, said):
    found = run(*arguments)
    assert (found.exit_code, said in found.output) == (2, True), found.output


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("old", "old", "--exit-code"), 0),
        (("old", "new"), 0),
        (("old", "new", "--exit-code"), 1),
        (("old", "noted", "--exit-code"), 0),
        (("old", "noted", "--exit-code", "--audit"), 1),
        (("old", "new", "--exit-code", "--until", "2021-02-10T05:00:00Z"), 0),
        (("old", "new", "--exit-code", "--until", "2021-02-10T05:00:01Z"), 1),
        (("old", "new", "--from", "2021-02-10T05:00:00Z", "--until", "2021-02-10T05:00:00Z"), 2),
        (("old", "new", "--from", "yesterday"), 2),
        (("old", "new", "--at", "2021-02-10T05:00:00Z"), 2),
        (("old", "no-such-thing"), 2),
        (("old", "broken"), 4),
        (("broken", "new", "--format", "json"), 4),
        (("old", "new", "--traffic", "wrong.csv"), 2),
    ],
)
def test_what_it_exits_with(sides, arguments, status):
    shutil.copytree("old", "noted")
    (sides / "noted" / "in.yaml").write_text(f"{RULES}    note: seen\n", encoding="utf-8")
    (sides / "broken").mkdir()
    (sides / "broken" / "in.yaml").write_text(RULES.replace("IN", "IQN"), encoding="utf-8")
    (sides / "wrong.csv").write_text("tweet,account,country,count\n1,2,IN,x\n", encoding="utf-8")
    found = run(*arguments)
    assert found.exit_code == status, found.output
    if "wrong.csv" in arguments:
        assert "wrong.csv:2:8: count `x` is not a whole number [bad-count]" in found.output


def test_a_country_of_the_traffic_that_is_read_as_another_is_told_once_with_its_place(sides):
    (sides / "traffic.csv").write_text("tweet,account,country,count\n1,2,UK,3\n1,2,UK,4\n", encoding="utf-8")
    found = run("old", "new", "--traffic", "traffic.csv")
    assert found.stderr == "traffic.csv:2:5: warning: `UK` was read as `GB` [territory-alias]\n"


def test_a_policy_makes_a_difference(sides):
    assert "IN withheld → visible" in run("old", "new").output
    cautious = run("old", "new", "--unknown-location", "withhold").output
    assert "account 18: unknown location and IN withheld → visible" in cautious


def test_json_lists_every_id_as_text(sides):
    (sides / "new" / "ids.csv").write_text(
        "kind,id\n" + "tweet,1355667106821046272\n" + "tweet,7\n" * 9, encoding="utf-8"
    )
    answer = json.loads(run("old", "new", "--format", "json").stdout)
    assert answer["different"] is True
    ids = {(block["kind"], *block["ids"]) for block in answer["changes"]}
    assert ids == {("account", "18"), ("tweet", "7", "1355667106821046272"), ("tweet", "20")}


def test_of_many_differences_a_hundred_are_told_unless_all_are_asked_for(sides):
    rules = "".join(
        f"  - {{id: r{n}, accounts: [{n}], withheld_in: IN, reason: terms, from: 2021-01-01T00:{n // 60:02}:{n % 60:02}Z}}\n"
        for n in range(1, 151)
    )
    (sides / "many.yaml").write_text(f"rules:\n{rules}", encoding="utf-8")
    (sides / "none.yaml").write_text("rules: []\n", encoding="utf-8")
    told = run("none.yaml", "many.yaml").output
    assert "… and 50 more differences: --all lists every one" in told
    assert "account 101:" not in told
    assert "account 150:" in run("none.yaml", "many.yaml", "--all").output
    folded = run("none.yaml", "many.yaml", "--format", "markdown").output
    assert "- … and 50 more" in folded
