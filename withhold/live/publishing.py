"""Publish rules: compress, sign and upload a snapshot."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import zstandard
from securesystemslib.signer import Signer
from tuf.api.metadata import Metadata, Root, TargetFile, Targets

from withhold.errors import LiveError, Problem, quoted
from withhold.live.packing import LARGEST, unpack
from withhold.live.release import Release, object_path, published, refuse_shrinking, release_of, target_path
from withhold.live.repository import LIFETIMES, Repository, serialized
from withhold.live.store import Store
from withhold.live.trusted import Trusted, is_signed, parsed, signatures_on, verify
from withhold.model.instants import in_iso, utc
from withhold.snapshot import Snapshot

_LEVEL = 3
_CHUNK = 1 << 20
#: The age from which an object may be removed.
_KEPT = timedelta(hours=1)
_SNAPSHOTS = 20
_MOST_ATTEMPTS = 20
#: The path of a file that refers to packed snapshots: a pending version, made from another one, or targets.
_REFERRING = re.compile(r"pending/([0-9]{1,100})-[0-9]{1,100}\.[0-9a-f]+\.json|metadata/([0-9]{1,100})\.targets\.json")
_PENDING = re.compile(r"([0-9]{1,18})-[0-9]{1,18}\.[0-9a-f]{16}")
_log = logging.getLogger("withhold.live")


@dataclass(frozen=True, slots=True)
class Live:
    """What hosts find in a store: the version of the targets, and the release and the file of the rule set, if there is one.

    Hosts are stale after `expires` unless somebody refreshes the store.
    """

    version: int
    expires: datetime
    release: Release | None
    target: TargetFile | None


@dataclass(frozen=True, slots=True)
class Published:
    """The result of publishing. `pending` is the name of a version that needs the signatures of more persons, or None."""

    version: int
    release: Release
    #: How many keys of `targets` have signed the version, and how many must.
    signatures: int
    threshold: int
    pending: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A pending version as it was read from the store. `sign` signs exactly this content."""

    name: str
    release: Release
    snapshot: Snapshot
    metadata: Metadata[Targets]


