"""Rules that are followed are prepared before they are active: the questions asked most are asked of them first."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.followed import FOREVER, INDIA, NOON, check, put
from tests.engine.test_equals_reference import fields_of
from tests.strategies import instants, pairs, policies, reference, rule_sets, viewers
from withhold import Decision, Engine, Reason, Rule, RuleSet, Snapshot, Viewer, engine_info
from withhold.engine import preparing
from withhold.engine.decider import Decider
from withhold.engine.preparing import prepare
from withhold.model.tweet import Link
from withhold.model.viewer import LocationKey

Question = tuple[int, int | None, int | None, LocationKey]

native_only = pytest.mark.skipif(not engine_info().native, reason=engine_info().why)


def rules(reason: Reason, accounts: range = range(1, 601)) -> RuleSet:
    """Return rules that each name one account."""
    return RuleSet([Rule(id=f"r-{n}", accounts=[n], withheld_in=["IN"], reason=reason) for n in accounts])


def cached(engine: Engine) -> list[Question]:
    """Return the questions to which an engine has cached answers."""
    answers = engine._decider.answers
    assert answers is not None
    return [question for block in answers.questions() for question in block]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may need longer than pages should wait."""
    monkeypatch.setattr(preparing, "_PATIENCE", 60)


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A list that grows with each decision that is not cached."""
    made: list[object] = []
    make = Decider._make

    def noting(self: Decider, postings: object, *rest: object) -> object:
        made.append(postings)
        return make(self, postings, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Decider, "_make", noting)
    return made


@native_only
def test_after_an_activation_a_page_waits_for_no_first_decision(tmp_path: Path, decided: list[object]) -> None:
    path, page = tmp_path / "rules.wh", [(n + 1000, n) for n in range(8, 12)]
    Snapshot.compile(rules(Reason.TERMS)).save(path)
    engine = Engine(Snapshot.open(path), clock=lambda: NOON)
    places = [INDIA, Viewer(country="US", subdivisions=["US-MS"]), Viewer.unknown()]
    with engine.follow(path, FOREVER) as following:
        for place in places:
            engine.view(place).filter(page)
        Snapshot.compile(rules(Reason.COPYRIGHT, range(10, 601))).save(path)
        assert check(following).error is None
        decided.clear()
        pages = [engine.view(place).filter(page) for place in places]
        assert decided == []
    assert [index for index, _ in pages[0].hidden] == [2, 3]
    assert {decision.reason for _, decision in pages[0].hidden} == {"copyright"}
    assert [found.hidden for found in pages[1:]] == [[], pages[2].hidden]


@native_only
def test_of_many_questions_those_asked_most_are_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    many = range(1, 3001)
    before, after = Engine(rules(Reason.TERMS, many)), Engine(rules(Reason.COPYRIGHT, many))
    view = before.view(INDIA)
    for account in (*many, *range(1, 21), *range(1, 21)):
        view.check(tweet_id=10_000, account_id=account)
    asked: list[int | None] = []
    decide = Decider.decide

    def noting(self: Decider, links: Sequence[Link], *rest: Any) -> Decision:
        asked.append(links[0][1])
        return decide(self, links, *rest)

    monkeypatch.setattr(Decider, "decide", noting)
    prepare(after._decider, before._decider, NOON)
    assert {*asked} >= {*range(1, 21)}
    assert len({*asked}) == len(asked) == 512


@native_only
def test_rules_are_activated_even_if_there_is_no_time_to_prepare_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(preparing, "_PATIENCE", -1)
    path = tmp_path / "rules.wh"
    Snapshot.compile(rules(Reason.TERMS)).save(path)
    engine = Engine(Snapshot.open(path), clock=lambda: NOON)
    with engine.follow(path, FOREVER) as following:
        engine.view(INDIA).check(account_id=1)
        Snapshot.compile(rules(Reason.COPYRIGHT)).save(path)
        assert check(following).error is None
        assert cached(engine) == []
        assert engine.view(INDIA).check(account_id=1).reason == "copyright"


@native_only
def test_other_activations_do_not_wait_for_the_preparation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The rules of the later call stay, although it returns first."""
    path = tmp_path / "rules.wh"
    Snapshot.compile(rules(Reason.TERMS)).save(path)
    engine = Engine(Snapshot.open(path), clock=lambda: NOON)
    activating = threading.Thread(target=engine.activate, args=(RuleSet([]),))

    def prepare(*_: object) -> None:
        activating.start()
        activating.join(60)

    monkeypatch.setattr("withhold.engine.engine.prepare", prepare)
    with engine.follow(path, FOREVER) as following:
        Snapshot.compile(rules(Reason.COPYRIGHT)).save(path)
        assert check(following).error is None
    assert not activating.is_alive()
    assert engine.snapshot.rule_count == 0


