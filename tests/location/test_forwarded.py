"""`Forwarded` (RFC 7239), `X-Forwarded-For` and headers with one address, compared with a slow independent parser."""

from __future__ import annotations

import re
import sys
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from withhold import location
from withhold.location import TrustedProxies

PEER, V = "10.0.0.5", "192.0.2.7"
TRUST = ["10.0.0.0/8", "fd00::/8"]
FORWARDED = TrustedProxies(TRUST, header="forwarded")
PLAIN = TrustedProxies(TRUST)
CLOUDFRONT = TrustedProxies(TRUST, header="CloudFront-Viewer-Address")


def client(proxies: TrustedProxies, *lines: str) -> str | None:
    return proxies.client(PEER, [(proxies.header, line) for line in lines])


@pytest.mark.parametrize(
    "value",
    [
        *('for=192.0.2.7;host="a,b"', 'for=192.0.2.7;host="a;b"', r'for=192.0.2.7;host="a\"b"', "for=192.0.2.7;"),
        *(";for=192.0.2.7;;proto=https", "for=192.0.2.7,", "for=192.0.2.7, ,, ", "for=192.0.2.7 ; proto=http"),
        *('for="x, for=192.0.2.7;host="h"', 'for="x, for=192.0.2.7', 'a="b, for=192.0.2.7;host="a,b";proto="x,y"'),
        *(r'for="\", for=192.0.2.7', r'x="\, for=192.0.2.7;host="\\"', r'for=192.0.2.7;host="\\\"";by="_a,b"'),
        *(r'for=192.0.2.7;host="\\"', r'for=192.0.2.7;host="\",for=1.1.1.1;x=\""', 'for=192.0.2.7;host=""'),
        *("for=192.0.2.7;host=", "for=192.0.2.7;host=a.example:443", "host=[::1]:80;for=192.0.2.7", 'FOR="192.0.2.7"'),
        *(r'for="192.0.2\.7"', 'for="192.0.2.7:443"', "for=192.0.2.7:443", 'for="192.0.2.7:_hidden"'),
        *(
            f'for=192.0.2.7;host="{"h," * 4000}"',
            f"for={'1.1.1.1, for=' * 4000}192.0.2.7",
            '"' * 999 + ",for=192.0.2.7",
        ),
        *("for=1.1.1.1, for=192.0.2.7, for=10.1.1.1", 'for=192.0.2.7;x="a,b", for=10.1.1.1;y="c,d",for="[fd00::1]:80"'),
    ],
    ids=lambda value: value[:40],
)
def test_d5_forwarded_is_read_from_the_right_with_quotes_and_escapes(value: str) -> None:
    assert client(FORWARDED, value) == V
    assert client(FORWARDED, "for=1.1.1.1", value) == V
    assert client(FORWARDED, 'for="', value) == V


@pytest.mark.parametrize("host", ["a;b", "a;host", "a;=x", "a b", "a;b=c d", ";;", "=", "a=b", "a\x00", "a\\", ""])
def test_d5_a_host_that_is_not_quoted_neither_hides_nor_moves_the_viewer(host: str) -> None:
    for left in ("for=1.1.1.1", 'for=1.1.1.1;x="', ""):
        for value in (f"for={V};host={host}", f"host={host};for={V}", f"for = {V} ; host = {host}; proto=https"):
            assert client(FORWARDED, left, value) == V
            assert client(FORWARDED, left, f"{value}, for=10.1.1.1;host={host}") == V
        for forged in (f"{host};for=1.1.1.1", f"{host}; FOR = 1.1.1.1", f"{host};for"):
            assert client(FORWARDED, left, f"for={V};host={forged}") is None
            assert client(FORWARDED, left, f"host={forged};for={V}") is None
    # A stray quote may close one that the viewer opened on the left, so nothing is read.
    assert client(FORWARDED, 'for=1.1.1.1;x="', f'for={V};host=a"b{host}') is None
    assert client(FORWARDED, 'for=1.1.1.1;x="', f'for={V};host=a"b;{host} c') is None


def test_a_proxy_that_does_not_quote_the_host_lets_the_viewer_forge_an_address() -> None:
    """No parser can prevent this, so the README and the docstring warn of it; `x-forwarded-for` has no such field."""
    host = "a, for=1.1.1.1"
    assert client(FORWARDED, f"for={V};host={host}") == "1.1.1.1"
    assert client(FORWARDED, f'for={V};host="{host}"') == V
    assert PLAIN.client(PEER, [("Host", host), ("X-Forwarded-For", V)]) == V
    readme = Path(location.__file__).with_name("README.md").read_text(encoding="utf-8")
    for text in (readme, TrustedProxies.__doc__ or ""):
        warning = " ".join(text.split())
        assert "unquoted, the viewer can write a second `for=` there" in warning
        assert "Behind such a proxy, use `x-forwarded-for`." in warning


