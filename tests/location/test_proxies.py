"""The rules for trusted proxies, one by one, and cases that other implementations get wrong."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withhold.errors import ProxyError
from withhold.location import Resolver, TrustedProxies, proxies
from withhold.location.address import Address
from withhold.location.forwarded import forwarded_node, plain_node

TRUST = ["127.0.0.1", "::1", "10.0.0.0/8", "fd00::/8"]
P, S = "81.2.69.142", "1.1.1.1"
XFF = "X-Forwarded-For"


@pytest.fixture
def trusted() -> TrustedProxies:
    return TrustedProxies(TRUST)


# Rule 1.


@pytest.mark.parametrize("peer", [P, "2a02:d500::1", "11.0.0.1", "::ffff:81.2.69.142", "fe80::1"])
def test_rule_1_an_untrusted_peer_is_the_viewer_whatever_headers_it_sends(trusted: TrustedProxies, peer: str) -> None:
    headers = [(XFF, S), ("Forwarded", f"for={S}"), ("X-Real-IP", S), ("CF-Connecting-IP", S), ("True-Client-IP", S)]
    assert trusted.client(peer, headers) == peer.removeprefix("::ffff:")
    assert trusted.trace(peer, headers).trusted is False


@pytest.mark.parametrize("peer", ["10.0.0.5", "::ffff:10.0.0.5", "::1", "127.0.0.1", "fd12::9"])
def test_rule_1_a_mapped_peer_is_the_same_as_the_plain_one(trusted: TrustedProxies, peer: str) -> None:
    assert trusted.trusts(peer)
    assert trusted.client(peer, [(XFF, P)]) == P


@pytest.mark.parametrize("peer", [None, "", "garbage", "10.0.0.5:", "134744072", "010.0.0.5", "/run/app.sock"])
def test_rule_1_a_peer_that_is_no_address_is_not_trusted(trusted: TrustedProxies, peer: str | None) -> None:
    assert trusted.client(peer, [(XFF, P)]) is None
    assert not trusted.trusts(peer)


@pytest.mark.parametrize(
    ("peer", "why"),
    [
        *((peer, "the peer has no address, and `unix:` is not a trusted proxy") for peer in (None, "", "unix:")),
        ("localhost", "the peer `localhost` is not an IP address, so it is not a trusted proxy"),
        ("unix:/run/app.sock", "the peer `unix:/run/#pp.so#k` is not an IP address, so it is not a trusted proxy"),
        ("@\x1b`", "the peer `@??` is not an IP address, so it is not a trusted proxy"),
    ],
)
def test_rule_1_the_reason_states_that_the_peer_is_no_ip_address(peer: str | None, why: str) -> None:
    """All viewers behind such a peer are unknown, so the operator must see the reason."""
    local = TrustedProxies(["127.0.0.1"])
    assert local.trace(peer, {XFF: P}) == (None, False, why, False)
    viewer = Resolver(proxies=local, cdn="cloudflare").viewer(peer, {XFF: P, "CF-IPCountry": "IN"})
    assert (viewer.country, viewer.signal) == (None, f"no signal: {why}")


@pytest.mark.parametrize("peer", ["10.0.0.5:8080", "[::1]:80", "[::1]", "[::ffff:10.0.0.5]:1", "127.0.0.1:65535"])
def test_d7_a_peer_with_a_port_is_the_same_as_without(trusted: TrustedProxies, peer: str) -> None:
    assert trusted.trusts(peer)
    assert trusted.client(peer, {XFF: f"{S}, {P}"}) == P
    assert trusted.client(f"{P}:4711", {XFF: S}) == P
    assert trusted.client("[2a02:d500::1]:4711", {XFF: S}) == "2a02:d500::1"
    for bad in (
        "10.0.0.5:65536",
        "10.0.0.5:x",
        "10.0.0.5:",
        '"10.0.0.5:80"',
        " 10.0.0.5:80",
        "010.0.0.5:80",
        "[::1]80",
    ):
        assert not trusted.trusts(bad)
        assert trusted.client(bad, {XFF: P}) is None


def test_d7_a_peer_may_be_given_as_unix(trusted: TrustedProxies) -> None:
    assert TrustedProxies(["unix:"]).trusts("unix:")
    assert TrustedProxies(["unix:"]).client("unix:", {XFF: P}) == P
    assert not trusted.trusts("unix:")
    assert trusted.client("unix:", {XFF: P}) is None


def test_rule_1_a_socket_file_is_trusted_only_if_the_list_has_unix() -> None:
    assert TrustedProxies(["unix:"]).client(None, [(XFF, P)]) == P
    assert TrustedProxies(["unix:"]).client("", {XFF: P}) == P
    assert TrustedProxies(["unix:"]).client("10.0.0.5", [(XFF, P)]) == "10.0.0.5"


# Rule 2.


@pytest.mark.parametrize(
    "lines",
    [
        [f"{S}, {P}"],
        [S, P],
        [f"{S}, {P}, 10.1.1.1"],
        [S, f"{P}, 10.1.1.1"],
        [f"{S},{P}", "10.1.1.1"],
        [f"{S}\t,\t{P} "],
    ],
)
def test_rule_2_lines_are_joined_in_order_and_read_from_the_right(trusted: TrustedProxies, lines: list[str]) -> None:
    assert trusted.client("10.0.0.5", [(XFF, line) for line in lines]) == P
    assert trusted.client("10.0.0.5", [(XFF.lower().encode(), line.encode()) for line in lines]) == P
    assert trusted.client("10.0.0.5", {"x-FORWARDED-for": lines}) == P


# Rule 3.


@pytest.mark.parametrize(
    "value",
    [
        *("garbage", f"{P}, garbage", f"{S}, 1345979790", f"{P}, unknown", f"{P}, _hidden", "", ",", " ,\t, "),
        *(
            f'"{P}',
            f'{P}"',
            f'""{P}""',
            '"',
            '""',
            f'" {P}"',
            f"{P}:",
            f"{P}:123456",
            f"{P}:x",
            "[::1",
            "::1]:80",
            f"[{P}]:80",
            "2a02:d500::1:80:zz",
            f"{P} {S}",
        ),
        *(f"{P}, 010.1.1.1", f"{P}, fe80::1%eth0", f"{P}\x00", f"{P}, 10.1.1", f"{P}/32", f"for={P}"),
    ],
)
def test_rule_3_a_bad_token_gives_unknown(trusted: TrustedProxies, value: str) -> None:
    trace = trusted.trace("10.0.0.5", [(XFF, value)])
    assert (trace.address, trace.trusted) == (None, True)
    assert trace.why.isprintable()


@pytest.mark.parametrize(
    "lines",
    [
        *(
            [f"{P},"],
            [f"{P}, ,"],
            [f"{P},,10.0.0.2"],
            [f"{P}, 10.0.0.2,,"],
            [f",{P}"],
            [P, ""],
            [P, " , "],
            [P, "", ","],
        ),
        *([f'"{P}"'], [f'"{P}:80"'], [f'"{P}", "10.0.0.2:80"'], [f'"[fd00::5]:80" , {P} ,"[fd00::5]:80"']),
        [P + "," * 9_000],
    ],
    ids=lambda lines: str(lines)[:40],
)
def test_d5_empty_elements_are_skipped_and_quotes_are_read(trusted: TrustedProxies, lines: list[str]) -> None:
    assert trusted.client("10.0.0.5", [(XFF, line) for line in lines]) == P
    for left in (S, f"{S},", f'"{S}"', '"', f'"{S},', ",,"):
        assert trusted.client("10.0.0.5", [(XFF, left), *((XFF, line) for line in lines)]) == P
    assert trusted.client("10.0.0.5", [(XFF, S), (XFF, "unknown,")]) is None


def test_rule_3_trusted_proxies_only_give_unknown(trusted: TrustedProxies) -> None:
    assert trusted.client("10.0.0.5", [(XFF, "10.1.1.1, 10.2.2.2")]) is None
    assert trusted.client("10.0.0.5", []) is None


def test_rule_3_too_many_hops_give_unknown() -> None:
    few = TrustedProxies(TRUST, max_hops=3)
    assert few.client("10.0.0.5", [(XFF, f"{P}, 10.0.0.1, 10.0.0.2, 10.0.0.3")]) is None
    assert few.client("10.0.0.5", [(XFF, f"{P}, 10.0.0.1, 10.0.0.2")]) == P
    assert TrustedProxies(TRUST).client("10.0.0.5", [(XFF, ", ".join([P] + ["10.0.0.1"] * 10_000))]) is None


def test_rule_3_at_most_max_hops_addresses_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted(token: str) -> Address | None:
        read.append(token)
        return plain_node(token)

    monkeypatch.setattr(proxies, "plain_node", counted)
    trusted = TrustedProxies(TRUST)
    assert trusted.client("10.0.0.5", [(XFF, f"{S}, " * 16_000 + f"{P}, 10.1.1.1")]) == P
    assert len(read) == 2
    read.clear()
    assert trusted.client("10.0.0.5", [(XFF, "10.0.0.1, " * 8_000 + "10.0.0.1")]) is None
    assert len(read) == trusted.max_hops
    assert trusted.client("10.0.0.5", [(XFF, "1" * 80_000)]) is None


# Rule 4.


def test_rule_4_only_the_configured_header_is_read() -> None:
    headers = [("Forwarded", f"for={P}"), (XFF, S), ("X-Real-IP", "9.9.9.9"), ("X-Client", "7.7.7.7")]
    for header, address in {"forwarded": P, XFF: S, "x-real-ip": "9.9.9.9", "x-client": "7.7.7.7"}.items():
        assert TrustedProxies(TRUST, header=header).client("10.0.0.5", headers) == address
    assert TrustedProxies(TRUST, header="x-other").client("10.0.0.5", headers) is None


def test_rule_4_a_header_with_a_single_address_has_only_one() -> None:
    single = TrustedProxies(TRUST, header="True-Client-IP")
    assert single.client("10.0.0.5", [("true-client-ip", P)]) == P
    assert single.client("10.0.0.5", [("true-client-ip", S), ("true-client-ip", P)]) is None
    assert single.client("10.0.0.5", [("true-client-ip", f"{S}, {P}")]) is None


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (f"for={P}", P),
        (f"FOR={P};proto=https;by=10.0.0.5", P),
        (f"proto=https; for={P}", P),
        (f'for="{P}:443"', P),
        (f'for="{P}:_port"', P),
        ('for="[2001:db8::1]"', "2001:db8::1"),
        ('for="[2001:db8::1]:4711";host="a.example"', "2001:db8::1"),
        ('for="[::ffff:81.2.69.142]"', P),
        (f"for={S}, for={P}", P),
        (f"for={S}, for={P}, for=10.1.1.1", P),
        (f'for="a, for={P}', P),
        ("for=unknown", None),
        ("for=_hidden", None),
        ("for=_SEVKISEK", None),
        (f"for={P};for={S}", None),
        ("for=2001:db8::1", "2001:db8::1"),
        ('for="2001:db8::1"', "2001:db8::1"),
        ('for="[2001:db8::1"', None),
        (f"for={P}:80", P),
        (f'for="{P}', None),
        (f"for = {P}", P),
        (f"for={P};", P),
        (f"{P}", None),
        ("proto=https", None),
        (f'for={P};host="evil, for={S}"', P),
        (f'for={P};host="evil, for={S};x=y"', P),
        (f'for={P};host="evil\\", for={S};x=\\""', P),
        ("", None),
    ],
)
def test_rule_4_forwarded_is_read_as_rfc_7239_specifies(value: str, address: str | None) -> None:
    assert TrustedProxies(TRUST, header="Forwarded").client("10.0.0.5", [("Forwarded", value)]) == address


# Rule 5.


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ("0.0.0.0/0", "trusts-everyone"),
        ("::/0", "trusts-everyone"),
        ("10.0.0.1/8", "host-bits"),
        ("fd00::1/8", "host-bits"),
        ("::ffff:10.0.0.0/8", "trusts-mapped"),
        ("::ffff:10.0.0.0/104", "trusts-mapped"),
        ("::ffff:0:0/96", "trusts-mapped"),
        ("::/8", "trusts-mapped"),
        ("::ffff:10.0.0.1", "trusts-mapped"),
        ("10.0.0.0/0.255.255.255", "not-a-network"),
        ("10.0.0.0/255.0.0.0", "not-a-network"),
        ("10.0.0", "not-a-network"),
        ("010.0.0.0/8", "not-a-network"),
        ("fe80::%eth0/64", "not-a-network"),
        ("10.0.0.0/33", "not-a-network"),
        ("10.0.0.0/", "not-a-network"),
        ("proxy.example", "not-a-network"),
        ("*", "not-a-network"),
    ],
)
def test_rule_5_a_trust_list_that_trusts_strangers_is_refused(entry: str, code: str) -> None:
    with pytest.raises(ProxyError) as caught:
        TrustedProxies(["192.0.2.0/24", entry])
    assert caught.value.code == code
    assert caught.value.hint
    assert f"`{entry}`" in str(caught.value) or code == "trusts-everyone"


def test_rule_5_two_halves_of_all_addresses_are_refused_too() -> None:
    with pytest.raises(ProxyError, match="trusts-everyone"):
        TrustedProxies(["0.0.0.0/1", "128.0.0.0/1"])


def test_rule_5_text_is_refused_in_place_of_a_list() -> None:
    with pytest.raises(ProxyError, match="is text"):
        TrustedProxies("10.0.0.0/8")


def test_networks_may_be_objects_and_adjacent() -> None:
    trusted = TrustedProxies([ip_network("10.0.0.0/9"), ip_network("10.128.0.0/9"), "192.0.2.7", "fd00::/8"])
    for address, answer in {
        "10.0.0.0": 1,
        "10.255.255.255": 1,
        "9.255.255.255": 0,
        "11.0.0.0": 0,
        "192.0.2.7": 1,
    }.items():
        assert trusted.trusts(address) == bool(answer), address
    assert not trusted.trusts("192.0.2.8")
    assert trusted.trusts("fdff::1")
    assert not trusted.trusts("fe00::1")
    assert not TrustedProxies().trusts("127.0.0.1")


# Cases that other implementations get wrong.


@pytest.mark.parametrize(
    ("peer", "value", "address"),
    [
        (P, S, P),
        ("10.0.0.5", f"{S}, {P}", P),
        ("10.0.0.5", f"{S}, {P}, 10.1.1.1", P),
        ("::ffff:10.0.0.5", P, P),
        ("10.0.0.5", f"{P}, ::ffff:10.1.1.1", P),
        ("10.0.0.5", f"{P}:51234", P),
        ("10.0.0.5", f"{P}, garbage", None),
        ("10.0.0.5", f"{S}, 1345979790", None),
        ("10.0.0.5", ", ".join([S] * 10_000 + [P]), P),
    ],
)
def test_cases_that_others_get_wrong(trusted: TrustedProxies, peer: str, value: str, address: str | None) -> None:
    assert trusted.client(peer, [(XFF, value)]) == address


@given(st.text(max_size=60))
def test_any_token_is_an_address_or_none(text: str) -> None:
    for found in (plain_node(text), forwarded_node(text)):
        assert found is None or str(found)


@given(st.lists(st.text(st.characters(codec="latin-1"), max_size=40), max_size=4), st.booleans())
def test_text_left_of_the_viewer_changes_nothing(forged: list[str], same_line: bool) -> None:
    values = [", ".join([*forged, P])] if same_line else [*forged, P]
    for header, lines in ((XFF, values), ("Forwarded", [*values[:-1], values[-1].removesuffix(P) + f"for={P}"])):
        trusted = TrustedProxies(TRUST, header=header)
        assert trusted.client("10.0.0.5", [(header, value) for value in lines]) == P
