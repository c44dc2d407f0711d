"""A fixture that runs a test with both implementations of the fast path of requests: in C, if it is compiled, and in Python."""

from __future__ import annotations

import pytest

from withhold import engine_info
from withhold.location.fast_path import FastPath


@pytest.fixture(params=["native", "python"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve requests in one way."""
    if request.param == "python":
        monkeypatch.setattr(FastPath, "native", property(lambda _: None, lambda _, value: None), raising=False)
    elif not engine_info().native:
        pytest.skip(engine_info().why)
