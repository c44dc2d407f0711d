"""The dependencies for FastAPI, in HTTP and websocket routes."""

import warnings
from typing import Annotated, Any

import pytest

from tests.serving.middleware import PEER, engine, resolver, sent_from
from withhold import RuleSet, View, Viewer
from withhold.serving.asgi import WithholdMiddleware
from withhold.serving.fastapi import request_view_of, view_of, viewer_of
from withhold.serving.request import RequestView

fastapi = pytest.importorskip("fastapi")
pytest.importorskip("httpx")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # new versions of Starlette ask for another client
    from fastapi import Depends, WebSocket
    from fastapi.testclient import TestClient


async def home(view: Annotated[View, Depends(view_of)], viewer: Annotated[Viewer, Depends(viewer_of)]) -> str:
    assert view.viewer is viewer
    return f"{viewer.country} {view.withholds(20, 17)}"


async def socket(websocket: WebSocket, found: Annotated[RequestView, Depends(request_view_of)]) -> None:
    await websocket.accept()
    while await websocket.receive_text() != "end":
        await websocket.send_json(found.view.withholds(20, 17))
    await websocket.close()


def application() -> Any:
    app = fastapi.FastAPI()
    app.add_api_route("/", home)
    app.add_api_websocket_route("/ws", socket)
    return app


def test_the_dependencies_for_http_and_websockets():
    rules, app = engine(), application()
    app.add_middleware(WithholdMiddleware, engine=rules, resolver=resolver(), preview=lambda scope: True)

    async def proxied(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "client": (PEER, 1)}, receive, send)

    client = TestClient(proxied, headers=sent_from("IN"))
    assert client.get("/").json() == "IN True"
    assert client.get("/?as_if_in=US").json() == "US False"
    with client.websocket_connect("/ws") as websocket:
        websocket.send_text("more")
        assert websocket.receive_json() is True
        rules.activate(RuleSet([]))
        websocket.send_text("more")
        assert websocket.receive_json() is False
        websocket.send_text("end")
    with pytest.raises(fastapi.WebSocketDisconnect), client.websocket_connect("/ws?as_if_in=QQ"):
        pass


def test_a_route_without_the_middleware_fails():
    with pytest.raises(RuntimeError, match="no-middleware"):
        TestClient(application()).get("/")
