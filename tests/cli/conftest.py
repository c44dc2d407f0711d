"""Fixtures of all tests of commands."""

import pytest

from withhold.cli.output import err, out


@pytest.fixture(autouse=True)
def _own_consoles():
    """Let each test see the consoles of its own environment: they read `COLUMNS` and the like when they are made."""
    for console in (out, err):
        console.cache_clear()
