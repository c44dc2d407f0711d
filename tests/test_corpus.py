"""Every implementation gives the answers of the conformance corpus, and the corpus covers the contract."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.corpus import CASES, Checker, Make, Question, Want, parse, questions
from tests.implementations import available_snapshots, engine_of
from withhold import (
    Decision,
    Engine,
    Outcome,
    Policy,
    Reason,
    Reference,
    Rule,
    RuleSet,
    Tweet,
    TweetDecisions,
    Viewer,
    errors,
)

#: All available implementations.
CHECKERS: dict[str, Make] = {
    "reference": Reference,
    "engine": Engine,
    **{f"engine, {name}": engine_of(make) for name, make in available_snapshots().items()},
}

QUESTIONS = list(questions())
ANSWERED = [question for question in QUESTIONS if question.case.want]
SITUATIONS = [list(found) for _, found in groupby(ANSWERED, lambda question: (question.rule_file, question.policy))]
REFUSED = [question for question in QUESTIONS if question.case.want_error]
REFUSALS: dict[str, tuple[type[errors.WithholdError], ...]] = {
    "rules": (errors.RuleSetError,),
    "viewer": (errors.ViewerError, errors.TerritoryError, errors.SubjectIdError),
    "subject": (errors.SubjectIdError,),
    "instant": (errors.InstantError,),
}


def each(of: list[Question]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("question", [pytest.param(question, id=question.id) for question in of])


by_all = pytest.mark.parametrize("make", CHECKERS.values(), ids=CHECKERS)


@contextmanager
def by(name: str) -> Iterator[None]:
    """Add the name of the implementation to an error."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"by the {name}")
        raise


@each(ANSWERED)
def test_answer(question: Question, tmp_path: Path) -> None:
    """From all implementations in one test, because reading the rules takes longer than asking all of them."""
    rules, viewer = question.ready(tmp_path)
    subject, want = question.subject.build(), question.case.want
    assert want is not None
    for name, make in CHECKERS.items():
        checker = make(rules, question.policy)
        with by(name):
            assert want.differences(checker.check(subject, viewer, question.at)) == {}
            if want.anywhere:
                assert want.anywhere.differences(checker.anywhere(subject, question.at)) == {}
            quotes_agree(subject, want, partial(_check, checker, viewer, question.at))
            if isinstance(checker, Engine):
                methods_agree(checker, question, viewer)


def _check(checker: Checker, viewer: Viewer, at: datetime, subject: Tweet) -> Decision:
    return checker.check(subject, viewer, at)


def quotes_agree(subject: object, want: Want, decide: Callable[[Tweet], Decision]) -> None:
    """Assert that the decisions on all quotes of a subject are the expected ones."""
    if "quoted" in want.model_fields_set:
        quotes = subject.quotes() if isinstance(subject, Tweet) else ()
        wanted = [] if want.quoted is None else want.quoted if isinstance(want.quoted, tuple) else [want.quoted]
        assert len(quotes) == len(wanted)
        for quoted, inner in zip(quotes, wanted, strict=True):
            assert inner.differences(decide(quoted)) == {}
            quotes_agree(quoted, inner, decide)


def methods_agree(engine: Engine, question: Question, viewer: Viewer) -> None:
    """Assert that all methods of a view give the same answer as the engine."""
    view, subject, want = engine.view(viewer, question.at), question.subject.build(), question.case.want
    assert want is not None
    visible = want.outcome is Outcome.VISIBLE
    decision = engine.check(subject, viewer, question.at)
    given = question.subject
    if not isinstance(subject, Tweet):
        assert view.check(tweet_id=given.tweet, account_id=given.account) is decision
    if given.tweet is None or given.account is None:
        return

    tweet = given.as_tweet()
    found = view.check_tweet(tweet)
    assert found.decision is decision
    decisions = dict(_decisions(tweet, found))
    quotes_agree(tweet, want, decisions.__getitem__)
    hidden = [each for each in list(decisions.values())[1:] if not each.visible]
    items: list[Any] = [tweet] if isinstance(subject, Tweet) else [tweet, subject]
    for item in items:
        page = view.filter([item, (2**63 - 1, 2**63 - 1)])
        assert [found is item for found in page.visible[:-1]] == [True] * visible
        assert page.hidden == ([] if visible else [(0, decision)])
        tombstones = [(index, decision) for index, _, decision in page.tombstones]
        assert tombstones == ([(0, hidden[0])] if visible and item is tweet and hidden else [])
    if not isinstance(subject, Tweet):
        assert view.withholds(given.tweet, given.account) is not visible
        assert view.mask([given.tweet], [given.account]) == bytes([not visible])


