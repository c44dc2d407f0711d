"""A repository of signed rules in a store, and the steps that change it. No reader sees half a change.

All files but the timestamp have their version or their hash in their name, and are never changed. A reader begins at the
timestamp, so a change becomes visible in one step: when a timestamp that leads to the new files replaces the old one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from securesystemslib.signer import Signer
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from withhold.errors import LiveError, Problem
from withhold.live.store import Store
from withhold.live.trusted import TIMESTAMP, Trusted, is_signed, parsed, read_root, read_trusted, verify

#: How long signatures of each role are valid.
LIFETIMES = {
    "root": timedelta(days=365),
    "targets": timedelta(days=365),
    "snapshot": timedelta(days=7),
    "timestamp": timedelta(hours=1),
}
_MOST_ATTEMPTS = 20
_MOST_LEFTOVERS = 1000
#: A field for the time of the signature, which TUF lacks.
SIGNED = "signed_at"
#: The path of a file with a version, and its role.
_VERSIONED = re.compile(r"metadata/([0-9]{1,100})\.([a-z]+)\.json")

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

    def read_root(self) -> Metadata[Root]:
        """Return the newest root that follows from the trusted one, whatever the other metadata are. Raises as `read` does."""
        return read_root(self.store, self._trusted_root)

    def now(self) -> datetime:
        """Return the current time, in UTC and in whole seconds, as TUF expects."""
        return self._clock().astimezone(UTC).replace(microsecond=0)

    def expiry(self, role: str) -> datetime:
        """Return when metadata of a role expire if they are signed now."""
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
            key_role = "online" if role in ("snapshot", "timestamp") else role
            raise LiveError(Problem("not-a-key-of-the-role", message, hint=f"give a key of the role `{key_role}`"))
        if enough and not is_signed(root, metadata):
            message = f"{len(chosen)} of {root.roles[role].threshold} keys have signed the {role}"
            raise LiveError(Problem("threshold-unmet", message, hint="give the other keys too"))
        return metadata

    def sign_for(
        self, roots: Iterable[Root], metadata: Metadata[_Signed], signers: Sequence[Signer]
    ) -> Metadata[_Signed]:
        """Sign metadata so that they are valid under each of several roots. Return them. Raises the errors of `sign`."""
        for root in roots:
            self.sign(root, metadata, signers)
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
        next_root: Root | None = None,
    ) -> datetime:
        """Sign a new timestamp and, if needed, a new snapshot. Return when the timestamp expires.

        `targets` are the version and the content of targets in the store, which readers will then see. With `next_root`,
        a snapshot is signed in any case, and both are valid under that root too.

        Raises `LiveError` (`publish-moved`) if the version that they see now is not `based_on`, or the keys of the targets
        have been changed, and those of `read` and `sign`.
        """
        for _ in range(_MOST_ATTEMPTS):
            now = self.read()
            if targets is not None and now.targets.signed.version != based_on:
                hint = "look at what is live now, and publish again"
                raise LiveError(Problem("publish-moved", "somebody else has published in the meantime", hint=hint))
            # Readers and writers would refuse everything once the timestamp led to targets without valid signatures.
            if targets is not None and not is_signed(now.root.signed, parsed(Targets, targets[1])):
                message = "the keys of the targets have been changed in the meantime"
                raise LiveError(Problem("publish-moved", message, hint="publish again"))
            roots = [now.root.signed] if next_root is None else [now.root.signed, next_root]
            snapshot = self._snapshot(now, targets, signers, roots)
            meta = now.timestamp.signed.snapshot_meta if snapshot is None else meta_of(*snapshot)
            timestamp = self.sign_for(roots, self.timestamp(now.timestamp.signed.version + 1, meta), signers)
            if self.store.swap(TIMESTAMP, now.version, serialized(timestamp)):
                return timestamp.signed.expires
        raise LiveError(Problem("store-busy", "other writers keep replacing the timestamp", hint="repeat the command"))

    def make_valid(self, root: Root, signers: Sequence[Signer]) -> None:
        """Make the newest targets live that the keys of a root have signed, whatever the timestamp leads to.

        Raises `LiveError` (`not-signed`) if there are none, and those of `sign`.
        """
        found = next(self.signed_targets(root), None)
        if found is None:
            raise LiveError(Problem("not-signed", f"{self.store.name} has no targets that their keys have signed"))
        targets, content = found
        after = max(self.versions("snapshot"), default=0)
        listed = {"targets.json": meta_of(targets.version, content)}
        snapshot = meta_of(*self.write_snapshot(after, listed, signers, [root]))
        for _ in range(_MOST_ATTEMPTS):
            before = self.store.get(TIMESTAMP)
            version = 0 if before is None else _version_of(before.content)
            # If it was removed or damaged, hosts may have a higher version. Versions rise by less than one a second.
            version = max(version, int(self.now().timestamp()))
            timestamp = self.sign(root, self.timestamp(version + 1, snapshot), signers)
            if self.store.swap(TIMESTAMP, before, serialized(timestamp)):
                return
        raise LiveError(Problem("store-busy", "other writers keep replacing the timestamp", hint="repeat the command"))

    def timestamp(self, version: int, snapshot: MetaFile) -> Metadata[Timestamp]:
        """Return a timestamp of this moment, without signatures."""
        now = self.now()
        return Metadata(
            Timestamp(
                version=version,
                expires=now + LIFETIMES["timestamp"],
                snapshot_meta=snapshot,
                unrecognized_fields={SIGNED: now.isoformat()},
            )
        )

    def write_snapshot(
        self, after: int, meta: dict[str, MetaFile], signers: Sequence[Signer], roots: Sequence[Root]
    ) -> tuple[int, bytes]:
        """Sign a snapshot of the first free version above `after`, and write it. Return its version and its content."""
        for _ in range(_MOST_ATTEMPTS):
            version = self.free_version("snapshot", after)
            snapshot = Snapshot(version=version, expires=self.expiry("snapshot"), meta=meta)
            content = serialized(self.sign_for(roots, Metadata(snapshot), signers))
            if self.store.create(f"metadata/{version}.snapshot.json", content):
                return version, content
        raise LiveError(
            Problem(
                "store-busy", "other writers keep taking the next version of the snapshot", hint="repeat the command"
            )
        )

    def versions(self, role: str, before: datetime | None = None) -> list[int]:
        """Return the versions of a role that the store has, in order: all, or those written before an instant."""
        found = (_VERSIONED.fullmatch(path) for path in self.store.list("metadata", before))
        return sorted(int(match[1]) for match in found if match and match[2] == role)

    def free_version(self, role: str, after: int) -> int:
        """Return the first version of a role above `after` that the store does not have.

        A version that is taken belongs to somebody who was interrupted, or who is about to publish.
        """
        taken = set(self.versions(role))
        for version in range(after + 1, after + 1 + _MOST_LEFTOVERS):
            if version not in taken:
                return version
        # The number is limited, so that write access to the store is not enough to use up the versions.
        raise LiveError(Problem("store-busy", f"the store has {_MOST_LEFTOVERS} versions of {role} that are not live"))

    def signed_targets(self, root: Root, *, below: int | None = None) -> Iterator[tuple[Targets, bytes]]:
        """Yield the targets that the keys of a root have signed, live or not, with their contents, the newest first.

        `below` is the version before which they were made.
        """
        for version in reversed(self.versions("targets")):
            found = self.store.get(f"metadata/{version}.targets.json") if below is None or version < below else None
            if found is None:
                continue
            try:
                targets = parsed(Targets, found.content)
                is_genuine = targets.signed.version == version and verify(partial(is_signed, root, targets))
            except LiveError:  # somebody else has written it
                continue
            if is_genuine:
                yield targets.signed, found.content

    def _snapshot(
        self, now: Trusted, targets: tuple[int, bytes] | None, signers: Sequence[Signer], roots: Sequence[Root]
    ) -> tuple[int, bytes] | None:
        """Write a new snapshot if the targets or the root are new, or half of the current one's lifetime has passed."""
        current = now.snapshot.signed
        renewed = self.now() + LIFETIMES["snapshot"] / 2 > current.expires
        if targets is None and len(roots) == 1 and not renewed:
            return None
        listed = current.meta if targets is None else {**current.meta, "targets.json": meta_of(*targets)}
        return self.write_snapshot(current.version, listed, signers, roots)


def serialized(metadata: Metadata[_Signed]) -> bytes:
    """Return the content of a metadata file."""
    return metadata.to_bytes(JSONSerializer(compact=True))


def _version_of(content: bytes) -> int:
    """Return the version of a timestamp that need not be valid, or 0 if it has none."""
    try:
        return parsed(Timestamp, content).signed.version
    except LiveError:
        return 0


def meta_of(version: int, content: bytes) -> MetaFile:
    """Return what other metadata state about a metadata file."""
    return MetaFile.from_data(version, content, ["sha256"])
