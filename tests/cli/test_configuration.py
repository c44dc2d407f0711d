"""The configuration of the commands: where it is found, what it changes, what it cannot change, and its problems."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.cli.repositories import git
from tests.sources.writing import write
from withhold.cli.app import app
from withhold.cli.configuration import read_configuration
from withhold.errors import RuleSetError

#: Advice: `no-end` in both files, `unnamed-jurisdiction` in both, and `beyond-its-country` in one.
RULE = """\
rules:
  - id: {}
    accounts: [17]
    withheld_in: {}
    from: 2021-02-10T00:00:00Z
    reason: legal_demand
    demand: IN-D1
    jurisdiction: IN
"""
FILES = {
    "rules/in.yaml": RULE.format("in-1", "IN"),
    "rules/archive/old.yaml": RULE.format("in-2", "[IN, PK]").replace("17", "18"),
}
CONFIGURED = """\
fail-on = "note"
[severity]
no-end = "warning"
[ignore]
"rules/archive" = ["beyond-its-country", "no-end"]
"""


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def advice(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("lint", *arguments, "--format", "json").stdout)
    return found


def codes(problems: list[dict[str, str]]) -> list[str]:
    return [f"{each['place'].partition(':')[0]} {each['severity']} {each['code']}" for each in problems]


BEFORE = [
    "rules/archive/old.yaml error beyond-its-country",
    "rules/archive/old.yaml note no-end",
    "rules/in.yaml note no-end",
]


def test_without_a_configuration_nothing_changes(there: Path) -> None:
    found = advice("rules")
    assert sorted(codes(found["problems"])) == sorted(BEFORE)
    assert (found["configuration"], found["suppressed"], found["suppressions"]) == (None, 0, [])
    assert "configured" not in run("lint", "rules").stdout


@pytest.mark.parametrize("name", ["withhold.toml", "pyproject.toml"])
def test_severities_change_and_what_is_suppressed_is_counted_in_every_format(there: Path, name: str) -> None:
    text = CONFIGURED
    if name == "pyproject.toml":
        text = f"[project]\nname = 'x'\n[tool.withhold]\n{CONFIGURED}".replace("[severity]", "[tool.withhold.severity]")
        text = text.replace("[ignore]", "[tool.withhold.ignore]")
    write(there, {name: text})
    found = advice("rules")
    assert codes(found["problems"]) == ["rules/in.yaml warning no-end"]
    assert (found["configuration"], found["fail_on"], found["fine"]) == (name, "note", False)
    assert found["suppressed"] == 2
    assert sorted(codes(found["suppressions"])) == [
        "rules/archive/old.yaml error beyond-its-country",
        "rules/archive/old.yaml warning no-end",
    ]
    text = run("lint", "rules").stdout
    assert text.splitlines()[-1].endswith(f"; 1 warning; configured by {name}, which suppresses 2")
    (log,) = json.loads(run("lint", "rules", "--format", "sarif").stdout)["runs"]
    assert [(each["ruleId"], [why["kind"] for why in each["suppressions"]]) for each in log["results"]] == [
        ("no-end", []),
        ("no-end", ["external"]),
        ("beyond-its-country", ["external"]),
    ]
    (notified,) = log["invocations"][0]["toolExecutionNotifications"]
    assert notified["message"]["text"].endswith(f"configured by {name}")


def test_no_config_ignores_it(there: Path) -> None:
    write(there, {"withhold.toml": "nonsense"})
    assert run("lint", "rules").exit_code == 4
    assert sorted(codes(advice("rules", "--no-config")["problems"])) == sorted(BEFORE)


def test_options_come_before_it(there: Path) -> None:
    write(there, {"withhold.toml": CONFIGURED})
    assert run("lint", "rules").exit_code == 1
    assert run("lint", "rules", "--fail-on", "error").exit_code == 0
    assert run("lint", "rules", "--fail-on", "error", "--no-config").exit_code == 1


def test_nothing_is_suppressed_in_sarif_without_a_mark_on_every_result(there: Path) -> None:
    """The standard forbids `suppressions` in only some results of a run."""
    (log,) = json.loads(run("lint", "rules", "--format", "sarif").stdout)["runs"]
    assert all("suppressions" not in each for each in log["results"])


class TestWhereItIsFound:
    def test_it_is_found_beside_and_above_the_rules_wherever_the_command_runs(
        self, there: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(there, {".git/HEAD": "", "withhold.toml": CONFIGURED})
        for folder, path in (
            (there, "rules"),
            (there / "rules", "."),
            (there / "rules", "in.yaml"),
            (Path("/"), there / "rules"),
        ):
            monkeypatch.chdir(folder)
            assert advice(str(path))["fail_on"] == "note", path

    def test_the_nearest_one_applies_alone(self, there: Path) -> None:
        write(there, {"withhold.toml": CONFIGURED, "rules/withhold.toml": 'fail-on = "warning"\n'})
        found = advice("rules")
        assert (found["configuration"], found["suppressed"]) == ("rules/withhold.toml", 0)

    def test_a_project_file_without_a_table_is_passed_over(self, there: Path) -> None:
        write(there, {"rules/pyproject.toml": "[tool.other]\n", "withhold.toml": CONFIGURED})
        assert advice("rules")["configuration"] == "withhold.toml"

    def test_two_in_one_directory_are_refused(self, there: Path) -> None:
        write(there, {"pyproject.toml": "[tool.withhold]\n", "withhold.toml": CONFIGURED})
        assert (
            "pyproject.toml:1:7: there are settings in `withhold.toml` too [two-configurations]"
            in run("lint", "rules").stdout
        )

    def test_outside_a_repository_the_search_ends_at_the_current_directory(
        self, there: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(there, {"withhold.toml": CONFIGURED})
        monkeypatch.chdir(there / "rules")
        assert advice(".")["configuration"] is None
        assert advice(str(there / "rules"))["configuration"] is None
        monkeypatch.chdir(there)
        assert advice("rules")["configuration"] == "withhold.toml"

    def test_a_repository_ends_the_search(self, there: Path) -> None:
        write(there, {"withhold.toml": CONFIGURED, "rules/.git": ""})
        assert advice("rules")["configuration"] is None

    @pytest.mark.skipif(os.name != "posix", reason="links need no rights there")
    def test_a_link_out_of_the_repository_is_refused(self, there: Path) -> None:
        write(there, {"outside.toml": CONFIGURED, "rules/.git": ""})
        (there / "rules" / "withhold.toml").symlink_to("../outside.toml")
        found = run("lint", "rules")
        assert (found.exit_code, "[outside-rule-set]" in found.stdout) == (4, True)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
    def test_a_pipe_or_a_directory_is_refused_and_a_file_of_other_tools_too_if_it_is_broken(self, there: Path) -> None:
        os.mkfifo("withhold.toml")
        assert (
            "withhold.toml:1:1: cannot read it: it is a pipe or a device [unreadable-file]"
            in run("lint", "rules").stdout
        )
        Path("withhold.toml").unlink()
        Path("withhold.toml").mkdir()
        assert "withhold.toml:1:1: cannot read it: is a directory [unreadable-file]" in run("lint", "rules").stdout
        Path("withhold.toml").rmdir()
        write(there, {"pyproject.toml": "[tool"})
        assert "pyproject.toml:1:6: this is not TOML: " in run("lint", "rules").stdout

    def test_a_snapshot_has_the_configuration_beside_it(self, there: Path) -> None:
        assert run("compile", "rules", "-o", "rules.wh").exit_code == 0
        write(there, {"withhold.toml": CONFIGURED})
        found = advice("rules.wh")
        assert (found["configuration"], found["suppressed"]) == ("withhold.toml", 2)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('fail_on = "note"', "1:1: unknown key `fail_on` [unknown-key]; did you mean `fail-on`?"),
        ('fail-on = "never"', "1:11: unknown severity `never` [unknown-severity]; one of `error`, `warning`, `note`"),
        ("[severity]\nno-ned = 'note'", "2:1: there is no check `no-ned` [unknown-check]; did you mean `no-end`?"),
        (
            "[severity]\nunknown-territory = 'note'",
            "2:1: `unknown-territory` is the code of a problem that cannot be silenced [not-configurable]; name a check of `withhold lint`",
        ),
        (
            "[ignore]\nrules = ['no-end', 'protected-account']",
            (
                "2:20: `protected-account` can only be overridden rule by rule [not-configurable]; "
                "add an override to the rule, which states who decided this and why"
            ),
        ),
        (
            "[severity]\nprotected-account = 'note'",
            "2:1: `protected-account` can only be overridden rule by rule [not-configurable]; ",
        ),
        ("[ignore]\n'rulez' = ['no-end']", "2:1: cannot read `rulez`: no such file or directory [unreadable-file]; "),
        (
            "[ignore]\n'../rules' = ['no-end']",
            "2:1: cannot read `../rules`: it is outside the root [outside-rule-set]; ",
        ),
        ("[ignore]\n'' = ['no-end']", "2:1: the path is empty [bad-text]; write `.` for the directory of this file"),
        ("root = ' '", "1:8: the path is empty [bad-text]; "),
        ("root = '/'", "1:8: cannot read `/`: its path must be relative, with `/` [outside-rule-set]; "),
        ("root = '..'", "1:8: cannot read `..`: it is outside the root [outside-rule-set]; "),
        (
            "protected = ['rules', '../p.yaml']",
            "1:23: cannot read `../p.yaml`: it is outside the root [outside-rule-set]; ",
        ),
        (
            "policy = 'show'",
            '1:10: `policy` must be a mapping [bad-value]; write `policy = {unknown-location = "show"}`',
        ),
        ("[policy]\nauthor-sees-own = 1", "2:19: `1` is neither `true` nor `false` [bad-value]; "),
        (
            "[policy]\nunknown_location = 'show'",
            "2:1: unknown key `unknown_location` [unknown-key]; did you mean `unknown-location`?",
        ),
        ("severity = 'note'", "1:12: `severity` must be a mapping [bad-value]; write `severity = …`"),
        ("ignore = {rules = {}}", "1:19: expected one value, found a mapping [bad-value]; "),
        ("fail-on = ", "1:11: this is not TOML: invalid value [bad-toml]; "),
        ("[ignore]\nrules = 'no\u001bend'", ""),
    ],
)
def test_each_mistake_has_its_place_and_a_hint(there: Path, text: str, problem: str) -> None:
    write(there, {"withhold.toml": text})
    for command in (["lint", "rules"], ["check", "rules", "--account", "1"]):
        found = run(*command)
        assert found.exit_code == 4, found.output
        assert f"withhold.toml:{problem}" in found.output
        assert "the configuration was refused: " in found.output
        assert "give --no-config" in found.output
    with pytest.raises(RuleSetError) as caught:
        read_configuration(Path("rules"))
    assert all(each.hint for each in caught.value.problems)


def test_all_mistakes_and_those_of_the_rules_are_reported_together(there: Path) -> None:
    write(there, {"withhold.toml": "a = 1\nb = 2\n", "rules/in.yaml": FILES["rules/in.yaml"].replace("17", "x")})
    found = run("lint", "rules")
    assert "the rule set was refused: 3 problems; rules read: 1, refused: 1\n" in found.stdout
    assert [line.partition(" ")[0] for line in found.stdout.splitlines()[:3]] == [
        "rules/in.yaml:3:16:",
        "withhold.toml:1:1:",
        "withhold.toml:2:1:",
    ]


class TestWhatItChanges:
    def test_the_policy_of_answers_and_says_so(self, there: Path) -> None:
        write(there, {"withhold.toml": "policy = {unknown-location = 'withhold', author-sees-own = true}\n"})
        for command in ("check", "explain"):
            asked = [command, "rules", "--account", "17", "--at", "2021-03-01T00:00:00Z"]
            found, without = run(*asked), run(*asked, "--no-config")
            assert ("WITHHELD" in found.stdout, "WITHHELD" in without.stdout) == (True, False)
            assert (
                "note: the policy of withhold.toml is used: unknown_location withhold, author_sees_own true"
                in found.stderr
            )
            assert "policy" not in without.stderr
            assert "WITHHELD" not in run(*asked, "--unknown-location", "show").stdout
            own = [*asked, "--country", "IN", "--viewer", "17"]
            assert "visible" in run(*own).stdout.lower().split("\n")[0]
            assert "WITHHELD" in run(*own, "--no-author-sees-own").stdout

    def test_the_policy_of_differences(self, there: Path) -> None:
        write(there, {"empty.yaml": "rules: []\n", "withhold.toml": "policy = {unknown-location = 'withhold'}\n"})
        found = run("diff", "empty.yaml", "rules/in.yaml")
        assert "unknown" in found.stdout
        assert "unknown" not in run("diff", "empty.yaml", "rules/in.yaml", "--no-config").stdout

    def test_the_root_of_every_command(self, there: Path) -> None:
        outside = FILES["rules/in.yaml"].replace("accounts: [17]", "ids_file: ../ids.csv")
        write(there, {"rules/in.yaml": outside, "ids.csv": "kind,id\naccount,17\n"})
        commands = {
            "check": ("rules", "--account", "17", "--country", "US"),
            "explain": ("rules", "--account", "17"),
            "lint": ("rules",),
            "compile": ("rules", "-o", "out.wh"),
            "diff": ("rules", "rules"),
            "bench": ("rules",),
        }
        for command, arguments in commands.items():
            if command != "bench":
                assert "outside-rule-set" in run(command, *arguments).output, command
        write(there, {"withhold.toml": "root = '.'\n"})
        for command, arguments in commands.items():
            if command != "bench":
                found = run(command, *arguments)
                assert found.exit_code in (0, 1), found.output
                assert "outside-rule-set" not in found.output

    @pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
    def test_the_root_of_a_revision(self, there: Path) -> None:
        """Also if the command runs below the top of the repository."""
        outside = FILES["rules/in.yaml"].replace("accounts: [17]", "ids_file: ../ids.csv")
        write(there, {"rules/in.yaml": outside, "ids.csv": "kind,id\naccount,17\n"})
        git("init", "-q", ".")
        git("add", ".")
        git("commit", "-q", "-m", "rules")
        assert "outside-rule-set" in run("diff", "HEAD", "rules").output
        write(there, {"withhold.toml": "root = '.'\n"})
        for folder in (there, there / "rules" / "archive"):
            with chdir(folder):
                found = run("diff", "HEAD:rules", "HEAD:rules")
                assert "no viewer gets a different outcome" in found.stdout, found.output
        assert "no viewer gets a different outcome" in run("diff", "HEAD", "rules").stdout

    def test_lists_of_protected_accounts_are_added(self, there: Path) -> None:
        listed = "protected:\n  - {{account: {}, category: journalist}}\n"
        write(there, {"desk/journalists.yaml": listed.format(17), "rules/protected.yaml": listed.format(18)})
        assert advice("rules")["protected"] == 1
        write(there, {"withhold.toml": "protected = 'desk/journalists.yaml'\n"})
        found = advice("rules")
        assert found["protected"] == 2
        assert [each["code"] for each in found["problems"]].count("protected-account") == 2
        assert advice("rules", "--protected", "rules/protected.yaml")["protected"] == 1, "it replaces all lists"
        assert "2 protected accounts" in run("compile", "rules", "-o", "rules.wh").stdout
        assert advice("rules.wh")["protected"] == 1, "of a snapshot, only the configured lists are known"

    def test_an_empty_list_disables_none(self, there: Path) -> None:
        write(there, {"rules/protected.yaml": "protected: [{account: 17, category: journalist}]\n"})
        write(there, {"none.yaml": "protected: []\n", "withhold.toml": "protected = ['none.yaml']\n"})
        assert "[protected-account]" in run("lint", "rules").stdout
