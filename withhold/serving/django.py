"""`middleware`: the viewer and the view of each request of a Django project, as `request.withhold`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from withhold.engine import Engine
from withhold.errors import PreviewError
from withhold.location import Resolver
from withhold.serving import wsgi
from withhold.serving.preview import unstored
from withhold.serving.request import Sender, Serving


def middleware(
    engine: Engine,
    resolver: Resolver,
    *,
    account: Callable[[Any], int | None] | None = None,
    preview: Callable[[Any], bool] | None = None,
) -> Callable[[Any], Any]:
    """Return a Django middleware that makes a `RequestView` of each request: `request.withhold`.

    Assign the result to a name in a module of the project, and add the dotted path of the name to `MIDDLEWARE`, after the
    middleware that authenticates. It works under WSGI and ASGI, with sync and async views:

    ```python
    withholding = middleware(engine, resolver, account=lambda request: request.user.pk)   # "project.urls.withholding"
    ```

    `account` and `preview` are as in `WithholdMiddleware`, but take the request. Django does not allow database queries in
    async views: there, a query in `account` raises `SynchronousOnlyOperation`. The errors are those of `WithholdMiddleware`.
    """
    serving = Serving(engine, resolver, account, preview, sender_of)
    is_checked = False

    def factory(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
        from asgiref.sync import iscoroutinefunction

        def begin(request: Any) -> Any:
            """Set the view of a request. Return the response 400 for a malformed preview, else None."""
            nonlocal is_checked
            if not is_checked:
                is_checked = serving.check_peer(None)
            if serving.is_of(getattr(request, "withhold", None)):
                return None
            try:
                request.withhold = found = serving.open(request)
                found.keep(sender_of(request))
            except PreviewError as error:
                from django.http import HttpResponseBadRequest

                return HttpResponseBadRequest(str(error), content_type="text/plain; charset=utf-8")
            return None

        if not iscoroutinefunction(get_response):

            def respond(request: Any) -> Any:
                refused = begin(request)
                return _finished(request, get_response(request)) if refused is None else refused

            return respond

        async def respond_async(request: Any) -> Any:
            refused = begin(request)
            return _finished(request, await get_response(request)) if refused is None else refused

        return respond_async

    factory.sync_capable = factory.async_capable = True  # type: ignore[attr-defined]
    return factory


def sender_of(request: Any) -> Sender:
    """Return the sender of a Django request."""
    sender = wsgi.sender_of(request.META)
    # Under ASGI, `META` joins repeated headers.
    scope = getattr(request, "scope", None)
    return sender if scope is None else sender._replace(headers=scope["headers"])


def _finished(request: Any, response: Any) -> Any:
    if request.withhold.is_preview:
        kept = dict(unstored(list(response.items())))
        for name, _ in list(response.items()):
            if name.lower() not in kept:
                del response[name]
        response["Cache-Control"] = kept["cache-control"]
    return response
