"""`withhold lint`: its output in each format, and its exit statuses."""

from __future__ import annotations

import gzip
import json
import random
import re
import string
from collections import Counter
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from tests.sources.writing import write
from withhold.cli.app import app
from withhold.cli.render.sarif import COMPRESSED, RESULTS, sarif_of
from withhold.errors import Place, Problem
from withhold.lint import CHECKS

RULES = """\
rules:
  - id: in-1
    accounts: [17]
    withheld_in: [IN, UK]
    from: 2021-02-10T05:00:00Z
    until: 2022-02-10T05:00:00Z
    reason: copyright
  - id: in-2
    accounts: [18]
    withheld_in: IN
    from: 2021-02-10T05:00:00Z
    reason: copyright
"""
PROTECTED = "protected:\n  - {account: 18, category: journalist}\n"
#: The advice that these tests check. Other checks may give more.
OF_THE_RULES = ("overseas-left-out", "territory-alias", "no-end", "protected-account")
AT_18 = "rules/in.yaml:9:5: the rule names protected account `18 (journalist)` [protected-account]; "


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, {"rules/in.yaml": RULES, "listed.yaml": PROTECTED})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lint(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["lint", *arguments])


def sarif(*arguments: str) -> dict[str, Any]:
    (run,) = json.loads(lint(*arguments, "--format", "sarif").stdout)["runs"]
    assert isinstance(run, dict)
    return run


def test_advice_and_what_the_loader_warns_of_come_in_one_list(there: Path) -> None:
    found = lint("rules")
    assert found.exit_code == 0
    *lines, last = found.stdout.splitlines()
    places = [(line.partition(": ")[0], line[line.find("[") + 1 :].partition("]")[0]) for line in lines]
    assert [(place, code) for place, code in places if code in OF_THE_RULES] == [
        ("rules/in.yaml:4:5", "overseas-left-out"),
        ("rules/in.yaml:4:23", "territory-alias"),
        ("rules/in.yaml:8:5", "no-end"),
    ]
    assert last.startswith("fine: 2 rules · 1 file · 2 accounts · 0 tweets, revision ")
    assert re.search(r"; 1 warning · [0-9]+ notes$", last)


def test_e3_files_are_those_that_were_read(there: Path) -> None:
    """Including files without rules, and a snapshot, which is one file."""
    write(there, {"rules/near.yaml": "groups: {near: [IN, PK]}\n", "rules/deep/none.yaml": "rules: []\n"})
    for path, files_, rules in (("rules", 3, 2), ("rules/deep", 1, 0), ("rules/near.yaml", 1, 0)):
        assert f"fine: {rules} rules · {files_} file{'s' if files_ > 1 else ''} · " in lint(path).stdout
        assert json.loads(lint(path, "--format", "json").stdout)["files"] == files_
    assert CliRunner().invoke(app, ["compile", "rules", "-o", "rules.wh"]).exit_code == 0
    assert json.loads(lint("rules.wh", "--format", "json").stdout)["files"] == 1


@pytest.mark.parametrize(
    ("fail_on", "protected", "status"),
    [
        ("error", False, 0),
        ("warning", False, 1),  # the loader's own count
        ("note", False, 1),
        ("error", True, 1),
    ],
)
def test_it_fails_on_what_it_is_told_to(there: Path, fail_on: str, protected: bool, status: int) -> None:
    for form in ("text", "json", "sarif"):
        arguments = ["--protected", "listed.yaml"] if protected else []
        found = lint("rules", "--fail-on", fail_on, "--format", form, *arguments)
        assert found.exit_code == status
        if form == "text":
            assert found.stdout.splitlines()[-1].startswith("not fine: " if status else "fine: ")
        if form == "json":
            answer = json.loads(found.stdout)
            assert (answer["valid"], answer["fine"]) == (True, not status)


def test_with_nothing_to_say_it_is_fine_whatever_it_is_to_fail_on(there: Path) -> None:
    write(there, {"rules/in.yaml": "rules: []\n"})
    found = lint("rules", "--fail-on", "note")
    assert (found.exit_code, len(found.stdout.splitlines())) == (0, 1), found.stdout


