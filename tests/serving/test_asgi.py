"""The ASGI middleware: one view a request, a new one for each message, previews, and peers that a server has replaced."""

from __future__ import annotations

import asyncio
import gc
import inspect
import sys
import threading
import types
import warnings
from typing import Any

import pytest

from tests.serving.middleware import MALFORMED, PEER, RULES, Called, answer, engine, resolver, sent_from
from withhold import Engine, ProxyError, ProxyWarning, RuleSet, SubjectTypeError
from withhold.location import Resolver
from withhold.serving.asgi import WithholdMiddleware
from withhold.serving.caching import headers
from withhold.serving.request import RequestView


def scope_of(country: str = "IN", query: str = "", **more: Any) -> dict[str, Any]:
    headers = [(name.lower().encode(), value.encode()) for name, value in sent_from(country).items()]
    return {"type": "http", "client": (PEER, 1), "headers": headers, "query_string": query.encode(), **more}


class App:
    """An application that keeps the scope of each request and answers what the view shows."""

    def __init__(self, *headers: tuple[bytes, bytes]) -> None:
        self.scopes: list[Any] = []
        self.headers = headers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        if scope["type"] == "http" and send is not None:
            await send({"type": "http.response.start", "status": 200, "headers": list(self.headers)})
            await send({"type": "http.response.body", "body": answer(scope["state"]["withhold"]).encode()})

    @property
    def found(self) -> RequestView:
        found: RequestView = self.scopes[-1]["state"]["withhold"]
        return found


def call(app: Any, scope: Any, messages: Any = ()) -> list[Any]:
    sent: list[Any] = []
    waiting = list(messages)

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


def test_the_view_is_that_of_the_sender():
    app = App()
    made = WithholdMiddleware(app, engine(), resolver(), account=lambda scope: scope["user"])
    assert call(made, scope_of("IN", user=5))[1]["body"] == b"IN [17] 5 False"
    assert call(made, scope_of("US", user=None))[1]["body"] == b"US [] None False"
    assert call(made, {**scope_of("IN", user=None), "client": ("192.0.2.1", 1)})[1]["body"] == b"None [] None False"
    assert call(made, {**scope_of("IN", user=None), "client": None})[1]["body"] == b"None [] None False"


def test_nothing_is_resolved_until_it_is_asked_for_and_then_once():
    app, account = App(), Called(lambda scope: 5)
    made = WithholdMiddleware(app, engine(), resolver(), account=account)
    asyncio.run(made(scope_of(), None, None))  # type: ignore[arg-type]
    assert account.count == 0
    first = app.found.view
    assert app.found.view is first
    assert first.viewer is app.found.viewer
    assert account.count == 1


def test_the_headers_of_a_response_are_those_for_the_sender_of_the_request():
    app, located = App(), resolver()
    given = {"Content-Type": "text/html"}
    for query, country, kept in (("", "IN", True), ("as_if_in=US", "IN", False), ("", "XX", True)):
        request = scope_of(country, query)
        call(WithholdMiddleware(app, engine(), located, preview=lambda scope: True), request)
        app.scopes[-1]["headers"] = app.scopes[-1]["client"] = None  # middleware inside may change its scope
        fresh = app.found.view.check(account_id=17).freshness
        found = app.found.response_headers(fresh, given, shared=True, cache="cloudflare")
        more: Any = {"request": request["headers"], "resolver": located} if kept else {}
        assert found == headers(fresh, given, viewer=app.found.viewer, shared=kept, cache="cloudflare", **more)
        assert ("cloudflare-cdn-cache-control" in dict(found)) is kept
        assert ("cache-control", "private, no-store") in app.found.response_headers(fresh, given)


def test_threads_of_one_request_get_the_same_view():
    app = App()
    asyncio.run(WithholdMiddleware(app, engine(), resolver())(scope_of(), None, None))  # type: ignore[arg-type]
    begin, views = threading.Barrier(4), []

    def ask() -> None:
        begin.wait()
        views.append(app.found.view)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(view) for view in views}) == 1


def test_a_state_that_the_server_shares_is_never_written_to():
    shared = {"database": object()}
    app = App()
    made = WithholdMiddleware(app, engine(), resolver())
    first, second = scope_of("IN", state=shared), scope_of("US", state=shared)
    call(made, first)
    call(made, second)
    assert list(shared) == ["database"]
    assert "withhold" not in first["state"]
    assert [scope["state"]["withhold"].viewer.country for scope in app.scopes] == ["IN", "US"]
    assert app.scopes[0]["state"]["database"] is shared["database"]


def test_a3_a_request_that_is_tried_again_gets_a_view_of_the_current_rules():
    rules, request = engine(), scope_of("IN", state={})
    made = WithholdMiddleware(App(), rules, resolver())
    assert call(made, request)[1]["body"] == b"IN [17] None False"
    rules.activate(RuleSet([]))
    assert call(made, request)[1]["body"] == b"IN [] None False"


