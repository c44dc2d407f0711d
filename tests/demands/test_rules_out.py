"""Rules out: files and rule set are the same, ids are stable, and a suspension continues."""

from __future__ import annotations

import pytest

from tests.demands.material import ASHA, HOUR, PROTECTED, demand, received
from withhold import RuleSet
from withhold.demands.commands import TargetDecision, amend, decide, lift, receive, revoke
from withhold.demands.intake.entries import Kind
from withhold.demands.register import Register, write_files
from withhold.demands.transitions import Ruling
from withhold.errors import DemandError
from withhold.lint import lint

MANY = [(f"account:{number}", Kind.ACCOUNT) for number in range(1001, 1101)]
WITHHOLD = TargetDecision(Ruling.WITHHOLD)


def decided(keys=MANY):
    ledger = received(demand(), keys=keys)
    decide(ledger, ASHA, "IN-D1", [(None, WITHHOLD)], PROTECTED)
    ledger.now += HOUR
    return ledger


def test_the_files_load_as_the_rule_set_and_pass_lint(tmp_path):
    ledger = decided()
    lift(ledger, ASHA, "IN-D1", "reviewed", {1, 2})
    write_files(tmp_path, Register(ledger).rule_files())
    loaded = RuleSet.load(tmp_path)
    assert loaded == Register(ledger).rule_set()
    assert {each.code for each in lint(loaded, PROTECTED)} <= {"no-end"}
    assert sorted(path.name for path in (tmp_path / "targets").iterdir()) == ["IN-D1@102.csv"]


def test_a_later_export_replaces_its_own_files_and_no_others(tmp_path):
    ledger = decided()
    write_files(tmp_path, Register(ledger).rule_files())
    lift(ledger, ASHA, "IN-D1", "reviewed", set(range(1, 91)))
    lift(ledger, ASHA, "IN-D1", "reviewed")
    write_files(tmp_path, Register(ledger).rule_files())
    assert RuleSet.load(tmp_path) == Register(ledger).rule_set()
    (tmp_path / "mine.yaml").write_text("rules: []\n")
    with pytest.raises(DemandError, match="foreign-file"):
        write_files(tmp_path, Register(ledger).rule_files())


def test_lifting_a_part_changes_no_other_id_and_imposing_again_is_a_new_rule():
    ledger = decided()
    before = Register(ledger).rule_set().rules[0].id
    lift(ledger, ASHA, "IN-D1", "reviewed", {1})
    ledger.now += HOUR
    ids = [rule.id for rule in Register(ledger).rule_set()]
    assert ids == [before, f"{before}:202"]
    decide(ledger, ASHA, "IN-D1", [({1}, WITHHOLD)], PROTECTED)
    ledger.now += HOUR
    assert [rule.id for rule in Register(ledger).rule_set()] == [*ids, "IN-D1:203"]
    lift(ledger, ASHA, "IN-D1", "reviewed", set(range(2, 101)))
    assert [rule.id for rule in Register(ledger).rule_set()] == [*ids, "IN-D1:203"]


def test_a_repeated_decision_records_nothing_and_a_suspension_survives_a_revocation():
    ledger = decided()
    assert decide(ledger, ASHA, "IN-D1", [(set(range(1, 101)), WITHHOLD)], PROTECTED).unchanged == 100
    decide(ledger, ASHA, "IN-D1", [({1}, TargetDecision(Ruling.SUSPEND))], PROTECTED)
    ledger.now += HOUR
    revoke(ledger, ASHA, "IN-D1", "letter")
    lasting = [rule for rule in Register(ledger).rule_set() if rule.until is None]
    assert [(rule.effect.value, rule.reason.value, rule.demand, list(rule.accounts)) for rule in lasting] == [
        ("suspend", "terms", None, [1001])
    ]


def test_known_at_is_another_axis_than_at():
    ledger = decided()
    lift(ledger, ASHA, "IN-D1", "reviewed")
    (then,) = Register(ledger).rule_set(known_at=ledger.now - HOUR)
    (now,) = Register(ledger).rule_set()
    assert (then.until, now.until) == (None, ledger.now)


def test_files_as_known_at_an_instant_have_no_later_demand():
    ledger = decided()
    receive(ledger, ASHA, demand("IN-D2"))
    register = Register(ledger)
    then, now = register.rule_files(known_at=ledger.now - HOUR), register.rule_files()
    assert {"IN-D2.yaml"} == now.keys() - then.keys()
    assert then == {path: now[path] for path in then}


def test_disclosure_and_jurisdiction_come_from_the_demand():
    ledger = decided()
    amend(ledger, ASHA, demand(confidentiality="{notify_user: deny}"), "gagged")
    (rule,) = Register(ledger).rule_set()
    assert (rule.disclosure.value, rule.jurisdiction) == ("none", "IN")
