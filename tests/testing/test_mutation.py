"""Mutation finds every gap and suggests a case that fills it. Changes that nobody could observe are not counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import strategies as house
from tests.testing.material import case_file, indexed
from withhold import Outcome, Place, Policy, Reference, Rule, RuleSet, Viewer
from withhold.engine.reference import _outcome as outcome_of
from withhold.engine.reference import _reached
from withhold.model.places import place_of
from withhold.model.tweet import links_of
from withhold.testing import viewer
from withhold.testing.cases import Case, Expectation
from withhold.testing.mutants import SHORT_LIST, ids_to_drop, mutants
from withhold.testing.mutation import mutate
from withhold.testing.questions import Index, Question, names
from withhold.testing.suite import Library, read_all

HERE = Place("rules.yaml", 2, 5)
AT = datetime(2021, 2, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
YEAR = timedelta(days=365)


@st.composite
def placed_rule_sets(draw):
    """Draw rule sets with places, as if they had been read from a file."""
    return RuleSet(
        replace(rule, place=Place("rules.yaml", number, 5))
        for number, rule in enumerate(draw(house.rule_sets(max_size=3)), 1)
    )


@st.composite
def cases_for(draw, rules, policy):
    """Draw passing cases. Some of them have a `because`."""
    reference = house.reference(rules, policy)
    found = []
    for number in range(draw(st.integers(0, 4))):
        subject, at = draw(house.subjects), draw(house.instants)
        looking = draw(st.lists(house.viewers(), min_size=1, max_size=2, unique=True))
        decisions = [reference.check(subject, who, at) for who in looking]
        expect = tuple(Expectation(who, got.outcome) for who, got in zip(looking, decisions, strict=True))
        speakers = {got.rule_id for got in decisions if not got.visible}
        because = draw(st.sampled_from([None, *speakers])) if len(speakers) == 1 else None
        found.append(Case(f"case {number}", subject, at, expect, because, HERE))
    return found


files = st.tuples(placed_rule_sets(), house.policies).flatmap(
    lambda given: st.builds(case_file, st.just(given[0]), cases_for(*given), st.just(given[1]))
)


def answer(rules, policy, subject, who, at):
    """Return the outcome of the reference, without the other fields, which would require evaluating all places."""
    links, reference = links_of(subject), Reference(rules, policy)
    return outcome_of(reference._hiding(_reached(reference._in_force(links, at), who.location_key)), links)


def with_instead(rules, mutant):
    """Return the rules after a change. `mutant` may name fewer ids than the rule, as representatives."""
    kept = [rule for rule in rules if rule.id != mutant.rule.id]
    return RuleSet([*kept, *([] if mutant.mutated is None else [mutant.mutated])])


def asserted(case, rules):
    """Yield viewers for whom a case expects an outcome, at the places of a small world and of rules, with the outcome."""
    yield from ((each.viewer, each.outcome) for each in case.expect)
    if case.elsewhere is None:
        return
    named = {code for rule in rules for code in (*rule.withheld_in, *rule.except_in)} - {"WORLD"}
    for who in [
        *(Viewer(country=country, subdivisions=inside) for country, inside in house.PLACES),
        *map(viewer, named),
    ]:
        if place_of(who.location_key) & case.elsewhere.places:
            yield who, case.elsewhere.outcome


@given(files)
@settings(max_examples=15)
def test_survivors_equivalents_and_suggestions_by_brute_force(file):
    """Compare with the reference for every subject, place and instant of this small world."""
    found = mutate(indexed(file))
    assert {rule.id for rule, _ in found.untested} <= {
        rule.id for rule in file.rules if not any(names(rule, links_of(case.subject)) for case in file.cases)
    }
    instants = {at + shift for at in house.HOURS for shift in (-SECOND, timedelta(), SECOND)}
    instants |= {house.START - YEAR, house.START + YEAR}
    viewers = [Viewer(country=country, subdivisions=inside) for country, inside in house.PLACES]
    subjects = [(None, account) for account in house.ACCOUNTS] + [(tweet, None) for tweet in house.TWEETS]
    for mutant in found.equivalent[:3]:
        changed = with_instead(file.rules, mutant)
        for subject, who, at in product(subjects, viewers, instants):
            before, after = (answer(rules, file.policy, subject, who, at) for rules in (file.rules, changed))
            assert before is after, mutant
    for suggestion in found.suggestions:
        for mutant in suggestion.notices:
            changed = with_instead(file.rules, mutant)
            answers = []
            for case in suggestion.cases():
                for who, outcome in asserted(case, changed):
                    assert answer(file.rules, file.policy, case.subject, who, case.at) is outcome
                    answers.append(answer(changed, file.policy, case.subject, who, case.at) is outcome)
            assert not all(answers), mutant
    untested = {rule.id for rule, _ in found.untested}
    notices = [mutant for suggestion in found.suggestions for mutant in suggestion.notices]
    assert {mutant.rule.id for mutant in notices} >= untested
    assert {mutant.change for mutant in found.survivors} == {
        mutant.change for mutant in notices if mutant.rule.id not in untested
    }


@given(files)
@settings(max_examples=20)
def test_with_all_that_is_suggested_nothing_survives(file):
    """This takes several rounds, because a rule without cases gets only one suggestion in the first."""
    counted = -1
    while suggestions := mutate(indexed(file)).suggestions:
        assert len(file.cases) > counted
        counted = len(file.cases)
        added = [case for suggestion in suggestions for case in suggestion.cases()]
        names_ = [case.name for case in (*file.cases, *added)]
        assert len(set(names_)) == len(names_)
        file = case_file(file.rules, (*file.cases, *added), file.policy)
    found = mutate(indexed(file))
    assert (found.survivors, found.untested) == ([], [])


@given(placed_rule_sets(), house.subjects, house.viewers(), house.instants, house.policies)
@settings(max_examples=30)
def test_a_question_is_answered_as_the_reference_does(rules, subject, who, at, policy):
    links = links_of(subject)
    case = Case("", subject, at, (), None, HERE)
    concerning = tuple(rule for rule in rules if names(rule, links))
    question = Question(case_file(rules, [case], policy), case, links, concerning)
    for rule in concerning:
        without = RuleSet(other for other in rules if other.id != rule.id)
        for instead, whole in ((rule, rules), (None, without)):
            decision = house.reference(whole, policy).check(subject, who, at)
            assert question.outcome(who, rule, instead) is decision.outcome
            speaker = None if decision.visible else decision.rule_id
            assert question.speaker(who, rule, instead) == speaker


def changes(rule):
    drop = {"accounts": ids_to_drop(rule.accounts, ()), "tweets": ids_to_drop(rule.tweets, ())}
    return [mutant.change for mutant in mutants(rule, drop)]


def test_every_way_in_which_a_rule_is_changed():
    rule = Rule(
        id="a",
        accounts=[1, 2],
        tweets=[3],
        withheld_in=["IN", "PK"],
        except_in=["IN-DL"],
        from_=AT,
        until=AT + timedelta(days=9),
        stays=[(AT + SECOND, None)],
        reason="terms",
        if_unknown="show",
    )
    assert changes(rule) == [
        "without the rule",
        "without IN in `withheld_in`",
        "without PK in `withheld_in`",
        "without IN-DL in `except_in`",
        "without account 1",
        "without account 2",
        "without tweet 3",
        "without `from`",
        "with `from` a second later",
        "with `from` a second earlier",
        "without `until`",
        "with `until` a second later",
        "with `until` a second earlier",
        "without the stay from 2021-02-10T00:00:01Z",
        "with the start of a stay, 2021-02-10T00:00:01Z, a second later",
        "with the start of a stay, 2021-02-10T00:00:01Z, a second earlier",
        "with `effect: suspend`",
        "with `if_unknown: withhold`",
    ]


def test_a_change_that_makes_no_rule_is_left_out():
    """The last territory or id cannot be dropped, nor a period of a second shortened. Nothing precedes year 1."""
    rule = Rule(id="a", accounts=[1], withheld_in=["IN"], from_=AT, until=AT + SECOND, reason="terms")
    assert changes(rule) == [
        "without the rule",
        "without `from`",
        "with `from` a second earlier",
        "without `until`",
        "with `until` a second later",
        "with `effect: suspend`",
        "with `if_unknown: withhold`",
        "with `if_unknown: show`",
    ]
    first = datetime.min.replace(tzinfo=UTC)
    assert "with `from` a second earlier" not in changes(replace(rule, from_=first))
    suspending = Rule(id="a", accounts=[1], effect="suspend", reason="terms")
    assert "with `effect: withhold`" in changes(suspending)


def test_of_long_lists_a_few_ids_stand_for_the_rest():
    short, long = range(1, SHORT_LIST + 1), range(1, 10_001)
    assert ids_to_drop(short, ()) == list(short)
    assert ids_to_drop(long, ()) == [1]
    assert ids_to_drop(long, {1}) == [1, 2]
    assert ids_to_drop(long, {7, 9, 20_000}) == [7, 9]
    assert len(ids_to_drop(long, set(long))) == SHORT_LIST


def test_a_long_list_is_tested_by_two_of_its_ids():
    rule = Rule(id="a", accounts=range(1, 1_001), withheld_in=["IN"], reason="terms", place=HERE)
    where = tuple(
        Expectation(viewer(place), Outcome(outcome))
        for place, outcome in (("IN", "withheld"), ("unknown", "visible"), ("US", "visible"))
    )
    cases = [
        Case(f"account {account}", (None, account), at, where, None, HERE)
        for account, at in ((5, AT), (5, AT + YEAR), (6, AT))
    ]
    assert mutate(indexed(case_file(RuleSet([rule]), cases, Policy()))).survivors == []
    (survivor,) = mutate(indexed(case_file(RuleSet([rule]), cases[:2], Policy()))).survivors
    assert survivor.change == "without account 1"


@pytest.mark.parametrize(
    "fields",
    [
        {
            "withheld_in": ["IN"],
            "accounts": range(1, 8),
            "from_": AT,
            "stays": [(AT, AT + SECOND), (None, AT - SECOND)],
        },
        {"withheld_in": ["WORLD"], "until": AT},
        {"withheld_in": ["WORLD"], "except_in": ["GB", "US-MS"]},
        {"effect": "suspend"},
    ],
)
@pytest.mark.parametrize("policy", [Policy(), Policy(unknown_location="withhold")])
def test_a_rule_that_no_case_asks_about_counts_with_all_its_changes(fields, policy):
    """The number is the same as with a case, so a first case never lowers the score."""
    rule = Rule(**{"id": "a", "accounts": [1], "reason": "terms", "place": HERE, **fields})
    who = Viewer(country="IN")
    right = Reference(RuleSet([rule]), policy).check((None, 1), who, AT).outcome
    case = Case("c", (None, 1), AT, (Expectation(who, right),), None, HERE)
    without, with_one = (mutate(indexed(case_file(RuleSet([rule]), cases, policy))) for cases in ([], [case]))
    ((untested, counted),) = without.untested
    assert (untested.id, without.survivors, without.killed, len(without.suggestions)) == ("a", [], 0, 1)
    assert without.counted == counted == with_one.counted > 1
    assert with_one.untested == []


def test_of_a_rule_that_no_case_asks_about_a_change_is_suggested_that_somebody_sees():
    """Removing the rule would change nothing, because another rule has the same effect.

    A suspension would be visible.
    """
    a = Rule(id="a", accounts=[1], withheld_in=["IN"], reason="terms", place=HERE)
    b = Rule(id="b", accounts=[1, 2], withheld_in=["IN", "PK"], reason="terms", place=Place("rules.yaml", 9, 5))
    found = mutate(indexed(case_file(RuleSet([a, b]), [], Policy())))
    assert [(rule.id, changes) for rule, changes in found.untested] == [("a", 7), ("b", 12)]
    assert [mutant.change for mutant in found.equivalent] == ["without the rule"]
    noticed = {mutant.change for each in found.suggestions for mutant in each.notices}
    assert noticed == {"with `effect: suspend`", "without the rule"}


def test_ids_of_a_long_list_that_another_rule_names_too_are_asked_about():
    """Cases for ids that are withheld anyway do not test the list."""
    whole = Rule(id="a", accounts=range(1, 1_001), withheld_in=["IN"], reason="terms", place=HERE)
    all_but_one = Rule(
        id="b", accounts=range(2, 1_001), withheld_in=["WORLD"], reason="terms", place=Place("rules.yaml", 9, 5)
    )
    expect = (Expectation(viewer("IN"), Outcome.WITHHELD),)
    cases = [Case(f"account {account}", (None, account), AT, expect, None, HERE) for account in (5, 6)]
    found = mutate(indexed(case_file(RuleSet([whole, all_but_one]), cases, Policy())))
    assert any((None, 1) in suggestion.links for suggestion in found.suggestions)


@pytest.mark.parametrize(("because", "survives"), [("b", False), (None, True)])
def test_a_change_of_who_speaks_is_noticed_by_because(because, survives):
    """Without `a` the outcome is the same, so the change counts as equivalent unless a case has `because`."""
    a = Rule(id="a", accounts=[1], withheld_in=["IN"], reason="terms", place=HERE)
    b = Rule(id="b", accounts=[1], withheld_in=["IN"], reason="legal_demand", place=Place("rules.yaml", 9, 5))
    case = Case("c", (None, 1), AT, (Expectation(viewer("IN"), Outcome.WITHHELD),), because, HERE)
    found = mutate(indexed(case_file(RuleSet([a, b]), [case], Policy())))
    gone = ("b", "without the rule")
    assert (gone in [(mutant.rule.id, mutant.change) for mutant in found.equivalent]) is survives
    assert gone not in [(mutant.rule.id, mutant.change) for mutant in found.survivors]


def test_cases_of_several_files_and_policies_work_together():
    rule = Rule(id="a", accounts=[1], withheld_in=["IN"], reason="terms", place=HERE)
    rules = RuleSet([rule])

    def asking(name, policy, **expected):
        expect = tuple(Expectation(viewer(place), Outcome(outcome)) for place, outcome in expected.items())
        cases = [Case("c", (None, 1), AT, expect, None, HERE), Case("d", (None, 1), AT + YEAR, expect, None, HERE)]
        return replace(case_file(rules, cases, policy, name), rules_path=HERE_RULES)

    showing = asking("showing", Policy(), IN="withheld", unknown="visible", US="visible")
    hiding = asking("hiding", Policy(unknown_location="withhold"), IN="withheld")
    # `if_unknown: show` has an effect only under the policy that withholds from viewers of unknown location.
    (survivor,) = mutate(Index([showing, hiding], Library())).survivors
    assert survivor.change == "with `if_unknown: show`"
    suggestion = mutate(Index([showing, hiding], Library())).suggestions[0]
    assert (str(suggestion.file.path), suggestion.expect) == ("hiding.cases.yaml", {(None, ()): Outcome.WITHHELD})
    both = asking("hiding", Policy(unknown_location="withhold"), IN="withheld", unknown="withheld")
    assert mutate(Index([showing, both], Library())).survivors == []


@pytest.mark.parametrize("policy", [Policy(), Policy(author_sees_own=True)])
def test_a_case_is_suggested_to_the_file_that_asks_most_about_the_rule(policy):
    """This holds whether or not the rules and policies are the same. In a tie, the first file by name gets the case."""
    a = Rule(id="a", accounts=[1, 2], withheld_in=["IN"], reason="terms", place=HERE)
    b = Rule(id="b", accounts=[3], withheld_in=["IN"], reason="terms", place=Place("rules.yaml", 9, 5))
    where = (Expectation(viewer("IN"), Outcome.WITHHELD),)

    def asking(name, policy, *accounts):
        cases = [Case(f"c{number}", (None, account), AT, where, None, HERE) for number, account in enumerate(accounts)]
        return replace(case_file(RuleSet([a, b]), cases, policy, name), rules_path=HERE_RULES)

    def suggested_to(*files):
        found = mutate(Index(files, Library())).suggestions
        return {str(suggestion.file.path) for suggestion in found if (None, 2) in suggestion.links}

    first, second = asking("first", Policy(), 1, 3, 3), asking("second", policy, 1, 1)
    assert suggested_to(first, second) == {"second.cases.yaml"}
    assert suggested_to(first, asking("second", policy, 1)) == {"first.cases.yaml"}


HERE_RULES = case_file(RuleSet([]), [], Policy(), "same").rules_path


THOROUGH = Path(__file__).parent / "thorough" / "all.cases.yaml"


def test_each_case_that_is_taken_away_leaves_the_hole_that_it_filled():
    """The comment above each suggested case lists the changes that it notices."""
    only: list[set[str]] = []
    above: set[str] = set()
    for line in THOROUGH.read_text(encoding="utf-8").splitlines():
        if line.startswith("  # `"):
            above.add(line[4:].replace("`", "", 2))
        elif line.startswith("  - it: "):
            only.append(above)
            above = set()
    library = Library()
    (file,) = read_all([THOROUGH], library)
    assert len(only) == len(file.cases) == 21
    assert mutate(Index([file], library)).survivors == []
    for number, changes in enumerate(only):
        cases = (*file.cases[:number], *file.cases[number + 1 :])
        found = mutate(Index([replace(file, cases=cases)], library))
        holes = {f"{mutant.rule.id} {mutant.change}" for mutant in found.survivors}
        holes |= {f"{rule.id} without the rule" for rule, _ in found.untested}
        if number >= 4:  # earlier cases existed before the suggestions
            # The instant before its end notices a missing stay too.
            assert holes == {change for change in changes if "without the stay" not in change}
