"""For any rules, the engine gives the same answers as the reference, in every field."""

from __future__ import annotations

import dataclasses
from array import array
from datetime import timedelta
from functools import reduce
from operator import or_

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.implementations import every_snapshot
from tests.strategies import HOURS, instants, pairs, policies, reference, rule_sets, subjects, tweets, viewers
from withhold import Decision, Engine, Freshness, Tweet
from withhold.model.freshness import answer_revision


def fields_of(decision: Decision) -> dict[str, object]:
    return {field.name: getattr(decision, field.name) for field in dataclasses.fields(decision)}


@settings(max_examples=100)
@given(rule_sets(), policies, st.lists(st.tuples(subjects, viewers(), instants), min_size=1, max_size=8))
def test_every_field_of_every_decision(rules, policy, questions):
    """One engine answers many questions, so that wrong answers from its caches are found."""
    right = reference(rules, policy)
    wanted = [fields_of(right.check(*question)) for question in questions]
    for snapshot in every_snapshot(rules):
        engine = Engine(snapshot, policy)
        for (subject, viewer, at), fields in zip(questions, wanted, strict=True):
            assert fields_of(engine.check(subject, viewer, at)) == fields
            if isinstance(subject, tuple):
                view = engine.view(viewer, at)
                assert fields_of(view.check(tweet_id=subject[0], account_id=subject[1])) == fields
                assert fields_of(view.check(tweet_id=subject[0], account_id=subject[1])) == fields, "from the cache"


@settings(max_examples=50)
@given(rule_sets(), policies, subjects, instants)
def test_anywhere(rules, policy, subject, at):
    wanted = fields_of(reference(rules, policy).anywhere(subject, at))
    for snapshot in every_snapshot(rules):
        assert fields_of(Engine(snapshot, policy).anywhere(subject, at)) == wanted


@settings(max_examples=75)
@given(rule_sets(), policies, viewers(), instants, st.lists(pairs.filter(all) | tweets, max_size=12))
def test_a_page_is_its_items_one_by_one(rules, policy, viewer, at, items):
    right = reference(rules, policy)
    wanted = [right.check(item, viewer, at) for item in items]
    hidden = [[each for each in _quotes(item) if not right.check(each, viewer, at).visible] for item in items]
    shown = [index for index, decision in enumerate(wanted) if decision.visible and hidden[index]]
    tombstones = [(index, right.check(hidden[index][0], viewer, at)) for index in shown]
    parts = [right.check(each, viewer, at).freshness for item in items for each in (item, *_quotes(item))]
    fresh = reduce(or_, parts, Freshness(answer_revision=answer_revision(rules.revision, policy)))
    for snapshot in every_snapshot(rules):
        page = Engine(snapshot, policy).view(viewer, at).filter(items)
        assert page.visible == [item for item, decision in zip(items, wanted, strict=True) if decision.visible]
        assert page.hidden == [(index, decision) for index, decision in enumerate(wanted) if not decision.visible]
        assert [(index, decision) for index, _, decision in page.tombstones] == tombstones
        assert all(reduce(getattr, path, items[index]) is hidden[index][0] for index, path, _ in page.tombstones)
        assert page.freshness == fresh
        assert page.subjects == {index: items[index] for index, *_ in (*page.hidden, *page.tombstones)}


def _quotes(item: object) -> list[Tweet]:
    """Return every tweet that is quoted in an item, outer ones first."""
    if not isinstance(item, Tweet):
        return []
    found: list[Tweet] = []
    level = [item]
    while level:
        chains = [each for tweet in level for each in _chain(tweet)]
        level = [each.quoted for each in chains if each.quoted is not None]
        found += level
    return found


def _chain(tweet: Tweet | None) -> list[Tweet]:
    return [] if tweet is None else [tweet, *_chain(tweet.retweet_of)]


@settings(max_examples=75)
@given(rule_sets(), policies, viewers(), instants, st.lists(pairs.filter(all), max_size=12))
def test_mask_and_withholds_agree_with_check(rules, policy, viewer, at, items):
    right = reference(rules, policy)
    wanted = [not right.check(item, viewer, at).visible for item in items]
    columns = [t for t, _ in items], [a for _, a in items]
    for snapshot in every_snapshot(rules):
        view = Engine(snapshot, policy).view(viewer, at)
        assert [view.withholds(*item) for item in items] == wanted
        for of in (list, tuple, lambda ids: array("q", ids), lambda ids: array("Q", ids), lambda ids: array("i", ids)):
            assert list(map(bool, view.mask(of(columns[0]), of(columns[1])))) == wanted


@settings(max_examples=100)
@given(rule_sets(), policies, subjects, viewers(), instants)
def test_nothing_changes_before_valid_until(rules, policy, subject, viewer, at):
    """And at that instant, a rule of the subject comes into force or goes out of force."""
    engine, right = Engine(rules, policy), reference(rules, policy)
    decision = engine.check(subject, viewer, at)
    states = {found.rule.id: found.rule.in_force(at) for found in engine.explain(subject, viewer, at).rules}
    end = decision.valid_until

    before = [hour for hour in HOURS if hour > at and (end is None or hour < end)]
    before += [end - timedelta(microseconds=1)] if end else [HOURS[-1] + timedelta(days=9999)]
    for later in before:
        assert engine.check(subject, viewer, later) == decision
        assert right.check(subject, viewer, later) == decision
    if end is not None:
        after = {found.rule.id: found.rule.in_force(end) for found in engine.explain(subject, viewer, end).rules}
        assert after != states
