"""Addresses are parsed strictly, and alike on every platform."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withhold.errors import GeoIPError
from withhold.location import address as module
from withhold.location.address import INET, INET6, Address, Transition, pack, parse, unmapped

_ALPHABET = st.sampled_from("0123456789abcdefABCDEFx.:%/ -+_")
_NEARLY = st.one_of(
    st.text(_ALPHABET, max_size=24),
    st.ip_addresses().map(str),
    st.tuples(st.ip_addresses().map(str), st.text(_ALPHABET, max_size=2)).map("".join),
    st.lists(st.integers(0, 300).map(str), min_size=3, max_size=5).map(".".join),
    st.lists(st.sampled_from(["", "0", "1", "ffff", "db8", "10000", "8.8.8.8"]), min_size=2, max_size=9).map(":".join),
)


def by_ipaddress(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    if getattr(found, "scope_id", None) is not None:
        return None
    return Address(found.version, int(found))


@given(_NEARLY)
def test_parse_agrees_with_ipaddress_except_on_zones(text: str) -> None:
    assert parse(text) == by_ipaddress(text)


@given(_NEARLY)
def test_the_fallback_for_lenient_platforms_reads_the_same(text: str) -> None:
    family = INET6 if ":" in text else INET
    try:
        slow = module._by_ipaddress(family, text)
    except ValueError:
        slow = None
    found = parse(text)
    assert slow == (None if found is None else found.value.to_bytes(4 if found.version == 4 else 16))


def test_a_lenient_platform_is_detected() -> None:
    assert module._strict(pack)
    assert module._strict(module._by_ipaddress)

    def lenient(family: int, text: str) -> bytes:
        return module._by_ipaddress(family, text.replace("010", "10"))

    assert not module._strict(lenient)


@given(st.ip_addresses())
def test_a_parsed_address_is_the_same_after_writing_it(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    found = parse(str(address))
    assert found is not None
    assert parse(str(found)) == found


@given(st.ip_addresses(v=4))
def test_an_embedded_ipv4_address_is_found_in_each_form(address: ipaddress.IPv4Address) -> None:
    want = Address(4, int(address))
    high, low = divmod(int(address), 1 << 16)
    forms = {
        f"::ffff:{address}": want,
        f"2002:{high:x}:{low:x}::1": want,
        f"2001:db8:64::{high:x}:{low:x}": want,
    }
    transition = Transition.of(six_to_four=True, nat64=["2001:db8:64::/96"])
    for text, found in forms.items():
        given_address = parse(text)
        assert given_address is not None
        assert transition.read(given_address) == found
    mapped = parse(f"::ffff:{address}")
    assert mapped is not None
    assert unmapped(mapped) == want


@pytest.mark.parametrize("prefix", ["64:ff9b::", "64:ff9b::/95", "10.0.0.0/8", "64:ff9b::1/96", "x"])
def test_an_invalid_nat64_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(GeoIPError, match="bad-nat64"):
        Transition.of(six_to_four=True, nat64=[prefix])


def test_text_is_refused_in_place_of_a_list_of_nat64_prefixes() -> None:
    with pytest.raises(GeoIPError, match="is text"):
        Transition.of(six_to_four=True, nat64="64:ff9b::/96")
