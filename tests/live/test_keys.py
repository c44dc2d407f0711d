"""Keys: files and variables, and changes of the keys of a repository."""

from __future__ import annotations

import logging
import stat
import traceback
from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.live.material import Material, key, private_line, snapshot
from withhold import LiveError
from withhold.live import change_keys, create_key, create_repository, read_public, read_signer

PASSWORD = "correct horse battery staple"  # noqa: S105
WRONG = "this is another password"


def refused(code):
    return pytest.raises(LiveError, match=rf"\[{code}\]")


@pytest.fixture
def file(tmp_path):
    create_key(tmp_path / "targets.pem", PASSWORD)
    return tmp_path / "targets.pem"


def private_text(file):
    """Return the text of the private key in a file, and the line of it with the key."""
    line = private_line(file, PASSWORD)
    return f"-----BEGIN PRIVATE KEY-----\n{line}\n-----END PRIVATE KEY-----\n", line


def test_a_key_is_an_encrypted_file_of_its_owner(file):
    signer = read_signer(str(file), lambda name: PASSWORD if name == str(file) else "")
    assert signer.public_key == read_public(f"{file}.pub")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert private_text(file)[1] not in file.read_text()
    for name in (file, file.with_name("others.pem")):
        file.with_name("others.pem.pub").touch()
        with refused("key-exists"):
            create_key(name, PASSWORD)
    with refused("weak-password"):
        create_key(file.with_name("b.pem"), "short")
    with refused("key-unwritable"):
        create_key(file / "b.pem", PASSWORD)


def test_a_key_in_the_environment_need_not_be_encrypted(file, monkeypatch):
    plain, _ = private_text(file)
    monkeypatch.setenv("TARGETS", plain)
    assert read_signer("env:TARGETS", lambda _: pytest.fail("asked")).public_key == read_public(f"{file}.pub")
    monkeypatch.setenv("TARGETS", file.read_text())
    assert read_signer("env:TARGETS", lambda _: PASSWORD).public_key == read_public(f"{file}.pub")


def test_no_message_and_no_traceback_contains_a_key_or_a_password(file, tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    plain, secret = private_text(file)
    open_file = tmp_path / "open.pem"
    open_file.write_text(plain)
    ec = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    broken = plain.replace(secret, secret[:-8])
    for name, value in (("EMPTY", ""), ("EC", ec), ("BROKEN", broken), ("TEXT", secret)):
        monkeypatch.setenv(name, value)
    tried = {
        "key-in-the-open": [plain, secret + "\n", secret, f"env:{secret}", secret[:43], b64decode(secret)[-32:].hex()],
        "key-not-encrypted": [str(open_file), f"{file}.pub"],
        "key-unreadable": ["env:EMPTY", "env:MISSING", "missing.pem", str(tmp_path), "a\0b"],
        "unusable-key": [str(file), "env:EC", "env:BROKEN", "env:TEXT"],
    }
    for code, sources in tried.items():
        for source in sources:
            with refused(code) as caught:
                read_signer(source, lambda _: WRONG)
            error = caught.value
            printed = "".join(traceback.format_exception(type(error), error, error.__traceback__)) + caplog.text
            parts = (secret[20:40], secret[-20:], b64decode(secret)[-32:-16].hex(), WRONG)
            assert not any(part in printed for part in parts), code
    with refused("unusable-key"):
        read_public(str(file))


def test_signing_logs_no_key(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    made = Material(tmp_path / "repository")
    made.publish(1)
    for signer in made.all:
        raw = signer.private_bytes.decode().splitlines()[1]
        assert raw[20:50] not in caplog.text
        assert all(raw[20:50] not in path.read_text("latin-1") for path in made.folder.rglob("*") if path.is_file())


def test_a_repository_is_made_once(tmp_path):
    made = Material(tmp_path / "repository")
    with refused("repository-exists"):
        Material(tmp_path / "repository")
    public = {role: [made.root_key.public_key] for role in ("root", "targets", "online")}
    for threshold in (0, 2):
        with refused("bad-threshold"):
            create_repository((tmp_path / "other").as_uri(), made.all, public, threshold=threshold)
    with refused("not-a-key-of-the-role"):
        create_repository((tmp_path / "other").as_uri(), [key()], public)
    assert not list((tmp_path / "other").iterdir())


def test_a_revoked_key_publishes_no_more(tmp_path):
    made = Material(tmp_path / "repository", persons=2)
    first, second = made.persons
    made.publisher.publish(snapshot(1), [first, made.online])
    with refused("not-a-key-of-the-role"):  # what is live would have no valid signature
        change_keys(made.publisher.repository, "targets", [made.root_key, first], revoke=[first.public_key.keyid])
    assert (made.live_accounts(), made.publisher.live().version) == ([1], 2)
    signers = [made.root_key, second, made.online]
    assert change_keys(made.publisher.repository, "targets", signers, revoke=[first.public_key.keyid]) == 2
    assert (made.live_accounts(), made.publisher.live().version) == ([1], 3)
    with refused("not-a-key-of-the-role"):
        made.publisher.publish(snapshot(1, 2), [first, made.online])
    made.publisher.publish(snapshot(1, 2), [second, made.online])
    assert made.live_accounts() == [1, 2]


def test_every_key_is_replaced_over_several_roots(tmp_path):
    made = Material(tmp_path / "repository")
    made.publish(1)
    repository, signers = made.publisher.repository, list(made.all)
    for old, role in ((made.persons[0], "targets"), (made.online, "online"), (made.root_key, "root")):
        new = key()
        signers.append(new)
        change_keys(repository, role, signers, add=[new.public_key])
        change_keys(repository, role, signers, revoke=[old.public_key.keyid])
        assert made.live_accounts() == [1], "whoever trusts the first root follows the others"
        signers.remove(old)
    made.publisher.publish(snapshot(1, 2), signers)
    assert made.live_accounts() == [1, 2]
    assert repository.read().root.signed.version == 7
    for old in made.all:
        with refused("not-a-key-of-the-role"):
            made.publisher.publish(snapshot(1, 2, 3), [old, made.online])
    with refused("threshold-unmet"):
        change_keys(repository, "online", [made.root_key])


def test_keys_are_changed_only_by_the_root(tmp_path):
    made = Material(tmp_path / "repository")
    repository, public = made.publisher.repository, made.persons[0].public_key
    with refused("threshold-unmet"):
        change_keys(repository, "targets", [*made.persons, made.online], add=[key().public_key])
    with refused("known-key"):
        change_keys(repository, "targets", made.all, add=[public])
    with refused("no-such-key"):
        change_keys(repository, "root", made.all, revoke=[public.keyid])
    with refused("bad-threshold"):
        change_keys(repository, "targets", made.all, revoke=[public.keyid])
    with refused("bad-threshold"):
        change_keys(repository, "targets", made.all, threshold=2)
    with refused("unknown-role"):
        change_keys(repository, "snapshot", made.all)
    assert repository.read().root.signed.version == 1


def test_a_forged_root_is_not_followed(tmp_path):
    made, other = Material(tmp_path / "repository"), Material(tmp_path / "other")
    change_keys(other.publisher.repository, "root", other.all)
    (made.folder / "metadata" / "2.root.json").write_bytes((other.folder / "metadata" / "2.root.json").read_bytes())
    with refused("not-signed"):
        made.publisher.live()
    (made.folder / "metadata" / "2.root.json").unlink()
    made.publisher = other.publisher.__class__(made.url, other.root)
    with refused("not-signed"):
        made.publisher.live()
