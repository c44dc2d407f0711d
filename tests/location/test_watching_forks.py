"""Databases are watched in forked processes too."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

from tests.forking import run as run_script
from tests.location.mmdb_files import write
from tests.location.watched import TURKEY
from tests.location.watched import path as path
from withhold.location import GeoIP
from withhold.location.loading import Plan

FORKED = """
import os, sys, threading, time
from pathlib import Path
from tests.forking import forked, until
from withhold.location import GeoIP
from withhold.location.loading import Plan

path, new, number = Path(sys.argv[1]), Path(sys.argv[2]), [0]

def put():
    number[0] += 1
    copy = path.with_suffix(f".{os.getpid()}-{number[0]}")
    copy.write_bytes(new.read_bytes())
    copy.replace(path)

"""


def run(script: str, path: Path) -> None:
    new = write(path.with_name("turkey.mmdb"), TURKEY)
    run_script(FORKED + script, path, new)


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@forks
def test_d2_watching_continues_in_a_child_and_in_its_child(path: Path) -> None:
    run(
        """
geoip = GeoIP(path, wait=None)
geoip.watch(0.01)

def grandchild():
    assert [thread.name for thread in threading.enumerate()].count("withhold-geoip-watch") == 1
    put()
    return until(lambda: geoip.country("8.8.8.8") == "TR")

def child():
    forked(grandchild)
    assert until(lambda: geoip.country("8.8.8.8") == "TR")
    geoip.watch(0.01)
    geoip.close()
    return until(lambda: threading.active_count() == 1)

forked(child)
assert until(lambda: geoip.country("8.8.8.8") == "TR")
# A closed watcher stays closed in a child.
geoip.close()
forked(lambda: threading.active_count() == 1)
print("done")
""",
        path,
    )


@forks
def test_d1_a_file_replaced_before_a_fork_is_read_by_the_child(path: Path) -> None:
    run(
        """
geoip = GeoIP(path, wait=None)
put()

def child():
    geoip.watch(0.01)
    return until(lambda: geoip.country("8.8.8.8") == "TR")

forked(child)
print("done")
""",
        path,
    )


@forks
def test_d2_a_child_forked_while_a_table_is_built_builds_its_own(path: Path) -> None:
    run(
        """
gate, flatten = threading.Event(), Plan.flatten
Plan.flatten = lambda plan, opened: (gate.wait(60), flatten(plan, opened))[1]
geoip = GeoIP(path, wait=0)
assert geoip.wait(0) is False

def still_waits():
    assert geoip.country("8.8.8.8") == "IN"
    assert geoip.wait(0) is False and geoip._database.table is None
    Plan.flatten = flatten
    gate.set()
    assert geoip.wait(60) is True and geoip._database.table is not None
    put()
    return geoip.reload() and geoip.country("8.8.8.8") == "TR"

forked(still_waits)
gate.set()
assert geoip.wait(60) is True
print("done")
""",
        path,
    )


@forks
def test_d2_a_child_forked_during_a_reload_can_reload(path: Path) -> None:
    run(
        """
geoip = GeoIP(path, wait=None)
inside, gate, flatten = threading.Event(), threading.Event(), Plan.flatten

def slow(plan, opened):
    inside.set()
    gate.wait(60)
    return flatten(plan, opened)

Plan.flatten = slow
thread = threading.Thread(target=geoip.reload)
thread.start()
assert inside.wait(60)

def child():
    Plan.flatten = flatten
    put()
    return geoip.wait(0) and geoip.reload() and geoip.country("8.8.8.8") == "TR"

forked(child)
gate.set()
thread.join()
print("done")
""",
        path,
    )


def test_d2_wait_is_true_only_when_the_table_is_built(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    flatten = Plan.flatten
    monkeypatch.setattr(Plan, "flatten", lambda plan, opened: (gate.wait(60), flatten(plan, opened))[1])
    geoip = GeoIP(path, wait=0)
    assert [geoip.wait(0), geoip.wait(0.01)] == [False, False]
    gate.set()
    assert geoip.wait()
    shutil.copy(path, path.with_name("copy"))
    assert geoip.wait(0)
