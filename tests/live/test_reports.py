"""Reports and receipts that lie, are damaged or are no files, and clocks that jump."""

from __future__ import annotations

import gc
import json
import os
import shutil
import socket
import threading
from datetime import timedelta

import pytest

from tests.forking import until
from tests.live.hosts import Host as Host
from tests.live.hosts import closed as closed
from tests.live.hosts import host as host
from tests.live.hosts import made as made
from tests.live.material import now
from withhold import Engine
from withhold.live import Receipts, Worker, fleet, open_spool
from withhold.live.receipts import make_receipt
from withhold.live.spool import Spool
from withhold.live.store import Store
from withhold.live.worker import reports


def worker(host, **options):
    return Worker(Engine(open_spool(host.spool)), host.spool, **{"interval": 60, **options})


def socket_at(path):
    with socket.socket(socket.AF_UNIX) as found:
        found.bind(str(path))


@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo,
        lambda path: path.mkdir(),
        lambda path: path.symlink_to(path.parent.parent / "status.json"),
        lambda path: path.symlink_to("missing"),
        lambda path: path.write_bytes(b"[" * 10_000_000),
        socket_at,
    ],
    ids=["pipe", "directory", "link", "dangling", "huge", "socket"],
)
def test_what_is_no_report_neither_stops_a_fetcher_nor_hides_the_reports(host, tmp_path, monkeypatch, make):
    monkeypatch.chdir(host.spool / "workers")  # the path of a socket is short
    make(host.spool / "workers" / "x.json" if make is not socket_at else type(tmp_path)("x.json"))
    host = host.again(receipts=Receipts((tmp_path / "receipts").as_uri(), "h1"))
    with worker(host):
        assert host.fetch() == "fresh"
        written = json.loads((tmp_path / "receipts" / "receipts" / "h1.json").read_text())
        assert (written["workers"], written["serving"]) == (1, 1)
    assert (host.spool / "status.json").exists()


def test_a_pipe_that_replaces_a_file_is_not_waited_for(host, monkeypatch):
    os.mkfifo(host.spool / "workers" / "x.json")
    monkeypatch.setattr("withhold.live.worker.Path.is_file", lambda _: True)
    assert list(reports(Spool(host.spool))) == []


def test_a_report_that_cannot_be_opened_is_that_of_a_process(host, monkeypatch):
    (host.spool / "workers" / "x.json").touch()

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr("withhold.live.worker._open_at_once", refuse)
    assert list(reports(Spool(host.spool))) == [None]


def test_a_clock_that_was_set_back_silences_nobody(host, tmp_path):
    clock = [now() + timedelta(days=1)]
    receipts = Receipts((tmp_path / "receipts").as_uri(), "h1")
    with worker(host, clock=lambda: clock[0]) as found:
        status = host.fetcher.status()
        receipts.write(Spool(host.spool), status, clock[0])
        clock[0] = now()
        assert make_receipt("h1", Spool(host.spool), status, clock[0]).silent == 1, "it reported in the future"
        live, store = host.made.publisher.live(), receipts.store
        assert [str(each.standing) for each in fleet(live, store, [], clock[0])] == ["silent"]
        found._report()
        receipts.write(Spool(host.spool), status, clock[0])
        assert [str(each.standing) for each in fleet(live, store, [], clock[0])] == ["acted"]


def test_a_process_whose_report_was_removed_reports_again(host):
    with worker(host) as found:
        for _ in range(2):
            shutil.rmtree(host.spool / "workers")
            (host.spool / "workers").mkdir()
            assert list(reports(Spool(host.spool))) == []
            found._reported = None
            found._report()
            assert [each and each.version for each in reports(Spool(host.spool))] == [2]
    assert list(reports(Spool(host.spool))) == []