class Publisher:
    """Publishes rule sets to a store. `trusted_root` is the content of a root of the store that is known to be genuine.

    `name` is that of the rule set; a store may have several. Raises `LiveError`, also in its methods.
    """

    def __init__(
        self,
        store: str,
        trusted_root: bytes,
        *,
        name: str = "rules",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.store = Store(store)
        self.repository = Repository(self.store, trusted_root, clock)
        self.name = name
        self._path = target_path(name)

    def live(self) -> Live:
        """Return what hosts find now."""
        return self._live(self.repository.read())

    def snapshot(self, live: Live) -> Snapshot | None:
        """Return the snapshot that hosts find now, or None if nothing was published yet. O(bytes)."""
        return None if live.target is None or live.release is None else self._fetch(live.target, live.release)

    def publish(
        self,
        snapshot: Snapshot,
        signers: Sequence[Signer],
        *,
        based_on: int | None = None,
        act_by: datetime | None = None,
        may_shrink: bool = False,
        keep: int = 20,
    ) -> Published:
        """Publish a snapshot. If more keys must sign, write a pending version, which `sign` completes.

        `signers` have keys of the role `targets` and, unless more keys must sign, the online key. `based_on` is the
        version that was live when the publishers looked at the difference; another one raises `publish-moved`. `act_by`
        is when every host must answer by these rules. Without `may_shrink`, rules that lack more than 10 % of the live
        rules or ids are refused. The newest `keep` versions remain in the store.

        Raises `LiveError` (`publish-moved`, `shrunk`, `threshold-unmet`, `not-a-key-of-the-role`, and those of
        reading), and `InstantError` for a naive `act_by`.
        """
        due = None if act_by is None else utc(act_by, "act_by")
        if keep < 1:
            raise LiveError(Problem("bad-keep", f"{keep} versions cannot be kept", hint="keep at least 1"))
        now = self.repository.read()
        live = self._live(now)
        _check_base(live, based_on)
        if not may_shrink:
            self._check_loss(live, snapshot)
        with TemporaryDirectory(prefix="withhold-") as folder:
            packed = Path(folder, "packed")
            plain = Path(folder, "plain")
            size = snapshot.save(plain)
            sha256 = _pack(plain, packed)
            with packed.open("rb") as file:
                target = TargetFile.from_data(self._path, file, ["sha256"])
            self.store.put(object_path(target), packed)

        version = self.repository.free_version("targets", now.targets.signed.version)
        shrunk = version if may_shrink else live.release.may_shrink if live.release else 0
        release = release_of(snapshot, size, sha256, self.repository.now(), due, shrunk)
        target.unrecognized_fields = {"custom": release.model_dump(mode="json")}
        targets = {**now.targets.signed.targets, self._path: target}
        metadata = Metadata(Targets(version=version, expires=self.repository.expiry("targets"), targets=targets))
        self.repository.sign(now.root.signed, metadata, signers, enough=False)
        return self._complete(now, metadata, signers, keep)

    def pending(self, name: str) -> Draft:
        """Return a pending version, to review it and then pass it to `sign`.

        Raises `LiveError`: `no-pending`; `publish-moved` if the version was made from another one than the live one;
        `bad-pending` if it would change more than this rule set.
        """
        found = None if "/" in name or not name else self.store.get(f"pending/{name}.json")
        if found is None:
            known = [path.removeprefix("pending/").removesuffix(".json") for path in self.store.list("pending")]
            if (made := _PENDING.fullmatch(name)) and int(made[1]) < self.live().version:
                raise _no_longer_live(name)  # publishing removes such versions
            hint = f"pending: {', '.join(map(quoted, known)) or 'none'}"
            raise LiveError(Problem("no-pending", f"{quoted(name)} is not a pending version", hint=hint))
        now = self.repository.read()
        metadata = parsed(Targets, found.content)
        self._check_pending(name, now, metadata.signed)
        target, release = _found(metadata.signed, self.name)
        return Draft(name, release, self._fetch(target, release), metadata)

    def sign(self, draft: Draft, signers: Sequence[Signer], *, keep: int = 20) -> Published:
        """Add signatures to a pending version, and complete it if no more keys must sign.

        The draft is signed as it was read, even if somebody has replaced it in the store. Raises
        `LiveError` (`publish-moved`) if the draft was made from another version than the live one, and those of `publish`.
        """
        now = self.repository.read()
        self._check_pending(draft.name, now, draft.metadata.signed)
        self.repository.sign(now.root.signed, draft.metadata, signers, enough=False)
        return self._complete(now, draft.metadata, signers, keep)

    def rollback_to(self, revision: str) -> Snapshot:
        """Return the snapshot of an earlier version, newest first, to be published again.

        Only versions that the current keys have signed are considered. Raises `LiveError` (`no-such-revision`).
        """
        now = self.repository.read()
        earlier: dict[str, str] = {}
        for targets, _ in self.repository.signed_targets(now.root.signed, below=now.targets.signed.version):
            old = published(targets, self.name)
            if old is not None and old[1].revision == revision:
                return self._fetch(*old)
            if old is not None:
                earlier[old[1].revision] = f"{quoted(old[1].revision)} (version {targets.version})"
        message = f"no earlier version that the current keys have signed has the revision {quoted(revision)}"
        hint = f"earlier revisions: {', '.join(earlier.values()) or 'none'}"
        raise LiveError(Problem("no-such-revision", message, hint=hint))

    def refresh(self, signers: Sequence[Signer]) -> datetime:
        """Sign the timestamp anew, and the snapshot once half of its lifetime has passed. Return when the former expires.

        `signers` have the online key. Any number of refreshers and publishers may work at the same time.
        """
        return self.repository.advance(None, signers)

    def warnings(self) -> list[str]:
        """Return what will expire within 30 days, and which command renews it."""
        now = self.repository.read()
        soon = self.repository.now() + timedelta(days=30)
        renewed_by = {"root": "withhold keys renew", "targets": "withhold publish"}
        return [
            f"the {role} expires at {in_iso(signed.expires)}; renew it with `{renewed_by[role]}`"
            for role, signed in (("root", now.root.signed), ("targets", now.targets.signed))
            if signed.expires < soon
        ]

    def _complete(self, now: Trusted, metadata: Metadata[Targets], signers: Sequence[Signer], keep: int) -> Published:
        """Make targets live if enough keys have signed them, else write them as a pending version."""
        root, before, version = now.root.signed, now.targets.signed.version, metadata.signed.version
        _, release = _found(metadata.signed, self.name)
        if not is_signed(root, metadata):
            name = f"{before}-{version}.{release.revision}"
            if not self._keep_pending(f"pending/{name}.json", root, metadata):
                return _published(root, metadata, release, name)
        content = serialized(metadata)
        for role in ("snapshot", "timestamp"):
            self.repository.require(root, role, signers)
        if not self.store.create(f"metadata/{version}.targets.json", content):
            raise LiveError(
                Problem("publish-moved", f"somebody else is publishing version {version}", hint="publish again")
            )
        self.repository.advance((version, content), signers, before)
        newest = self.repository.read_root().signed
        if not is_signed(newest, metadata):  # readers would refuse everything
            self.repository.make_valid(newest, signers)
            message = "the keys of the targets have been changed in the meantime"
            raise LiveError(Problem("publish-moved", message, hint="publish again"))
        try:
            self._prune(version, keep)
        except LiveError as error:  # the new version is live
            _log.warning("old versions were not removed: %s", error)
        return _published(root, metadata, release)

    def _keep_pending(self, path: str, root: Root, metadata: Metadata[Targets]) -> bool:
        """Write a pending version, with the signatures that others have added. Return whether these are enough instead."""
        for _ in range(_MOST_ATTEMPTS):
            before = self.store.get(path)
            if before is not None:
                with suppress(LiveError):  # a damaged file is replaced
                    stored = parsed(Targets, before.content)
                    if stored.signed == metadata.signed:
                        metadata.signatures = {**stored.signatures, **metadata.signatures}
            if is_signed(root, metadata):
                return True
            content = serialized(metadata)
            if self.store.swap(path, before, content):
                return False
        raise LiveError(Problem("store-busy", "other persons sign the version all the time"))

    def _check_pending(self, name: str, now: Trusted, pending: Targets) -> None:
        """Refuse a pending version that would change more than a signer is shown."""
        live = now.targets.signed
        if name.partition("-")[0] != str(live.version) or pending.version <= live.version:
            raise _no_longer_live(name)
        _, release = _found(pending, self.name)
        before = self._live(now).release
        fine = (
            _others(pending, self._path) == _others(live, self._path)
            and pending.delegations is None
            and self.repository.now() + LIFETIMES["targets"] / 2 <= pending.expires <= self.repository.expiry("targets")
            and release.may_shrink in (before.may_shrink if before else 0, pending.version)
        )
        if not fine:
            message = f"{quoted(name)} would change more than the rule set {quoted(self.name)}"
            raise LiveError(Problem("bad-pending", message, hint="find out who wrote it, and publish again"))

    def _live(self, now: Trusted) -> Live:
        found = published(now.targets.signed, self.name) if self._path in now.targets.signed.targets else None
        return Live(
            now.targets.signed.version, now.timestamp.signed.expires, *((found[1], found[0]) if found else (None, None))
        )

    def _fetch(self, target: TargetFile, release: Release) -> Snapshot:
        if target.length > LARGEST or release.bytes > LARGEST:
            raise LiveError(Problem("larger-than-allowed", f"the rule set {quoted(self.name)} is too large"))
        found = self.store.get(object_path(target), target.length)
        if found is None:
            raise LiveError(Problem("bad-metadata", f"{self.store.name} has no {object_path(target)}"))
        verify(lambda: target.verify_length_and_hashes(found.content))
        snapshot = Snapshot.from_bytes(b"".join(unpack(found.content, release)))
        release.check(snapshot)
        return snapshot

    def _check_loss(self, live: Live, snapshot: Snapshot) -> None:
        refuse_shrinking(self.snapshot(live), snapshot)

    def _prune(self, newest: int, keep: int) -> None:
        """Remove all versions but the newest `keep`, and the files that no version refers to.

        Files of the last hour are kept: a reader may be about to fetch them, or a publisher to make them live.
        """
        before = datetime.now(UTC) - _KEPT
        needed: set[str] = set()
        old = self.repository.versions("targets", before)
        for path in self.store.list("metadata") + self.store.list("pending"):
            match = _REFERRING.fullmatch(path)
            if match is None:
                continue  # another file
            pending, version = match.groups()
            # Nobody can complete a pending version that was made from another one than the newest.
            if int(pending) < newest if pending else int(version) <= newest - keep and int(version) in old:
                self.store.delete(path)
                continue
            with suppress(LiveError):  # a damaged file refers to nothing
                found = self.store.get(path)
                if found is not None:
                    targets = parsed(Targets, found.content).signed.targets.values()
                    needed |= {object_path(target) for target in targets if "sha256" in target.hashes}
        for path in self.store.list("targets", before):
            if path not in needed:
                self.store.delete(path)
        live = self.repository.read().snapshot.signed.version
        below = [version for version in self.repository.versions("snapshot", before) if version < live]
        for old_snapshot in below[:-_SNAPSHOTS]:
            self.store.delete(f"metadata/{old_snapshot}.snapshot.json")


def _no_longer_live(pending: str) -> LiveError:
    message = f"{quoted(pending)} was made from a version that is no longer live"
    return LiveError(Problem("publish-moved", message, hint="publish again"))


def _published(root: Root, metadata: Metadata[Targets], release: Release, pending: str | None = None) -> Published:
    found = signatures_on(root, metadata)
    return Published(metadata.signed.version, release, len(found.signed), found.threshold, pending)


def _found(targets: Targets, name: str) -> tuple[TargetFile, Release]:
    found = published(targets, name)
    if found is None:
        raise LiveError(Problem("bad-metadata", f"the signed metadata have no rule set {quoted(name)}"))
    return found


def _others(targets: Targets, path: str) -> dict[str, TargetFile]:
    return {other: target for other, target in targets.targets.items() if other != path}


def _check_base(live: Live, based_on: int | None) -> None:
    if based_on is not None and live.version != based_on:
        message = f"version {live.version} is live, not {based_on}"
        raise LiveError(Problem("publish-moved", message, hint="look at the difference again, and publish again"))


def _pack(plain: Path, packed: Path) -> str:
    """Compress a file. Return the SHA-256 hash of its content."""
    hashed = hashlib.sha256()
    compressor = zstandard.ZstdCompressor(level=_LEVEL).compressobj(size=os.path.getsize(plain))  # noqa: PTH202
    with plain.open("rb") as source, packed.open("wb") as file:
        while chunk := source.read(_CHUNK):
            hashed.update(chunk)
            file.write(compressor.compress(chunk))
        file.write(compressor.flush())
    return hashed.hexdigest()
