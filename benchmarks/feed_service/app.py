"""The service: `app()` makes it. It reads a snapshot, and follows it while it serves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi import Path as InPath
from fastapi.responses import JSONResponse
from jinja2 import Environment, FileSystemLoader
from prometheus_client import CollectorRegistry, generate_latest

from benchmarks.feed_service.world import PEOPLE, TWEET, Post, posts
from withhold import Engine, Page, Policy, Scope, Snapshot, Tweet, View
from withhold.location import Resolver, TrustedProxies
from withhold.serving.asgi import WithholdMiddleware
from withhold.serving.caching import CACHES
from withhold.serving.fastapi import response_of, view_of
from withhold.serving.languages import Wordings
from withhold.serving.metrics import Metrics
from withhold.serving.notices import DemandDetails, Notice, disclosed_count, notices_in
from withhold.serving.prometheus import Prometheus
from withhold.serving.request import RequestView
from withhold.serving.unavailable import Unavailable

ViewOf = Annotated[View, Depends(view_of)]
Id = Annotated[int, InPath(ge=1, lt=2**63)]
WORDINGS = Wordings()
DETAILS = {
    "IN-D1": DemandDetails(authority="the Ministry of Electronics and Information Technology", law="section 69A")
}
ANSWERS = Unavailable(operator="https://feed.example/", wordings=WORDINGS, details=DETAILS)
PAGES = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
# The bodies depend on these headers besides the URL, so the key of the cache must contain them.
CACHE = replace(CACHES["cloudflare"], key=("cf-ipcountry", "accept", "accept-language"))
# The example's peers are on this machine, and may name the country like Cloudflare. There is no database of addresses.
RESOLVER = Resolver(proxies=TrustedProxies(["127.0.0.1", "::1"]), cdn="cloudflare")
UNSTORED = {"Cache-Control": "no-store"}


def app() -> FastAPI:
    """Return the application.

    `FEED_RULES` is the path of the snapshot. With `FEED_AUTHORS=1`, authors see their own posts: no cache may keep a page of
    named posts then. With `FEED_PREVIEW=1`, everybody may preview.
    """
    path = os.environ["FEED_RULES"]
    engine = Engine(Snapshot.open(path, mapped=False), Policy(author_sees_own=os.environ.get("FEED_AUTHORS") == "1"))
    following = engine.follow(path, interval=float(os.environ.get("FEED_INTERVAL", "2")))
    registry = CollectorRegistry()
    metrics = Metrics(Prometheus(registry), following=following)
    shown = posts()
    service = FastAPI()
    service.add_middleware(
        WithholdMiddleware,
        engine=engine,
        resolver=RESOLVER,
        account=account_of,
        preview=lambda _: os.environ.get("FEED_PREVIEW") == "1",
    )

    async def home(request: Request, view: ViewOf) -> Response:
        return counted(request, view, view.filter(shown.values(), key=TWEET))

    async def profile(account: Id, request: Request, view: ViewOf) -> Response:
        decision = view.check(account_id=account)
        answer = ANSWERS.to(decision, request.headers, about=Scope.ACCOUNT, exists=account in PEOPLE)
        if answer is not None:
            return response_of(request, answer)
        page = view.filter([post for post in shown.values() if post.account == account], key=TWEET)
        page.freshness |= decision.freshness  # the account may have no posts
        return counted(request, view, page)

    # The URL names the author. Otherwise a rule on the author would show whether the tweet exists.
    async def tweet(account: Id, tweet_id: Id, request: Request, view: ViewOf) -> Response:
        found = [post for post in (shown.get(tweet_id),) if post is not None and post.account == account]
        page = view.filter(found, key=TWEET)
        decision = view.check(tweet_id=tweet_id, account_id=account)
        if decision.visible and page.hidden:  # the tweet that it retweets is hidden
            decision = page.hidden[0][1]
        answer = ANSWERS.to(decision, request.headers, exists=bool(found))
        return counted(request, view, page) if answer is None else response_of(request, answer)

    def counted(request: Request, view: View, page: Page[Post]) -> Response:
        metrics.page(view, page)
        return sent(request, view, page)

    async def health() -> JSONResponse:
        status = following.status()
        found = {"alive": status.alive, "revision": status.revision, "error": str(status.error or "")}
        return JSONResponse(found, headers=UNSTORED)

    async def figures() -> Response:
        return Response(generate_latest(registry), media_type="text/plain", headers=UNSTORED)

    service.add_api_route("/", home, methods=["GET", "HEAD"], response_model=None)
    service.add_api_route("/users/{account}", profile, methods=["GET", "HEAD"], response_model=None)
    service.add_api_route("/users/{account}/tweets/{tweet_id}", tweet, methods=["GET", "HEAD"], response_model=None)
    for path, answer in (("/health", health), ("/metrics", figures)):
        service.add_api_route(
            path, answer, methods=["GET", "HEAD"], dependencies=[Depends(inside)], response_model=None
        )
    return service


def account_of(scope: Any) -> int | None:
    """Return who is logged in. The example believes a cookie; a real service has sessions."""
    account = Request(scope).cookies.get("account")
    return next((known for known in PEOPLE if str(known) == account), None)


def inside(request: Request) -> None:
    """Refuse a request that came through a proxy. From the counts, viewers could infer what is withheld in secret."""
    if "x-forwarded-for" in request.headers:
        raise HTTPException(404)


def notices_on(post: Post, view: View) -> Mapping[tuple[str, ...], Notice]:
    return notices_in(view.check_tweet(post.tweet), details=DETAILS) if isinstance(post.tweet, Tweet) else {}


def item(
    post: Post, notices: Mapping[tuple[str, ...], Notice], language: str | None, path: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return a post as JSON values, with notices in place of all hidden quotes."""
    values: dict[str, Any] = {"id": str(post.id), "author": PEOPLE.get(post.account), "text": post.text}
    values["url"] = f"/users/{post.account}/tweets/{post.id}" if post.account else None
    if not path and path in notices:  # withheld, but shown to its author
        values["notice"] = WORDINGS.text(notices[path], language)._asdict()
    for name in ("retweet_of", "quoted"):
        inner: Post | None = getattr(post, name)
        if (notice := notices.get((*path, name))) is not None:
            values[name] = {"notice": WORDINGS.text(notice, language)._asdict()}
        elif inner is not None:
            values[name] = item(inner, notices, language, (*path, name))
    return values


def sent(request: Request, view: View, page: Page[Post]) -> Response:
    """Return a page as HTML or JSON, with the headers that its freshness allows."""
    found: RequestView = request.state.withhold
    language = request.headers.get("accept-language")
    # Most pages have neither a hidden quote nor a post that only its author sees.
    has_notices = page.freshness.personal or bool(page.tombstones)
    items = [item(post, notices_on(post, view) if has_notices else {}, language) for post in page.visible]
    negotiated = WORDINGS.negotiate(language) if page.tombstones else None
    fresh = found.response_headers(page.freshness, {"Vary": "Accept"}, shared=True, cache=CACHE, language=negotiated)
    hidden = disclosed_count(page)
    if "json" in request.headers.get("accept", ""):
        return JSONResponse({"items": items, "hidden": hidden}, headers=dict(fresh))
    # The body of what a cache keeps depends on the URL and on the rules alone, so only a preview names the viewer's place.
    preview = view.viewer if found.is_preview else None
    body = PAGES.get_template("feed.html").render(items=items, hidden=hidden, preview=preview)
    return Response(body, media_type="text/html", headers=dict(fresh))
