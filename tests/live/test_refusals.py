"""Everything that a host refuses. In every case the rules in use stay."""

from __future__ import annotations

import shutil
from datetime import timedelta
from itertools import islice

import pytest
import zstandard

from tests.live.hosts import Host as Host
from tests.live.hosts import closed as closed
from tests.live.hosts import fetcher, forge
from tests.live.hosts import host as host
from tests.live.hosts import in_memory as in_memory
from tests.live.hosts import made as made
from tests.live.material import Material, key, now, snapshot
from withhold.live import Publisher, change_keys
from withhold.live.release import object_path


@pytest.mark.parametrize("accounts", [[], [1, 2, 3]])
def test_rules_that_lose_too_much_are_refused_unless_it_is_signed(made, tmp_path, accounts):
    made.publish(*range(1, 21))
    host = Host(made, tmp_path / "spool")
    assert host.fetch() == "fresh"
    small = snapshot(*accounts)
    monkey = pytest.MonkeyPatch()
    monkey.setattr(Publisher, "_check_loss", lambda *_: None)
    made.publisher.publish(small, [*made.persons, made.online])
    monkey.undo()
    assert (host.fetch(), host.accounts, host.version) == ("refused shrunk", [*range(1, 21)], 3)
    assert host.fetcher.status().pending == 4
    assert not list(host.spool.glob("4.*"))
    made.publish(*accounts, may_shrink=True)
    assert (host.fetch(), host.accounts) == ("fresh", accounts)


def test_an_empty_first_rule_set_is_refused_unless_it_is_signed(tmp_path, monkeypatch):
    made = Material(tmp_path / "repository")
    host = Host(made, tmp_path / "spool")
    assert (host.fetch(), host.accounts) == ("fallback nothing-published", None)
    monkeypatch.setattr(Publisher, "_check_loss", lambda *_: None)
    made.publish(may_shrink=False)
    assert (host.fetch(), host.accounts) == ("fallback shrunk", None)
    made.publish(may_shrink=True)
    assert (host.fetch(), host.accounts) == ("fresh", [])


@pytest.mark.parametrize("forgotten", [False, True])
def test_older_rules_are_refused(host, forgotten):
    old = host.spool.with_name("old")
    shutil.copytree(host.made.folder, old)
    host.made.publish(1, 2)
    assert host.fetch() == "fresh"
    shutil.rmtree(host.made.folder)
    shutil.copytree(old, host.made.folder)
    if forgotten:  # somebody has removed what python-tuf remembers
        shutil.rmtree(host.spool / "metadata")
        host = host.again()
    assert (host.fetch(), host.accounts, host.version) == ("refused rolled-back", [1, 2], 3)


def test_metadata_that_nobody_signs_anew_become_stale(tmp_path):
    ago = now() - timedelta(hours=2)
    made = Material(tmp_path / "repository", clock=lambda: ago)
    made.publish(1)
    host = Host(made, tmp_path / "spool")
    assert (host.fetch(), host.accounts) == ("fallback metadata-expired", None)
    made.at(now).refresh([made.online])
    assert (host.fetch(), host.accounts) == ("fresh", [1])
    for later, state in ((20, "fresh"), (59, "fresh"), (61, "stale"), (-4, "fresh"), (-6, "stale")):
        status = host.fetcher.status().at(now() + timedelta(minutes=later))
        assert str(status.state) == state, later
        assert status.version == 2, "serving goes on"


def test_a_source_that_keeps_new_metadata_back_is_noticed(host, caplog):
    host = host.again(clock=lambda: now() + timedelta(minutes=40))
    assert host.fetch() == host.fetch() == "fresh"
    assert caplog.text.count("will be stale at") == 1, "half of the time has passed"
    host = host.again(clock=lambda: now() + timedelta(minutes=61))
    assert (host.fetch(), host.accounts) == ("stale", [1])
    host.made.publish(1, 2)
    assert (host.fetch(), host.version, host.accounts) == ("stale", 3, [1, 2]), "what is valid is still installed"


