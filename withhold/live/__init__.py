"""Publish signed rules for a fleet of hosts, and see which hosts use them."""

from withhold.errors import LiveError, missing_extra

try:
    from withhold.live.fetching import Fetcher
    from withhold.live.key_changes import ROLES, change_keys, create_repository
    from withhold.live.keys import create_key, read_public, read_signer
    from withhold.live.publishing import Draft, Live, Published, Publisher
    from withhold.live.receipts import HostState, Receipt, Receipts, Standing, fleet
    from withhold.live.release import Release
    from withhold.live.spool import Spool, open_spool
    from withhold.live.status import LiveStatus, State
    from withhold.live.worker import Worker
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in {
        "cryptography",
        "obstore",
        "securesystemslib",
        "tuf",
        "urllib3",
        "zstandard",
    }:
        raise
    raise missing_extra(error, "live") from None

__all__ = [
    "ROLES",
    "Draft",
    "Fetcher",
    "HostState",
    "Live",
    "LiveError",
    "LiveStatus",
    "Published",
    "Publisher",
    "Receipt",
    "Receipts",
    "Release",
    "Spool",
    "Standing",
    "State",
    "Worker",
    "change_keys",
    "create_key",
    "create_repository",
    "fleet",
    "open_spool",
    "read_public",
    "read_signer",
]
