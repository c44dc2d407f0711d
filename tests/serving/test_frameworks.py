"""The middleware in Starlette and Django, with httpx and the test clients of Django."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.serving.middleware import MALFORMED, PEER, answer, engine, resolver, sent_from
from withhold.engine import Engine
from withhold.serving import django as ours
from withhold.serving.asgi import WithholdMiddleware


def test_httpx_on_starlette():
    httpx, starlette = pytest.importorskip("httpx"), pytest.importorskip("starlette.applications")
    from starlette.middleware import Middleware
    from starlette.middleware.base import BaseHTTPMiddleware
    from starlette.responses import PlainTextResponse
    from starlette.routing import Mount, Route

    async def home(request: Any) -> Any:
        return PlainTextResponse(answer(request.state.withhold))

    async def dispatch(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    def sync(request: Any) -> Any:
        return PlainTextResponse(answer(request.state.withhold))

    rules, located = engine(), resolver()
    inner = starlette.Starlette(
        routes=[Route("/", home)], middleware=[Middleware(WithholdMiddleware, engine=rules, resolver=located)]
    )
    app = starlette.Starlette(
        routes=[Route("/", home), Route("/sync", sync), Mount("/a", inner), Mount("/b", inner)],
        middleware=[
            Middleware(WithholdMiddleware, engine=rules, resolver=located, preview=lambda scope: scope["path"] == "/"),
            Middleware(BaseHTTPMiddleware, dispatch=dispatch),
        ],
    )

    async def ask() -> list[Any]:
        transport = httpx.ASGITransport(app=app, client=(PEER, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=sent_from("IN")) as client:
            paths = ("/", "/sync", "/a/", "/b/", "/?as_if_in=US", "/?as_if_in=QQ", "/a/?as_if_in=QQ")
            return [await client.get(path) for path in paths]

    found = asyncio.run(ask())
    assert [each.text for each in found[:4]] == ["IN [17] None False"] * 4
    assert (found[4].text, found[4].headers["cache-control"]) == ("US [] None True", "private, no-store")
    assert [each.status_code for each in found[5:]] == [400, 200]


RULES: Engine = engine()
LOCATED = resolver()
withholding = ours.middleware(
    RULES,
    LOCATED,
    account=lambda request: request.account,
    preview=lambda request: "staff" in request.META["PATH_INFO"],
)
urlpatterns: list[Any] = []


def log_in(get_response: Any) -> Any:
    """Set the account of a request, as middleware that authenticates does. Sync only."""

    def respond(request: Any) -> Any:
        request.account = 5
        return get_response(request)

    return respond


def rewrite(get_response: Any) -> Any:
    """Replace the peer inside of the middleware, as some middleware does that reads `X-Forwarded-For`."""

    def respond(request: Any) -> Any:
        request.META["REMOTE_ADDR"] = "192.0.2.1"
        request.META["HTTP_CF_IPCOUNTRY"] = "DE"
        return get_response(request)

    return respond


@pytest.fixture(
    params=[(), ("log_in",), ("withholding",), ("withholding", "rewrite")],
    ids=["async", "sync outside", "twice", "peer replaced inside"],
)
def django(request):
    """Return Django with the views and the middleware of this module."""
    pytest.importorskip("django")
    import django as framework
    from django.conf import settings
    from django.http import HttpRequest, HttpResponse
    from django.test import override_settings
    from django.urls import path

    if not settings.configured:
        settings.configure(DATABASES={}, ALLOWED_HOSTS=["*"], USE_TZ=True, DEFAULT_CHARSET="utf-8")
        framework.setup()
    HttpRequest.account = 5

    def home(request: Any) -> Any:
        return HttpResponse(answer(request.withhold), headers={"ETag": '"1"', "X-Other": "2"})

    async def home_async(request: Any) -> Any:
        return home(request)

    urlpatterns[:] = [path(name, view) for name, view in (("", home), ("async", home_async), ("staff", home))]
    names = (*request.param, "withholding")
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[f"{__name__}.{name}" for name in names]):
        yield
    del HttpRequest.account


def of_django(query: str, path: str = "/", *, by: str = "IN") -> tuple[Any, Any]:
    """Return the responses of Django under WSGI and under ASGI."""
    httpx = pytest.importorskip("httpx")
    from django.core.handlers.asgi import ASGIHandler
    from django.test import Client

    extra = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sent_from(by).items()}
    sync = Client(**extra).get(path + query)

    async def ask() -> Any:
        # Not the async client of Django, some versions of which spell the names of headers with underscores.
        transport = httpx.ASGITransport(app=ASGIHandler(), client=(PEER, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path + query, headers=sent_from(by))

    return sync, asyncio.run(ask())


def test_django_under_wsgi_and_asgi(django):
    for path in ("/", "/async"):
        assert [each.content for each in of_django("", path)] == [b"IN [17] 5 False"] * 2
        assert [each.content for each in of_django("", path, by="US")] == [b"US [] 5 False"] * 2


def test_previews_in_django(django):
    for each in of_django("?as_if_in=US", "/staff"):
        assert (each.content, each.headers["Cache-Control"]) == (b"US [] 5 True", "private, no-store")
        assert "ETag" not in each.headers
        assert each.headers["X-Other"] == "2"
    assert [each.content for each in of_django("?as_if_in=US", "/")] == [b"IN [17] 5 False"] * 2


@pytest.mark.parametrize(("query", "code"), MALFORMED[-2:])
def test_a_malformed_preview_in_django_is_refused(django, query, code):
    for each in of_django(f"?{query}", "/staff"):
        assert (each.status_code, f"[{code}]" in each.content.decode()) == (400, True)
    assert [each.status_code for each in of_django(f"?{query}", "/")] == [200, 200]
