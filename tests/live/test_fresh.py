"""A host is fresh only while its rules are known to be the newest ones of its rule set, whatever happens to it."""

from __future__ import annotations

import shutil

import pytest
from tuf.api.metadata import Metadata

from tests.live.hosts import Host as Host
from tests.live.hosts import closed as closed
from tests.live.hosts import forge
from tests.live.hosts import host as host
from tests.live.hosts import made as made
from tests.live.material import now, snapshot
from withhold.live import LiveStatus, Publisher
from withhold.live.repository import LIFETIMES, SIGNED


def test_rules_that_are_known_but_not_sent_are_missed(host, tmp_path):
    host.made.publish(1, 2)
    (host.made.folder / "targets").rename(tmp_path / "targets")
    (host.made.folder / "targets").touch()
    assert (host.fetch(), host.fetcher.status().pending) == ("refused store-unavailable", 3)
    host.made.folder.rename(tmp_path / "away")
    for _ in range(2):
        assert host.fetch() == "refused store-unavailable", "also once the source does not answer at all"
        assert (host.version, host.fetcher.status().pending) == (2, 3)
        host = host.again()
    (tmp_path / "away").rename(host.made.folder)
    (host.made.folder / "targets").unlink()
    (tmp_path / "targets").rename(host.made.folder / "targets")
    assert (host.fetch(), host.accounts, host.fetcher.status().pending) == ("fresh", [1, 2], None)


def test_refused_rules_stay_refused_while_the_source_is_away(host, tmp_path):
    forge(host.made, content=b"no snapshot")
    assert host.fetch() == "refused undecodable"
    host.made.folder.rename(tmp_path / "away")
    assert host.fetch() == "refused store-unavailable"


def test_a_spool_of_another_rule_set_is_not_fresh(host, tmp_path):
    Publisher(host.made.url, host.made.root, name="others").publish(snapshot(7), [*host.made.persons, host.made.online])
    assert (host.fetch(), host.version) == ("fresh", 3), "the version is that of the store"
    host = host.again(name="others")
    assert (host.fetch(), host.version, host.accounts) == ("fresh", 3, [7])


def test_the_largest_version_does_not_use_up_the_versions(host):
    def enlarge(targets):
        targets.version = 10**18

    forge(host.made, enlarge)
    for _ in range(2):
        assert (host.fetch(), host.version, host.accounts) == ("refused bad-metadata", 2, [1])
    assert len(list(host.spool.glob("*.wh"))) == 1


@pytest.mark.parametrize(
    "signed",
    [5, None, "", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00", "9" * 5000],
)
def test_a_time_of_signature_that_is_no_instant_follows_from_the_expiry(host, signed):
    sign_timestamp(host.made, signed)
    status = host.fetcher.fetch()
    assert (str(status.state), status.signed) == ("fresh", status.expires - LIFETIMES["timestamp"])


@pytest.mark.parametrize(("signed", "state"), [("0001-01-01T00:00:00Z", "fresh"), ("9999-12-31T23:59:59Z", "stale")])
def test_any_instant_may_be_a_time_of_signature(host, signed, state):
    sign_timestamp(host.made, signed)
    assert host.fetch() == state


def sign_timestamp(made, signed):
    """Replace the timestamp by the next one, which was signed at another time."""
    path = made.folder / "metadata" / "timestamp.json"
    timestamp = Metadata.from_bytes(path.read_bytes())
    timestamp.signed.version += 1
    timestamp.signed.unrecognized_fields[SIGNED] = signed
    timestamp.sign(made.online)
    timestamp.to_file(str(path))


def test_every_instant_in_a_status_has_a_state():
    for text in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        status = LiveStatus.model_validate({"version": 1, "signed": text, "expires": text})
        assert str(status.at(now()).state) == "stale"
        assert status.to_dict()["signed"] == text
    with pytest.raises(ValueError, match="out of range in UTC"):
        LiveStatus.model_validate({"signed": "0001-01-01T00:00:00+14:00"})


def test_foreign_files_in_the_spool_are_left_alone(host):
    foreign = ["1.0123456789abcdef.wh", "9.0123456789abcdef.wh"]
    for name in foreign:
        (host.spool / name).mkdir()
    (host.spool / "notes.txt").touch()
    host.made.publish(1, 2)
    assert (host.fetch(), host.version, host.accounts) == ("fresh", 3, [1, 2])
    assert all((host.spool / name).exists() for name in (*foreign, "notes.txt"))
    assert len(list(host.spool.glob("2.*"))) == 1, "the version before is kept"


@pytest.mark.parametrize("replaced", ["lock", "spool", "link"])
def test_two_fetchers_never_share_a_spool(host, tmp_path, replaced):
    if replaced == "lock":
        (host.spool / "lock").unlink()
    else:
        host.spool.rename(tmp_path / "moved")
        if replaced == "link":
            shutil.copytree(tmp_path / "moved", tmp_path / "copy", symlinks=True)
            host.spool.symlink_to(tmp_path / "copy")
    second = Host(host.made, host.spool)
    host.made.publish(1, 2)
    assert (second.fetch(), second.version) == ("fresh", 3)
    assert (host.fetch(), host.version) == ("fresh", 3)
    assert [each.fetcher._lock is not None for each in (host, second)] == [False, True]
    second.fetcher.close()
    host.made.publish(1, 2, 3)
    assert (host.fetch(), host.accounts) == ("fresh", [1, 2, 3])


def test_clocks_that_jump_make_rules_stale_and_fresh_again(host):
    clock = [now()]
    host = host.again(clock=lambda: clock[0])
    assert host.fetch() == "fresh"
    signed, expires = host.fetcher.status().signed, host.fetcher.status().expires
    for instant, state in ((expires, "stale"), (signed - LIFETIMES["root"], "stale"), (signed, "fresh")):
        clock[0] = instant
        assert (host.fetch(), host.accounts) == (state, [1])
