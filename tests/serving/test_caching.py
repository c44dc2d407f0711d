"""Caching headers: only ever stricter than the caller's, and right for every viewer whom a shared cache serves."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.serving.caches import Answer, Cache
from withhold import Engine, Freshness, Policy, Reason, Rule, RuleSet, Tweet, VariesBy, Viewer
from withhold.location import CDNS, Resolver, TrustedProxies
from withhold.location.headers import Headers
from withhold.serving import caching
from withhold.serving.caching import CACHES, SharedCache, headers

NOW = datetime(2021, 2, 10, 12, tzinfo=UTC)
ALWAYS = Freshness(answer_revision="1")
BY_COUNTRY = replace(ALWAYS, varies_by=VariesBy.COUNTRY)
BY_STATE = replace(ALWAYS, varies_by=VariesBy.SUBDIVISION)
INDIA = Viewer(country="IN")
PEER = "10.0.0.5"
FROM_INDIA = {"CF-IPCountry": "IN", "X-Forwarded-For": "192.0.2.1"}
RESOLVER = Resolver(proxies=TrustedProxies(["10.0.0.0/8"]), cdn="cloudflare")


def told(freshness: Freshness = ALWAYS, given: Headers = (), **more: Any) -> dict[str, str]:
    options: dict[str, Any] = {"shared": True, "cache": "cloudflare", "request": FROM_INDIA, "resolver": RESOLVER}
    found = headers(freshness, given, **{"viewer": INDIA, "now": NOW, **options, **more})
    assert len(dict(found)) == len(found)
    return dict(found)


NOT_KEPT = {"cache-control": "private, no-store"}
NOT_STALE = "must-revalidate, stale-while-revalidate=0, stale-if-error=0"


class TestTheDefault:
    @pytest.mark.parametrize(
        "own", [{}, {"Cache-Control": "public, max-age=60"}, {"CDN-Cache-Control": "max-age=60", "Expires": "x"}]
    )
    def test_no_cache_keeps_anything(self, own: Headers) -> None:
        assert dict(headers(ALWAYS, own, viewer=INDIA, now=NOW)) == NOT_KEPT

    @pytest.mark.parametrize("missing", ["shared", "cache", "resolver"])
    def test_a_shared_cache_needs_the_callers_word_and_what_is_known_of_it(self, missing: str) -> None:
        assert "cloudflare-cdn-cache-control" in told()
        assert "cloudflare-cdn-cache-control" not in told(ALWAYS, **{missing: None})

    def test_other_headers_are_kept_in_order(self) -> None:
        own = [("Content-Type", "text/html"), ("Link", "a"), ("X-Frame-Options", "DENY"), ("Link", "b")]
        found = headers(ALWAYS, own, viewer=INDIA)
        assert found[:-1] == [("content-type", "text/html"), ("link", "a"), ("link", "b"), ("x-frame-options", "DENY")]

    def test_a_proxy_still_may_not_transform_the_body(self) -> None:
        own = {"Cache-Control": "no-transform, max-age=5"}
        assert dict(headers(ALWAYS, own, viewer=INDIA))["cache-control"] == "private, no-store, no-transform"


class TestTheLifetime:
    def test_the_browser_keeps_nothing_while_the_shared_cache_does(self) -> None:
        assert told() == {
            **NOT_KEPT,
            "cloudflare-cdn-cache-control": f"max-age=29, {NOT_STALE}",
            "vary": "cf-ipcountry",
        }

    @pytest.mark.parametrize(
        ("cache", "field", "value"),
        [
            ("fastly", "surrogate-control", f"max-age=29, {NOT_STALE}"),
            ("cloudfront", "cache-control", f"max-age=0, s-maxage=29, {NOT_STALE}"),
            ("varnish", "cache-control", f"max-age=0, s-maxage=29, {NOT_STALE}"),
        ],
    )
    def test_each_preset_has_its_field(self, cache: str, field: str, value: str) -> None:
        assert told(cache=cache)[field] == value

    @pytest.mark.parametrize(
        ("until", "seconds"),
        [(timedelta(seconds=10, milliseconds=900), 9), (timedelta(seconds=2), 1), (timedelta(days=1), 29)],
    )
    def test_it_ends_before_the_rules_change_by_the_slowest_clock(self, until: timedelta, seconds: int) -> None:
        assert (
            told(replace(ALWAYS, valid_until=NOW + until))["cloudflare-cdn-cache-control"]
            == f"max-age={seconds}, {NOT_STALE}"
        )

    @pytest.mark.parametrize("until", [timedelta(seconds=1.9), timedelta(0), timedelta(seconds=-5)])
    def test_nothing_is_kept_for_less_than_a_second(self, until: timedelta) -> None:
        assert told(replace(ALWAYS, valid_until=NOW + until))["cache-control"] == "private, no-store"
        assert "cloudflare-cdn-cache-control" not in told(replace(ALWAYS, valid_until=NOW + until))

    def test_a_page_of_the_future_or_of_two_revisions_is_not_kept(self) -> None:
        for fresh in (replace(ALWAYS, since=NOW + timedelta(seconds=1)), ALWAYS | replace(ALWAYS, answer_revision="2")):
            assert "cloudflare-cdn-cache-control" not in told(fresh)

    @pytest.mark.parametrize(
        ("own", "seconds"),
        [
            ({"Cache-Control": "public, max-age=5"}, 5),
            ({"Cache-Control": "max-age=600"}, 29),
            ({"Cache-Control": "max-age=600, s-maxage=7"}, 7),
            ({"Cache-Control": "s-maxage=7, max-age=3"}, 7),
            ({"Cache-Control": "max-age=600", "CDN-Cache-Control": "max-age=4"}, 4),
            ({"Cloudflare-CDN-Cache-Control": "max-age=5", "CDN-Cache-Control": "max-age=4"}, 5),
            ({"Cache-Control": 'max-age="6"'}, 6),
            ([("Cache-Control", "max-age=9"), ("Cache-Control", "max-age=8")], 8),
            ({"Expires": format_datetime(NOW + timedelta(seconds=11), usegmt=True)}, 11),
        ],
    )
    def test_the_callers_own_lifetime_is_only_shortened(self, own: Headers, seconds: int) -> None:
        assert told(given=own)["cloudflare-cdn-cache-control"] == f"max-age={seconds}, {NOT_STALE}"

    @pytest.mark.parametrize(
        "own",
        [
            {"Cache-Control": "no-store"},
            {"Cache-Control": "max-age=60, Private"},
            {"Cache-Control": 'private="set-cookie", max-age=60'},
            {"Cache-Control": "no-cache"},
            {"Cache-Control": "max-age=0"},
            {"Cache-Control": "max-age=-5"},
            {"Cache-Control": "max-age=a minute"},
            {"Cache-Control": "max-age=60", "CDN-Cache-Control": "no-store"},
            {"Cache-Control": "max-age=60", "Surrogate-Control": "no-store"},
            {"Pragma": "no-cache"},
            {"Expires": "0"},
            {"Expires": format_datetime(NOW - timedelta(seconds=1), usegmt=True)},
            {"Set-Cookie": "a=b"},
        ],
    )
    def test_what_the_caller_forbids_stays_forbidden(self, own: Headers) -> None:
        assert told(given=own)["cache-control"] == "private, no-store"
        assert "cloudflare-cdn-cache-control" not in told(given=own)

    @pytest.mark.parametrize("name", ["Accept", "Cookie", "cf-ipcountry, X-Variant", "*"])
    def test_a_body_that_depends_on_a_header_outside_of_the_key_is_not_kept(self, name: str) -> None:
        assert "cloudflare-cdn-cache-control" not in told(given={"Vary": name})
        assert told(given={"Vary": name})["vary"] == ", ".join(
            dict.fromkeys([*name.lower().split(", "), "cf-ipcountry"])
        )

    def test_a_body_may_depend_on_headers_in_the_key(self) -> None:
        cache = replace(CACHES["cloudflare"], key=("cf-ipcountry", "accept"))
        assert "cloudflare-cdn-cache-control" in told(given={"Vary": "CF-IPCountry, Accept-Encoding"})
        assert "cloudflare-cdn-cache-control" in told(
            given=[("Vary", "Accept"), ("Vary", "accept-encoding")], cache=cache
        )

    def test_a_request_without_headers_may_have_had_a_cookie(self) -> None:
        assert "cloudflare-cdn-cache-control" not in told(request=())

    @pytest.mark.parametrize("name", ["Authorization", "Cookie"])
    def test_a_request_of_somebody_in_particular_is_not_kept(self, name: str) -> None:
        assert "cloudflare-cdn-cache-control" not in told(request={**FROM_INDIA, name: "x"})

    def test_a_personal_page_is_not_kept(self) -> None:
        assert "cloudflare-cdn-cache-control" not in told(replace(ALWAYS, personal=True))


class Fake:
    """A stand-in for a location database, which may mark addresses as anonymous."""

    def __init__(self, *, anonymous: bool) -> None:
        self.finds_anonymous = anonymous


class TestThePlace:
    """The headers in the key alone must give the location of every viewer who sends them."""

    def kept(self, freshness: Freshness = BY_COUNTRY, **more: Any) -> bool:
        return "cloudflare-cdn-cache-control" in told(freshness, **more)

    def resolver(self, **more: Any) -> Resolver:
        return Resolver(proxies=TrustedProxies(["10.0.0.0/8"]), **{"cdn": "cloudflare", **more})

    def test_a_country_in_the_key(self) -> None:
        assert self.kept()
        assert not self.kept(cache=replace(CACHES["cloudflare"], key=()))
        assert not self.kept(cache=replace(CACHES["cloudflare"], cdn=None))
        assert self.kept(ALWAYS, cache=replace(CACHES["cloudflare"], key=()))

    def test_a_vpn_viewer_whom_the_edge_takes_for_somebody_in_india(self) -> None:
        assert not self.kept(viewer=Viewer.unknown())

    def test_an_unknown_country_is_a_key_of_its_own(self) -> None:
        request = {"CF-IPCountry": "XX"}
        assert self.kept(request=request, viewer=Viewer.unknown())
        assert not self.kept(request=request)
        assert not self.kept(request={}, viewer=Viewer.unknown())

    @pytest.mark.parametrize(
        ("options", "kept"),
        [
            ({}, True),
            ({"order": ("geoip", "cdn")}, False),
            ({"geoip": Fake(anonymous=True)}, False),
            ({"geoip": Fake(anonymous=True), "anonymised": "located"}, True),
        ],
    )
    def test_a_database_may_place_other_viewers_elsewhere(self, options: dict[str, Any], kept: bool) -> None:
        more = {"geoip": Fake(anonymous=False), **options}
        assert self.kept(resolver=self.resolver(**more)) is kept

    def test_a_database_may_know_a_viewer_whom_the_edge_does_not(self) -> None:
        resolver = self.resolver(geoip=Fake(anonymous=False))
        assert not self.kept(request={"CF-IPCountry": "XX"}, viewer=Viewer.unknown(), resolver=resolver)

    def test_the_resolver_reads_the_headers_of_the_cache(self) -> None:
        assert not self.kept(resolver=self.resolver(cdn="fastly"))
        assert not self.kept(resolver=Resolver())

    def test_a_state_needs_both_headers_in_the_key(self) -> None:
        both = replace(CACHES["cloudflare"], key=("cf-ipcountry", "cf-region-code"))
        request = {"CF-IPCountry": "US", "CF-Region-Code": "MS"}
        there = Viewer(country="US", subdivisions=["US-MS"])
        assert self.kept(BY_STATE, cache=both, request=request, viewer=there)
        assert not self.kept(BY_STATE, request=request, viewer=there)
        assert not self.kept(BY_STATE, cache=both, request=request, viewer=Viewer(country="US"))
        assert self.kept(BY_STATE, cache=both, request={"CF-IPCountry": "US"}, viewer=Viewer(country="US"))
        with_database = self.resolver(geoip=Fake(anonymous=False))
        assert not self.kept(
            BY_STATE, cache=both, request={"CF-IPCountry": "US"}, viewer=Viewer(country="US"), resolver=with_database
        )

    def test_a_region_may_have_a_country_code_of_its_own(self) -> None:
        """`US` and `PR` is Puerto Rico, which the key of the country alone cannot distinguish from `US`."""
        assert not self.kept(request={"CF-IPCountry": "US"}, viewer=Viewer(country="US"))
        both = replace(CACHES["cloudflare"], key=("cf-ipcountry", "cf-region-code"))
        assert self.kept(cache=both, request={"CF-IPCountry": "US"}, viewer=Viewer(country="US"))
        request = {"CF-IPCountry": "US", "CF-Region-Code": "PR"}
        assert self.kept(cache=both, request=request, viewer=Viewer(country="PR"))
        assert not self.kept(cache=both, request=request, viewer=Viewer(country="US"))

    def test_the_language_of_notices_must_be_in_the_key(self) -> None:
        cache = CACHES["cloudflare"]
        assert not self.kept(ALWAYS, language="hi")
        keyed = replace(cache, key=(*cache.key, "accept-language"))
        assert self.kept(ALWAYS, language="hi", cache=keyed)
        assert told(language="hi")["vary"] == "cf-ipcountry, accept-language"


OWN: Headers = {"ETag": '"page-7"', "Last-Modified": "Wed, 10 Feb 2021 00:00:00 GMT"}


class TestTheTag:
    def tag(self, freshness: Freshness = BY_COUNTRY, own: Headers | None = None, **more: Any) -> str:
        return told(freshness, OWN if own is None else own, **more)["etag"]

    def test_it_is_the_same_for_the_same_page(self) -> None:
        assert self.tag() == self.tag(viewer=Viewer(country="IN", account_id=5)) == self.tag(shared=False)
        assert self.tag().startswith('"')
        assert self.tag(own={"ETag": 'W/"page-7"'}).startswith('W/"')

    def test_it_differs_with_anything_that_the_page_depends_on(self) -> None:
        tags = {
            self.tag(),
            self.tag(own={"ETag": '"page-8"'}),
            self.tag(replace(BY_COUNTRY, answer_revision="2")),
            self.tag(replace(BY_COUNTRY, since=NOW)),
            self.tag(viewer=Viewer(country="US")),
            self.tag(viewer=Viewer.unknown()),
            self.tag(viewer=Viewer(country="IN", subdivisions=("IN-DL",))),
            self.tag(language="hi"),
        }
        assert len(tags) == 8

    def test_it_differs_with_the_edition_of_the_iso_data(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = self.tag()
        monkeypatch.setattr(caching, "_versions", lambda: ("1.0", "another edition"))
        assert self.tag() != before

    def test_equal_tags_do_not_show_that_no_rule_names_anything(self) -> None:
        assert self.tag(ALWAYS) != self.tag(ALWAYS, viewer=Viewer(country="US"))

    def test_there_is_none_without_the_callers_own(self) -> None:
        assert "etag" not in told()
        assert "last-modified" not in told(given=OWN)


def test_mistakes_are_reported() -> None:
    wrong: Any = "page"
    with pytest.raises(TypeError, match=r"`page` is not a freshness \[not-a-freshness\]; pass `page.freshness`"):
        told(wrong)
    with pytest.raises(TypeError, match="not-a-viewer"):
        told(viewer=wrong)
    with pytest.raises(ValueError, match=r"unknown cache `akamai`; known: cloudflare, .* \[unknown-cache\]"):
        told(cache="akamai")
    with pytest.raises(TypeError, match="bad-headers"):
        told(given=wrong)
    with pytest.raises(ValueError, match="bad-header"):
        SharedCache(name="own", key=("x country",))
    for bad in ({"propagation": timedelta(0)}, {"clock_skew": timedelta(seconds=-1)}):
        with pytest.raises(ValueError, match="bad-lifetime"):
            SharedCache(name="own", **bad)  # type: ignore[arg-type]


values = st.builds(
    Freshness,
    since=st.none() | st.just(NOW),
    valid_until=st.none() | st.integers(-5, 90).map(lambda n: NOW + timedelta(seconds=n)),
    varies_by=st.sampled_from(VariesBy),
    personal=st.booleans(),
    answer_revision=st.none() | st.just("1"),
)


@given(values, st.integers(0, 60) | st.none(), st.sampled_from([INDIA, Viewer.unknown(), Viewer(country="US")]))
def test_no_lifetime_is_longer_than_anything_allows(freshness: Freshness, own: int | None, viewer: Viewer) -> None:
    found = told(freshness, {} if own is None else {"Cache-Control": f"max-age={own}"}, viewer=viewer)
    assert found["cache-control"] == "private, no-store"
    if "cloudflare-cdn-cache-control" in found:
        seconds = int(found["cloudflare-cdn-cache-control"].removeprefix("max-age=").removesuffix(f", {NOT_STALE}"))
        assert 0 < seconds <= min(30, 60 if own is None else own)
        assert freshness.holds(NOW + timedelta(seconds=seconds))
        assert not freshness.personal


PLACES: list[tuple[dict[str, str], Viewer]] = [
    ({"cf-ipcountry": "IN"}, INDIA),
    ({"cf-ipcountry": "DE"}, Viewer(country="DE")),
    ({"cf-ipcountry": "US", "cf-region-code": "MS"}, Viewer(country="US", subdivisions=["US-MS"])),
    ({"cf-ipcountry": "US", "cf-region-code": "PR"}, Viewer(country="PR")),
    ({"cf-ipcountry": "US"}, Viewer(country="US")),
    ({"cf-ipcountry": "XX"}, Viewer.unknown()),
    ({"cf-ipcountry": "T1"}, Viewer.unknown()),
]
URLS: list[list[tuple[int, int] | Tweet]] = [
    [(20, 17), (21, 18)],
    [Tweet(30, 40, quoted=Tweet(20, 17)), (22, 40)],
    [(22, 40), (23, 41)],
    [(24, 42)],
]


@pytest.mark.parametrize("key", [("cf-ipcountry",), ("cf-ipcountry", "cf-region-code"), ()])
@pytest.mark.parametrize("own", [False, True])
def test_a_shared_cache_serves_no_page_that_is_wrong(key: tuple[str, ...], own: bool) -> None:
    chance = random.Random(str((key, own)))
    cache = replace(CACHES["cloudflare"], key=key, propagation=timedelta(seconds=20))
    edge, at, activated = Cache(key, targeted=cache.field), NOW, NOW
    rules = world(chance, at)
    engine = before = Engine(rules, Policy(author_sees_own=own))
    for request in range(4_000):
        at += timedelta(seconds=chance.choice([0, 1, 2]))
        if request % 200 == 199:
            before, rules, activated = Engine(rules, Policy(author_sees_own=own)), world(chance, at), at
            engine.activate(rules)
        sent, viewer = chance.choice(PLACES)
        assert RESOLVER.viewer(PEER, sent).location_key == viewer.location_key
        url, account = chance.randrange(len(URLS)), chance.choice([None, None, 17])
        sent = sent if account is None else {**sent, "cookie": "session"}
        viewer = Viewer(country=viewer.country, subdivisions=viewer.subdivisions, account_id=account)
        page = engine.view(viewer, at).filter(URLS[url])
        right = Answer(200, (page.visible, page.hidden, page.tombstones))
        found = None if account else edge.find(str(url), sent, at)
        if found is None:
            answer = headers(
                page.freshness, viewer=viewer, shared=True, cache=cache, request=sent, resolver=RESOLVER, now=at
            )
            edge.store(str(url), sent, right, dict(answer), at)
        else:
            old = before.view(viewer, at).filter(URLS[url])
            late = at < activated + cache.propagation and found.body == (old.visible, old.hidden, old.tombstones)
            assert found == right or late
    assert edge.served > 300


def world(chance: random.Random, at: datetime) -> RuleSet:
    def rule(number: int) -> Rule:
        begin = at + timedelta(seconds=chance.randrange(-100, 200))
        return Rule(
            id=f"r{number}",
            accounts=chance.sample([17, 18, 40, 42], 1),
            tweets=chance.sample([20, 22, 24], 1),
            withheld_in=chance.sample(["IN", "US", "US-MS", "PR", "WORLD", "DE"], 2),
            except_in=chance.choice([[], [], ["IN"]]),
            from_=chance.choice([None, begin]),
            until=begin + timedelta(seconds=chance.randrange(1, 100)) if chance.random() < 0.5 else None,
            reason=chance.choice([Reason.LEGAL_DEMAND, Reason.COPYRIGHT]),
        )

    return RuleSet(map(rule, range(chance.randrange(4))))


def test_every_preset_is_documented_by_its_headers() -> None:
    assert {name: (cache.key, cache.field) for name, cache in CACHES.items()} == {
        "cloudflare": (("cf-ipcountry",), "cloudflare-cdn-cache-control"),
        "fastly": ((CDNS["fastly"].country_header,), "surrogate-control"),
        "cloudfront": (("cloudfront-viewer-country",), "cache-control"),
        "varnish": ((), "cache-control"),
    }
