"""A set of rules with unique ids, and a digest that identifies it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from withhold import Place, Problem, Rule, RuleSet, RuleSetError

START, END = datetime(2021, 2, 10, tzinfo=UTC), datetime(2021, 2, 11, tzinfo=UTC)


def rule(**keys: Any) -> Rule:
    return Rule(**{"id": "a", "accounts": [1], "withheld_in": ["IN"], "reason": "terms"} | keys)


class TestIds:
    def test_a_repeated_id_is_reported_with_both_places(self) -> None:
        with pytest.raises(RuleSetError) as caught:
            RuleSet(
                [rule(place=Place("a.yaml", 2, 3)), rule(id="b"), rule(place=Place("b.yaml", 4, 5), reason="copyright")]
            )
        assert caught.value.problems == (
            Problem(
                "repeated-rule-id",
                "rule id `a` is used twice",
                Place("b.yaml", 4, 5),
                "the first is at a.yaml:2:3",
            ),
        )
        assert (caught.value.read, caught.value.refused) == (2, 1)

    def test_all_repeated_ids_are_reported(self) -> None:
        with pytest.raises(RuleSetError) as caught:
            RuleSet(rule(id=name) for name in "abcabca")
        assert [problem.message for problem in caught.value.problems] == [
            f"rule id `{name}` is used twice" for name in "abca"
        ]
        assert caught.value.hint == "give each rule its own id"
        assert (caught.value.read, caught.value.refused) == (3, 4)

    def test_the_very_same_rule_twice_is_a_repeated_id_too(self) -> None:
        one = rule()
        with pytest.raises(RuleSetError):
            RuleSet([one, one])

    def test_a_set_is_a_collection_of_its_rules(self) -> None:
        a, b = rule(), rule(id="b")
        rules = RuleSet([b, a])
        assert list(rules) == [b, a], "in the order in which they were given"
        assert len(rules) == 2
        assert rules["a"] is a
        assert "a" in rules
        assert "c" not in rules
        assert None not in rules
        with pytest.raises(KeyError):
            rules["c"]

    def test_a_set_may_be_empty(self) -> None:
        assert len(RuleSet()) == 0
        assert len(RuleSet().digest) == 64
        assert repr(RuleSet()) == f"<RuleSet of 0 rules, {RuleSet().digest[:16]}>"


class TestDigest:
    @given(strategies.rule_sets(), st.randoms())
    def test_it_does_not_depend_on_the_order_or_the_places(self, rules: RuleSet, rng: Any) -> None:
        shuffled = rng.sample(list(rules), len(rules))
        again = [
            Rule(
                id=each.id,
                accounts=list(each.accounts)[::-1],
                tweets=set(each.tweets),
                withheld_in=[code.lower() for code in each.withheld_in[::-1]],
                except_in=each.except_in,
                from_=each.from_,
                until=each.until,
                stays=each.stays[::-1],
                effect=str(each.effect),  # type: ignore[arg-type]
                reason=str(each.reason),  # type: ignore[arg-type]
                if_unknown=each.if_unknown,
                demand=each.demand,
                jurisdiction=each.jurisdiction and each.jurisdiction.lower(),
                disclosure=each.disclosure,
                review_by=each.review_by,
                note=each.note,
                override=each.override[::-1],
                extra=each.extra[::-1],
                place=Place("other.yaml", 9, 9),
            )
            for each in shuffled
        ]
        assert RuleSet(again).digest == rules.digest

    @given(strategies.rule_sets(), strategies.rule_sets())
    def test_equal_digests_are_equal_rules(self, one: RuleSet, other: RuleSet) -> None:
        assert (one.digest == other.digest) is ({each.id: each for each in one} == {each.id: each for each in other})

    def test_every_field_is_in_it(self) -> None:
        """A rule that differs in one field, and nothing else, has another digest than all others."""
        others: list[dict[str, Any]] = [
            {},
            {"id": "b"},
            {"accounts": [2]},
            {"accounts": [1, 2]},
            {"accounts": [], "tweets": [1]},
            {"tweets": [1]},
            {"withheld_in": ["TR"]},
            {"withheld_in": ["IN", "TR"]},
            {"withheld_in": ["WORLD"]},
            {"except_in": ["IN-DL"]},
            {"from_": START},
            {"until": START},
            {"from_": START, "until": END},
            {"stays": [(START, None)]},
            {"stays": [(None, START)]},
            {"stays": [(START, END)]},
            {"stays": [(None, None)]},
            {"withheld_in": ["WORLD"], "effect": "suspend"},
            {"reason": "copyright"},
            {"if_unknown": "show"},
            {"if_unknown": "withhold"},
            {"demand": "D1"},
            {"demand": "IN"},
            {"jurisdiction": "IN"},
            {"jurisdiction": "EU"},
            {"disclosure": "full"},
            {"disclosure": "none"},
            {"review_by": START},
            {"review_by": END},
            {"note": "D1"},
            {"note": "é"},
            {"override": {"no-end": "D1"}},
            {"override": {"no-end": "é"}},
            {"override": {"shadowed": "D1"}},
            {"override": {"no-end": "D1", "shadowed": "D1"}},
            {"extra": {"x-a": "D1"}},
            {"extra": {"x-a": "é"}},
            {"extra": {"x-b": "D1"}},
        ]
        digests = {RuleSet([rule(**keys)]).digest for keys in others} | {RuleSet().digest}
        assert len(digests) == len(others) + 1

    def test_every_field_of_a_rule_was_tested_above(self) -> None:
        import dataclasses
        import inspect

        tried = inspect.getsource(TestDigest.test_every_field_is_in_it)
        fields = {field.name for field in dataclasses.fields(Rule) if field.compare}
        assert {name for name in fields if f'"{name}"' not in tried} == set()

    def test_ids_do_not_run_into_each_other(self) -> None:
        """Two lists of ids are hashed one after the other, so the hash must include where the first one ends."""
        one = RuleSet([rule(accounts=[1, 2], tweets=[3])])
        other = RuleSet([rule(accounts=[1], tweets=[2, 3])])
        assert one.digest != other.digest

    def test_it_is_stable(self) -> None:
        """Files and answers outside this process contain it, so changing it is a breaking change."""
        rules = RuleSet([rule(accounts=[1101], from_=START, note="é")])
        assert rules.digest == "5c40462d54e4ecdc532c89f80c6a69ed7c2ffef2fde773bf7647a4f66e3fe3c1"

    def test_stays_that_start_together_are_the_same_in_any_order(self) -> None:
        stays = [(START, END), (START, None)]
        assert RuleSet([rule(stays=stays)]).digest == RuleSet([rule(stays=stays[::-1])]).digest
