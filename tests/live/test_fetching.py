"""Fetching: what is installed, and what happens if the spool or the disk fails."""

from __future__ import annotations

import errno
import resource
import threading

import pytest

from tests.live.hosts import Host as Host
from tests.live.hosts import calls
from tests.live.hosts import closed as closed
from tests.live.hosts import host as host
from tests.live.hosts import made as made
from tests.live.material import key, snapshot
from withhold import LiveError, Snapshot
from withhold.live import Fetcher, change_keys, open_spool
from withhold.live.release import object_path


def test_what_was_published_is_installed(host, monkeypatch):
    assert (host.accounts, host.version) == ([1], 2)
    requests = calls(monkeypatch, "get")
    assert host.fetch() == "fresh"
    assert requests == ["metadata/2.root.json", "metadata/timestamp.json"], "an idle poll is two requests"
    host.made.publish(1, 2)
    status = host.fetcher.fetch()
    assert (host.accounts, status.version, status.pending, status.error) == ([1, 2], 3, None, None)
    assert status.fetched is not None
    assert status.signed <= status.contact <= status.expires
    assert Snapshot.open(host.fetcher.spool.current).rules == snapshot(1, 2).rules


def test_the_spool_is_bounded_and_keeps_the_version_before(host):
    for last in range(2, 6):
        host.made.publish(*range(1, last))
        host.fetch()
        (host.spool / "metadata" / f"tmp{last}").touch()
    host.again().fetch()
    assert sorted(path.name.partition(".")[0] for path in host.spool.glob("*.wh")) == ["5", "6"]
    assert {path.name for path in host.spool.iterdir() if path.suffix != ".wh"} == {
        *("current", "lock", "metadata", "status.json", "workers"),
    }
    assert not list((host.spool / "metadata").glob("tmp*"))


def test_versions_in_between_may_be_skipped_also_over_one_that_may_shrink(made, tmp_path):
    made.publish(*range(1, 21))
    host = Host(made, tmp_path / "spool")
    host.fetch()
    made.publish(1, may_shrink=True)
    made.publish(1, 2, may_shrink=False)
    assert (host.fetch(), host.accounts) == ("fresh", [1, 2])


def test_keys_are_replaced_over_several_roots_while_a_host_is_away(host):
    signers = list(host.made.all)
    for old, role in ((host.made.persons[0], "targets"), (host.made.online, "online"), (host.made.root_key, "root")):
        signers.append(key())
        change_keys(host.made.publisher.repository, role, signers, add=[signers[-1].public_key])
        change_keys(host.made.publisher.repository, role, signers, revoke=[old.public_key.keyid])
        signers.remove(old)
    host.made.publisher.publish(snapshot(1, 2), signers)
    assert (host.fetch(), host.accounts) == ("fresh", [1, 2])


def test_a_full_disk_leaves_the_rules_in_use(host):
    host.made.publish(1, 2)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        found = host.fetch()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (found, host.accounts, len(list(host.spool.glob("*.wh")))) == ("refused spool-unwritable", [1], 1)
    assert (host.fetch(), host.accounts) == ("fresh", [1, 2])


def test_a_spool_that_cannot_be_written_is_reported(host, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    assert Host(host.made, tmp_path / "file" / "spool").fetch() == "fallback spool-unwritable"

    def refuse(*_, **__):
        raise OSError(errno.EROFS, "read-only")

    monkeypatch.setattr("withhold.live.spool.Path.mkdir", refuse)
    assert (host.again().fetch(), host.accounts) == ("fresh spool-unwritable", [1])


def test_what_failed_is_tried_again_after_longer_and_longer(host, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("withhold.live.fetching.time.monotonic", lambda: clock[0])
    host = host.again(interval=1.0)
    host.fetch()
    host.made.publish(1, 2)
    path = host.made.folder / object_path(host.made.publisher.live().target)
    hidden = path.rename(path.with_suffix(".hidden"))
    requests, tried = calls(monkeypatch, "stream"), []
    for second in range(40):
        clock[0] = float(second)
        before = len(requests)
        assert host.fetch() == "refused wrong-content"
        tried += [second] * (len(requests) - before)
    assert tried == [0, 1, 3, 7, 15, 31]
    hidden.rename(path)
    clock[0] = 63
    assert host.fetch() == "fresh"


def test_damaged_rules_are_taken_out_of_use_and_fetched_again(host):
    file = host.fetcher.spool.installed().path
    content = file.read_bytes()
    for at in range(0, len(content), 97):
        flipped = bytearray(content)
        flipped[at] ^= 1 << at % 8
        file.write_bytes(flipped)
        host = host.again()
        host.made.folder.rename(host.made.folder.with_name("away"))
        host.fetch()
        assert host.accounts in (None, [1]), "never something else; bytes between the sections mean nothing"
        host.made.folder.with_name("away").rename(host.made.folder)
        assert (host.fetch(), host.accounts) == ("fresh", [1])


@pytest.mark.parametrize("file", ["status.json", "metadata/timestamp.json", "metadata/targets.json", "current"])
@pytest.mark.parametrize("content", [b"", b"{", None])
def test_damage_in_the_spool_is_repaired(host, file, content):
    path = host.spool / file
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    host = host.again()
    assert (host.fetch(), host.accounts) == ("fresh", [1])


def test_a_start_without_network_needs_only_the_spool(host, tmp_path):
    host.made.folder.rename(tmp_path / "away")
    host = host.again()
    status = host.fetcher.status()
    assert (str(status.state), status.version, host.accounts) == ("fresh", 2, [1])
    assert (host.fetch(), host.accounts) == ("fresh store-unavailable", [1])
    with pytest.raises(LiveError, match=r"\[spool-empty\]"):
        open_spool(tmp_path / "empty")
    snapshot(7).save(tmp_path / "fallback.wh")
    assert open_spool(tmp_path / "empty", fallback=tmp_path / "fallback.wh").rules == snapshot(7).rules
    assert open_spool(host.spool, fallback=tmp_path / "fallback.wh").rules == snapshot(1).rules


def test_of_two_fetchers_one_fetches_and_the_other_takes_over(host):
    second = Host(host.made, host.spool)
    host.made.publish(1, 2)
    assert (second.fetch(), second.version) == ("fresh", 2)
    assert (host.fetch(), second.version) == ("fresh", 3)
    host.fetcher.close()
    host.made.publish(1, 2, 3)
    assert (second.fetch(), second.accounts) == ("fresh", [1, 2, 3])


def test_it_runs_until_it_is_closed_and_a_hint_makes_it_look_now(host):
    host = host.again(interval=3600.0)
    thread = threading.Thread(target=host.fetcher.run)
    thread.start()
    host.made.publish(1, 2)
    while host.accounts != [1, 2]:
        host.fetcher.poke()
    host.fetcher.close()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize("interval", [0, -1, float("nan")])
def test_an_interval_is_positive(made, tmp_path, interval):
    with pytest.raises(ValueError, match=r"\[bad-interval\]"):
        Fetcher(made.url, tmp_path, made.root, interval=interval)
