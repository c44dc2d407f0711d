"""The hot loops in C, if they were built. Without them everything works too, with the same answers.

With `WITHHOLD_REQUIRE_NATIVE=1`, importing this package fails if they are not available. With `WITHHOLD_PURE_PYTHON=1`,
they are not used.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import NamedTuple

AVAILABLE = False
_why = "withhold.native is in use"
if os.environ.get("WITHHOLD_PURE_PYTHON") == "1":
    _why = "WITHHOLD_PURE_PYTHON is set"
else:
    try:
        for _name in ("bulk", "cells", "columns", "index", "resolver", "tweet", "view"):
            import_module(f"withhold.native.{_name}")
    except ModuleNotFoundError as error:
        _why = f"{error.name} was not built"
    except ImportError as error:
        _why = f"withhold.native cannot be used: {error}"
    else:
        from withhold.native import bulk as bulk
        from withhold.native import cells as cells
        from withhold.native import index as index
        from withhold.native import resolver as resolver
        from withhold.native import tweet as tweet
        from withhold.native import view as view

        AVAILABLE = True
if os.environ.get("WITHHOLD_REQUIRE_NATIVE") == "1" and not AVAILABLE:
    raise ImportError(f"WITHHOLD_REQUIRE_NATIVE is set, but {_why}")


class EngineInfo(NamedTuple):
    """The implementation in use. `native` is True if it is the one in C, and `why` gives the reason."""

    native: bool
    why: str


def engine_info() -> EngineInfo:
    """Return whether look-ups run in C or in Python, and why. Both give the same answers.

    >>> from withhold import engine_info
    >>> engine_info().native in (True, False)
    True
    """
    return EngineInfo(AVAILABLE, _why)
