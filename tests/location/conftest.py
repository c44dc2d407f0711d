"""A fixture that runs a test with both implementations of look-ups: in C, if it is compiled, and in Python."""

from __future__ import annotations

import pytest

from withhold import engine_info
from withhold.location.database import Database


@pytest.fixture(params=["native", "python"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look up in one way, also in databases that were loaded before."""
    if request.param == "python":
        monkeypatch.setattr(Database, "native", property(lambda _: None, lambda _, value: None))
    elif not engine_info().native:
        pytest.skip(engine_info().why)
