"""The tokens of `X-Forwarded-For` and the elements of `Forwarded` (RFC 7239), from right to left.

The viewer writes the left end of both headers, and may leave a quote open there. Trusted proxies append well-formed
text on the right, so the headers are parsed from the right: from a closing quote back to the opening quote, which is
not preceded by a backslash. If a proxy copies the viewer's `Host` unquoted, a comma in it begins a new element, which
no parser can recognise as forged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from withhold.location.address import Address, parse

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
#: A parameter, or nothing between two semicolons. Unquoted values of parameters other than `for` are not checked: some
#: proxies write `host=example.com:443`, which does not make the viewer unknown.
_PAIR = re.compile(rf'[ \t]*(?:({_NAME})=(?:"((?:[^"\\]|\\.)*)"|([^ \t",;]*))[ \t]*)?(?:;|\Z)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PORT = re.compile(r"[0-9]{1,5}")
_HIDDEN_PORT = re.compile(r"_[A-Za-z0-9._-]+")


def tokens(text: str) -> Iterator[str]:
    """Yield the comma-separated tokens from right to left, without empty ones (RFC 9110, section 5.6.1).

    >>> list(tokens("1.1.1.1,, 192.0.2.1, "))
    [' 192.0.2.1', '1.1.1.1']
    """
    end = len(text)
    while end > 0:
        if text[end - 1] in " \t,":
            # Skip all empty elements in one step, however many there are.
            end = len(text[:end].rstrip(" \t,"))
            if not end:
                return
        comma = text.rfind(",", 0, end)
        yield text[comma + 1 : end]
        end = comma


def elements(text: str) -> Iterator[str]:
    """Yield the elements of `Forwarded` from right to left, without empty ones.

    Commas within quotes do not separate elements.

    >>> list(elements('for="x, for=192.0.2.7;host="a,b",'))
    ['for=192.0.2.7;host="a,b"', 'for="x']
    """
    end = len(text)
    while end > 0:
        # Skip all empty elements in one step, however many there are.
        end = len(text[:end].rstrip(" \t,"))
        begin = _begin(text, end)
        if begin < end:
            yield text[begin:end].strip(" \t")
        end = begin - 1


def plain_node(token: str) -> Address | None:
    """Return the address in a token of `X-Forwarded-For`, or None for any other token.

    The address may have a port and may be quoted: Azure's gateway writes `81.2.69.142:51234`.

    >>> plain_node(" [2001:db8::1]:443") == plain_node("2001:db8::1:44300") == parse("2001:db8::1")
    True
    >>> plain_node("unknown") is plain_node("81.2.69.142:") is None
    True
    """
    text = token.strip(" \t")
    return _node(text[1:-1] if text[:1] == text[-1:] == '"' and len(text) > 2 else text)


def forwarded_node(element: str) -> Address | None:
    """Return the address in the `for` of an element.

    Return None for `unknown`, for an obfuscated name, and for an element that has malformed quotes, no `for`, or two of
    them.

    >>> forwarded_node('for="[2001:db8::1]:443";proto=https') == parse("2001:db8::1")
    True
    >>> forwarded_node("for=_hidden") is forwarded_node('host="a') is None
    True
    """
    nodes, at = [], 0
    if '"' not in element:
        # If a proxy copies the viewer's `Host` without quotes, the viewer can make the element malformed. This must not
        # hide the viewer, and a second `for` must not move them, so an element without quotes is simply split at
        # semicolons. An element with a stray quote is malformed: the quote may close one that the viewer opened further left.
        pairs = (pair.partition("=") for pair in element.split(";"))
        nodes = [value.strip(" \t") for name, _, value in pairs if name.strip(" \t").lower() == "for"]
        at = len(element)
    while at < len(element):
        pair = _PAIR.match(element, at)
        if pair is None:
            return None
        if (pair[1] or "").lower() == "for":
            nodes.append(pair[3] if pair[2] is None else _ESCAPED.sub(r"\1", pair[2]))
        at = pair.end()
    return _node(nodes[0], hidden_port=True) if len(nodes) == 1 else None


def endpoint_node(text: str) -> Address | None:
    """Return the address in a value that always has a port and no brackets, as CloudFront writes it.

    >>> endpoint_node("2001:db8::6:4653") == parse("2001:db8::6")
    True
    """
    text = text.strip(" \t")
    host, _, port = text.rpartition(":")
    found = parse(host) if _is_port(port) else None
    return found or _node(text)


def _node(text: str, *, hidden_port: bool = False) -> Address | None:
    if text.startswith("["):
        host, closed, port = text[1:].partition("]")
        version = 6
        if not closed or (port and port[0] != ":"):
            return None
        port = port[1:] if port else "0"
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
        version = 4
    elif (address := parse(text)) is not None or ":" not in text:
        return address
    else:
        # It is not an IPv6 address, but it may be one with a port.
        host, _, port = text.rpartition(":")
        version = 6
    if not (_is_port(port) or (hidden_port and _HIDDEN_PORT.fullmatch(port))):
        return None
    address = parse(host)
    return address if address and address.version == version else None


def _is_port(text: str) -> bool:
    return _PORT.fullmatch(text) is not None and int(text) < 1 << 16


def _begin(text: str, end: int) -> int:
    """Return the start of the element that ends before `end`. O(length of the element)."""
    comma, at = text.rfind(",", 0, end), end
    while (quote := text.rfind('"', comma + 1, at)) >= 0:
        at = _opening(text, quote)
        if at < 0:
            # It has no opening quote, so the element is malformed, wherever it begins.
            break
        if at < comma:
            comma = text.rfind(",", 0, at)
    return comma + 1


def _opening(text: str, closing: int) -> int:
    """Return the start of the quoted string that ends at `closing`, or -1 if no quote opens it."""
    at = text.rfind('"', 0, closing)
    while at >= 0:
        before = at
        while before and text[before - 1] == "\\":
            before -= 1
        if not (at - before) % 2:
            return at
        at = text.rfind('"', 0, at)
    return -1
