"""All processes of a run measure the same package, and the first line of output names it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks import package
from benchmarks.rivals import RIVALS
from benchmarks.serving import driver
from benchmarks.serving.process import Process, WorkerLostError
from benchmarks.workload import Size
from tests.implementations import in_c
from withhold.native.package import this_package


def run(module: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("WITHHOLD_")}
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, env=others | variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("module", ["benchmarks", "benchmarks.location", "benchmarks.serving.worker"])
def test_e10_pure_python_is_not_measured_without_the_option(module):
    found = run(module, WITHHOLD_PURE_PYTHON="1")
    assert found.returncode == 1
    first, last = found.stderr.splitlines()
    assert first.startswith("measured: withhold ")
    assert "in pure Python: WITHHOLD_PURE_PYTHON is set" in first
    assert last.startswith("stopped: the package is in pure Python; add `--pure` to measure that")
    assert found.stdout == ""


@in_c
def test_e10_pure_python_is_measured_on_request_even_if_compiled():
    found = run("benchmarks.snapshots", "--pure", "/nowhere")
    assert "in pure Python: WITHHOLD_PURE_PYTHON is set" in found.stderr.splitlines()[0]
    assert "FileNotFoundError" in found.stderr


@in_c
def test_e10_the_first_line_names_the_imported_package():
    found = run("benchmarks.snapshots", "/nowhere")
    assert found.stderr.splitlines()[0] == f"measured: {this_package()}"
    assert "FileNotFoundError" in found.stderr


def test_e10_a_worker_with_another_package_does_not_answer(tmp_path, monkeypatch):
    monkeypatch.setenv(package.VARIABLE, "withhold 9.9, installed, in C (/elsewhere)")
    with Process("dict", tmp_path) as process, pytest.raises(WorkerLostError, match="ended"):
        process.ask("ready", 60)
    assert (
        "stopped: this run measures withhold 9.9, installed, in C (/elsewhere), but "
        in (tmp_path / "worker.log").read_text()
    )


def test_e10_child_processes_get_the_measured_package(monkeypatch):
    monkeypatch.delenv(package.VARIABLE, raising=False)
    assert package.command("benchmarks.serving.worker", "dict", 7) == [
        sys.executable,
        "-m",
        "benchmarks.serving.worker",
        "dict",
        "7",
    ]
    assert os.environ.pop(package.VARIABLE) == str(this_package())


@pytest.mark.parametrize("module", ["benchmarks", "benchmarks.structures"])
def test_e11_a_missing_library_is_reported_with_its_extra(module):
    code = f"import runpy, sys; sys.modules['rich'] = None; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert found.stderr.startswith(
        "the benchmarks need `rich`, which is not installed; install the extra `bench` of withhold"
    )
    assert "Traceback" not in found.stderr


def test_e10_missing_rivals_are_known_before_any_size(tmp_path, monkeypatch):
    """They are reported once, and no worker is started for them at each size."""
    monkeypatch.setattr("benchmarks.rivals.rego.Opa.package", "no-such-package")
    monkeypatch.setitem(RIVALS, "gone", "no_such_module:Gone")
    absent = driver.absent(["frozensets", "OPA", "gone"])
    assert absent["OPA"] == "`no-such-package` is not installed"
    assert absent["gone"].startswith("not installed (No module named ")
    assert absent.keys() == {"OPA", "gone"}
    lines: list[str] = []
    small = driver.Effort(turns=1, scale=0.01, load_seconds=60, load_bytes=1e9)
    size = Size(1_000)
    found = driver.measured(tmp_path, size, ["frozensets", "OPA", "gone"], small, lines.append, absent)
    assert found["left_out"] == absent
    assert not any("OPA" in line for line in lines)
