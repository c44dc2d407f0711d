"""Scripts that fork: what they need, and a function that runs one in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path


def until(condition: Callable[[], object]) -> object:
    """Wait at most a minute until a condition is true, and return its last value."""
    end = time.monotonic() + 60
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


def forked(check: Callable[[], object]) -> None:
    """Call `check` in a forked child. Raise `AssertionError` unless it returns a true value there."""
    child = os.fork()
    if not child:
        try:
            assert check()
            os._exit(0)
        except BaseException as error:  # noqa: BLE001  # the child must not go on with the script
            sys.stderr.write(f"{error!r}\n")
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def run(script: str, *arguments: object) -> None:
    """Run a script, which must print `done`."""
    found = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert (found.returncode, found.stdout) == (0, "done\n"), found.stderr
