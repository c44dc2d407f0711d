"""Broken, changing and replaced files: the process survives, and no address gets a wrong country."""

from __future__ import annotations

import logging
import os
import pickle
import random
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import maxminddb
import pytest

from tests import forking
from tests.location.mmdb_files import MAXMIND, country, needs_maxmind, write
from withhold.errors import GeoIPError
from withhold.location import GeoIP
from withhold.location.loading import Plan
from withhold.watching import ReloadSchedule

INDIA: dict[str, object] = {"8.8.8.0/24": country("IN"), "2001:db8::/32": country("IN")}
TURKEY: dict[str, object] = {"8.8.8.0/24": country("TR"), "2001:db8::/32": country("TR")}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "geo.mmdb", INDIA)


def replace_atomically(path: Path, networks: dict[str, object]) -> None:
    write(path.with_suffix(".new"), networks).replace(path)


def broken_shapes(whole: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield a file in the forms that accidents give it, and with damaged records."""
    yield "empty", b""
    yield "no database", b"x" * 5000
    yield "truncated", whole[: len(whole) // 2]
    yield "beheaded", whole[200:]
    yield "zeros in the tree", bytes(len(whole) // 4) + whole[len(whole) // 4 :]
    with_name = whole.find(b"iso_code")
    yield "bad text in a record", whole[:with_name] + b"\xff\xfe" + whole[with_name + 2 :]
    yield "an unknown type in a record", whole[: with_name - 1] + b"\x00\xff" + whole[with_name + 1 :]


def test_broken_files_are_refused_by_the_constructor(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = path.read_bytes()
    for name, data in broken_shapes(whole):
        path.write_bytes(data)
        with pytest.raises(GeoIPError) as caught:
            GeoIP(path, wait=None)
        assert caught.value.code in {"broken-database", "unknown-schema", "one-ip-version"}, name
    with pytest.raises(GeoIPError, match="no-database"):
        GeoIP(path.with_name("missing.mmdb"))
    del caplog


def test_a_reload_of_broken_files_keeps_the_old_database(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    geoip = GeoIP(path, wait=None)
    shapes = list(broken_shapes(path.read_bytes()))
    for count, (name, data) in enumerate(shapes, 1):
        path.write_bytes(data)
        assert geoip.reload() is False, name
        assert geoip.reload() is False, "the same file refused for the same reason counts once"
        assert geoip.errors == count
        assert geoip.locate("8.8.8.8").country == "IN"
    assert isinstance(geoip.last_error, GeoIPError)
    assert [record.name for record in caplog.records] == ["withhold.location"] * len(shapes)
    assert all(
        record.levelno == logging.ERROR and "the database in use is kept" in record.message for record in caplog.records
    )
    replace_atomically(path, TURKEY)
    assert geoip.reload() is True
    assert (geoip.locate("8.8.8.8").country, geoip.reloads) == ("TR", 1)


@pytest.mark.parametrize("bits", [1, 30])
def test_damaged_bytes_cause_at_worst_a_refusal(path: Path, bits: int) -> None:
    whole = path.read_bytes()
    good = GeoIP(path, wait=None)
    rng = random.Random(bits)
    refused = 0
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(bits):
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        refused += not good.reload()
        # An accepted file gives valid locations only.
        for address in ("8.8.8.8", "2001:db8::1", "1.1.1.1"):
            good.locate(address).viewer()
    assert refused > 50


#: These are unusual, but all their records can be read. They are refused for their type, `Test`, only.
WHOLE = {"corrupt-search-tree", "empty-array-last-in-metadata", "empty-map-last-in-metadata", "uint64-max-epoch"}


@needs_maxmind
def test_all_of_maxminds_bad_data_is_refused(tmp_path: Path, path: Path) -> None:
    files = [file for file in sorted((MAXMIND / "bad-data").rglob("*")) if file.suffix == ".mmdb"]
    assert len(files) > 15
    geoip = GeoIP(path, wait=None)
    for file in files:
        with pytest.raises(GeoIPError):
            GeoIP(file, wait=None)
        with pytest.raises(GeoIPError):
            GeoIP(path, anonymous=file, wait=None)
        # They do not replace a good file either.
        shutil.copy(file, path)
        assert geoip.reload() is False
        assert geoip.locate("8.8.8.8").country == "IN"
        if file.stem.removeprefix("libmaxminddb-") not in WHOLE:
            # And they are refused with settings for a database of that schema.
            with pytest.raises(GeoIPError):
                GeoIP(file, ip_versions=(4,), country_path=("ip",), wait=None)


def test_a_record_that_is_not_a_map_is_refused(tmp_path: Path) -> None:
    for record in ("GB", ["GB"], {"country": "GB", "x": 1}):
        path = write(tmp_path / "odd.mmdb", {**INDIA, "9.9.9.0/24": record}, kind="GeoIP2-Country")
        with pytest.raises(GeoIPError, match="broken-database"):
            GeoIP(path, wait=None)


def test_a_tree_with_a_cycle_is_refused(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    with maxminddb.open_database(path) as reader:
        assert reader.metadata().record_size == 24
    # Node 5 points back to the root.
    whole[30:36] = bytes(6)
    path.write_bytes(whole)
    with pytest.raises(GeoIPError, match="cycle"):
        GeoIP(path, wait=None)


def test_maxminddb_answers_until_the_table_is_built(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    flatten = Plan.flatten
    monkeypatch.setattr(Plan, "flatten", lambda plan, opened: (gate.wait(60), flatten(plan, opened))[1])
    geoip = GeoIP(path, wait=0)
    assert geoip.wait(0.01) is False
    meanwhile = geoip.locate("8.8.8.8")
    assert (meanwhile.country, str(meanwhile.network), geoip.country("2001:db8::1")) == ("IN", "8.8.8.0/24", "IN")
    assert geoip.locate("nonsense").country is geoip.country("10.0.0.1") is None
    gate.set()
    assert geoip.wait(60) is True
    assert geoip._database.table is not None
    assert geoip.locate("8.8.8.8") == meanwhile
    assert hash(geoip.locate("8.8.8.8")) == hash(meanwhile)


def test_after_a_fault_found_in_the_background_every_location_is_unknown(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gate = threading.Event()
    flatten = Plan.flatten
    monkeypatch.setattr(Plan, "flatten", lambda plan, opened: (gate.wait(60), flatten(plan, opened))[1])
    write(path, {**INDIA, "200.9.9.0/24": "no map"})
    geoip = GeoIP(path, wait=0)
    assert geoip.locate("8.8.8.8").country == "IN"
    assert geoip.locate("200.9.9.9").country is None
    assert "has a broken record for it" in geoip.locate("200.9.9.9").why
    gate.set()
    with pytest.raises(GeoIPError, match="where a map belongs"):
        geoip.wait(60)
    assert geoip.locate("8.8.8.8").country is None
    assert "was refused" in geoip.locate("8.8.8.8").why
    assert geoip.errors == 1
    assert "every location is unknown" in caplog.text
    replace_atomically(path, TURKEY)
    assert geoip.reload() is True
    assert geoip.locate("8.8.8.8").country == "TR"


OVERWRITE = """
import sys
from pathlib import Path
from withhold.location import GeoIP
path = Path(sys.argv[1])
geoip = GeoIP(path, wait=None)
opened = geoip._plan.open()
with path.open("r+b") as file:
    file.truncate(10)
assert not geoip.reload()
for at in range(256):
    assert geoip.locate(f"8.8.8.{at}").country == "IN"
    assert opened.evidence(f"8.8.8.{at}").country == "IN"
print("alive")
"""


def test_a_file_truncated_in_place_does_not_kill_the_process(path: Path) -> None:
    assert forking.output(OVERWRITE, path, may_warn=True) == "alive\n"


def test_a_file_that_is_written_to_while_it_is_read_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat = os.fstat

    def written(descriptor: int) -> object:
        found = stat(descriptor)
        path.write_bytes(path.read_bytes() + b"x")
        return found

    monkeypatch.setattr(os, "fstat", written)
    with pytest.raises(GeoIPError, match="changing-database"):
        GeoIP(path, wait=None)


def test_watch_reloads_changed_files_and_ignores_broken_ones(path: Path) -> None:
    """The test makes the checks of the thread, which might come between two steps of the test."""
    schedule = ReloadSchedule()

    def country_after_checks(times: int = 9) -> str | None:
        for _ in range(times):
            geoip._check(schedule)
        return geoip.country("8.8.8.8")

    with GeoIP(path, wait=None) as geoip:
        geoip.watch(1000)
        watcher = geoip._watcher
        replace_atomically(path, TURKEY)
        assert [country_after_checks(1), country_after_checks(1)] == ["IN", "TR"]
        path.write_bytes(b"broken")
        assert (country_after_checks(), geoip.errors) == ("TR", 1)
        path.unlink()
        assert (country_after_checks(), geoip.errors) == ("TR", 2)
        replace_atomically(path, INDIA)
        assert (country_after_checks(), geoip.errors, geoip.reloads) == ("IN", 2, 2)
    assert watcher is not None
    assert not watcher.alive
    assert geoip.country("8.8.8.8") == "IN"


def test_watch_waits_until_a_file_is_complete(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six checks: the file is as it was loaded, then grows three times, then stays the same."""
    seen = iter([1, 2, 3, 4, 4, 4])
    ends = threading.Event()
    checks: list[int] = []

    def signature(_: Plan) -> tuple[tuple[int, int, int, int, int], ...]:
        size = next(seen, None)
        if size is None:
            ends.set()
            size = 4
        checks.append(size)
        return ((0, 0, size, 0, 0),)

    monkeypatch.setattr(Plan, "signature", signature)
    reloaded: list[int] = []
    geoip = GeoIP(path, wait=None)

    def reload() -> bool:
        reloaded.append(len(checks))
        geoip._database = replace(geoip._database, signature=((0, 0, checks[-1], 0, 0),))
        return True

    monkeypatch.setattr(geoip, "reload", reload)
    with geoip:
        geoip.watch(0.001)
        assert ends.wait(60)
    assert reloaded == [5]


def test_the_anonymous_database_is_reloaded_too(tmp_path: Path, path: Path) -> None:
    hidden = write(tmp_path / "anonymous.mmdb", {"9.9.9.9/32": {"is_tor_exit_node": True}, "2001:db8::/32": {}})
    geoip = GeoIP(path, anonymous=hidden, wait=None)
    assert geoip.locate("8.8.8.8").state == "known"
    write(hidden, {"8.8.8.8/32": {"is_anonymous": True, "is_anonymous_vpn": True}, "2001:db8::/32": {}})
    assert geoip.reload()
    assert geoip.locate("8.8.8.8").anonymiser == "VPN"
    hidden.write_bytes(b"broken")
    assert not geoip.reload()
    assert geoip.locate("8.8.8.8").anonymiser == "VPN"


def test_an_open_reader_cannot_be_reloaded(path: Path) -> None:
    with maxminddb.open_database(path) as reader:
        geoip = GeoIP(reader, wait=None)
    for action in (geoip.reload, geoip.watch):
        with pytest.raises(GeoIPError, match="not-a-file"):
            action()


def test_a_database_of_the_wrong_kind_is_refused(tmp_path: Path, path: Path) -> None:
    asn = write(tmp_path / "asn.mmdb", {"8.8.8.0/24": {"autonomous_system_number": 1}, "2001:db8::/32": {}}, kind="ASN")
    with pytest.raises(GeoIPError, match=r"no record of the `ASN` database names a country \[unknown-schema\]"):
        GeoIP(asn)
    with pytest.raises(GeoIPError, match="marks an address as anonymous"):
        GeoIP(path, anonymous=asn)
    with pytest.raises(GeoIPError, match=r"ip_versions contains `5` \[bad-ip-versions\]; give `4`, `6` or both"):
        GeoIP(path, ip_versions=(4, 5))
    with pytest.raises(GeoIPError, match="ip_versions is empty"):
        GeoIP(path, ip_versions=())


def test_a_location_is_pickled_without_its_table(path: Path) -> None:
    location = GeoIP(path, wait=None).locate("8.8.8.8")
    packed = pickle.dumps(location)
    assert len(packed) < 1000
    assert pickle.loads(packed) == location  # noqa: S301
    for name in ("country", "state", "network", "anything"):
        with pytest.raises(AttributeError):
            setattr(location, name, "FR")


@pytest.fixture
def restless() -> Iterator[None]:
    """Make threads switch 25 times as often as usual, for more interleavings and less waiting."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(0.0002)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("restless")
def test_eight_threads_during_60_reloads(path: Path) -> None:
    """Every answer is that of one of the two files: no error, no wrong country, no mixture."""
    versions = [path.with_name("a.mmdb"), path.with_name("b.mmdb")]
    for version, networks in zip(versions, (INDIA, TURKEY), strict=True):
        write(version, networks)
    geoip = GeoIP(path, wait=None)
    right = {("IN", "8.8.8.0/24"), ("TR", "8.8.8.0/24")}
    wrong: list[object] = []
    counts = [0] * 8
    stop = threading.Event()

    def look_up(which: int) -> None:
        while not stop.is_set():
            try:
                location = geoip.locate("8.8.8.8")
                if (location.country, str(location.network)) not in right or location.evidence[0] != location.country:
                    wrong.append(location)
                if geoip.country("2001:db8::1") not in {"IN", "TR"} or geoip.country("9.9.9.9") is not None:
                    wrong.append("IPv6")
            except Exception as error:  # noqa: BLE001  # any exception is a failure
                wrong.append(error)
            counts[which] += 1
            if counts[which] % 50 == 0:
                # Without a pause, eight threads would leave a ninth of the processor for the reloads.
                time.sleep(0.002)

    threads = [threading.Thread(target=look_up, args=(which,)) for which in range(8)]
    for thread in threads:
        thread.start()
    for at in range(60):
        shutil.copy(versions[at % 2], path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)
        assert geoip.reload()
    assert forking.until(lambda: min(counts) > 100), "on a busy machine, a thread may begin late"
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert (geoip.errors, geoip.reloads) == (0, 60)
