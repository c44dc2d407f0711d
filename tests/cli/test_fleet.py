"""`withhold fetch` and `withhold fleet`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from tests.live.material import Material
from withhold import Engine
from withhold.cli.app import app
from withhold.cli.fleet import _COLUMNS, FleetResult
from withhold.live import HostState, LiveStatus, Receipt, Standing, Worker, open_spool
from withhold.live.receipts import host_line


@pytest.fixture
def made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = Material(tmp_path / "store")
    made.publish(1, 2)
    (tmp_path / "root.json").write_bytes(made.root)
    monkeypatch.setenv("WITHHOLD_TRUSTED_ROOT", "root.json")
    return made


def run(*arguments, status=0):
    found = CliRunner().invoke(app, [*map(str, arguments)])
    assert (found.exit_code, type(found.exception)) in ((status, type(None)), (status, SystemExit)), found.output
    return found


def test_the_rules_of_a_host_are_fetched(made, tmp_path):
    assert run("fetch", made.url, "--spool", "spool").stdout.startswith("fresh: version 2, revision ")
    found = json.loads(run("fetch", made.url, "--spool", "spool", "--format", "json").stdout)
    assert (found["state"], found["version"], found["error"]) == ("fresh", 2, None)
    assert "withheld" in run("check", "spool/current", "--account", "1", "--country", "IN", status=3).stdout.lower()
    made.folder.rename(tmp_path / "away")
    assert "[store-unavailable]" in run("fetch", made.url, "--spool", "spool", status=1).stdout
    for arguments in (
        ["ftp://x"],
        [made.url, "--every", "0s"],
        [made.url, "--name", "a/b"],
        [made.url, "--trust", "x"],
        [made.url, "--host", "web-1"],
        [made.url, "--receipts", (tmp_path / "receipts").as_uri(), "--host", ""],
    ):
        run("fetch", *arguments, "--spool", "spool", status=2)


def test_a_list_of_hosts_has_only_names_of_hosts(made, tmp_path):
    (tmp_path / "hosts").write_text("web-1  # in Mumbai\n\n-----BEGIN PRIVATE KEY-----\n")
    url = (tmp_path / "receipts").as_uri()
    refused = run("fleet", made.url, "--receipts", url, "--expect", "hosts", status=2).stderr
    assert "hosts:3:1: `-----BEGIN PRIVATE KEY-----`" in " ".join(refused.replace("│", " ").split())


def test_a_file_that_is_not_a_root_changes_nothing(made, tmp_path):
    run("fetch", made.url, "--spool", "spool")
    made.publish(1, 2, 3)
    (tmp_path / "other.json").write_text("{}")
    refused = run("fetch", made.url, "--spool", "spool", "--trust", "other.json", status=4)
    assert "other.json is not a root [not-a-root]" in refused.stderr
    assert '"refused":false' in (tmp_path / "spool" / "status.json").read_text()


def test_a_receipt_that_cannot_be_written_is_reported(made, tmp_path):
    store = tmp_path / "receipts"
    arguments = ["fetch", made.url, "--spool", "spool", "--receipts", store.as_uri()]
    run(*arguments)
    (store / "receipts").rename(store / "away")
    (store / "receipts").write_text("")
    command = [sys.executable, "-m", "withhold", *arguments]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, "no receipt was written" in found.stderr) == (0, True)


def test_a_daemon_ends_at_a_signal(made, tmp_path):
    arguments = ["fetch", made.url, "--spool", "spool", "--every", "50ms"]
    process = subprocess.Popen([sys.executable, "-m", "withhold", *arguments], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "installed version 2" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    assert (process.wait(60), open_spool("spool").rule_count) == (0, 2)
    process.stderr.close()


def test_a_fleet_has_acted_when_all_its_workers_serve_the_rules(made, tmp_path):
    (tmp_path / "hosts").write_text("web-1  # in the cellar\n\nweb-2\n")
    store = (tmp_path / "receipts").as_uri()
    fleet = ("fleet", made.url, "--receipts", store)
    fetch = ("fetch", made.url, "--spool", "spool", "--receipts", store, "--host", "web-1")
    assert "hosts: 0\n" in run(*fleet, "--receipts", made.url, status=1).stdout
    run(*fetch)
    assert "no process serves the rules" in " ".join(run(*fleet, status=1).stdout.split())
    with Worker(Engine(open_spool("spool")), "spool"):
        run(*fetch)
        assert "acted: 1" in run(*fleet).stdout
        listed = run(*fleet, "--expect", "hosts", status=1).stdout
        assert "hosts: 2; acted: 1; silent: 1" in listed
        assert max(map(len, listed.splitlines())) <= 80
        found = json.loads(run(*fleet, "--expect", "hosts", "--format", "json", status=1).stdout)
        assert [(row["host"], row["standing"]) for row in found["rows"]] == [("web-1", "acted"), ("web-2", "silent")]
        assert (found["fine"], found["version"]) == (False, 2)
        made.publish(1, 2, 3)
        assert "behind: 1" in run(*fleet, status=1).stdout
    run(*fleet, "--expect", "missing", status=2)
    (tmp_path / "hosts").write_text("# none yet\n")
    assert "hosts names no host" in run(*fleet, "--expect", "hosts", status=2).stderr
    assert "no rules named `ruels`" in run(*fleet, "--name", "ruels", status=1).stdout
    run("fetch", made.url, "--spool", "spool", "--receipts", store, "--host", "a b", status=2)


TEXT = """\
host                               standing       serving   acted
ip-10-0-12-34.eu-west.example.net  acted          16 of 16  2026-03-01T11:00:00Z
web-1                              acted, late    1 of 1    2026-03-01T12:00:01Z
  has version 7, stale; last report 2026-03-01T12:09:00Z
web-2                              behind, late   0 of 0
  has no rules, fallback; last report 2026-03-01T12:09:00Z; no process serves
  the rules
web-3                              refuses, late  0 of 16
  has version 6, refused; last report 2026-03-01T12:09:00Z; the source was
  refused: rules was signed by 1/2 keys [not-signed]\\x1b[31m
web-4                              silent, late
  has never reported
version 7 is live"""


def test_a_fleet_fits_80_columns():
    at = datetime(2026, 3, 1, 12, 9, tzinfo=UTC)

    def state(host, standing, acted=None, serving=16, *, workers=16, late=True, **status):
        receipt = Receipt(host=host, at=at, status=LiveStatus(**status), workers=workers, serving=serving)
        return HostState(host, Standing(standing), acted, receipt, late)

    error = "the source was refused: rules was signed by 1/2 keys [not-signed]\x1b[31m"
    on_time, late = datetime(2026, 3, 1, 11, tzinfo=UTC), datetime(2026, 3, 1, 12, 0, 1, 999, tzinfo=UTC)
    hosts = [
        state("ip-10-0-12-34.eu-west.example.net", "acted", on_time, late=False, version=7, state="fresh"),
        state("web-1", "acted", late, 1, workers=1, version=7, state="stale"),
        state("web-2", "behind", serving=0, workers=0),
        state("web-3", "refuses", serving=0, version=6, state="refused", error=error),
        HostState("web-4", Standing.SILENT, None, None, late=True),
    ]
    result = FleetResult(_COLUMNS, [host_line(host) for host in hosts], "version 7 is live", {"fine": False})
    assert str(result) == TEXT
    assert max(map(len, TEXT.splitlines())) <= 80
    assert next(result.cells()) == list(_COLUMNS)
    assert list(result.to_dict()["rows"][3]) == list(_COLUMNS), "JSON has everything"  # type: ignore[index]
