"""Workers that serve from a spool, their reports, receipts of hosts, and the state of a fleet."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.forking import until
from tests.live.hosts import made as made
from tests.live.material import now, snapshot
from withhold import Engine, LiveError, Viewer
from withhold.live import (
    Fetcher,
    LiveStatus,
    Publisher,
    Receipts,
    Worker,
    fleet,
    open_spool,
)
from withhold.live.receipts import make_receipt
from withhold.live.store import Store
from withhold.live.worker import reports


@pytest.fixture
def fetcher(made, tmp_path):
    with Fetcher(made.url, tmp_path / "spool", made.root, interval=0.001) as fetcher:
        assert fetcher.fetch().state == "fresh"
        yield fetcher


def test_a_worker_activates_what_is_installed(made, fetcher):
    engine = Engine(open_spool(fetcher.spool.path))
    with Worker(engine, fetcher.spool.path, interval=0.005) as worker:
        status = worker.status()
        assert (status.version, str(status.state), status.pending, status.error) == (2, "fresh", None, None)
        made.publish(1, 2)
        fetcher.fetch()
        assert until(lambda: worker.status().version == 3)
        assert engine.view(Viewer(country="IN")).withholds(9, 2)
        assert until(lambda: [each and each.version for each in reports(fetcher.spool)] == [3])
        (report,) = reports(fetcher.spool)
        assert report is not None
        assert report.pid == os.getpid()
    assert list(reports(fetcher.spool)) == []
    made.publish(1, 2, 3)
    fetcher.fetch()
    status = worker.status()
    assert (status.version, status.pending, engine.snapshot.rule_count) == (3, 4, 2), "it was closed"
    worker._clock = lambda: now() + timedelta(seconds=11)
    assert (str(worker.status().state), "is not active" in (worker.status().error or "")) == ("refused", True)


def test_the_same_rules_under_a_new_version_are_the_new_version(made, fetcher):
    engine = Engine(open_spool(fetcher.spool.path))
    with Worker(engine, fetcher.spool.path, interval=60) as worker:
        made.publish(1)
        fetcher.fetch()
        assert (worker.status().version, worker.status().pending) == (3, None)


def test_a_process_that_cannot_report_logs_that_once(fetcher, monkeypatch, caplog):
    """The fetcher does not know of such a process, so nobody else would notice it."""

    def full(*_):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "pwrite", full)
    with Worker(Engine(open_spool(fetcher.spool.path)), fetcher.spool.path, interval=60) as worker:
        worker._check()
        assert caplog.text.count("cannot report") == 1
        monkeypatch.undo()
        worker._check()
        assert [each is not None for each in reports(fetcher.spool)] == [True]


def test_a_spool_that_cannot_be_read_is_refused_even_with_a_fallback(tmp_path):
    """Its rules may be newer than those of the fallback."""
    snapshot(1).save(tmp_path / "fallback.wh")
    (tmp_path / "spool").write_text("a file")
    with pytest.raises(LiveError, match=r"not a directory \[spool-unreadable\]"):
        open_spool(tmp_path / "spool", fallback=tmp_path / "fallback.wh")


def test_the_reason_of_the_system_is_printed_for_a_store_in_a_directory(tmp_path):
    with pytest.raises(LiveError, match=r"failed: `No such file or directory` \[store-unavailable\]; check the path"):
        Store((tmp_path / "away").as_uri()).list("metadata")


def test_a_dead_fetcher_is_never_fresh(fetcher):
    engine, clock = Engine(open_spool(fetcher.spool.path)), [now()]
    with Worker(engine, fetcher.spool.path, interval=60, clock=lambda: clock[0]) as worker:
        assert worker.status().state == "fresh"
        clock[0] += timedelta(minutes=61)
        assert (str(worker.status().state), worker.status().version) == ("stale", 2)
        (fetcher.spool.path / "status.json").write_text("{")
        clock[0] = now()
        assert str(worker.status().state) == "stale", "nobody knows"


def test_a_worker_waits_with_its_fallback_for_the_first_rules(made, tmp_path):
    spool = tmp_path / "spool"
    snapshot(7).save(tmp_path / "fallback.wh")
    engine = Engine(open_spool(spool, fallback=tmp_path / "fallback.wh"))
    with Worker(engine, spool, interval=0.005) as worker:
        status = worker.status()
        assert (str(status.state), status.version, status.revision) == ("fallback", None, engine.snapshot.revision)
        with Fetcher(made.url, spool, made.root) as fetcher:
            fetcher.fetch()
            assert until(lambda: worker.status().state == "fresh")
        assert engine.snapshot.rules == snapshot(1).rules
        engine.activate(snapshot(8))
        assert (str(worker.status().state), worker.status().version) == ("fallback", None), "activated by hand"


def test_rules_that_a_worker_cannot_read_are_reported(made, fetcher):
    engine = Engine(open_spool(fetcher.spool.path))
    with Worker(engine, fetcher.spool.path, interval=0.005) as worker:
        damaged = fetcher.spool.path_of(3, "0" * 16)
        damaged.write_bytes(b"nothing")
        fetcher.spool.install(damaged)
        assert until(lambda: worker.status().state == "refused")
        status = worker.status()
        assert (status.version, status.pending) == (2, 3)
        assert "[not-a-snapshot]" in (status.error or "")
    with Worker(engine, fetcher.spool.path, interval=0.005) as worker:
        assert str(worker.status().state) == "refused", "also from the start"


def test_a_spool_that_a_worker_cannot_write_does_not_stop_it(made, fetcher):
    shutil.rmtree(fetcher.spool.workers)
    engine = Engine(open_spool(fetcher.spool.path))
    with Worker(engine, fetcher.spool.path, interval=0.005) as worker:
        made.publish(1, 2)
        fetcher.fetch()
        assert until(lambda: worker.status().version == 3)


def test_a_worker_works_only_if_there_is_something_to_report(made, fetcher, monkeypatch):
    """Its checks take the GIL ten times a second."""
    clock, made_reports = [now()], list[LiveStatus]()
    engine = Engine(open_spool(fetcher.spool.path))
    with Worker(engine, fetcher.spool.path, interval=60, clock=lambda: clock[0]) as worker:
        plain, following = worker.status, worker._following
        assert following is not None

        def status():
            made_reports.append(plain())
            return made_reports[-1]

        monkeypatch.setattr(worker, "status", status)

        def reports_after(work):
            made_reports.clear()
            work()
            for _ in range(3):
                worker._check()
            return len(made_reports)

        assert reports_after(lambda: None) == 0
        assert reports_after(lambda: clock.__setitem__(0, clock[0] + timedelta(seconds=5))) == 1
        assert reports_after(lambda: clock.__setitem__(0, clock[0] - timedelta(hours=5))) == 1
        assert reports_after(lambda: engine.activate(snapshot(8))) == 1
        failure = OSError("unreadable")
        monkeypatch.setattr(following, "_state", replace(following._state, error=failure))
        assert reports_after(lambda: None) == 1


FORKED = """
import os, sys, time
from withhold import Engine
from withhold.live import Spool, Worker, open_spool
from withhold.live.worker import reports

