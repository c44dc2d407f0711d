"""Changes of keys that race publishers, that are interrupted, and that follow a theft."""

from __future__ import annotations

import pytest
from tuf.api.metadata import Metadata

from tests.live.hosts import Host as Host
from tests.live.hosts import closed as closed
from tests.live.hosts import forge, interrupted, steps_of
from tests.live.hosts import host as host
from tests.live.hosts import made as made
from tests.live.material import Material, key, snapshot
from withhold import LiveError
from withhold.live import ROLES, change_keys
from withhold.live.repository import serialized
from withhold.live.store import Store


def refused(code):
    return pytest.raises(LiveError, match=rf"\[{code}\]")


def key_of(made, role):
    return {"root": made.root_key, "targets": made.persons[0], "online": made.online}[role]


@pytest.mark.parametrize("role", ROLES)
def test_the_number_of_keys_that_must_sign_is_raised_and_lowered(host, role):
    made, new = host.made, key()
    repository, signers = made.publisher.repository, [*made.all, new]
    with refused("threshold-unmet" if role != "targets" else "not-a-key-of-the-role|threshold-unmet"):
        change_keys(repository, role, made.all, add=[new.public_key], threshold=2)
    assert (host.fetch(), made.live_accounts()) == ("fresh", [1])
    change_keys(repository, role, signers, add=[new.public_key], threshold=2)
    assert (host.fetch(), made.live_accounts()) == ("fresh", [1])
    made.publisher.publish(snapshot(1, 2), signers)
    assert (host.fetch(), host.accounts) == ("fresh", [1, 2])
    change_keys(repository, role, signers, revoke=[key_of(made, role).public_key.keyid], threshold=1)
    signers.remove(key_of(made, role))
    made.publisher.publish(snapshot(1, 2, 3), signers)
    assert (host.fetch(), host.accounts) == ("fresh", [1, 2, 3])


@pytest.mark.parametrize("role", ROLES)
def test_a_key_is_added_and_another_revoked_in_one_step(host, role):
    made, new = host.made, key()
    old = key_of(made, role).public_key.keyid
    change_keys(made.publisher.repository, role, [*made.all, new], add=[new.public_key], revoke=[old])
    assert (host.fetch(), made.live_accounts()) == ("fresh", [1])


@pytest.fixture
def two(tmp_path):
    """A host, and a repository with two persons, of whom the second has published."""
    made = Material(tmp_path / "repository", persons=2)
    made.publisher.publish(snapshot(1), [made.persons[1], made.online])
    host = Host(made, tmp_path / "spool")
    assert host.fetch() == "fresh"
    return host


def before_writing(monkeypatch, beginning, action):
    """Do something once, before a file is written whose path has a certain beginning."""
    done: list[str] = []
    for name in ("put", "create"):
        plain = getattr(Store, name)

        def write(self, path, content, plain=plain):
            if path.startswith(beginning) and not done:
                done.append(path)
                action()
            return plain(self, path, content)

        monkeypatch.setattr(Store, name, write)
    return done


@pytest.mark.parametrize("beginning", ["targets/", "metadata/3.targets", "metadata/3.snapshot"])
def test_nothing_is_published_with_a_key_that_is_revoked_meanwhile(two, monkeypatch, beginning):
    made = two.made
    first = made.persons[0]
    repository = made.publisher.repository
    done = before_writing(
        monkeypatch,
        beginning,
        lambda: change_keys(repository, "targets", made.all, revoke=[first.public_key.keyid]),
    )
    with refused("publish-moved"):
        made.publisher.publish(snapshot(1, 2), [first, made.online])
    assert done
    assert (two.fetch(), made.live_accounts()) == ("fresh", [1])


def test_what_a_revoked_key_publishes_at_the_last_moment_is_taken_back(two, monkeypatch):
    made = two.made
    first = made.persons[0]
    done = before_writing(
        monkeypatch, "metadata/2.root", lambda: made.publisher.publish(snapshot(1, 2), [first, made.online])
    )
    change_keys(made.publisher.repository, "targets", made.all, revoke=[first.public_key.keyid])
    assert done
    assert (two.fetch(), made.live_accounts()) == ("fresh", [1])


def without_timestamp(made):
    (made.folder / "metadata" / "timestamp.json").unlink()


def damaged_timestamp(made):
    (made.folder / "metadata" / "timestamp.json").write_bytes(b"[" * 100_000)


def without_targets(made):
    (made.folder / "metadata" / f"{made.publisher.live().version}.targets.json").unlink()


