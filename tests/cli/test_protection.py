"""Every report states whether lists of protected accounts were read: a check that is silently off protects nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.sources.writing import write
from withhold import RuleSet, Snapshot
from withhold.cli.app import app
from withhold.lint import Protected
from withhold.model.protected import KnownProtected
from withhold.snapshot.format import HEADER_END, OPENING

RULES = "rules:\n  - {id: in-1, accounts: [17], withheld_in: IN, reason: terms}\n"
ONE, TWO = (
    "".join(["protected:\n", *(f"  - {{account: {account}, category: journalist}}\n" for account in accounts)])
    for accounts in ([17], [17, 18])
)
NONE = "no list of protected accounts was read"


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, {"rules/in/in.yaml": RULES, "rules/protected.yaml": TWO, ".git": "", "broken/in.yaml": "rules: 1"})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def stated(*arguments: str) -> str:
    """Return the statement of `lint`, which is the same in every format."""
    text = run("lint", *arguments).stdout
    answer = json.loads(run("lint", *arguments, "--format", "json").stdout)
    log = json.loads(run("lint", *arguments, "--format", "sarif").stdout)
    ((notified,),) = [run["invocations"][0]["toolExecutionNotifications"] for run in log["runs"]]
    assert notified["level"] == "note"
    printed: str = answer["protection"]
    assert notified["message"]["text"] == printed
    assert f"; {printed}" in text or text.endswith(f"\n{printed}\n"), text
    assert answer["protected"] == (None if printed.startswith(NONE) else int(printed.partition(" ")[0]))
    return printed


def test_b6_it_is_stated_in_every_form_whether_a_list_was_read(there: Path) -> None:
    for path in ("rules", "rules/in", "rules/in/in.yaml"):
        assert stated(path) == "2 protected accounts"
        found = run("lint", path)
        assert (found.exit_code, "[protected-account]" in found.stdout) == (1, True)
    assert stated("broken") == NONE
    write(there, {"one.yaml": ONE, "empty.yaml": "protected: []"})
    assert stated("broken", "--protected", "one.yaml") == "1 protected account"
    assert stated("rules", "--protected", "empty.yaml") == "0 protected accounts"
    (there / "rules" / "protected.yaml").unlink()
    assert stated("rules") == NONE
    assert run("lint", "rules").exit_code == 0


def test_b6_a_list_that_is_refused_is_no_list_that_was_read(there: Path) -> None:
    write(there, {"protected.yaml": "protected: [{account: 17}]"})
    assert stated("rules/in") == NONE
    assert run("lint", "rules/in").exit_code == 4
    found = run("compile", "rules/in", "-o", "r.wh")
    assert (found.exit_code, (there / "r.wh").exists()) == (4, False)
    assert "protected.yaml:1:13: missing key `category`" in found.output


def test_b6_a_snapshot_says_how_many_were_known_and_names_nobody(there: Path) -> None:
    assert run("compile", "rules/in", "-o", "r.wh").output.endswith("bytes; 2 protected accounts\n")
    assert b'"accounts": 2, "sha256": ' in (there / "r.wh").read_bytes()
    assert b"journalist" not in (there / "r.wh").read_bytes()
    assert stated("r.wh") == f"{NONE}; the snapshot was compiled with 2 protected accounts"
    assert run("lint", "r.wh").exit_code == 0
    assert stated("r.wh", "--protected", "rules/protected.yaml") == "2 protected accounts"
    assert run("lint", "r.wh", "--protected", "rules/protected.yaml").exit_code == 1
    write(there, {"one.yaml": ONE})
    other = "1 protected account; the snapshot was compiled with other lists (2 protected accounts)"
    assert stated("r.wh", "--protected", "one.yaml") == other
    assert json.loads(run("lint", "r.wh", "--format", "json").stdout)["compiled_with"]["accounts"] == 2
    (there / "rules" / "protected.yaml").unlink()
    assert run("compile", "rules/in", "-o", "none.wh").output.endswith(f"bytes; {NONE}\n")
    assert stated("none.wh") == NONE


@pytest.mark.parametrize("name", ["r.wh", "in.yaml", "protected.yaml"])
def test_b6_what_a_snapshot_claims_is_not_reported_as_read(there: Path, name: str) -> None:
    """The snapshot may come from somebody else, who can write any number into it."""
    claimed = [Protected(account, "journalist") for account in range(1, 10_000)]
    (there / "untrusted").mkdir()
    Snapshot.compile(RuleSet.load("rules/in"), protected=claimed).save(there / "untrusted" / name)
    printed = f"{NONE}; the snapshot was compiled with 9,999 protected accounts"
    found = run("compile", f"untrusted/{name}", "-o", "again.wh")
    assert found.stdout.endswith(f" bytes; {printed}\n")
    answer = json.loads(run("compile", f"untrusted/{name}", "-o", "again.wh", "--format", "json").stdout)
    assert (answer["protected"], answer["protection"]) == (None, printed)
    assert answer["compiled_with"]["accounts"] == 9_999
    assert stated(f"untrusted/{name}") == printed
    assert Snapshot.open(there / "again.wh").protected is None, "it is not recorded as read"
    assert stated("again.wh") == NONE


def test_b6_lists_are_no_part_of_the_revision(tmp_path: Path) -> None:
    write(tmp_path, {"in.yaml": RULES})
    rules = RuleSet.load(tmp_path / "in.yaml")
    lists: tuple[list[Protected] | None, ...] = (
        None,
        [],
        [Protected(17, "journalist")],
        [Protected(17, "journalist", "A. Writer")],
    )
    found = []
    for number, listed in enumerate(lists):
        Snapshot.compile(rules, protected=listed).save(tmp_path / f"{number}.wh")
        found.append(Snapshot.open(tmp_path / f"{number}.wh"))
    assert {snapshot.revision for snapshot in found} == {rules.revision}
    assert [snapshot.protected and snapshot.protected.accounts for snapshot in found] == [None, 0, 1, 1]
    assert len({snapshot.protected for snapshot in found}) == 4, "only equal lists have equal digests"
    found[2].save(tmp_path / "again.wh")
    assert Snapshot.open(tmp_path / "again.wh").protected == KnownProtected.of([Protected(17, "journalist")])


def test_b6_a_file_without_lists_is_as_it_was_before_there_were_any(tmp_path: Path) -> None:
    write(tmp_path, {"in.yaml": RULES})
    Snapshot.compile(RuleSet.load(tmp_path / "in.yaml")).save(tmp_path / "r.wh")
    header = json.loads((tmp_path / "r.wh").read_bytes()[OPENING.size : HEADER_END])
    assert "protected" not in header, "which is unknown to a reader of files without lists"
