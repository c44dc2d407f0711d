"""The types of questions and answers: `withhold`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, assert_type

import withhold
from withhold import (
    NOT_A_TWEET,
    Decision,
    Disclosure,
    Effect,
    Engine,
    EngineInfo,
    Explanation,
    Following,
    FollowStatus,
    Freshness,
    IdSet,
    KnownProtected,
    Link,
    LocationKey,
    NotATweet,
    Outcome,
    Page,
    Period,
    Place,
    Policy,
    Problem,
    Progress,
    Reason,
    Reference,
    Rule,
    RuleSet,
    Scope,
    Settle,
    Severity,
    Snapshot,
    Subject,
    TerritorySet,
    Tweet,
    TweetDecisions,
    VariesBy,
    View,
    Viewer,
)

WHEN = datetime(2021, 2, 1, tzinfo=UTC)


def of_viewers() -> None:
    viewer = Viewer(country="US", subdivisions=["US-MS"], account_id=17, signal="GPS")
    assert_type(viewer.country, str | None)
    assert_type(viewer.subdivisions, tuple[str, ...])
    assert_type(viewer.account_id, int | None)
    assert_type(viewer.signal, str | None)
    assert_type(Viewer(country=None), Viewer)
    assert_type(Viewer.unknown(account_id=17), Viewer)


def of_policies() -> None:
    assert_type(Policy(unknown_location="withhold", author_sees_own=True), Policy)
    assert_type(Policy(unknown_location=Settle.SHOW).unknown_location, Settle)
    assert_type(Policy().author_sees_own, bool)


def of_rules(path: Path) -> None:
    rule = Rule(
        id="in-1",
        accounts=[17],
        tweets=range(20, 30),
        withheld_in=["IN"],
        except_in=("IN-DL",),
        from_=WHEN,
        stays=[(WHEN, None), Period(None, WHEN)],
        effect="withhold",
        reason="legal_demand",
        if_unknown="show",
        demand="IN-D1",
        jurisdiction="IN",
        disclosure="full",
        review_by=WHEN,
        override={"no-end": "the court set none"},
    )
    assert_type(rule.id, str)
    assert_type(rule.accounts, IdSet)
    assert_type(list(rule.tweets), list[int])
    assert_type(rule.withheld_in, tuple[str, ...])
    assert_type(rule.from_, datetime | None)
    assert_type(rule.stays, tuple[Period, ...])
    assert_type(rule.periods[0].start, datetime | None)
    assert_type(rule.effect, Effect)
    assert_type(rule.reason, Reason)
    assert_type(rule.if_unknown, Settle | None)
    assert_type(rule.jurisdiction, str | None)
    assert_type(rule.disclosure, Disclosure)
    assert_type(rule.review_by, datetime | None)
    assert_type(rule.override, tuple[tuple[str, str], ...])
    assert_type(rule.place, Place | None)
    assert_type(rule.in_force(WHEN), bool)
    assert_type(Rule(id="s", accounts=IdSet([17]), effect=Effect.SUSPEND, reason=Reason.TERMS), Rule)

    # These do not type-check if a `Literal` lacks a value of its enumeration.
    settle = Policy().unknown_location
    assert_type(Policy(unknown_location=settle.value), Policy)
    assert_type(Rule(id="v", effect=rule.effect.value, reason=rule.reason.value, if_unknown=settle.value), Rule)
    assert_type(Rule(id="v", accounts=[17], reason="terms", disclosure=rule.disclosure.value), Rule)
    assert_type(rule.reason.local, bool)

    rules = RuleSet([rule])
    assert_type(RuleSet.load(path), RuleSet)
    assert_type(RuleSet.load("rules"), RuleSet)
    assert_type(rules["in-1"], Rule)
    assert_type([each.id for each in rules], list[str])
    assert_type(len(rules), int)
    assert_type(rules.revision, str)
    assert_type(rules.warnings[0], Problem)


def of_snapshots(rules: RuleSet, path: Path) -> None:
    snapshot = Snapshot.compile(rules)
    assert_type(snapshot.save(path, created=WHEN), int)
    assert_type(Snapshot.open("rules.wh", verify="header", native=None), Snapshot)
    assert_type(Snapshot.open("rules.wh", mapped=False), Snapshot)
    assert_type(Snapshot.from_bytes(path.read_bytes(), verify="header"), Snapshot)
    assert_type(snapshot.rules, RuleSet)
    assert_type(snapshot.revision, str)
    assert_type(snapshot.rule_count, int)
    assert_type(snapshot.is_native, bool)
    assert_type(snapshot.accounts.find(17), int | None)


def of_engines(rules: RuleSet, snapshot: Snapshot, viewer: Viewer, tweet: Tweet) -> None:
    engine = Engine(snapshot, Policy(), clock=lambda: WHEN)
    assert_type(Engine(rules).policy, Policy)
    assert_type(engine.snapshot, Snapshot)
    assert_type(engine.activate(rules), None)
    assert_type(engine.activate(snapshot, guard=0.5), None)
    with engine.follow("rules/", 5, guard=None, on_change=lambda status: status.revision) as following:
        assert_type(following, Following)
        assert_type(following.status(), FollowStatus)
        assert_type(following.status().error, Exception | None)
        assert_type(following.status().activated, datetime | None)
    assert_type(engine.view(viewer, WHEN), View)
    assert_type(engine.check((20, None), viewer), Decision)
    assert_type(engine.check(tweet, viewer, at=WHEN), Decision)
    assert_type(engine.anywhere((None, 17)), Decision)

    found = engine.explain(tweet, viewer)
    assert_type(found, Explanation)
    assert_type(found.decision, Decision)
    assert_type([state.rule for state in found.rules], list[Rule])
    assert_type(found.to_dict(), dict[str, object])

    assert_type(Reference(rules).check(tweet, viewer), Decision)
    assert_type(Reference(rules, Policy()).anywhere((20, 17)), Decision)
    assert_type(withhold.engine_info(), EngineInfo)
    assert_type(withhold.engine_info().native, bool)


def of_decisions(decision: Decision) -> None:
    assert_type(decision.outcome, Outcome)
    assert_type(decision.visible, bool)
    assert_type(decision.withheld, bool)
    assert_type(decision.suspended, bool)
    assert_type(decision.exempt, Literal["author"] | None)
    assert_type(decision.rule_ids, tuple[str, ...])
    assert_type(decision.rule_id, str | None)
    assert_type(decision.scope, Scope | None)
    assert_type(decision.reason, Reason | None)
    assert_type(decision.demand, str | None)
    assert_type(decision.territories, TerritorySet)
    assert_type(decision.available_in, TerritorySet)
    assert_type(decision.certain, bool)
    assert_type(decision.varies_by_location, bool)
    assert_type(decision.valid_until, datetime | None)
    assert_type(decision.revision, str)
    assert_type(decision.to_dict(), dict[str, object])


def of_decisions_taken_for_truth(decision: Decision, found: TweetDecisions) -> str:
    """`if decision:` raises, but checkers must still check the code after it, as `warn_unreachable` shows."""
    if decision:
        return assert_type(decision.revision, str)
    if not found:
        return assert_type(found.decision.revision, str)
    return assert_type(decision.revision, str)


def of_every_outcome(outcome: Outcome) -> int:
    """A `match` with all outcomes is exhaustive: without a `return` at its end."""
    match outcome:
        case Outcome.VISIBLE:
            return 200
        case Outcome.WITHHELD:
            return 451
        case Outcome.SUSPENDED:
            return 403


def of_tweets(view: View) -> None:
    tweet = Tweet(id=22, account_id=6, retweet_of=Tweet(id=21, account_id=5), quoted=None)
    assert_type(tweet.id, int)
    assert_type(tweet.retweet_of, Tweet | None)
    found = view.check_tweet(tweet)
    assert_type(found, TweetDecisions)
    assert_type(found.decision, Decision)
    assert_type(found.quoted, TweetDecisions | None)
    assert_type(found.quotes, tuple[TweetDecisions, ...])
    assert_type(found.hidden_quote(), tuple[tuple[str, ...], Decision] | None)
    assert_type(found.hidden_quotes(), dict[tuple[str, ...], Decision])
    assert_type(found.freshness, Freshness)


def of_views(view: View, tweets: list[Tweet], rows: list[dict[str, int]]) -> None:
    assert_type(view.viewer, Viewer)
    assert_type(view.at, datetime)
    assert_type(view.withholds(20, 17), bool)
    assert_type(view.check(tweet_id=20, account_id=17), Decision)
    assert_type(view.check(account_id=17), Decision)
    assert_type(view.explain((20, 17)), Explanation)
    assert_type(view.mask([20, 21], (17, 18)), bytearray)

    assert_type(view.filter([(20, 17), (21, 18)]), Page[tuple[int, int]])
    assert_type(view.filter(tweets), Page[Tweet])
    assert_type(view.filter(tweet for tweet in tweets), Page[Tweet])
    both: list[Tweet | tuple[int, int]] = [*tweets, (20, 17)]
    assert_type(view.filter(both), Page[Tweet | tuple[int, int]])
    assert_type(view.filter(rows, key=lambda row: (row["tweet"], row["account"])), Page[dict[str, int]])
    assert_type(view.filter([1, 2], lambda index: tweets[index]), Page[int])

    page = view.filter(tweets)
    assert_type(page.visible, list[Tweet])
    assert_type(page.hidden, list[tuple[int, Decision]])
    assert_type(page.tombstones, list[tuple[int, tuple[str, ...], Decision]])
    assert_type(page.freshness, Freshness)
    assert_type(view.freshness([20, 21], (17, 18)), Freshness)
    assert_type(page.freshness | view.freshness([20], [17]), Freshness)
    assert_type(page.freshness.varies_by, VariesBy)
    assert_type(view.answer_revision, str)
    mixed: list[Tweet | NotATweet] = [*tweets, NOT_A_TWEET]
    assert_type(view.filter(mixed), Page[Tweet | NotATweet])
    assert_type(view.filter(rows, lambda row: NOT_A_TWEET if row else tweets[0]), Page[dict[str, int]])


def of_annotations(engine: Engine, view: View, subject: Subject, progress: Progress, problem: Problem) -> None:
    """What a program that wraps the library writes in its own signatures."""
    assert_type(engine.check(subject, view.viewer), Decision)
    assert_type(view.explain(subject).links, tuple[Link, ...])
    assert_type(RuleSet.load("rules", progress=progress), RuleSet)
    assert_type(problem.severity, Severity)
    assert_type(engine.snapshot.protected, KnownProtected | None)
    assert_type(view.viewer.location_key, LocationKey)


def of_territories(decision: Decision) -> None:
    territories = TerritorySet(["IN"])
    assert_type(territories | decision.territories, TerritorySet)
    assert_type(territories & decision.territories, TerritorySet)
    assert_type(territories - decision.territories, TerritorySet)
    assert_type("IN" in territories, bool)
    assert_type(list(territories), list[str])
    assert_type(territories.complement(), TerritorySet)
    assert_type(territories.countries(), tuple[str, ...])


def of_ids() -> None:
    ids = IdSet([30, 10])
    assert_type(list(ids), list[int])
    assert_type(30 in ids, bool)
    assert_type(len(ids), int)
