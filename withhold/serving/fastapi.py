"""Dependencies for FastAPI: the view and the viewer of the request, for HTTP and websocket routes; and its responses.

The dependencies need `WithholdMiddleware`, and work with any framework that calls them with a connection of Starlette.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from withhold.engine import View
from withhold.model import Viewer
from withhold.serving.asgi import KEY
from withhold.serving.request import RequestView
from withhold.serving.unavailable import Response as Answer

# FastAPI reads the annotations when a route is declared. Without Starlette, this module can still be imported.
if TYPE_CHECKING:
    from starlette.requests import HTTPConnection, Request
    from starlette.responses import Response
else:
    try:
        from starlette.requests import HTTPConnection, Request
        from starlette.responses import Response
    except ModuleNotFoundError:
        HTTPConnection = Request = Response = Any


# FastAPI calls functions that are not async in a thread, which takes longer than everything here.
async def view_of(connection: HTTPConnection) -> View:
    """Return the view of the request: `view: Annotated[View, Depends(view_of)]`.

    In a websocket route this is the view when the route is called. For the view of each message, use
    `websocket.state.withhold.view`. Raises `RuntimeError` (`no-middleware`) without `WithholdMiddleware`.
    """
    return _found(connection).view


async def viewer_of(connection: HTTPConnection) -> Viewer:
    """Return the viewer of the request: `viewer: Annotated[Viewer, Depends(viewer_of)]`. Raises as `view_of` does."""
    return _found(connection).viewer


async def request_view_of(connection: HTTPConnection) -> RequestView:
    """Return the `RequestView` of the request, whose `view` is the one of the last message of a websocket."""
    return _found(connection)


def response_of(request: Request, answer: Answer) -> Response:
    """Return an answer of `Unavailable` as a response of Starlette, without its body if the request is HEAD."""
    found = answer.for_head() if request.method == "HEAD" else answer
    return Response(found.body, found.status, dict(found.headers))


def _found(connection: HTTPConnection) -> RequestView:
    found = connection.scope.get("state", {}).get(KEY)
    if found is None:
        raise RuntimeError("the request passed no `WithholdMiddleware` [no-middleware]; add it to the application")
    return cast(RequestView, found)
