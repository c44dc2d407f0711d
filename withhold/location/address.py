"""IP addresses, read strictly: the same text is the same address, or no address, on every machine.

A database reader is never handed text from outside. maxminddb's C extension reads `8.8.2056`, `134744072`
and `010.8.8.8` as 8.8.8.8 and its Python reader refuses them, so what a viewer sent could decide the country.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from ipaddress import AddressValueError, IPv4Address, IPv6Address, IPv6Network
from typing import NamedTuple

from withhold.errors import GeoIPError, Problem

INET, INET6 = int(socket.AF_INET), int(socket.AF_INET6)
V4_BITS, V6_BITS = 32, 128
#: The longest prefixes, by IP version, that texts and logs show.
WIDE = {4: 24, 6: 48}

_LONGEST = 45  # `0000:0000:0000:0000:0000:ffff:255.255.255.255`
_LOW_32 = (1 << 32) - 1


class Address(NamedTuple):
    """An IP address: the version, 4 or 6, and the number.

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
    """Do as `socket.inet_pton` does where it is strict; `ValueError` for what is no address."""
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


#: Text to the bytes of an address. The C library's is ten times as fast as `ipaddress`, but POSIX leaves it
#: leeway, and some systems' take leading zeros: those get the slow one. Raises `OSError` or `ValueError`.
pack: Callable[[int, str], bytes] = socket.inet_pton if _strict(socket.inet_pton) else _by_ipaddress


def parse(text: str) -> Address | None:
    """Read an address in its standard notation; None for anything else, zones, ports and blanks included.

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
    """Return the IPv4 address that `::ffff:a.b.c.d` stands for, and any other address itself.

    >>> str(unmapped(parse("::ffff:81.2.69.142")))
    '81.2.69.142'
    """
    if address.version == 6 and address.value >> 32 == 0xFFFF:
        return Address(4, address.value & _LOW_32)
    return address


def network_of(address: Address, prefix: int) -> str:
    """Return the network of an address.

    >>> network_of(parse("81.2.69.142"), 31)
    '81.2.69.142/31'
    """
    version, value = address
    rest = (V4_BITS if version == 4 else V6_BITS) - prefix
    return f"{Address(version, value >> rest << rest)}/{prefix}"


def wide_network_of(address: Address) -> str:
    """Return the /24 or /48 of an address: as much of it as texts and logs may hold.

    >>> wide_network_of(parse("81.2.69.142")), wide_network_of(parse("2001:db8:1:2::3"))
    ('81.2.69.0/24', '2001:db8:1::/48')
    """
    if address.version == 6 and address.value >> 112 == 0x2002:
        # A 6to4 address: its /48 is one IPv4 address.
        return network_of(address, 16 + WIDE[4])
    return network_of(address, WIDE[address.version])


class Transition(NamedTuple):
    """Which IPv6 addresses that carry an IPv4 one are read as it: 6to4, and the NAT64 prefixes of the operator."""

    six_to_four: bool = True
    nat64: tuple[int, ...] = ()

    @classmethod
    def of(cls, *, six_to_four: bool, nat64: Iterable[str]) -> Transition:
        """Read the NAT64 prefixes; raises `GeoIPError` for one that is no /96."""
        if isinstance(nat64, str):
            raise GeoIPError(Problem("bad-nat64", f"nat64 `{nat64}` is text", hint=f"write `[{nat64!r}]`"))
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
        """Return the address that tells where the viewer is, or what kind of address this one is that does not.

        >>> str(Transition().read(parse("2002:5102:458e::1")))
        '81.2.69.142'
        >>> Transition().read(parse("2001:0:5102:458e:8000:3fff:a65f:eb8f"))
        'a Teredo address, whose server the viewer chooses'
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
            return "an IPv4-compatible address, which nobody has"
        if high >> 64 == 0x20010000:
            return "a Teredo address, whose server the viewer chooses"
        if high >> 80 == 0x2002:
            return Address(4, value >> 80 & _LOW_32) if self.six_to_four else "a 6to4 address"
        if high == 0x0064FF9B << 64 or high >> 48 == 0x0064FF9B0001:
            return "a NAT64 address of a prefix that is not the operator's"
        return address
