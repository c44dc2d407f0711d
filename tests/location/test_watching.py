"""A changed file is read, whenever it changed and in every process. A failed attempt is repeated."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from pathlib import Path

import pytest

from tests.forking import until
from tests.location.mmdb_files import write
from tests.location.watched import TURKEY
from tests.location.watched import path as path
from withhold.errors import GeoIPError, Problem
from withhold.location import GeoIP, loading, mmdb
from withhold.location.loading import Plan
from withhold.watching import ReloadSchedule

THREAD = "withhold-geoip-watch"


def put(path: Path, networks: dict[str, object]) -> None:
    write(path.with_suffix(".new"), networks).replace(path)


def watchers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == THREAD}


def test_d1_a_file_replaced_before_watching_begins_is_read(path: Path) -> None:
    with GeoIP(path, wait=None) as geoip:
        put(path, TURKEY)
        geoip.watch(0.01)
        assert until(lambda: geoip.reloads)
        assert (geoip.country("8.8.8.8"), geoip.errors, geoip.reloads) == ("TR", 0, 1)


def test_d1_a_file_replaced_while_it_is_loaded_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is replaced after the old one was read, and before its table is built."""
    flatten = Plan.flatten

    def replaced(plan: Plan, opened: object) -> object:
        monkeypatch.setattr(Plan, "flatten", flatten)
        put(path, TURKEY)
        return flatten(plan, opened)  # type: ignore[arg-type]

    monkeypatch.setattr(Plan, "flatten", replaced)
    with GeoIP(path, wait=None) as geoip:
        assert geoip.country("8.8.8.8") == "IN"
        geoip.watch(0.01)
        assert until(lambda: geoip.country("8.8.8.8") == "TR")


def test_d1_the_anonymous_database_replaced_before_watching_begins_is_read(path: Path) -> None:
    hidden = write(path.with_name("anonymous.mmdb"), {"9.9.9.9/32": {"is_tor": True}})
    with GeoIP(path, anonymous=hidden, wait=None) as geoip:
        put(hidden, {"8.8.8.8/32": {"is_vpn": True}})
        geoip.watch(0.01)
        assert until(lambda: geoip.locate("8.8.8.8").anonymiser == "VPN")


def test_d1_a_copy_that_keeps_size_and_time_is_read(path: Path) -> None:
    with GeoIP(path, wait=None) as geoip:
        before = path.stat()
        write(path, TURKEY)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        while path.stat().st_ctime_ns == before.st_ctime_ns:  # the clock of a file system has long ticks
            path.chmod(0o600)
        assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
        geoip.watch(0.01)
        assert until(lambda: geoip.country("8.8.8.8") == "TR")


def test_d1_a_link_that_is_changed_to_another_file_is_followed(path: Path) -> None:
    link = path.with_name("current.mmdb")
    link.symlink_to(path.name)
    with GeoIP(link, wait=None) as geoip:
        geoip.watch(0.01)
        write(path.with_name("next.mmdb"), TURKEY)
        path.with_name("link").symlink_to("next.mmdb")
        path.with_name("link").replace(link)
        assert until(lambda: geoip.country("8.8.8.8") == "TR")


def test_d1_a_link_changed_back_after_a_reload_by_hand_is_followed(path: Path) -> None:
    """The file that the watch loaded before is to be loaded again."""
    turkey, link = write(path.with_name("turkey.mmdb"), TURKEY), path.with_name("current.mmdb")

    def point(to: Path) -> None:
        path.with_name("link").symlink_to(to.name)
        path.with_name("link").replace(link)

    point(path)
    with GeoIP(link, wait=None) as geoip:
        schedule = ReloadSchedule()
        for _ in range(2):
            point(turkey)
            geoip._check(schedule)
            geoip._check(schedule)
            assert geoip.country("8.8.8.8") == "TR"
            point(path)
            assert geoip.reload()
            geoip._check(schedule)
            assert geoip.country("8.8.8.8") == "IN"


