"""The memory of a process, as the kernel counts it."""

from __future__ import annotations

import ctypes
import gc
from pathlib import Path


def release() -> None:
    """Return freed memory to the system, so that memory freed after loading is not counted."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def usage() -> dict[str, int]:
    """Return the bytes of this process: resident (`rss`), with shared pages divided (`pss`), and private (`own`).

    Pages of a mapped file that were not written to are not private: another process that maps the file shares them.
    """
    found: dict[str, int] = {}
    for line in Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]:
        name, size = line.split()[:2]
        found[name.rstrip(":").lower()] = int(size) * 1024
    return {"rss": found["rss"], "pss": found["pss"], "own": found["private_dirty"]}


def reset_peak() -> int:
    """Reset the peak of this process, and return its resident bytes."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return usage()["rss"]


def peak() -> int:
    """Return the peak of resident bytes since `reset_peak`. (`getrusage` may return the peak of a parent process.)"""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise OSError("the kernel does not report peak memory")


def available() -> int:
    """Return the available memory of the machine in bytes."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable"):
            return int(line.split()[1]) * 1024
    return 0
