"""How the house is built: who may import whom, how large a file is, what is public, what an import costs."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import withhold

HOUSE = Path(withhold.__file__).parent
FILES = sorted(HOUSE.rglob("*.py"))
STUBS = sorted(HOUSE.rglob("*.pyi"))
IN_C = sorted(HOUSE.rglob("*.p[yx][xd]"))

# Imports only go down, and rooms on one level do not know each other. The exceptions lie under everything.
LEVELS = {
    "errors": 0,
    **dict.fromkeys(("territories", "snowflake", "native"), 1),
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
    """Return every module that a file imports, those inside functions too."""
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


@pytest.mark.parametrize("file", FILES + STUBS, ids=lambda file: str(file.relative_to(HOUSE)))
def test_imports_only_go_down(file):
    assert breaches(room_of(file), file.read_text(encoding="utf-8")) == []


def test_the_layer_test_sees_what_it_should():
    assert breaches("model", "def f():\n    from withhold.engine import Engine\n") == ["withhold.engine.Engine"]
    assert breaches("sources", "import withhold.location.geoip") == ["withhold.location.geoip"]
    assert breaches("engine", "from withhold.location import GeoIP") == ["withhold.location.GeoIP"]
    assert breaches("engine", "from withhold import Rule") == ["withhold.Rule"]
    assert breaches("engine", "from withhold.model import Rule\nfrom withhold.engine.view import View") == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(HOUSE)))
def test_files_are_short_and_say_why_they_exist(file):
    source = file.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 400
    assert ast.get_docstring(ast.parse(source)), "a module opens with why it exists"


@pytest.mark.parametrize("file", IN_C, ids=lambda file: file.name)
def test_what_is_in_c_is_short_too_and_knows_no_room_but_the_errors(file):
    source = file.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 400
    assert '"""' in source.partition("import")[0], "a module opens with why it exists"
    imported = set(re.findall(r"^(?:from|c?import) withhold\.(\w+)", source, re.MULTILINE))
    assert imported <= {"errors", "native"}


@pytest.mark.parametrize("file", IN_C, ids=lambda file: file.name)
def test_a3_what_is_in_c_compiles_quickly(file):
    """A typed memoryview of Cython's brings 20,000 lines of C into each module that has or imports one."""
    assert re.findall(r"\w+\s*\[[^\]]*::\s*1?\s*[\],]", file.read_text(encoding="utf-8")) == []


def test_a3_only_what_serves_is_compiled_at_installation():
    declared = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    modules = {module["name"] for module in declared["tool"]["setuptools"]["ext-modules"]}
    assert modules == {f"withhold.native.{name}" for name in ("addresses", "columns", "index", "view")}
    assert all(module["optional"] for module in declared["tool"]["setuptools"]["ext-modules"])


def test_e11_nothing_advises_a_package_from_an_index():
    """`withhold` is in no index: what is installed by that name is a checkout, a wheel, a commit or a file's hash."""
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
    # The name of the command, as in `pip install '.[cli]' && withhold demo`, is no package.
    assert [wanted for wanted in advised if wanted not in pinned and not re.match(r"withhold [a-z]", wanted)] == []
    assert len(pinned) >= 3


def test_the_public_names_are_a_sorted_list_and_all_there_is():
    rooms = {path.stem for path in HOUSE.iterdir() if path.suffix == ".py" or path.is_dir()}
    # pytest puts names that are none into the modules of a package that has a plugin.
    public = {name for name in vars(withhold) if name.isidentifier() and not name.startswith("_")} - rooms
    assert withhold.__all__ == sorted(withhold.__all__)
    assert public == set(withhold.__all__)


def _public_members():
    for name in withhold.__all__:
        thing = getattr(withhold, name)
        yield name, thing
        for member, value in vars(thing).items():
            if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, classmethod)):
                yield f"{name}.{member}", value


@pytest.mark.parametrize(
    ("name", "thing"), list(_public_members()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_public_things_say_what_they_are(name, thing):
    assert inspect.getdoc(thing), name


def _in_a_fresh_process(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_an_import_brings_no_parser_no_database_and_no_command_line():
    heavy = ("yaml", "geoip2", "maxminddb", "typer", "rich", "pytest", "pycountry", "hypothesis")
    code = f"import sys, withhold; print([name for name in {heavy!r} if name in sys.modules])"
    assert _in_a_fresh_process(code).strip() == "[]"


def test_an_import_costs_no_more_than_pydantic_and_30_milliseconds():
    """The best of many, by turns and each in a process of its own: a busy machine makes both dearer, at times."""

    def cost(module: str) -> float:
        code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
        return float(_in_a_fresh_process(code))

    ours, theirs = [cost("withhold")], [cost("pydantic")]
    while min(ours) > min(theirs) + 0.030 and len(ours) < 40:
        ours.append(cost("withhold"))
        theirs.append(cost("pydantic"))
    assert min(ours) <= min(theirs) + 0.030
