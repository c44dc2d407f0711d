"""`withhold test`: its exit statuses, and where it writes its output."""

from __future__ import annotations

import json
import re
import textwrap
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from tests.testing.material import CASE, FINE, RULES, write
from withhold import Rule, RuleSet, Snapshot
from withhold.cli.app import app

FAILING = FINE + CASE.replace("withholds it", "shows it").replace("IN: withheld", "IN: visible")
#: Cases that notice every change of the rule.
THOROUGH = (
    FINE.replace("US: visible", "US: visible, unknown: visible")
    + CASE.replace("withholds it", "before")
    .replace("10T00:00:00Z", "09T23:59:59Z")
    .replace("IN: withheld", "IN: visible")
    + CASE.replace("withholds it", "a year later").replace("2021", "2022")
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments, **files):
        write(tmp_path, rules=RULES, **files)
        return CliRunner().invoke(app, ["test", *arguments])

    return run


@pytest.mark.parametrize(
    ("text", "arguments", "status"),
    [
        (FINE, [], 0),
        (FINE, ["all.cases.yaml"], 0),
        (FAILING, [], 1),
        (FAILING, ["--format", "json"], 1),
        (FAILING, ["--format", "junit"], 1),
        (FINE, ["nowhere"], 2),
        (FINE, ["--format", "yaml"], 2),
        (FINE, ["--fail-under", "101"], 2),
        (FINE.replace("17", "x"), [], 4),
        (FINE.replace("17", "x"), ["--format", "json"], 4),
        (FINE, ["rules.yaml"], 4),
        (FINE, ["--coverage"], 0),
        (FINE, ["--fail-under", "60"], 0),
        (FINE, ["--fail-under", "60.1"], 1),
        (FINE, ["--mutate"], 0),
        (FINE, ["--mutation-threshold", "60"], 0),
        (FINE, ["--mutation-threshold", "61"], 1),
        (THOROUGH, ["--fail-under", "100", "--mutation-threshold", "100"], 0),
    ],
)
def test_what_it_exits_with(run, text, arguments, status):
    found = run(*arguments, all=text)
    assert found.exit_code == status, found.output


def test_a_refused_rule_set_is_told_by_its_place(run, tmp_path):
    write(tmp_path, all=FINE.replace("rules.yaml", "bad.cases.yaml"), bad="rules: []\ncases: 1\n")
    (tmp_path / "r.yaml").write_text(RULES.replace("IN", "DR"), encoding="utf-8")
    found = run(all=FINE.replace("rules.yaml", "r.yaml"), bad=FINE)
    assert found.exit_code == 4
    assert "r.yaml:4:18: unknown country `DR` [unknown-territory]" in found.stderr
    assert found.stdout == ""


def test_what_was_read_with_a_warning_is_told_once_however_many_files_are_about_it(run, tmp_path):
    (tmp_path / "uk.yaml").write_text(RULES.replace("IN", "[IN, UK]"), encoding="utf-8")
    text = FINE.replace("rules.yaml", "uk.yaml")
    found = run(a=text, b=text.replace("US", "EL"))
    assert found.exit_code == 0
    assert found.stderr.splitlines() == [
        "uk.yaml:4:23: warning: `UK` was read as `GB` [territory-alias]",
        "b.cases.yaml:6:28: warning: `EL` was read as `GR` [territory-alias]",
    ]


def test_problems_as_json(run):
    answer = json.loads(run("--format", "json", all=FINE.replace("17", "x")).stdout)
    assert (answer["valid"], [problem["code"] for problem in answer["problems"]]) == (False, ["bad-id"])


