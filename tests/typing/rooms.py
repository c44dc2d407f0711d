"""The types of the rooms `location`, `lint`, `testing`, `sources` and `reports`."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal, assert_type

from withhold import (
    Decision,
    Engine,
    GeoIPError,
    Outcome,
    Period,
    Policy,
    Problem,
    Rule,
    RuleSet,
    Snapshot,
    Tweet,
    Viewer,
)
from withhold.lint import CHECKS, OVERRIDE_CODES, Category, Check, Protected, lint
from withhold.location import (
    CDN,
    CDNS,
    Anonymised,
    AnyDatabase,
    Evidence,
    GeoIP,
    Headers,
    Location,
    LocationState,
    Resolution,
    Resolver,
    Signal,
    Trace,
    TrustedProxies,
)
from withhold.reports import (
    Change,
    Difference,
    Impact,
    Impression,
    Side,
    Summary,
    differences,
    read_traffic,
    summarize,
    weigh,
)
from withhold.sources import load, load_protected, protected_beside
from withhold.testing import FrozenClock, assert_suspended, assert_visible, assert_withheld, viewer

WHEN = datetime(2021, 2, 1, tzinfo=UTC)


def of_location(path: Path) -> None:
    geoip = GeoIP(path, anonymous="anonymous.mmdb", ip_versions=(4,), nat64=["64:ff9b::/96"], wait=None)
    found = geoip.locate("81.2.69.142")
    assert_type(found, Location)
    assert_type(found.country, str | None)
    assert_type(found.subdivisions, tuple[str, ...])
    assert_type(found.state, LocationState)
    assert_type(found.network, IPv4Network | IPv6Network | None)
    assert_type(found.why, str)
    assert_type(found.viewer(17, "unknown"), Viewer)
    assert_type(found.viewer(anonymised=Anonymised.UNKNOWN), Viewer)
    assert_type(found.evidence, Evidence)
    assert_type(Location.of(found.evidence), Location)
    assert_type(geoip.country(IPv4Address("81.2.69.142")), str | None)
    assert_type(geoip.locate(None), Location)
    assert_type(geoip.wait(0.1), bool)
    assert_type(geoip.reload(), bool)
    assert_type(geoip.watch(interval=10), None)
    assert_type(geoip.last_error, GeoIPError | None)
    with geoip as same:
        assert_type(same, GeoIP)


def of_proxies(headers: Mapping[str, str], wire: Iterable[tuple[bytes, bytes]]) -> None:
    proxies = TrustedProxies(["10.0.0.0/8", IPv4Network("192.0.2.0/24")], "forwarded", max_hops=4)
    assert_type(proxies.client("10.0.0.1", headers), str | None)
    assert_type(proxies.client("10.0.0.1", list(wire)), str | None)
    assert_type(proxies.trusts(None), bool)
    trace = proxies.trace("10.0.0.1", headers)
    assert_type(trace, Trace)
    assert_type(trace.address, str | None)

    assert_type(CDNS["cloudflare"], CDN)
    assert_type(CDN(name="ours", country_header="x-country").read(headers), Evidence | None)


def of_resolvers(geoip: GeoIP, proxies: TrustedProxies, headers: Mapping[str, str]) -> None:
    resolver = Resolver(geoip=geoip, proxies=proxies, cdn="cloudflare", anonymised="unknown", order=["geoip", "cdn"])
    assert_type(Resolver(cdn=CDNS["fastly"], anonymised=Anonymised.UNKNOWN), Resolver)
    assert_type(resolver.viewer("10.0.0.1", headers, account_id=17, account_country="IN"), Viewer)
    found = resolver.resolve("10.0.0.1", headers)
    assert_type(found, Resolution)
    assert_type(found.location, Location)
    assert_type(found.winner, Signal | None)
    assert_type(found.disagreed, tuple[Signal, ...])
    assert_type(found.trace, Trace)
    assert_type(found.viewer(account_id=17), Viewer)


def of_annotations(database: AnyDatabase, resolver: Resolver, headers: Headers) -> None:
    assert_type(GeoIP(database), GeoIP)
    assert_type(resolver.viewer("10.0.0.1", headers), Viewer)


def of_lint(rules: RuleSet) -> None:
    assert_type(lint(rules), list[Problem])
    protected = Protected(17, "journalist", name="A. N. Other")
    assert_type(protected.category, Category)
    # This does not type-check if the `Literal` lacks a category.
    assert_type(Protected(17, protected.category.value), Protected)
    assert_type(lint(rules, protected=[protected, Protected(18, Category.ACTIVIST)]), list[Problem])
    assert_type(lint(rules)[0].severity, Literal["error", "warning", "note"])
    assert_type(CHECKS, tuple[Check, ...])
    assert_type([check.code for check in CHECKS], list[str])
    assert_type("no-end" in OVERRIDE_CODES, bool)


def of_testing(engine: Engine) -> None:
    assert_type(viewer("US-MS", account_id=17), Viewer)
    assert_type(assert_visible(engine, (20, 17), "US"), Decision)
    assert_type(assert_withheld(engine, Tweet(id=20, account_id=17), viewer("IN"), because="in-1"), Decision)
    assert_type(assert_suspended(engine, (None, 17), "IN", at=WHEN), Decision)
    clock = FrozenClock("2021-02-01T00:00:00Z")
    as_clock: Callable[[], datetime] = clock
    assert_type(as_clock(), datetime)
    assert_type(Engine(RuleSet(), clock=clock), Engine)
    assert_type(clock.move(WHEN), None)
    assert_type(clock.tick(timedelta(hours=1)), None)


def of_sources(path: Path) -> None:
    assert_type(load(path), RuleSet)
    assert_type(load("rules.yaml"), RuleSet)
    assert_type(load_protected(path), list[Protected])
    assert_type(protected_beside("rules", root=path), list[Protected] | None)


def of_reports(old: Snapshot, new: Snapshot, path: Path) -> None:
    found = differences(old, new, Policy(), Period(WHEN, None))
    assert_type(found, Iterator[Difference])
    summary = summarize(Side("old", old.revision), Side("new", new.revision), found)
    assert_type(summary, Summary)
    assert_type(summary.counts, tuple[int, int])
    assert_type(summary.impact, Impact | None)
    assert_type(read_traffic(path), Iterator[Impression])
    impact = weigh(old, new, read_traffic("traffic.csv"), WHEN, Policy())
    assert_type(impact, Impact)
    assert_type(impact.changed, dict[tuple[str | None, Outcome, Outcome], int])


def of_differences(difference: Difference, change: Change) -> None:
    assert_type(difference.kind, Literal["accounts", "tweets"])
    assert_type(difference.ids, array[int])
    assert_type(difference.changes, tuple[Change, ...])
    assert_type(difference.causes.gone, tuple[Rule, ...])
    assert_type(change.old, Outcome)
    assert_type(change.period, Period)
