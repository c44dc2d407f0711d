"""`withhold test --write` writes the cases that are missing, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from typer.testing import CliRunner

from tests.testing.material import CASE, FINE, RULES
from tests.testing.test_pasting import GROUPS, NEAR, suites, write
from withhold.cli.app import app
from withhold.cli.layout import formatted
from withhold.territories import countries, expand

CASE_ALONE = "- {it: one, account: 1355667106821046272, at: 2021-02-10T00:00:00Z, expect: {US: visible}}\n"
LISTED = RULES.replace("accounts: [17]", "ids_file: ../lists/in.csv")


def run(*arguments: str, status: int = 0) -> str:
    found = CliRunner().invoke(app, ["test", *arguments])
    assert found.exit_code == status, found.output
    return found.output


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def text_of(name: str) -> str:
    return Path(name).read_text(encoding="utf-8")


def files() -> set[str]:
    return {path.as_posix() for path in Path().rglob("*") if path.is_file()}


def test_the_first_case_file_is_written_beside_the_rules() -> None:
    write({"rules/rules.yaml": RULES})
    printed = run("rules", "--write")
    assert (
        printed
        == """\
0 cases in 0 files: all passed
no case file tests it: rules/rules.yaml
mutation: 0% (0 of 10) of the changes were noticed
  rules/rules.yaml:2:5: no case concerns it: in-1 (10 changes)

wrote rules/rules.cases.yaml: 3 cases, unreviewed
mutation with these cases: 100% (10 of 10) of the changes are noticed; review each case
"""
    )
    revision = json.loads(run("rules", "--format", "json"))["files"][0]["revision"]
    assert (
        text_of("rules/rules.cases.yaml")
        == f"""\
# unreviewed: suggested from the rules of revision {revision}
rules: "rules.yaml"
cases:
  - it: account 17 as of 2021-02-09T23:59:59Z
    account: 17
    at: 2021-02-09T23:59:59Z
    expect: {{IN: visible}}
  - it: account 17 as of 2021-02-10T00:00:00Z
    account: 17
    at: 2021-02-10T00:00:00Z
    expect: {{IN: withheld, elsewhere: visible, unknown: visible}}
  - it: account 17 as of 2022-02-10T00:00:00Z
    account: 17
    at: 2022-02-10T00:00:00Z
    expect: {{IN: withheld}}
