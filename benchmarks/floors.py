"""Compile and load `_floors.pyx`. Only benchmarks need it, so wheels do not contain it.

`python -m benchmarks.floors DIRECTORY` compiles it in its own process, so that the measuring process stays small.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import withhold
from benchmarks import package
from benchmarks.rivals.rival import LeftOut

NAME = "benchmarks._floors"
SOURCE = Path(__file__).with_name("_floors.pyx")


def built() -> Any:
    """Return the compiled module. Raise `LeftOut` if it cannot be compiled here."""
    with TemporaryDirectory(prefix="withhold-floors-", ignore_cleanup_errors=True) as directory:
        command = package.command("benchmarks.floors", directory)
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:] or [f"status {done.returncode}"]
            raise LeftOut(f"the floor could not be compiled: {last[0]}")
        file = done.stdout.splitlines()[-1]
        spec = spec_from_file_location(NAME, file, loader=ExtensionFileLoader(NAME, file))
        assert spec is not None  # noqa: S101
        assert spec.loader is not None  # noqa: S101
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def build(directory: str) -> str:
    """Compile the floors like the package's own modules, into a directory, and return the path of the file."""
    # The floors include declarations that lie beside the package's own C modules.
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    root = Path(withhold.__file__).parents[1]
    source = [Extension(NAME, [str(SOURCE)], extra_compile_args=["-g0"])]
    made = cythonize(source, build_dir=directory, include_path=[str(root)], quiet=True)
    command: Any = Distribution({"ext_modules": made}).get_command_obj("build_ext")
    command.build_lib = command.build_temp = directory
    command.ensure_finalized()
    command.run()
    return str(command.get_ext_fullpath(NAME))


if __name__ == "__main__":
    package.begin()
    print(build(sys.argv[1]))
