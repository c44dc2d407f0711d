"""The cases that `--mutate` suggests can be pasted as printed into the file: they load, run and notice changes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests import strategies as house
from tests.testing.material import CASE, FINE, RULES
from withhold import Policy, Reference, RuleSet, Viewer
from withhold.cli.app import app
from withhold.model.instants import in_iso
from withhold.testing.pasting import _quoted

NEAR = RULES.replace("in-1", "near-1").replace("IN", "near").replace("17", "18")
GROUPS = "groups: {near: [PK, BD]}\n"
HEADING = re.compile(r"^add to (.*), if this behaviour is intended:\n", re.MULTILINE)


def write(files: dict[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


def mutate(*paths: str, form: str = "text") -> str:
    found = CliRunner().invoke(app, ["test", *paths, "--mutate", "--format", form])
    assert found.exit_code == 0, found.output
    return found.stdout


def names(*paths: str) -> set[tuple[str, str]]:
    """Return the cases that run."""
    report = json.loads(CliRunner().invoke(app, ["test", *paths, "--format", "json"]).stdout)
    return {(file["file"], case["it"]) for file in report["files"] for case in file["cases"]}


def paste(printed: str) -> list[str]:
    """Append the suggestions to the named files, and return the names."""
    _, *parts = HEADING.split(printed)
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(f"{text.rstrip()}\n")
    return [str(Path(name)) for name in parts[::2]]


def pasted_until_nothing_is_suggested(*paths: str) -> list[str]:
    """Return the files of the first suggestions.

    Assert that all cases keep running, and that each round notices more.
    """
    ran, noticed, first = names(*paths), -1, None
    while to := paste(printed := mutate(*paths)):
        first = first or to
        before, ran = ran, names(*paths)
        assert before < ran
        share = re.search(r"mutation: \d+% \(([\d,]+) of", printed)
        assert share is not None
        assert int(share[1]) > noticed
        noticed = int(share[1])
    assert "mutation: 100%" in printed
    return first or []


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


@pytest.mark.parametrize(
    ("files", "to", "rules"),
    [
        ({"near.yaml": NEAR, "groups.yaml": GROUPS}, "near.cases.yaml", "."),
        ({"near.yaml": NEAR + GROUPS}, "near.cases.yaml", "near.yaml"),
        ({"deep/near.yaml": NEAR, "groups.yaml": GROUPS}, "deep/near.cases.yaml", ".."),
        ({"deep/er/near.yaml": NEAR, "deep/groups.yaml": GROUPS}, "deep/er/near.cases.yaml", ".."),
        ({"deep/near.yaml": NEAR, "deep/groups.yaml": GROUPS}, "deep/near.cases.yaml", "."),
        ({"ä b#: '\".yaml": NEAR + GROUPS}, "ä b#: '\".cases.yaml", "ä b#: '\".yaml"),
        ({"\N{PILE OF POO}.yaml": NEAR + GROUPS}, "\N{PILE OF POO}.cases.yaml", "\N{PILE OF POO}.yaml"),
        ({"NO.yml": NEAR + GROUPS}, "NO.cases.yaml", "NO.yml"),
        ({"near.json": json.dumps({"rules": []}), "near.yaml": NEAR + GROUPS}, "near.cases.yaml", "near.yaml"),
        # Names that a case file cannot contain, and that are printed with escapes.
        ({"a\nb.yaml": NEAR + GROUPS}, "a_b.cases.yaml", "."),
        ({"a\\b.yaml": NEAR + GROUPS}, "a\\b.cases.yaml", "."),
        ({"deep/\u202ea.yaml": NEAR, "groups.yaml": GROUPS}, "deep/_a.cases.yaml", ".."),
        # A case file with this name exists already, for other rules.
        ({"near.yaml": NEAR + GROUPS, "near.cases.yaml": FINE}, "near-2.cases.yaml", "near.yaml"),
    ],
)
def test_e1_a_new_case_file_names_rules_that_load(files: dict[str, str], to: str, rules: str) -> None:
    write({"rules.yaml": RULES, "all.cases.yaml": FINE, **files})
    (suggestion,) = (
        each for each in json.loads(mutate(form="json"))["mutation"]["suggestions"] if each["rules"] is not None
    )
    assert (suggestion["file"], suggestion["rules"], suggestion["policy"]) == (to, rules, None)
    assert to in pasted_until_nothing_is_suggested()


def test_e1_two_rule_files_of_one_name_have_a_case_file_each() -> None:
    write({"rules.yaml": RULES, "all.cases.yaml": FINE, "near.yaml": NEAR + GROUPS})
    write({"near.json": json.dumps({"rules": [{"id": "j", "accounts": [9], "withheld_in": "IN", "reason": "terms"}]})})
    assert {"near.cases.yaml", "near-2.cases.yaml"} <= set(pasted_until_nothing_is_suggested())


def test_e1_what_is_expected_is_what_all_rules_of_the_folder_say_together() -> None:
    """The rules must be named by their directory, and another rule in it may withhold the same subject."""
    write({"rules.yaml": RULES.replace("IN", "WORLD").replace("17", "18"), "near.yaml": NEAR, "groups.yaml": GROUPS})
    write({"all.cases.yaml": FINE.replace("17", "18").replace("US: visible", "US: withheld")})
    pasted_until_nothing_is_suggested()


def test_e1_cases_go_where_case_files_are_looked_for() -> None:
    """A case file beside rules elsewhere, or behind a link, would not be found by a run."""
    write(
        {
            "../.git/HEAD": "",
            "../rules/in.yaml": RULES,
            "../rules/near.yaml": NEAR + GROUPS,
            "all.cases.yaml": FINE.replace("rules.yaml", "../rules/in.yaml"),
        }
    )
    assert pasted_until_nothing_is_suggested() == ["all.cases.yaml", "near.cases.yaml"]
    assert Path("near.cases.yaml").read_text(encoding="utf-8").splitlines()[1] == 'rules: "../rules/near.yaml"'


def test_e1_cases_of_rules_behind_a_link_go_where_they_are_found() -> None:
    write(
        {
            ".rules/near.yaml": NEAR,
            ".rules/groups.yaml": GROUPS,
            "in.yaml": RULES,
            "all.cases.yaml": FINE.replace("rules.yaml", "in.yaml"),
        }
    )
    Path("link").symlink_to(".rules")
    assert "near.cases.yaml" in pasted_until_nothing_is_suggested()
    assert Path("near.cases.yaml").read_text(encoding="utf-8").splitlines()[1] == 'rules: "link"'


ITEM = {"it": "withholds it", "account": "17", "at": "2021-02-10T00:00:00Z", "expect": {"IN": "withheld"}}


@pytest.mark.parametrize(
    ("text", "to"),
    [
        (FINE, "all.cases.yaml"),
        (FINE.rstrip(), "all.cases.yaml"),
        (FINE + "# the end\n\n\n", "all.cases.yaml"),
        (f"# first\n{FINE}", "all.cases.yaml"),
        (FINE.replace("- it: withholds it", "- it: |\n      withholds\n      it\n"), "all.cases.yaml"),
        (FINE.replace("\n", "\r\n"), "all.cases.yaml"),
        (f"rules: rules.yaml\ncases:\n{CASE.replace(chr(10) + '  ', chr(10)).removeprefix('  ')}", "all.cases.yaml"),
        # Nothing can be appended to these.
        (f"cases:\n{CASE}rules: rules.yaml\n", "all-2.cases.yaml"),
        (f"cases:\n{CASE}\npolicy: {{unknown_location: show}}\nrules: rules.yaml\n", "all-2.cases.yaml"),
        (f"rules: rules.yaml\ncases: [{json.dumps(ITEM)}]\n", "all-2.cases.yaml"),
        (json.dumps({"rules": "rules.yaml", "cases": [ITEM]}), "all-2.cases.yaml"),
        (f"{FINE}...\n", "all-2.cases.yaml"),
    ],
)
def test_e1_a_case_file_that_is_there_keeps_its_cases(text: str, to: str) -> None:
    write({"rules.yaml": RULES.replace("17", "17, 19"), "all.cases.yaml": text})
    assert pasted_until_nothing_is_suggested()[0] == to


@pytest.mark.parametrize("own", ["true", "false"])
def test_e1_a_new_case_file_has_the_policy(own: str) -> None:
    policy = f"policy: {{unknown_location: withhold, author_sees_own: {own}}}"
    write({"rules.yaml": RULES, "all.cases.yaml": f"cases:\n{CASE}rules: rules.yaml\n{policy}\n"})
    assert pasted_until_nothing_is_suggested() == ["all-2.cases.yaml"]
    assert policy in Path("all-2.cases.yaml").read_text(encoding="utf-8").splitlines()


def test_e1_rules_of_a_snapshot() -> None:
    write({"rules/rules.yaml": RULES, "rules/near.yaml": NEAR, "rules/groups.yaml": GROUPS})
    assert CliRunner().invoke(app, ["compile", "rules", "-o", "rules.wh"]).exit_code == 0
    write({"all.cases.yaml": FINE.replace("rules.yaml", "rules.wh")})
    assert pasted_until_nothing_is_suggested() == ["all.cases.yaml"]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_e1_any_name_of_a_file_is_read_as_it_is(text: str) -> None:
    from withhold.parsing.yaml_file import read_yaml

    root = read_yaml(f"rules: {_quoted(text)}\n", "in.yaml")
    assert root is not None
    assert root.at(["rules"]).text == text


ODD_IDS = st.sampled_from(["a: b", "- x", "#c", "'q' \"r\"", "ä`b`", "{x}", "null", "%", "&a *b", "|", "x\\n", "日本"])


@st.composite
def suites(draw: st.DrawFn) -> dict[str, str]:
    """Draw rule files, some of which need groups from another file, and case files for some of them."""
    rules = draw(house.rule_sets(max_size=4).filter(len))
    odd = dict(
        zip((rule.id for rule in rules), draw(st.lists(ODD_IDS, min_size=4, max_size=4, unique=True)), strict=False)
    )
    in_file: dict[str, list[object]] = {}
    for rule in rules:
        grouped = draw(st.booleans()) and rule.effect == "withhold"
        written = {
            "id": odd[rule.id],
            "accounts": list(rule.accounts),
            "tweets": list(rule.tweets),
            "withheld_in": [*rule.withheld_in, *(["near"] if grouped else [])],
            "except_in": list(rule.except_in),
            "from": in_iso(rule.from_),
            "until": in_iso(rule.until),
            "stays": [{"from": in_iso(stay.start), "until": in_iso(stay.end)} for stay in rule.stays],
            "effect": rule.effect,
            "reason": rule.reason,
            "if_unknown": rule.if_unknown,
        }
        in_file.setdefault(draw(st.sampled_from(["a.yaml", "deep/b.yaml", "deep/c d.json"])), []).append(written)
    files = {f"rules/{name}": json.dumps({"rules": listed}) for name, listed in in_file.items()}
    files[
        draw(
            st.sampled_from(
                ["rules/groups.yaml", "rules/deep/groups.yaml" if "rules/a.yaml" not in files else "rules/groups.yaml"]
            )
        )
    ] = GROUPS
    return files


@given(suites(), st.sampled_from(["rules", "rules/a.yaml", None]), house.policies)
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_e1_every_suggestion_of_any_suite_can_be_pasted(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, str], about: str | None, policy: Policy
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("suite"))
        write(files)
        write({"own/rules.yaml": RULES, "own/all.cases.yaml": FINE})
        if about is not None and Path(about).exists():
            try:
                rules = RuleSet.load(about)
            except ValueError:  # it needs a group of another file
                rules = RuleSet()
            if rules:
                first = next(iter(rules))
                subject = (
                    ("account", next(iter(first.accounts))) if first.accounts else ("tweet", next(iter(first.tweets)))
                )
                pair = (None, subject[1]) if subject[0] == "account" else (subject[1], None)

                outcome = Reference(rules, policy).check(pair, Viewer.unknown(), house.START).outcome
                case = {"it": "one", subject[0]: subject[1], "at": in_iso(house.START), "expect": {"unknown": outcome}}
                head = f"rules: ../{about}\npolicy: {{unknown_location: {policy.unknown_location}, author_sees_own: {str(policy.author_sees_own).lower()}}}\n"
                write({"cases/some.cases.yaml": f"{head}cases:\n  - {json.dumps(case)}\n"})
        pasted_until_nothing_is_suggested(".")
