"""`TrustedProxies`: the address of the viewer behind proxies, which no header that the viewer sends can change.

Only the socket's peer is certain. A trusted peer is believed about whom it heard from, that one in turn if it
is trusted, and so on from right to left; the first who is not trusted is the viewer, and whatever stands left of
them is what they say of themselves.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses, ip_address, ip_network
from typing import NamedTuple

from withhold.errors import Problem, ProxyError, quoted
from withhold.location.address import Address, parse, unmapped, wide_network_of
from withhold.location.forwarded import elements, endpoint_node, forwarded_node, plain_node, tokens
from withhold.location.headers import Headers, Lines, header_name, printable, redacted

#: Stands in the list for a peer without an address: a Unix-domain socket.
UNIX = "unix:"

_PEER = re.compile(r"[0-9.]+:[0-9]+|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")
_MAPPED = IPv6Network("::ffff:0:0/96")
#: What Cloudflare shows for a Worker of another zone.
_WORKER = parse("2a06:98c0:3600::103")


class Trace(NamedTuple):
    """Who sent a request: the viewer's address or None, whether the peer is trusted, and why in words.

    `relayed` says that the request came from a CDN's own program, so that the CDN's headers are about that. The
    words, and the trace as text, name the network of an address, never the whole of it.

    >>> TrustedProxies().trace("192.0.2.7", {})
    Trace(address='192.0.2.0/24', trusted=False, why='the peer is in 192.0.2.0/24, which is no trusted proxy')
    """

    address: str | None
    trusted: bool
    why: str
    relayed: bool = False

    def __repr__(self) -> str:
        address = parse(self.address) if self.address else None
        shown = wide_network_of(address) if address else None
        return f"Trace(address={shown!r}, trusted={self.trusted}, why={self.why!r})"


class TrustedProxies:
    """Finds the viewer's address, given the proxies that are trusted and the one header that they write.

    `networks` are addresses and networks as text or `ipaddress` networks, and `unix:` for a socket file.
    `header` is `x-forwarded-for` (or another that ends so), `forwarded` (RFC 7239), or the name of a header that
    holds a single address, such as `cf-connecting-ip` or `cloudfront-viewer-address`. No other header is read. An
    address may have a port. After `max_hops` trusted proxies the search ends. A bad or obfuscated token, a missing
    header and a chain that is trusted to its end are unknown.

    >>> proxies = TrustedProxies(["10.0.0.0/8"])
    >>> proxies.client("10.0.0.5", [("X-Forwarded-For", "1.1.1.1, 81.2.69.142, 10.1.1.1")])
    '81.2.69.142'
    >>> proxies.client("81.2.69.142", [("X-Forwarded-For", "1.1.1.1")])
    '81.2.69.142'

    Immutable and safe to share between threads. Raises `ProxyError` for a list that would trust strangers, for a
    `header` that no request can have, and for a `max_hops` by which every viewer would be unknown.
    """

    __slots__ = ("_ends", "_starts", "header", "max_hops", "unix")

    def __init__(
        self,
        networks: Iterable[str | IPv4Network | IPv6Network] = (),
        header: str = "x-forwarded-for",
        *,
        max_hops: int = 16,
    ) -> None:
        if isinstance(networks, str):
            raise ProxyError(Problem("not-a-network", f"`{networks}` is text", hint=f"write `[{networks!r}]`"))
        given = list(networks)
        self.unix = UNIX in given
        self.header = header_name(header)
        if not isinstance(max_hops, int) or max_hops < 1:
            hint = "it is the most trusted proxies that a request comes through"
            raise ProxyError(
                Problem("bad-max-hops", f"max_hops {quoted(max_hops)} is not a number from 1 on", hint=hint)
            )
        self.max_hops = max_hops
        read = [_network(entry) for entry in given if entry != UNIX]
        trusted: list[IPv4Network | IPv6Network] = [
            *collapse_addresses(network for network in read if isinstance(network, IPv4Network)),
            *collapse_addresses(network for network in read if isinstance(network, IPv6Network)),
        ]
        for network in trusted:
            if not network.prefixlen:
                hint = "name the proxies: whoever is trusted can say where they are"
                raise ProxyError(Problem("trusts-everyone", f"the list trusts all of IPv{network.version}", hint=hint))
        # Collapsed, they do not overlap: one bisection says whether an address is in any.
        ranges = sorted((network.version, int(network[0]), int(network[-1])) for network in trusted)
        self._starts = [Address(version, first) for version, first, _ in ranges]
        self._ends = [Address(version, last) for version, _, last in ranges]

    def client(self, peer: str | None, headers: Headers) -> str | None:
        """Return the viewer's address, or None if it is not known. O(trusted hops + headers), never O(their length).

        Raises `TypeError` for a peer or headers in a form that is not understood; the message says what to pass.
        """
        return self.trace(peer, headers).address

    def trace(self, peer: str | None, headers: Headers | Lines) -> Trace:
        """Return the viewer's address and how it was found; raises `TypeError` as `client` does.

        A peer may have a port (`10.0.0.5:8080`, `[::1]:80`), and `unix:` is a socket file, as in the list.
        """
        lines = Lines.of(headers)
        if not peer or peer == UNIX:
            if not self.unix:
                return Trace(None, trusted=False, why="the peer has no address")
        else:
            address = _parse(peer)
            if address is None:
                return Trace(None, trusted=False, why=f"the peer `{redacted(peer)}` is not an IP address")
            if not self._trusts(address):
                why = f"the peer is in {wide_network_of(address)}, which is no trusted proxy"
                return Trace(str(address), trusted=False, why=why)
        values = lines.get(self.header)
        if not values:
            return Trace(None, trusted=True, why=f"the trusted peer sent no {self.header}")
        for hops, token in enumerate(self._tokens(values)):
            if hops == self.max_hops:
                return Trace(None, trusted=True, why=f"{self.header} has more than {self.max_hops} trusted proxies")
            node = self._node(token)
            if node is None:
                return Trace(None, trusted=True, why=f"{self.header} has `{redacted(token)}`, which is no address")
            address = unmapped(node)
            if not self._trusts(address):
                return self._viewer(address)
        said = "names trusted proxies only" if any(value.strip(" \t,") for value in values) else "is empty"
        return Trace(None, trusted=True, why=f"{self.header} {said}")

    def trusts(self, peer: str | None) -> bool:
        """Return whether a peer, with or without a port, is one of the proxies."""
        if not peer or peer == UNIX:
            return self.unix
        address = _parse(peer)
        return address is not None and self._trusts(address)

    def _trusts(self, address: Address) -> bool:
        at = bisect_right(self._starts, address) - 1
        return at >= 0 and address <= self._ends[at]

    def _viewer(self, address: Address) -> Trace:
        if address == _WORKER:
            why = f"{self.header} names {address}, a Worker of another zone"
            return Trace(None, trusted=True, why=why, relayed=True)
        network = wide_network_of(address)
        if address.version == 4 and address.value >> 28 == 0xF:
            why = f"{self.header} names an address in {network}, which replaces an IPv6 address"
            return Trace(None, trusted=True, why=why)
        return Trace(str(address), trusted=True, why=f"{self.header} names an address in {network}")

    def _tokens(self, values: list[str]) -> Iterator[str]:
        """Return the tokens from right to left, of all lines joined in order."""
        if self.header == "forwarded":
            return elements(", ".join(values))
        if self.header.endswith("forwarded-for"):
            return tokens(", ".join(values))
        # One address, written once: of two lines, one is somebody else's.
        return iter(values if len(values) == 1 else [f"{len(values)} lines"])

    def _node(self, token: str) -> Address | None:
        if self.header == "forwarded":
            return forwarded_node(token)
        return endpoint_node(token) if self.header == "cloudfront-viewer-address" else plain_node(token)


def _parse(peer: object) -> Address | None:
    if isinstance(peer, (IPv4Address, IPv6Address)):
        peer = str(peer)
    if not isinstance(peer, str):
        raise TypeError(
            f"the peer is the address of the socket as text, not `{type(peer).__name__}` [bad-peer]; pass its host alone, "
            "such as `request.client.host` or `REMOTE_ADDR`"
        )
    # Some servers give the port as well. Blanks and quotes, which a token may have, no server writes.
    address = parse(peer) or (plain_node(peer) if _PEER.fullmatch(peer) else None)
    return unmapped(address) if address else None


def _network(entry: str | IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    given = str(entry)
    host, slash, prefix = given.partition("/")
    try:
        # `ipaddress` reads zones and netmasks too, and `10.0.0.0/0.0.0.255` as a /24.
        well_formed = "%" not in host and (not slash or (prefix.isascii() and prefix.isdigit()))
        network = ip_network(given, strict=False) if well_formed else None
    except ValueError:
        network = None
    if network is None:
        problem = Problem("not-a-network", f"`{printable(given)}` is not a network", hint="write it like `10.0.0.0/8`")
        raise ProxyError(problem)
    if network.prefixlen and isinstance(network, IPv6Network) and network.overlaps(_MAPPED):
        hint = "write IPv4 networks as such, like `10.0.0.0/8`: mapped peers are read as IPv4"
        raise ProxyError(Problem("trusts-mapped", f"`{given}` covers IPv4 addresses mapped into IPv6", hint=hint))
    if ip_address(host) != network.network_address:
        raise ProxyError(Problem("host-bits", f"`{given}` has host bits set", hint=f"did you mean `{network}`?"))
    return network
