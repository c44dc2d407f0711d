"""A compiled rule set: each id to the rules that name it, and one posting for each combination of rules."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from hypothesis import given, settings

from tests.strategies import ACCOUNTS, TWEETS, rule_sets
from withhold import Outcome, Rule, RuleSet, Snapshot
from withhold.snapshot import Posting


def rule(id_: str, **keys: Any) -> Rule:
    return Rule(**{"id": id_, "withheld_in": ["IN"], "reason": "terms"} | keys)


def names(posting: Posting | None) -> list[str]:
    return [] if posting is None else [each.id for each in posting.rules]


@settings(max_examples=200)
@given(rule_sets())
def test_an_id_finds_exactly_the_rules_that_name_it(rules: RuleSet) -> None:
    """Of its own kind, each once, in the order of the rule set; and None if there is none."""
    snapshot = Snapshot.compile(rules)
    for id_ in {*ACCOUNTS, *TWEETS, 99}:
        for table, kind in ((snapshot.accounts, "accounts"), (snapshot.tweets, "tweets")):
            found = table.find(id_)
            wanted = [each.id for each in rules if id_ in getattr(each, kind)]
            assert names(found) == wanted
            assert (found is None) is (not wanted)


@settings(max_examples=200)
@given(rule_sets())
def test_ids_of_the_same_rules_share_one_posting_and_others_do_not(rules: RuleSet) -> None:
    """Across both tables: what is cached for a posting serves all of its ids."""
    snapshot = Snapshot.compile(rules)
    found = [table.find(id_) for table in (snapshot.accounts, snapshot.tweets) for id_ in (*ACCOUNTS, *TWEETS)]
    postings = [posting for posting in found if posting is not None]
    for one in postings:
        for other in postings:
            assert (one is other) is (names(one) == names(other))


def test_an_account_and_a_tweet_of_one_number_are_two_subjects() -> None:
    snapshot = Snapshot.compile(RuleSet([rule("a", accounts=[5]), rule("t", tweets=[5])]))
    assert names(snapshot.accounts.find(5)) == ["a"]
    assert names(snapshot.tweets.find(5)) == ["t"]


def test_two_rules_on_one_id_and_one_of_them_on_another() -> None:
    snapshot = Snapshot.compile(RuleSet([rule("b", accounts=[5, 6]), rule("a", accounts=[6, 7], tweets=[9])]))
    assert [names(snapshot.accounts.find(id_)) for id_ in (5, 6, 7, 8)] == [["b"], ["b", "a"], ["a"], []]
    assert snapshot.accounts.find(7) is snapshot.tweets.find(9)


def test_the_rules_are_handed_out_not_copied() -> None:
    one = rule("a", accounts=[5])
    found = Snapshot.compile(RuleSet([one])).accounts.find(5)
    assert found is not None
    assert found.rules[0] is one


def test_many_ids_make_few_postings() -> None:
    rules = RuleSet(
        [rule("a", accounts=range(1, 20_001)), rule("b", accounts=range(10_001, 30_001), tweets=range(1, 101))]
    )
    snapshot = Snapshot.compile(rules)
    distinct = {id(snapshot.accounts.find(id_)) for id_ in range(1, 30_001)}
    distinct |= {id(snapshot.tweets.find(id_)) for id_ in range(1, 101)}
    assert len(distinct) == 3
    gc.collect()
    alive = [thing for thing in gc.get_objects() if isinstance(thing, Posting) and thing.rules[:1] == (rules["a"],)]
    assert len(alive) == 2, "no posting is left over from the making"


class TestRevision:
    def test_it_is_the_beginning_of_the_digest(self) -> None:
        rules = RuleSet([rule("a", accounts=[5])])
        assert Snapshot.compile(rules).revision == rules.digest[:16]
        assert repr(Snapshot.compile(rules)) == f"<Snapshot {rules.digest[:16]} of 1 rules>"

    def test_equal_rules_have_equal_revisions(self) -> None:
        a, b = rule("a", accounts=[5]), rule("b", tweets=[6])
        assert Snapshot.compile(RuleSet([a, b])).revision == Snapshot.compile(RuleSet([b, a])).revision
        assert Snapshot.compile(RuleSet([a])).revision != Snapshot.compile(RuleSet([b])).revision

    def test_the_answer_for_what_no_rule_names_carries_it(self) -> None:
        snapshot = Snapshot.compile(RuleSet([rule("a", accounts=[5])]))
        assert snapshot.visible.outcome is Outcome.VISIBLE
        assert snapshot.visible.revision == snapshot.revision
        assert snapshot.visible.certain
        assert not snapshot.visible.varies_by_location


def test_an_empty_rule_set_names_nobody() -> None:
    snapshot = Snapshot.compile(RuleSet())
    assert snapshot.accounts.find(5) is snapshot.tweets.find(5) is None
    assert len(snapshot.revision) == 16


@pytest.mark.parametrize(
    ("posting", "text"), [(Posting(), "<Posting of no rule>"), (Posting([rule("a", accounts=[1])]), "<Posting a>")]
)
def test_how_a_posting_prints(posting: Posting, text: str) -> None:
    assert repr(posting) == text
