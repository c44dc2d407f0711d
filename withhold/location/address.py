"""Strict parsing of IP addresses: the same text gives the same address, or none, on every machine.

Untrusted text is never passed to a database reader. maxminddb's C extension reads `8.8.2056`, `134744072` and
`010.8.8.8` as 8.8.8.8, but its Python reader refuses them, so a viewer could choose a country by sending such text.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from ipaddress import AddressValueError, IPv4Address, IPv6Address, IPv6Network
from typing import NamedTuple

from withhold.errors import GeoIPError, Problem

INET, INET6 = int(socket.AF_INET), int(socket.AF_INET6)
V4_BITS, V6_BITS = 32, 128
#: The longest prefixes, by IP version, that messages and logs may show.
LONGEST_SHOWN = {4: 24, 6: 48}

_LONGEST = 45  # `0000:0000:0000:0000:0000:ffff:255.255.255.255`
_LOW_32 = (1 << 32) - 1


class Address(NamedTuple):
    """An IP address: its version (4 or 6) and its value as an integer.

    >>> str(Address(4, 0x51028E45)), str(Address(6, 1))
    ('81.2.142.69', '::1')
    """

    version: int
    value: int

    def __str__(self) -> str:
        if self.version == 4:
            return socket.inet_ntop(INET, self.value.to_bytes(4))
        return socket.inet_ntop(INET6, self.value.to_bytes(16))


def _by_ipaddress(family: int, text: str) -> bytes:
    """Return the bytes of an address, as a strict `socket.inet_pton` does. Raise `ValueError` for any other text."""
    if "%" in text:
        raise AddressValueError("zone")
    return IPv4Address(text).packed if family == INET else IPv6Address(text).packed


def _strict(pack: Callable[[int, str], bytes]) -> bool:
    for family, text in ((INET, "010.8.8.8"), (INET, "8.8.2056"), (INET6, "fe80::1%1"), (INET6, "::ffff:010.8.8.8")):
        try:
            pack(family, text)
        except (OSError, ValueError):
            continue
        return False
    return True


#: Return the bytes of an address. Raises `OSError` or `ValueError` for any other text. The C library's function is ten
#: times as fast as `ipaddress`, but on some systems it accepts leading zeros, as POSIX permits; those use `ipaddress`.
pack: Callable[[int, str], bytes] = socket.inet_pton if _strict(socket.inet_pton) else _by_ipaddress


def parse(text: str) -> Address | None:
    """Return the address that `text` denotes in standard notation, or None for any other text.

    Zones, ports and spaces are not accepted.

    >>> parse("81.2.69.142")
    Address(version=4, value=1359103374)
    >>> parse("8.8.2056") is parse("fe80::1%lo") is parse("81.2.69.142:80") is None
    True
    """
    if len(text) > _LONGEST:
        return None
    try:
        if ":" in text:
            return Address(6, int.from_bytes(pack(INET6, text)))
        return Address(4, int.from_bytes(pack(INET, text)))
    except (OSError, ValueError):
        return None


def unmapped(address: Address) -> Address:
    """Return the IPv4 address in an IPv4-mapped one (`::ffff:a.b.c.d`), and any other address unchanged.

    >>> str(unmapped(parse("::ffff:81.2.69.142")))
    '81.2.69.142'
    """
    if address.version == 6 and address.value >> 32 == 0xFFFF:
        return Address(4, address.value & _LOW_32)
    return address


def network_of(address: Address, prefix: int) -> str:
    """Return the network of the given prefix length that contains an address.

    >>> network_of(parse("81.2.69.142"), 31)
    '81.2.69.142/31'
    """
    version, value = address
    rest = (V4_BITS if version == 4 else V6_BITS) - prefix
    return f"{Address(version, value >> rest << rest)}/{prefix}"


def wide_network_of(address: Address) -> str:
    """Return the /24 or the /48 that contains an address. Messages and logs show no more of an address than this.

    >>> wide_network_of(parse("81.2.69.142")), wide_network_of(parse("2001:db8:1:2::3"))
    ('81.2.69.0/24', '2001:db8:1::/48')
    """
    if address.version == 6 and address.value >> 112 == 0x2002:
        # The /48 of a 6to4 address would be a single IPv4 address, so show its /24.
        return network_of(address, 16 + LONGEST_SHOWN[4])
    return network_of(address, LONGEST_SHOWN[address.version])


class Transition(NamedTuple):
    """The kinds of IPv6 addresses that are looked up by the IPv4 address that they contain.

    These are IPv4-mapped addresses, 6to4 addresses if `six_to_four` is set, and addresses with one of the operator's NAT64
    prefixes. `nat64` holds the upper 96 bits of each prefix.
    """

    six_to_four: bool = True
    nat64: tuple[int, ...] = ()

    @classmethod
    def of(cls, *, six_to_four: bool, nat64: Iterable[str]) -> Transition:
        """Return a `Transition` with NAT64 prefixes given as text.

        Raise `GeoIPError` (`bad-nat64`) unless each is a /96.
        """
        if isinstance(nat64, str):
            raise GeoIPError(
                Problem("bad-nat64", f"nat64 `{nat64}` is text, not a list of prefixes", hint=f"write `[{nat64!r}]`")
            )
        prefixes = []
        for text in nat64:
            try:
                network = IPv6Network(text)
            except ValueError:
                network = None
            if network is None or network.prefixlen != 96:
                problem = Problem("bad-nat64", f"`{text}` is not a NAT64 prefix", hint="write it like `64:ff9b::/96`")
                raise GeoIPError(problem)
            prefixes.append(int(network.network_address) >> 32)
        return cls(six_to_four, tuple(prefixes))

    def read(self, address: Address) -> Address | str:
        """Return the address to look up, or a description of the address if its kind has no location.

        >>> str(Transition().read(parse("2002:5102:458e::1")))
        '81.2.69.142'
        >>> Transition().read(parse("2001:0:5102:458e:8000:3fff:a65f:eb8f"))
        'a Teredo address, whose server the viewer can choose'
        """
        version, value = address
        if version == 4:
            return address
        high = value >> 32
        if high in self.nat64:
            return Address(4, value & _LOW_32)
        if high == 0xFFFF:
            return Address(4, value & _LOW_32)
        if high == 0:
            return "an IPv4-compatible address, which is deprecated"
        if high >> 64 == 0x20010000:
            return "a Teredo address, whose server the viewer can choose"
        if high >> 80 == 0x2002:
            return Address(4, value >> 80 & _LOW_32) if self.six_to_four else "a 6to4 address"
        if high == 0x0064FF9B << 64 or high >> 48 == 0x0064FF9B0001:
            return "a NAT64 address whose prefix is not listed in `nat64`"
        return address