spool = sys.argv[1]
worker = Worker(Engine(open_spool(spool)), spool, interval=0.01)
children = []
ended, end = os.pipe()
for _ in range(2):
    if (child := os.fork()) == 0:
        os.close(end)
        os.read(ended, 1)  # it ends with its parent, if it is not killed before
        os._exit(0)
    children.append(child)
def pids():
    return sorted(report.pid for report in reports(Spool(spool)) if report)
while pids() != sorted([os.getpid(), *children]):
    time.sleep(0.01)
print("all", flush=True)
sys.stdin.readline()
while any(report is None or report.version != 3 for report in reports(Spool(spool))):
    time.sleep(0.01)
for child in children:
    os.kill(child, 9)
    os.wait()
print(pids() == [os.getpid()])
worker.close()
print(pids() == [])
"""


def test_forked_workers_go_on_and_the_reports_of_killed_ones_are_removed(made, fetcher):
    process = subprocess.Popen(
        [sys.executable, "-c", FORKED, fetcher.spool.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "all\n"
    made.publish(1, 2)
    fetcher.fetch()
    assert process.communicate("\n", timeout=60)[0] == "True\nTrue\n"


def test_a_receipt_sums_the_reports_of_a_host(made, fetcher):
    spool = fetcher.spool
    assert make_receipt("h1", spool, fetcher.status(), now()).workers == 0
    engines = [Engine(open_spool(spool.path)) for _ in range(3)]
    workers = [Worker(engine, spool.path, interval=60) for engine in engines]
    made.publish(1, 2)
    fetcher.fetch()
    for engine, worker in zip(engines[:2], workers[:2], strict=True):
        engine.activate(open_spool(spool.path))
        worker._report()
    found = make_receipt("h1", spool, fetcher.status(), now())
    assert (found.workers, found.serving, found.silent) == (3, 2, 0)
    assert found.served is not None
    found = make_receipt("h1", spool, fetcher.status(), now() + timedelta(minutes=1))
    assert (found.workers, found.serving, found.silent) == (3, 0, 3)
    for worker in workers:
        worker.close()


def receipt(made, tmp_path, host, *, serving=1, workers=1, at=None, **status):
    """Write a receipt."""
    live = made.publisher.live()
    values = {"version": live.version, "revision": live.release.revision, "signed": now(), "expires": live.expires}
    written = {
        "host": host,
        "at": (at or now()).isoformat(),
        "workers": workers,
        "serving": serving,
        "served": None if not serving else (at or now()).isoformat(),
        "status": json.loads(LiveStatus(**{**values, **status}).model_dump_json()),
    }
    path = tmp_path / "receipts" / "receipts" / f"{host}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(written))
    return Store((tmp_path / "receipts").as_uri())


def test_a_fleet_lists_who_has_not_acted(made, tmp_path):
    act_by = now() + timedelta(minutes=1)
    made.publish(1, act_by=act_by)
    live = made.publisher.live()
    receipt(made, tmp_path, "a-acted")
    receipt(made, tmp_path, "b-late", at=act_by + timedelta(seconds=1))
    receipt(made, tmp_path, "c-behind", version=live.version - 1)
    receipt(made, tmp_path, "d-partly", serving=1, workers=2)
    receipt(made, tmp_path, "e-idle", serving=0, workers=0)
    receipt(made, tmp_path, "f-refuses", version=live.version - 1, refused=True)
    store = receipt(made, tmp_path, "g-silent", at=now() - timedelta(minutes=6))
    receipt(made, tmp_path, "h-other", revision="0" * 16)
    (tmp_path / "receipts" / "receipts" / "i-damaged.json").write_text("{")
    (tmp_path / "receipts" / "receipts" / "j-copied.json").write_bytes(
        (tmp_path / "receipts" / "receipts" / "a-acted.json").read_bytes()
    )
    found = {state.host: state for state in fleet(live, store, ["a-acted", "k-missing"], now())}
    assert {host: str(state.standing) for host, state in found.items()} == {
        "a-acted": "acted",
        "b-late": "acted",
        "c-behind": "behind",
        "d-partly": "behind",
        "e-idle": "behind",
        "f-refuses": "refuses",
        "g-silent": "silent",
        "h-other": "behind",
        "i-damaged": "silent",
        "j-copied": "silent",
        "k-missing": "silent",
    }
    assert [host for host, state in found.items() if state.late] == ["b-late"]
    later = fleet(live, store, [], act_by + timedelta(minutes=6))
    assert [state.host for state in later if not state.late] == [], "all are silent by then"


def test_a_host_that_has_acted_in_time_is_not_late_afterwards(made, tmp_path):
    """Neither a new process nor a new fetcher changes that, nor a new version that has the same rules."""
    clock, url, spool = [now()], (tmp_path / "receipts").as_uri(), tmp_path / "spool"
    made.publish(1, 2, act_by=clock[0] + timedelta(minutes=1))

    @contextmanager
    def host():
        with Fetcher(made.url, spool, made.root, receipts=Receipts(url, "h1"), clock=lambda: clock[0]) as fetcher:
            fetcher.fetch()
            with Worker(Engine(open_spool(spool)), spool, interval=60, clock=lambda: clock[0]) as worker:
                fetcher.fetch()
                yield fetcher, worker

    def found():
        return [(str(each.standing), each.late) for each in fleet(made.publisher.live(), Store(url), [], clock[0])]

    with host() as (fetcher, worker):
        assert found() == [("acted", False)]
        clock[0] += timedelta(minutes=2)
        other = Publisher(made.url, made.root, name="other")
        other.publish(snapshot(7), [*made.persons, made.online])
        for _ in range(2):
            worker._report()
            fetcher.fetch()
        assert found() == [("acted", False)]
    clock[0] += timedelta(minutes=2)
    with host():
        assert found() == [("acted", False)]
    made.publish(1, act_by=clock[0] + timedelta(minutes=1))
    clock[0] += timedelta(minutes=2)
    with host():
        assert found() == [("acted", True)]


def test_a_fetcher_writes_receipts_when_something_changes(made, tmp_path, monkeypatch):
    clock = [now()]
    written: list[str] = []
    receipts = Receipts((tmp_path / "receipts").as_uri(), "host-1")
    plain = Store.put

    def put(self, path, content):
        written.append(path)
        plain(self, path, content)

    monkeypatch.setattr(Store, "put", put)
    with Fetcher(made.url, tmp_path / "spool", made.root, receipts=receipts, clock=lambda: clock[0]) as fetcher:
        for _ in range(3):
            fetcher.fetch()
        assert written == ["receipts/host-1.json"]
        clock[0] += timedelta(seconds=61)
        fetcher.fetch()
        assert len(written) == 2
        shutil.rmtree(tmp_path / "receipts")
        (tmp_path / "receipts").touch()
        clock[0] += timedelta(seconds=61)
        status = fetcher.fetch()
        assert (str(status.state), status.error) == ("fresh", None), "receipts are no condition for serving"
    for host in ("", "../x", "a b", ".a", "x" * 300):
        with pytest.raises(LiveError, match=r"\[bad-host\]"):
            Receipts((tmp_path / "other").as_uri(), host)
