"""`withhold bench` prints figures for the user's own rules, or none if an answer is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import withhold
from withhold import RuleSet, Snapshot, View
from withhold.cli.app import app
from withhold.native.package import this_package
from withhold.snapshot.table import DictTable

RULES = """\
rules:
  - id: in-1
    accounts: [17, 18]
    tweets: [20]
    withheld_in: IN
    reason: legal_demand
"""


@pytest.fixture
def rules(tmp_path, monkeypatch):
    monkeypatch.setattr("withhold.reports.speed._QUESTIONS", 500)
    file = tmp_path / "in.yaml"
    file.write_text(RULES, encoding="utf-8")
    return str(file)


def test_it_times_what_a_feed_asks_beside_floors(rules):
    found = CliRunner().invoke(app, ["bench", rules, "--country", "IN"])
    assert found.exit_code == 0, found.output
    assert "1 rule · 2 accounts · 1 tweet" in found.output
    lines = ["view.withholds, no rule names it", "view.check, a rule names it", "a method in Python that does nothing"]
    assert all(any(line.startswith(what) for line in found.output.splitlines()) for what in lines)
    assert "a function in C that compares two references" in found.output


def test_e10_the_first_line_states_which_package_is_measured(rules):
    package = this_package()
    found = CliRunner().invoke(app, ["bench", rules])
    assert found.output.splitlines()[0] == f"measured: {package}"
    assert package.folder == str(Path(withhold.__file__).parents[1])
    in_json = json.loads(CliRunner().invoke(app, ["bench", rules, "--format", "json"]).output)
    assert in_json["package"] == package._asdict()


def test_it_says_the_same_as_json_also_of_a_snapshot(rules, tmp_path):
    CliRunner().invoke(app, ["compile", rules, "-o", str(tmp_path / "rules.wh")])
    found = json.loads(CliRunner().invoke(app, ["bench", str(tmp_path / "rules.wh"), "--format", "json"]).output)
    assert found["revision"] == Snapshot.open(tmp_path / "rules.wh").revision
    assert found["viewer"]["country"] is None
    assert all(0 < figure["low"] <= figure["nanoseconds"] <= figure["high"] for figure in found["figures"])


def test_of_a_snapshot_not_all_rules_are_read(rules, tmp_path, monkeypatch):
    CliRunner().invoke(app, ["compile", rules, "-o", str(tmp_path / "rules.wh")])
    monkeypatch.delattr("withhold.snapshot.opened.OpenedSnapshot.rule_set")
    found = CliRunner().invoke(app, ["bench", str(tmp_path / "rules.wh")])
    assert found.output.splitlines()[1].startswith("1 rule · 2 accounts · 1 tweet"), found.output


def test_rules_that_name_nothing_are_timed_too(rules, tmp_path):
    (tmp_path / "in.yaml").write_text("rules: []", encoding="utf-8")
    found = CliRunner().invoke(app, ["bench", rules])
    assert found.exit_code == 0
    assert "a rule names it" not in found.output


def test_it_asks_what_traffic_asks(rules, tmp_path):
    traffic = tmp_path / "traffic.csv"
    traffic.write_text("tweet,account,country,count\n20,1,IN,9\n21,17,TR,5\n99,99,IN,3\n5,,IN,7\n", encoding="utf-8")
    found = CliRunner().invoke(app, ["bench", rules, "--traffic", str(traffic)])
    assert found.exit_code == 0, found.output
    assert "a viewer in IN" in found.output
    assert "7 impressions that do not name both a tweet and an account were left out" in found.output
    assert "view.check, a rule names it" in found.output


@pytest.mark.parametrize(
    ("country", "arguments", "where"),
    [
        ("IN", [], "a viewer in IN (most of the traffic was there)"),
        ("", [], "a viewer at an unknown location (most of the traffic was there)"),
        ("IN", ["--country", "TR"], "a viewer in TR (the country was given)"),
        ("IN", ["--country", "US-MS"], "a viewer in US, US-MS (the subdivision was given)"),
    ],
)
def test_e6_where_the_viewer_is_comes_from_the_traffic_or_an_option(rules, tmp_path, country, arguments, where):
    traffic = tmp_path / "traffic.csv"
    traffic.write_text(f"tweet,account,country,count\n20,1,{country},9\n21,17,TR,5\n", encoding="utf-8")
    found = CliRunner().invoke(app, ["bench", rules, "--traffic", str(traffic), *arguments])
    assert f"; {where}\n" in found.stdout


@pytest.mark.parametrize("country", ["Turkey", "IN,PK", "", "WORLD", "XX"])
def test_e6_bench_advises_no_option_that_it_does_not_have(rules, country):
    found = CliRunner().invoke(app, ["bench", rules, "--country", country])
    assert found.exit_code == 2
    assert "--country" in found.output
    assert "--subdivision" not in found.output


def test_few_pairs_are_asked_about_again_and_again(rules, monkeypatch):
    """The three named pairs are repeated to as many questions as the others. With fewer, the clock would dominate."""
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr("withhold.reports.speed.Engine", lambda snapshot: Counting(snapshot, asked))
    assert CliRunner().invoke(app, ["bench", rules, "--country", "IN"]).exit_code == 0
    assert sum(20 in pair or 17 in pair or 18 in pair for pair in asked) >= 16 * 500


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tweet,account,country,count\nx,1,IN,9\n", "traffic.csv:2:1"),
        ("tweet,account,country,count\n,1,IN,9\n", "traffic.csv:1:1: no impression names both"),
        ("tweet,account,country,count\n5,1,IN,0\n", "[no-pairs]; the questions are about"),
    ],
)
def test_traffic_that_is_wrong_is_refused(rules, tmp_path, text, message):
    traffic = tmp_path / "traffic.csv"
    traffic.write_text(text, encoding="utf-8")
    found = CliRunner().invoke(app, ["bench", rules, "--traffic", str(traffic)])
    assert found.exit_code == 2
    assert message in found.output


def test_nothing_is_timed_if_an_answer_is_wrong(rules, monkeypatch):
    monkeypatch.setattr("withhold.reports.speed.Engine", Liar)
    found = CliRunner().invoke(app, ["bench", rules, "--country", "IN"])
    assert found.exit_code == 1
    assert "differ on tweet" in found.output
    assert "nothing was timed" in found.output


def test_nothing_is_timed_if_a_table_is_blind(rules, monkeypatch):
    """Named ids are taken from the list of ids and not from the table, so a table that finds nothing is detected."""

    def blind(*_):
        snapshot = Snapshot.compile(RuleSet.load(rules), native=False)
        snapshot._contents.tables["tweets"] = DictTable({})
        return Snapshot(snapshot._contents)

    monkeypatch.setattr("withhold.cli.bench.options.load_snapshot", blind)
    found = CliRunner().invoke(app, ["bench", rules, "--country", "IN"])
    assert found.exit_code == 1
    assert "differ on tweet 20" in found.output


class Liar:
    """An engine that answers for a viewer in another country."""

    def __init__(self, snapshot):
        from withhold import Engine, Viewer

        self.view_of = lambda at: Engine(snapshot).view(Viewer(country="FR"), at)

    def view(self, viewer, at):
        true = self.view_of(at)
        return _Lying(true, viewer)


class Counting:
    """An engine that records the questions to `check`."""

    def __init__(self, snapshot, asked):
        from withhold import Engine

        self.view_of = Engine(snapshot).view
        self.asked = asked

    def view(self, viewer, at):
        return _Noting(self.view_of(viewer, at), self.asked)


class _Noting:
    def __init__(self, view: View, asked) -> None:
        self.withholds, self.filter, self.mask = view.withholds, view.filter, view.mask
        self.viewer, self.at, self.view, self.asked = view.viewer, view.at, view, asked

    def check(self, *, tweet_id, account_id):
        self.asked.append((tweet_id, account_id))
        return self.view.check(tweet_id=tweet_id, account_id=account_id)


class _Lying:
    def __init__(self, view: View, viewer) -> None:
        self.check, self.withholds, self.viewer, self.at = view.check, view.withholds, viewer, view.at
