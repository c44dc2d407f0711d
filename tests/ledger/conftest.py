"""A ledger in each database. All tests of ledgers run in both."""

from __future__ import annotations

import pytest

from tests.ledger.material import Balances
from tests.ledger.server import Server, needs_postgres
from withhold.ledger import Ledger
from withhold.testing.clock import FrozenClock


@pytest.fixture(scope="session")
def server():
    running = Server()
    yield running
    running.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgres)])
def url(request, tmp_path):
    """Return the URL of an empty database."""
    return (
        f"sqlite:///{tmp_path}/orders.db" if request.param == "sqlite" else request.getfixturevalue("server").database()
    )


@pytest.fixture
def clock():
    return FrozenClock("2021-02-01T14:30:00+05:30")


@pytest.fixture
def ledger(url, clock):
    with Ledger.open(url, [Balances()], create=True, clock=clock) as opened:
        yield opened
