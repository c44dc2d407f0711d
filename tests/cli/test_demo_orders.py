"""`withhold demo --from-orders`: the rules of the ledger answer as the rule files of the demo, at every instant."""

from __future__ import annotations

import re
from importlib.resources import as_file, files
from itertools import pairwise

import pytest
from typer.testing import CliRunner

from withhold import Engine, RuleSet, Viewer
from withhold.cli.app import app
from withhold.cli.demo_orders import STEPS, acted_on, in_orders, rules_of_ledger, run_steps
from withhold.model.instants import parse_instant

VIEWERS = (Viewer(country="IN"), Viewer(country="US"), Viewer(country="PK"), Viewer.unknown())
#: Those of the published record, and the first instants of each period.
INSTANTS = (
    *("2021-01-31T12:00:00Z", "2021-02-01T08:59:59.999Z", "2021-02-01T09:00:00Z", "2021-02-01T10:36:00Z"),
    *("2021-02-01T15:00:00Z", "2021-02-05T00:00:00Z", "2021-02-09T12:00:00Z", "2021-02-10T04:30:00Z"),
    *("2021-02-10T05:00:00Z", "2021-02-10T12:00:00Z", "2021-02-12T12:00:00Z"),
)


@pytest.fixture(scope="module")
def replayed():
    with in_orders():
        assert len([*run_steps()]) == len(STEPS)
        instants = [parse_instant(text) for text in INSTANTS]
        yield rules_of_ledger(), [(at, rules_of_ledger(at)) for at in instants], acted_on()


def outcomes(rules, questions, viewer, at):
    view = Engine(rules).view(viewer, at)
    return [view.check(**question).outcome for question in questions]


@pytest.mark.parametrize("viewer", VIEWERS, ids=str)
def test_every_answer_is_that_of_the_rule_files_as_known_then_and_as_known_now(replayed, viewer):
    now, then, _ = replayed
    with as_file(files("withhold.cli") / "demo_data") as data:
        written = RuleSet.load(data / "rules")
    accounts = {id_ for rule in written for id_ in rule.accounts}
    tweets = {id_ for rule in written for id_ in rule.tweets}
    questions = [{"account_id": id_} for id_ in sorted(accounts)] + [{"tweet_id": id_} for id_ in sorted(tweets)]
    assert len(questions) == 1_434
    for at, known in then:
        wanted = outcomes(written, questions, viewer, at)
        assert outcomes(now, questions, viewer, at) == wanted, at
        assert outcomes(known, questions, viewer, at) == wanted, at


def test_the_platform_acted_on_1398_of_1435_entries(replayed):
    assert replayed[2] == (1_398, 1_435)


def test_rules_are_known_only_after_they_were_recorded(replayed):
    now, then, _ = replayed
    known = [{rule.id for rule in rules} for _, rules in then]
    assert known[:2] == [set(), set()]
    assert all(earlier <= later for earlier, later in pairwise(known))
    assert known[-1] == {rule.id for rule in now}


def test_the_command_shows_each_step():
    found = CliRunner().invoke(app, ["demo", "--from-orders"])
    assert found.exit_code == 0, found.output
    assert found.output.count("$ withhold demands") == sum(len(commands) for _, _, *commands in STEPS) + 2
    assert "IN-D1: 199 withhold, 37 refuse" in found.output
    assert "1,398 of 1,435 entries" in found.output
    assert re.search(r"known at each instant, they are the same\.", found.output)
    assert not re.search("asha|ravi", "".join(re.findall(r"proof(.*?)The outcomes", found.output, re.DOTALL)))