def receipt(made, **changes):
    """Return the receipt of a host that has acted, with other values."""
    live = made.publisher.live()
    status = {"version": live.version, "revision": live.release.revision, "signed": now(), "expires": live.expires}
    status.update(changes.pop("status", {}))
    found = {"host": "h1", "at": now(), "workers": 1, "serving": 1, "served": now(), "status": status}
    return json.dumps({**found, **changes}, default=lambda instant: instant.isoformat()).encode()


DAMAGED = {
    "empty": b"",
    "list": b"[]",
    "deep": b"[" * 60_000,
    "not-utf-8": b'{"host": "\xff"}',
    "nan": b'{"host": NaN}',
    "digits": b'{"workers": ' + b"9" * 50_000 + b"}",
    "huge": b" " * 70_000,
}


@pytest.mark.parametrize(
    ("changes", "standing"),
    [
        ({}, "acted"),
        ({"host": "h2"}, "silent"),
        ({"workers": -1, "serving": -1}, "silent"),
        ({"workers": "1" * 5000}, "silent"),
        ({"workers": 0, "serving": 0}, "behind"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "silent"),
        ({"at": "9999-12-31T23:59:59Z"}, "silent"),
        ({"served": "9999-12-31T23:59:59-14:00"}, "silent"),
        ({"status": {"signed": "0001-01-01T00:00:00Z"}}, "acted"),
        ({"status": {"version": 10**400}}, "behind"),
        *((content, "silent") for content in DAMAGED.values()),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else None,
)
def test_no_receipt_hides_the_other_hosts(made, tmp_path, changes, standing):
    folder = tmp_path / "receipts" / "receipts"
    folder.mkdir(parents=True)
    (folder / "h0.json").write_bytes(receipt(made, host="h0"))
    (folder / "h1.json").write_bytes(changes if isinstance(changes, bytes) else receipt(made, **changes))
    found = list(fleet(made.publisher.live(), Store((tmp_path / "receipts").as_uri()), [], now()))
    assert [(each.host, str(each.standing)) for each in found] == [("h0", "acted"), ("h1", standing)]


def test_other_files_are_no_receipts(made, tmp_path):
    folder = tmp_path / "receipts" / "receipts"
    (folder / "nested").mkdir(parents=True)
    for name in ("h0", "h0.txt", ".h0.json", "a b.json", "nested/h0.json", "\u00e4.json"):
        (folder / name).write_bytes(receipt(made, host=name.removesuffix(".json")))
    assert list(fleet(made.publisher.live(), Store((tmp_path / "receipts").as_uri()), [], now())) == []


def test_the_state_in_a_receipt_is_that_of_now(made, tmp_path):
    folder = tmp_path / "receipts" / "receipts"
    folder.mkdir(parents=True)
    (folder / "h1.json").write_bytes(receipt(made, status={"state": "fresh", "expires": now()}))
    (found,) = fleet(made.publisher.live(), Store((tmp_path / "receipts").as_uri()), [], now())
    assert found.receipt is not None
    assert found.receipt.status.state == "stale"


def test_a_worker_goes_on_after_any_failure(host, monkeypatch, caplog):
    with worker(host, interval=0.005) as found:
        failed = threading.Event()

        def fail(_):
            failed.set()
            raise MemoryError

        with monkeypatch.context() as patch:
            patch.setattr(Spool, "read_status", fail)
            assert failed.wait(60)
        shutil.rmtree(host.spool / "workers")
        assert found._watcher.alive
    assert caplog.text.count("could not report") == 1


def live_threads():
    return {thread for thread in threading.enumerate() if thread.name in ("withhold-live", "withhold-follow")}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # its file was not closed
def test_neither_closing_nor_forgetting_a_worker_leaves_a_thread(host):
    before = live_threads()
    closed_twice = worker(host, interval=0.005)
    for _ in range(2):
        closed_twice.close()
    assert live_threads() <= before
    forgotten = worker(host, interval=0.005)
    assert len(live_threads() - before) == 2
    del forgotten
    assert until(lambda: gc.collect() >= 0 and live_threads() <= before)
    assert list(reports(Spool(host.spool))) == []
