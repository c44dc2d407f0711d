"""The difference of two rule sets, compared with two references that are asked at every place and instant."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reports.oracle import KINDS, found_between, instants_around, reported_change, wanted
from tests.strategies import HOURS, PLACES, periods, policies, reference, rule_sets, subjects
from withhold import Outcome, Period, Policy, Reference, Rule, RuleSet, Snapshot, Viewer
from withhold.engine.reference import _distinguishable_places
from withhold.model.tweet import links_of
from withhold.reports import differences
from withhold.snapshot.snapshot import Kind

SUBJECTS: list[tuple[Kind, int]] = [(kind, id_) for kind in KINDS for id_ in (1, 2, 3, 10, 11, 12)]
FEW = settings(max_examples=15)


@FEW
@given(rule_sets(), rule_sets(), policies)
def test_it_says_what_two_references_say_everywhere_and_always_and_nothing_else(old, new, policy):
    found = found_between(old, new, policy)
    before, after = reference(old, policy), reference(new, policy)
    for kind, id_ in SUBJECTS:
        for place in PLACES:
            for at in instants_around(old, new):
                assert reported_change(found, kind, id_, place, at) == wanted(before, after, kind, id_, place, at)


@settings(max_examples=50)
@given(rule_sets(), rule_sets(), policies, subjects, st.sampled_from(PLACES), st.sampled_from(HOURS))
def test_no_tweet_changes_unless_one_of_its_parts_does_alone(old, new, policy, subject, place, at):
    """This holds for retweets too, so it is enough to compare single accounts and tweets."""
    found = found_between(old, new, policy)
    viewer = Viewer(country=place[0], subdivisions=place[1])
    before, after = (reference(rules, policy).check(subject, viewer, at).outcome for rules in (old, new))
    asked: list[tuple[Kind, int | None]] = []
    for tweet, account in links_of(subject):
        asked += [("accounts", account), ("tweets", tweet)]
    parts = [reported_change(found, kind, id_, place, at) for kind, id_ in asked if id_ is not None]
    assert before is after or any(parts)


_TERRITORIES = ("WORLD", "EU", "IN", "IN-DL", "GB", "GB-ENG", "GB-LND", "FR", "FR-IDF", "FR-75C", "ES-CT", "US-MS")


def _random_set(chance: random.Random) -> RuleSet:
    def territories(most):
        return chance.sample(_TERRITORIES, chance.randint(0, most))

    made = []
    for number in range(chance.randint(1, 5)):
        start, end = sorted(chance.sample(HOURS, 2))
        made.append(
            Rule(
                id=str(number),
                accounts=chance.sample((1, 2, 3), 2),
                tweets=chance.sample((1, 10), 1),
                withheld_in=territories(2) or ["WORLD"],
                except_in=territories(2),
                from_=chance.choice((None, start)),
                until=chance.choice((None, end)),
                if_unknown=chance.choice((None, "withhold", "show")),
                reason="local_law",
            )
        )
    return RuleSet(made)


@pytest.mark.parametrize("seed", range(5))
def test_by_brute_force_over_all_countries_and_subdivisions(seed):
    chance = random.Random(seed)
    old, new = _random_set(chance), _random_set(chance)
    policy = Policy(unknown_location=chance.choice(("show", "withhold")))
    found = found_between(old, new, policy)
    before, after = Reference(old, policy), Reference(new, policy)
    places = list(_distinguishable_places([*old, *new]))
    assert len(places) > 250
    assert found
    for kind, id_ in SUBJECTS:
        for at in instants_around(old, new)[1::3]:
            for place in places:
                assert reported_change(found, kind, id_, place, at) == wanted(before, after, kind, id_, place, at)


@FEW
@given(rule_sets(), rule_sets(), policies)
def test_each_change_is_told_once_for_as_long_and_as_widely_as_it_lasts(old, new, policy):
    for difference in found_between(old, new, policy).values():
        keys = [(change.old, change.new, change.period) for change in difference.changes]
        assert len(keys) == len(set(keys))
        assert all(change.old is not change.new for change in difference.changes)
        for place in PLACES:
            here = [change for change in difference.changes if change.where.has(place)]
            ends = {(change.old, change.new, change.period.end) for change in here if change.period.end}
            assert not [c for c in here if c.period.start and (c.old, c.new, c.period.start) in ends]


@FEW
@given(rule_sets(), policies)
def test_a_rule_set_does_not_differ_from_itself(rules, policy):
    again = RuleSet(reversed(list(rules)))
    assert not found_between(rules, again, policy)


@FEW
@given(rule_sets(), rule_sets(), policies)
def test_the_other_way_round_it_is_mirrored(old, new, policy):
    there, back = found_between(old, new, policy), found_between(new, old, policy)
    assert there.keys() == back.keys()
    for subject, difference in there.items():
        turned = {change._replace(old=change.new, new=change.old) for change in difference.changes}
        assert turned == set(back[subject].changes)
        ours, theirs = difference.causes, back[subject].causes
        assert (ours.new, ours.gone) == (theirs.gone, theirs.new)
        assert {rule.id for rule in ours.changed} == {rule.id for rule in theirs.changed}


@FEW
@given(rule_sets(), rule_sets(), rule_sets(), policies)
def test_one_after_the_other_they_make_the_whole(a, b, c, policy):
    first, second, both = found_between(a, b, policy), found_between(b, c, policy), found_between(a, c, policy)
    for kind, id_ in SUBJECTS:
        for place in PLACES:
            for at in instants_around(a, b, c):
                one, two = reported_change(first, kind, id_, place, at), reported_change(second, kind, id_, place, at)
                if one and two:
                    assert one[1] is two[0]
                turn = (one or two or (None,))[0], (two or one or (None, None))[1]
                assert reported_change(both, kind, id_, place, at) == (turn if turn[0] is not turn[1] else None)


@FEW
@given(rule_sets(), rule_sets(), policies, periods())
def test_within_a_period_it_is_the_same_and_nothing_outside_of_it(old, new, policy, bounds):
    window = Period(*bounds)
    whole, part = found_between(old, new, policy), found_between(old, new, policy, within=window)
    assert whole.keys() == part.keys()
    for kind, id_ in SUBJECTS:
        for place in PLACES:
            for at in {*HOURS, *(hour + timedelta(minutes=30) for hour in HOURS), HOURS[0] - timedelta(days=1)}:
                inside = reported_change(whole, kind, id_, place, at) if window.covers(at) else None
                assert reported_change(part, kind, id_, place, at) == inside


@FEW
@given(rule_sets(), rule_sets())
def test_an_auditor_notices_whatever_rules_say_otherwise(old, new):
    found = found_between(old, new)
    for kind, id_ in SUBJECTS:
        before, after = (
            {
                str(
                    (
                        rule.id,
                        *map(str, (rule.withheld_in, rule.except_in, rule.from_, rule.until, rule.stays)),
                        rule.demand,
                        rule.jurisdiction,
                        rule.review_by,
                        rule.note,
                        rule.override,
                        rule.extra,
                    )
                )
                + str((rule.effect, rule.reason, rule.if_unknown))
                for rule in rules
                if id_ in getattr(rule, kind)
            }
            for rules in (old, new)
        )
        assert (before != after) == ((kind, id_) in found)


@FEW
@given(rule_sets(), rule_sets(), policies)
def test_wherever_the_rules_are_kept_it_is_the_same(tmp_path_factory, old, new, policy):
    folder = tmp_path_factory.mktemp("kept")
    sides = []
    for name, rules in (("old", old), ("new", new)):
        Snapshot.compile(rules).save(folder / name)
        sides.append(
            (
                Snapshot.compile(rules),
                Snapshot.compile(rules, native=False),
                Snapshot.open(folder / name),
                Snapshot.open(folder / name, native=False),
            )
        )
    first, *others = (
        [(d.kind, d.ids, d.changes) for d in differences(before, after, policy)]
        for before, after in zip(*sides, strict=True)
    )
    assert all(other == first for other in others)


def _one(**changed):
    message = {"id": "in-1", "accounts": [1], "withheld_in": ["IN"], "reason": "legal_demand"}
    return RuleSet([Rule(**(message | changed))])


def _lines(old, new):
    [difference] = found_between(old, new).values()
    return [str(change) for change in difference.changes]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"withheld_in": ["IN", "TR", "BR"]}, ["BR, TR visible → withheld always"]),
        ({"withheld_in": "WORLD"}, ["unknown location and WORLD except IN visible → withheld always"]),
        ({"from_": HOURS[0]}, ["IN withheld → visible until 2021-02-10T00:00:00Z"]),
        (
            {"stays": [(HOURS[0], HOURS[1])]},
            ["IN withheld → visible from 2021-02-10T00:00:00Z until 2021-02-10T01:00:00Z"],
        ),
        ({"if_unknown": "withhold"}, ["unknown location visible → withheld always"]),
        ({"withheld_in": "IN-DL"}, ["IN (except IN-DL) withheld → visible always"]),
        (
            {"withheld_in": "IN-DL", "if_unknown": "withhold"},
            [
                "unknown location visible → withheld always",
                "IN (except IN-DL) but not IN with no subdivision known withheld → visible always",
            ],
        ),
        (
            {"effect": "suspend", "withheld_in": "WORLD", "reason": "terms"},
            [
                "unknown location and WORLD except IN visible → suspended always",
                "IN withheld → suspended always",
            ],
        ),
    ],
)
def test_how_changes_read(changed, message):
    assert _lines(_one(), _one(**changed)) == message


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "in-2"},
        {"reason": "terms"},
        {"demand": "D"},
        {"jurisdiction": "IN"},
        {"review_by": HOURS[0]},
        {"note": "n"},
        {"override": {"no-end": "the court set none"}},
        {"extra": {"x-ticket": "LEGAL-1"}},
        {"if_unknown": "show"},
    ],
)
def test_what_no_viewer_notices_has_no_changes_and_says_which_rules(changed):
    [difference] = found_between(_one(), _one(**changed)).values()
    assert difference.changes == ()
    causes = difference.causes
    ids = [[rule.id for rule in rules] for rules in (causes.new, causes.gone, causes.changed)]
    assert ids == ([["in-2"], ["in-1"], []] if "id" in changed else [[], [], ["in-1"]])


def test_what_a_rule_names_besides_and_where_it_stands_is_no_difference():
    assert found_between(_one(), _one(accounts=[1, 2])).keys() == {("accounts", 2)}


def test_a_rule_that_only_has_another_note_is_no_cause_of_another_outcome():
    lasting = Rule(id="a", accounts=[1], withheld_in="IN", reason="terms")
    noted = Rule(id="a", accounts=[1], withheld_in="IN", reason="terms", note="seen")
    added = Rule(id="b", accounts=[1], effect="suspend", reason="terms")
    [difference] = found_between(RuleSet([lasting]), RuleSet([noted, added])).values()
    assert [change.new for change in difference.changes] == [Outcome.SUSPENDED] * 2
    assert (difference.causes.new, difference.causes.changed) == ((added,), ())


def test_a_period_that_begins_where_a_rule_ends_has_nothing_of_it():
    [difference] = found_between(_one(until=HOURS[0]), RuleSet(), within=Period(HOURS[0])).values()
    assert difference.changes == ()
