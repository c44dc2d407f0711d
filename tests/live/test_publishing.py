"""Publishing: what readers see, who must sign, what is refused, and writers that race."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from tests.live.material import Material, key, now, snapshot
from withhold import LiveError
from withhold.live import Publisher, change_keys
from withhold.live.release import object_path
from withhold.live.repository import LIFETIMES, SIGNED
from withhold.live.store import Store
from withhold.live.trusted import read_trusted


@pytest.fixture
def made(tmp_path):
    return Material(tmp_path / "repository")


@pytest.fixture
def two(tmp_path):
    """A repository in which two of two persons must sign."""
    return Material(tmp_path / "repository", persons=2, threshold=2)


def refused(code):
    return pytest.raises(LiveError, match=rf"\[{code}\]")


def revision(made):
    """Return the revision that readers see."""
    release = made.publisher.live().release
    return None if release is None else release.revision


def after_each_write(monkeypatch, check):
    """Call `check` after each change of a store."""
    for name in ("put", "create", "swap", "delete"):
        plain = getattr(Store, name)

        def changed(self, *arguments, plain=plain, name=name):
            found = plain(self, *arguments)
            check(name, arguments[0])
            return found

        monkeypatch.setattr(Store, name, changed)


def test_readers_see_what_was_published(made):
    assert made.live_accounts() == []
    due = datetime(2026, 12, 1, 12, tzinfo=UTC)
    found = made.publisher.publish(snapshot(1, 2), [*made.persons, made.online], act_by=due)
    assert (found.version, found.pending) == (2, None)
    live = made.publisher.live()
    assert live.release == found.release
    assert (live.release.rules, live.release.accounts, live.release.tweets, live.release.act_by) == (2, 2, 0, due)
    assert made.publisher.snapshot(live).rules == snapshot(1, 2).rules
    assert made.publish(1, 2, 3) == 3
    assert made.live_accounts() == [1, 2, 3]


def test_readers_never_see_half_a_change(made, monkeypatch):
    made.publish(1)
    seen = []
    after_each_write(monkeypatch, lambda *_: seen.append(made.live_accounts()))
    made.publish(1, 2)
    assert seen == sorted(seen)
    assert ([1] in seen, seen[-1]) == (True, [1, 2])


def test_rules_of_which_too_much_is_lost_are_refused(made):
    with refused("shrunk"):
        made.publish(may_shrink=False)
    assert made.publish(*range(1, 21), may_shrink=False) == 2
    with refused("shrunk"):
        made.publish(*range(1, 18), may_shrink=False)
    with refused("shrunk"):
        made.publish(may_shrink=False)
    assert made.publish(*range(1, 19), may_shrink=False) == 3
    assert made.publisher.live().release.may_shrink == 0
    assert made.publish(may_shrink=True) == 4
    assert made.publish(1, may_shrink=False) == 5
    assert made.publisher.live().release.may_shrink == 4, "hosts that have version 3 must accept it too"


def test_nothing_is_published_over_what_nobody_looked_at(made):
    made.publish(1)
    with refused("publish-moved"):
        made.publish(1, 2, based_on=1)
    assert made.publish(1, 2, based_on=2) == 3


def test_of_two_publishers_one_is_refused(made, monkeypatch):
    made.publish(1)
    raced: list[object] = []

    def race(name, path):
        if path.endswith("3.targets.json") and not raced:
            raced.append(path)
            raced.append(made.at(now).publish(snapshot(1, 7), [*made.persons, made.online]).version)

    after_each_write(monkeypatch, race)
    with refused("publish-moved"):
        made.publish(1, 2)
    assert (raced[1], made.live_accounts()) == (4, [1, 7])


@pytest.mark.parametrize("step", range(5))
def test_a_refresher_that_races_a_publisher_breaks_nobody(made, monkeypatch, step):
    made.publish(1)
    writes = []

    def race(name, path):
        writes.append(path)
        if len(writes) == step + 1:
            made.publisher.refresh([made.online])
            assert made.live_accounts() in ([1], [1, 2])

    after_each_write(monkeypatch, race)
    assert made.publish(1, 2) == 3
    assert made.live_accounts() == [1, 2]


def test_a_timestamp_is_swapped_only_for_the_one_that_was_read(made):
    store = made.publisher.store
    before = store.get("metadata/timestamp.json")
    made.publisher.refresh([made.online])
    assert not store.swap("metadata/timestamp.json", before, b"{}")
    assert made.publisher.live().version == 1


def test_two_persons_publish_together(two):
    first, second = two.persons
    pending = two.publisher.publish(snapshot(1), [first], may_shrink=True)
    assert (pending.version, two.live_accounts()) == (2, [])
    draft = two.publisher.pending(pending.pending)
    assert draft.snapshot.rules == snapshot(1).rules
    done = two.publisher.sign(draft, [second, two.online])
    assert (done.version, done.pending, two.live_accounts()) == (2, None, [1])
    assert [(each.signatures, each.threshold) for each in (pending, done)] == [(1, 2), (2, 2)]


def test_one_person_is_not_two(two):
    first, second = two.persons
    name = two.publisher.publish(snapshot(1), [first, first, two.online]).pending
    for _ in range(2):
        again = two.publisher.sign(two.publisher.pending(name), [first, two.online])
        assert again.pending == name
    with refused("not-a-key-of-the-role"):
        two.publisher.sign(two.publisher.pending(name), [key(), two.online])
    with refused("threshold-unmet"):  # the online key is missing, so nothing may be written yet
        two.publisher.sign(two.publisher.pending(name), [second])
    assert two.live_accounts() == []
    assert two.publisher.sign(two.publisher.pending(name), [second, two.online]).pending is None


def test_a_pending_version_is_refused_once_something_else_is_live(two):
    first, second = two.persons
    name = two.publisher.publish(snapshot(1), [first]).pending
    draft = two.publisher.pending(name)
    two.publisher.publish(snapshot(7), [first, second, two.online])
    with refused("publish-moved"):
        two.publisher.sign(draft, [second, two.online])
    with refused("no-pending"):
        two.publisher.pending(name + "x")
    assert two.live_accounts() == [7]


def test_the_second_person_signs_what_they_looked_at(two):
    first, second = two.persons
    name = two.publisher.publish(snapshot(1), [first]).pending
    draft = two.publisher.pending(name)
    other = two.publisher.publish(snapshot(2), [first]).pending
    path = two.folder / "pending" / f"{name}.json"
    path.write_bytes((two.folder / "pending" / f"{other}.json").read_bytes())
    two.publisher.sign(draft, [second, two.online])
    assert two.live_accounts() == [1]


def test_persons_who_sign_at_the_same_time_lose_no_signature(tmp_path, monkeypatch):
    made = Material(tmp_path / "repository", persons=4, threshold=4)
    first, *others = made.persons
    name = made.publisher.publish(snapshot(1), [first]).pending or ""
    drafts = [made.publisher.pending(name) for _ in others]
    plain = Store.swap

    def swap(self, path, before, content):
        if path.startswith("pending/") and len(drafts) == 2:  # the second person signs while the first one writes
            made.publisher.sign(drafts.pop(), [others[1]])
        return plain(self, path, before, content)

    monkeypatch.setattr(Store, "swap", swap)
    assert made.publisher.sign(drafts.pop(), [others[0]]).pending == name
    assert made.publisher.sign(drafts.pop(), [others[2], made.online]).pending is None
    assert made.live_accounts() == [1]


def test_rules_that_every_host_would_refuse_are_not_signed(two):
    first, _ = two.persons
    name = two.publisher.publish(snapshot(1), [first]).pending
    path = two.folder / "pending" / f"{name}.json"
    content = json.loads(path.read_bytes())
    content["signed"]["targets"]["rules.wh.zst"]["custom"]["accounts"] += 1
    path.write_text(json.dumps(content))
    with refused("wrong-content"):
        two.publisher.pending(name)


@pytest.mark.parametrize("change", ["other", "expires", "soon", "may_shrink", "version", "delegations"])
def test_a_pending_version_changes_nothing_that_the_signer_does_not_see(two, change):
    first, _ = two.persons
    name = two.publisher.publish(snapshot(1), [first]).pending
    path = two.folder / "pending" / f"{name}.json"
    content = json.loads(path.read_bytes())
    signed = content["signed"]
    if change == "other":
        signed["targets"]["others.wh.zst"] = signed["targets"]["rules.wh.zst"]
    elif change == "expires":
        signed["expires"] = "2999-01-01T00:00:00Z"
    elif change == "soon":
        signed["expires"] = f"{now() + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    elif change == "may_shrink":
        signed["targets"]["rules.wh.zst"]["custom"]["may_shrink"] = 99
    elif change == "delegations":
        signed["delegations"] = {"keys": {}, "roles": []}
    else:
        signed["version"] = 1
    path.write_text(json.dumps(content))
    with pytest.raises(LiveError, match=r"\[(bad-pending|publish-moved)\]"):
        two.publisher.pending(name)


def test_old_rules_are_published_again_under_a_new_version(made):
    made.publish(1)
    old = revision(made)
    made.publish(2)
    assert made.publisher.rollback_to(old).rules == snapshot(1).rules
    made.publisher.publish(made.publisher.rollback_to(old), [*made.persons, made.online])
    assert (made.publisher.live().version, revision(made), made.live_accounts()) == (4, old, [1])
    with refused("no-such-revision"):
        made.publisher.rollback_to("0" * 16)


def test_what_a_revoked_key_has_signed_is_not_rolled_back_to(tmp_path):
    made = Material(tmp_path / "repository", persons=2)
    first, second = made.persons
    made.publisher.publish(snapshot(1), [first, made.online])
    old = revision(made)
    made.publisher.publish(snapshot(2), [second, made.online])
    change_keys(made.publisher.repository, "targets", made.all, revoke=[first.public_key.keyid])
    with refused("no-such-revision"):
        made.publisher.rollback_to(old)


def test_a_refresh_renews_what_has_expired(tmp_path):
    ago = now() - timedelta(days=6)
    made = Material(tmp_path / "repository", clock=lambda: ago)
    made.publish(1)
    before = read_trusted(made.publisher.store, made.root)
    assert before.timestamp.signed.is_expired()
    seconds = count()
    fresh = made.at(lambda: now() + timedelta(seconds=next(seconds)))  # each reading of the clock differs
    until = fresh.refresh([made.online])
    after = read_trusted(made.publisher.store, made.root)
    assert after.timestamp.signed.expires == until > now() + timedelta(minutes=55)
    signed = datetime.fromisoformat(after.timestamp.signed.unrecognized_fields[SIGNED])
    assert until - signed == LIFETIMES["timestamp"]
    assert after.snapshot.signed.expires > now() + timedelta(days=6)
    assert after.targets.signed == before.targets.signed
    fresh.refresh([made.online])
    assert read_trusted(made.publisher.store, made.root).snapshot.signed == after.snapshot.signed
    with refused("not-a-key-of-the-role"):
        fresh.refresh(made.persons)


@pytest.mark.parametrize("file", ["1.root", "2.targets", "2.snapshot", "timestamp"])
def test_no_flipped_byte_of_the_metadata_changes_what_is_read(made, file):
    made.publish(1)
    path = made.folder / "metadata" / f"{file}.json"
    content = path.read_bytes()
    live = made.publisher.live().release
    root, tried, refusals = made.root, 0, 0
    for at in range(len(content)):
        tried += 1
        flipped = bytearray(content)
        flipped[at] ^= 1 << at % 8
        if file == "1.root":
            made.publisher = Publisher(made.url, bytes(flipped))
        else:
            path.write_bytes(flipped)
        try:
            assert made.publisher.live().release == live, "as after `a` became `A` in a hexadecimal signature"
        except LiveError as error:
            assert error.code in {"bad-metadata", "not-signed", "no-repository"}  # noqa: PT017
            refusals += 1
    assert refusals > tried * 0.9
    made.publisher = Publisher(made.url, root)
    path.write_bytes(content)
    assert made.publisher.live().release == live


def test_old_versions_are_removed_once_they_are_old(made):
    for account in range(1, 5):
        made.publish(account)
    everything = [path for path in made.folder.rglob("*") if path.is_file()]
    assert len(list((made.folder / "targets").iterdir())) == 4
    for path in everything:
        os.utime(path, (1, 1))
    made.publish(5, keep=2)
    assert len(list((made.folder / "targets").iterdir())) == 2
    assert {path.name for path in (made.folder / "metadata").glob("*.targets.json")} == {
        "5.targets.json",
        "6.targets.json",
    }
    assert made.live_accounts() == [5]
    assert (made.folder / object_path(made.publisher.live().target)).exists()


@pytest.mark.parametrize(
    "url",
    [
        *("", "rules/", "ftp://host/x", "s3:/bucket", "file://elsewhere/x", "file:x", "https://[x", "s3://"),
        *("https://user:secret@host/x", "https://secret@host/x", "https://:secret@[x", "secret@host"),
        *("https://host/x?sig=secret", "https://host/x#secret", "az://account/rules?sig=secret", "file:///x?secret"),
    ],
)
def test_other_urls_are_refused(url):
    with refused("bad-store-url") as caught:
        Publisher(url, b"")
    assert "secret" not in str(caught.value)


def test_a_directory_that_does_not_exist_is_no_repository(tmp_path, made):
    with pytest.raises(LiveError, match=r"\[store-unavailable\]"):
        Publisher((tmp_path / "typo").as_uri(), made.root).live()


@pytest.mark.parametrize("name", ["", "../rules", "a/b", "a.b", "-a", "ä"])
def test_names_of_rule_sets_are_names_of_files(made, name):
    with refused("bad-name"):
        Publisher(made.url, made.root, name=name)


def test_a_rule_set_of_another_name_is_not_replaced(made):
    made.publish(1)
    other = Publisher(made.url, made.root, name="others")
    assert other.live().release is None
    other.publish(snapshot(7), [*made.persons, made.online])
    assert made.live_accounts() == [1]
    found = other.snapshot(other.live())
    assert found is not None
    assert found.rules == snapshot(7).rules