def forged_targets(made):
    forge(made, signers=[key()])


def other_files(made):
    forged_targets(made)
    for name in (
        "9.targets.json",
        "x.targets.json",
        "\u00b2.targets.json",
        "9.snapshot.json",
        f"{'8' * 90}.snapshot.json",
    ):
        (made.folder / "metadata" / name).write_bytes(b"{")


def last_timestamp(made):
    path = made.folder / "metadata" / "timestamp.json"
    timestamp = Metadata.from_bytes(path.read_bytes())
    timestamp.signed.version = 10**30
    path.write_bytes(serialized(made.publisher.repository.sign(read_root(made), timestamp, [made.online])))
    forged_targets(made)


def read_root(made):
    return made.publisher.repository.read_root().signed


@pytest.mark.parametrize(
    "steal",
    [without_timestamp, damaged_timestamp, forged_targets, other_files, last_timestamp],
)
def test_after_the_theft_of_the_online_key_a_new_one_makes_the_rules_live_again(host, steal):
    made, new = host.made, key()
    made.publish(1, 2)
    assert host.fetch() == "fresh"
    steal(made)
    assert host.fetch() != "fresh"
    assert host.accounts == [1, 2]
    repository = made.publisher.repository
    with pytest.raises(LiveError):
        made.publish(1, 2, 3)
    signers = [*made.all, new]
    with pytest.raises(LiveError):
        change_keys(repository, "targets", signers, add=[new.public_key])
    change_keys(repository, "online", signers, add=[new.public_key])
    change_keys(repository, "online", signers, revoke=[made.online.public_key.keyid])
    assert (host.fetch(), host.accounts, made.live_accounts()) == ("fresh", [1, 2], [1, 2])
    made.publisher.publish(snapshot(1, 2, 3), [*made.persons, new])
    assert (host.fetch(), host.accounts) == ("fresh", [1, 2, 3])


def test_rules_that_a_thief_has_removed_are_not_replaced_by_older_ones_on_a_host(host):
    made, new = host.made, key()
    made.publish(1, 2)
    assert host.fetch() == "fresh"
    without_targets(made)
    signers = [*made.all, new]
    change_keys(made.publisher.repository, "online", signers, add=[new.public_key])
    change_keys(made.publisher.repository, "online", signers, revoke=[made.online.public_key.keyid])
    assert made.live_accounts() == [1], "they are gone"
    assert (host.fetch(), host.accounts) == ("refused rolled-back", [1, 2])


@pytest.mark.parametrize("role", ROLES)
def test_a_change_of_keys_may_be_interrupted_before_any_write(two, tmp_path, monkeypatch, role):
    made, new = two.made, key()
    repository = made.publisher.repository
    signers = [*made.all, new]
    if role == "targets":  # what is live must be signed again
        made.publisher.publish(snapshot(1), [made.persons[0], made.online])
    for options in ({"add": [new.public_key]}, {"revoke": [key_of(made, role).public_key.keyid]}):

        def change(options=options):
            change_keys(repository, role, signers, **options)

        for step in range(steps_of(made, change)):
            with interrupted(monkeypatch, step), pytest.raises(KeyboardInterrupt):
                change()
            assert (two.fetch(), made.live_accounts()) == ("fresh", [1])
            made.publisher.refresh([made.online])
        change()
    assert (two.fetch(), made.live_accounts()) == ("fresh", [1])


def test_nothing_is_written_where_there_is_no_repository(made, tmp_path):
    (tmp_path / "elsewhere" / "metadata").mkdir(parents=True)
    publisher = type(made.publisher)((tmp_path / "elsewhere").as_uri(), made.root)
    with refused("no-repository"):
        change_keys(publisher.repository, "online", made.all, add=[key().public_key])
    assert not list((tmp_path / "elsewhere" / "metadata").iterdir())


@pytest.mark.parametrize("damage", [without_timestamp, damaged_timestamp])
def test_hosts_follow_when_one_of_several_online_keys_is_replaced_after_damage(host, damage):
    """They have not forgotten the version of the timestamp, because the other key is still valid."""
    made, second, new = host.made, key(), key()
    change_keys(made.publisher.repository, "online", made.all, add=[second.public_key])
    for _ in range(3):
        made.publish(1, 2)
    assert host.fetch() == "fresh"
    damage(made)
    change_keys(
        made.publisher.repository,
        "online",
        [*made.all, new],
        add=[new.public_key],
        revoke=[second.public_key.keyid],
    )
    assert (host.fetch(), host.accounts) == ("fresh", [1, 2])
