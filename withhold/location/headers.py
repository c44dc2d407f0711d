"""Request headers, in whatever form a server hands them over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

#: Pairs of names and values as text or bytes (ASGI), or a mapping; a mapping's values may be lists.
Headers = Mapping[str, str | bytes | list[str]] | Iterable[tuple[str | bytes, str | bytes]]


def lines(headers: Headers, name: str) -> list[str | bytes]:
    """Return the values of all lines of the header `name` (lower case), in order, as they are.

    >>> lines([(b"x-forwarded-for", b"192.0.2.1"), ("X-Forwarded-For", "192.0.2.2")], "x-forwarded-for")
    [b'192.0.2.1', '192.0.2.2']
    """
    raw = name.encode("latin-1")
    found: list[str | bytes] = []
    for key, value in headers.items() if isinstance(headers, Mapping) else headers:
        if key.lower() == (raw if isinstance(key, bytes) else name):
            if isinstance(value, list):
                found.extend(value)
            else:
                found.append(value)
    return found


def text(value: str | bytes) -> str:
    """Return a header's value as text. Bytes are read as Latin-1, as HTTP has it, and every byte is a letter then."""
    return value.decode("latin-1") if isinstance(value, bytes) else value


def printable(text: str, longest: int = 60) -> str:
    """Return text from outside as it may stand in a log: short, on one line, without backticks."""
    shown = "".join(char if char.isprintable() and char != "`" else "?" for char in text[:longest])
    return shown + "…" if len(text) > longest else shown
