"""A compiled rule set maps each id to the rules that name it, with one posting for each combination of rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from tests.implementations import MakeSnapshot, each_snapshot, every_snapshot, in_c
from tests.strategies import ACCOUNTS, TWEETS, rule_sets
from withhold import Rule, RuleSet, Snapshot


def rule(id_: str, **keys: Any) -> Rule:
    return Rule(**{"id": id_, "withheld_in": ["IN"], "reason": "terms"} | keys)


def names(snapshot: Snapshot, kind: str, id_: int) -> list[str]:
    posting = getattr(snapshot, kind).find(id_)
    return [] if posting is None else [each.id for each in snapshot.rules_of(posting)]


@settings(max_examples=80)
@given(rules=rule_sets())
def test_an_id_finds_exactly_the_rules_that_name_it(rules: RuleSet) -> None:
    """The rules that name it as an id of its kind, each once, sorted by id; and None if there are none."""
    for snapshot in every_snapshot(rules):
        for id_ in {*ACCOUNTS, *TWEETS, 99}:
            for kind in ("accounts", "tweets"):
                wanted = sorted(each.id for each in rules if id_ in getattr(each, kind))
                assert names(snapshot, kind, id_) == wanted
                assert (getattr(snapshot, kind).find(id_) is None) is (not wanted)


@settings(max_examples=80)
@given(rules=rule_sets())
def test_ids_of_the_same_rules_share_one_posting_and_others_do_not(rules: RuleSet) -> None:
    """Also across both tables. A cached answer for a posting then serves all of its ids."""
    for snapshot in every_snapshot(rules):
        found = {
            (kind, id_): (posting, names(snapshot, kind, id_))
            for kind, ids in (("accounts", ACCOUNTS), ("tweets", TWEETS))
            for id_ in ids
            if (posting := getattr(snapshot, kind).find(id_)) is not None
        }
        for posting, named in found.values():
            for its, others in found.values():
                assert (posting == its) is (named == others)


@settings(max_examples=60)
@given(rules=rule_sets())
def test_each_named_id_is_listed_once(rules: RuleSet) -> None:
    for snapshot in every_snapshot(rules):
        for kind in ("accounts", "tweets"):
            wanted = {id_ for each in rules for id_ in getattr(each, kind)}
            found = list(snapshot.postings(kind))
            assert sorted(id_ for id_, _ in found) == sorted(wanted)
            assert all(getattr(snapshot, kind).find(id_) == posting for id_, posting in found)


@each_snapshot
def test_an_account_and_a_tweet_with_the_same_id_are_different(snapshot_of: MakeSnapshot) -> None:
    snapshot = snapshot_of(RuleSet([rule("a", accounts=[5]), rule("t", tweets=[5])]))
    assert names(snapshot, "accounts", 5) == ["a"]
    assert names(snapshot, "tweets", 5) == ["t"]


@each_snapshot
def test_two_rules_on_one_id_and_one_of_them_on_another(snapshot_of: MakeSnapshot) -> None:
    snapshot = snapshot_of(RuleSet([rule("b", accounts=[5, 6]), rule("a", accounts=[6, 7], tweets=[9])]))
    assert [names(snapshot, "accounts", id_) for id_ in (5, 6, 7, 8)] == [["b"], ["a", "b"], ["a"], []]
    assert snapshot.accounts.find(7) == snapshot.tweets.find(9)


@pytest.mark.parametrize("native", [False, pytest.param(True, marks=in_c)])
def test_the_rules_are_returned_not_copied(native: bool) -> None:
    one = rule("a", accounts=[5])
    snapshot = Snapshot.compile(RuleSet([one]), native=native)
    posting = snapshot.accounts.find(5)
    assert posting is not None
    assert snapshot.rules_of(posting)[0] is one


@each_snapshot
def test_many_ids_have_few_postings(snapshot_of: MakeSnapshot) -> None:
    rules = RuleSet(
        [rule("a", accounts=range(1, 20_001)), rule("b", accounts=range(10_001, 30_001), tweets=range(1, 101))]
    )
    snapshot = snapshot_of(rules)
    assert {snapshot.accounts.find(id_) for id_ in range(1, 30_001)} == {0, 1, 2}
    assert {snapshot.tweets.find(id_) for id_ in range(1, 101)} == {1}
    assert snapshot.accounts.find(30_001) is snapshot.tweets.find(101) is None


@each_snapshot
def test_one_account_that_many_rules_name(snapshot_of: MakeSnapshot) -> None:
    """Its bucket is long and has other ids too."""
    rules = RuleSet(rule(f"r{n:03}", accounts=[7, *range(n, n + 40)]) for n in range(1, 200))
    snapshot = snapshot_of(rules)
    for id_ in range(1, 250):
        assert names(snapshot, "accounts", id_) == [each.id for each in rules if id_ in each.accounts]


def test_the_largest_and_the_smallest_id() -> None:
    snapshot = Snapshot.compile(RuleSet([rule("a", accounts=[1, 2**63 - 1])]))
    assert [snapshot.accounts.find(id_) for id_ in (1, 2, 2**62, 2**63 - 2, 2**63 - 1)] == [0, None, None, None, 0]


class TestRevision:
    def test_it_is_the_start_of_the_digest(self) -> None:
        rules = RuleSet([rule("a", accounts=[5])])
        assert Snapshot.compile(rules).revision == rules.digest[:16]
        assert repr(Snapshot.compile(rules)) == f"<Snapshot {rules.digest[:16]}>"

    def test_equal_rules_have_equal_revisions(self) -> None:
        a, b = rule("a", accounts=[5]), rule("b", tweets=[6])
        assert Snapshot.compile(RuleSet([a, b])).revision == Snapshot.compile(RuleSet([b, a])).revision
        assert Snapshot.compile(RuleSet([a])).revision != Snapshot.compile(RuleSet([b])).revision


def test_an_empty_rule_set_names_no_id() -> None:
    snapshot = Snapshot.compile(RuleSet())
    assert snapshot.accounts.find(5) is snapshot.tweets.find(5) is None
    assert len(snapshot.revision) == 16