"""
    )
    before = text_of("rules/rules.cases.yaml")
    assert run("rules", "--mutate", "--write").endswith("\nno case was written: none is missing\n")
    assert (text_of("rules/rules.cases.yaml"), files()) == (before, {"rules/rules.yaml", "rules/rules.cases.yaml"})


@pytest.mark.parametrize(
    ("given_files", "arguments", "hint"),
    [
        ({"rules/in.yaml": RULES}, [], "`withhold test . --mutate --write` writes the first ones; or begin "),
        (
            {"rules/in.yaml": RULES},
            ["rules"],
            "`withhold test rules --mutate --write` writes the first ones; or begin ",
        ),
        ({"a b/in.yaml": RULES}, ["a b"], "`withhold test 'a b' --mutate --write` writes the first ones; or begin "),
        ({"rules/notes.txt": "", "in.yaml": RULES}, ["rules", "--write"], "begin `in.cases.yaml` with "),
        ({"rules/in.yaml": "openapi: 3.1.0\n"}, ["rules", "--write"], "`withhold test rules --mutate --write` writes"),
        # Without a directory, the current one is not searched for rules: it may contain anything.
        ({"rules/in.yaml": RULES}, ["--write"], "`withhold test . --mutate --write` writes the first ones"),
    ],
)
def test_without_case_files_the_refusal_explains_how_to_begin(
    given_files: dict[str, str], arguments: list[str], hint: str
) -> None:
    write(given_files)
    printed = run(*arguments, status=4)
    assert f"[no-case-files]; {hint}" in printed
    assert files() == {*given_files}


def test_nothing_is_written_while_a_case_fails() -> None:
    write({"rules.yaml": RULES.replace("17", "17, 18"), "all.cases.yaml": FINE.replace("IN: withheld", "IN: visible")})
    printed = run("--write", status=1)
    assert "no rule was changed: all cases must pass first" in printed
    assert text_of("all.cases.yaml").count("- it:") == 1


@pytest.mark.parametrize("text", [FINE, FINE.rstrip(), FINE.replace("\n", "\r\n"), f"{FINE}\n# the end"])
def test_cases_are_appended_to_a_file_that_is_there(text: str) -> None:
    write({"rules.yaml": RULES.replace("17", "17, 18")})
    Path("all.cases.yaml").write_bytes(text.encode())
    assert "added to all.cases.yaml: 4 cases, unreviewed" in run("--write")
    assert Path("all.cases.yaml").read_bytes().startswith(text.encode())
    run("--mutation-threshold", "100")


def test_a_file_that_cannot_be_extended_gets_another_one_beside_it() -> None:
    write({"rules.yaml": RULES, "all.cases.yaml": f"cases:\n{CASE}rules: rules.yaml\n"})
    assert "wrote all-2.cases.yaml: " in run("--write")
    run("--mutation-threshold", "100")


def test_a_case_file_has_a_root_only_if_its_rules_need_one() -> None:
    write({"all/rules/rules.yaml": LISTED, "all/lists/in.csv": "kind,id\naccount,17\n", "all/near/near.yaml": NEAR})
    write({"all/near/groups.yaml": GROUPS, "all/plain.yaml": RULES.replace("in-1", "in-2")})
    run("all", "--write")
    heads = {name: text_of(name).splitlines()[1:3] for name in files() if name.endswith(".cases.yaml")}
    assert heads == {
        "all/near/near.cases.yaml": ['rules: "."', "cases:"],
        "all/plain.cases.yaml": ['rules: "plain.yaml"', "cases:"],
        "all/rules/rules.cases.yaml": ['rules: "rules.yaml"', 'root: ".."'],
    }
    run("all", "--mutation-threshold", "100")


def test_the_report_as_json_lists_what_was_written() -> None:
    write({"rules/rules.yaml": RULES})
    found = json.loads(run("rules", "--write", "--format", "json"))
    assert found["written"] == {
        "files": [{"file": "rules/rules.cases.yaml", "cases": 3}],
        "changes": 10,
        "noticed": 10,
    }
    assert [each["case"]["it"] for each in found["mutation"]["suggestions"]] == [
        f"account 17 as of {at}" for at in ("2021-02-09T23:59:59Z", "2021-02-10T00:00:00Z", "2022-02-10T00:00:00Z")
    ]


@pytest.mark.parametrize("indent", ["", "    "])
def test_long_lists_take_several_lines(indent: str) -> None:
    ids = [1355667106821046272 + 8191 * number for number in range(20)]
    some = [code for code in countries() if code not in {member.code for member in expand("EEA")}][:9]
    wide = RULES.replace("[17]", str(ids)).replace("IN", f"[{', '.join(some)}, EEA]")
    write({"rules.yaml": wide, "all.cases.yaml": "rules: rules.yaml\ncases:\n" + indent + CASE_ALONE})
    run("--write")
    lines = text_of("all.cases.yaml").splitlines()
    assert max(map(len, lines)) <= 100
    assert f"{indent}  accounts: [{ids[0]}, {ids[1]}, {ids[2]}, {ids[3]}," in lines
    assert any(line.startswith(f"{indent}  expect: {{EEA: withheld, ") for line in lines)
    run("--mutation-threshold", "100")


def test_withhold_fmt_would_not_change_what_was_written() -> None:
    ids = [1355667106821046272 + 8191 * number for number in range(20)]
    wide = RULES.replace("[17]", str(ids)).replace("IN", f"[{', '.join([*countries()][:30])}]")
    another = wide.removeprefix("rules:\n").replace("in-1", "in-2").replace("1355667", "1455667")
    for rules in (wide, wide + another):
        write({"rules.yaml": rules})
        run(".", "--write")
        written = text_of("rules.cases.yaml")
        assert formatted(written, "rules.cases.yaml") == written
    assert written.count("unreviewed") == 2


def test_links_in_a_repository_do_not_redirect_what_is_written(there: Path) -> None:
    write({"../outside/all.cases.yaml": FINE.replace("rules.yaml", "../here/rules.yaml"), "rules.yaml": RULES})
    write({".git/HEAD": "", "../outside/secret": "secret"})
    Path("all.cases.yaml").symlink_to(there / "real.yaml")
    Path("real.yaml").write_text(FINE, encoding="utf-8")
    assert "cannot write all.cases.yaml" in run("all.cases.yaml", "--write", status=1)
    assert text_of("real.yaml") == FINE


@given(suites())
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_with_the_written_cases_of_any_rules_every_change_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, given_files: dict[str, str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("suite"))
        write(given_files)
        written = json.loads(run("rules", "--write", "--format", "json"))["written"]
        assert written["noticed"] == written["changes"]
        if not written["files"]:  # the rules have no effect
            return
        report = json.loads(run("rules", "--mutate", "--format", "json"))
        assert (report["mutation"]["noticed"], report["mutation"]["suggestions"]) == (written["noticed"], [])
        assert report["cases"] == sum(each["cases"] for each in written["files"])
