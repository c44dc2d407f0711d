"""`WithholdWSGIMiddleware`: the viewer and the view of each request of a WSGI application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from withhold.engine import Engine
from withhold.errors import PreviewError
from withhold.location import Resolver
from withhold.serving.preview import unstored
from withhold.serving.request import Sender, Serving

Environ = dict[str, Any]

#: The variable in the environ. WSGI reserves names without a dot for text.
KEY = "withhold.request"


class WithholdWSGIMiddleware:
    """WSGI middleware that puts a `RequestView` into `environ["withhold.request"]`.

    `account` and `preview` are as in `WithholdMiddleware`, but take the environ. `account` is called when the viewer is first
    asked for, so middleware inside of this one may authenticate. The errors are those of `WithholdMiddleware`.

    >>> from wsgiref.util import setup_testing_defaults
    >>> from withhold import Engine, RuleSet
    >>> from withhold.location import Resolver
    >>> def app(environ, start_response):
    ...     start_response("200 OK", [("Content-Type", "text/plain")])
    ...     return [b"hidden" if environ["withhold.request"].view.withholds(20, 17) else b"visible"]
    >>> environ = {"REMOTE_ADDR": "192.0.2.1"}
    >>> setup_testing_defaults(environ)
    >>> WithholdWSGIMiddleware(app, Engine(RuleSet([])), Resolver())(environ, lambda status, headers: None)
    [b'visible']
    """

    def __init__(
        self,
        app: Callable[..., Iterable[bytes]],
        engine: Engine,
        resolver: Resolver,
        *,
        account: Callable[[Environ], int | None] | None = None,
        preview: Callable[[Environ], bool] | None = None,
    ) -> None:
        self.app = app
        self._serving = Serving(engine, resolver, account, preview, sender_of)
        self._is_checked = False

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not self._is_checked:
            self._is_checked = self._serving.check_peer(None)
        if KEY in environ and self._serving.is_of(environ[KEY]):
            return self.app(environ, start_response)
        try:
            found = environ[KEY] = self._serving.open(environ)
        except PreviewError as error:
            body = str(error).encode()
            names = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(body))}
            start_response("400 Bad Request", [*names.items(), ("Cache-Control", "no-store")])
            return [body]
        found.keep(sender_of(environ))
        return self.app(environ, _without_caches(start_response) if found.is_preview else start_response)


def sender_of(environ: Environ) -> Sender:
    """Return the sender of a request from its WSGI environ, which may change later."""
    return Sender(environ.get("REMOTE_ADDR"), environ.copy(), environ.get("QUERY_STRING", ""))


def _without_caches(start_response: Callable[..., Any]) -> Callable[..., Any]:
    def started(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
        return start_response(status, unstored(headers), *exc_info)

    return started
