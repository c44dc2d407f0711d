"""`withhold keys`: make a repository of signed rules, and add, replace and revoke its keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from withhold.cli import options
from withhold.cli.live_options import Keys, StoreUrl, Trust, password_of, read_signers, read_trust, reported
from withhold.cli.output import err, show
from withhold.cli.render import Format
from withhold.cli.results import RecordedResult, TableResult
from withhold.errors import escaped_path
from withhold.model.instants import in_iso

if TYPE_CHECKING:
    from securesystemslib.signer import Key

    from withhold.live import Publisher

keys = typer.Typer(help="Make a repository of signed rules, and change its keys.", no_args_is_help=True)
_Format = Annotated[Format, options.formats()]
_Role = Annotated[str, typer.Option("--role", metavar="ROLE", help="root, targets (who publishes) or online.")]
_Public = Annotated[str, typer.Option("--public", metavar="FILE", help="The public key: a file that ends with .pub.")]
_Threshold = Annotated[
    int | None, typer.Option("--threshold", metavar="N", help="How many keys of the role must sign, from now on.")
]
_Revoked = Annotated[
    str, typer.Option("--revoke", metavar="ID", help="The id of a key, as `withhold keys list` prints it.")
]
#: The name of the trusted root that `init` writes.
_TRUSTED_ROOT = "trusted-root.json"


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

        made = create_key(file, _new_password(file))
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

        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            message = f"cannot make {escaped_path(folder)}: {(error.strerror or str(error)).lower()}"
            raise typer.BadParameter(message, param_hint="'--keys'") from None
        password = _new_password(folder)
        public: dict[str, list[Key]] = {}
        for role in ("root", "targets", "online"):
            public[role] = [create_key(folder / f"{role}.pem", password)]
        signers = [read_signer(str(folder / f"{role}.pem"), lambda _: password) for role in public]
        trusted = folder / _TRUSTED_ROOT
        trusted.write_bytes(create_repository(to, signers, public))
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
    _change(to, trust, role, key, form, add=public, threshold=threshold)


@keys.command()
def revoke(
    to: StoreUrl, trust: Trust, role: _Role, revoked: _Revoked, key: Keys = None, threshold: _Threshold = None,
    form: _Format = Format.TEXT,
) -> None:  # fmt: skip
    """Revoke a key. Needs the root key, and the keys that remain if the revoked one has signed what is live."""
    _change(to, trust, role, key, form, revoke=revoked, threshold=threshold)


@keys.command()
def rotate(
    to: StoreUrl, trust: Trust, role: _Role, public: _Public, revoked: _Revoked, key: Keys = None,
    form: _Format = Format.TEXT,
) -> None:  # fmt: skip
    """Replace a key by another one: add it, then revoke the old one. Needs the root key, the old and the new key."""
    _change(to, trust, role, key, None, add=public)
    _change(to, trust, role, key, form, revoke=revoked)


@keys.command()
def renew(to: StoreUrl, trust: Trust, key: Keys = None, form: _Format = Format.TEXT) -> None:
    """Sign the root for another year, without a change. Needs the root key."""
    _change(to, trust, "root", key, form)


def _change(
    to: str,
    trust: Path,
    role: str,
    key: list[str] | None,
    form: Format | None,
    *,
    add: str | None = None,
    revoke: str | None = None,
    threshold: int | None = None,
) -> None:
    """Change the keys of a role, and print the new root's version in a format, unless it is None."""
    with reported(form or Format.TEXT):
        from withhold.live import change_keys, read_public

        added = [] if add is None else [read_public(add)]
        version = change_keys(
            _publisher(to, trust).repository,
            role,
            read_signers(key),
            add=added,
            revoke=[] if revoke is None else [revoke],
            threshold=threshold,
        )
    if form is not None:
        show(
            RecordedResult(
                {"root": version, "role": role}, f"signed root {version}; hosts follow it at their next poll"
            ),
            form,
        )


def _publisher(to: str, trust: Path) -> Publisher:
    from withhold.live import Publisher

    return Publisher(to, read_trust(trust))


def _new_password(file: Path) -> str:
    password = password_of(str(file))
    err.print("keep the password apart from the keys", style="yellow")
    return password
