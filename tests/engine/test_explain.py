"""An explanation names every rule of the subject with its state, for people and for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import strategies as house
from tests.implementations import each_snapshot
from withhold import Engine, Policy, Rule, RuleSet, Tweet, Viewer
from withhold.engine.explain import territories_text, where
from withhold.errors import WithholdError
from withhold.model.rule import territories_of

NOON = datetime(2021, 2, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def rule(id_: str, **more) -> Rule:
    return Rule(**{"id": id_, "accounts": [17], "withheld_in": ["IN"], "reason": "legal_demand", **more})


RULES = RuleSet(
    [
        rule(
            "acts",
            demand="IN-D1",
            jurisdiction="IN",
            review_by=NOON,
            note="as ordered",
            override={"no-end": "none was ordered"},
        ),
        rule("later", from_=NOON + HOUR),
        rule("over", until=NOON),
        rule("stayed", stays=[(NOON, NOON + HOUR)]),
        rule("stayed-for-good", stays=[(NOON, None)]),
        rule("turkish", withheld_in=["TR"]),
        rule("delhi", withheld_in=["IN-DL"]),
        rule("kerala", withheld_in=["IN-KL"], if_unknown="withhold"),
        rule("but-india", withheld_in=["WORLD"], except_in=["IN"]),
        rule("other", accounts=[18]),
    ]
)


@pytest.fixture
def explanation():
    return Engine(RULES).explain((20, 17), Viewer(country="IN", signal="the country was given"), NOON)


def test_every_rule_of_the_subject_has_its_state(explanation):
    assert {found.rule.id: found.state.value for found in explanation.rules} == {
        "acts": "applies",
        "later": "not yet in force",
        "over": "ended",
        "stayed": "stayed",
        "stayed-for-good": "stayed",
        "turkish": "elsewhere",
        "delhi": "uncertain",
        "kerala": "uncertain",
        "but-india": "elsewhere",
    }


def test_the_rules_that_speak_come_first_in_their_order(explanation):
    assert (
        [found.rule.id for found in explanation.rules][:2] == list(explanation.decision.rule_ids) == ["acts", "kerala"]
    )


def test_why_names_what_settles_uncertainty(explanation):
    why = {found.rule.id: found.why for found in explanation.rules}
    assert why["later"] == "it comes into force at 2021-02-10T13:00:00Z"
    assert why["over"] == "it ended at 2021-02-10T12:00:00Z"
    assert why["stayed"] == "it is stayed until 2021-02-10T13:00:00Z"
    assert why["stayed-for-good"] == "it is stayed without end"
    assert why["delhi"].endswith("the engine's policy shows")
    assert why["kerala"].endswith("the rule's `if_unknown` withholds")


def test_an_allow_list_withholds_at_an_unknown_location():
    explanation = Engine(RULES).explain((None, 17), Viewer.unknown(signal="no address"), NOON)
    why = {found.rule.id: found.why for found in explanation.rules}
    assert why["but-india"].endswith("its allow-list withholds")
    assert "an unknown location" in str(explanation)
    assert "no address" in str(explanation)
    assert "a more precise location could change the answer" in str(explanation)


def test_it_prints_as_text_that_names_rule_demand_and_note(explanation):
    text = str(explanation)
    assert text.startswith("tweet 20 by account 17 is WITHHELD for a viewer in India (IN)")
    assert "rule acts on the account: legal demand, demand IN-D1, jurisdiction IN\n" in text
    assert "without end; legal demand, demand IN-D1, jurisdiction IN\n" in text
    assert "      review by 2021-02-10T12:00:00Z\n" in text
    assert "note: as ordered" in text
    assert "override of no-end: none was ordered" in text
    assert "location    the country was given" in text
    assert all(found.rule.id in text for found in explanation.rules)
    assert all(line == line.rstrip() for line in text.splitlines())


def test_it_converts_to_json(explanation):
    found = json.loads(json.dumps(explanation.to_dict()))
    assert (found["decision"]["rule_id"], found["decision"]["jurisdiction"]) == ("acts", "IN")
    others = {entry["rule_id"]: (entry["jurisdiction"], entry["review_by"]) for entry in found["rules"]}
    assert (others["acts"], others["over"]) == (("IN", "2021-02-10T12:00:00Z"), (None, None))
    assert found["at"] == "2021-02-10T12:00:00Z"
    assert found["viewer"]["signal"] == "the country was given"
    assert {entry["rule_id"]: entry["state"] for entry in found["rules"]}["over"] == "ended"


def test_ids_are_text_in_json_because_javascript_rounds_large_numbers():
    subject = Tweet(1355667106821046273, 2**53 + 1, retweet_of=Tweet(30, 17))
    explained = Engine(RULES).explain(subject, Viewer(country="IN", account_id=2**63 - 1), NOON)
    found = json.loads(json.dumps(explained.to_dict()))
    assert found["subject"] == [
        {"tweet_id": "1355667106821046273", "account_id": "9007199254740993"},
        {"tweet_id": "30", "account_id": "17"},
    ]
    assert found["viewer"]["account_id"] == "9223372036854775807"
    alone = json.loads(json.dumps(Engine(RULES).explain((None, 17), Viewer.unknown(), NOON).to_dict()))
    assert (alone["subject"], alone["viewer"]["account_id"]) == ([{"tweet_id": None, "account_id": "17"}], None)


def test_a_retweet_is_explained_with_its_source_and_the_time_in_its_id():
    tweet = Tweet(30, 40, retweet_of=Tweet(1355667106821046272, 17))
    text = str(Engine(RULES).explain(tweet, Viewer(country="IN"), NOON))
    made = "tweet 1355667106821046272 (created 2021-01-31T00:00:00Z) by account 17"
    assert text.startswith(f"tweet 30 by account 40, a retweet of {made} is WITHHELD")


def test_it_says_that_the_viewer_is_the_author():
    engine = Engine(RULES, Policy(author_sees_own=True))
    explanation = engine.explain((20, 17), Viewer(country="IN", account_id=17), NOON)
    assert "is VISIBLE" in str(explanation)
    assert "the viewer is the author" in str(explanation)


def test_a_subject_that_no_rule_names_is_explained_too():
    text = str(Engine(RULES).explain((99, 98), Viewer(country="IN"), NOON))
    assert "is VISIBLE" in text
    assert "named by    0 rules" in text


@pytest.mark.parametrize(
    ("keys", "state", "why"),
    [
        ({"from_": NOON}, "applies", "in force, and the viewer is in its territory"),
        ({"until": NOON}, "ended", "it ended at 2021-02-10T12:00:00Z"),
        (
            {"from_": NOON + HOUR, "stays": [(NOON, NOON + 2 * HOUR)]},
            "not yet in force",
            "it comes into force at 2021-02-10T14:00:00Z",
        ),
        (
            {"from_": NOON + HOUR, "stays": [(NOON, None)]},
            "not yet in force",
            "it will be stayed when it comes into force",
        ),
        (
            {"until": NOON + HOUR, "stays": [(NOON, NOON + 2 * HOUR)]},
            "stayed",
            "it is stayed until 2021-02-10T13:00:00Z",
        ),
    ],
)
def test_the_instants_in_the_text_are_those_at_which_the_state_changes(keys, state, why):
    explanation = Engine(RuleSet([rule("r", **keys)])).explain((None, 17), Viewer(country="IN"), NOON)
    assert [(found.state.value, found.why) for found in explanation.rules] == [(state, why)]


@given(house.rules(), house.rules(), house.policies, house.subjects, house.viewers(), house.instants, st.data())
@settings(max_examples=40)
def test_e3_the_text_contains_nothing_that_json_lacks(one, other, policy, subject, who, at, data):
    """Two rules that differ in one field either have different JSON, or the same text."""
    field = data.draw(
        st.sampled_from(
            [
                "withheld_in",
                "except_in",
                "from_",
                "until",
                "stays",
                "reason",
                "if_unknown",
                "demand",
                "jurisdiction",
                "disclosure",
                "review_by",
                "note",
                "override",
            ]
        )
    )
    try:
        changed = replace(one, **{field: getattr(other, field)})
    except WithholdError:
        return
    texts, values = [], []
    for which in (one, changed):
        explained = Engine(RuleSet([which]), policy).explain(subject, who, at)
        revision = explained.decision.revision
        texts.append(str(explained).replace(revision, "revision"))
        values.append(json.dumps(explained.to_dict()).replace(revision, "revision"))
    assert values[0] != values[1] or texts[0] == texts[1]
    if getattr(one, field) != getattr(changed, field) and explained.rules and not field.endswith("_in"):
        assert values[0] != values[1], "no field of a rule is left out, but territories are one set"


@each_snapshot
def test_a_view_explains_what_it_answered_after_other_rules_are_active(snapshot_of):
    viewer = Viewer(country="IN")
    engine = Engine(snapshot_of(RULES), clock=iter([NOON, NOON + HOUR]).__next__)
    view = engine.view(viewer)
    before = engine.explain((20, 17), viewer, NOON)
    engine.activate(snapshot_of(RuleSet([rule("new")])))
    assert view.explain((20, 17)) == before
    assert view.explain((20, 17)).decision == view.check(tweet_id=20, account_id=17)
    retweet = Tweet(id=30, account_id=6, retweet_of=Tweet(id=20, account_id=17))
    assert view.explain(retweet).decision == view.check_tweet(retweet).decision
    assert [found.rule.id for found in engine.explain((20, 17), viewer).rules] == ["new"]
    with pytest.raises(WithholdError):
        view.explain(20)  # type: ignore[arg-type]


@given(house.rules())
def test_the_territories_of_a_rule_have_the_text_of_their_set(given_rule):
    assert territories_text(given_rule) == str(territories_of(given_rule))


def test_the_text_of_countries_needs_no_data_on_subdivisions(monkeypatch):
    monkeypatch.delattr("withhold.model.places._atlas")
    assert where(territories_text(rule("r", withheld_in=["TR", "IN"]))) == "in IN, TR"
