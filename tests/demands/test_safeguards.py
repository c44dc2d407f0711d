"""Each safeguard: the decisions to which it applies, and its requirements."""

from __future__ import annotations

import pytest

from tests.demands.material import ASHA, HOUR, PROTECTED, RAVI, START, demand, received
from withhold import Engine, Viewer
from withhold.demands.commands import Clerk, TargetDecision, amend, approve, decide, lift, set_policy
from withhold.demands.register import Register
from withhold.demands.transitions import Ruling
from withhold.errors import DemandError
from withhold.model.policy import Settle

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
        (2, IN, [], "unknown-protection", False),
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


def visible(ledger, account, at=None):
    return (
        Engine(Register(ledger).rule_set())
        .view(Viewer.unknown() if at is None else IN_INDIA, at=at)
        .check(account_id=account)
        .visible
    )


IN_INDIA = Viewer(country="IN")
LATER = START + 1000 * HOUR


@pytest.mark.parametrize("second", [False, True])
def test_what_begins_earlier_is_no_repetition(second):
    ledger = received(demand())
    accounts = None if second else PROTECTED
    decide(ledger, ASHA, "IN-D1", [({2}, TargetDecision(Ruling.WITHHOLD, effective_at=LATER))], accounts)
    ledger.now += HOUR
    now = ledger.now
    done = decide(ledger, ASHA, "IN-D1", [({2}, TargetDecision(Ruling.WITHHOLD))], accounts)
    assert done.unchanged == 0
    if second:
        approve(ledger, RAVI, "IN-D1", None, accounts)
    assert not visible(ledger, 2, now + HOUR)
    assert decide(ledger, ASHA, "IN-D1", [({2}, TargetDecision(Ruling.WITHHOLD))], accounts).unchanged == 1
    again = TargetDecision(Ruling.WITHHOLD, effective_at=LATER)
    assert decide(ledger, ASHA, "IN-D1", [({2}, again)], accounts).unchanged == 1, "it is withheld then"


def test_a_court_order_cannot_be_lifted_by_a_proposal_that_is_older_than_the_court():
    ledger = received(demand())
    set_policy(ledger, ASHA, ["lift"])
    decide(ledger, ASHA, "IN-D1", [({2}, TargetDecision(Ruling.WITHHOLD))], PROTECTED)
    lift(ledger, ASHA, "IN-D1", "reviewed")
    amend(ledger, ASHA, demand(kind="court_order"), "the court confirmed it")
    with pytest.raises(DemandError) as caught:
        approve(ledger, RAVI, "IN-D1", None, PROTECTED)
    assert caught.value.code == "court-order"


def test_showing_what_a_court_ordered_to_viewers_of_unknown_location_needs_two_persons():
    ledger = received(demand(type="court"))
    decide(ledger, ASHA, "IN-D1", [({2}, TargetDecision(Ruling.WITHHOLD, if_unknown=Settle.WITHHOLD))], PROTECTED)
    for settle in (None, Settle.SHOW):
        with pytest.raises(DemandError) as caught:
            decide(ledger, ASHA, "IN-D1", [({2}, TargetDecision(Ruling.WITHHOLD, if_unknown=settle))], PROTECTED)
        assert caught.value.code == "court-order"
    assert not visible(ledger, 2)
