"""`withhold keys`: make a repository of signed rules, and add, replace and revoke its keys."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from withhold.cli import options
from withhold.cli.live_options import Keys, StoreUrl, Trust, password_of, read_signers, read_trust, reported
from withhold.cli.output import err, show
from withhold.cli.render import Format
from withhold.cli.results import RecordedResult, TableResult
from withhold.errors import LiveError, Problem, escaped_path, in_backticks
from withhold.model.instants import in_iso

if TYPE_CHECKING:
    from securesystemslib.signer import Key

    from withhold.live import Publisher

keys = typer.Typer(help="Make a repository of signed rules, and change its keys.", no_args_is_help=True)
_Format = Annotated[Format, options.formats()]
_Role = Annotated[str, typer.Option("--role", metavar="ROLE", help="root, targets (to publish) or online.")]
_Public = Annotated[str, typer.Option("--public", metavar="FILE", help="A public key: a file that ends with .pub.")]
_Threshold = Annotated[
    int | None, typer.Option("--threshold", metavar="N", help="How many keys of the role must sign, from now on.")
]
_Revoked = Annotated[
    str,
    typer.Option(
        "--revoke",
        metavar="ID|FILE",
        help="A key: its id, as `withhold keys list` prints it, or its public key, a file that ends with .pub.",
    ),
]
#: The name of the trusted root that `init` writes.
_TRUSTED_ROOT = "trusted-root.json"
_NOTE = "keep the password apart from the keys"


@keys.command()
def new(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where to write the private key; `.pub` is added for the public one.")
    ],
    form: _Format = Format.TEXT,
) -> None:
    """Make a key pair. Give others the public key only."""
    with reported(form):
        from withhold.live import create_key

        made = create_key(file, password_of(str(file), new=True))
    err().print(_NOTE, style="yellow")
    text = f"wrote {escaped_path(file)} and {escaped_path(file)}.pub; the key is {made.keyid}"
    show(RecordedResult({"file": str(file), "key": made.keyid}, text), form)


@keys.command()
def init(
    to: StoreUrl,
    folder: Annotated[Path, typer.Option("--keys", metavar="DIRECTORY", help="A new directory for the keys.")],
    form: _Format = Format.TEXT,
) -> None:
    """Make a repository without rules, and the keys `root.pem`, `targets.pem` and `online.pem`.

    It writes the trusted root, a file for every host. Keep the root key offline.
    """
    with reported(form):
        from withhold.live import create_key, create_repository, read_signer

        password = password_of(str(folder), new=True)
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            message = f"cannot make {escaped_path(folder)}: {(error.strerror or str(error)).lower()}"
            raise typer.BadParameter(message, param_hint="'--keys'") from None
        trusted = folder / _TRUSTED_ROOT
        try:
            public: dict[str, list[Key]] = {}
            for role in ("root", "targets", "online"):
                public[role] = [create_key(folder / f"{role}.pem", password)]
            signers = [read_signer(str(folder / f"{role}.pem"), lambda _: password) for role in public]
            root = create_repository(to, signers, public)
        except BaseException:
            shutil.rmtree(folder)  # keys of no repository; without them the command can be repeated
            raise
        trusted.write_bytes(root)
    err().print(_NOTE, style="yellow")
    text = f"made a repository in {to}; give {escaped_path(trusted)} to every host, and keep the root key offline"
    show(RecordedResult({"store": to, "trusted_root": str(trusted)}, text), form)


@keys.command("list")
def list_(to: StoreUrl, trust: Trust, form: Annotated[Format, options.formats(Format.CSV)] = Format.TEXT) -> None:
    """List the keys of a repository, and how many of each role must sign."""
    with reported(form):
        from withhold.live import ROLES

        root = _publisher(to, trust).repository.read().root.signed
        rows = [
            {
                "role": role,
                "key": keyid,
                "must_sign": f"{root.roles[names[0]].threshold} of {len(root.roles[names[0]].keyids)}",
            }
            for role, names in ROLES.items()
            for keyid in root.roles[names[0]].keyids
        ]
    note = f"root {root.version}, valid until {in_iso(root.expires)}"
    show(TableResult(("role", "must_sign", "key"), rows, note), form)


@keys.command()
def add(
    to: StoreUrl, trust: Trust, role: _Role, public: _Public, key: Keys = None, threshold: _Threshold = None,
    form: _Format = Format.TEXT,
) -> None:  # fmt: skip
    """Add a key to a role. Needs the root key and, if more keys must sign than have signed, those keys and the online key."""
    with reported(form):
        from withhold.live import change_keys, read_public

        repository, signers = _publisher(to, trust).repository, read_signers(key)
        version = change_keys(repository, role, signers, add=[read_public(public)], threshold=threshold)
    _show(version, role, form)


@keys.command()
def revoke(
    to: StoreUrl, trust: Trust, role: _Role, revoked: _Revoked, key: Keys = None, threshold: _Threshold = None,
    form: _Format = Format.TEXT,
) -> None:  # fmt: skip
    """Revoke a key. Needs the root key, and the keys that remain if the revoked one has signed what is live."""
    with reported(form):
        from withhold.live import change_keys

        repository, signers = _publisher(to, trust).repository, read_signers(key)
        version = change_keys(repository, role, signers, revoke=[_id_of(revoked)], threshold=threshold)
    _show(version, role, form)


@keys.command()
def rotate(
    to: StoreUrl, trust: Trust, role: _Role, public: _Public, revoked: _Revoked, key: Keys = None,
    form: _Format = Format.TEXT,
) -> None:  # fmt: skip
    """Replace a key by another one: add it, then revoke the old one. Needs the root key, the old and the new key, and the online key."""
    with reported(form):
        from withhold.live import ROLES, change_keys, read_public

        repository, signers = _publisher(to, trust).repository, read_signers(key)
        new, old = read_public(public), _id_of(revoked)
        names = ROLES.get(role)
        known = [] if names is None else repository.read_root().signed.roles[names[0]].keyids
        if names is not None and old not in known:
            message = f"{in_backticks(old)} is not a key of {role}"  # before anything is changed
            raise LiveError(Problem("no-such-key", message, hint="`withhold keys list` prints the keys"))
        if new.keyid == old:
            raise LiveError(Problem("known-key", f"{in_backticks(old)} is both the new key and the old one"))
        if new.keyid not in known:  # an earlier attempt may have added it
            change_keys(repository, role, signers, add=[new])
        try:
            version = change_keys(repository, role, signers, revoke=[old])
        except LiveError as error:
            message = (
                f"{in_backticks(new.keyid)} was added, but {in_backticks(old)} is not revoked: {error.problem.message}"
            )
            hint = "; ".join(filter(None, [error.problem.hint, "repeat the command"]))
            raise LiveError(Problem(error.code, message, hint=hint)) from None
    _show(version, role, form)


@keys.command()
def renew(to: StoreUrl, trust: Trust, key: Keys = None, form: _Format = Format.TEXT) -> None:
    """Sign the root for another year, without a change. Needs the root key."""
    with reported(form):
        from withhold.live import change_keys

        version = change_keys(_publisher(to, trust).repository, "root", read_signers(key))
    _show(version, "root", form)


def _show(version: int, role: str, form: Format) -> None:
    text = f"signed root {version}; hosts follow it at their next poll"
    show(RecordedResult({"root": version, "role": role}, text), form)


def _publisher(to: str, trust: Path) -> Publisher:
    from withhold.live import Publisher

    return Publisher(to, read_trust(trust))


def _id_of(key: str) -> str:
    """Return the id of a key, which is given by its id or by the file of its public key."""
    from withhold.live import read_public

    return read_public(key).keyid if key.endswith(".pub") else key