def test_d5_repeated_lines_are_joined_in_order() -> None:
    assert client(FORWARDED, "for=1.1.1.1", "for=192.0.2.7", "for=10.1.1.1") == V
    assert client(FORWARDED, "for=192.0.2.7", "", " , ") == V
    assert client(FORWARDED, 'for=192.0.2.7;host="a', 'b"') == V
    assert client(FORWARDED, "", ",") is None
    assert FORWARDED.trace(PEER, [("Forwarded", ", ,")]).why == "forwarded is empty"


@pytest.mark.parametrize(
    "element",
    [
        *(
            'for="192.0.2.7',
            'for=192.0.2.7"',
            'for="192.0.2.7""',
            'for="192.0.2.7"x',
            "for",
            "for:192.0.2.7",
            "=192.0.2.7",
        ),
        *("proto=https", "by=192.0.2.7", "host=a", "for=unknown", "for=_hidden", 'for="_hidden"', 'for=""', "for="),
        *("for=192.0.2.7;for=192.0.2.7", "for=192.0.2.7;FOR=1.1.1.1", "for=192.0.2.7:", "for=192.0.2.7:65536"),
        *(
            "for=192.0.2.7 x",
            r"for=192.0.2\.7",
            r'for=192.0.2.7;host="a\"',
            'for=192.0.2.7;host="a"b"',
        ),
        *("for=[192.0.2.7]", "for=[2001:db8::1", "for=[2001:db8::1]x", "for=2001:db8::1]", "for=fe80::1%eth0", "{}"),
    ],
)
def test_a_malformed_or_hidden_element_is_unknown_and_nothing_left_of_it_is_read(element: str) -> None:
    assert client(FORWARDED, element) is None
    assert client(FORWARDED, f"for=1.1.1.1, {element}") is None
    assert client(FORWARDED, "for=1.1.1.1", element) is None
    assert client(FORWARDED, f"{element}, for=10.1.1.1") is None


@pytest.mark.parametrize(
    ("node", "address"),
    [
        ("2001:db8::5", "2001:db8::5"),
        ('"2001:db8::5"', "2001:db8::5"),
        ('"[2001:db8::5]"', "2001:db8::5"),
        ("[2001:db8::5]", "2001:db8::5"),
        ("[2001:db8::5]:443", "2001:db8::5"),
        ('"[2001:db8::5]:_port"', "2001:db8::5"),
        ('"2001:db8:f::6:46532"', "2001:db8:f::6"),
        ("2001:db8:0:0:0:0:0:6:80", "2001:db8::6"),
        ("::ffff:192.0.2.7", V),
        ("2001:db8::6:4653", "2001:db8::6:4653"),
        ("2001:db8::99999:80", None),
        ("2001:db8::6:99999", None),
    ],
)
def test_d6_an_unquoted_ipv6_address_is_read(node: str, address: str | None) -> None:
    assert client(FORWARDED, f"for={node}") == address
    assert client(FORWARDED, f"proto=https;for={node};host=a, for=10.1.1.1") == address
    plain = node.strip('"')
    if "_" not in plain:
        assert client(PLAIN, f"1.1.1.1, {plain}, 10.1.1.1:80, [fd00::1]:80") == address


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("2001:db8:f::6:46532", "2001:db8:f::6"),
        ("2001:db8:f::6:4653", "2001:db8:f::6"),
        ("2001:db8:f::6:80", "2001:db8:f::6"),
        ("2001:0db8:000f:0:0:0:0:6:80", "2001:db8:f::6"),
        ("[2001:db8:f::6]:46532", "2001:db8:f::6"),
        ("192.0.2.7:46532", V),
        ("192.0.2.7", V),
        ("2001:db8:0:0:0:0:0:6", "2001:db8::6"),
        ("::ffff:192.0.2.7:80", V),
        ("192.0.2.7:99999", None),
        ("192.0.2.7:", None),
        ("192.0.2.7:46532, 192.0.2.8:1", None),
        ("unknown", None),
        ("", None),
    ],
)
def test_d6_cloudfronts_address_has_a_port_without_brackets(value: str, address: str | None) -> None:
    assert client(CLOUDFRONT, value) == address
    assert client(CLOUDFRONT, value, value) is None


# An independent parser that follows the grammar from left to right. It tries every comma as the last separator.

WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
PAIR = re.compile(rf'({WORD})=("(?:[^"\\]|\\.)*"|[^ \t",;]*)', re.DOTALL)