@native_only
def test_a_location_lives_as_long_as_the_answers_for_it() -> None:
    """A key that is not one of the library's own must not be read after it was freed."""
    engine = Engine(rules(Reason.TERMS))
    for account in range(1, 100):
        viewer = Viewer.located(("IN", tuple([])), None, None)  # noqa: C409  # a new object each time
        engine.view(viewer).check(account_id=account)
    places = {location_key for *_, location_key in cached(engine)}
    assert places == {("IN", ())}


@native_only
def test_a_question_is_stored_with_its_ids_and_its_location() -> None:
    engine = Engine(RuleSet([Rule(id="r", accounts=[5], tweets=[20], withheld_in=["IN"], reason="terms")]))
    view = engine.view(INDIA)
    for _ in range(3):
        view.withholds(21, 5)
    view.check(tweet_id=20)
    view.check(account_id=5)  # the same question as before: no rule names tweet 21
    view.check(tweet_id=99, account_id=99)
    assert {*cached(engine)} == {(3, 21, 5, INDIA.location_key), (0, 20, None, INDIA.location_key)}
    engine._decider.empty()
    assert cached(engine) == []


def test_rules_that_cannot_be_read_are_not_activated(tmp_path: Path) -> None:
    """With `verify="header"`, a damaged record is found when it is read: better in this thread than in a request."""
    path = tmp_path / "rules.wh"
    Snapshot.compile(rules(Reason.TERMS)).save(path)
    engine = Engine(Snapshot.open(path), clock=lambda: NOON)
    with engine.follow(path, FOREVER, verify="header") as following:
        engine.view(INDIA).check(account_id=1)
        Snapshot.compile(rules(Reason.COPYRIGHT)).save(tmp_path / "new")
        damaged = (tmp_path / "new").read_bytes().replace(b'"copyright"', b'"copyleft."')
        put(path, damaged)
        status = check(following)
        if engine_info().native:
            assert "[damaged-snapshot]" in str(status.error)
            assert engine.view(INDIA).check(account_id=1).reason == "terms"
        else:
            assert status.error is None


@settings(max_examples=75)
@given(
    rule_sets(),
    rule_sets(),
    policies,
    st.lists(st.tuples(pairs, viewers()), min_size=1, max_size=12),
    instants,
    instants,
)
def test_prepared_answers_are_those_of_the_reference(old, new, policy, questions, at, later):
    """Also at another instant, and for viewers who ask about their own posts."""
    before, after = Engine(old, policy), Engine(new, policy)
    for (tweet_id, account_id), viewer in questions:
        before.view(viewer, at).check(tweet_id=tweet_id, account_id=account_id)
    prepare(after._decider, before._decider, at)
    right = reference(new, policy)
    for subject, viewer in questions:
        for instant in (at, later):
            view = after.view(viewer, instant)
            found = view.check(tweet_id=subject[0], account_id=subject[1])
            assert fields_of(found) == fields_of(right.check(subject, viewer, instant))
