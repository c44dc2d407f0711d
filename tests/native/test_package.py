"""Which copy of the package is in use if there are several."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import withhold
from withhold import engine_info
from withhold.native.package import this_package

ASK = "import json; from withhold.native.package import this_package as p; print(json.dumps([*p(), p().kind]))"


@pytest.fixture
def copied(tmp_path):
    """A directory with a copy of the package in which nothing is compiled."""
    without = shutil.ignore_patterns("*.so", "*.pyd", "*.c", "__pycache__")
    shutil.copytree(Path(withhold.__file__).parent, tmp_path / "withhold", ignore=without)
    return tmp_path


def asked(folder: Path) -> list[Any]:
    environment = {name: value for name, value in os.environ.items() if name != "WITHHOLD_REQUIRE_NATIVE"}
    command = [sys.executable, "-c", ASK]
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, check=True)
    found: list[Any] = json.loads(done.stdout)
    return found


def test_e10_a_source_checkout_is_distinguished_from_an_installed_package(copied):
    (copied / "pyproject.toml").write_text('[project]\nname = "withhold"\nversion = "7.7"\n', encoding="utf-8")
    version, folder, is_checkout, native, _, kind = asked(copied)
    assert (version, folder, is_checkout, native) == ("7.7", str(copied), True, False)
    assert kind.startswith("withhold 7.7, source checkout, in pure Python: ")


@pytest.mark.parametrize("beside", ["", '[project]\nname = "other"\nversion = "1"\n', "[", "[project]\n"])
def test_e10_an_installed_package_has_the_version_in_its_folder(copied, beside):
    (copied / "withhold-8.8.dist-info").mkdir()
    (copied / "withhold-8.8.dist-info" / "METADATA").write_text("Name: withhold\nVersion: 8.8\n", encoding="utf-8")
    (copied / "pyproject.toml").write_text(beside, encoding="utf-8")
    assert asked(copied)[:3] == ["8.8", str(copied), False]


def test_e10_without_metadata_the_version_is_unknown(copied):
    assert asked(copied)[0] == "of unknown version"


def test_this_process_uses_the_tested_package():
    package = this_package()
    assert (package.native, package.why) == engine_info()
    assert str(package).startswith(f"withhold {package.version}, ")
    assert str(package).endswith(f" ({package.folder})")
