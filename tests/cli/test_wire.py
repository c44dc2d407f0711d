"""`withhold import` and `withhold export`."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from tests.wire.material import GOLDEN
from withhold import Rule, RuleSet
from withhold.cli.app import app
from withhold.sources.exporting import rule_files
from withhold.wire import FORMS, WRITTEN

AT = "2021-07-06T18:40:40Z"
GOOD = '{"user_withheld":{"id":17,"withheld_in_countries":["IN"]}}\n'


@pytest.fixture(autouse=True)
def there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments, status=0, **more):
    found = CliRunner().invoke(app, [*map(str, arguments)], **more)
    assert (found.exit_code, type(found.exception)) in ((status, type(None)), (status, SystemExit)), found.output
    return found


def imported(text, *more, status=0, form="stream"):
    return run("import", form, "-", "-o", "rules", "--at", AT, *more, status=status, input=text)


def test_a_malformed_record_makes_the_status_1_and_the_rest_is_written(there):
    found = imported(GOOD + "{broken\n", status=1)
    assert "2: this is not JSON" in found.stdout.replace(":1: ", ": ")
    assert "stream: 2 records, 1 read, 1 refused" in found.stdout
    assert [list(rule.accounts) for rule in RuleSet.load("rules")] == [[17]]


def test_json_holds_what_the_text_does():
    values = json.loads(imported(GOOD + "{broken\n" + '{"limit":{}}\n', "--format", "json", status=1).stdout)
    assert (values["given"], values["read"], values["refused"], values["skipped"]) == (3, 2, 1, {"limit": 1})
    assert (values["rules"], values["files"], len(values["problems"])) == (1, ["stream.yaml"], 1)


def test_a_file_in_another_form_or_an_empty_one_leaves_the_rules_of_before():
    imported(GOOD)
    before = RuleSet.load("rules")
    assert "nothing was written" in imported("{}\n{}\n", status=1).stdout
    assert RuleSet.load("rules") == before
    assert "nothing was written" in imported("", status=1).stdout
    assert RuleSet.load("rules") == before


def test_a_later_import_replaces_its_own_files_and_no_others(there):
    many = "".join(GOOD.replace("17", str(id_)) for id_ in range(1, 31))
    imported(many)
    assert [path.name for path in (there / "rules" / "targets").iterdir()] == [
        "stream@20210706T184040Z@IN@legal_demand.csv"
    ]
    assert "old ones removed: 1" in imported(GOOD).stdout
    found = run("import", "gnip", "-", "-o", "rules", status=4, input='{"user_suspend":{}}')
    assert "foreign-file" in found.stderr
    (there / "rules" / "mine.yaml").write_text("rules: []\n")
    assert "`withhold import stream` did not write this file" in imported(GOOD, status=4).stderr


def test_the_same_file_gives_the_same_bytes_in_any_order(there):
    lines = [GOOD.replace("17", str(id_)).replace("IN", code) for id_ in range(1, 40) for code in ("IN", "TR")]
    imported("".join(lines[::2] + lines[1::2]))
    first = {path.name: path.read_bytes() for path in (there / "rules").rglob("*.*")}
    imported("".join(lines[::2][::-1] + lines[1::2]))
    assert {path.name: path.read_bytes() for path in (there / "rules").rglob("*.*")} == first


@pytest.mark.parametrize("form", [name for name, form in FORMS.items() if not form.dated])
def test_a_form_without_instants_needs_one(form):
    assert "'--at'" in run("import", form, "-", "-o", "rules", "--ids", GOLDEN / "ids.csv", status=2, input="").stderr


def test_wrong_forms_are_usage_errors():
    assert "`v3` is not one of `v1`" in run("import", "v3", "-", "-o", "rules", status=2).stderr
    (name,) = set(list(FORMS)[-1:]) - WRITTEN.keys()
    assert f"`{name}` is not one of" in run("export", name, GOLDEN, status=2).stderr
    assert "'--ids'" in imported("", form="odysee", status=2).stderr


def test_a_table_without_columns_and_bad_ids_are_refusals(there):
    assert "bad-csv-header" in imported("a,b\n", form="takedowns", status=4).stderr
    (there / "ids.csv").write_text("theirs,kind,id\na,tweet,x\n")
    assert "the file was refused: 1 problem" in imported("", "--ids", "ids.csv", form="odysee", status=4).stderr


def rules_in(there, *rules):
    (there / "in").mkdir()
    for path, text in rule_files({"in": rules}, "a test").items():
        (there / "in" / path).write_text(text)
    return "in"


def test_what_a_form_cannot_express_is_reported_and_the_rest_is_written(there):
    path = rules_in(
        there,
        Rule(id="said", accounts=[1], withheld_in=["IN"], reason="legal_demand"),
        Rule(id="by-law", tweets=[2], withheld_in=["TR"], from_=None, reason="local_law"),
        Rule(id="state", tweets=[3], withheld_in=["US-MS", "IN"], reason="legal_demand"),
        Rule(id="allowed", tweets=[4], withheld_in=["EU"], except_in=["FR"], reason="copyright"),
        Rule(id="secret", tweets=[5], withheld_in=["DE"], reason="legal_demand", disclosure="none"),
        Rule(id="out", accounts=[6], effect="suspend", reason="terms"),
    )
    found = run("export", "v2", path, status=1)
    written = {each["id"]: each["withheld"]["country_codes"] for each in map(json.loads, found.stdout.splitlines())}
    assert written.keys() == {"1", "2", "3", "4"}
    assert (written["3"], len(written["4"])) == (["IN"], 26)
    for text in (
        "rule `by-law`: warning: the reason `local_law` of tweets is written as `legal_demand` [lost-in-form]",
        "rule `state`: tweets withheld in `US-MS` for `legal_demand` cannot be written in the form `v2` [cannot-say]",
        "rule `allowed`: warning: its effect on viewers of unknown location is lost [lost-in-form]",
        "rule `secret`: the rule is secret, and others read this form [secret-rule]",
        "rule `out`: a suspension cannot be written in the form `v2` [cannot-say]",
    ):
        assert text in found.stderr
    assert '"5"' not in found.stdout


def test_what_was_lifted_is_an_empty_list_in_v1_and_a_problem_in_v2(there):
    imported(GOOD)
    path = rules_in(
        there,
        Rule(id="a", accounts=[17], withheld_in=["IN"], until=RuleSet.load("rules").rules[0].from_, reason="terms"),
    )
    (line,) = run("export", "v1", path).stdout.splitlines()
    assert json.loads(line)["withheld_in_countries"] == []
    assert "cannot express an empty list [cannot-say]" in run("export", "v2", path, status=1).stderr
    assert run("export", "v1", path, "--at", "1960-01-01T00:00:00Z").stdout == ""
