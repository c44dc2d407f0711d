"""Request headers, in all the forms in which servers and frameworks pass them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from email.header import Header
from typing import Any, Protocol

from withhold import native
from withhold.errors import Problem, ProxyError


class HasItems(Protocol):
    """The headers of `http.server`, `wsgiref`, werkzeug and others, which are not mappings."""

    def items(self) -> Iterable[tuple[Any, Any]]: ...


#: The forms that `Lines.of` accepts: pairs of names and values as text or bytes (`scope["headers"]` of ASGI, those of h11),
#: a mapping whose values may be lists, any object with `items()`, a WSGI environ (Django's `request.META`), and None for no
#: headers.
Headers = Mapping[str, Any] | Mapping[bytes, Any] | HasItems | Iterable[tuple[str | bytes, str | bytes]] | None

#: Variables of a WSGI environ or a CGI program that do not begin with `HTTP_`.
_CGI = frozenset({"REQUEST_METHOD", "REMOTE_ADDR", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "PATH_INFO"})
#: Headers without a hyphen in their names that nearly every request has, or that a trusted proxy writes.
_COMMON = frozenset({"host", "forwarded", "via", "accept", "connection", "cookie", "te", "upgrade"})
#: Misspelled names of headers that trusted proxies write, and the beginnings of common names.
_MISSPELLED = re.compile(r"forwarded_for|(real|client|connecting)_ip|ipcountry|(viewer|client|ip)_(address|country)")
_PLAIN = (":", "forwarded", "x-", "cf-", "cloudfront-", "client-", "true-client-", "accept-", "content-", "user-agent")
_NAME = re.compile(r"[!#$%&'*+.^`|~0-9A-Za-z-]+")


class Lines:
    """The header lines of one request, in order. A repeated header has several lines.

    >>> Lines.of([(b"x-forwarded-for", b"192.0.2.1"), ("X-Forwarded-For", "192.0.2.2")]).get("x-forwarded-for")
    ['192.0.2.1', '192.0.2.2']
    >>> Lines.of({"REQUEST_METHOD": "GET", "HTTP_X_FORWARDED_FOR": "192.0.2.1"}).get("x-forwarded-for")
    ['192.0.2.1']
    """

    __slots__ = ("_by_name", "_spelled")

    def __init__(self, pairs: Iterable[tuple[str, object]], spelled: Callable[[str], str] = str) -> None:
        self._by_name: dict[str, list[object]] = {}
        for name, value in pairs:
            self._by_name.setdefault(name, []).append(value)
        self._spelled = spelled

    @classmethod
    def of(cls, headers: Headers | Lines) -> Lines:
        """Return the lines of `headers`, which are read once and may be an iterator.

        Raises `TypeError` (`bad-headers`) for any other form. The message lists the accepted forms.
        """
        if isinstance(headers, cls):
            return headers
        if native.AVAILABLE and (by_name := native.resolver.lines(headers)) is not None:
            return cls._by(by_name)
        given: Any = headers if type(headers) is list or type(headers) is tuple else list(_pairs_of(headers))
        if given is not headers and _is_wsgi(headers):
            return cls([(str(name), value) for name, value in given], _in_environ)
        by_name = {}
        for pair in given:
            if (type(pair) is not tuple and not isinstance(pair, (tuple, list))) or len(pair) != 2:
                raise _not_understood(f"`{type(pair).__name__}` is not a pair of a name and a value")
            name, value = pair
            if type(name) is bytes:
                name = name.decode("latin-1")
            elif not isinstance(name, str):
                raise _not_understood(f"a name is text or bytes, not `{type(name).__name__}`")
            if name[-1:] == ":" or name[:1].isspace():
                raise _not_understood(f"`{printable(name)}` is not the name of a header")
            if type(value) is not str and type(value) is not bytes:
                _texts(value)
            lower = name.lower()
            if lower in by_name:
                by_name[lower].append(value)
            else:
                by_name[lower] = [value]
        if _is_environ(by_name, given):
            return cls([(name.upper(), value) for name, values in by_name.items() for value in values], _in_environ)
        if given is not headers and isinstance(headers, Mapping):
            _check_underscores(by_name)
        return cls._by(by_name)

    @classmethod
    def _by(cls, by_name: dict[str, list[object]]) -> Lines:
        found = cls.__new__(cls)
        found._by_name, found._spelled = by_name, str
        return found

    def __bool__(self) -> bool:
        """Return whether there is any header."""
        return bool(self._by_name)

    def names(self) -> list[str]:
        """Return the names of all headers in lower case, each once, in the order of their first lines."""
        return [*dict.fromkeys(map(str.lower, self._by_name))]

    def get(self, name: str) -> list[str]:
        """Return the values of all lines of the header `name`, in order. `name` must be in lower case."""
        values = self._by_name.get(self._spelled(name))
        return [text for value in values for text in _texts(value)] if values else []


def header_name(name: object) -> str:
    """Return the name of a header in lower case. Raise `ProxyError` (`bad-header`) if the name is invalid.

    >>> header_name("X-Forwarded-For")
    'x-forwarded-for'
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name.lower()
    text = name if isinstance(name, str) else repr(name)
    plain = name.upper().removeprefix("HTTP_").replace("_", "-").strip(": ").lower() if isinstance(name, str) else ""
    hint = f"did you mean `{plain}`?" if _NAME.fullmatch(plain) else "write it like `x-forwarded-for`"
    raise ProxyError(Problem("bad-header", f"`{printable(text)}` is not the name of a header", hint=hint))


