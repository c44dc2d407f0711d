"""Import the libraries of an extra, with an error that says which one to install."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from withhold.errors import missing_extra


def imported(module: str, extra: str) -> Any:
    """Return a module of another library. Raise `ImportError` with the extra to install if it is missing."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise missing_extra(error, extra) from None
