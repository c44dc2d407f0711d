"""Suspend the garbage collector of Python."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Suspend garbage collection in a command that keeps many objects and makes no cycles.

    Collection would take up to a third of its time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
