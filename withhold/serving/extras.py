"""Import the libraries of an extra, with an error that says which one to install."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from withhold.errors import how_to_install


def imported(module: str, extra: str) -> Any:
    """Return a module of another library. Raise `ImportError` with the extra to install if it is missing."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"`{error.name}` is not installed [missing-extra]; {how_to_install(extra)}", name=error.name
        ) from None
