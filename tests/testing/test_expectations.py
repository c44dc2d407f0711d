"""Cases about several subjects, groups and `elsewhere` expect exactly what a reader would list one by one."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from tests import strategies as house
from tests.testing.material import case_file, indexed
from withhold import Outcome, Place, Reference, RuleSet, Viewer
from withhold.errors import Problem
from withhold.model.instants import in_iso
from withhold.model.places import place_of
from withhold.model.tweet import links_of
from withhold.parsing.yaml_file import read_yaml
from withhold.semantics import extent, reach_of
from withhold.territories import containing
from withhold.testing.cases import Case
from withhold.testing.coverage import SPEAKS, coverage
from withhold.testing.expectations import groups_of
from withhold.testing.questions import Question, names
from withhold.testing.reading import read_cases
from withhold.testing.running import Runner, failure, summary
from withhold.testing.suite import Library
from withhold.testing.viewers import place_name

#: A group of case files, beside the predefined ones.
NEAR = ("TR", "US-MS", "IT-62")
#: Places of each kind that the rules distinguish.
WORLD = [*house.PLACES, ("FR", ())]
KEYS = ("IN", "US", "US-MS", "US-CA", "IT", "IT-62", "IT-RM", "TR", "BR", "unknown", "EU", "near", "elsewhere")

expected = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(list(Outcome)), min_size=1, max_size=5)


def named_by(key):
    return {"EU": containing_italy(), "near": NEAR, "elsewhere": ()}.get(key, (key,))


def containing_italy():
    """Return members of the EU: Italy, which rules name, and one that they do not name."""
    return ("IT", "FR")


def written(expect, at, accounts, tweets, viewer, because):
    """Return a case file as text."""
    subjects = {"accounts": sorted(accounts), "tweets": sorted(tweets)}
    lines = ["rules: all-rules", "groups: {near: [TR, inner], inner: [US-MS, IT-62]}", "cases:", "  - it: is a case"]
    lines += [f"    {key}: {ids}" for key, ids in subjects.items() if ids]
    lines += [
        f"    at: {in_iso(at)}",
        f"    expect: {{{', '.join(f'{key}: {value}' for key, value in expect.items())}}}",
    ]
    lines += [f"    viewer: {viewer}"] if viewer else []
    lines += [f"    because: {because}"] if because else []
    return "\n".join([*lines, ""])


def listed(expect):
    """Return what a reader would list: each of a few places that represent all others, with its expected outcome.

    No place of this small world is listed twice, except by a mistake that is refused.
    """
    places = {code: outcome for key, outcome in expect.items() for code in named_by(key)}
    found = dict(places)
    if "elsewhere" in expect:
        for country, inside in WORLD:
            code = place_name(country, inside)
            around = [place for place in containing(code) if place in places] if country else ["unknown"]
            # `containing` begins with the code itself.
            if not around or (country and places[around[0]] is expect["elsewhere"]):
                found.setdefault(code, expect["elsewhere"])
    return found


def viewer_at(code, account):
    return (
        Viewer.unknown(account_id=account)
        if code == "unknown"
        else Viewer(country=code[:2], subdivisions=[code] if "-" in code else (), account_id=account)
    )


def cases_in(text: str, rules: RuleSet) -> tuple[list[Case], list[Problem]]:
    root = read_yaml(text, "all.cases.yaml")
    assert root is not None
    problems: list[Problem] = []
    groups = groups_of(root, problems)
    cases, found = read_cases(root.at(["cases"]), rules, groups)
    return cases, [*problems, *found]


@st.composite
def questions(draw):
    rules = RuleSet(
        replace(rule, place=Place("rules.yaml", number, 5))
        for number, rule in enumerate(draw(house.rule_sets(max_size=3)), 1)
    )
    expect, at = draw(expected), draw(house.instants)
    accounts, tweets = draw(st.sets(house.accounts)), draw(st.sets(house.tweet_ids))
    viewer = draw(st.none() | house.accounts)
    because = draw(st.none() | st.sampled_from(["none", *(rule.id for rule in rules)]))
    policy, accounts = draw(house.policies), accounts or {1}
    if draw(st.booleans()):  # a case that passes, or nearly
        reference = Reference(rules, policy, places=WORLD)
        for key in expect:
            code = (*named_by(key), "BR")[0]
            expect[key] = reference.check((None, min(accounts)), viewer_at(code, viewer), at).outcome
    return rules, expect, at, accounts, tweets, viewer, because, policy


@given(questions(), house.rules("spare"))
@settings(max_examples=40)
def test_a_case_expects_what_a_reader_would_list(question, spare):
    """Compare runs, coverage and mutation with the reference at each place that the case is about."""
    rules, expect, at, accounts, tweets, viewer, because, policy = question
    if because == "none" or all(outcome is Outcome.VISIBLE for outcome in expect.values()):
        because = None
    cases, problems = cases_in(written(expect, at, accounts, tweets, viewer, because), rules)
    if twice(expect):
        assert {problem.code for problem in problems} == {"repeated-place"}
        return
    assert problems == []
    assert [case.subject for case in cases] == [
        *((None, account) for account in sorted(accounts)),
        *((tweet, None) for tweet in sorted(tweets)),
    ]
    file = case_file(rules, cases, policy)
    index = indexed(file)
    runner = Runner(file, Library().engine(file))
    reference = Reference(rules, policy, places=WORLD)
    places = listed(expect)
    for case in cases:
        answers = {code: reference.check(case.subject, viewer_at(code, viewer), at) for code in places}
        wrong = {code for code, outcome in places.items() if answers[code].outcome is not outcome}
        others = {code for code, got in answers.items() if because and not got.visible and got.rule_id != because}
        result = runner.run(case)
        assert result.passed == (not wrong and not others)
        if wrong or others:
            assert f"  {case}\n" in failure(result, runner.engine)
            assert summary(result)
        question = Question(
            file, case, links_of(case.subject), tuple(each for each in rules if names(each, links_of(case.subject)))
        )
        for rule, instead in product(question.rules, (None, spare)):
            mutated = None if instead is None else replace(instead, id=rule.id)
            changed = RuleSet([*(other for other in rules if other.id != rule.id), *([mutated] if mutated else [])])
            reference_after = Reference(changed, policy, places=WORLD)
            after = {code: reference_after.check(case.subject, viewer_at(code, viewer), at) for code in places}
            differs = any(after[code].outcome is not places[code] for code in places)
            assert question.differs(rule, mutated) == differs
            if result.passed:  # the change is noticed if and only if the case then fails
                file_after = case_file(changed, [case], policy)
                passes = Runner(file_after, Library().engine(file_after)).run(case).passed
                assert passes == (not differs and not question.another_speaks(rule, mutated))
    for found in coverage(index):
        asked = [case for case in cases if names(found.rule, links_of(case.subject))]
        assert found.cases == len(asked)
        assert found.tried == (tried(found.rule, at, places, policy) if asked else set())


def twice(expect):
    """Return whether a place is named twice."""
    codes = [code for key in expect for code in named_by(key)]
    return len({*codes}) < len(codes)


def tried(rule, at, places, policy):
    """Return the sides that viewers at each of the places try."""
    found = set()
    where = extent(reach_of(rule), policy)
    for code in places:
        here = place_of(viewer_at(code, None).location_key)
        if rule.in_force(at):
            inside = rule.except_in and any(each in containing(code) for each in rule.except_in if code != "unknown")
            if where.surely & here:
                found.add("a viewer inside")
            elif where.possible & here:
                found.add("a viewer who may be inside")
            else:
                found.add("an excepted viewer" if inside or "WORLD" in rule.except_in else "a viewer outside")
            if where.hidden & here:
                found.add(SPEAKS)
        elif where.hidden & here:
            if rule.from_ is not None and at < rule.from_:
                found.add("before it begins")
            elif rule.until is not None and at >= rule.until:
                found.add("after it ends")
            else:
                for stay in rule.stays:
                    if stay.covers(at):
                        bounds = (("from", stay.start), ("until", stay.end))
                        found.add(
                            " ".join(["in the stay", *(f"{word} {in_iso(bound)}" for word, bound in bounds if bound)])
                        )
    return found