@pytest.mark.parametrize("error", ["no-database", "changing-database", "broken-database", "memory"])
def test_d1_a_file_that_is_temporarily_unreadable_is_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried again although it does not change."""
    fails = threading.Event()
    left = [3]
    read = mmdb.read_file

    def sometimes(file: Path) -> object:
        if fails.is_set() and left[0]:
            left[0] -= 1
            raise MemoryError if error == "memory" else GeoIPError(Problem(error, "not now"))
        return read(file)

    monkeypatch.setattr(loading, "read_file", sometimes)
    with GeoIP(path, wait=None) as geoip:
        fails.set()
        put(path, TURKEY)
        geoip.watch(0.01)
        assert until(lambda: geoip.reloads)
        # It was one file that was refused for one reason.
        assert (geoip.country("8.8.8.8"), geoip.errors, geoip.reloads) == ("TR", 1, 1)
    assert len(caplog.messages) == 1


def test_d1_a_missing_file_is_read_when_it_exists_again(path: Path) -> None:
    away = path.with_name("away")
    with GeoIP(path, wait=None) as geoip:
        path.rename(away)
        geoip.watch(0.01)
        assert until(lambda: geoip.errors == 1)
        write(away, TURKEY)
        away.rename(path)
        assert until(lambda: geoip.country("8.8.8.8") == "TR")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_d1_a_pipe_in_place_of_the_file_is_refused_without_blocking(path: Path) -> None:
    away = path.with_name("away")
    with GeoIP(path, wait=None) as geoip:
        path.rename(away)
        os.mkfifo(path)
        geoip.watch(0.01)
        refused = until(lambda: geoip.errors == 1)
        if not refused:
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))  # releases the blocked reader
        assert refused
        assert geoip.country("8.8.8.8") == "IN"
        write(away, TURKEY)
        away.rename(path)
        assert until(lambda: geoip.country("8.8.8.8") == "TR")
    for special in (path.with_name("pipe"), Path(os.devnull)):
        if special.name == "pipe":
            os.mkfifo(special)
        with pytest.raises(GeoIPError, match=r"is not a regular file \[no-database\]"):
            GeoIP(special, wait=None)


def test_a_file_that_stays_the_same_is_not_read_again(path: Path) -> None:
    looks = threading.Event()
    with GeoIP(path, wait=None) as geoip:
        put(path, TURKEY)
        assert geoip.reload()
        signature = geoip._plan.signature
        count = [0]

        def counted(_: Plan) -> object:
            count[0] += 1
            if count[0] > 20:
                looks.set()
            return signature()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Plan, "signature", counted)
            geoip.watch(0.001)
            assert looks.wait(60)
        assert geoip.reloads == 1


def test_a_file_that_stays_broken_is_read_less_and_less_often(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    tried: list[int] = []
    enough = threading.Event()

    def signature(_: Plan) -> object:
        looks.append(1)
        if len(looks) >= 200:
            enough.set()
        return ((0, 0, 1, 0, 0),)

    geoip = GeoIP(path, wait=None)
    monkeypatch.setattr(Plan, "signature", signature)

    def refuse() -> bool:
        tried.append(len(looks))
        return False

    monkeypatch.setattr(geoip, "reload", refuse)
    with geoip:
        geoip.watch(0.0001)
        assert enough.wait(60)
    assert tried[:7] == [2, 4, 8, 16, 32, 64, 128]


def test_a_relative_path_is_watched_in_the_original_working_directory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    with GeoIP(path.name, wait=None) as geoip:
        monkeypatch.chdir("/")
        geoip.watch(0.01)
        put(path, TURKEY)
        assert until(lambda: geoip.country("8.8.8.8") == "TR")
        assert geoip.errors == 0


def test_calling_watch_again_replaces_the_thread(path: Path) -> None:
    before = watchers()
    geoip = GeoIP(path, wait=None)
    for _ in range(5):
        geoip.watch(1000)
    assert until(lambda: len(watchers() - before) == 1)
    geoip.watch(0.01)
    put(path, TURKEY)
    assert until(lambda: geoip.country("8.8.8.8") == "TR")
    geoip.close()
    assert until(lambda: watchers() <= before)
    geoip.watch(0.01)
    geoip.close()
    geoip.close()
    assert until(lambda: watchers() <= before)


def test_watching_ends_with_the_last_reference(path: Path) -> None:
    before = watchers()
    geoip = GeoIP(path, wait=None)
    geoip.watch(1000)
    assert len(watchers() - before) == 1
    gone = weakref.ref(geoip)
    del geoip
    gc.collect()
    assert gone() is None
    assert until(lambda: watchers() <= before)


@pytest.mark.parametrize("interval", [0, -1, float("nan"), float("inf")])
def test_an_interval_is_positive(path: Path, interval: float) -> None:
    with pytest.raises(ValueError, match="bad-interval"):
        GeoIP(path, wait=None).watch(interval)