def test_problems_as_junit_are_errors_and_stand_in_the_file_that_is_asked_for(run, tmp_path):
    printed = ET.fromstring(run("--format", "junit", all=FINE.replace("17", "x")).stdout)  # noqa: S314  # our own
    assert printed.attrib["errors"] == "1"
    (error,) = printed.iter("error")
    assert "[bad-id]" in error.attrib["message"]
    for form in ("junit", "json"):
        found = run("--format", form, "--output", str(tmp_path / form), all=FINE.replace("17", "x"))
        assert (found.exit_code, found.stdout) == (4, "")
        assert "[bad-id]" in found.stderr
        assert "bad-id" in (tmp_path / form).read_text(encoding="utf-8")


def test_the_report_as_json(run):
    answer = json.loads(run("--format", "json", "--coverage", "--mutate", all=FINE).stdout)
    assert (answer["cases"], answer["failed"]) == (1, 0)
    (case,) = answer["files"][0]["cases"]
    assert [(found["viewer"], found["got"], found["rule_id"]) for found in case["answers"]] == [
        ("IN", "withheld", "in-1"),
        ("US", "visible", None),
    ]
    (rule,) = answer["coverage"]["rules"]
    assert (rule["rule_id"], rule["place"], rule["speaks"]) == ("in-1", "rules.yaml:2:5", True)
    assert rule["untried"] == ["a viewer who may be inside", "before it begins"]
    mutation = answer["mutation"]
    assert mutation["changes"] == mutation["noticed"] + len(mutation["survivors"])
    assert {found["file"] for found in mutation["suggestions"]} == {"all.cases.yaml"}


@pytest.mark.parametrize("named", ["in the file", "by the option", "not at all"])
def test_e2_rules_are_measured_where_a_root_is_named_too(run, tmp_path, named):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "b.yaml").write_text(RULES, encoding="utf-8")
    root = "root: .\n" if named == "in the file" else ""
    arguments = ["--root", "."] if named == "by the option" else []
    text = root + FINE.replace("rules.yaml", "rules")
    found = run("all.cases.yaml", "--coverage", "--mutate", *arguments, all=text)
    assert "coverage: 60% (3 of 5) of the sides were tried\n" in found.stdout
    assert "  rules/b.yaml:2:5: in-1: 1 case; not tried: " in found.stdout
    assert re.search(r"^mutation: \d+% \(6 of 10\) of the changes", found.stdout, re.MULTILINE)
    for threshold in ("--fail-under", "--mutation-threshold"):
        assert run("all.cases.yaml", threshold, "99", *arguments, all=text).exit_code == 1


def test_e2_a_share_of_nothing_meets_no_threshold_while_there_are_rules(run, tmp_path):
    stayed = RULES + "    stays: [{from: 2021-02-10T00:00:00Z}]\n"
    (tmp_path / "stayed.yaml").write_text(stayed, encoding="utf-8")
    text = FINE.replace("rules.yaml", "stayed.yaml").replace("withheld", "visible")
    found = run("all.cases.yaml", "--fail-under", "1", "--format", "json", all=text)
    assert (found.exit_code, json.loads(found.stdout)["fine"]) == (1, False)
    assert "coverage: none (0 of 0) is less than the required 1%" in found.stderr
    assert run("all.cases.yaml", "--fail-under", "0", all=text).exit_code == 0
    (tmp_path / "empty.yaml").write_text("rules: []\n", encoding="utf-8")
    text = FINE.replace("rules.yaml", "empty.yaml").replace("withheld", "visible")
    assert run("empty.cases.yaml", "--fail-under", "100", "--mutation-threshold", "100", empty=text).exit_code == 0


def test_a_rule_that_is_never_in_force_leaves_nothing_to_try(run, tmp_path):
    stayed = RULES.replace("in-1", "in-2") + "    stays: [{from: 2021-02-10T00:00:00Z}]\n"
    (tmp_path / "both.yaml").write_text(RULES + stayed.removeprefix("rules:\n"), encoding="utf-8")
    found = run("all.cases.yaml", "--fail-under", "100", all=THOROUGH.replace("rules.yaml", "both.yaml"))
    assert "both.yaml:7:5: in-2: never in force, nothing to try\n" in found.stdout
    assert found.exit_code == 0


