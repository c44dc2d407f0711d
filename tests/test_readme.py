"""What the README shows is what happens: its files are written, its Python and its commands run."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
from importlib.resources import as_file, files
from pathlib import Path

import pytest
from typer.testing import CliRunner

from withhold.cli.app import app

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def blocks():
    return BLOCK.findall(README.read_text(encoding="utf-8"))


@pytest.fixture
def there(blocks, tmp_path, monkeypatch):
    """A folder with the files that the README shows, each named in its first line."""
    for kind, text in blocks:
        if kind in ("yaml", "csv"):
            file = tmp_path / text.removeprefix("# ").partition("\n")[0]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    with as_file(files("withhold.cli") / "demo_data" / "demo.mmdb") as database:
        shutil.copy(database, tmp_path / "demo.mmdb")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_python_runs(blocks, there):
    text = "\n".join(text for kind, text in blocks if kind == "python")
    test = doctest.DocTestParser().get_doctest(text, {}, "README.md", "README.md", 0)
    assert len(test.examples) > 20
    failures: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=failures.append)
    assert not failures, "".join(failures)


def test_the_commands_print_what_is_shown(blocks, there):
    shown = "".join(text for kind, text in blocks if kind == "console")
    commands = re.split(r"^\$ ", shown, flags=re.MULTILINE)[1:]
    assert len(commands) >= 5
    for command in commands:
        line, _, wanted = command.partition("\n")
        program, *arguments = shlex.split(line)
        assert program == "withhold"
        found = CliRunner().invoke(app, arguments).output
        assert found.replace(os.sep, "/") == wanted, line


def test_the_set_up_commands_are_the_promised_ones(blocks):
    text = "".join(text for kind, text in blocks if kind == "sh")
    assert "pip install '.[cli]' && withhold demo" in text
    assert "pip install '.[test]' && pytest" in text


def test_nothing_is_left_to_be_filled_in():
    prose = BLOCK.sub("", README.read_text(encoding="utf-8"))
    assert not re.findall(r"^[A-Z]{5,}$|TODO|XXX|TBD", prose, re.MULTILINE)