def _decisions(tweet: Tweet, found: TweetDecisions) -> Iterator[tuple[Tweet, Decision]]:
    """Yield a tweet and all of its quotes with their decisions, outer ones first."""
    level = [(tweet, found)]
    while level:
        yield from ((each, decided.decision) for each, decided in level)
        level = [pair for each, decided in level for pair in zip(each.quotes(), decided.quotes, strict=True)]


@each(REFUSED)
def test_refusal(question: Question, tmp_path: Path) -> None:
    wanted = question.case.want_error
    assert wanted is not None
    for name, make in CHECKERS.items():
        with by(name), pytest.raises(REFUSALS[wanted.of]) as caught:
            make(question.rules(tmp_path), question.policy).check(
                question.subject.build(), question.viewer(), question.at
            )

        problems = caught.value.problems if isinstance(caught.value, errors.RuleSetError) else (caught.value.problem,)
        assert {problem.code for problem in problems} == {wanted.code}, name
        assert isinstance(caught.value, ValueError)
        assert wanted.hint is None or wanted.hint in " ".join(str(problem) for problem in problems)
        if wanted.of == "rules":
            return  # no implementation gets rules that are refused


@pytest.mark.parametrize("group", SITUATIONS, ids=lambda group: group[0].id)
def test_neither_the_order_of_rules_nor_of_questions_matters(group: list[Question], tmp_path: Path) -> None:
    """One engine answers all cases of a situation, and then again in reverse order from its caches."""
    rules, _ = group[0].ready(tmp_path)
    engine = Engine(RuleSet(reversed(rules.rules)), group[0].policy)
    for question in (*group, *reversed(group)):
        with warnings.catch_warnings(action="ignore"):
            decision = engine.check(question.subject.build(), question.viewer(), question.at)
        assert question.case.want
        assert question.case.want.differences(decision) == {}


# Requirements that cannot be written as data.

IN_INDIA = Rule(id="in-1", tweets=[10], withheld_in=["IN"], reason="legal_demand")
INDIA, FRANCE = Viewer(country="IN"), Viewer(country="FR")
NOON = datetime.fromisoformat("2021-06-01T12:00:00Z")


@by_all
def test_a_decision_has_no_truth_value(make: Make) -> None:
    checker = make(RuleSet([IN_INDIA]), Policy())
    for subject in ((10, 1), (11, 1)):
        with pytest.raises(TypeError, match=r"use \.visible"):
            bool(checker.check(subject, INDIA, NOON))


def test_answers_are_shared() -> None:
    engine = Engine(RuleSet([IN_INDIA]))
    view = engine.view(INDIA, NOON)
    unnamed = [
        view.check(tweet_id=11, account_id=1),
        view.check(tweet_id=12, account_id=2),
        engine.check((None, 3), FRANCE),
        engine.anywhere((13, 4)),
    ]
    assert all(decision is unnamed[0] for decision in unnamed)
    assert view.check(tweet_id=10, account_id=1) is engine.view(INDIA, NOON + timedelta(hours=1)).check(
        tweet_id=10, account_id=1
    )


def test_a_new_rule_is_seen_at_once() -> None:
    """C33: a cached answer "no rule names this tweet" must not outlive the activation of a rule that names it."""
    engine = Engine(RuleSet())
    before = engine.view(INDIA)
    assert before.check(tweet_id=10, account_id=1).visible
    engine.activate(RuleSet([IN_INDIA]))

    assert engine.view(INDIA).withholds(10, 1)
    assert engine.check((10, 1), INDIA).rule_ids == ("in-1",)
    assert engine.anywhere((10, 1)).withheld
    assert before.check(tweet_id=10, account_id=1).visible, "a view keeps its snapshot"
    assert (
        engine.view(INDIA).check(tweet_id=10, account_id=1).revision != before.check(tweet_id=10, account_id=1).revision
    )
    engine.activate(RuleSet())
    assert engine.check((10, 1), INDIA).visible


def test_a_cached_answer_expires() -> None:
    starts = Rule(id="in-2", tweets=[10], withheld_in=["IN"], reason="legal_demand", from_=NOON)
    clock = [NOON - timedelta(microseconds=1)]
    engine = Engine(RuleSet([starts]), clock=lambda: clock[0])
    pinned, early = engine.view(INDIA), engine.check((10, 1), INDIA)
    assert (early.outcome, early.valid_until) == (Outcome.VISIBLE, NOON)
    clock[0] = NOON

    assert engine.check((10, 1), INDIA).withheld
    assert engine.view(INDIA).withholds(10, 1)
    assert pinned.check(tweet_id=10, account_id=1).visible, "a view keeps its instant"


