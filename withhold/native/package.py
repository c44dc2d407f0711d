"""The copy of the package that is in use: Python imports the first one that it finds."""

from __future__ import annotations

import tomllib
from importlib.metadata import distributions
from pathlib import Path
from typing import NamedTuple

import withhold.native
from withhold.errors import escaped
from withhold.native import engine_info


class Package(NamedTuple):
    """A copy of the package on this machine."""

    version: str
    folder: str
    is_checkout: bool
    native: bool
    why: str

    @property
    def kind(self) -> str:
        """Return a description without the directory, such as `withhold 0.1.0, installed, in C`."""
        how = "in C" if self.native else f"in pure Python: {self.why}"
        return f"withhold {self.version}, {'source checkout' if self.is_checkout else 'installed'}, {how}"

    def __str__(self) -> str:
        return f"{self.kind} ({escaped(self.folder)})"


def this_package() -> Package:
    """Return the package that this process has imported.

    Its version is read from the same directory, because another version may be installed elsewhere.
    """
    folder = Path(withhold.native.__file__).resolve().parents[2]
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (OSError, ValueError, KeyError):
        project = {}
    is_checkout = project.get("name") == "withhold"
    beside = (found.version for found in distributions(name="withhold", path=[str(folder)]))
    version = project.get("version") if is_checkout else next(beside, None)
    native, why = engine_info()
    return Package(str(version or "of unknown version"), str(folder), is_checkout, native, why)
