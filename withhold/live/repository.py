"""A repository of signed rules in a store, and the steps that change it without ever showing half a change to a reader.

All files but the timestamp have their version or their hash in their name, and are never changed. A reader begins at the
timestamp, so a change becomes visible in one step: when the timestamp is swapped for one that leads to the new files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from securesystemslib.signer import Signer
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from withhold.errors import LiveError, Problem
from withhold.live.store import Store
from withhold.live.trusted import TIMESTAMP, Trusted, is_signed, read_trusted

#: How long signatures of each role are valid.
LIFETIMES = {
    "root": timedelta(days=365),
    "targets": timedelta(days=365),
    "snapshot": timedelta(days=7),
    "timestamp": timedelta(hours=1),
}
_MOST_ATTEMPTS = 20
_MOST_LEFTOVERS = 1000
#: The field with the time of the signature, which TUF does not have.
SIGNED = "signed_at"

_Signed = TypeVar("_Signed", Root, Timestamp, Snapshot, Targets)


class Repository:
    """The signed metadata of a store. `trusted_root` is the content of any of its roots that is known to be genuine."""

    def __init__(self, store: Store, trusted_root: bytes, clock: Callable[[], datetime]) -> None:
        self.store = store
        self._trusted_root = trusted_root
        self._clock = clock

    def read(self) -> Trusted:
        """Return the current metadata, verified. Raises the errors of `read_trusted`."""
        return read_trusted(self.store, self._trusted_root)

    def now(self) -> datetime:
        """Return the current time, in UTC and in whole seconds, as TUF expects."""
        return self._clock().astimezone(UTC).replace(microsecond=0)

    def expiry(self, role: str) -> datetime:
        """Return when metadata of a role expire that are signed now."""
        return self.now() + LIFETIMES[role]

    def sign(
        self, root: Root, metadata: Metadata[_Signed], signers: Iterable[Signer], *, enough: bool = True
    ) -> Metadata[_Signed]:
        """Add the signatures of those signers that have a key of the role. Return the metadata.

        Raises `LiveError` (`not-a-key-of-the-role`) if none of them has one and, if `enough`, `threshold-unmet` if more
        keys are needed.
        """
        role = metadata.signed.type
        allowed = root.roles[role].keyids
        chosen = [signer for signer in signers if signer.public_key.keyid in allowed]
        for signer in chosen:
            metadata.sign(signer, append=True)
        if not chosen and not (enough and is_signed(root, metadata)):
            message = f"none of the given keys may sign the {role} of this repository"
            raise LiveError(Problem("not-a-key-of-the-role", message, hint=f"give a key of the role `{role}`"))
        if enough and not is_signed(root, metadata):
            message = f"{len(chosen)} of {root.roles[role].threshold} keys have signed the {role}"
            raise LiveError(Problem("threshold-unmet", message, hint="give the other keys too"))
        return metadata

    def require(self, root: Root, role: str, signers: Iterable[Signer]) -> None:
        """Raise `LiveError` (`threshold-unmet`) unless the signers have enough keys of a role."""
        allowed = root.roles[role]
        given = {signer.public_key.keyid for signer in signers}.intersection(allowed.keyids)
        if len(given) < allowed.threshold:
            message = f"{len(given)} of {allowed.threshold} keys for the {role} were given"
            raise LiveError(Problem("threshold-unmet", message, hint="give the online key too"))

    def advance(
        self,
        targets: tuple[int, bytes] | None,
        signers: Sequence[Signer],
        based_on: int | None = None,
        *,
        renew: bool = False,
    ) -> bool:
        """Sign a new timestamp and, if needed, a new snapshot. Return whether a snapshot was signed.

        `targets` are the version and the content of targets in the store, which readers will then see. `renew` signs a
        snapshot in any case. Raises
        `LiveError` (`publish-moved`) if the version that they see now is not `based_on`, and those of `read` and `sign`.
        """
        for _ in range(_MOST_ATTEMPTS):
            now = self.read()
            if targets is not None and now.targets.signed.version != based_on:
                hint = "look at what is live now, and publish again"
                raise LiveError(Problem("publish-moved", "somebody else has published in the meantime", hint=hint))
            snapshot = self._snapshot(now, targets, signers, renew=renew)
            meta = now.timestamp.signed.snapshot_meta if snapshot is None else _meta(*snapshot)
            timestamp = Timestamp(
                version=now.timestamp.signed.version + 1,
                expires=self.expiry("timestamp"),
                snapshot_meta=meta,
                unrecognized_fields={SIGNED: self.now().isoformat()},
            )
            signed = self.sign(now.root.signed, Metadata(timestamp), signers)
            if self.store.swap(TIMESTAMP, now.version, serialized(signed)):
                return snapshot is not None
        raise LiveError(Problem("store-busy", "other writers replace the timestamp all the time"))

    def versions(self, role: str, before: datetime | None = None) -> list[int]:
        """Return the versions of a role that the store has, in order: all, or those written before an instant."""
        names = (path.removeprefix("metadata/").split(".") for path in self.store.list("metadata", before))
        return sorted(int(parts[0]) for parts in names if parts[1:] == [role, "json"] and parts[0].isdigit())

    def free_version(self, role: str, after: int) -> int:
        """Return the first version of a role above `after` that the store does not have.

        A version that is taken belongs to somebody who was interrupted, or who is about to publish.
        """
        taken = set(self.versions(role))
        for version in range(after + 1, after + 1 + _MOST_LEFTOVERS):
            if version not in taken:
                return version
        # No more are skipped, so that whoever can write to the store cannot exhaust the versions.
        raise LiveError(Problem("store-busy", f"the store has {_MOST_LEFTOVERS} versions of {role} that are not live"))

    def _snapshot(
        self, now: Trusted, targets: tuple[int, bytes] | None, signers: Sequence[Signer], *, renew: bool
    ) -> tuple[int, bytes] | None:
        """Write a new snapshot if the targets are new, or half of the current one's lifetime has passed."""
        current = now.snapshot.signed
        renewed = self.now() + LIFETIMES["snapshot"] / 2 > current.expires
        if targets is None and not (renew or renewed):
            return None
        listed = current.meta if targets is None else {**current.meta, "targets.json": _meta(*targets)}

        for _ in range(_MOST_ATTEMPTS):
            version = self.free_version("snapshot", current.version)
            snapshot = Snapshot(version=version, expires=self.expiry("snapshot"), meta=listed)
            content = serialized(self.sign(now.root.signed, Metadata(snapshot), signers))
            if self.store.create(f"metadata/{version}.snapshot.json", content):
                return version, content
        raise LiveError(Problem("store-busy", "other writers take the versions of the snapshot all the time"))


def serialized(metadata: Metadata[_Signed]) -> bytes:
    """Return the content of a metadata file."""
    return metadata.to_bytes(JSONSerializer(compact=True))


def _meta(version: int, content: bytes) -> MetaFile:
    return MetaFile.from_data(version, content, ["sha256"])
