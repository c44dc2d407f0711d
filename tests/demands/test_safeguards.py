"""Each safeguard: when it is touched, and what it needs."""

from __future__ import annotations

import pytest

from tests.demands.material import ASHA, HOUR, PROTECTED, RAVI, demand, received
from withhold.demands.commands import Clerk, TargetDecision, approve, decide, lift, set_policy
from withhold.demands.register import Register
from withhold.demands.transitions import Ruling
from withhold.errors import DemandError

WIDE = {"requested": "{withheld_in: [WORLD]}"}
IN = ("IN",)


@pytest.mark.parametrize(
    ("number", "where", "protected", "code", "overridable"),
    [
        (2, IN, PROTECTED, None, False),
        (1, IN, PROTECTED, "protected-account", True),
        (5, IN, PROTECTED, "protected-account", True),
        (6, IN, PROTECTED, None, False),
        (4, IN, PROTECTED, "unknown-protection", False),
        (2, IN, None, "unknown-protection", False),
        (2, ("IN-DL",), PROTECTED, None, False),
        (2, ("IN", "PK"), PROTECTED, "beyond-its-country", True),
        (2, ("WORLD",), PROTECTED, "worldwide-for-one-country", True),
        (7, IN, None, None, False),
    ],
)
def test_a_withholding_that_touches_a_safeguard_waits(number, where, protected, code, overridable):
    ledger = received(demand(**WIDE))
    plain = TargetDecision(Ruling.WITHHOLD, withheld_in=where)
    if overridable:
        with pytest.raises(DemandError) as caught:
            decide(ledger, ASHA, "IN-D1", [({number}, plain)], protected)
        assert caught.value.code == code
        plain = TargetDecision(Ruling.WITHHOLD, withheld_in=where, override={code: "counsel advised it"})
    done = decide(ledger, ASHA, "IN-D1", [({number}, plain)], protected)
    assert [*done.stated] == ([code] if code else [])
    if code is None:
        return
    assert len(Register(ledger).rule_set()) == 0, "nothing is effective yet"
    with pytest.raises(DemandError) as caught:
        approve(ledger, ASHA, "IN-D1", None, protected)
    assert caught.value.code == "same-person"
    approve(ledger, RAVI, "IN-D1", None, protected)
    (rule,) = Register(ledger).rule_set()
    assert dict(rule.override) == ({code: "counsel advised it"} if overridable else {})


def test_an_approver_reads_the_list_again():
    ledger = received(demand())
    decide(ledger, ASHA, "IN-D1", [({1}, TargetDecision(Ruling.WITHHOLD))], None)
    with pytest.raises(DemandError) as caught:
        approve(ledger, RAVI, "IN-D1", None, PROTECTED)
    assert caught.value.code == "protected-account"


def test_lifting_what_a_court_ordered_needs_two_persons():
    ledger = received(demand(type="court"))
    decide(ledger, ASHA, "IN-D1", [({2}, TargetDecision(Ruling.WITHHOLD))], PROTECTED)
    with pytest.raises(DemandError) as caught:
        lift(ledger, ASHA, "IN-D1", "reviewed")
    assert caught.value.code == "court-order"
    lift(ledger, ASHA, "IN-D1", "reviewed", override={"court-order": "appeal allowed"})
    (rule,) = Register(ledger).rule_set()
    assert rule.until is None
    ledger.now += HOUR
    approve(ledger, RAVI, "IN-D1")
    (rule,) = Register(ledger).rule_set()
    assert rule.until is not None


def test_the_policy_can_ask_for_two_persons():
    ledger = received(demand())
    set_policy(ledger, ASHA, ["suspend"])
    done = decide(ledger, ASHA, "IN-D1", [({2}, TargetDecision(Ruling.SUSPEND))], PROTECTED)
    assert [*done.stated] == ["two-persons"]


def test_one_person_cannot_make_the_policy_less_strict():
    ledger = received(demand())

    def policy():
        return ledger.state("policy", "")["two_persons"]

    set_policy(ledger, ASHA, ["suspend"])
    set_policy(ledger, ASHA, ["suspend", "lift"])
    assert policy() == ["lift", "suspend"]
    for clerk in (ASHA, Clerk(" ASHA ")):
        done = set_policy(ledger, clerk, ["lift"])
        assert (policy(), done.notes) == (
            ["lift", "suspend"],
            ["the policy would be less strict: another person must set the same"],
        )
    set_policy(ledger, RAVI, ["suspend"])
    assert policy() == ["lift", "suspend"], "it is another proposal"
    set_policy(ledger, ASHA, ["suspend"])
    assert policy() == ["suspend"]
    set_policy(ledger, ASHA, [])
    set_policy(ledger, ASHA, ["suspend"])
    set_policy(ledger, RAVI, [])
    assert policy() == ["suspend"], "setting the same as before has withdrawn the proposal"
