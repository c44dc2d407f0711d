"""Read files of a web server with urllib3, in bounded memory and time, whatever the server answers.

obstore keeps the whole body of an HTTP error in memory, and none of its options limits that.
"""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager, Retry, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, MaxRetryError
from urllib3.util import make_headers, parse_url

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, HTTPResponse

#: The longest time in seconds for connecting, for waiting until the server sends something, and for a whole file.
LIMITS = {"connect": 5.0, "read": 20.0, "file": 300.0}
#: The server may have closed a connection that was kept open.
_RETRIES = Retry(connect=0, read=1, other=0, status=0, respect_retry_after_header=False)
_PIECE = 1 << 16
#: How messages of urllib3 begin.
_OBJECT = re.compile(r"^\w+\(host=[^)]*\): ")


class WebServer:
    """Reads files below a URL. Thread-safe, also in forked children. Uses the proxy that the environment names."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._manager: PoolManager | None = None
        self._process = 0

    @contextmanager
    def open(self, path: str) -> Iterator[tuple[Mapping[str, str], Iterator[bytes]]]:
        """Request a file. Return its headers and its content, in pieces of at most 64 KiB. Redirects are not followed.

        Raises `FileNotFoundError` if there is none, `PermissionError` if the server refuses access, and `OSError`.
        """
        end = time.monotonic() + LIMITS["file"]
        try:
            # urllib3 reads the whole body of a redirect before it follows it, however long the body is.
            url = f"{self._url}/{quote(path)}"
            response = self._pools().request("GET", url, preload_content=False, redirect=False)
            try:
                with _limited(LIMITS["file"], response.shutdown):
                    if response.status != HTTPStatus.OK:
                        response.read(_PIECE, decode_content=False)  # the connection is reused if this is all
                        raise _error_of(response.status, path)
                    yield response.headers, _pieces(response, end)
            finally:
                # Closes the connection, unless the whole answer was read, which has returned it to the pool.
                response.close()
        except HTTPError as error:
            reason = (error.reason if isinstance(error, MaxRetryError) else error) or error
            raise OSError("; ".join(_OBJECT.sub("", str(each)).rstrip(".") for each in reason.args)) from None

    def _pools(self) -> PoolManager:
        """Return the connections of this process. A forked child must not use those of its parent."""
        if self._manager is None or self._process != os.getpid():
            timeout = Timeout(connect=LIMITS["connect"], read=LIMITS["read"])
            proxy = _proxy_for(self._url)
            if proxy is None:
                manager = PoolManager(timeout=timeout, retries=_RETRIES)
            else:
                headers = make_headers(proxy_basic_auth=unquote(parse_url(proxy).auth or "") or None)
                manager = ProxyManager(proxy, proxy_headers=headers, timeout=timeout, retries=_RETRIES)
            manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
            self._manager, self._process = manager, os.getpid()
        return self._manager


class _Connection(HTTPConnection):
    """A connection that limits the time for the headers, which a server could send byte by byte."""

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        with _limited(LIMITS["read"], lambda: _shut(self.sock)):
            return super().getresponse()


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def _proxy_for(url: str) -> str | None:
    """Return the URL of the proxy that the environment names, or None."""
    parts = urlsplit(url)
    proxy = getproxies_environment().get(parts.scheme)
    if not proxy or proxy_bypass(parts.hostname or ""):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _pieces(response: BaseHTTPResponse, end: float) -> Iterator[bytes]:
    while True:
        # `read1` returns the bytes that have arrived. `read` would wait for a whole piece, and the time would be checked late.
        piece = response.read1(_PIECE, decode_content=False)
        if time.monotonic() > end:
            raise OSError("the server is too slow")
        if not piece:
            return
        yield piece


def _error_of(status: int, path: str) -> OSError:
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return FileNotFoundError(path)
    redirect = ", a redirect: use the URL to which it leads" if status in range(300, 400) else ""
    text = f"the server answered {status} for {path}{redirect}"
    return (PermissionError if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) else OSError)(text)


@contextmanager
def _limited(seconds: float, stop: Callable[[], object]) -> Iterator[None]:
    """Call `stop` in another thread unless the work is finished within some seconds."""

    def late() -> None:
        with suppress(OSError, ValueError, RuntimeError):  # the connection is closed already
            stop()

    timer = threading.Timer(seconds, late)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut(connected: socket.socket | None) -> None:
    if connected is not None:
        connected.shutdown(socket.SHUT_RDWR)
