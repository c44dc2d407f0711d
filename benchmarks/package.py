"""Every process of a benchmark states which package it measures, or measures the one that its parent does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from withhold.errors import how_to_install
from withhold.native.package import this_package

#: By this a process tells those that it starts what they are to measure.
VARIABLE = "WITHHOLD_BENCHMARKS_MEASURE"
HELP = "measure in pure Python, with nothing of what is in C"


def begin() -> None:
    """State on standard error what is measured, or see that it is what the process that started this one measures.

    Ends the process if it is not, or if pure Python is measured without `--pure`, which is taken out of the arguments.
    """
    found, wanted = this_package(), os.environ.get(VARIABLE)
    wants_pure = "--pure" in sys.argv[1:]
    if wants_pure:
        sys.argv.remove("--pure")
    if wanted is not None:
        if wanted != str(found):
            sys.exit(f"stopped: {wanted} is measured, and this process has imported {found}")
        return
    if wants_pure and found.native:
        # That is chosen when the package is imported, so another process has to.
        again = [sys.executable, *sys.orig_argv[1:]]
        sys.exit(subprocess.call(again, env={**os.environ, "WITHHOLD_PURE_PYTHON": "1"}))  # noqa: S603
    print(f"measured: {found}", file=sys.stderr, flush=True)
    if not found.native and not wants_pure:
        hint = " Sources in the current folder go before an installed package: compile them where they are, with `pip install -e '.[bench]'`."
        sys.exit(
            f"stopped: that is pure Python, which is measured with `--pure` only.{hint if found.is_checkout else ''}"
        )


@contextmanager
def needed() -> Iterator[None]:
    """Import what the extra `bench` has; end the process with how to install it if it is not there."""
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        sys.exit(f"the benchmarks need `{name}`, which is not installed; {how_to_install('bench')}")


def command(module: str, *arguments: object) -> list[str]:
    """Return how to run a module in a process that measures what this one does."""
    os.environ.setdefault(VARIABLE, str(this_package()))
    return [sys.executable, "-m", module, *map(str, arguments)]
