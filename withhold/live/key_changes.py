"""Make a repository, and add, replace and revoke the keys of its roles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime

from securesystemslib.signer import Key, Signer
from tuf.api.metadata import Metadata, Role, Root, Snapshot, Targets

from withhold.errors import LiveError, Problem, in_backticks, quoted
from withhold.live.repository import Repository, meta_of, serialized
from withhold.live.store import Store
from withhold.live.trusted import TIMESTAMP, Trusted, check_root, is_signed

#: Errors that mean that readers refuse what the store has.
_NOT_VALID = ("not-signed", "bad-metadata", "no-repository")
#: The roles of TUF, by the roles of keys in this package. The online key signs snapshots and timestamps.
ROLES = {"root": ("root",), "targets": ("targets",), "online": ("snapshot", "timestamp")}


def create_repository(
    store: str,
    signers: Sequence[Signer],
    keys: Mapping[str, Sequence[Key]],
    *,
    threshold: int = 1,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> bytes:
    """Make a repository without rules in a store, and return its root, which every host must be given.

    `keys` has the public keys of `root`, `targets` and `online`; `threshold` keys of `targets` must sign to publish.
    `signers` have the keys of all roles, with enough of `targets`. Raises `LiveError` (`repository-exists`,
    `bad-threshold`, `threshold-unmet`).
    """
    opened = Store(store, create=True)
    if opened.list("metadata"):
        message = f"{opened.name} holds a repository"
        raise LiveError(Problem("repository-exists", message, hint="choose another path"))
    repository = Repository(opened, b"", clock)
    thresholds = {"root": 1, "targets": threshold, "online": 1}
    root = Root(
        expires=repository.expiry("root"), roles={name: Role([], 1) for names in ROLES.values() for name in names}
    )
    for role, names in ROLES.items():
        for name in names:
            for key in keys[role]:
                root.add_key(key, name)
            _set_threshold(root, name, thresholds[role])
    signed = repository.sign(root, Metadata(root), signers)
    targets = serialized(repository.sign(root, Metadata(Targets(expires=repository.expiry("targets"))), signers))
    meta = {"targets.json": meta_of(1, targets)}
    snapshot = serialized(
        repository.sign(root, Metadata(Snapshot(expires=repository.expiry("snapshot"), meta=meta)), signers)
    )
    last = serialized(repository.sign(root, repository.timestamp(1, meta_of(1, snapshot)), signers))
    content = serialized(signed)
    for path, written in (
        ("metadata/1.root.json", content),
        ("metadata/1.targets.json", targets),
        ("metadata/1.snapshot.json", snapshot),
        (TIMESTAMP, last),
    ):
        if not opened.create(path, written):
            raise LiveError(Problem("repository-exists", f"somebody else is making a repository in {opened.name}"))
    return content


def change_keys(
    repository: Repository,
    role: str,
    signers: Sequence[Signer],
    *,
    add: Sequence[Key] = (),
    revoke: Sequence[str] = (),
    threshold: int | None = None,
) -> int:
    """Add and revoke keys of a role (`root`, `targets` or `online`) in a new root. Return its version.

    `signers` have the current root key; for a change of `root`, the new ones too. Live metadata that too few of the
    remaining keys have signed are signed first, so that readers always find valid signatures. For this, `signers` must
    have enough of the remaining keys. Without a change, the root is signed for another year.

    If the metadata of the store are not valid, for example because the online key was stolen, a change of `online`
    makes the newest targets live again that the keys of the targets have signed.

    Raises `LiveError` (`unknown-role`, `no-such-key`, `known-key`, `bad-threshold`, `threshold-unmet`, `root-moved`, and
    those of reading).
    """
    if role not in ROLES:
        raise LiveError(Problem("unknown-role", f"{quoted(role)} is not a role", hint=f"known: {', '.join(ROLES)}"))
    try:
        now = repository.read()
        current = now.root
    except LiveError as error:
        if role != "online" or error.code not in _NOT_VALID:
            raise
        now, current = None, repository.read_root()
        if next(repository.signed_targets(current.signed), None) is None:  # as if the URL is wrong
            raise
    root = deepcopy(current.signed)  # its `to_dict` would share the lists of keys
    root.version += 1
    root.expires = repository.expiry("root")
    for name in ROLES[role]:
        for key in add:
            if key.keyid in root.roles[name].keyids:
                raise LiveError(Problem("known-key", f"{in_backticks(key.keyid)} is a key of {role} already"))
            root.add_key(key, name)
        for keyid in revoke:
            if keyid not in root.roles[name].keyids:
                known = ", ".join(map(in_backticks, root.roles[name].keyids))
                message = f"{in_backticks(keyid)} is not a key of {role}"
                raise LiveError(Problem("no-such-key", message, hint=f"its keys: {known}"))
            if len(root.roles[name].keyids) == 1:
                message = f"{in_backticks(keyid)} is the only key of {role}"
                raise LiveError(Problem("bad-threshold", message, hint="replace it with `withhold keys rotate`"))
            root.revoke_key(keyid, name)
        _set_threshold(root, name, root.roles[name].threshold if threshold is None else threshold)
    metadata = Metadata(root)
    for signer in signers:
        if signer.public_key.keyid in {*root.roles["root"].keyids, *current.signed.roles["root"].keyids}:
            metadata.sign(signer, append=True)
    try:
        check_root(current, metadata)
    except LiveError:
        message = "the new root is not signed by enough keys of the root"
        raise LiveError(
            Problem("threshold-unmet", message, hint="give enough keys of the role root, old and new ones")
        ) from None
    if now is None:
        repository.require(root, "timestamp", signers)
    else:
        _sign_again(repository, now, root, signers)
    if not repository.store.create(f"metadata/{root.version}.root.json", serialized(metadata)):
        raise LiveError(
            Problem("root-moved", "somebody else has changed the keys", hint="look at the keys, and repeat")
        )
    try:
        repository.read()
    except LiveError as error:  # for example, somebody has just published with a key that is now revoked
        if error.code not in _NOT_VALID:
            raise
        repository.make_valid(root, signers)
    return root.version


def _sign_again(repository: Repository, now: Trusted, root: Root, signers: Sequence[Signer]) -> None:
    """Sign the live metadata with the keys that remain, unless these have signed them."""
    targets = None
    if not is_signed(root, now.targets):
        live = now.targets.signed
        again = Targets(
            version=repository.free_version("targets", live.version),
            expires=repository.expiry("targets"),
            targets=live.targets,
        )
        content = serialized(repository.sign_for([now.root.signed, root], Metadata(again), signers))
        if not repository.store.create(f"metadata/{again.version}.targets.json", content):
            raise LiveError(Problem("publish-moved", "somebody else is publishing", hint="repeat the command"))
        targets = again.version, content
    if targets is not None or not (is_signed(root, now.snapshot) and is_signed(root, now.timestamp)):
        repository.require(root, "timestamp", signers)
        repository.advance(targets, signers, now.targets.signed.version, next_root=root)


def _set_threshold(root: Root, name: str, threshold: int) -> None:
    role = root.roles[name]
    if not 1 <= threshold <= len(role.keyids):
        message = f"{threshold} keys cannot be required, because {name} has {len(role.keyids)}"
        raise LiveError(Problem("bad-threshold", message, hint="give another threshold"))
    role.threshold = threshold
