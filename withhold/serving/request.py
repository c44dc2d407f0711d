"""`RequestView`: the viewer and the view of one request, made when they are first asked for."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any, Generic, NamedTuple, TypeVar

from withhold.engine import Engine, View
from withhold.errors import Problem, ProxyError, ProxyWarning, SubjectTypeError, quoted
from withhold.location import Headers, Resolver
from withhold.model import Freshness, Viewer
from withhold.serving.caching import SharedCache, headers
from withhold.serving.preview import Preview, preview_of

_Request = TypeVar("_Request")

#: Modules of middleware that replaces the peer by an address from a header, and how to turn each off.
_REWRITERS = {
    "uvicorn.middleware.proxy_headers": "start uvicorn with `--no-proxy-headers` (in Python: `proxy_headers=False`)",
    "hypercorn.middleware.proxy_fix": "remove `ProxyFixMiddleware`",
    "werkzeug.middleware.proxy_fix": "remove `ProxyFix`",
    "granian.utils.proxies": "remove `wrap_wsgi_with_proxy_headers`",
}


class Sender(NamedTuple):
    """The peer of the socket, the headers and the query string of a request."""

    peer: str | None
    headers: Headers
    query: str


@dataclass(frozen=True, slots=True)
class Serving(Generic[_Request]):
    """The settings of a middleware. `read` returns the `Sender` of a request.

    Raises `SubjectTypeError` if `engine` is not an `Engine` (`not-an-engine`) or `resolver` is not a `Resolver`
    (`not-a-resolver`).
    """

    engine: Engine
    resolver: Resolver
    account: Callable[[_Request], int | None] | None
    preview: Callable[[_Request], bool] | None
    read: Callable[[_Request], Sender]

    def __post_init__(self) -> None:
        engine: object = self.engine
        resolver: object = self.resolver
        if not isinstance(engine, Engine):
            raise SubjectTypeError(
                Problem("not-an-engine", f"{quoted(engine)} is not an engine", hint="pass an `Engine`")
            )
        if not isinstance(resolver, Resolver):
            hint = "pass a `Resolver`"
            raise SubjectTypeError(Problem("not-a-resolver", f"{quoted(resolver)} is not a resolver", hint=hint))

    def open(self, request: _Request) -> RequestView:
        """Return the lazy view of a request. Raise `PreviewError` for a malformed preview that is allowed."""
        found = RequestView()  # no `__init__`, which would double the time of this
        found._serving = self
        found._request = request
        if self.preview is not None:
            found._preview = self._preview(request, self.preview)
        return found

    def is_of(self, found: object) -> bool:
        """Return whether an outer middleware with the same settings has already made `found` for the request."""
        return isinstance(found, RequestView) and found._serving == self

    def check_peer(self, rewriter: str | None) -> bool:
        """Return True unless middleware replaces the peer of the socket: `rewriter`, or a module on the stack of the caller.

        The resolver needs the peer to decide whether a header can be believed. Raise `ProxyError` (`rewritten-peer`) if it
        believes any, else issue a `ProxyWarning`. O(depth of the stack), so this is called for the first request only.
        """
        rewriter = rewriter or rewriter_on_stack()
        if rewriter is not None:
            message = f"`{rewriter}` replaces the address of the peer before the resolver sees it"
            problem = Problem("rewritten-peer", message, hint=_REWRITERS[rewriter])
            proxies = self.resolver.proxies
            if proxies.unix or any(first for first, _ in proxies.ranges.values()) or self.resolver.cdn is not None:
                raise ProxyError(problem)
            warnings.warn(str(problem), ProxyWarning, stacklevel=3)
        return True

    def _preview(self, request: _Request, is_allowed: Callable[[_Request], bool]) -> Preview | None:
        query = self.read(request).query
        if not query or (asked := preview_of(query)) is None:
            return None
        allowed: object = is_allowed(request)
        if allowed is not True and allowed is not False:
            # The coroutine of an async function would count as true, and allow everybody.
            raise TypeError(f"`preview` returned `{type(allowed).__name__}`, not True or False [bad-preview]")
        return asked.checked() if allowed else None


def rewriter_on_stack() -> str | None:
    """Return the module of a caller that replaces the peer, or None. O(depth of the stack)."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module: object = frame.f_globals.get("__name__")
        if isinstance(module, str) and module in _REWRITERS:
            return module
        frame = frame.f_back
    return None


