"""`withhold diff`: what it prints, and its exit status."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from tests.cli.diff_material import RULES, git_is_there, run
from tests.cli.diff_material import repository as repository
from tests.cli.diff_material import sides as sides
from withhold import RuleSet


@git_is_there
@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (("mian", "main"), "`mian` is neither a path nor a readable git revision: the repository has no"),
        (
            ("first", "first:new"),
            "`first` is a revision without `new` [no-rules-there]; name the directory that contains its rules; if it has no rules",
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
def test_what_is_no_side_is_a_usage_error(repository, arguments, printed):
    found = run(*arguments)
    assert (found.exit_code, printed in found.output) == (2, True), found.output


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


def test_e3_every_format_has_both_revisions(sides):
    both = [RuleSet.load(side).revision for side in ("old", "new")]
    assert both[0] != both[1]
    for form in ("text", "json", "markdown"):
        printed = run("old", "new", "--format", form).output
        assert re.findall(f"{both[0]}|{both[1]}", printed)[:2] == both


def test_of_many_differences_a_hundred_are_told_unless_all_are_asked_for(sides):
    rules = "".join(
        f"  - {{id: r{n}, accounts: [{n}], withheld_in: IN, reason: terms, from: 2021-01-01T00:{n // 60:02}:{n % 60:02}Z}}\n"
        for n in range(1, 151)
    )
    (sides / "many.yaml").write_text(f"rules:\n{rules}", encoding="utf-8")
    (sides / "none.yaml").write_text("rules: []\n", encoding="utf-8")
    reported = run("none.yaml", "many.yaml").output
    assert "… and 50 more differences: --all lists every one" in reported
    assert "account 101:" not in reported
    assert "account 150:" in run("none.yaml", "many.yaml", "--all").output
    folded = run("none.yaml", "many.yaml", "--format", "markdown").output
    assert "- … and 50 more" in folded