def test_a_failure_in_json_is_explained(run):
    answer = json.loads(run("--format", "json", all=FAILING).stdout)
    wrong, right = answer["files"][0]["cases"][1]["answers"]
    assert (wrong["expected"], wrong["got"], right["explanation"]) == ("visible", "withheld", None)
    assert wrong["explanation"]["rules"][0]["state"] == "applies"


def test_junit_is_xml_whatever_a_rule_says(run, tmp_path):
    (tmp_path / "noted.yaml").write_text(RULES + '    note: "rings a \\uFFFE <bell>"\n', encoding="utf-8")
    found = run("--format", "junit", all=FAILING.replace("rules.yaml", "noted.yaml"))
    suite = ET.fromstring(found.stdout)[0]  # noqa: S314
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("all.cases.yaml", "2", "1")
    passed, failed = suite
    assert (passed.get("name"), len(passed)) == ("withholds it", 0)
    assert failed[0].get("message") == "IN: expected visible, got withheld"
    assert "rings a \\ufffe <bell>" in str(failed[0].text)


def test_e3_junit_has_a_failure_for_each_threshold_that_is_not_met(run):
    """Otherwise a CI system that reads the file would report success."""
    arguments = ["--fail-under", "90", "--mutation-threshold", "90", "--format", "junit"]
    for text, expected in ((FINE, ["coverage", "mutation"]), (THOROUGH, [])):
        found = run(*arguments, all=text)
        root = ET.fromstring(found.stdout)  # noqa: S314
        failed = [case for case in root.iter("testcase") if case.find("failure") is not None]
        assert [case.get("name") for case in failed] == expected
        assert (found.exit_code == 1) is bool(expected)
        assert root.get("failures") == str(len(expected))
        assert root.get("tests") == str(len([*root.iter("testcase")]))
        for case in failed:
            (failure,) = case
            assert f"{case.get('name')}: {failure.get('message')}\n" in found.stderr
            assert "is less than the required 90%" in str(failure.get("message"))


def test_a_file_takes_the_report_and_text_is_still_printed(run, tmp_path):
    found = run("--format", "junit", "--output", "junit.xml", all=FINE)
    assert found.stdout == "all.cases.yaml: 1 case\n1 case in 1 file: all passed\n"
    assert ET.fromstring((tmp_path / "junit.xml").read_text(encoding="utf-8")).get("tests") == "1"  # noqa: S314
    run("--output", "report.txt", all=FINE)
    assert (tmp_path / "report.txt").read_text(encoding="utf-8") == found.stdout
    assert run("--output", "no/such/folder", all=FINE).exit_code == 1


def test_rules_are_not_changed_while_cases_fail(run):
    found = run("--mutate", all=FAILING)
    assert found.exit_code == 1
    assert "all cases must pass first" in found.stderr
    assert "mutation:" not in found.stdout


def test_the_rules_can_be_a_snapshot(run, tmp_path):
    """Rules of two snapshots with the same places are counted separately.

    Rules may also have been created in Python.
    """
    for name, text in (("old", RULES.replace("IN", "PK")), ("new", RULES)):
        write(tmp_path, rules=text)
        Snapshot.compile(RuleSet.load("rules.yaml")).save(f"{name}.wh")
    Snapshot.compile(RuleSet([Rule(id="a", accounts=[17], withheld_in=["IN"], reason="terms")])).save("made.wh")
    files = {name: FINE.replace("rules.yaml", f"{name}.wh") for name in ("old", "new", "made")}
    files["old"] = files["old"].replace("IN", "PK")
    found = run("--coverage", "--mutate", **files)
    assert found.exit_code == 0, found.output
    lines = found.stdout.splitlines()
    assert "3 cases in 3 files: all passed" in lines
    assert sum(line.startswith("  rules.yaml:2:5: in-1: 1 case") for line in lines) == 2
    assert "  a: 1 case; not tried: a viewer who may be inside" in lines
    assert "  rules.yaml:2:5: not noticed: in-1 with `if_unknown: withhold`" in lines
    assert "  not noticed: a with `if_unknown: withhold`" in lines
    survivors = json.loads(run("--mutate", "--format", "json", **files).stdout)["mutation"]["survivors"]
    assert {survivor["place"] for survivor in survivors} == {"rules.yaml:2:5", None}


