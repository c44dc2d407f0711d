"""State which package a benchmark measures, and make sure that all of its processes measure the same one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from withhold.errors import how_to_install
from withhold.native.package import this_package

#: The environment variable in which a process passes the expected package to its child processes.
VARIABLE = "WITHHOLD_BENCHMARKS_MEASURE"
HELP = "measure in pure Python, without the compiled modules"


def begin() -> None:
    """Print the measured package to standard error, or, in a child process, compare it with the parent's.

    Exit if they differ, or if the package is in pure Python and `--pure` is not given. Remove `--pure` from `sys.argv`.
    """
    found, wanted = this_package(), os.environ.get(VARIABLE)
    wants_pure = "--pure" in sys.argv[1:]
    if wants_pure:
        sys.argv.remove("--pure")
    if wanted is not None:
        if wanted != str(found):
            sys.exit(f"stopped: this run measures {wanted}, but this process has imported {found}")
        return
    if wants_pure and found.native:
        # The package chooses between C and Python when it is imported, so start again in a new process.
        again = [sys.executable, *sys.orig_argv[1:]]
        sys.exit(subprocess.call(again, env={**os.environ, "WITHHOLD_PURE_PYTHON": "1"}))  # noqa: S603
    print(f"measured: {found}", file=sys.stderr, flush=True)
    if not found.native and not wants_pure:
        hint = "."
        if os.environ.get("WITHHOLD_PURE_PYTHON"):
            hint = ", or unset `WITHHOLD_PURE_PYTHON` to measure the compiled modules."
        elif found.is_checkout:
            hint += " Python imports the sources in the current directory before an installed package:"
            hint += " compile them with `pip install -e '.[bench]'`."
        sys.exit(f"stopped: the package is in pure Python; add `--pure` to measure that{hint}")


@contextmanager
def needed() -> Iterator[None]:
    """Allow imports from the extra `bench`. If one is missing, exit with the command that installs it."""
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        sys.exit(f"the benchmarks need `{name}`, which is not installed; {how_to_install('bench')}")


def command(module: str, *arguments: object) -> list[str]:
    """Return the command that runs a module in a process that measures the same package as this one."""
    os.environ.setdefault(VARIABLE, str(this_package()))
    return [sys.executable, "-m", module, *map(str, arguments)]


def output_of(module: str, *arguments: object) -> Any:
    """Run a module in its own process, and return the JSON that it prints. Exit if it fails."""
    done = subprocess.run(command(module, *arguments), stdout=subprocess.PIPE, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"stopped: {module} ended with status {done.returncode}")
    return json.loads(done.stdout)
