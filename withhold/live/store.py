"""Read and write signed rules in an object store or in a directory, with `obstore`, and read those of a web server."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import LocalStore, from_url

from withhold.errors import LiveError, Problem, in_backticks, quoted
from withhold.live.web import WebServer
from withhold.snapshot.saving import write_atomically

if sys.platform != "win32":
    import fcntl
if TYPE_CHECKING:
    from obstore.store import ObjectStore

_HINT = "write file:///PATH, s3://BUCKET/PATH, gs://BUCKET/PATH, az://ACCOUNT/CONTAINER/PATH or https://HOST/PATH"
_SCHEMES = ("file", "s3", "gs", "az", "https", "http")
_LOCK = ".lock"
#: A source that stops sending is given up after 20 seconds, and a slow one after 5 minutes.
_CLIENT = {"allow_http": True, "connect_timeout": "5s", "read_timeout": "20s", "timeout": "5m"}
_RETRIES = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}

#: The largest metadata file that is read, in bytes.
LARGEST_METADATA = 5_000_000

#: How obstore quotes an error of the operating system.
_OF_SYSTEM = re.compile(r"\(os error ([0-9]{1,4})\)")
_LONGEST = 200

#: The id of the process that has used obstore.
_used_in: int | None = None


class Version(NamedTuple):
    """The content of an object, and the tag by which the store recognises this version of it."""

    content: bytes
    tag: object


class Store:
    """Objects by path in an object store, in a directory or on a web server. Thread-safe.

    A directory is changed under a lock, because obstore cannot replace a file there on a condition. All methods raise
    `LiveError` (`store-unavailable`, `store-refuses`) if the store fails or refuses access, `store-read-only` if a web
    server is written to, and `store-after-fork` in a child that was forked after its parent had used a store; a child can
    still read a web server.
    """

    def __init__(self, url: str, *, create: bool = False) -> None:
        """Open a store. With `create`, it must be writable, and a directory that does not exist is made.

        Raises `LiveError` (`bad-store-url`, `store-read-only`).
        """
        # A password or a token in a URL would be printed with it.
        if "@" in (url.partition("://")[2] or url).partition("/")[0] or {"?", "#"} & set(url):
            message = "a URL with a password, a query or a fragment is not that of a store"
            raise LiveError(Problem("bad-store-url", message, hint=_HINT))
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise LiveError(Problem("bad-store-url", f"{quoted(url)}: {_first_line(error)}", hint=_HINT)) from None
        self.name = url
        if not url.startswith(tuple(f"{scheme}:" for scheme in _SCHEMES)):
            raise LiveError(Problem("bad-store-url", f"{quoted(url)} is not the URL of a store", hint=_HINT))
        self._kept: ObjectStore | None = None
        self._web = WebServer(url) if parts.scheme in ("http", "https") else None
        if create and self._web is not None:
            raise self._read_only()
        if parts.scheme == "file":
            if parts.netloc or not parts.path.startswith("/"):
                raise LiveError(Problem("bad-store-url", f"{quoted(url)} is not an absolute path", hint=_HINT))
            if create:
                with self._errors():
                    self._kept = from_url(url, mkdir=True)
            return  # the directory may be made later
        try:
            self._kept = from_url(url, client_options=_CLIENT, retry_config=_RETRIES)  # type: ignore[call-overload]
        except (BaseError, ValueError) as error:
            raise LiveError(Problem("bad-store-url", f"{quoted(url)}: {_first_line(error)}", hint=_HINT)) from None

    @property
    def _store(self) -> ObjectStore:
        """The store of obstore, whose threads do not exist in a forked child: each request would wait for them forever."""
        global _used_in  # noqa: PLW0603
        if self._web is not None:
            raise self._read_only()
        _used_in = _used_in or os.getpid()
        if _used_in != os.getpid():
            message = (
                f"{in_backticks(self.name)} cannot be used in a process that was forked from one that has used a store"
            )
            hint = "use stores only after the fork, or run `withhold fetch` as a process of its own"
            raise LiveError(Problem("store-after-fork", message, hint=hint))
        if self._kept is None:
            self._kept = from_url(self.name)
        return self._kept

    def get(self, path: str, limit: int = LARGEST_METADATA) -> Version | None:
        """Return an object of at most `limit` bytes, or None if there is none. Raises `LiveError` (`larger-than-allowed`)."""
        try:
            with self._open(path) as (stream, tags):
                content = bytearray()  # the pieces may be of single bytes
                for piece in stream:
                    content += piece
                    if len(content) > limit:
                        raise LiveError(Problem("larger-than-allowed", f"{quoted(path)} in {self.name} is too large"))
                tag = {name: value for name, value in tags.items() if value is not None}
                return Version(bytes(content), tag)
        except FileNotFoundError:
            return None

    def stream(self, path: str) -> Iterator[bytes]:
        """Yield the content of an object in pieces. Raises `FileNotFoundError` if there is none."""
        with self._open(path) as (stream, _):
            yield from stream

    def put(self, path: str, content: bytes | Path) -> None:
        """Write an object, from memory or from a file."""
        with self._errors():
            obstore.put(self._store, path, content)

    def create(self, path: str, content: bytes) -> bool:
        """Write an object unless there is one with other content. Return whether it has this content now."""
        try:
            with self._errors():
                obstore.put(self._store, path, content, mode="create")
        except AlreadyExistsError:
            return self._has(path, content)  # as after a repeated request whose first answer was lost
        return True

    def swap(self, path: str, before: Version | None, content: bytes) -> bool:
        """Replace an object if it is still the version `before`; None if there is none. Return whether it has the new content now."""
        if before is None:
            return self.create(path, content)
        if self.name.startswith("file:"):
            with self._locked() as folder:
                if self._has(path, before.content):
                    write_atomically(folder / path, [content])
                    return True
                return self._has(path, content)
        try:
            with self._errors():
                obstore.put(self._store, path, content, mode=before.tag)  # type: ignore[arg-type]
        except PreconditionError:
            return self._has(path, content)
        return True

    def list(self, folder: str, before: datetime | None = None) -> list[str]:
        """Return the paths of the objects in a folder, sorted: all, or those last changed before an instant."""
        with self._errors():
            found = [each for page in obstore.list(self._store, f"{folder}/") for each in page]
        return sorted(str(each["path"]) for each in found if before is None or each["last_modified"] < before)

    def delete(self, path: str) -> None:
        """Delete an object, if it exists."""
        with suppress(FileNotFoundError), self._errors():
            obstore.delete(self._store, path)

    def __repr__(self) -> str:
        return f"<Store {self.name}>"

    def _read_only(self) -> LiveError:
        message = f"{in_backticks(self.name)} is a web server, which can only be read"
        return LiveError(
            Problem(
                "store-read-only", message, hint="give the store behind it, such as s3://BUCKET/PATH or file:///PATH"
            )
        )

    def _has(self, path: str, content: bytes) -> bool:
        found = self.get(path)
        return found is not None and found.content == content

    @contextmanager
    def _open(self, path: str) -> Iterator[tuple[Iterator[bytes], dict[str, str | None]]]:
        """Return the content of an object in pieces, and what identifies its version."""
        with self._errors():
            if self._web is not None:
                with self._web.open(path) as (headers, pieces):
                    yield pieces, {"e_tag": headers.get("etag")}
            else:
                found = obstore.get(self._store, path)
                yield map(bytes, found.stream()), {name: found.meta[name] for name in ("e_tag", "version")}

    @contextmanager
    def _locked(self) -> Iterator[Path]:
        """Lock a directory against other writers, and yield its path."""
        with self._errors():
            assert isinstance(self._store, LocalStore)  # noqa: S101
            folder = self._store.prefix or Path("/")
        with self._errors(), (folder / _LOCK).open("ab") as lock:
            if sys.platform != "win32":
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Convert the errors of a store, except those that mean that an object is missing, exists or has changed."""
        try:
            yield
        except (AlreadyExistsError, PreconditionError, FileNotFoundError, LiveError):
            raise
        except (BaseError, OSError, NotImplementedError, ValueError) as error:
            refused = isinstance(error, (PermissionDeniedError, UnauthenticatedError, PermissionError))
            refused = refused or _number_of(error) == errno.EACCES
            code, what = ("store-refuses", "refuses access") if refused else ("store-unavailable", "failed")
            message = f"{in_backticks(self.name)} {what}: {_first_line(error)}"
            if self.name.startswith("file:"):
                hint = "check the path and its permissions"
            elif self._web is not None:
                hint = "check the URL; if the server uses a CA of your own, `SSL_CERT_FILE` must name its certificate"
            else:
                hint = "check the URL, and the credentials in the environment"
            raise LiveError(Problem(code, message, hint=hint)) from None


def _first_line(error: Exception) -> str:
    """Return the first line of an error of obstore; the other lines are for its developers."""
    number = _number_of(error)
    text = os.strerror(number) if number else str(error).partition("\n")[0]
    return in_backticks(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def _number_of(error: Exception) -> int | None:
    """Return the number of the error of the operating system that caused an error of a store, or None."""
    if isinstance(error, OSError) and error.errno:
        return error.errno
    text = str(error).partition("\n")[0]
    if "canonicalize filesystem root" in text:  # the directory does not exist
        return errno.ENOENT
    found = _OF_SYSTEM.search(text)
    return int(found[1]) if found else None
