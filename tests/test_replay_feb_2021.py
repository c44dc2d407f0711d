"""The events of February 2021, replayed with the rules of the demo: who saw what, when and where."""

from __future__ import annotations

from importlib.resources import as_file, files

import pytest

from withhold import Engine, Outcome, Reference, RuleSet, Viewer
from withhold.model.instants import parse_instant

# Invented ids: (tweet, account) of one target for each course of events.
MEDIA_A = (None, 9001000000001)  # IN-D1, news media
ACT_B = (None, 9001000000003)  # IN-D1, activist
ACCT_C = (None, 9001000000038)  # IN-D1, unprotected, withheld again
POST_D = (1355123525026840575, 777)  # IN-D1, its author not targeted, withheld again
ACCT_E = (None, 9002000000001)  # IN-D2, withheld
ACCT_F = (None, 9002000001178)  # IN-D2, suspended for breaking the terms

V, W, S = Outcome.VISIBLE, Outcome.WITHHELD, Outcome.SUSPENDED
PROBES = [
    ("2021-01-31T12:00:00Z", "IN", {MEDIA_A: V, ACCT_C: V, ACCT_E: V}),
    ("2021-02-01T08:59:59.999Z", "IN", {MEDIA_A: V, POST_D: V}),
    ("2021-02-01T09:00:00Z", "IN", {MEDIA_A: W, ACT_B: W, ACCT_C: W, POST_D: W}),
    ("2021-02-01T09:00:00Z", "US", {MEDIA_A: V}),
    ("2021-02-01T09:00:00Z", "PK", {MEDIA_A: V}),
    ("2021-02-01T10:36:00Z", "IN", {MEDIA_A: W}),
    ("2021-02-01T10:36:00Z", "GB", {MEDIA_A: V}),
    ("2021-02-01T15:00:00Z", "IN", {MEDIA_A: V, ACCT_C: V, POST_D: V}),
    ("2021-02-05T00:00:00Z", "IN", {MEDIA_A: V, ACCT_C: V, ACCT_E: V, ACCT_F: V}),
    ("2021-02-09T12:00:00Z", "IN", {ACCT_E: V, ACCT_F: V}),
    ("2021-02-10T12:00:00Z", "IN", {MEDIA_A: V, ACT_B: V, ACCT_C: W, POST_D: W, ACCT_E: W, ACCT_F: S}),
    ("2021-02-10T12:00:00Z", "US", {ACCT_C: V, ACCT_E: V, ACCT_F: S}),
    ("2021-02-10T12:00:00Z", "PK", {ACCT_E: V, ACCT_F: S}),
    ("2021-02-12T12:00:00Z", "IN", {MEDIA_A: V, ACCT_E: W}),
    ("2021-02-12T12:00:00Z", "US", {ACCT_E: V}),
]


@pytest.fixture(scope="module")
def rules():
    with as_file(files("withhold.cli") / "demo_data" / "rules") as path:
        return RuleSet.load(path)


@pytest.fixture(scope="module", params=[Engine, Reference])
def checker(request, rules):
    return request.param(rules)


@pytest.mark.parametrize(("at", "country", "wanted"), PROBES, ids=[f"{at} {country}" for at, country, _ in PROBES])
def test_probe(checker, at, country, wanted):
    viewer, instant = Viewer(country=country), parse_instant(at)
    assert {target: checker.check(target, viewer, instant).outcome for target in wanted} == wanted


def test_the_demands_have_their_full_size_and_the_published_outcomes(rules):
    """IN-D1 had 257 lines, the last a hashtag; 220 were acted on, including the hashtag. IN-D2 had 1,178 accounts, all acted on."""
    view = Engine(rules).view(Viewer(country="IN"), parse_instant("2021-02-12T12:00:00Z"))
    first = rules["in-d1-2021-02-01"]
    acted = [id_ for id_ in first.accounts if not view.check(account_id=id_).visible]
    acted += [id_ for id_ in first.tweets if not view.check(tweet_id=id_).visible]
    assert len(first.accounts) + len(first.tweets) + 1 == 257
    assert len(acted) + 1 == 220

    second = {*rules["in-d2-2021-02-10"].accounts, *rules["terms-2021-02-10"].accounts} - set(first.accounts)
    assert len(second) == 1178
    assert all(not view.check(account_id=id_).visible for id_ in second)
    assert len(rules["terms-2021-02-10"].accounts) > 500


def test_imposing_again_is_a_new_rule_and_the_old_one_stays_on_record(rules):
    viewer, instant = Viewer(country="IN"), parse_instant("2021-02-10T12:00:00Z")
    states = {found.rule.id: found.state for found in Engine(rules).explain(ACCT_C, viewer, instant).rules}
    assert states == {"in-d1-2021-02-10": "applies", "in-d1-2021-02-01": "ended"}
