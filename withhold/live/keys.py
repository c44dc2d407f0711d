"""Create and read keys: encrypted files, or variables of the environment. No message contains their bytes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.signer import CryptoSigner, Signer, SSlibKey

from withhold.errors import LiveError, Problem, escaped_path, quoted

#: The beginning of the name of a key that a variable of the environment holds.
_VARIABLE = "env:"
_SMALLEST_PASSWORD = 12
#: What a key without its first and last line looks like, in base64 or hexadecimal. It must not be printed as the name of a file.
_LIKE_A_KEY = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")
#: Returns the password of the key with a given name.
Password = Callable[[str], str]


def create_key(path: Path, password: str) -> SSlibKey:
    """Make a key pair: the private key in a new encrypted file at `path`, the public key beside it, with `.pub` added.

    Only the user can read the private key. Raises `LiveError` (`weak-password`, `key-exists`, `key-unwritable`).
    """
    if len(password) < _SMALLEST_PASSWORD:
        message = f"the password of a key has fewer than {_SMALLEST_PASSWORD} characters"
        raise LiveError(Problem("weak-password", message, hint="use a generated one"))
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    try:
        _write_new(path, private, 0o600)
        _write_new(public_path(path), public, 0o644)
    except FileExistsError as error:
        message = f"{escaped_path(str(error.filename))} exists"
        raise LiveError(Problem("key-exists", message, hint="keys are never replaced; choose another name")) from None
    except OSError as error:
        message = f"cannot write {escaped_path(path)}: {os.strerror(error.errno or 0).lower()}"
        raise LiveError(Problem("key-unwritable", message)) from None
    return SSlibKey.from_crypto(key.public_key())


def public_path(path: Path) -> Path:
    """Return the path of the public key that belongs to a private key."""
    return path.with_name(f"{path.name}.pub")


def read_signer(source: str, password: Password) -> Signer:
    """Return the signer with the private key in a file, or in a variable of the environment: `env:NAME`.

    `password` is called only for an encrypted key, and a key in a file must be encrypted. Raises `LiveError`
    (`unusable-key`, `key-unreadable`, `key-not-encrypted`, `key-in-the-open`).
    """
    in_variable = source.startswith(_VARIABLE)
    name = source.removeprefix(_VARIABLE)
    exists = name in os.environ if in_variable else os.path.exists(source)  # noqa: PTH110  # it raises nothing
    if "-----" in source or "\n" in source or (_LIKE_A_KEY.fullmatch(name) and not exists):
        message = "a key was given instead of the path of its file"
        raise LiveError(Problem("key-in-the-open", message, hint="others may have seen it: revoke it"))
    text = _variable(name) if in_variable else _file(source)
    shown = quoted(source)
    encrypted = b"ENCRYPTED" in text.partition(b"\n")[0]
    if not (encrypted or in_variable):
        message = f"{shown} is not the encrypted file of a private key"
        raise LiveError(Problem("key-not-encrypted", message, hint="make a key with `withhold keys new`"))
    secret = password(source).encode() if encrypted else None
    try:
        key = load_pem_private_key(text, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        message = f"{shown} holds no private key, or the password is wrong"
        raise LiveError(Problem("unusable-key", message, hint="check the path and the password")) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise LiveError(
            Problem("unusable-key", f"{shown} is not an Ed25519 key", hint="make one with `withhold keys new`")
        )
    return CryptoSigner(key)


def read_public(source: str) -> SSlibKey:
    """Return the public key in a file. Raises `LiveError` (`unusable-key`, `key-unreadable`)."""
    content = _file(source)
    try:
        return SSlibKey.from_crypto(load_pem_public_key(content))
    except (ValueError, UnsupportedAlgorithm):
        message = f"{quoted(source)} holds no public key"
        raise LiveError(Problem("unusable-key", message, hint="give the file that ends with `.pub`")) from None


def _variable(name: str) -> bytes:
    text = os.environ.get(name)
    if not text:
        raise LiveError(Problem("key-unreadable", f"the variable {quoted(name)} is not set"))
    return text.encode("utf-8", "surrogateescape")


def _file(source: str) -> bytes:
    try:
        return Path(source).read_bytes()
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else "not a path"
        raise LiveError(Problem("key-unreadable", f"cannot read {escaped_path(source)}: {reason}")) from None


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that must not exist. It has its mode from the beginning."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