def well_formed(element: str) -> list[tuple[str, str]] | None:
    """Return the parameters of an element, or None if its quotes are malformed."""
    if '"' not in element:
        parts = [re.fullmatch("([^=]*)=?(.*)", part, re.DOTALL) for part in element.split(";")]
        return [(part[1].strip(" \t").lower(), part[2].strip(" \t")) for part in parts if part]
    pairs = []
    at = 0
    while True:
        while at < len(element) and element[at] in " \t":
            at += 1
        found = PAIR.match(element, at)
        if found:
            pairs.append((found[1].lower(), found[2]))
            at = found.end()
            while at < len(element) and element[at] in " \t":
                at += 1
        if at == len(element):
            return pairs
        if element[at] != ";":
            return None
        at += 1


def slow_elements(text: str) -> list[str]:
    """Return the elements from right to left. `malformed` replaces a malformed element and everything left of it."""
    commas = [at for at, char in enumerate(text) if char == ","]
    for comma in [*reversed(commas), -1]:
        last = text[comma + 1 :]
        if well_formed(last) is not None:
            rest = slow_elements(text[:comma]) if comma >= 0 else []
            return [last, *rest] if last.strip(" \t") else rest
    return ["malformed"]


def slow_address(value: str) -> IPv4Address | IPv6Address | None:
    """Return the address in a text, with or without brackets and a port, or None."""
    if value.startswith('"'):
        value = re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)
    with_port = re.fullmatch(r"(.*):(?:([0-9]{1,5})|_[A-Za-z0-9._-]+)", value, re.DOTALL)
    texts = [value]
    if with_port and int(with_port[2] or 0) < 65536:
        texts.append(with_port[1])
    for text in texts:
        bracketed = text.startswith("[") and text.endswith("]")
        try:
            address = ip_address(text[1:-1] if bracketed else text)
        except ValueError:
            continue
        if "%" not in text and (address.version == 6 or not bracketed):
            return address
    return None


def slow_client(lines: list[str]) -> str | None:
    for element in slow_elements(", ".join(lines)):
        values = [value for name, value in well_formed(element) or [] if name == "for"]
        address = slow_address(values[0]) if len(values) == 1 else None
        if address is None:
            return None
        if isinstance(address, IPv6Address):
            address = address.ipv4_mapped or address
        if not any(address in network for network in map(ip_network, TRUST)):
            return str(address)
    return None


PIECES = st.sampled_from(
    [
        *(",", ", ", ";", '"', "\\", '\\"', "\\\\", " ", "\t", "=", "for=", "host=", "For=", "by=", "a", "x=", '""'),
        *(
            "192.0.2.7",
            "10.1.1.1",
            "1.1.1.1:80",
            "[2001:db8::1]",
            "[fd00::1]:80",
            "2001:db8::5",
            "unknown",
            "_x",
            ":80",
        ),
        *("for=10.0.0.1", 'for="[fd00::5]:_p";host="a,b"', 'host="a;for=1.1.1.1"', "for=192.0.2.7,", "::ffff:10.0.0.9"),
    ]
)
HEADERS = st.lists(st.lists(PIECES, max_size=14).map("".join), min_size=1, max_size=3)


@given(HEADERS)
@example(['for="x, for=192.0.2.7;host="h"'])
@example(['host="x, y="z"', 'for=10.0.0.1;a="\\'])
def test_d5_the_slow_parser_finds_the_same_viewer(lines: list[str]) -> None:
    assert client(FORWARDED, *lines) == slow_client(lines)


@given(HEADERS, st.text(st.characters(codec="latin-1", exclude_characters='"\\'), max_size=30), st.integers(0, 5))
def test_d5_neither_the_left_end_nor_a_quoted_host_changes_the_viewer(left: list[str], host: str, hops: int) -> None:
    written = re.sub(r'(["\\])', r"\\\1", host + left[0])
    added = [f'for={V};host="{written}";proto=https', *(f'for=10.0.0.{hop};host="{written}"' for hop in range(hops))]
    assert client(FORWARDED, *left, *added) == V
    assert client(FORWARDED, ", ".join([*left, *added])) == V
    assert slow_client([*left, *added]) == V


@pytest.mark.parametrize("filling", ['"', "\\", '\\"', ",", ";", "a", 'a="', '",', ';"', '="\\\\",', "for=10.0.0.1,"])
def test_the_time_for_a_long_header_is_proportional_to_its_length(filling: str) -> None:
    steps = []
    for size in (20_000, 40_000):
        value = filling * (size // len(filling)) + "for=10.0.0.1"
        counts = 0

        def count(*_: object) -> None:
            nonlocal counts
            counts += 1

        sys.setprofile(count)
        try:
            client(TrustedProxies(TRUST, header="forwarded", max_hops=10**6), value)
        finally:
            sys.setprofile(None)
        steps.append(counts)
    assert steps[1] < 3 * steps[0] + 1000
