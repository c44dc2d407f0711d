"""The hot loops in C, where they could be built. Everything works without them, and answers the same.

`WITHHOLD_REQUIRE_NATIVE=1` makes it an error to do without them, and `WITHHOLD_PURE_PYTHON=1` does without.
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
        for _name in ("addresses", "columns", "index", "view"):
            import_module(f"withhold.native.{_name}")
    except ModuleNotFoundError as error:
        _why = f"{error.name} was not built"
    except ImportError as error:
        _why = f"withhold.native cannot be used: {error}"
    else:
        from withhold.native import addresses as addresses
        from withhold.native import index as index
        from withhold.native import view as view

        AVAILABLE = True
if os.environ.get("WITHHOLD_REQUIRE_NATIVE") == "1" and not AVAILABLE:
    raise ImportError(f"WITHHOLD_REQUIRE_NATIVE is set, but {_why}")


class EngineInfo(NamedTuple):
    """What answers: `native` tells whether it is the compiled core, `why` says in words why, or why not."""

    native: bool
    why: str


def engine_info() -> EngineInfo:
    """Say whether look-ups are made in C or in Python; both give the same answers.

    >>> from withhold import engine_info
    >>> engine_info().native in (True, False)
    True
    """
    return EngineInfo(AVAILABLE, _why)
