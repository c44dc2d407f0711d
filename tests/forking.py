"""Scripts that fork, die or are killed: what they need, and a function that runs one in a process of its own."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

_LONGEST = 600  # seconds; a script takes a few, and only one that never ends may take as long

# It imports what a script imports, and forks a process for it: most scripts take less time than these imports. It has a single
# thread, unlike the process of the tests.
_PARENT = """
import ast, importlib, json, os, sys, types

for line in sys.stdin:
    script, arguments, out, err = json.loads(line)
    for node in ast.parse(script).body:
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", None)]
        for name in filter(None, names):
            importlib.import_module(name)
    if (child := os.fork()) == 0:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()
for name, number in (("/dev/null", 0), (out, 1), (err, 2)):
    os.dup2(os.open(name, os.O_RDWR), number)
sys.argv = ["-c", *arguments]
sys.modules["__main__"] = types.ModuleType("__main__")
exec(compile(script, "<script>", "exec"), sys.modules["__main__"].__dict__)
"""


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
    """Run a script, which must print `done`, and may print warnings to its standard error."""
    assert output(script, *arguments, may_warn=True) == "done\n"


def output(script: str, *arguments: object, may_warn: bool = False) -> str:
    """Run a script, which must succeed, and return what it prints.

    It is run as by `python -c`, but modules that it imports at its top level may have been imported before. Unless it `may_warn`,
    it must print nothing to its standard error.
    """
    with TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        out.touch()
        err.touch()
        parent = _parent()
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(json.dumps([script, list(map(str, arguments)), str(out), str(err)]) + "\n")
        parent.stdin.flush()
        status = parent.stdout.readline() if select.select([parent.stdout], [], [], _LONGEST)[0] else ""
        if not status:  # it is still running, or the imports failed
            os.killpg(parent.pid, signal.SIGKILL)
            parent.wait()
            _parent.cache_clear()
        errors = err.read_text(encoding="utf-8")
        assert status == "0\n", errors or f"no result after {_LONGEST} s"
        assert may_warn or not errors, errors
        return out.read_text(encoding="utf-8")


@cache
def _parent() -> subprocess.Popen[str]:
    parent = subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", _PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=Path(__file__).parents[1],
    )
    atexit.register(parent.communicate)  # it ends when its standard input is closed
    return parent