def test_the_protected_beside_the_rules_are_found_and_others_can_be_named(there: Path) -> None:
    assert "[protected-account]" not in lint("rules").stdout
    assert AT_18 in lint("rules", "--protected", "listed.yaml").stdout
    write(there, {"rules/protected.yaml": PROTECTED})
    assert AT_18 in lint("rules").stdout
    assert AT_18 in lint("rules/in.yaml").stdout
    write(there, {"nobody.yaml": "protected: []"})
    assert "[protected-account]" not in lint("rules", "--protected", "nobody.yaml").stdout, (
        "instead of those beside the rules"
    )


def test_an_override_in_the_file_silences_an_error(there: Path) -> None:
    write(there, {"rules/in.yaml": f"{RULES}    override: {{protected-account: upheld by the court on 2021-03-01}}\n"})
    assert lint("rules", "--protected", "listed.yaml").exit_code == 0


def test_of_a_part_an_override_is_not_called_unused_and_it_is_said_that_no_list_was_read(there: Path) -> None:
    """The list is beside the whole rule set: in a directory further up, or where a snapshot was compiled."""
    override = "    override: {protected-account: upheld by the court on 2021-03-01}\n"
    write(there, {"all/protected.yaml": PROTECTED, "all/in/in.yaml": RULES + override})
    CliRunner().invoke(app, ["compile", "all", "-o", "all.wh"])
    printed = (
        "no list of protected accounts was read: an override of `protected-account` needs one; give it with --protected"
    )
    for given in ("all/in", "all/in/in.yaml", "all.wh"):
        found = lint(given, "--fail-on", "error")
        assert ("unused-override" in found.stdout, found.stdout.splitlines()[-1]) == (False, printed)
        assert json.loads(lint(given, "--format", "json").stdout)["protected"] is None
    for arguments in (["all"], ["all/in", "--protected", "all/protected.yaml"]):
        assert printed not in lint(*arguments).stdout
        assert json.loads(lint(*arguments, "--format", "json").stdout)["protected"] == 1
    assert "needs one" not in lint("rules").stdout
    write(there, {"nobody.yaml": "protected: []"})
    assert "[unused-override]" in lint("all/in", "--protected", "nobody.yaml").stdout


def test_rules_and_protected_that_cannot_be_read_are_told_together(there: Path) -> None:
    write(there, {"rules/z.yaml": "rules: [1]\n", "rules/protected.yaml": "protected: [{account: 5}]\n"})
    found = lint("rules")
    assert found.exit_code == 4
    assert [line.partition(" [")[0] for line in found.stdout.splitlines()] == [
        "rules/protected.yaml:1:13: missing key `category`",
        "rules/z.yaml:1:9: a rule must be a mapping",
        "the rule set was refused: 2 problems; rules read: 2, refused: 1",
        "no list of protected accounts was read",
    ]
    answer = json.loads(lint("rules", "--format", "json").stdout)
    assert (answer["valid"], answer["fine"]) == (False, False)
    assert (answer["read"], answer["refused"], len(answer["problems"])) == (2, 1, 2)


def test_a_list_of_the_protected_that_cannot_be_read_is_no_reason_to_pass(there: Path) -> None:
    write(there, {"rules/protected.yaml": "protected: [{acount: 18, category: journalist}]\n"})
    found = lint("rules")
    assert found.exit_code == 4
    assert "unknown key `acount`" in found.stdout


def test_a_snapshot_is_linted_like_its_rules(there: Path) -> None:
    CliRunner().invoke(app, ["compile", "rules", "-o", "rules.wh"])
    found = lint("rules.wh", "--protected", "listed.yaml")
    assert found.exit_code == 1
    assert AT_18.replace(":9:", ":8:") in found.stdout, "at the rule, because a snapshot does not record keys"


