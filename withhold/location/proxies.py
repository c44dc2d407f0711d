"""`TrustedProxies`: the address of the viewer behind proxies. No header that the viewer sends can change it.

Only the address of the socket's peer is certain. A trusted peer appends to the header the address from which it
received the request, and this entry can be relied on. If that address is a trusted proxy too, so can the entry to its
left, and so on from right to left. The first address that is not a trusted proxy is the viewer's. The viewer may have
sent everything to the left of it.
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

#: The entry for peers without an address, which connect through a Unix domain socket.
UNIX = "unix:"

_PEER = re.compile(r"[0-9.]+:[0-9]+|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")
_MAPPED = IPv6Network("::ffff:0:0/96")
#: The address that Cloudflare reports for a Worker of another zone.
WORKER = Address(6, 0x2A06_98C0_3600_0000_0000_0000_0000_0103)


class Trace(NamedTuple):
    """The sender of a request: the address of the viewer or None, whether the peer is trusted, and the reason in words.

    `relayed` means that a program on the CDN sent the request, so the CDN's location headers concern that program. `why` and
    the `repr` show the network of an address, never the whole address.

    >>> TrustedProxies().trace("192.0.2.7", {})
    Trace(address='192.0.2.0/24', trusted=False, why='the peer is in 192.0.2.0/24, which is not a trusted proxy')
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
    """Finds the address of the viewer, given the trusted proxies and the one header that they write.

    `networks` lists addresses and networks, as text or as `ipaddress` networks, and `unix:` for peers that connect
    through a Unix domain socket. `header` is `forwarded` (RFC 7239), `x-forwarded-for` or another name that
    ends in `forwarded-for`, or a header that contains a single address, such as `cf-connecting-ip` or
    `cloudfront-viewer-address`. No other header is read. Addresses may have a port.

    The address is unknown if the header is missing, if it contains a malformed or obfuscated token before the viewer's
    address is found, if all its addresses are trusted, or if there are more than `max_hops` trusted proxies. It is also
    unknown if the peer is not an IP address, such as `localhost`, or is a Unix domain socket that `networks` does not
    list. `trace` gives the reason.

    Use `forwarded` only behind proxies that quote the values that they copy into it. If a proxy copies the viewer's
    `Host` unquoted, the viewer can write a second `for=` there. Behind such a proxy, use `x-forwarded-for`.

    >>> proxies = TrustedProxies(["10.0.0.0/8"])
    >>> proxies.client("10.0.0.5", [("X-Forwarded-For", "1.1.1.1, 81.2.69.142, 10.1.1.1")])
    '81.2.69.142'
    >>> proxies.client("81.2.69.142", [("X-Forwarded-For", "1.1.1.1")])
    '81.2.69.142'

    Immutable and safe to share between threads. Raises `ProxyError` for a list with an entry that is not a network
    (`not-a-network`, `host-bits`) or that trusts strangers (`trusts-everyone`, `trusts-mapped`), for an invalid header
    name (`bad-header`), and for a `max_hops` below 1 (`bad-max-hops`).
    """

    __slots__ = ("header", "max_hops", "ranges", "unix")

    def __init__(
        self,
        networks: Iterable[str | IPv4Network | IPv6Network] = (),
        header: str = "x-forwarded-for",
        *,
        max_hops: int = 16,
    ) -> None:
        if isinstance(networks, str):
            raise ProxyError(
                Problem(
                    "not-a-network", f"`{networks}` is text, not a list of networks", hint=f"write `[{networks!r}]`"
                )
            )
        given = list(networks)
        self.unix = UNIX in given
        self.header = header_name(header)
        if not isinstance(max_hops, int) or max_hops < 1:
            hint = "give the largest number of trusted proxies that a request passes through"
            raise ProxyError(
                Problem("bad-max-hops", f"max_hops {quoted(max_hops)} is not an integer of at least 1", hint=hint)
            )
        self.max_hops = max_hops
        read = [_network(entry) for entry in given if entry != UNIX]
        trusted: list[IPv4Network | IPv6Network] = [
            *collapse_addresses(network for network in read if isinstance(network, IPv4Network)),
            *collapse_addresses(network for network in read if isinstance(network, IPv6Network)),
        ]
        for network in trusted:
            if not network.prefixlen:
                hint = "list only the proxies, because a trusted peer can claim any address"
                raise ProxyError(Problem("trusts-everyone", f"the list trusts all of IPv{network.version}", hint=hint))
        #: The first and the last addresses of the networks, by IP version. They do not overlap, so one bisection finds
        #: whether any of them contains an address.
        self.ranges: dict[int, tuple[list[int], list[int]]] = {}
        for version in (4, 6):
            ranges = sorted((int(network[0]), int(network[-1])) for network in trusted if network.version == version)
            self.ranges[version] = [first for first, _ in ranges], [last for _, last in ranges]

    def client(self, peer: str | None, headers: Headers) -> str | None:
        """Return the address of the viewer, or None if it is unknown.

        At most `max_hops` addresses are parsed, however long the header is. Raises `TypeError` for a peer (`bad-peer`) or
        headers (`bad-headers`) in a form that is not understood; the message lists the accepted forms.
        """
        return self.trace(peer, headers).address

    def trace(self, peer: str | None, headers: Headers | Lines) -> Trace:
        """Return the address of the viewer and how it was found. Raises `TypeError` as `client` does.

        The peer is the address of the socket, with or without a port (`10.0.0.5:8080`, `[::1]:80`). None, the empty
        string and `unix:` denote a Unix domain socket. Any other text is not a trusted proxy, and the address of the
        viewer is unknown:

        >>> TrustedProxies(["127.0.0.1"]).trace("localhost", {"X-Forwarded-For": "192.0.2.7"}).why
        'the peer `localhost` is not an IP address, so it is not a trusted proxy'
        """
        lines = Lines.of(headers)
        if not peer or peer == UNIX:
            if not self.unix:
                return Trace(None, trusted=False, why="the peer has no address, and `unix:` is not a trusted proxy")
        else:
            address = _parse(peer)
            if address is None:
                why = f"the peer `{redacted(peer)}` is not an IP address, so it is not a trusted proxy"
                return Trace(None, trusted=False, why=why)
            if not self._trusts(address):
                why = f"the peer is in {wide_network_of(address)}, which is not a trusted proxy"
                return Trace(str(address), trusted=False, why=why)
        values = lines.get(self.header)
        if not values:
            return Trace(None, trusted=True, why=f"the trusted peer sent no {self.header}")
        for hops, token in enumerate(self._tokens(values)):
            if hops == self.max_hops:
                return Trace(None, trusted=True, why=f"{self.header} has more than {self.max_hops} trusted proxies")
            node = self._node(token)
            if node is None:
                return Trace(None, trusted=True, why=f"{self.header} has `{redacted(token)}`, which is not an address")
            address = unmapped(node)
            if not self._trusts(address):
                return self._viewer(address)
        fault = "names trusted proxies only" if any(value.strip(" \t,") for value in values) else "is empty"
        return Trace(None, trusted=True, why=f"{self.header} {fault}")

    def trusts(self, peer: str | None) -> bool:
        """Return whether a peer, with or without a port, is a trusted proxy. Raises `TypeError` (`bad-peer`)."""
        if not peer or peer == UNIX:
            return self.unix
        address = _parse(peer)
        return address is not None and self._trusts(address)

    def _trusts(self, address: Address) -> bool:
        starts, ends = self.ranges[address.version]
        at = bisect_right(starts, address.value) - 1
        return at >= 0 and address.value <= ends[at]

    def _viewer(self, address: Address) -> Trace:
        if address == WORKER:
            why = f"{self.header} names {address}, a Worker of another zone"
            return Trace(None, trusted=True, why=why, relayed=True)
        network = wide_network_of(address)
        if address.version == 4 and address.value >> 28 == 0xF:
            why = f"{self.header} names an address in {network}, a stand-in for an IPv6 address"
            return Trace(None, trusted=True, why=why)
        return Trace(str(address), trusted=True, why=f"{self.header} names an address in {network}")

    def _tokens(self, values: list[str]) -> Iterator[str]:
        """Return the tokens of all lines, joined in order, from right to left."""
        if self.header == "forwarded":
            return elements(", ".join(values))
        if self.header.endswith("forwarded-for"):
            return tokens(", ".join(values))
        # The proxy writes one address in one line. If there are two lines, somebody else wrote one of them.
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
            f"the peer is `{type(peer).__name__}`, not the address of the socket as text [bad-peer]; pass its host alone, "
            "such as `request.client.host` or `REMOTE_ADDR`"
        )
    # Some servers include the port. Unlike a token of a header, a peer has no spaces or quotes around it.
    address = parse(peer) or (plain_node(peer) if _PEER.fullmatch(peer) else None)
    return unmapped(address) if address else None


def _network(entry: str | IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    given = str(entry)
    host, slash, prefix = given.partition("/")
    try:
        # `ipaddress` also accepts zones and netmasks, and reads `10.0.0.0/0.0.0.255` as a /24.
        well_formed = "%" not in host and (not slash or (prefix.isascii() and prefix.isdigit()))
        network = ip_network(given, strict=False) if well_formed else None
    except ValueError:
        network = None
    if network is None:
        problem = Problem("not-a-network", f"`{printable(given)}` is not a network", hint="write it like `10.0.0.0/8`")
        raise ProxyError(problem)
    if network.prefixlen and isinstance(network, IPv6Network) and network.overlaps(_MAPPED):
        hint = "write IPv4 networks like `10.0.0.0/8`: mapped peers are read as IPv4 addresses"
        raise ProxyError(Problem("trusts-mapped", f"`{given}` covers IPv4 addresses mapped into IPv6", hint=hint))
    if ip_address(host) != network.network_address:
        raise ProxyError(Problem("host-bits", f"`{given}` has host bits set", hint=f"did you mean `{network}`?"))
    return network
