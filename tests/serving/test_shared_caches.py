"""Caches in front of the example feed, over HTTP: no page that they serve is wrong for its viewer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

httpx = pytest.importorskip("httpx", reason="httpx is not installed")
pytest.importorskip("jinja2", reason="jinja2 is not installed")
pytest.importorskip("fastapi", reason="fastapi is not installed")

from benchmarks.feed_service import app as service  # noqa: E402
from benchmarks.feed_service.world import FIRST, Post  # noqa: E402
from tests.location.mmdb_files import country, write  # noqa: E402
from tests.serving.caches import Answer, Cache  # noqa: E402
from withhold import Engine, Policy, Rule, RuleSet, Snapshot, VariesBy  # noqa: E402
from withhold.location import GeoIP, Resolver, TrustedProxies  # noqa: E402
from withhold.serving import request  # noqa: E402
from withhold.serving.caching import headers  # noqa: E402
from withhold.serving.languages import ENGLISH, Wordings  # noqa: E402

Headers = Callable[..., list[tuple[str, str]]]
START = datetime(2021, 2, 10, 12, tzinfo=UTC)
PROPAGATION = timedelta(seconds=30)
PLACED = [Post(FIRST + number, 11 + number % 7, f"text {number}") for number in range(12)]
POSTS = {
    post.id: post
    for post in (
        *PLACED,
        Post(FIRST + 20, 11, "see this", None, PLACED[6]),
        Post(FIRST + 21, 12, "", Post(FIRST + 20, 11, "see this", None, PLACED[6])),
        Post(FIRST + 22, 13, "", PLACED[3]),
    )
}
URLS = [
    "/",
    *(f"/users/{account}" for account in (11, 12, 14, 17, 18, 99)),  # 18 has no posts, and 99 does not exist
    *(
        f"/users/{POSTS[id_].account}/tweets/{id_}"
        for id_ in (FIRST + 3, FIRST + 6, FIRST + 20, FIRST + 21, FIRST + 22)
    ),
    f"/users/17/tweets/{FIRST + 99}",
]
EDGES = [("IN", None), ("DE", None), ("US", None), ("US", "MS"), ("US", "PR"), ("XX", None), ("T1", None)]
NETWORKS = {
    "81.1.0.0/16": country("IN"),
    "81.2.0.0/16": country("DE"),
    "81.3.0.0/16": country("US"),
    "81.4.0.0/16": country("US", "MS"),
    "81.5.0.0/16": country("PR"),
    "81.6.0.0/16": country("T1"),
}
HIDDEN = {"81.1.128.0/17": {"is_anonymous": True, "is_anonymous_vpn": True}}
ADDRESSES = ["81.1.1.1", "81.2.1.1", "81.3.1.1", "81.4.1.1", "81.5.1.1", "81.7.1.1", *["81.6.1.1", "81.1.200.1"] * 2]
#: The address that agrees with each edge.
USUAL = dict(
    zip(EDGES, ["81.1.1.1", "81.2.1.1", "81.3.1.1", "81.4.1.1", "81.5.1.1", "81.7.1.1", "81.7.1.1"], strict=True)
)
BOTH = ("cf-ipcountry", "cf-region-code")
SPOKEN = ("accept", "accept-language")


@dataclass(frozen=True)
class Setup:
    """How the service finds locations, and what is in the key of the cache in front of it."""

    key: tuple[str, ...] = ("cf-ipcountry", *SPOKEN)
    database: bool = False
    hidden: bool = False
    order: tuple[str, str] = ("cdn", "geoip")
    anonymised: str = "unknown"
    authors: bool = False
    field: str = "cloudflare-cdn-cache-control"


SETUPS = {
    "the edge alone": Setup(),
    "authors see their own": Setup(authors=True),
    "the region in the key": Setup(key=(*BOTH, *SPOKEN)),
    "keyed by country": Setup(key=("cf-ipcountry", "accept")),
    "no field for the cache alone": Setup(field="cache-control"),
    "no place in the key": Setup(key=SPOKEN),
    "a database, too": Setup(database=True, key=(*BOTH, *SPOKEN)),
    "the database first": Setup(database=True, order=("geoip", "cdn")),
    "anonymous addresses": Setup(database=True, hidden=True),
    "anonymous addresses are located": Setup(database=True, hidden=True, anonymised="located", key=(*BOTH, *SPOKEN)),
}


def caches_for(setup: Setup) -> dict[str, Cache]:
    return {
        "honours Vary": Cache(honours_vary=True, targeted=setup.field),
        "ignores Vary": Cache(setup.key, targeted=setup.field),
        "for ever": Cache(setup.key, targeted=setup.field, for_ever=True),
        "a browser that travels": Cache(is_browser=True, targeted="cache-control", for_ever=True),
    }


def rules_at(chance: random.Random, at: datetime, count: int) -> RuleSet:
    """Return rules. Most of them begin or end soon."""

    def rule(number: int) -> Rule:
        begin = at + timedelta(seconds=chance.randrange(-60, 90))
        suspends = chance.random() < 0.1
        return Rule(
            id=f"r{number}",
            accounts=chance.choice([[], [17], [18], [14]]),
            tweets=chance.sample([FIRST + 3, FIRST + 6, FIRST + 20], 1),
            withheld_in=["WORLD"] if suspends else chance.sample(["IN", "US", "US-MS", "PR", "WORLD", "DE"], 2),
            except_in=[] if suspends else chance.choice([[], [], ["IN"]]),
            from_=chance.choice([None, begin]),
            until=begin + timedelta(seconds=chance.randrange(1, 60)) if chance.random() < 0.5 else None,
            effect="suspend" if suspends else "withhold",
            reason=chance.choice(["legal_demand", "copyright", "terms"]),
            disclosure=chance.choice(["full", "reason", "none"]),
            if_unknown=None if suspends else chance.choice([None, "show", "withhold"]),
        )

    return RuleSet(map(rule, range(count)))


class World:
    """The example feed with a clock of its own, and the same feed with the rules before the last activation.

    `counts` are the numbers of rules that are activated one after the other.
    """

    def __init__(
        self, setup: Setup, folder: Path, patch: pytest.MonkeyPatch, told: Headers, counts: tuple[int, ...] = (4,)
    ) -> None:
        self.counts = counts
        self.at = self.activated = START
        self.engines: list[Engine] = []
        self.chance = random.Random(str(setup))
        self.rules = rules_at(self.chance, START, 4)
        self.urls, self.edges = URLS[:4], EDGES[:4]

        def engine(snapshot: Snapshot, policy: Policy) -> Engine:
            self.engines.append(Engine(snapshot, policy, clock=lambda: self.at))
            return self.engines[-1]

        proxies = TrustedProxies(["127.0.0.1"])
        geoip = None
        if setup.database:
            hidden = write(folder / "hidden.mmdb", HIDDEN, kind="GeoIP2-Anonymous-IP") if setup.hidden else None
            geoip = GeoIP(write(folder / "city.mmdb", NETWORKS, kind="GeoIP2-City"), anonymous=hidden, wait=None)
        located = Resolver(
            geoip=geoip, proxies=proxies, cdn="cloudflare", order=setup.order, anonymised=setup.anonymised
        )
        path = folder / "rules.wh"
        Snapshot.compile(self.rules).save(path)
        texts = {key: f"{key} {text}" for key, text in ENGLISH.items()}
        for name, value in {
            "Engine": engine,
            "posts": lambda: POSTS,
            "RESOLVER": located,
            "CACHE": replace(service.CACHE, key=setup.key, field=setup.field),
            "WORDINGS": (wordings := Wordings({"hi": texts, "ar": texts})),
            "ANSWERS": replace(service.ANSWERS, wordings=wordings),
        }.items():
            patch.setattr(service, name, value)
        patch.setattr(request, "headers", lambda *given, **more: told(*given, **more, now=self.at))
        patch.setenv("FEED_RULES", str(path))
        patch.setenv("FEED_INTERVAL", "3600")
        patch.setenv("FEED_AUTHORS", "1" if setup.authors else "0")
        self.current, self.former = (
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app=service.app(), client=("127.0.0.1", 5)), base_url="http://test"
            )
            for _ in range(2)
        )

    def pass_time(self, request: int) -> None:
        self.at += timedelta(seconds=self.chance.choice([0, 0, 0, 1, 2]))
        if request % 80 == 79:
            self.engines[1].activate(self.rules)
            self.rules, self.activated = (
                rules_at(self.chance, self.at, self.counts[request // 80 % len(self.counts)]),
                self.at,
            )
            self.engines[0].activate(self.rules)

    def request(self) -> tuple[str, dict[str, str]]:
        """Return the URL and the headers of a random request, as the edge passes it on. Most are similar to a recent one."""
        chance = self.chance
        if chance.random() < 0.1:
            self.urls, self.edges = [*self.urls[-3:], chance.choice(URLS)], [*self.edges[-3:], chance.choice(EDGES)]
        url, edge = chance.choice(self.urls), chance.choice(self.edges)
        asked = {
            "cf-ipcountry": edge[0],
            "cf-region-code": edge[1],
            "x-forwarded-for": USUAL[edge] if chance.random() < 0.5 else chance.choice(ADDRESSES),
            "accept": chance.choice(["application/json"] * 4 + ["text/html"]),
            "accept-language": chance.choice(["en"] * 3 + ["hi"]),
            "cookie": chance.choice([None, None, None, "account=17", "account=14"]),
        }
        return url, {name: value for name, value in asked.items() if value is not None}

    async def ask(self, client: Any, url: str, request: dict[str, str]) -> Any:
        bare = dict.fromkeys(("accept-encoding", "user-agent", "connection"), "")
        return await client.get(url, headers={**bare, **request})


async def wrong_pages(world: World, caches: dict[str, Cache], requests: int = 400) -> AsyncIterator[str]:
    """Yield the name of a cache for each wrong page that it serves.

    For a short time after an activation, a page of the former rules is not wrong: no cache learns of activations.
    """
    for number in range(requests):
        world.pass_time(number)
        url, request = world.request()
        response = await world.ask(world.current, url, request)
        assert response.status_code < 500
        right = Answer(response.status_code, response.content)
        for name, cache in caches.items():
            found = cache.find(url, request, world.at)
            if found is None:
                cache.store(url, request, right, response.headers, world.at)
            elif found != right:
                before = await world.ask(world.former, url, request)
                if world.at >= world.activated + PROPAGATION or found != (before.status_code, before.content):
                    yield name


@pytest.mark.parametrize("name", SETUPS)
def test_no_cache_serves_a_wrong_page(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    caches = caches_for(SETUPS[name])

    async def ask() -> list[str]:
        return [
            each
            async for each in wrong_pages(World(SETUPS[name], tmp_path, monkeypatch, headers, (0, 2, 4, 1)), caches)
        ]

    assert asyncio.run(ask()) == []
    served = {name: cache.served for name, cache in caches.items()}
    assert served.pop("a browser that travels") == 0
    assert min(served.values()) > 30


def but(freshness: Any = None, drop: str = "", **options: Any) -> Headers:
    """Return `headers`, but with other arguments, or without a part of what it returns."""

    def told(known: Any, given: Any, **more: Any) -> list[tuple[str, str]]:
        fresh = known if freshness is None else replace(known, **freshness)
        found = headers(fresh, given, **{**more, **options})
        return [(name, value.replace(drop, "")) for name, value in found if name != drop]

    return told


KEPT = ("cloudflare-cdn-cache-control", "max-age=29, must-revalidate")
VARY = ("vary", "cf-ipcountry, accept, accept-language")
BY_EDGE = Resolver(proxies=TrustedProxies(["127.0.0.1"]), cdn="cloudflare")
BY_BOTH = "the region in the key"
#: Wrong headers, a setup in which they are wrong, and the cache that shows it.
WRONG: dict[str, tuple[Headers, str, str]] = {
    "no headers": (lambda *_, **__: [], "the edge alone", "for ever"),
    "no headers for a browser": (lambda *_, **__: [], "the edge alone", "a browser that travels"),
    "one lifetime for all": (lambda *_, **__: [KEPT, VARY], "the edge alone", "ignores Vary"),
    "one lifetime, also for browsers": (
        lambda *_, **__: [("cache-control", "max-age=9")],
        BY_BOTH,
        "a browser that travels",
    ),
    "no `Vary`": (but(drop="vary"), "the edge alone", "honours Vary"),
    "stale pages": (but(drop=", must-revalidate"), "the edge alone", "for ever"),
    "a rule begins": (but({"valid_until": None}), BY_BOTH, "ignores Vary"),
    "a page that differs by place": (but({"varies_by": VariesBy.NONE}), "no place in the key", "ignores Vary"),
    "a page that differs by state": (but({"varies_by": VariesBy.NONE}), "the edge alone", "ignores Vary"),
    "a page for an author": (but({"personal": False}), "authors see their own", "honours Vary"),
    "a page in a language": (but(language=None), "keyed by country", "ignores Vary"),
    "a database that is asked first": (but(resolver=BY_EDGE), "the database first", "honours Vary"),
    "a database with Tor exits": (but(resolver=BY_EDGE), "a database, too", "ignores Vary"),
    "a database of VPNs": (but(resolver=BY_EDGE), "anonymous addresses", "ignores Vary"),
    "an activation": (
        but(cache=replace(service.CACHE, propagation=timedelta(days=1))),
        "the edge alone",
        "ignores Vary",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_headers_are_found(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told, setup, wanted = WRONG[name]

    async def is_found() -> bool:
        world, caches = World(SETUPS[setup], tmp_path, monkeypatch, told), caches_for(SETUPS[setup])
        return await anext(wrong_pages(world, {wanted: caches[wanted]}, 2_000), None) == wanted

    assert asyncio.run(is_found())
