"""Read and verify the signed metadata of TUF in a store, for publishers and refreshers.

They accept expired metadata, unlike clients, because they replace them. Clients use the `Updater` of
python-tuf, which also remembers the versions that it has seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from securesystemslib.exceptions import StorageError
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp, VerificationResult
from tuf.api.serialization import DeserializationError

from withhold.errors import LiveError, Problem
from withhold.live.store import Store, Version

TIMESTAMP = "metadata/timestamp.json"
_MOST_ROOTS = 256

_Signed = TypeVar("_Signed", Root, Timestamp, Snapshot, Targets)
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Trusted:
    """The metadata of a store at one moment. `version` is the stored timestamp, which `Store.swap` compares."""

    root: Metadata[Root]
    timestamp: Metadata[Timestamp]
    snapshot: Metadata[Snapshot]
    targets: Metadata[Targets]
    version: Version


def read_trusted(store: Store, trusted_root: bytes) -> Trusted:
    """Read the metadata of a store, and verify their signatures, versions and hashes, but not when they expire.

    `trusted_root` is any root that is known to be genuine; newer ones must be signed by the keys of the ones before.
    Raises `LiveError` (`not-signed`, `bad-metadata`, `no-repository`, `store-unavailable`).
    """
    root = read_root(store, trusted_root)
    found = _get(store, TIMESTAMP)
    timestamp = _verified(root, Timestamp, found.content)
    meta = timestamp.signed.snapshot_meta
    content = _get(store, f"metadata/{meta.version}.snapshot.json").content
    verify(lambda: meta.verify_length_and_hashes(content))
    snapshot = _verified(root, Snapshot, content)
    _check_version("snapshot", snapshot.signed.version, meta.version)
    listed = snapshot.signed.meta.get("targets.json")
    if listed is None:
        raise LiveError(Problem("bad-metadata", "the signed snapshot lists no targets"))
    content = _get(store, f"metadata/{listed.version}.targets.json").content
    verify(lambda: listed.verify_length_and_hashes(content))
    targets = _verified(root, Targets, content)
    _check_version("targets", targets.signed.version, listed.version)
    return Trusted(root, timestamp, snapshot, targets, found)


def read_root(store: Store, trusted_root: bytes) -> Metadata[Root]:
    """Return the newest root of a store that follows from a trusted one. Raises the errors of `read_trusted`."""
    root = parsed(Root, trusted_root)
    check_root(None, root)
    for _ in range(_MOST_ROOTS):
        found = store.get(f"metadata/{root.signed.version + 1}.root.json")
        if found is None:
            return root
        newer = parsed(Root, found.content)
        check_root(root, newer)
        _check_version("root", newer.signed.version, root.signed.version + 1)
        root = newer
    raise LiveError(Problem("bad-metadata", f"there are more than {_MOST_ROOTS} roots after the trusted one"))


def check_root(before: Metadata[Root] | None, root: Metadata[Root]) -> None:
    """Raise `LiveError` (`not-signed`) unless a root is signed by its own keys, and by those of the one before."""
    previous = None if before is None else before.signed
    result = verify(lambda: root.signed.get_root_verification_result(previous, root.signed_bytes, root.signatures))
    if not result:
        raise LiveError(Problem("not-signed", f"root {root.signed.version} is not signed by enough of its keys"))


def is_signed(root: Root, metadata: Metadata[_Signed]) -> bool:
    """Return whether enough keys of a role have signed its metadata."""
    return bool(signatures_on(root, metadata))


def signatures_on(root: Root, metadata: Metadata[_Signed]) -> VerificationResult:
    """Return which keys of a role have signed its metadata, and how many must."""
    return root.get_verification_result(metadata.signed.type, metadata.signed_bytes, metadata.signatures)


def parsed(kind: type[_Signed], content: bytes) -> Metadata[_Signed]:
    """Return metadata that are not verified yet. Raises `LiveError` (`bad-metadata`)."""
    metadata: Metadata[_Signed] = verify(lambda: Metadata.from_bytes(content))
    if not isinstance(metadata.signed, kind):
        raise LiveError(Problem("bad-metadata", f"expected the metadata of {kind.type}, found {metadata.signed.type}"))
    return metadata


def verify(step: Callable[[], _Result]) -> _Result:
    """Return the result of a step of python-tuf. Convert its errors to `LiveError` (`bad-metadata`)."""
    try:
        return step()
    except (
        DeserializationError,
        RepositoryError,
        StorageError,
        ValueError,
        KeyError,
        TypeError,
        RecursionError,
    ) as error:
        message = f"the metadata are damaged: {str(error).partition(chr(10))[0] or type(error).__name__}"
        raise LiveError(Problem("bad-metadata", message)) from None


def _verified(root: Metadata[Root], kind: type[_Signed], content: bytes) -> Metadata[_Signed]:
    metadata = parsed(kind, content)
    if not verify(lambda: is_signed(root.signed, metadata)):
        message = f"the metadata of {kind.type} are not signed by enough of its keys"
        raise LiveError(Problem("not-signed", message))
    return metadata


def _check_version(name: str, found: int, expected: int) -> None:
    if found != expected:
        raise LiveError(Problem("bad-metadata", f"{name} has version {found} instead of {expected}"))


def _get(store: Store, path: str) -> Version:
    found = store.get(path)
    if found is None:
        hint = "check the URL, or make a repository with `withhold keys init`"
        raise LiveError(Problem("no-repository", f"{store.name} has no {path}", hint=hint))
    return found