@pytest.mark.parametrize("wrong", [True, False, 10.0, "10", "1e3", b"10", None])
@pytest.mark.parametrize("rules", [[], [IN_INDIA]])
def test_only_ints_are_ids(wrong: Any, rules: list[Rule]) -> None:
    engine = Engine(RuleSet(rules))
    view = engine.view(INDIA, NOON)
    calls: list[Callable[[], object]] = [
        lambda: view.withholds(wrong, 1),
        lambda: view.withholds(10, wrong),
        lambda: view.filter([(11, 2), (wrong, wrong)]),
        lambda: view.mask([11, wrong], [2, 1]),
        lambda: Tweet(wrong, 1),
        lambda: view.check(tweet_id=wrong, account_id=None if wrong is None else 1),
        lambda: engine.check((wrong, None), INDIA, NOON),
    ]
    for call in calls:
        with pytest.raises((TypeError, ValueError)):
            call()


#: The sentences and examples that tests in Python cover, some of them in addition to cases.
TESTED_HERE: dict[str, list[Callable[..., None]]] = {
    "R5": [test_neither_the_order_of_rules_nor_of_questions_matters],
    "A1": [test_a_decision_has_no_truth_value],
    "A2": [test_answers_are_shared],
    "A3": [test_a_new_rule_is_seen_at_once, test_a_cached_answer_expires],
    "A4": [test_only_ints_are_ids],
    "C33": [test_a_new_rule_is_seen_at_once],
}


def test_every_sentence_of_the_contract_is_cited() -> None:
    contract = {f"{letter}{n}" for letter, last in (("T", 6), ("R", 10), ("A", 6)) for n in range(1, last + 1)}
    cited = {sentence for question in QUESTIONS for sentence in question.case.cites}
    assert cited | (TESTED_HERE.keys() & contract) == contract


def test_r7_lists_the_reasons_in_their_order() -> None:
    page = files("withhold").joinpath("README.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"by reason\s+((?:`\w+`[,;]\s+)+)", page)
    assert re.findall(r"`(\w+)`", listed) == list(Reason)


def test_every_example_is_a_case_or_has_its_reason() -> None:
    """The README lists all examples; those without a case have the place of their test, or `not yet` with a reason."""
    rows = re.findall(r"^\| (C\d\d) \|.*\| (.+) \|$", (CASES / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    open_ = {example for example, where in rows if where.startswith(("not yet: ", "elsewhere: "))}
    tested = {example for question in QUESTIONS for example in question.case.source}
    tested |= {name for name in TESTED_HERE if name.startswith("C")}
    assert tested.isdisjoint(open_)
    assert sorted(example for example, _ in rows) == sorted(tested | open_)


CASE = """
note: One rule.
situations:
  - rule_file: 'rules: []'
    viewer: IN
    cases:
      - it: is visible
        cites: [R5]
        subject: {tweet: 10}
        want: {outcome: visible, rule_ids: []}
"""


WANT = "want: {outcome: visible, rule_ids: []}"
INVALID = [
    (WANT, "want: {outcome: visible, rule_ids: [], reasons: []}"),
    (WANT, "want: {}"),
    (WANT, "want: {outcome: visible}"),
    (WANT, "warns: []"),
    (WANT, f"{WANT}\n        want_error: {{of: rules, code: bad-id}}"),
    (WANT, f"{WANT}\n        {WANT}"),
    ("cites: [R5]", "cites: []"),
    ("cites: [R5]", "cites: [R11]"),
    ("viewer: IN", "policy: {}"),
    ("viewer: IN", "viewer: IN\n    policy: {unknown: show}"),
    ("{tweet: 10}", "{tweet: 10, author: 1}"),
    ("{tweet: 10}", "{tweet: 10, quoted: {tweet: 11, account: 1}}"),
    ("      - it:", "      - {it: is visible, cites: [R5], want_error: {of: rules, code: x}}\n      - it:"),
]


@pytest.mark.parametrize(("right", "wrong"), INVALID)
def test_invalid_cases_are_refused(right: str, wrong: str) -> None:
    assert len(parse(CASE).situations) == 1
    assert right in CASE
    with pytest.raises(ValueError):  # noqa: PT011  # from pydantic, or for a repeated key
        parse(CASE.replace(right, wrong))
