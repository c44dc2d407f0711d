"""Architecture: allowed imports, sizes of files, public names, and the cost of an import."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import tomllib
import typing
from pathlib import Path

import pytest

import withhold

HOUSE = Path(withhold.__file__).parent
FILES = sorted(HOUSE.rglob("*.py"))
STUBS = sorted(HOUSE.rglob("*.pyi"))
IN_C = sorted(HOUSE.rglob("*.p[yx][xd]"))

# Imports only go down, and rooms on one level do not import each other. `errors` is below all others.
LEVELS = {
    "errors": 0,
    **dict.fromkeys(("territories", "snowflake", "watching", "native"), 1),
    "model": 2,
    **dict.fromkeys(("semantics", "parsing"), 3),
    **dict.fromkeys(("snapshot", "sources", "wire", "lint", "location", "ledger"), 4),
    "engine": 5,
    **dict.fromkeys(("serving", "live", "demands"), 6),
    **dict.fromkeys(("testing", "reports", "bulk"), 7),
    **dict.fromkeys(("cli", "pytest_plugin"), 8),
    **dict.fromkeys(("__init__", "__main__"), 9),
}
FORBIDDEN = {"engine": {"location", "live", "ledger"}}


def room_of(file: Path) -> str:
    return file.relative_to(HOUSE).parts[0].removesuffix(".py")


def imports_of(source: str) -> list[str]:
    """Return every module that a file imports, also inside functions."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return [name for name in found if name.partition(".")[0] == "withhold"]


def breaches(room: str, source: str) -> list[str]:
    """Return the imports of a file that go up or sideways."""
    wrong = []
    for name in imports_of(source):
        target = (*name.split("."), "__init__")[1]
        allowed = target == room or LEVELS.get(target, 9) < LEVELS[room]
        if not allowed or target in FORBIDDEN.get(room, ()):
            wrong.append(name)
    return wrong


def test_imports_only_go_down():
    found = {file: breaches(room_of(file), file.read_text(encoding="utf-8")) for file in FILES + STUBS}
    assert {file: wrong for file, wrong in found.items() if wrong} == {}


def test_the_test_of_imports_finds_breaches():
    assert breaches("model", "def f():\n    from withhold.engine import Engine\n") == ["withhold.engine.Engine"]
    assert breaches("sources", "import withhold.location.geoip") == ["withhold.location.geoip"]
    assert breaches("engine", "from withhold.location import GeoIP") == ["withhold.location.GeoIP"]
    assert breaches("engine", "from withhold import Rule") == ["withhold.Rule"]
    assert breaches("engine", "from withhold.model import Rule\nfrom withhold.engine.view import View") == []


def test_files_are_short_and_have_a_docstring():
    sources = {file: file.read_text(encoding="utf-8") for file in FILES}
    assert [file for file, source in sources.items() if len(source.splitlines()) > 400] == []
    without = [file for file, source in sources.items() if not ast.get_docstring(ast.parse(source))]
    assert without == [], "a module begins with its purpose"


def test_files_of_tests_and_benchmarks_are_short():
    root = Path(__file__).parents[1]
    files = [*root.joinpath("tests").rglob("*.py"), *root.joinpath("benchmarks").rglob("*.py")]
    assert [str(file) for file in files if len(file.read_text(encoding="utf-8").splitlines()) > 400] == []


@pytest.mark.parametrize("file", IN_C, ids=lambda file: file.name)
def test_c_modules_are_short_and_import_no_room_but_errors(file):
    source = file.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 400
    assert '"""' in source.partition("import")[0], "a module begins with its purpose"
    imported = set(re.findall(r"^(?:from|c?import) withhold\.(\w+)", source, re.MULTILINE))
    assert imported <= {"errors", "native"}


@pytest.mark.parametrize("file", IN_C, ids=lambda file: file.name)
def test_a3_c_modules_have_no_typed_memoryviews(file):
    """A typed memoryview of Cython adds 20,000 lines of C to each module that has or imports one."""
    assert re.findall(r"\w+\s*\[[^\]]*::\s*1?\s*[\],]", file.read_text(encoding="utf-8")) == []


def test_a3_only_modules_of_the_package_are_compiled_at_installation():
    declared = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    modules = {module["name"] for module in declared["tool"]["setuptools"]["ext-modules"]}
    assert modules == {
        f"withhold.native.{name}" for name in ("bulk", "cells", "columns", "index", "resolver", "tweet", "view")
    }
    assert all(module["optional"] for module in declared["tool"]["setuptools"]["ext-modules"])


def test_e11_no_text_advises_installation_from_an_index():
    """`withhold` is in no index, so it is installed from a checkout, a commit, or a file with its hash."""
    root = HOUSE.parent if (HOUSE.parent / "README.md").exists() else Path(__file__).parents[1]
    pages = [root / "README.md", *HOUSE.rglob("*.md"), *(root / "benchmarks").rglob("*.md")]
    written = [*FILES, *sorted((root / "benchmarks").rglob("*.py")), *pages, root / "pyproject.toml"]
    advised = [
        wanted
        for file in written
        for command in re.findall(
            r"(?:pip3? install|pipx? (?:install|run)|uvx?(?: \w+)*) [^`\n]*", file.read_text("utf-8")
        )
        for wanted in re.findall(r"(?:(?<=\s)|(?<=['\"]))withhold(?!\w)[^'\"\n]*", command)
    ]
    pinned = [wanted for wanted in advised if re.search(r" @ \S+(@[0-9a-f]{40}|#sha256=[0-9a-f]{64})$", wanted)]
    # In `pip install '.[cli]' && withhold demo`, `withhold` is the command, not a package.
    assert [wanted for wanted in advised if wanted not in pinned and not re.match(r"withhold [a-z]", wanted)] == []
    assert len(pinned) >= 3


def test_all_public_names_are_listed():
    rooms = {path.stem for path in HOUSE.iterdir() if path.suffix == ".py" or path.is_dir()}
    # pytest adds names that are not identifiers to modules of a package with a plugin.
    public = {name for name in vars(withhold) if name.isidentifier() and not name.startswith("_")} - rooms
    assert public == set(withhold.__all__)


def _public_members():
    for name in withhold.__all__:
        thing = getattr(withhold, name)
        if typing.get_origin(thing) is not None:  # an alias for annotations, which has a comment instead
            continue
        yield name, thing
        for member, value in vars(thing).items():
            if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, classmethod)):
                yield f"{name}.{member}", value


def test_public_names_have_docstrings():
    members = dict(_public_members())
    assert len(members) > 100
    assert [name for name, thing in members.items() if not inspect.getdoc(thing)] == []


def _in_a_fresh_process(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_an_import_loads_few_modules_and_only_one_library():
    """A process that imports the package must start quickly. Times vary with the load of the machine, the modules do not."""
    code = "import sys; before = set(sys.modules); import withhold; print(*set(sys.modules) - before)"
    loaded = _in_a_fresh_process(code).split()
    libraries = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names)
    # The compiled modules add modules of Cython.
    assert {name for name in libraries if "cython" not in name} == {"withhold", "cachetools"}
    assert len(loaded) < 150, "about 100 with Python 3.11 and 130 with 3.13; the rest is imported where it is used"
