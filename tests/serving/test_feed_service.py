"""The example feed over HTTP: what viewers see, what caches may keep, and nothing of a secret demand in any byte."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jinja2", reason="jinja2 is not installed")
pytest.importorskip("httpx", reason="httpx is not installed")
fastapi_testclient = pytest.importorskip("fastapi.testclient", reason="fastapi is not installed")

from benchmarks.feed_service import app as service  # noqa: E402
from benchmarks.feed_service.world import posts, rules  # noqa: E402
from withhold import Snapshot  # noqa: E402

POSTS = posts()
RULES = rules(POSTS)
SECRET = next(iter(RULES["x-1"].tweets))
JSON = {"Accept": "application/json"}


@contextmanager
def serving(folder: Path, authors: str) -> Iterator[Any]:
    Snapshot.compile(RULES).save(folder / "rules.wh")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("FEED_RULES", str(folder / "rules.wh"))
        environment.setenv("FEED_INTERVAL", "3600")
        environment.setenv("FEED_AUTHORS", authors)
        app = service.app()

        async def behind_a_proxy(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "client": ("127.0.0.1", 5)}, receive, send)

        with fastapi_testclient.TestClient(behind_a_proxy) as made:
            yield made


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with serving(tmp_path_factory.mktemp("feed"), "1") as made:
        yield made


def get(client: Any, url: str, country: str = "US", region: str | None = None, **more: str | bytes) -> Any:
    named = {"CF-IPCountry": country, "X-Forwarded-For": "192.0.2.1", **({"CF-Region-Code": region} if region else {})}
    return client.get(url, headers={**named, **more})


def shown(client: Any, country: str, **more: str) -> set[str]:
    return {item["id"] for item in get(client, "/", country, **JSON, **more).json()["items"]}


def by(account: int) -> set[str]:
    return {str(post.id) for post in POSTS.values() if post.account == account}


def test_authors_are_told_which_of_their_posts_are_withheld(client: Any) -> None:
    items = get(client, "/", "IN", Cookie="account=17", **JSON).json()["items"]
    own = [item for item in items if item["id"] in by(17)]
    assert own
    assert all(item["notice"]["text"].startswith("You see this account because it is yours.") for item in own)
    others = [item for item in items if item["id"] not in by(17) and "notice" in item]
    assert {item["retweet_of"]["author"] for item in others} == {"Kisan Ekta"}, "somebody has reposted theirs"
    assert "because it is yours" in get(client, "/", "IN", Cookie="account=17").text
    assert "because it is yours" not in get(client, "/", "US", Cookie="account=17").text


def test_each_place_has_its_feed(client: Any) -> None:
    assert not shown(client, "IN") & by(17)
    assert by(17) <= shown(client, "US")
    assert not shown(client, "US") & by(19), "suspended everywhere"
    assert shown(client, "XX") == shown(client, "US"), "an unknown location is shown"
    assert by(17) & shown(client, "IN", Cookie="account=17"), "the author"
    assert by(0) <= shown(client, "IN"), "advertisements"


def test_a_hidden_quote_is_replaced_by_its_notice(client: Any) -> None:
    items = get(client, "/", "IN", **JSON).json()["items"]
    (quoting,) = (item for item in items if item["text"] == "Worth reading before tonight.")
    assert quoting["quoted"] == {
        "notice": {
            "text": "This account has been withheld in India in response to a legal demand. The demand came from the Ministry "
            "of Electronics and Information Technology. Its basis is section 69A.",
            "language": "en",
            "direction": "ltr",
        }
    }
    page = get(client, "/", "IN", Accept="text/html")
    assert '<div class="notice" lang="en" dir="ltr">This account has been withheld in India' in page.text
    assert "Tractors reach the ring road" not in page.text.partition("Worth reading before tonight.")[2][:600]


def test_one_tweet_and_one_profile(client: Any) -> None:
    tweet = next(post.id for post in POSTS.values() if post.account == 17)
    assert get(client, f"/users/17/tweets/{tweet}", "US").status_code == 200
    for url in (f"/users/17/tweets/{tweet}", "/users/17", "/users/17/tweets/999"):
        found = get(client, url, "IN", **JSON)
        assert (found.status_code, found.headers["link"]) == (451, '<https://feed.example/>; rel="blocked-by"')
    assert get(client, "/users/19", "US").status_code == 404
    found = client.head("/users/17", headers={"CF-IPCountry": "IN", "X-Forwarded-For": "192.0.2.1"})
    assert (found.status_code, found.content) == (451, b"")


def test_a_secret_demand_is_in_no_byte(client: Any) -> None:
    account = POSTS[SECRET].account
    url, missing = f"/users/{account}/tweets/{SECRET}", f"/users/{account}/tweets/999"
    for country in ("IN", "TR"):
        for accept in ({}, JSON):
            secret, absent = get(client, url, country, **accept), get(client, missing, country, **accept)
            assert (secret.status_code, secret.content) == (absent.status_code, absent.content) == (404, absent.content)
            assert {*secret.headers.items()} == {*absent.headers.items()}
    pages = [get(client, page, country) for page in ("/", "/users/17", "/users/12") for country in ("IN", "TR", "US")]
    everything = b"".join(found.content + str(found.headers).encode() for found in pages)
    for secret in (b"x-1", b"in-1", b"IN-D1", b"Turkey", b"T\xc3\xbcrkiye"):
        assert secret not in everything


def test_a_secret_demand_is_not_counted_for_viewers(client: Any) -> None:
    url = f"/users/{POSTS[SECRET].account}"
    here, there = (get(client, url, country, **JSON).json() for country in ("IN", "US"))
    absent = {item["id"] for item in there["items"]} - {item["id"] for item in here["items"]}
    assert str(SECRET) in absent
    assert (here["hidden"], there["hidden"]) == (len(absent) - 1, 0)
    assert (
        f"{len(here['items'])} posts, {len(absent) - 1} not shown here"
        in get(client, url, "IN", Accept="text/html").text
    )
    for path in ("/metrics", "/health"):
        assert get(client, path, "IN").status_code == 404
        assert client.get(path).headers["cache-control"] == "no-store"


def test_a_page_that_a_cache_may_keep_names_no_viewer(tmp_path: Path) -> None:
    with serving(tmp_path, "0") as client:
        pages = [
            get(client, "/users/12", place, Accept="text/html", **more)
            for place in ("CA", "US", "XX")
            for more in ({}, {"Cookie": "account=17"})
        ]
        assert len({page.content for page in pages}) == 1


@pytest.mark.parametrize("cookie", ["account=²", "account=" + "1" * 5_000, "account=٣", "account=-1", "account"])
def test_a_malformed_cookie_is_nobody(client: Any, cookie: str) -> None:
    assert not {item["id"] for item in get(client, "/", "IN", **JSON, Cookie=cookie.encode()).json()["items"]} & by(17)


@pytest.mark.parametrize("id_", ["0", "-1", "x", str(2**63), "9" * 5_000, "1.0", "%00", "²"])
def test_what_is_no_id_is_no_error_of_the_service(client: Any, id_: str) -> None:
    for url in (f"/users/{id_}", f"/users/17/tweets/{id_}", f"/users/{id_}/tweets/5"):
        assert get(client, url, "US").status_code in (404, 422)


def test_health_and_metrics(client: Any) -> None:
    get(client, "/", "IN")
    assert client.get("/health").json() == {"alive": True, "revision": RULES.revision, "error": ""}
    text = client.get("/metrics").text
    assert (
        'withhold_hidden_items_total{outcome="withheld",reason="legal_demand",scope="account"}' in text
        or "withhold_pages" in text
    )


def test_json_is_well_formed_for_every_viewer(client: Any) -> None:
    for country in ("IN", "TR", "DE", "XX"):
        found = get(client, "/", country, **JSON, **{"Accept-Language": "ar, en;q=0.1"})
        values = json.loads(found.content)
        secret = country in ("IN", "TR")  # not counted
        assert len(values["items"]) + values["hidden"] + secret == len(POSTS)
        assert found.headers["cache-control"] == "private, no-store"