class TestSarif:
    """The requirements of SARIF 2.1.0, and those of GitHub's code scanning."""

    def test_the_log_has_one_run_of_this_tool(self, there: Path) -> None:
        log = json.loads(lint("rules", "--format", "sarif").stdout)
        assert set(log) == {"$schema", "version", "runs"}
        assert log["version"] == "2.1.0"
        (run,) = log["runs"]
        assert run["tool"]["driver"]["name"] == "withhold"

    def test_every_check_is_described(self, there: Path) -> None:
        described = {each["id"]: each for each in sarif("rules")["tool"]["driver"]["rules"]}
        assert {check.code for check in CHECKS} | {"territory-alias"} == set(described)
        assert described["no-end"]["name"] == "NoEnd"
        for each in described.values():
            assert each["name"].isalnum()
            assert each["shortDescription"]["text"].endswith(".")
            assert each["help"]["text"]
            assert each["defaultConfiguration"]["level"] in ("error", "warning", "note")

    def test_a_result_has_its_rule_its_level_and_its_place(self, there: Path) -> None:
        run = sarif("rules", "--protected", "listed.yaml")
        results = [each for each in run["results"] if each["ruleId"] in OF_THE_RULES]
        assert [(each["ruleId"], each["level"]) for each in results] == [
            ("overseas-left-out", "note"),
            ("territory-alias", "warning"),
            ("no-end", "note"),
            ("protected-account", "error"),
        ]
        for each in results:
            assert run["tool"]["driver"]["rules"][each["ruleIndex"]]["id"] == each["ruleId"]
            (location,) = each["locations"]
            assert location["physicalLocation"]["artifactLocation"] == {"uri": "rules/in.yaml"}
        assert results[1]["locations"][0]["physicalLocation"]["region"] == {"startLine": 4, "startColumn": 23}
        assert results[3]["locations"][0]["physicalLocation"]["region"] == {"startLine": 9, "startColumn": 5}
        assert results[3]["message"]["text"].startswith("the rule names protected account `18 (journalist)`; ")

    def test_paths_are_relative_to_here_and_are_uris(self, there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(there, {"ä b/x#y.yaml": RULES})
        for given in ("ä b", str(there / "ä b")):
            (uri,) = {
                each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in sarif(given)["results"]
            }
            assert uri == "%C3%A4%20b/x%23y.yaml"
        (there / "other").mkdir()
        monkeypatch.chdir(there / "other")
        uri = sarif("../rules")["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert uri == (there / "rules" / "in.yaml").resolve().as_uri(), "paths elsewhere are absolute"

    @pytest.mark.parametrize("git", [".git/HEAD", ".git"])
    def test_in_a_repository_paths_are_relative_to_its_top(
        self, there: Path, monkeypatch: pytest.MonkeyPatch, git: str
    ) -> None:
        """The current directory makes no difference. In a linked work tree `.git` is a file."""
        write(there, {git: "", "rules/deep/in.yaml": RULES.replace("in-", "deep-")})
        for folder, given in (
            (there, "rules"),
            (there / "rules", "."),
            (there / "rules" / "deep", ".."),
            (Path("/"), ""),
        ):
            monkeypatch.chdir(folder)
            results = sarif(given or str(there / "rules"))["results"]
            assert {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in results} == {
                "rules/in.yaml",
                "rules/deep/in.yaml",
            }

    def test_b8_a_problem_of_a_link_is_placed_at_the_link(self, there: Path) -> None:
        write(there, {".git/HEAD": "", "other/in.yaml": RULES.replace("in-", "other-"), "other/sub/in.yaml": RULES})
        rules = there / "rules"
        (rules / "copy.yaml").symlink_to("in.yaml")
        (rules / "gone.yaml").symlink_to("../nowhere.yaml")
        (rules / "lost.yaml").symlink_to("lost-too.yaml")
        (rules / "loop.yaml").symlink_to("loop.yaml")
        (rules / "out.yaml").symlink_to("../other/in.yaml")
        (rules / "sub").mkdir()
        (rules / "sub" / "in.yaml").write_text(RULES.replace("in-", "sub-"), encoding="utf-8")
        (rules / "subs").symlink_to("sub")
        (there / "linked").symlink_to("rules")
        for given in ("rules", str(rules), "rules/../rules", "linked"):
            results = sarif(given)["results"]
            where = Counter(
                (each["ruleId"], each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
                for each in results
                if each["level"] == "error"
            )
            # By name, the link comes first, so its target repeats the rules.
            assert where == {
                ("repeated-rule-id", "rules/in.yaml"): 2,
                ("outside-rule-set", "rules/gone.yaml"): 1,
                ("unreadable-file", "rules/lost.yaml"): 1,
                ("unreadable-file", "rules/loop.yaml"): 1,
                ("outside-rule-set", "rules/out.yaml"): 1,
                ("repeated-rule-id", "rules/subs/in.yaml"): 2,
            }

    def test_what_cannot_be_loaded_is_in_it_too(self, there: Path) -> None:
        write(there, {"rules/z.yaml": "groups: {g: []}\nrules: [1]\n"})
        assert lint("rules", "--format", "sarif").exit_code == 4
        run = sarif("rules")
        assert [each["ruleId"] for each in run["results"]] == ["bad-group", "bad-rule"]
        assert {"bad-group", "bad-rule"} <= {each["id"] for each in run["tool"]["driver"]["rules"]}

    def test_what_has_no_place_stands_at_the_rules(self, there: Path) -> None:
        (there / "rules.wh").write_bytes(b"WITHHOLD and no more")
        (result,) = sarif("rules.wh")["results"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "rules.wh"


class TestSarifLimits:
    """GitHub accepts 25,000 results per run, and 10 MB of compressed file."""

    def log(self, *severities: str, message: str = "said") -> dict[str, Any]:
        found = [
            Problem("bad-id", f"{message} {n}", Place("in.yaml", n, 1), severity=severity)  # type: ignore[arg-type]
            for n, severity in enumerate(severities, 1)
        ]
        (run,) = cast(list[dict[str, Any]], sarif_of(found, Path("in.yaml"))["runs"])
        return run

    def test_e4_of_too_many_problems_the_most_severe_are_kept_and_counted(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert (RESULTS, COMPRESSED) == (25_000, 10_000_000)
        monkeypatch.setattr("withhold.cli.render.sarif.RESULTS", 250)
        run = self.log(*["note", "warning", "error"] * 100)
        assert Counter(each["level"] for each in run["results"]) == {"error": 100, "warning": 100, "note": 50}
        lines = [each["locations"][0]["physicalLocation"]["region"]["startLine"] for each in run["results"]]
        assert lines == sorted(lines), "in their original order"
        (invocation,) = run["invocations"]
        assert invocation["executionSuccessful"] is True
        (notification,) = invocation["toolExecutionNotifications"]
        assert notification["message"]["text"].startswith("only the 250 most severe of 300 problems are listed, ")
        (invocation,) = self.log(*["note"] * 250)["invocations"]
        assert invocation["toolExecutionNotifications"] == []

    def test_suppressed_problems_give_way_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("withhold.cli.render.sarif.RESULTS", 3)
        found = [Problem("bad-id", f"listed {n}", Place("in.yaml", n), severity="note") for n in (1, 2)]
        suppressed = [Problem("bad-id", f"suppressed {n}", Place("in.yaml", n)) for n in (3, 4)]
        (run,) = cast(list[dict[str, Any]], sarif_of(found, Path("in.yaml"), suppressed=suppressed)["runs"])
        assert [(each["message"]["text"], len(each["suppressions"])) for each in run["results"]] == [
            ("listed 1", 0),
            ("listed 2", 0),
            ("suppressed 3", 1),
        ]

    def test_e4_a_file_that_is_too_large_is_cut_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("withhold.cli.render.sarif.COMPRESSED", 100_000)
        chance = random.Random(1)  # text that does not compress
        noise = "".join(chance.choice(string.ascii_letters) for _ in range(2_000))
        found = [
            Problem("bad-id", f"{chance.random()}{noise[n:]}{noise[:n]}", Place("in.yaml", n)) for n in range(1, 2_000)
        ]
        log = sarif_of(found, Path("in.yaml"))
        (run,) = cast(list[dict[str, Any]], log["runs"])
        assert 0 < len(run["results"]) < 2_000
        assert f"the {len(run['results']):,} most severe of 1,999 problems" in json.dumps(run["invocations"])
        assert len(gzip.compress(json.dumps(log, indent=2).encode())) <= 100_000


def test_the_demo_is_fine() -> None:
    with as_file(files("withhold.cli") / "demo_data" / "rules") as folder:
        found = lint(str(folder), "--fail-on", "warning")
    assert found.exit_code == 0, found.stdout
    assert found.stdout.count("[no-end]") == 3
