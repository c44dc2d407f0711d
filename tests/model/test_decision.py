"""A decision is a value without a truth value, and converts to JSON."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from datetime import UTC, datetime

import pytest

from withhold import Decision, Disclosure, Freshness, Outcome, Reason, Scope, TerritorySet

FULL = Decision(
    outcome=Outcome.WITHHELD,
    rule_ids=("in-1", "in-2"),
    scope=Scope.ACCOUNT,
    reason=Reason.LEGAL_DEMAND,
    demand="IN-D1",
    jurisdiction="IN",
    disclosure=Disclosure.REASON,
    territories=TerritorySet(["WORLD"]) - TerritorySet(["US"]),
    disclosed_in=TerritorySet(["IN"]),
    certain=False,
    varies_by_location=True,
    valid_until=datetime(2021, 2, 10, 5, tzinfo=UTC),
    revision="0123456789abcdef",
)
PLAIN = Decision(outcome=Outcome.VISIBLE)


@pytest.mark.parametrize("decision", [FULL, PLAIN])
def test_a_decision_is_neither_true_nor_false(decision: Decision) -> None:
    """A1: every use as a truth value raises an error that says what to use instead."""
    for ask in (
        lambda: bool(decision),
        lambda: not decision,
        lambda: 1 if decision else 0,
        lambda: list(filter(None, [decision])),
    ):
        with pytest.raises(TypeError, match=r"use \.visible"):
            ask()


def test_decisions_can_still_be_compared_and_looked_up() -> None:
    assert dataclasses.replace(FULL) == FULL
    assert FULL != PLAIN
    assert FULL in [PLAIN, FULL]
    assert {FULL: 1, PLAIN: 2}[dataclasses.replace(FULL)] == 1


@pytest.mark.parametrize("outcome", Outcome)
def test_exactly_one_of_the_three_properties_is_true(outcome: Outcome) -> None:
    decision = Decision(outcome=outcome)
    printed = {"visible": decision.visible, "withheld": decision.withheld, "suspended": decision.suspended}
    assert [word for word, true in printed.items() if true] == [outcome.value]


def test_rule_id_is_the_first_rule() -> None:
    assert FULL.rule_id == "in-1"
    assert PLAIN.rule_id is None


def test_to_dict_gives_json_values_of_all_fields() -> None:
    printed = json.loads(json.dumps(FULL.to_dict()))
    assert printed == {
        "outcome": "withheld",
        "exempt": None,
        "rule_ids": ["in-1", "in-2"],
        "rule_id": "in-1",
        "scope": "account",
        "reason": "legal_demand",
        "demand": "IN-D1",
        "jurisdiction": "IN",
        "disclosure": "reason",
        "territories": "WORLD except US",
        "available_in": "US",
        "disclosed_in": "IN",
        "certain": False,
        "varies_by_location": True,
        "valid_until": "2021-02-10T05:00:00Z",
        "revision": "0123456789abcdef",
        "freshness": Freshness().to_dict(),
    }
    assert printed["available_in"] == str(FULL.available_in)
    assert set(printed) >= {field.name for field in dataclasses.fields(Decision)}
    assert json.loads(json.dumps(PLAIN.to_dict()))["valid_until"] is None


def test_a_decision_can_be_copied_and_pickled() -> None:
    for again in (pickle.loads(pickle.dumps(FULL)), copy.deepcopy(FULL)):  # noqa: S301
        assert again == FULL


def test_a_decision_cannot_be_changed() -> None:
    """The same object is returned for the same question (A2)."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        FULL.outcome = Outcome.VISIBLE  # type: ignore[misc]