def printable(text: str, longest: int = 60) -> str:
    """Return untrusted text in a form that is safe to log: short, on one line, without backticks."""
    shown = "".join(char if char.isprintable() and char != "`" else "?" for char in text[:longest])
    return shown + "…" if len(text) > longest else shown


def redacted(text: str) -> str:
    """Return text that may contain an address in a form for logs: printable, with the digits of addresses hidden.

    >>> redacted("81.2.69.142:x"), redacted("2001:db8::zz"), redacted("unknown"), redacted("T1")
    ('##.#.##.###:x', '####:###::zz', 'unknown', 'T1')
    """
    shown = printable(text)
    if ":" not in text and (len(text) < 4 or not any(char.isnumeric() for char in text)):
        return shown
    return "".join("#" if char.isnumeric() or char in "abcdefABCDEF" else char for char in shown)


def _pairs_of(headers: Any) -> Iterable[Any]:
    """Return the pairs of names and values, with all lines of repeated headers."""
    if headers is None:
        return ()
    if isinstance(headers, (str, bytes, bytearray, memoryview)):
        raise _not_understood("they are plain text")
    inner = headers.get("headers") if isinstance(headers, Mapping) else getattr(headers, "headers", None)
    if inner is not None and ((isinstance(inner, list | tuple) and not inner) or not _is_text(inner)):
        # A request, an ASGI scope or the event of a cloud function: a header named `headers` would have text as its value.
        raise _not_understood(f"`{type(headers).__name__}` contains them as `headers`")
    if callable(getattr(headers, "get_list", None)) and callable(getattr(headers, "get_all", None)):
        return headers.get_all()  # type: ignore[no-any-return]  # Tornado, whose `items` joins repeated lines
    for method in ("multi_items", "lists", "items"):
        # The multi-valued dictionaries of Django and werkzeug have `lists`; their `items` yields one value for each key.
        if callable(read := getattr(headers, method, None)):
            return read()  # type: ignore[no-any-return]
    if isinstance(headers, Iterable):
        return headers
    raise _not_understood(f"`{type(headers).__name__}` is not a supported form of headers")


def _is_text(value: object) -> bool:
    parts = value if isinstance(value, (list, tuple)) else (value,)
    return all(isinstance(part, (str, bytes)) for part in parts)


def _texts(value: object) -> Iterable[str]:
    """Return the lines in one value as text. Bytes are decoded as Latin-1, as HTTP specifies: each is a character."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, bytes):
        return (value.decode("latin-1"),)
    if value is None:
        return ()
    if isinstance(value, Header):  # the type that `email` uses for bytes outside ASCII
        return (str(value),)
    if isinstance(value, (list, tuple)) and _is_text(value):
        return [text for part in value for text in _texts(part)]
    raise _not_understood(f"a value is text or bytes, not `{type(value).__name__}`")


# A viewer must not be able to make headers look like an environ: a header may be named `HTTP_X_FORWARDED_FOR`.


def _is_wsgi(headers: object) -> bool:
    if not isinstance(headers, Mapping):
        return False
    if isinstance(headers, type(os.environ)):
        return True
    # Django's environ for ASGI has the first two of these too. No header has a number as its value.
    return any(
        isinstance(headers.get(f"wsgi.{flag}"), int) for flag in ("multithread", "multiprocess", "run_once")
    ) or (isinstance(version := headers.get("wsgi.version"), tuple) and version[:1] == (1,))


def _is_environ(names: Iterable[str], given: Iterable[Any]) -> bool:
    """Return whether all names, in lower case, are those of an environ.

    The headers of a real request include a `Host`, or a header that the proxy wrote. Raise `TypeError` for an environ that
    also has variables named like headers, such as `HOST`.
    """
    variables = any(name[:5] == "http_" for name in names)
    if not any("-" in name or name in _COMMON for name in names):
        return variables or any(name.upper() in _CGI for name in names)
    if variables and _is_mixed([name.decode("latin-1") if isinstance(name, bytes) else name for name, _ in given]):
        raise _not_understood("they look like part of an environ, or like a copy with additional variables")
    return False


def _is_mixed(names: list[str]) -> bool:
    """Return whether the names are those of an environ, and none is spelled like a header."""
    if not any(name in ("REQUEST_METHOD", "REMOTE_ADDR") or name.startswith("wsgi.") for name in names):
        return False
    plain = any(name.lower().startswith(_PLAIN) or (name.lower() in _COMMON and not name.isupper()) for name in names)
    return not plain and any(name.startswith("HTTP_") for name in names)


def _check_underscores(names: Iterable[str]) -> None:
    """Raise `TypeError` if a mapping spells all names with underscores instead of hyphens.

    A name with a hyphen, or the name `forwarded`, which a trusted proxy writes, proves that it does not.
    """
    if any("-" in name or name == "forwarded" for name in names):
        return
    plain = any(name in _COMMON for name in names)
    for name in names:
        if _MISSPELLED.search(name) if plain else "_" in name:
            raise _not_understood(f"`{printable(name)}` is spelled with underscores, not hyphens")


def _in_environ(name: str) -> str:
    return f"HTTP_{name.upper().replace('-', '_')}"


def _not_understood(why: str) -> TypeError:
    return TypeError(
        f"the headers are not understood: {why} [bad-headers]; "
        "pass `request.headers`, `scope['headers']`, a WSGI environ or Django's `request.META`, or pairs of text"
    )
