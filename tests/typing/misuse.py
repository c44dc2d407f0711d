"""Misuse that type checkers report."""

from __future__ import annotations

from datetime import UTC, datetime

from withhold import Decision, Engine, Policy, Reference, Rule, RuleSet, Snapshot, TerritorySet, Tweet, View, Viewer
from withhold.lint import Protected, lint
from withhold.location import CDN, GeoIP, Resolver, TrustedProxies
from withhold.testing import assert_withheld

WHEN = datetime(2021, 2, 1, tzinfo=UTC)


def of_values() -> None:
    Viewer("IN")  # type: ignore[call-arg]
    Viewer()  # type: ignore[call-arg]
    Viewer(country=["IN"])  # type: ignore[arg-type]
    Viewer(country="US", subdivisions=44)  # type: ignore[arg-type]
    Viewer(country="US", account_id="17")  # type: ignore[arg-type]
    Viewer(country="US", subdivision="US-MS")  # type: ignore[call-arg]
    Policy(unknown_location="hide")  # type: ignore[arg-type]
    Policy(author_sees_own="no")  # type: ignore[arg-type]
    Policy("withhold")  # type: ignore[call-arg]
    Tweet(id="22", account_id=6)  # type: ignore[arg-type]
    Tweet(id=22, account_id=6, quoted=20)  # type: ignore[arg-type]
    Rule(id="in-1", accounts=[17], withheld_in=["IN"])  # type: ignore[call-arg]
    Rule(id="in-1", accounts=["17"], withheld_in=["IN"], reason="terms")  # type: ignore[list-item]
    Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="because")  # type: ignore[arg-type]
    Rule(id="in-1", accounts=[17], effect="hide", reason="terms")  # type: ignore[arg-type]
    Rule(id="in-1", accounts=[17], if_unknown="hide", reason="terms")  # type: ignore[arg-type]
    Rule(id="in-1", accounts=[17], from_="2021-02-01", reason="terms")  # type: ignore[arg-type]
    Protected(17, "celebrity")  # type: ignore[arg-type]


def of_frozen_values(decision: Decision, viewer: Viewer, rule: Rule, engine: Engine) -> None:
    decision.certain = True  # type: ignore[misc]
    decision.visible = True  # type: ignore[misc]
    viewer.country = "US"  # type: ignore[misc]
    rule.until = None  # type: ignore[misc]
    engine.policy = Policy()  # type: ignore[misc]


def of_engines(rules: RuleSet, snapshot: Snapshot, engine: Engine, viewer: Viewer) -> None:
    Engine("rules")  # type: ignore[arg-type]
    Engine(rules, "withhold")  # type: ignore[arg-type]
    Engine(rules, clock=WHEN)  # type: ignore[arg-type]
    Reference(snapshot)  # type: ignore[arg-type]
    engine.view("IN")  # type: ignore[arg-type]
    engine.view(viewer, "2021-02-01")  # type: ignore[arg-type]
    engine.check(20, viewer)  # type: ignore[arg-type]
    engine.check((20, 17))  # type: ignore[call-arg]
    engine.activate([])  # type: ignore[arg-type]
    Snapshot.open("rules.wh", verify="quick")  # type: ignore[arg-type]
    Snapshot.compile(snapshot)  # type: ignore[arg-type]
    RuleSet.load(3)  # type: ignore[arg-type]
    assert_withheld(engine, 20, "IN")  # type: ignore[arg-type]
    lint(rules, protected=[17])  # type: ignore[list-item]


def of_rule_sets(rules: RuleSet) -> None:
    _ = rules | rules  # type: ignore[operator]
    rules[0]  # type: ignore[index]


def of_views(view: View, rows: list[dict[str, int]], names: list[str]) -> None:
    view.withholds("20", 17)  # type: ignore[arg-type]
    view.withholds(20)  # type: ignore[call-arg]
    view.check(tweet_id=17.0)  # type: ignore[arg-type]
    view.check_tweet((20, 17))  # type: ignore[arg-type]
    view.filter(names)  # type: ignore[type-var]
    view.filter(rows)  # type: ignore[type-var]
    view.filter([20, 21])  # type: ignore[type-var]
    view.filter(rows, key=lambda row: row["tweet"])  # type: ignore[arg-type, return-value]
    view.mask([20], ["17"])  # type: ignore[list-item]


def of_territories(territories: TerritorySet) -> None:
    TerritorySet([1])  # type: ignore[list-item]
    _ = territories | "IN"  # type: ignore[operator]
    _ = territories & ["IN"]  # type: ignore[operator]
    _ = territories - None  # type: ignore[operator]


def of_location(geoip: GeoIP) -> None:
    geoip.locate(3)  # type: ignore[arg-type]
    GeoIP("geo.mmdb", wait="10")  # type: ignore[arg-type]
    TrustedProxies([10])  # type: ignore[list-item]
    CDN("ours", "x-country")  # type: ignore[call-arg]
    Resolver(geoip)  # type: ignore[call-arg]
    Resolver(geoip="geo.mmdb")  # type: ignore[arg-type]