def test_a_rule_that_no_case_asks_about_is_one_line_and_counts_with_all_its_changes(run, tmp_path):
    more = RULES.replace("in-1", "in-2").replace("[17]", "[18, 19]").partition("\n")[2]
    (tmp_path / "more.yaml").write_text(RULES + more, encoding="utf-8")
    text = THOROUGH.replace("rules.yaml", "more.yaml")
    found = run("all.cases.yaml", "--mutate", all=text)
    assert "mutation: 45% (10 of 22) of the changes were noticed; 1 more had no effect\n" in found.stdout
    assert "  more.yaml:7:5: no case concerns it: in-2 (12 changes)\n" in found.stdout
    assert found.stdout.count("in-2") == 2, "there, and in the suggestions"
    assert run("all.cases.yaml", "--mutation-threshold", "46", all=text).exit_code == 1
    mutation = json.loads(run("all.cases.yaml", "--mutate", "--format", "json", all=text).stdout)["mutation"]
    assert (mutation["changes"], mutation["noticed"], mutation["survivors"]) == (22, 10, [])
    assert mutation["untested"] == [{"rule_id": "in-2", "place": "more.yaml:7:5", "changes": 12}]


def test_a_file_that_only_begins_as_a_snapshot_is_refused(run, tmp_path):
    (tmp_path / "rules.wh").write_bytes(b"WITHHOLD and no more")
    found = run(all=FINE.replace("rules.yaml", "rules.wh"))
    assert found.exit_code == 4
    assert "rules.wh: " in found.stderr
    assert "[not-a-snapshot]" in found.stderr


def test_what_is_suggested_in_json_has_ids_as_text_and_is_a_case_as_it_is(run, tmp_path):
    (tmp_path / "large.yaml").write_text(RULES.replace("[17]", "[17, 1355667106821046273]"), encoding="utf-8")
    text = THOROUGH.replace("rules.yaml", "large.yaml")
    (suggestion,) = json.loads(run("all.cases.yaml", "--mutate", "--format", "json", all=text).stdout)["mutation"][
        "suggestions"
    ]
    assert suggestion["case"]["account"] == "1355667106821046273"
    text += f"  - {json.dumps(suggestion['case'])}\n"
    assert run("all.cases.yaml", "--mutation-threshold", "100", all=text).exit_code == 0


@pytest.mark.parametrize("indent", ["", "  ", "     "])
def test_what_is_suggested_can_be_pasted_until_nothing_is(run, indent):
    text = "rules: rules.yaml\ncases:\n" + textwrap.indent(textwrap.dedent(CASE), indent)
    for _ in range(3):
        found = run("--mutate", all=text).stdout
        text += found.partition("if this behaviour is intended:\n")[2]
    assert "mutation: 100%" in found
    assert run("--mutation-threshold", "100", all=text).exit_code == 0


