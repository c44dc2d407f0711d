"""Databases for tests of watching."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.location.mmdb_files import country, write

INDIA: dict[str, object] = {"8.8.8.0/24": country("IN"), "2001:db8::/32": country("IN")}

TURKEY: dict[str, object] = {"8.8.8.0/24": country("TR"), "2001:db8::/32": country("TR")}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "geo.mmdb", INDIA)
