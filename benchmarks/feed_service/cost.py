"""Measure the CPU time that the library adds to a request: `python -m benchmarks.feed_service.cost`.

The applications are called directly, without a server. Each turn asks all of them in random order, with and without the library,
and the figures are medians of the differences. No socket, no kernel and no framework is part of them.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from benchmarks.feed_service.app import CACHE, RESOLVER
from benchmarks.feed_service.world import FIRST, TWEET, Post
from benchmarks.serving.agreement import WrongAnswerError
from withhold import Engine, Rule, RuleSet
from withhold.serving.asgi import WithholdMiddleware
from withhold.serving.decision_log import DecisionLog
from withhold.serving.metrics import Metrics
from withhold.serving.prometheus import Prometheus
from withhold.serving.request import RequestView

App = Callable[[Any, Any, Any], Awaitable[None]]
TURNS, EACH = 200, 20
HEADERS = [
    (b"host", b"feed.example"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
    (b"accept", b"application/json"),
    (b"accept-encoding", b"gzip, br"),
    (b"accept-language", b"en-GB,en;q=0.9"),
    (b"cf-ipcountry", b"IN"),
    (b"x-forwarded-for", b"192.0.2.1"),
    (b"x-forwarded-proto", b"https"),
    (b"cache-control", b"no-cache"),
    (b"referer", b"https://feed.example/"),
]
SCOPE = {"type": "http", "client": ("127.0.0.1", 5), "headers": HEADERS, "query_string": b""}
#: The other keys that uvicorn passes. The more keys a scope has, the longer its copy takes.
UVICORN = {
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "server": ("127.0.0.1", 8000),
    "scheme": "http",
    "method": "GET",
    "root_path": "",
    "path": "/",
    "raw_path": b"/",
    "state": {},
}
NAMED = range(1_005, 1_500, 100)


def timeline() -> list[Post]:
    """Return 500 posts of as many authors, a fifth of them retweets and a fifth quotes. Rules name five of the authors."""
    plain = [Post(FIRST + number, 1_000 + number, "text") for number in range(500)]

    def shown(number: int) -> Post:
        post, before = plain[number], plain[number - 1]
        if number % 5 < 2 and post.account not in NAMED and before.account not in NAMED:
            return replace(post, retweet_of=before) if number % 5 == 0 else replace(post, quoted=before)
        return post

    return [shown(number) for number in range(500)]


SHOWN = timeline()


def rules() -> RuleSet:
    """Return a rule for each named author."""
    return RuleSet(Rule(id=f"r{id_}", accounts=[id_], withheld_in=["IN"], reason="terms") for id_ in NAMED)


class Discarded:
    """A sink of the decision log that keeps nothing."""

    def write(self, record: dict[str, Any]) -> None: ...


async def untouched(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
    """Answer without asking the library anything."""
    await send(b"pong")


def copying(app: App) -> App:
    """Return middleware that only gives the application a copy of its scope: the least that any middleware does."""

    async def passed_on(scope: Any, receive: Any, send: Any) -> None:
        inner = scope.copy()
        inner["state"] = {"withhold": None}
        await app(inner, receive, send)

    return passed_on


async def home(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
    """Answer with all candidates."""
    await send(json.dumps([post.id for post in SHOWN]).encode())


async def keyed(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
    """Answer with all candidates, and call the key for each."""
    subjects = [*map(TWEET, SHOWN)]
    await send(json.dumps([post.id for post in SHOWN]).encode())
    del subjects


def filtered(metrics: Metrics | None = None, log: DecisionLog | None = None) -> App:
    """Return the same answer with what the viewer may see, and with its caching headers."""

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
        found: RequestView = scope["state"]["withhold"]
        view = found.view
        page = view.filter(SHOWN, key=TWEET)
        if metrics is not None:
            metrics.page(view, page)
        if log is not None:
            log.page(view, page)
        found.response_headers(page.freshness, shared=True, cache=CACHE)
        await send(json.dumps([post.id for post in page.visible]).encode())

    return app


async def measured() -> dict[str, list[float]]:
    """Return the microseconds of CPU time a request, by application and turn."""
    engine = Engine(rules())
    metrics = Metrics(Prometheus(), interval=3600)
    log = DecisionLog(Discarded(), interval=3600)
    sent: list[bytes] = []

    async def send(body: Any) -> None:
        sent[:] = [body]

    apps: dict[str, App] = {
        "untouched": untouched,
        "untouched, with the middleware": WithholdMiddleware(untouched, engine, RESOLVER),
        "untouched, with a copy": copying(untouched),
        "untouched, again": untouched,
        "untouched, uvicorn": untouched,
        "untouched, with the middleware, uvicorn": WithholdMiddleware(untouched, engine, RESOLVER),
        "untouched, with a copy, uvicorn": copying(untouched),
        "home": home,
        "home, with the key": keyed,
        "home, filtered": WithholdMiddleware(filtered(), engine, RESOLVER),
        "home, filtered and counted": WithholdMiddleware(filtered(metrics), engine, RESOLVER),
        "home, filtered and logged": WithholdMiddleware(filtered(log=log), engine, RESOLVER),
        "home, again": home,
    }
    found: dict[str, list[float]] = {name: [] for name in apps}
    bodies: dict[str, bytes] = {}
    order = list(apps)
    for turn in range(TURNS + 1):
        random.Random(turn).shuffle(order)
        for name in order:
            app, repeats = apps[name], EACH * (50 if name.startswith("untouched") else 1)
            scope = {**SCOPE, **UVICORN} if name.endswith("uvicorn") else SCOPE
            began = time.process_time_ns()
            for _ in range(repeats):
                await app(dict(scope), None, send)
            took = (time.process_time_ns() - began) / repeats / 1_000
            bodies[name] = sent[0]
            if turn:
                found[name].append(took)
    shown = {*json.loads(bodies["home, filtered"])}
    hidden = {post.account for post in SHOWN if post.id not in shown}
    same = {bodies[f"home, filtered{more}"] for more in ("", " and counted", " and logged")}
    if not {*NAMED} <= hidden or len(same) > 1 or log.counts().dropped:
        raise WrongAnswerError("the filtered page shows what it must not show")
    metrics.close()
    log.close()
    return found


def main() -> None:
    """Measure, and print a table of what each addition costs."""
    found = asyncio.run(measured())
    rows = (
        ("the middleware, on a path that asks nothing", "untouched, with the middleware", "untouched"),
        ("(middleware that only copies the scope)", "untouched, with a copy", "untouched"),
        ("(two equal applications)", "untouched, again", "untouched"),
        ("the same with the scope of uvicorn", "untouched, with the middleware, uvicorn", "untouched, uvicorn"),
        ("(middleware that only copies this scope)", "untouched, with a copy, uvicorn", "untouched, uvicorn"),
        ("a home timeline of 500: viewer, view, filter by a key, headers", "home, filtered", "home"),
        ("(the 500 calls of the key alone)", "home, with the key", "home"),
        ("(two equal applications)", "home, again", "home"),
        ("metrics", "home, filtered and counted", "home, filtered"),
        ("the decision log", "home, filtered and logged", "home, filtered"),
    )
    for what, more, less in rows:
        each = sorted(above - below for above, below in zip(found[more], found[less], strict=True))
        low, middle, high = statistics.quantiles(each, n=4)
        base = statistics.median(found[less])
        print(f"{what:64} {middle:+8.2f} µs  ({low:+.2f} to {high:+.2f}; without it {base:.1f} µs)")


if __name__ == "__main__":
    main()
