"""A year of rules, and the pull requests of its policy engineers: what lint, test, diff and mutate print for each."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.testing import year
from withhold import RuleSet
from withhold.cli.app import app


def run(*arguments: str, status: int = 0) -> str:
    found = CliRunner().invoke(app, arguments)
    assert found.exit_code == status, found.output
    return found.stdout


def lines_of(folder: Path, pattern: str) -> int:
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in folder.rglob(pattern))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return a directory with the rules and the cases that were written for them, and the output."""
    folder = tmp_path_factory.mktemp("year")
    year.write(folder / "rules")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return folder, run("test", "rules", "--mutate", "--write")


@pytest.fixture
def rules(written: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the rules and their cases, beside `old/`, which has the rules before a change."""
    for name in ("rules", "old"):
        shutil.copytree(written[0] / "rules", tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "rules"


def test_the_year(written: tuple[Path, str]) -> None:
    folder, printed = written
    rules = RuleSet.load(folder / "rules")
    files = [path for path in (folder / "rules").rglob("*.yaml") if not path.name.endswith(".cases.yaml")]
    assert (len(rules), len(files), len(year.FILES)) == (54, 43, 18)
    assert max(len(rule.accounts) for rule in rules) == year.LISTED
    assert "mutation: 0% " in printed
    assert re.search(r"^mutation with these cases: 100% ", printed, re.MULTILINE)


def test_the_cases_of_the_year_are_few_lines(written: tuple[Path, str], rules: Path) -> None:
    run("test", "rules", "--fail-under", "100", "--mutation-threshold", "100")
    assert lines_of(rules, "*.cases.yaml") <= 900
    assert 480 <= lines_of(rules, "*[0-9].yaml") <= 510
    assert all(path.read_text(encoding="utf-8").startswith("# unreviewed: ") for path in rules.rglob("*.cases.yaml"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


def diff() -> str:
    """Return the difference between the rules before and after a change, without its first line."""
    return run("diff", "old", "rules").partition("\n\n")[2]


ADDED = """\
rules:
  - id: br-05a
    accounts: [1500990003, 1500990040]
    withheld_in: [BR]
    from: 2025-12-20T12:00:00Z
    reason: legal_demand
    demand: BR-2025-5
    jurisdiction: BR
    override: {no-end: in force until it is lifted}
"""


def test_a_rule_is_added(rules: Path) -> None:
    (rules / "br" / "br-05.yaml").write_text(ADDED, encoding="utf-8")
    assert run("lint", "rules").splitlines()[-1].startswith("fine: 55 rules · 44 files")
    assert "all passed" in run("test", "rules"), "no case is about it"
    assert (
        diff()
        == """\
2 accounts (1500990003, 1500990040): BR visible → withheld from 2025-12-20T12:00:00Z
  now names these: br-05a (rules/br/br-05.yaml:2:5)

2 accounts get a different outcome

where  change              accounts  tweets
BR     visible → withheld         2       0

demand     jurisdiction  reason        accounts  tweets
BR-2025-5  BR            legal demand         2       0
"""
    )
    printed = run("test", "rules/br", "--mutation-threshold", "100", status=1)
    assert "no case file tests it: rules/br/br-05.yaml\n" in printed
    assert "  rules/br/br-05.yaml:2:5: no case concerns it: br-05a (12 changes)\n" in printed
    assert run("test", "rules/br", "--write").endswith(
        """
wrote rules/br/br-05.cases.yaml: 4 cases, unreviewed
mutation with these cases: 100% (92 of 92) of the changes are noticed; review each case
"""
    )
    head, *cases = (rules / "br" / "br-05.cases.yaml").read_text(encoding="utf-8").splitlines()
    assert re.fullmatch("# unreviewed: suggested from the rules of revision [0-9a-f]{16}", head)
    assert (
        "\n".join(cases)
        == """\
rules: "br-05.yaml"
cases:
  - it: account 1500990003 as of 2025-12-20T11:59:59Z
    account: 1500990003
    at: 2025-12-20T11:59:59Z
    expect: {BR: visible}
  - it: accounts 1500990003, 1500990040 as of 2025-12-20T12:00:00Z
    accounts: [1500990003, 1500990040]
    at: 2025-12-20T12:00:00Z
    expect: {BR: withheld, elsewhere: visible, unknown: visible}
  - it: account 1500990003 as of 2026-12-20T12:00:00Z
    account: 1500990003
    at: 2026-12-20T12:00:00Z
    expect: {BR: withheld}"""
    )
    run("test", "rules/br", "--mutation-threshold", "100")


def test_a_rule_ends(rules: Path) -> None:
    """The order is lifted. The case of a year later fails, and the engineer corrects it."""
    edit(rules / "de" / "de-01.yaml", "17:09:00Z\n", "17:09:00Z\n    until: 2025-11-03T09:00:00Z\n")
    failed = run("test", "rules", "--mutate", status=1)
    assert "\n  DE  expected withheld, got visible\n" in failed
    assert "        - de-01a: ENDED, it ended at 2025-11-03T09:00:00Z\n" in failed
    assert "mutation:" not in failed
    assert diff().startswith(
        "7 accounts (1500027003, 1500027040, 1500027077, … and 4 more): DE withheld → visible from 2025-11-03T09:00:00Z"
    )
    cases = rules / "de" / "de-01.cases.yaml"
    edit(
        cases,
        "at: 2026-06-18T17:09:00Z\n    expect: {DE: withheld}",
        "at: 2026-06-18T17:09:00Z\n    expect: {DE: visible}",
    )
    printed = run("test", "rules/de", "--mutate")
    assert [line for line in printed.splitlines() if "not noticed" in line] == [
        f"  rules/de/de-01.yaml:2:5: not noticed: de-01a with `until` a second {which}"
        for which in ("later", "earlier")
    ]
    before = cases.read_text(encoding="utf-8")
    assert "added to rules/de/de-01.cases.yaml: 2 cases, unreviewed" in run("test", "rules/de", "--write")
    assert cases.read_text(encoding="utf-8").startswith(f"{before}  # unreviewed: ")
    run("test", "rules/de", "--mutation-threshold", "100")


def test_a_rule_is_stayed(rules: Path) -> None:
    edit(
        rules / "br" / "br-01.yaml",
        "    reason:",
        "    stays: [{from: 2025-07-01T00:00:00Z, until: 2025-08-01T00:00:00Z}]\n    reason:",
    )
    assert "all passed" in run("test", "rules"), "no case is about July"
    assert "BR withheld → visible from 2025-07-01T00:00:00Z until 2025-08-01T00:00:00Z" in diff()
    printed = run("test", "rules/br", "--coverage", "--mutate")
    assert "not tried: in the stay from 2025-07-01T00:00:00Z until 2025-08-01T00:00:00Z\n" in printed
    assert printed.count("not noticed: br-01a with the ") == 4
    assert "not noticed: br-01a without the stay" in printed
    run("test", "rules/br", "--write")
    run("test", "rules/br", "--fail-under", "100", "--mutation-threshold", "100")


def test_a_rule_is_split(rules: Path) -> None:
    """Two of its accounts get a rule of their own. No case and no viewer notices."""
    path = rules / "br" / "br-01.yaml"
    both = path.read_text(encoding="utf-8")
    one, other = (
        both.replace("br-01a", name).replace("[1500018003, 1500018040]", f"[{account}]")
        for name, account in (("br-01a", 1500018003), ("br-01b", 1500018040))
    )
    path.write_text(one + other.removeprefix("rules:\n"), encoding="utf-8")
    assert run("lint", "rules").splitlines()[-1].startswith("fine: 55 rules")
    assert "all passed" in run("test", "rules")
    assert "no viewer gets a different outcome" in diff()
    printed = run("test", "rules/br", "--mutate")
    assert [line for line in printed.splitlines() if "not noticed" in line] == [
        "  rules/br/br-01.yaml:9:5: not noticed: br-01b without `from`",
        "  rules/br/br-01.yaml:9:5: not noticed: br-01b with `from` a second earlier",
        "  rules/br/br-01.yaml:9:5: not noticed: br-01b with `until: 2026-04-25T14:36:00Z`",
    ]


def test_a_rule_is_widened_by_mistake(rules: Path) -> None:
    """Lint, the case with `elsewhere` and the difference all report it, although no case names Argentina."""
    edit(rules / "br" / "br-01.yaml", "[BR]", "[BR, AR]")
    assert "the jurisdiction is `BR`, but the rule withholds in `AR` [beyond-its-country]" in run(
        "lint", "rules", status=1
    )
    failed = run("test", "rules/br", status=1)
    assert failed.count("\n  elsewhere (AR)       expected visible, got withheld by rule br-01a\n") == 2, (
        "both accounts"
    )
    assert "\n  elsewhere otherwise  visible as expected\n" in failed
    assert diff().startswith("2 accounts (1500018003, 1500018040): AR visible → withheld from 2025-04-25T14:36:00Z\n")
