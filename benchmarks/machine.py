"""Describe the machine on which the figures were measured."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.serving.timing import clock_cost
from withhold.native.package import this_package


def described() -> dict[str, Any]:
    """Return the date, the machine and the versions."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "caches": ", ".join(f"{level} {size}" for level, size in _caches().items()),
        "last_cache": last_cache(),
        "load": os.getloadavg()[0],
        "clock_ns": clock_cost(),
        "engine": this_package().kind,
    }


def summary(found: dict[str, Any]) -> str:
    """Return a description as one line."""
    return (
        f"{found['date']} · Python {found['python']} on {found['system']} · {found['processor']}, "
        f"{found['cores']} cores ({found['caches']}) · load {found['load']:.1f} at the start"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def last_cache() -> int:
    """Return the size of the last-level cache in bytes, as the kernel reports it, or 0."""
    last = list(_caches().values())[-1:]
    return int(last[0].removesuffix("K")) * 1024 if last else 0


def _caches() -> dict[str, str]:
    found: dict[str, str] = {}
    for cache in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((cache / name).read_text(encoding="ascii").strip() for name in ("level", "type", "size"))
        if kind != "Instruction":
            found[f"L{level}"] = size
    return found
