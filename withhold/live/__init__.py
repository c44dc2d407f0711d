"""Rules to a fleet: publish a snapshot once, signed, and know that every host answers by it."""

from withhold.errors import LiveError, missing_extra

try:
    from withhold.live.key_changes import ROLES, change_keys, create_repository
    from withhold.live.keys import create_key, read_public, read_signer
    from withhold.live.publishing import Draft, Live, Published, Publisher
    from withhold.live.release import Release
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in {"cryptography", "obstore", "securesystemslib", "tuf", "zstandard"}:
        raise
    raise missing_extra(error, "live") from None

__all__ = [
    "ROLES",
    "Draft",
    "Live",
    "LiveError",
    "Published",
    "Publisher",
    "Release",
    "change_keys",
    "create_key",
    "create_repository",
    "read_public",
    "read_signer",
]
