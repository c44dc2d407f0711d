"""A guard refuses rules that have lost too much, and the current ones stay active."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.implementations import MakeSnapshot, each_snapshot
from withhold import Engine, Rule, RuleSet, RuleSetError, Snapshot
from withhold.engine.guard import check_loss


def ruled(rules: int, ids: int = 0) -> RuleSet:
    """Return a rule set with `rules` rules and `ids` ids.

    Each rule names one id, except the first, which names the rest.
    """
    first = [Rule(id="0", tweets=range(1000, 1000 + ids - rules + 1), withheld_in=["IN"], reason="terms")]
    others = [Rule(id=str(n), accounts=[n], withheld_in=["IN"], reason="terms") for n in range(1, rules)]
    return RuleSet([*first, *others] if rules else [])


def is_refused(engine: Engine, rules: RuleSet | Snapshot, guard: float) -> bool:
    before = engine.snapshot
    try:
        engine.activate(rules, guard=guard)
    except RuleSetError as error:
        refused = error.code == "guard-refused"
    else:
        refused = False
    assert (engine.snapshot is before) == refused
    return refused


@given(
    st.integers(0, 6), st.integers(0, 6), st.integers(0, 5), st.integers(0, 5), st.sampled_from([0, 0.25, 0.5, 0.9, 1])
)
def test_it_refuses_exactly_the_losses_beyond_its_share(
    rules_before: int, rules_now: int, more_before: int, more_now: int, guard: float
) -> None:
    before, now = (rules_before, rules_before + more_before), (rules_now, rules_now + more_now)
    engine = Engine(ruled(*before))
    before, now = ((rules, ids if rules else 0) for rules, ids in (before, now))
    loses = any(now[kind] < before[kind] * (1 - guard) - 1e-9 for kind in (0, 1))
    assert is_refused(engine, ruled(*now), guard) == (loses or (before[0] > 0 == now[0]))


@each_snapshot
def test_a_loss_of_ids_or_of_rules_alone_is_refused(snapshot_of: MakeSnapshot) -> None:
    engine = Engine(snapshot_of(ruled(10, 1000)))
    assert is_refused(engine, snapshot_of(ruled(10, 100)), 0.5)
    assert is_refused(engine, snapshot_of(ruled(2, 1000)), 0.5)
    with pytest.raises(
        RuleSetError, match="1 rule with 1 id instead of 10 rules with 1,000 ids; at most 50% may be lost"
    ):
        engine.activate(snapshot_of(ruled(1, 1)), guard=0.5)
    assert not is_refused(engine, snapshot_of(ruled(5, 500)), 0.5)


def test_without_a_guard_everything_may_be_lost() -> None:
    engine = Engine(ruled(10, 10))
    assert is_refused(engine, RuleSet(), 1)
    engine.activate(RuleSet())
    assert engine.snapshot.rule_count == 0
    assert not is_refused(engine, RuleSet(), 0)
    assert not is_refused(engine, ruled(1, 1), 0)


@pytest.mark.parametrize("guard", [-0.1, 1.1, 50, float("nan"), True, "0.5"])
def test_a_guard_is_a_share(guard: Any) -> None:
    engine = Engine(ruled(1, 1))
    with pytest.raises(ValueError, match=r"is not a share from 0 to 1 \[bad-guard\]"):
        engine.activate(ruled(1, 1), guard=guard)


def test_c1_a_handler_that_activates_during_the_guarded_call_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, check = Engine(ruled(4, 4)), check_loss

    def interrupted(*given: Any) -> None:
        check(*given)
        engine.activate(ruled(7, 7))

    monkeypatch.setattr("withhold.engine.engine.check_loss", interrupted)
    engine.activate(ruled(5, 5), guard=0.5)
    assert engine.snapshot.rule_count == 7
