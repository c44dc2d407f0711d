"""What publishers leave behind when they are interrupted, what others leave in a store, and what is removed."""

from __future__ import annotations

import os

import pytest

from tests.live.hosts import Host as Host
from tests.live.hosts import closed as closed
from tests.live.hosts import host as host
from tests.live.hosts import interrupted, steps_of
from tests.live.hosts import made as made
from tests.live.material import Material, now, snapshot
from withhold import LiveError
from withhold.errors import Problem
from withhold.live import create_repository
from withhold.live.store import Store


def age(folder):
    """Make every file of a store old enough to be removed."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (1, 1))


@pytest.mark.parametrize("persons", [1, 2])
def test_publishing_may_be_interrupted_before_any_write(tmp_path, monkeypatch, persons):
    made = Material(tmp_path / "repository", persons=persons, threshold=persons)
    made.publish(1)
    host = Host(made, tmp_path / "spool")
    assert host.fetch() == "fresh"
    for account in (2, 3):
        age(made.folder)  # so that there is something to remove
        made.publish(1, account, keep=1)
    first, second = made.persons[0], made.persons[-1]

    def publish():
        pending = made.publisher.publish(snapshot(1, 9), [first, made.online], keep=1).pending
        if pending is not None:
            made.publisher.sign(made.publisher.pending(pending), [second, made.online], keep=1)

    steps = 0
    while True:
        age(made.folder)
        try:
            with interrupted(monkeypatch, steps):
                publish()
        except KeyboardInterrupt:
            steps += 1
        else:
            break
        assert (host.fetch(), host.accounts in ([1, 3], [1, 9])) == ("fresh", True)
        made.publisher.refresh([made.online])
        made.publish(1, 3, keep=1)
        assert (host.fetch(), host.accounts) == ("fresh", [1, 3])
    assert steps > 6
    age(made.folder)
    publish()
    assert (host.fetch(), host.accounts) == ("fresh", [1, 9])
    assert len(list((made.folder / "targets").iterdir())) == 1, "no file remains of an interrupted attempt"
    assert not list((made.folder / "pending").glob("*"))


def test_a_signature_that_was_interrupted_is_repeated(tmp_path, monkeypatch):
    made = Material(tmp_path / "repository", persons=2, threshold=2)
    first, second = made.persons
    name = made.publisher.publish(snapshot(1), [first]).pending or ""
    draft = made.publisher.pending(name)
    steps = steps_of(made, lambda: made.publisher.sign(draft, [second, made.online]))
    for step in range(steps - 1):
        with interrupted(monkeypatch, step), pytest.raises(KeyboardInterrupt):
            made.publisher.sign(made.publisher.pending(name), [second, made.online])
        if made.live_accounts():
            return
    made.publisher.sign(made.publisher.pending(name), [second, made.online])
    assert made.live_accounts() == [1]


def test_a_repository_that_was_made_in_part_is_refused_everywhere(tmp_path, monkeypatch):
    for step in range(1, 4):
        made = Material(tmp_path / str(step))
        folder = tmp_path / f"part-{step}"
        public = {"root": [made.root_key.public_key], "online": [made.online.public_key]}
        public["targets"] = [made.persons[0].public_key]
        with interrupted(monkeypatch, step), pytest.raises(KeyboardInterrupt):
            create_repository(folder.as_uri(), made.all, public)
        with pytest.raises(LiveError, match=r"\[repository-exists\]"):
            create_repository(folder.as_uri(), made.all, public)
        made.publisher.store = made.publisher.repository.store = Store(folder.as_uri())
        with pytest.raises(LiveError, match=r"\[(no-repository|not-signed)\]"):
            made.publisher.live()


FOREIGN = [
    *("pending/README", "pending/.DS_Store", "pending/1-2.json", "pending/99-100.0123456789abcdef.json"),
    *("metadata/foo.targets.json", "metadata/99.targets.json", "metadata/\u00b2.targets.json", "metadata/notes"),
    *("metadata/50.snapshot.json", "metadata/.targets.json", f"metadata/{'9' * 200}.targets.json", "targets/notes"),
]


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000, b'{"signed": {"_type": "targets"}}'])
def test_foreign_files_in_a_store_stop_nobody(host, content):
    made = host.made
    for name in FOREIGN:
        (made.folder / name).parent.mkdir(exist_ok=True)
        (made.folder / name).write_bytes(content)
    age(made.folder)
    for account in (2, 3):
        made.publish(1, account, keep=1)
        made.publisher.refresh([made.online])
        assert (host.fetch(), host.accounts) == ("fresh", [1, account])


def test_what_was_published_is_published_even_if_nothing_can_be_removed(made, monkeypatch, caplog):
    age(made.folder)

    def fail(*_):
        raise LiveError(Problem("store-unavailable", "the store failed"))

    monkeypatch.setattr(Store, "delete", fail)
    for account in (2, 3):
        made.publish(1, account, keep=1)
        age(made.folder)
    assert made.live_accounts() == [1, 3]
    assert "old versions were not removed" in caplog.text


def test_the_live_snapshot_is_never_removed(host):
    made = host.made
    for version in range(100, 130):
        (made.folder / "metadata" / f"{version}.snapshot.json").write_bytes(b"{}")
    age(made.folder)
    clock = now()
    publisher = made.at(lambda: clock)
    for account in (2, 3):
        publisher.publish(snapshot(1, account), [*made.persons, made.online])
        age(made.folder)
    assert (host.fetch(), host.accounts) == ("fresh", [1, 3])


def test_what_a_pending_version_needs_stays(tmp_path):
    made = Material(tmp_path / "repository", persons=2, threshold=2)
    first, second = made.persons
    made.publish(1)
    names = [made.publisher.publish(snapshot(1, account), [first]).pending or "" for account in (2, 3)]
    age(made.folder)
    made.publisher._prune(2, 1)
    drafts = [made.publisher.pending(name) for name in names]
    assert [draft.snapshot.rules for draft in drafts] == [snapshot(1, 2).rules, snapshot(1, 3).rules]
    made.publisher.sign(drafts[1], [second, made.online])
    assert made.live_accounts() == [1, 3]
    with pytest.raises(LiveError, match=r"\[(no-pending|publish-moved)\]"):
        made.publisher.sign(drafts[0], [second, made.online])
