"""The application that `test_uvicorn.py` serves. The rules withhold both accounts or neither."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

from tests.serving.middleware import resolver
from withhold import Engine, Snapshot
from withhold.serving.asgi import Application, WithholdMiddleware


async def _page(found: Any) -> str:
    first = found.view.withholds(20, 17)
    await asyncio.sleep(0.002)  # another revision may be activated meanwhile
    return json.dumps([os.getpid(), first, found.view.withholds(21, 18)])


async def _app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        body = (await _page(scope["state"]["withhold"])).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": await _page(scope["state"]["withhold"])})


def app() -> Application:
    """Return the application. `SERVED_RULES` is the path of its snapshot, which it follows."""
    path = os.environ["SERVED_RULES"]
    engine = Engine(Snapshot.open(path, mapped=False))
    engine.follow(path, interval=0.05, guard=None)
    return WithholdMiddleware(_app, engine, resolver())
