"""The databases in which ledgers are tested."""

from tests.ledger.conftest import server, url

__all__ = ["server", "url"]
