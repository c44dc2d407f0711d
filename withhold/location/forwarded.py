"""One token of `X-Forwarded-For`, or one element of `Forwarded` (RFC 7239): an address, or nothing.

Both are split at every comma. A comma within a quoted string cuts it in two, and a part with a quote that does
not close is bad: a host name that a proxy quotes cannot pass for an element of its own.
"""

from __future__ import annotations

import re

from withhold.location.address import Address, parse

_LONGEST = 512
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PAIR = re.compile(rf'[ \t]*({_WORD})=(?:({_WORD})|"([^"\\]*)")[ \t]*')
_PORT = re.compile(r"[0-9]{1,5}")
_ANY_PORT = re.compile(r"[0-9]{1,5}|_[A-Za-z0-9._-]+")


def plain_node(token: str) -> Address | None:
    """Read an address, perhaps with a port: Azure's gateway writes `81.2.69.142:51234`.

    >>> plain_node(" [2001:db8::1]:443") == parse("2001:db8::1")
    True
    >>> plain_node("unknown") is plain_node("81.2.69.142:") is None
    True
    """
    if len(token) > _LONGEST:
        return None
    text = token.strip(" \t")
    if text.startswith("[") or text.count(":") == 1:
        return _with_port(text, _PORT)
    return parse(text)


def forwarded_node(element: str) -> Address | None:
    """Read the `for` of an element; None for `unknown`, an obfuscated name, and a malformed element.

    >>> forwarded_node('for="[2001:db8::1]:443";proto=https') == parse("2001:db8::1")
    True
    >>> forwarded_node("for=_hidden") is forwarded_node('host="a') is None
    True
    """
    if len(element) > _LONGEST:
        return None
    pairs = [_PAIR.fullmatch(part) for part in element.split(";")]
    if not all(pairs):
        return None
    nodes = [pair[2] or pair[3] for pair in pairs if pair and pair[1].lower() == "for"]
    return _with_port(nodes[0] or "", _ANY_PORT) if len(nodes) == 1 else None


def _with_port(text: str, ports: re.Pattern[str]) -> Address | None:
    version = 6 if text.startswith("[") else 4
    host, closed, rest = text[1:].partition("]") if version == 6 else (text.partition(":")[0], "]", "")
    if version == 4:
        rest = text[len(host) :]
    if not closed or (rest and not (rest[0] == ":" and ports.fullmatch(rest[1:]))):
        return None
    address = parse(host)
    return address if address and address.version == version else None
