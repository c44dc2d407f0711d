"""A shadow says what a second rule set would hide on the same pages, and never has a part in an answer."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.material import INDIA, NOON, rule
from tests.forking import forked, until
from tests.implementations import every_snapshot
from tests.strategies import PLACES, instants, pairs, policies, rule_sets, tweets, viewers
from withhold import NOT_A_TWEET, Engine, Link, Reference, RuleSet, Snapshot, SubjectTypeError, Tweet, View, Viewer
from withhold.engine import Shadow, ShadowCounts

OTHER = RuleSet([rule("in-9", accounts=[18])])
ITEMS = [(20, 17), (21, 18), (22, 19)]


@pytest.fixture
def engine() -> Engine:
    return Engine(RuleSet([rule(), rule("in-2", accounts=[], tweets=[20])]))


def counts(shadow: Shadow) -> dict[str, int]:
    """Return the counts that are not 0, after checking that they add up."""
    found = shadow.counts()
    assert found.pages == sum(found[1:])
    return {name: count for name, count in found._asdict().items() if count}


def differences(shadow: Shadow) -> set[tuple[Any, ...]]:
    return {
        (str(each.old), each.old_rule_ids, str(each.new), each.new_rule_ids, each.count, each.links[0])
        for each in shadow.differences()
    }


def test_pages_are_compared_and_no_answer_depends_on_it(engine: Engine) -> None:
    before = engine.view(INDIA, NOON).filter(ITEMS)
    with engine.shadow(OTHER, share=1.0, interval=3600) as shadow:
        view = engine.view(Viewer(country="IN", account_id=5), NOON)
        assert view.filter(ITEMS) == before
        assert view.filter(ITEMS) == before
        assert engine.view(Viewer(country="US"), NOON).filter(ITEMS).hidden == []
        assert counts(shadow) == {"pages": 3, "waiting": 3}
        shadow.flush()
        assert counts(shadow) == {"pages": 3, "same": 1, "different": 2}
        assert differences(shadow) == {
            ("withheld", ("in-1", "in-2"), "visible", (), 2, (20, 17)),
            ("visible", (), "withheld", ("in-9",), 2, (21, 18)),
        }
        example = shadow.differences()[0]
        assert (example.viewer, example.viewer.account_id, example.at) == (INDIA, None, NOON)
        assert shadow.revision == OTHER.revision != engine.snapshot.revision
    engine.view(INDIA).filter(ITEMS)
    assert counts(shadow)["pages"] == 3, "closed"


@settings(max_examples=30)
@given(rule_sets(3), rule_sets(3), policies, viewers(), instants, st.lists(pairs.filter(all) | tweets, max_size=5))
def test_a_shadow_equals_the_reference_on_both_rule_sets(old, new, policy, viewer, at, items) -> None:
    sides = [Reference(rules, policy, places=PLACES) for rules in (old, new)]
    hidden = [reference_page(side, viewer, at, items) for side in sides]
    for before, after in zip(every_snapshot(old), every_snapshot(new), strict=True):
        engine = Engine(before, policy)
        plain = engine.view(viewer, at)
        with engine.shadow(after, share=1.0, interval=3600) as shadow:
            view = engine.view(viewer, at)
            assert view.filter(items) == plain.filter(items)
            same_answers(view, plain, items)
        assert counts(shadow) == {"pages": 1, "different" if hidden[0] != hidden[1] else "same": 1}
        for each in shadow.differences():
            subject = tweet_of(each.links)
            was, becomes = (side.check(subject, viewer, at) for side in sides)
            assert (was.outcome, was.rule_ids) == (each.old, each.old_rule_ids)
            assert (becomes.outcome, becomes.rule_ids) == (each.new, each.new_rule_ids)
            assert each.old is not each.new
        top = {index for index, path, _ in hidden[0] ^ hidden[1] if not path}
        assert len(top) <= sum(each.count for each in shadow.differences())


def tweet_of(links: tuple[Link, ...]) -> Tweet:
    """Return the tweet with these links."""
    (tweet, account), *others = links
    assert tweet
    assert account
    return Tweet(tweet, account, retweet_of=tweet_of(tuple(others)) if others else None)


def same_answers(view: View, plain: View, items: list[Any]) -> None:
    """Assert that two views give the same answers to all other questions."""
    assert type(view) is not type(plain)
    assert (view.viewer, view.at, view.answer_revision) == (plain.viewer, plain.at, plain.answer_revision)
    columns = [each.id for each in items if isinstance(each, Tweet)], [1 for each in items if isinstance(each, Tweet)]
    assert view.mask(*columns) == plain.mask(*columns)
    assert view.freshness(*columns) == plain.freshness(*columns)
    for item in items:
        if isinstance(item, Tweet):
            assert view.check_tweet(item) == plain.check_tweet(item)
        else:
            assert view.withholds(*item) is plain.withholds(*item)
            assert view.check(tweet_id=item[0], account_id=item[1]) == plain.check(tweet_id=item[0], account_id=item[1])
            assert view.explain(item) == plain.explain(item)


def reference_page(reference: Reference, viewer: Viewer, at: Any, items: list[Any]) -> set[tuple[Any, ...]]:
    """Return what a page hides: the index, the path and the outcome of each hidden item or outermost hidden quote."""
    found = set()
    for index, item in enumerate(items):
        level: list[tuple[tuple[str, ...], Any]] = [((), item)]
        while level:
            answers = [(path, reference.check(each, viewer, at).outcome) for path, each in level]
            if hits := [(index, path, outcome) for path, outcome in answers if outcome.value != "visible"]:
                found.add(hits[0])
                break
            level = [
                ((*path, *more), quote)
                for path, each in level
                if isinstance(each, Tweet)
                for more, quote in each.quotes_by_path()
            ]
    return found


def test_keys_and_items_that_are_no_tweets(engine: Engine) -> None:
    items: list[Any] = ["ad", *ITEMS]
    with engine.shadow(OTHER, share=1.0, interval=3600) as shadow:
        page = engine.view(INDIA, NOON).filter(items, key=lambda item: NOT_A_TWEET if item == "ad" else item)
        assert page.visible == ["ad", (21, 18), (22, 19)]
        page.visible.clear()
        page.hidden.clear()
    assert counts(shadow) == {"pages": 1, "different": 1}
    assert {links for *_, links in differences(shadow)} == {(20, 17), (21, 18)}


def test_a_page_that_the_caller_changes_is_compared_as_it_was(engine: Engine) -> None:
    engine.activate(RuleSet())
    with engine.shadow(OTHER, share=1.0, interval=3600) as shadow:
        page = engine.view(INDIA, NOON).filter(ITEMS)
        page.visible.clear()
    assert counts(shadow) == {"pages": 1, "different": 1}


def test_a_page_is_compared_with_the_rules_that_answered_it(engine: Engine) -> None:
    with engine.shadow(engine.snapshot, share=1.0, interval=3600) as shadow:
        old = engine.view(INDIA, NOON)
        old.filter(ITEMS)
        engine.activate(OTHER)
        old.filter(ITEMS)
        shadow.flush()
        assert counts(shadow) == {"pages": 2, "same": 2}
        engine.view(INDIA, NOON).filter(ITEMS)
    assert counts(shadow) == {"pages": 3, "same": 2, "different": 1}


def test_only_a_share_is_compared(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([0.0, 0.25, 0.1, 0.99])
    monkeypatch.setattr("withhold.engine.shadow.random", lambda: next(drawn))
    with engine.shadow(OTHER, share=0.25, interval=3600) as shadow:
        for _ in range(4):
            engine.view(INDIA, NOON).filter(ITEMS)
    assert counts(shadow) == {"pages": 2, "different": 2}


def test_too_many_pages_are_dropped_and_counted(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("withhold.engine.shadow._WAITING", 7)
    with engine.shadow(OTHER, share=1.0, interval=3600) as shadow:
        for _ in range(5):
            engine.view(INDIA, NOON).filter(ITEMS)
        assert counts(shadow) == {"pages": 5, "waiting": 2, "dropped": 3}
        shadow.flush()
        engine.view(INDIA, NOON).filter(ITEMS * 9)  # a single page is never too large
    assert counts(shadow) == {"pages": 6, "different": 3, "dropped": 3}


def test_examples_are_bounded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("withhold.engine.shadow._KINDS", 3)
    many = RuleSet(rule(f"in-{number}", accounts=[number]) for number in range(100, 110))
    with engine.shadow(many, share=1.0, interval=3600) as shadow:
        for _ in range(2):
            engine.view(INDIA, NOON).filter([(1, number) for number in range(100, 110)])
    assert [each.count for each in shadow.differences()] == [2, 2, 2]
    assert counts(shadow) == {"pages": 2, "different": 2}


def test_a_shadow_that_fails_is_counted_and_changes_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise MemoryError("too little")

    monkeypatch.setattr("withhold.engine.shadow.open_view", broken)
    with engine.shadow(OTHER, share=1.0, interval=3600) as shadow:
        for _ in range(3):
            assert len(engine.view(INDIA, NOON).filter(ITEMS).hidden) == 1
    assert counts(shadow) == {"pages": 3, "failed": 3}
    assert [record.message for record in caplog.records] == [
        f"<Shadow {OTHER.revision}> failed: MemoryError: too little"
    ]


def compared() -> tuple[Any, weakref.ref[Shadow]]:
    """Return the watcher of a shadow that has compared a page, and a weak reference to the shadow."""
    engine = Engine(RuleSet([rule()]))
    shadow = engine.shadow(OTHER, share=1.0, interval=0.005)
    engine.view(INDIA, NOON).filter(ITEMS)
    assert until(lambda: shadow.counts().different == 1)
    return shadow._watcher, weakref.ref(shadow)


def test_the_thread_compares_and_ends_with_the_engine() -> None:
    watcher, alive = compared()
    gc.collect()
    assert until(lambda: alive() is None), "the thread keeps it until its comparison ends"
    assert not watcher.alive


def test_threads_lose_no_page(engine: Engine) -> None:
    def ask() -> None:
        for _ in range(500):
            engine.view(INDIA, NOON).filter(ITEMS)

    with engine.shadow(OTHER, share=1.0, interval=0.001) as shadow:
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            counts(shadow)
        for thread in threads:
            thread.join()
        shadow.flush()  # `close` waits for a limited time
    assert counts(shadow) == {"pages": 2_000, "different": 2_000}
    assert {each.count for each in shadow.differences()} == {2_000}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_begins_at_zero_and_goes_on(engine: Engine) -> None:
    with engine.shadow(OTHER, share=1.0, interval=0.005) as shadow:
        engine.view(INDIA, NOON).filter(ITEMS)

        def child() -> bool:
            assert shadow.counts() == ShadowCounts(0, 0, 0, 0, 0, 0)
            engine.view(INDIA, NOON).filter(ITEMS)
            return bool(until(lambda: shadow.counts().different == 1))

        forked(child)
        shadow.flush()
        assert counts(shadow) == {"pages": 1, "different": 1}


def test_mistakes_are_reported(engine: Engine) -> None:
    for bad in (-1, 2.0, float("nan"), True, None):
        with pytest.raises(ValueError, match="bad-share"):
            engine.shadow(OTHER, share=bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="bad-interval"):
        engine.shadow(OTHER, share=1.0, interval=0)
    with pytest.raises(SubjectTypeError, match="not-a-rule-set"):
        engine.shadow("rules/", share=1.0)  # type: ignore[arg-type]
    with engine.shadow(Snapshot.compile(OTHER), share=1.0), pytest.raises(RuntimeError, match="already-shadowed"):
        engine.shadow(OTHER, share=1.0)
    engine.shadow(OTHER, share=0.0).close()