@pytest.mark.parametrize("file", ["timestamp", "2.snapshot", "2.targets", "1.root"])
def test_files_of_two_versions_are_not_mixed(host, file):
    old = (host.made.folder / "metadata" / f"{file}.json").read_bytes()
    host.made.publish(1, 2)
    newer = {"2.snapshot": "3.snapshot", "2.targets": "3.targets", "1.root": "2.root"}.get(file, file)
    (host.made.folder / "metadata" / f"{newer}.json").write_bytes(old)
    found = host.fetch()
    assert found.split()[0] in ("refused", "fresh")
    assert host.accounts == [1]


@pytest.mark.parametrize("part", range(2))
@pytest.mark.parametrize("file", ["2.root.json", "timestamp.json", "3.snapshot.json", "3.targets.json", "rules"])
def test_no_flipped_byte_of_a_file_is_installed(in_memory, file, part):
    made = Material(in_memory / "repository")
    made.publish(1)
    host = Host(made, in_memory / "spool")
    host.fetch()
    before = in_memory / "before"
    host.fetcher.close()
    shutil.copytree(host.spool, before, symlinks=True)
    change_keys(made.publisher.repository, "root", made.all)
    made.publish(1, 2)
    target = made.publisher.live().target
    assert target is not None
    path = made.folder / object_path(target) if file == "rules" else made.folder / "metadata" / file
    content = path.read_bytes()
    refusals = tried = 0
    host = Host(made, host.spool)
    for at, flipped in islice(flips(content), part, None, 2):
        tried += 1
        path.write_bytes(flipped)
        host.fetcher._failure = None  # otherwise it would wait before it tries the rules again
        found = host.fetch()
        if found != "fresh":
            assert (host.spool / "current").readlink().name.startswith("2."), (at, found)
            refusals += 1
            continue
        assert host.accounts == [1, 2], "as after `a` became `A` in a signature"
        host.fetcher.close()
        shutil.rmtree(host.spool)
        shutil.copytree(before, host.spool, symlinks=True)
        host = Host(made, host.spool)
    assert refusals > 0.9 * tried
    assert host.accounts == [1]
    path.write_bytes(content)
    assert (host.fetch(), host.accounts) == ("fresh", [1, 2])


def flips(content):
    """Yield content with a bit of each byte flipped, and the position of the byte."""
    for at, byte in enumerate(content):
        flipped = bytearray(content)
        flipped[at] = byte ^ 1 << at % 8
        yield at, bytes(flipped)


def test_no_flipped_byte_of_the_trusted_root_changes_what_is_trusted(in_memory):
    made = Material(in_memory / "repository")
    made.publish(1)
    host = Host(made, in_memory / "spool")
    refusals = 0
    for at, host.fetcher._trusted_root in flips(made.root):
        found = host.fetch()
        if found == "fresh":
            assert host.accounts == [1], at
            shutil.rmtree(host.spool)
        else:
            refusals += 1
            assert found.startswith("fallback ")
            assert not list(host.spool.glob("*.wh")), at
    assert refusals > 0.9 * len(made.root)


def test_the_root_of_another_repository_is_not_trusted(made, tmp_path):
    other = Material(tmp_path / "other")
    other.publish(7)
    host = Host(other, tmp_path / "spool")
    host.fetcher = fetcher(other.url, tmp_path / "spool", made.root)
    assert (host.fetch(), host.accounts) == ("fallback not-signed", None)
    for root in (b"", b"{}", made.root[:-9], b"[" * 100_000):
        host.fetcher.close()
        host.fetcher = fetcher(made.url, tmp_path / "spool", root)
        assert (host.fetch(), host.accounts) == ("fallback bad-metadata", None)