class RequestView:
    """The viewer and the view of one request. Both are made when they are first asked for, and then stay the same.

    A middleware makes it: `request.state.withhold` in Starlette and FastAPI, `request.withhold` in Django,
    `environ["withhold.request"]` in WSGI. If nobody asks, nothing is resolved. If two threads ask at once, both get the same
    view.

    >>> from withhold import Engine, RuleSet
    >>> from withhold.location import Resolver
    >>> serving = Serving(Engine(RuleSet([])), Resolver(), None, None, lambda request: Sender("192.0.2.1", request, ""))
    >>> found = serving.open({"Host": "example.org"})
    >>> found.view.withholds(20, 17), found.view is found.view, found.viewer.country, found.is_preview
    (False, True, None, False)
    """

    # What was made is in `__dict__`, which is created when it is first used.
    __slots__ = ("__dict__", "_request", "_serving")

    _serving: Serving[Any]
    _request: Any
    _preview: Preview | None = None

    @property
    def is_preview(self) -> bool:
        """Whether a member of staff sees the page for another instant or from elsewhere. No cache may keep such a page."""
        return self._preview is not None

    @property
    def viewer(self) -> Viewer:
        """The viewer. Raises the errors of `Resolver.viewer`, and those of the `account` callable."""
        found: Viewer | None = self.__dict__.get("viewer")
        # `setdefault` is atomic: of two threads of one request, the second gets what the first has made.
        return found if found is not None else self.__dict__.setdefault("viewer", self._find_viewer())

    @property
    def view(self) -> View:
        """The view for the viewer. Raises the errors of `viewer`."""
        # A mapping of at most one view, which `expire` replaces. So if a thread is still making a view of older rules then,
        # nobody gets that view afterwards.
        views: dict[str, View] = self.__dict__.setdefault("views", {})
        found = views.get("current")
        return found if found is not None else views.setdefault("current", self._open_view())

    def renew(self) -> View:
        """Replace the view by one of the current rules, and return it (A3).

        Call it before each event of a response that goes on, such as a stream of events. A websocket gets a new view with
        each message that it receives, without a call.
        """
        self.expire()
        return self.view

    def expire(self) -> None:
        """Forget the view, so that the next one is made from the rules that are current then."""
        self.__dict__["views"] = {}

    def response_headers(
        self,
        freshness: Freshness,
        given: Headers = (),
        *,
        shared: bool = False,
        cache: SharedCache | str | None = None,
        language: str | None = None,
    ) -> list[tuple[str, str]]:
        """Return the headers of the response: those of `caching.headers` for this request, its viewer and its resolver.

        The request is the one that the middleware received, so nothing inside can make a cache keep a page of another viewer.
        No cache may keep a preview. Raises the errors of `caching.headers` and of `viewer`.
        """
        return headers(
            freshness,
            given,
            viewer=self.viewer,
            shared=shared and not self.is_preview,
            cache=cache,
            request=self._sender().headers,
            resolver=self._serving.resolver,
            language=language,
        )

    def keep(self, sender: Sender) -> None:
        """Keep the sender whom the request states now, because middleware inside may change the request before it is read."""
        self.__dict__["sender"] = sender

    def _sender(self) -> Sender:
        found: Sender | None = self.__dict__.get("sender")
        return found if found is not None else self.__dict__.setdefault("sender", self._serving.read(self._request))

    def _find_viewer(self) -> Viewer:
        serving, request = self._serving, self._request
        sender = self._sender()
        account_id = None if serving.account is None else serving.account(request)
        viewer = serving.resolver.viewer(sender.peer, sender.headers, account_id)
        return viewer if self._preview is None else self._preview.viewer(viewer)

    def _open_view(self) -> View:
        return self._serving.engine.view(self.viewer, None if self._preview is None else self._preview.at)