def test_a_request_leaves_no_cycle_for_the_garbage_collector():
    def alive() -> int:
        return sum(type(found) is RequestView for found in gc.get_objects())

    app = App()
    made = WithholdMiddleware(app, engine(), resolver())
    gc.collect()
    gc.disable()
    try:
        before = alive()
        asyncio.run(made(scope_of(), None, None))  # type: ignore[arg-type]
        assert alive() == before + 1
        app.scopes.clear()
        assert alive() == before
    finally:
        gc.enable()


def test_the_lifespan_passes_untouched():
    app, scope = App(), {"type": "lifespan", "state": {}}
    call(WithholdMiddleware(app, engine(), resolver()), scope)
    assert app.scopes[0] is scope
    assert scope == {"type": "lifespan", "state": {}}


def test_the_same_middleware_twice_makes_one_view_and_another_engine_its_own():
    ours, app = engine(), App()
    located = resolver()
    inner = WithholdMiddleware(app, ours, located)
    seen = App()

    async def between(scope: Any, receive: Any, send: Any) -> None:
        await seen(scope, receive, None)
        await inner(scope, receive, send)

    call(WithholdMiddleware(between, ours, located), scope_of())
    assert app.found is seen.found
    call(WithholdMiddleware(between, Engine(RuleSet([])), located), scope_of())
    assert app.found is not seen.found
    assert app.found.view.withholds(20, 17)


def test_a3_a_websocket_gets_a_new_view_with_each_message():
    rules, views = engine(), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found = scope["state"]["withhold"]
        for _ in range(3):
            await receive()
            views.append((found.view, found.view.withholds(20, 17)))
            assert found.view is views[-1][0]
            rules.activate(RuleSet([]) if len(views) == 2 else RULES)

    made = WithholdMiddleware(app, rules, resolver())
    call(made, scope_of(type="websocket"), [{"type": "websocket.connect"}, *[{"type": "websocket.receive"}] * 2])
    assert [hidden for _, hidden in views] == [True, True, False]
    assert views[1][0].viewer is views[0][0].viewer


def test_a3_renew_replaces_the_view_of_a_long_response():
    rules, app = engine(), App()
    call(WithholdMiddleware(app, rules, resolver()), scope_of())
    rules.activate(RuleSet([]))
    assert app.found.view.withholds(20, 17)
    assert not app.found.renew().withholds(20, 17)
    assert not app.found.view.withholds(20, 17)


def test_a3_a_view_that_expires_while_a_thread_makes_it_is_not_kept():
    class Slow(Engine):
        """An engine in which a message arrives while a view is made."""

        def view(self, *args: Any) -> Any:
            found = super().view(*args)
            self.arrive()
            return found

        def arrive(self) -> None:
            self.arrive = lambda: None  # type: ignore[method-assign]
            self.activate(RuleSet([]))
            app.found.expire()

    app = App()
    asyncio.run(WithholdMiddleware(app, Slow(RULES), resolver())(scope_of(), None, None))  # type: ignore[arg-type]
    assert app.found.view.withholds(20, 17)
    assert not app.found.view.withholds(20, 17)


def test_middleware_inside_cannot_change_the_sender():
    app = App()

    async def rewritten(scope: Any, receive: Any, send: Any) -> None:
        scope["client"] = ("192.0.2.1", 0)
        scope["headers"] = [(b"cf-ipcountry", b"US")]
        await app(scope, receive, send)

    assert call(WithholdMiddleware(rewritten, engine(), resolver()), scope_of("IN"))[1]["body"] == b"IN [17] None False"


def test_a_preview_shows_another_place_and_instant():
    app = App()
    made = WithholdMiddleware(app, engine(), resolver(), account=lambda scope: 5, preview=lambda scope: True)
    assert call(made, scope_of("US", "as_if_in=in&page=2"))[1]["body"] == b"IN [17] 5 True"
    assert call(made, scope_of("IN", "as_if_in=US-MS"))[1]["body"] == b"US [18] 5 True"
    assert call(made, scope_of("IN", "as_if_in=unknown"))[1]["body"] == b"None [] 5 True"
    assert call(made, scope_of("IN", "as_of=2021-02-10T10:30:00+05:30"))[1]["body"] == b"IN [17] 5 True"
    assert app.found.view.at.isoformat() == "2021-02-10T05:00:00+00:00"
    assert call(made, scope_of("IN", "page=2"))[1]["body"] == b"IN [17] 5 False"


@pytest.mark.parametrize(
    ("code", "country", "subdivisions"),
    [
        ("UK", "GB", ()),
        ("el", "GR", ()),
        ("IN-OR", "IN", ("IN-OD",)),
        ("FR-RE", "RE", ()),
        ("US-PR", "PR", ()),
        ("RS-KM", "XK", ()),
        ("UK-ENG", "GB", ("GB-ENG",)),
    ],
)
def test_a_preview_reads_former_codes_without_a_warning(code, country, subdivisions):
    app = App()
    made = WithholdMiddleware(app, engine(), resolver(), preview=lambda scope: True)
    assert call(made, scope_of("IN", f"as_if_in={code}"))[0]["status"] == 200
    assert app.found.viewer.location_key == (country, subdivisions)


