"""Rules, an engine and a view for tests of the serving calls."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from withhold import Engine, Rule, RuleSet, Viewer

NOON = datetime(2021, 2, 10, 12, tzinfo=UTC)

INDIA = Viewer(country="IN")


def rule(id_: str = "in-1", **more) -> Rule:
    return Rule(**{"id": id_, "accounts": [17], "withheld_in": ["IN"], "reason": "legal_demand", **more})


@pytest.fixture
def engine():
    return Engine(RuleSet([rule(), rule("in-2", accounts=[], tweets=[20, 2**62])]))


@pytest.fixture
def view(engine):
    return engine.view(INDIA, NOON)
