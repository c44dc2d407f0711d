"""Which implementation is in use, C or Python, and how it is chosen."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig

import pytest

from tests.implementations import in_c
from withhold import Engine, RuleSet, Snapshot, Viewer, engine_info

ASK = "import withhold; info = withhold.engine_info(); print(info.native, info.why)"
#: A finder that hides the modules in C, as if they had not been built.
UNBUILT = """
import sys
class Unbuilt:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("withhold.native."):
            raise ModuleNotFoundError("no such thing", name=name)
sys.meta_path.insert(0, Unbuilt())
"""


def run(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("WITHHOLD_")}
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, env=others | variables, capture_output=True, text=True, check=False)


@in_c
def test_the_modules_in_c_are_used_if_available() -> None:
    assert run(ASK).stdout == "True withhold.native is in use\n"
    assert run(ASK, WITHHOLD_REQUIRE_NATIVE="1").stdout == "True withhold.native is in use\n"


@in_c
@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has a GIL")
def test_importing_does_not_enable_the_gil() -> None:
    """A module in C that does not declare support for running without a GIL enables it, with a warning."""
    ask = "import sys, withhold.location; print(sys._is_gil_enabled())"
    found = run(ask, PYTHON_GIL="")
    assert found.stdout == "False\n", found.stderr


def test_they_can_be_switched_off() -> None:
    assert run(ASK, WITHHOLD_PURE_PYTHON="1").stdout == "False WITHHOLD_PURE_PYTHON is set\n"


def test_python_is_used_if_they_were_not_built() -> None:
    found = run(UNBUILT + ASK)
    assert found.stdout == "False withhold.native.bulk was not built\n", found.stderr


def test_python_is_used_if_they_were_built_for_another_python() -> None:
    found = run(UNBUILT.replace("ModuleNotFoundError", "ImportError") + ASK)
    assert found.stdout == "False withhold.native cannot be used: no such thing\n", found.stderr


@pytest.mark.parametrize(("code", "variables"), [(ASK, {"WITHHOLD_PURE_PYTHON": "1"}), (UNBUILT + ASK, {})])
def test_required_but_missing_modules_are_an_error(code: str, variables: dict[str, str]) -> None:
    found = run(code, WITHHOLD_REQUIRE_NATIVE="1", **variables)
    assert found.returncode != 0
    assert found.stderr.splitlines()[-1].startswith("ImportError: WITHHOLD_REQUIRE_NATIVE is set, but ")


def test_a_snapshot_of_the_wrong_kind_is_never_made() -> None:
    kinds = {True: "NativeView", False: "PythonView"}
    assert Snapshot.compile(RuleSet(), native=False).is_native is False
    assert Snapshot.compile(RuleSet()).is_native is engine_info().native
    for native in (False, engine_info().native):
        view = Engine(Snapshot.compile(RuleSet(), native=native)).view(Viewer.unknown())
        assert type(view).__name__ == kinds[native]


def test_the_error_says_why_the_modules_are_missing() -> None:
    code = "from withhold import *; Snapshot.compile(RuleSet(), native=True)"
    found = run(code, WITHHOLD_PURE_PYTHON="1")
    assert found.stderr.splitlines()[-1] == "ImportError: WITHHOLD_PURE_PYTHON is set"
