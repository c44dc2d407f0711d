"""The record of a location as a model of geoip2."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import geoip2.database
import maxminddb
import pytest
from geoip2 import models

from tests.location.mmdb_files import MAXMIND, country, needs_maxmind, write
from withhold.errors import GeoIPError
from withhold.location import CDNS, Evidence, GeoIP, Location, Resolver, TrustedProxies

NETWORKS: dict[str, object] = {
    "8.8.8.0/24": country("GB", "ENG", city={"names": {"en": "London"}}, location={"time_zone": "Europe/London"}),
    "2001:db8::/32": country("DE"),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "city.mmdb", NETWORKS, kind="GeoIP2-City")


@needs_maxmind
@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("name", "method", "address"),
    [
        ("Country", "country", "81.2.69.142"),
        ("Country", "country", "2001:220::1"),
        ("City", "city", "2.125.160.216"),
        ("City", "city", "89.160.20.112"),
        ("Enterprise", "enterprise", "74.209.24.0"),
    ],
)
def test_a_record_equals_the_one_that_geoip2_reads(name: str, method: str, address: str) -> None:
    path = MAXMIND / f"GeoIP2-{name}-Test.mmdb"
    with geoip2.database.Reader(path) as reader:
        theirs = getattr(reader, method)(address)
    mine = GeoIP(path, wait=None).locate(address).record()
    assert type(mine) is type(theirs)
    assert mine == theirs


@needs_maxmind
@pytest.mark.parametrize("address", ["65.0.0.1", "1.2.0.1", "71.160.223.1", "81.2.69.142", "186.30.236.1"])
def test_an_anonymous_record_equals_the_one_that_geoip2_reads(address: str) -> None:
    path = MAXMIND / "GeoIP2-Anonymous-IP-Test.mmdb"
    here = GeoIP(MAXMIND / "GeoIP2-Country-Test.mmdb", anonymous=path, wait=None).locate(address)
    with geoip2.database.Reader(path) as reader:
        try:
            theirs = reader.anonymous_ip(address)
        except geoip2.errors.AddressNotFoundError:
            theirs = None
    assert here.anonymous_record() == theirs


def test_the_model_has_the_other_fields_of_the_record(path: Path) -> None:
    here = GeoIP(path, wait=None).locate("8.8.8.8")
    record = here.record()
    assert isinstance(record, models.City)
    assert (record.city.name, record.location.time_zone, str(record.traits.network)) == (
        "London",
        "Europe/London",
        "8.8.8.0/24",
    )
    assert here.anonymous_record() is None


@pytest.mark.parametrize("wait", [0, None])
def test_after_a_reload_a_record_is_still_from_the_old_database(path: Path, wait: float | None) -> None:
    geoip = GeoIP(path, wait=wait)
    before = geoip.locate("8.8.8.8")
    write(path, {**NETWORKS, "8.8.8.0/24": country("IN")}, kind="GeoIP2-Country")
    assert geoip.reload()
    path.unlink()
    old, new = before.record(), geoip.locate("8.8.8.8").record()
    assert isinstance(old, models.City)
    assert isinstance(new, models.Country)
    assert (old.country.iso_code, old.city.name, new.country.iso_code) == ("GB", "London", "IN")


@pytest.mark.parametrize("address", ["::ffff:8.8.8.8", "2002:808:808::1", "8.8.8.8"])
def test_the_record_is_that_of_the_embedded_ipv4_address(path: Path, address: str) -> None:
    record = GeoIP(path, wait=None).locate(address).record()
    assert record is not None
    assert (str(record.traits.ip_address), record.country.iso_code) == ("8.8.8.8", "GB")


@pytest.mark.parametrize("address", ["9.9.9.9", "garbage", None, "2001:0:808:808::1", ""])
def test_without_a_record_it_is_none(path: Path, address: str | None) -> None:
    here = GeoIP(path, wait=None).locate(address)
    assert (here.record(), here.anonymous_record()) == (None, None)


def test_a_location_that_comes_from_no_database_has_no_record(path: Path) -> None:
    found = CDNS["cloudflare"].read({"CF-IPCountry": "GB"})
    assert found is not None
    assert (Location.of(found).record(), Location.of(Evidence(None)).anonymous_record()) == (None, None)
    assert pickle.loads(pickle.dumps(GeoIP(path, wait=None).locate("8.8.8.8"))).record() is None  # noqa: S301


def test_the_signal_of_a_resolver_has_its_record(path: Path) -> None:
    resolver = Resolver(geoip=GeoIP(path, wait=None), proxies=TrustedProxies(["10.0.0.0/8"]), cdn="cloudflare")
    resolution = resolver.resolve("10.0.0.5", {"X-Forwarded-For": "8.8.8.8", "CF-IPCountry": "SE"})
    record = next(signal.location for signal in resolution.signals if signal.name == "geoip").record()
    assert isinstance(record, models.City)
    assert record.city.name == "London"


def test_the_record_of_a_flat_schema_has_the_country_only(tmp_path: Path) -> None:
    flat = write(tmp_path / "flat.mmdb", {net: {"country_code": "gb", "asn": 7} for net in NETWORKS}, kind="own")
    record = GeoIP(flat, wait=None).locate("8.8.8.8").record()
    assert isinstance(record, models.Country)
    assert (record.country.iso_code, str(record.traits.network)) == ("GB", "8.8.8.0/24")


def test_an_anonymous_record_of_another_vendor(path: Path) -> None:
    hidden = write(
        path.with_name("privacy.mmdb"), {"8.8.8.8/32": {"vpn": "true", "hosting": "true", "network": "x"}}, kind="own"
    )
    record = GeoIP(path, anonymous=hidden, wait=None).locate("8.8.8.8").anonymous_record()
    assert record is not None
    assert (record.is_anonymous, record.is_anonymous_vpn, record.is_hosting_provider) == (True, True, True)
    assert record.is_tor_exit_node is record.is_public_proxy is False


def test_a_closed_reader_raises_an_error(path: Path) -> None:
    with maxminddb.open_database(path) as reader:
        here = GeoIP(reader, wait=None).locate("8.8.8.8")
        assert isinstance(here.record(), models.City)
    with pytest.raises(GeoIPError, match="closed"):
        here.record()


def test_geoip2_is_not_imported_before_a_record_is_requested(path: Path) -> None:
    script = (
        f"import sys; from withhold.location import GeoIP; here = GeoIP({str(path)!r}, wait=None).locate('8.8.8.8'); "
        "here.viewer(); print('geoip2' in sys.modules); here.record(); print('geoip2' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.split() == ["False", "True"]