def test_a_revoked_key_publishes_nothing(tmp_path):
    made = Material(tmp_path / "repository", persons=2)
    first, _ = made.persons
    made.publish(1)
    host = Host(made, tmp_path / "spool")
    host.fetch()
    change_keys(made.publisher.repository, "targets", made.all, revoke=[first.public_key.keyid])
    assert host.fetch() == "fresh"
    forge(made, signers=[first])
    assert (host.fetch(), host.accounts) == ("refused not-signed", [1])


def test_the_threshold_is_of_different_keys(tmp_path):
    made = Material(tmp_path / "repository", persons=2, threshold=2)
    made.publish(1)
    host = Host(made, tmp_path / "spool")
    assert host.fetch() == "fresh"
    first, _ = made.persons
    forge(made, signers=[first, first])
    assert (host.fetch(), host.accounts) == ("refused not-signed", [1])


def test_a_stranger_and_the_online_key_publish_nothing(host):
    forge(host.made, signers=[key(), host.made.online])
    assert (host.fetch(), host.accounts) == ("refused not-signed", [1])


def test_more_than_was_signed_is_neither_downloaded_nor_unpacked(host):
    made = host.made
    made.publish(1, 2)
    path = made.folder / object_path(made.publisher.live().target)
    with path.open("ab") as file:
        file.write(bytes(1 << 20))
    assert (host.fetch(), host.accounts) == ("refused larger-than-allowed", [1])
    path.unlink()
    host = host.again()
    assert (host.fetch(), host.accounts) == ("refused wrong-content", [1])
    host = host.again(largest=100)
    assert (host.fetch(), host.accounts) == ("refused larger-than-allowed", [1])


@pytest.mark.parametrize(
    ("packed", "code"),
    [
        (zstandard.compress(bytes(50 << 20)), "larger-than-allowed"),
        (zstandard.compress(b"short"), "wrong-content"),
        (b"PK\x03\x04", "undecodable"),
        (b"", "wrong-content"),
    ],
    ids=["bomb", "short", "zip", "nothing"],
)
def test_what_does_not_unpack_to_what_was_signed_is_refused(host, packed, code):
    forge(host.made, content=packed)
    assert (host.fetch(), host.accounts) == (f"refused {code}", [1])
    assert max(path.stat().st_size for path in host.spool.iterdir()) < 10_000, "nothing remains"


def test_a_file_that_needs_much_memory_to_unpack_is_refused(host, tmp_path):
    live = host.made.publisher.snapshot(host.made.publisher.live())
    live.save(tmp_path / "plain")
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    plain = (tmp_path / "plain").read_bytes()
    forge(host.made, content=compressor.compress(plain) + compressor.flush())
    assert (host.fetch(), host.accounts) == ("refused undecodable", [1])


def test_other_bytes_that_unpack_to_the_same_rules_are_refused(host):
    host.made.publish(1, 2)
    path = host.made.folder / object_path(host.made.publisher.live().target)
    content = path.read_bytes()
    for level in range(4, 20):
        other = zstandard.compress(zstandard.decompress(content), level)
        if len(other) <= len(content) and other != content:
            path.write_bytes(other)
            assert (host.fetch(), host.accounts) == ("refused wrong-content", [1])
            return
    pytest.fail("no level gives other bytes")


@pytest.mark.parametrize("field", ["revision", "rules", "accounts", "bytes", "sha256"])
def test_a_snapshot_that_is_not_as_described_is_refused(host, field):
    def change(targets):
        custom = targets.targets["rules.wh.zst"].unrecognized_fields["custom"]
        custom[field] = custom[field] + 1 if isinstance(custom[field], int) else "0" * len(custom[field])

    forge(host.made, change)
    assert (host.fetch(), host.accounts) == ("refused wrong-content", [1])


def test_a_description_that_is_not_understood_is_refused(host):
    def change(targets):
        targets.targets["rules.wh.zst"].unrecognized_fields["custom"]["rules"] = "many"

    forge(host.made, change)
    assert (host.fetch(), host.accounts) == ("refused bad-metadata", [1])
    host = host.again(name="others")
    assert (host.fetch(), host.accounts) == ("refused wrong-name", [1])
