"""Verify the metadata of a source with python-tuf, which keeps the newest verified metadata in the spool."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from tuf.api import exceptions
from tuf.api.metadata import Metadata, Targets, Timestamp
from tuf.api.serialization import DeserializationError
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from withhold.errors import InstantError, LiveError, Problem
from withhold.live.repository import LIFETIMES, SIGNED
from withhold.live.store import LARGEST_METADATA, Store
from withhold.model.instants import parse_instant

_CONFIG = UpdaterConfig(
    root_max_length=LARGEST_METADATA, snapshot_max_length=LARGEST_METADATA, targets_max_length=LARGEST_METADATA
)


class Verified(NamedTuple):
    """The newest targets of a source, and the period in which they are known to be the newest."""

    targets: Targets
    signed: datetime
    expires: datetime


def refresh(store: Store, folder: Path, trusted_root: bytes) -> Verified:
    """Return the newest metadata of a source, verified against a trusted root and against the metadata in `folder`.

    The new metadata are written to `folder`.

    Two requests if nothing has changed. Raises `LiveError`: `not-signed`, `rolled-back`, `metadata-expired`,
    `wrong-content`, `bad-metadata`, `store-unavailable`; and `OSError` if `folder` cannot be written.
    """
    try:
        updater = Updater(str(folder), "metadata/", fetcher=_Fetcher(store), config=_CONFIG, bootstrap=trusted_root)
        updater.refresh()
        targets = Metadata[Targets].from_file(str(folder / "targets.json")).signed
        timestamp = Metadata[Timestamp].from_file(str(folder / "timestamp.json")).signed
    except exceptions.DownloadLengthMismatchError as error:
        raise _refusal("larger-than-allowed", error) from None
    except exceptions.DownloadError as error:
        cause = error.__cause__
        if isinstance(cause, LiveError):
            raise cause from None
        raise LiveError(Problem("store-unavailable", str(error), hint="check the URL")) from None
    except exceptions.RepositoryError as error:
        raise _refusal(_CODES.get(type(error), "bad-metadata"), error) from None
    except (DeserializationError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _refusal("bad-metadata", error) from None
    return Verified(targets, _signed(timestamp), timestamp.expires)


_CODES: dict[type[Exception], str] = {
    exceptions.UnsignedMetadataError: "not-signed",
    exceptions.BadVersionNumberError: "rolled-back",
    exceptions.ExpiredMetadataError: "metadata-expired",
    exceptions.LengthOrHashMismatchError: "wrong-content",
}


def _refusal(code: str, error: Exception) -> LiveError:
    text = str(error).partition("\n")[0] or type(error).__name__
    return LiveError(Problem(code, f"the source was refused: {text}".rstrip(".")))


def _signed(timestamp: Timestamp) -> datetime:
    """Return when a timestamp was signed, as its signer states."""
    try:
        return parse_instant(str(timestamp.unrecognized_fields[SIGNED]))
    except (KeyError, InstantError):  # another program has signed it
        return timestamp.expires - LIFETIMES["timestamp"]


class _Fetcher(FetcherInterface):
    """Downloads the files that python-tuf asks for. Their URLs are paths in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            found = self._store.get(url)
        except LiveError as error:
            if error.code == "store-refuses" and url.endswith(".root.json"):
                # Object stores that may not list files answer 403 for a missing one. The next root is usually missing.
                raise exceptions.DownloadHTTPError(str(error), 403) from None
            raise
        if found is None:
            raise exceptions.DownloadHTTPError(f"{self._store.name} has no {url}", 404)
        return iter([found.content])
