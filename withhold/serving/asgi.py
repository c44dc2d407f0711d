"""`WithholdMiddleware`: the viewer and the view of each request of an ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any

from withhold.engine import Engine
from withhold.errors import PreviewError
from withhold.location import Resolver
from withhold.serving.preview import unstored
from withhold.serving.request import RequestView, Sender, Serving, rewriter_on_stack

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

#: The key in `scope["state"]`, and so the name in `request.state` of Starlette.
KEY = "withhold"


def WithholdMiddleware(  # noqa: N802  # used like the middleware classes of frameworks
    app: Application,
    engine: Engine,
    resolver: Resolver,
    *,
    account: Callable[[Scope], int | None] | None = None,
    preview: Callable[[Scope], bool] | None = None,
) -> Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]:
    """Return ASGI middleware that puts a `RequestView` into `scope["state"]["withhold"]`, for HTTP and websockets.

    In Starlette and FastAPI it is `request.state.withhold`. A websocket gets a new view with each message that it receives (A3).

    - `account`: a function that takes the scope and returns the id of the account that is logged in, or None. It gets the scope
      as this middleware receives it, so add the middleware that authenticates outside of this one.
    - `preview`: a function that takes the scope and returns whether the sender may use `as_of` and `as_if_in` in the query.
      Without it, both have no effect. If a sender who may use them gives a malformed value, the response is 400.

    The application gets its own copy of `scope["state"]`, because servers may share it between requests.

    >>> import asyncio
    >>> from withhold import Engine, RuleSet
    >>> from withhold.location import Resolver
    >>> async def app(scope, receive, send):
    ...     print(scope["state"]["withhold"].view.withholds(20, 17))
    >>> guarded = WithholdMiddleware(app, Engine(RuleSet([])), Resolver())
    >>> asyncio.run(guarded({"type": "http", "client": ("192.0.2.1", 80), "headers": []}, None, None))
    False

    Raises `SubjectTypeError` if `engine` is not an `Engine` or `resolver` is not a `Resolver`. Each request raises `ProxyError`
    (`rewritten-peer`) if the resolver believes headers, and middleware of the server replaces the peer.
    """
    serving = Serving(engine, resolver, account, preview, sender_of)
    rewriter: str | None = None
    is_checked = False

    # This is a function because Python takes longer to call an object with `__call__`, and every request passes here. It is
    # async because servers recognise an ASGI application by that.
    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal rewriter, is_checked
        # A copy, because the server may share the state between requests.
        state = {}
        if "state" in scope and (outer := scope["state"]):
            if KEY in outer and serving.is_of(outer[KEY]):
                await app(scope, receive, send)
                return
            state = {**outer}
        kind = scope["type"]
        if kind == "http" and is_checked and preview is None:
            # What `serving.open` does, without the time of a call.
            found = RequestView()
            found._serving = serving
            found._request = scope
        elif kind in {"http", "websocket"}:
            if not is_checked:
                is_checked = serving.check_peer(rewriter)
            try:
                found = serving.open(scope)
            except PreviewError as error:
                await _refuse(kind, send, str(error))
                return
            if found.is_preview:
                send = _without_caches(send)
            if kind == "websocket":
                receive = _with_new_views(receive, found)
        else:
            # At the start, the server is on the stack. Some middleware handles requests in tasks, where it is not.
            rewriter = rewriter or rewriter_on_stack()
            await app(scope, receive, send)
            return
        state[KEY] = found
        # Without a copy, the scope would contain itself, and only the garbage collector could free it.
        inner = {**scope}
        inner["state"] = state
        await app(inner, receive, send)

    return guarded


def sender_of(scope: Scope) -> Sender:
    """Return the sender of a request from its ASGI scope."""
    client = scope.get("client")
    return Sender(client[0] if client else None, scope["headers"], scope.get("query_string", b"").decode("latin-1"))


def _with_new_views(receive: Receive, found: RequestView) -> Receive:
    async def received() -> Message:
        message = await receive()
        if message["type"] == "websocket.receive":
            found.expire()
        return message

    return received


def _without_caches(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", ())]
            kept = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in unstored(given)]
            message = {**message, "headers": kept}
        await send(message)

    return sent


async def _refuse(kind: str, send: Send, why: str) -> None:
    if kind == "websocket":
        # Before the handshake, this is the response 403. The reason of a close frame has at most 123 bytes.
        await send({"type": "websocket.close", "code": 1008, "reason": why.encode()[:123].decode(errors="ignore")})
        return
    body = why.encode()
    names = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(body)), "cache-control": "no-store"}
    headers = [(name.encode(), value.encode()) for name, value in names.items()]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})
