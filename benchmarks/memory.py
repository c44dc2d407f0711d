"""What a process holds, as the kernel counts it."""

from __future__ import annotations

import ctypes
import gc
from pathlib import Path


def settle() -> None:
    """Give back what was freed, so that what a load left behind is not counted as held."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def held() -> dict[str, int]:
    """Return bytes resident (`rss`), a fair share of them (`pss`), and those that can be nobody else's (`own`).

    What is mapped from a file and was not written to is nobody's own: the next process that maps it shares it.
    """
    found: dict[str, int] = {}
    for line in Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]:
        name, size = line.split()[:2]
        found[name.rstrip(":").lower()] = int(size) * 1024
    return {"rss": found["rss"], "pss": found["pss"], "own": found["private_dirty"]}


def watch_peak() -> int:
    """Forget what was the most that this process held; return what it holds now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return held()["rss"]


def peak() -> int:
    """Return the most that this process has held since then. (What `getrusage` says, a parent can have held.)"""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise OSError("the kernel does not tell how much was held")


def available() -> int:
    """Return what the machine could still give."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable"):
            return int(line.split()[1]) * 1024
    return 0
