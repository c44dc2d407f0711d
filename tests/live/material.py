"""A repository in a directory, keys in memory, and rule sets to publish."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from securesystemslib.signer import CryptoSigner

from withhold import Rule, RuleSet, Snapshot
from withhold.live import Publisher, create_repository


def now() -> datetime:
    return datetime.now(UTC)


def key() -> CryptoSigner:
    return CryptoSigner(Ed25519PrivateKey.generate())


def private_line(file: Path, password: str) -> str:
    """Return the private key in a file as the line of base64 that a file without encryption would have."""
    loaded = load_pem_private_key(file.read_bytes(), password.encode())
    return loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode().splitlines()[1]


def snapshot(*accounts: int, country: str = "IN") -> Snapshot:
    """Return a snapshot with a rule for each account."""
    rules = [Rule(id=f"r-{id_}", accounts=[id_], withheld_in=[country], reason="legal_demand") for id_ in accounts]
    return Snapshot.compile(RuleSet(rules))


class Material:
    """A repository in a directory, made with one root key, one online key and some targets keys."""

    def __init__(
        self, folder: Path, *, persons: int = 1, threshold: int = 1, clock: Callable[[], datetime] = now
    ) -> None:
        self.folder = folder
        self.url = folder.as_uri()
        self.root_key, self.online, self.persons = key(), key(), [key() for _ in range(persons)]
        public = {
            "root": [self.root_key.public_key],
            "targets": [person.public_key for person in self.persons],
            "online": [self.online.public_key],
        }
        self.all = [self.root_key, self.online, *self.persons]
        self.root = create_repository(self.url, self.all, public, threshold=threshold, clock=clock)
        self.publisher = self.at(clock)

    def at(self, clock: Callable[[], datetime]) -> Publisher:
        """Return a publisher with another clock."""
        return Publisher(self.url, self.root, clock=clock)

    def publish(self, *accounts: int, **options) -> int:
        options.setdefault("may_shrink", True)
        return self.publisher.publish(snapshot(*accounts), [*self.persons, self.online], **options).version

    def live_accounts(self) -> list[int]:
        found = self.publisher.snapshot(self.publisher.live())
        return [] if found is None else sorted(id_ for id_, _ in found.postings("accounts"))