def test_a_rule_file_that_no_case_file_is_about_is_told_and_counts_as_never_tried(run, tmp_path):
    (tmp_path / "bad.yaml").write_text(RULES.replace("in-1", "bad-1"), encoding="utf-8")
    (tmp_path / "groups.yaml").write_text("groups: {near: [IN, PK]}\n", encoding="utf-8")
    (tmp_path / "package.json").write_text('{"name": "of another tool"}', encoding="utf-8")
    assert run("--fail-under", "100", "--mutation-threshold", "100", all=THOROUGH).exit_code == 1
    assert run("--mutation-threshold", "100", all=THOROUGH).exit_code == 1
    found = run("--coverage", "--mutate", all=THOROUGH)
    assert "no case file tests it: bad.yaml\ncoverage: 50% (5 of 10)" in found.stdout
    assert "bad.yaml:2:5: bad-1: it decided no case" in found.stdout
    assert "bad.yaml:2:5: no case concerns it: bad-1 (10 changes)" in found.stdout
    assert json.loads(run("--coverage", "--format", "json", all=THOROUGH).stdout)["uncovered"] == ["bad.yaml"]
    junit = ET.fromstring(run("--coverage", "--format", "junit", all=THOROUGH).stdout)  # noqa: S314
    assert junit.get("tests") == "4"
    assert [case.get("name") for case in junit.iter("testcase") if case.find("skipped") is not None] == ["bad.yaml"]
    assert "uncovered" not in json.loads(run("--format", "json", all=THOROUGH).stdout), "it was not requested"
    for_all = THOROUGH.replace("rules: rules.yaml", "rules: .")
    (tmp_path / "package.json").unlink()
    assert "no case file" not in run("--coverage", all=for_all).stdout
    (tmp_path / "all.cases.yaml").write_text(THOROUGH, encoding="utf-8")
    suggested = run("--mutate", all=THOROUGH).stdout.partition(
        "add to bad.cases.yaml, if this behaviour is intended:\n"
    )[2]
    assert run("--mutation-threshold", "60", all=THOROUGH, bad=suggested).exit_code == 0


def test_yaml_that_is_none_of_ours_is_not_measured(run, tmp_path):
    """Files of other tools are ignored. Refusing them would fail the run, and counting them would distort the share."""
    broken = RULES.replace("rules:", "rules: broken")
    for name in (
        ".github/workflows/a.yaml",
        "mine/venv/lib/a.yaml",
        "mine/node_modules/x/a.yaml",
        "mine/.hidden/a.yaml",
    ):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(broken, encoding="utf-8")
    (tmp_path / "mine" / "venv" / "pyvenv.cfg").touch()
    (tmp_path / "mine" / "venv" / "no.cases.yaml").write_text("cases: broken", encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.yaml").write_text(broken, encoding="utf-8")
    (tmp_path / "mine" / "deep").mkdir()
    for name in ("mine/rules.yaml", "mine/deep/bad.yaml"):
        (tmp_path / name).write_text(RULES.replace("in-1", name[5:8]), encoding="utf-8")
    about = THOROUGH.replace("rules: rules.yaml", "rules: mine/rules.yaml")
    found = run("--coverage", all=about)
    assert found.exit_code == 0, found.output
    assert "no case file tests it: mine/deep/bad.yaml\ncoverage: 50% (5 of 10)" in found.stdout
    found = run("--coverage", ".", all=about)
    assert found.exit_code == 4, "a directory that is given must be valid"
    assert {line.partition(":")[0] for line in found.stderr.splitlines()[:-1]} == {"elsewhere/a.yaml"}


def test_a_rule_file_that_no_case_file_is_about_may_use_the_groups_of_its_folder_and_has_to_load(run, tmp_path):
    (tmp_path / "groups.yaml").write_text("groups: {near: [IN, PK]}\n", encoding="utf-8")
    (tmp_path / "near.yaml").write_text(RULES.replace("in-1", "near-1").replace("IN", "near"), encoding="utf-8")
    assert "near.yaml:2:5: near-1: it decided no case" in run("--coverage", all=FINE).stdout
    (tmp_path / "near.yaml").write_text(RULES.replace("rules:", "rule:"), encoding="utf-8")
    found = run("--coverage", all=FINE)
    assert found.exit_code == 4
    assert "near.yaml:1:1: unknown key `rule`" in found.stderr
    (tmp_path / "near.yaml").unlink()
    (tmp_path / "near.yaml").symlink_to("nowhere.yaml")
    found = run("--coverage", all=FINE)
    assert (found.exit_code, "near.yaml:1:1: cannot read it: no such file" in found.stderr) == (4, True)
    assert run(all=FINE).exit_code == 0, "without anything to measure, it does not matter"
