import ast
from importlib import import_module
from pathlib import Path

import pytest

ROOMS = ["withhold", *(f"withhold.{room}" for room in ("lint", "location", "reports", "sources", "testing"))]


def names_in_use() -> set[str]:
    """Return every name and attribute in these modules, except in imports."""
    found: set[str] = set()
    for file in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_these_modules_use_every_public_name_of_a_room(room: str) -> None:
    module = import_module(room)
    public = getattr(module, "__all__", None) or [
        name for name, value in vars(module).items() if getattr(value, "__module__", None) == room
    ]
    assert len(public) > 2
    assert set(public) - names_in_use() == set()