@pytest.mark.parametrize(("query", "code"), MALFORMED)
def test_a_malformed_preview_is_refused_and_only_if_it_is_allowed(query, code):
    app = App()
    allowed = WithholdMiddleware(app, engine(), resolver(), preview=lambda scope: True)
    start, body = call(allowed, scope_of("IN", query))
    assert (start["status"], f"[{code}]" in body["body"].decode()) == (400, True)
    assert call(allowed, scope_of("IN", query, type="websocket"))[0]["code"] == 1008
    assert app.scopes == []
    for others in (None, lambda scope: False):
        made = WithholdMiddleware(app, engine(), resolver(), preview=others)
        assert call(made, scope_of("IN", query))[1]["body"] == b"IN [17] None False"


def test_a_preview_callback_that_is_async_allows_nobody():
    async def allow(scope: Any) -> bool:
        return True

    made = WithholdMiddleware(App(), engine(), resolver(), preview=allow)  # type: ignore[arg-type]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the coroutine is never awaited
        with pytest.raises(TypeError, match="bad-preview"):
            call(made, scope_of("IN", "as_if_in=US"))
        gc.collect()


def test_an_error_of_the_callback_is_no_malformed_preview():
    def fail(scope: Any) -> bool:
        raise ValueError("a secret")

    with pytest.raises(ValueError, match="a secret"):
        call(WithholdMiddleware(App(), engine(), resolver(), preview=fail), scope_of("IN", "as_if_in=US"))


def test_no_cache_may_keep_a_preview():
    given = [(b"Cache-Control", b"public, max-age=60"), (b"CDN-Cache-Control", b"max-age=60"), (b"ETag", b'"1"')]
    app = App(*given, (b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"))
    made = WithholdMiddleware(app, engine(), resolver(), preview=lambda scope: True)
    kept = call(made, scope_of("IN", "as_if_in=US"))[0]["headers"]
    assert kept == [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"cache-control", b"private, no-store")]
    assert call(made, scope_of("IN"))[0]["headers"][:3] == given


def behind(module: str, app: Any) -> Any:
    """Return middleware whose code belongs to a module of the given name."""
    source = "async def middleware(scope, receive, send):\n    await app(scope, receive, send)"
    made = types.ModuleType(module)
    made.__dict__["app"] = app
    exec(source, made.__dict__)  # noqa: S102
    return made.__dict__["middleware"]


@pytest.mark.parametrize(
    "module", ["uvicorn.middleware.proxy_headers", "hypercorn.middleware.proxy_fix", "granian.utils.proxies"]
)
def test_a_server_that_replaces_the_peer_is_refused_or_warned_of(module):
    believing = behind(module, WithholdMiddleware(App(), engine(), resolver()))
    for _ in range(2):  # not only the first request
        with pytest.raises(ProxyError, match="rewritten-peer"):
            call(believing, scope_of())
    other = behind(module, WithholdMiddleware(App(), engine(), Resolver()))
    with pytest.warns(ProxyWarning, match="rewritten-peer"):
        call(other, scope_of())
    call(other, scope_of())  # no second warning, which would be an error


def test_a_middleware_with_its_own_tasks_does_not_hide_the_server():
    believing = WithholdMiddleware(App(), engine(), resolver())

    async def in_a_task(scope: Any, receive: Any, send: Any) -> None:
        """Do as `BaseHTTPMiddleware` of Starlette does."""
        if scope["type"] == "lifespan":
            await believing(scope, receive, send)
        else:
            await asyncio.create_task(believing(scope, receive, send))

    served = behind("uvicorn.middleware.proxy_headers", in_a_task)
    call(served, {"type": "lifespan"})
    for kind in ("http", "websocket"):
        with pytest.raises(ProxyError, match="rewritten-peer"):
            call(served, scope_of(type=kind))


def test_the_middleware_of_uvicorn_has_the_name_that_is_looked_for():
    pytest.importorskip("uvicorn")
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    made: Any = WithholdMiddleware(App(), engine(), resolver())
    with pytest.raises(ProxyError, match="--no-proxy-headers"):
        call(ProxyHeadersMiddleware(made), scope_of())


def test_servers_recognise_an_asgi_application_and_may_name_its_arguments():
    app = App()
    made: Any = WithholdMiddleware(app, engine(), resolver())
    # uvicorn and hypercorn ask this of what they are given, and would call anything else as ASGI 2 or WSGI.
    assert inspect.iscoroutinefunction(made)
    asyncio.run(made(scope=scope_of(), receive=None, send=None))  # as daphne does
    assert app.found.viewer.country == "IN"


def test_swapped_arguments_are_refused():
    with pytest.raises(SubjectTypeError, match="not-an-engine"):
        WithholdMiddleware(App(), resolver(), engine())  # type: ignore[arg-type]
    with pytest.raises(SubjectTypeError, match="not-a-resolver"):
        WithholdMiddleware(App(), engine(), None)  # type: ignore[arg-type]


def test_no_framework_is_imported():
    loaded = {"starlette", "fastapi", "django", "uvicorn"}
    code = f"import sys; import withhold.serving.asgi, withhold.serving.wsgi, withhold.serving.django; print({loaded} & {{*sys.modules}})"
    import subprocess

    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "set()\n"
