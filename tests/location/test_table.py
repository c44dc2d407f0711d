"""The flattened table gives the same answers as maxminddb, at every boundary of every network."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path
from tempfile import TemporaryDirectory

import geoip2.database
import maxminddb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.location.mmdb_files import MAXMIND, country, needs_maxmind, write
from withhold.location import GeoIP
from withhold.location.address import Transition
from withhold.location.loading import Plan
from withhold.location.networks import SMALLER
from withhold.location.table import DEEP, ELSEWHERE

Text = str
CODES = ["GB", "IN", "TR", "DE", None]
#: Networks with a fixed meaning, whatever records a database has there.
POLICY = [IPv6Network(text) for text in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32")]
POLICY.append(IPv6Network("2002::/16"))


def networks(bits: int, bases: list[int]) -> st.SearchStrategy[list[tuple[int, int, str | None]]]:
    """Draw nested and adjacent networks: few bases, all prefix lengths, small steps."""
    one = st.tuples(st.sampled_from(bases), st.integers(1, bits), st.integers(-2, 2), st.sampled_from(CODES)).map(
        lambda drawn: _network(bits, *drawn)
    )
    # Wider networks first, so that a narrower one that is written later replaces a part.
    return st.lists(one, min_size=1, max_size=12).map(lambda drawn: sorted(drawn, key=lambda found: found[1]))


def _network(bits: int, base: int, prefix: int, step: int, code: str | None) -> tuple[int, int, str | None]:
    size = 1 << (bits - prefix)
    first = (base // size + step) * size % (1 << bits)
    return first, prefix, code


V4 = networks(32, [0x08080808, 0x080808FF, 0x51028E45, 0xFFFFFFFF, 0x0A000000])
V6 = networks(128, [0x20010DB8 << 96, (0x2A02D500 << 96) | 0xFFFF, (0x20010DB8 << 96) | (1 << 64), (1 << 128) - 1])


def boundaries(first: int, prefix: int, bits: int) -> Iterator[int]:
    last = first + (1 << (bits - prefix)) - 1
    yield from (value for value in (first - 1, first, last, last + 1) if 0 <= value < 1 << bits)


def code_of(record: object) -> str | None:
    assert record is None or isinstance(record, dict)
    found = (record or {}).get("country", {}).get("iso_code")
    assert found is None or isinstance(found, str)
    return found


def assert_equal(geoip: GeoIP, path: Path, addresses: Iterable[IPv4Address | IPv6Address]) -> None:
    opened = Plan(
        database=path,
        anonymous=None,
        ip_versions=frozenset((4, 6)),
        country_path=None,
        transition=Transition(),
    ).open()
    with maxminddb.open_database(path) as reader:
        for address in addresses:
            if any(address in network for network in POLICY if network.version == address.version):
                continue
            location = geoip.locate(str(address))
            assert geoip.country(str(address)) == location.country
            record, prefix = reader.get_with_prefix_len(str(address))
            assert location.country == location.evidence.country == code_of(record), address
            assert opened.evidence(str(address)) == location.evidence
            if record is not None:
                assert location.network is not None
                assert (address in location.network, location.network.prefixlen) == (True, prefix)


@settings(max_examples=60, deadline=None)
@given(V4, V6, st.data())
def test_flattened_equals_maxminddb_at_every_boundary(
    v4: list[tuple[int, int, str | None]], v6: list[tuple[int, int, str | None]], data: st.DataObject
) -> None:
    # A database needs a country in both IP versions.
    written: dict[str, object] = {"9.9.9.0/24": country("SE"), "2a0a::/32": country("SE")}
    asked: list[IPv4Address | IPv6Address] = [*data.draw(st.lists(st.ip_addresses(), max_size=10))]
    for first, prefix, code in v4:
        written[f"{IPv4Address(first)}/{prefix}"] = country(code)
        asked += map(IPv4Address, boundaries(first, prefix, 32))
    for first, prefix, code in v6:
        # Not wider than ::/1, which contains the IPv4 addresses of the same tree.
        if first or prefix > 1:
            written[f"{IPv6Address(first)}/{prefix}"] = country(code)
        asked += map(IPv6Address, boundaries(first, prefix, 128))
    # In mmdb-writer, a wide IPv6 network can replace the IPv4 tree, so those are written first.
    ordered = dict(sorted(written.items(), key=lambda item: (":" not in item[0], int(item[0].rpartition("/")[2]))))
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "random.mmdb", ordered)
        assert_equal(GeoIP(path, wait=None), path, asked)


def test_all_prefix_lengths_nested_and_adjacent(tmp_path: Path) -> None:
    inside, beside = IPv4Address("8.8.8.8"), IPv6Address("2001:db8:8:8:8:8:8:8")
    written: dict[str, object] = {}
    asked: list[IPv4Address | IPv6Address] = []
    for prefix in range(1, 129):
        code = CODES[prefix % 4]
        if prefix <= 32:
            first = int(inside) >> (32 - prefix) << (32 - prefix)
            written[f"{IPv4Address(first)}/{prefix}"] = country(code)
            asked += map(IPv4Address, boundaries(first, prefix, 32))
        if prefix > 3:
            first = int(beside) >> (128 - prefix) << (128 - prefix)
            written[f"{IPv6Address(first)}/{prefix}"] = country(code)
            asked += map(IPv6Address, boundaries(first, prefix, 128))
    path = write(tmp_path / "nested.mmdb", written)
    assert len(set(asked)) > 300
    assert_equal(GeoIP(path, wait=None), path, asked)


def test_aliases_of_ipv4_are_not_read_as_networks_of_ipv6(tmp_path: Path) -> None:
    written: dict[str, object] = {f"8.{at}.0.0/16": country("GB" if at % 2 else "IN") for at in range(256)}
    written["2001:db8::/32"] = country("DE")
    tables = [
        GeoIP(write(tmp_path / f"{aliases}.mmdb", written, aliases=aliases), wait=None)._database.table
        for aliases in (False, True)
    ]
    assert [[found[:2] for found in table.networks.v6] for table in tables if table] == [[(0x20010DB8 << 32, 32)]] * 2


@pytest.mark.parametrize("wide", ["::/64", "::/96", "::/1"])
def test_one_network_may_contain_all_of_ipv4(tmp_path: Path, wide: str) -> None:
    written: dict[str, object] = {wide: country("GB"), "2001:db8::/32": country("GB"), "a000::/16": country("GB")}
    geoip = GeoIP(write(tmp_path / "wide.mmdb", written), wait=None)
    assert geoip.locate("8.8.8.8").country == geoip._plan.open().evidence("8.8.8.8").country == "GB"
    assert str(geoip.locate("8.8.8.8").network) == "0.0.0.0/0"
    assert geoip.locate("2001:db8::1").country == geoip.locate("a000::1").country == "GB"


@pytest.mark.parametrize("size", [24, 28, 32])
def test_every_size_of_tree_records_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    import mmdb_writer

    def adjust(self: mmdb_writer.TreeWriter) -> None:
        self.record_size = size
        self.data_offset = size * 2 / 8 * self._node_counter

    monkeypatch.setattr(mmdb_writer.TreeWriter, "_adjust_record_size", adjust)
    codes = ["GB", "IN", "TR"]
    written: dict[str, object] = {f"8.{at}.0.0/16": country(codes[at % 3]) for at in range(250)}
    path = write(tmp_path / "sized.mmdb", {**written, "2001:db8::/32": country("DE")})
    with maxminddb.open_database(path) as reader:
        assert reader.metadata().record_size == size
    assert_equal(GeoIP(path, wait=None), path, [IPv4Address(f"8.{at}.255.255") for at in range(256)])


@needs_maxmind
@pytest.mark.parametrize("name", ["GeoIP2-Country", "GeoLite2-Country", "GeoIP2-City", "GeoIP2-Enterprise"])
def test_maxminds_databases_at_every_boundary(name: str) -> None:
    path = MAXMIND / f"{name}-Test.mmdb"
    rng = random.Random(name)
    asked: list[IPv4Address | IPv6Address] = [IPv4Address(rng.getrandbits(32)) for _ in range(500)]
    with maxminddb.open_database(path) as reader:
        for network, _ in reader:
            values = boundaries(int(network.network_address), network.prefixlen, network.max_prefixlen)
            asked += map(type(network.network_address), values)
    assert_equal(GeoIP(path, wait=None), path, asked)


@pytest.mark.parametrize("library", ["geoip2", "maxminddb"])
def test_an_open_reader_gives_the_same_answers_as_its_file(tmp_path: Path, library: str) -> None:
    written: dict[str, object] = {
        "8.0.0.0/8": country("US"),
        "8.8.8.0/24": country("GB", registered="IE"),
        "8.8.8.8/32": country("IN"),
        "2001:db8::/32": country("DE"),
        "2001:db8::1/128": country("TR"),
    }
    path = write(tmp_path / "open.mmdb", written)
    opener = geoip2.database.Reader if library == "geoip2" else maxminddb.open_database
    with opener(path) as reader:
        from_reader = GeoIP(reader, wait=None)
    from_file = GeoIP(path, wait=None)
    for address in ("8.1.1.1", "8.8.8.7", "8.8.8.8", "9.1.1.1", "2001:db8::1", "2001:db8::2", "::ffff:8.8.8.8"):
        mine, theirs = from_reader.locate(address), from_file.locate(address)
        assert mine.evidence[:4] == theirs.evidence[:4]
        assert mine.why.replace("an open database", "open.mmdb") == theirs.why


def test_addresses_near_an_anonymous_one_are_not_answered_by_the_table_alone(tmp_path: Path) -> None:
    database = write(tmp_path / "a.mmdb", {"8.8.0.0/16": country("US"), "2001:db8::/32": country("DE")})
    tor = {"is_anonymous": True, "is_tor_exit_node": True}
    hidden = write(
        tmp_path / "b.mmdb", {"8.8.8.8/32": tor, "8.8.16.0/20": tor, "2001:db8::1/128": tor, "2001:db8:1::/48": tor}
    )
    geoip = GeoIP(database, anonymous=hidden, wait=None)
    for address, exit_there in {
        "8.8.8.8": True,
        "8.8.8.9": False,
        "8.8.15.255": False,
        "8.8.16.0": True,
        "8.8.31.255": True,
        "8.8.32.0": False,
        "2001:db8::1": True,
        "2001:db8::2": False,
        "2001:db8:1:2::1": True,
        "::ffff:8.8.8.8": True,
    }.items():
        location = geoip.locate(address)
        assert location.state == ("anonymised" if exit_there else "known"), address
        assert location.country == ("DE" if ":db8" in address else "US")
        assert location.viewer().country == (None if exit_there else location.country)
        assert location.viewer(anonymised="located").country == location.country
    table = geoip._database.table
    assert table is not None
    assert table.cells4[0x080808] == ELSEWHERE


def test_the_marks_are_not_numbers_of_countries(tmp_path: Path) -> None:
    geoip = GeoIP(
        write(tmp_path / "a.mmdb", {"8.8.8.8/32": country("US"), "2001:db8::1/128": country("DE")}), wait=None
    )
    table = geoip._database.table
    assert table is not None
    assert len(table.codes) < DEEP
    assert table.cells4[0x080808] == DEEP
    assert len(table.networks.places) <= SMALLER
