"""Check where commands write: links in a repository must not redirect the output to another place."""

# Paths are text here: methods of `Path` raise for a name that is too long.
# ruff: noqa: PTH114, PTH118, PTH120

from __future__ import annotations

import os
from collections.abc import Sized
from pathlib import Path
from typing import Literal

import typer

from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import err
from withhold.errors import escaped_path, quoted
from withhold.sources.root import repository_around


def check_folder(output: Path, name: str = "--output") -> None:
    """Exit with a usage error if a link on the way to a file leads out of the repository or into its `.git`.

    This concerns links inside a repository or, without one, links below the current directory: somebody else may have
    committed them. Links elsewhere are the user's own.
    """
    here = os.path.realpath(os.getcwd())  # noqa: PTH109
    path = Path(here, output)
    at = path.anchor
    for part in path.parent.parts[1:]:
        way = os.path.dirname(at) if part == ".." else os.path.join(at, part)
        real = way
        if os.path.islink(way):
            real = os.path.realpath(way)
            around = repository_around(at)
            bound = str(around) if around else here if Path(at).is_relative_to(here) else None
            if bound is not None and not _is_inside(real, bound):
                message = f"{escaped_path(output)} is behind a link that leads out of {quoted(bound)}"
                raise typer.BadParameter(f"{message}; give the path of its target", param_hint=f"'{name}'")
        at = real


def _is_inside(real: str, folder: str) -> bool:
    """Return whether a real path is a directory or inside it, but not in its `.git`."""
    if not Path(real).is_relative_to(folder):
        return False
    return ".git" not in map(str.casefold, Path(real).relative_to(folder).parts)


def check_rules_folder(output: Path) -> None:
    """Exit as `check_folder` does for a link on the way to the rule files in a directory, or to their lists of ids."""
    check_folder(output / "rules.yaml")
    check_folder(output / "targets" / "ids.csv")


def rules_written(output: Path, files: Sized, removed: Sized) -> str:
    """Return the number of files that were written to a directory of rules, and the number of old files."""
    old = f"; old ones removed: {len(removed):,}" if removed else ""
    return f"files in {escaped_path(output)}: {len(files):,}{old}"


def cannot_write(path: str | Path, error: OSError) -> typer.Exit:
    """Print why a file cannot be written, and return the exit to raise."""
    err().print(f"cannot write {escaped_path(path)}: {(error.strerror or str(error)).lower()}", style="red")
    return typer.Exit(ExitCode.FAILURE)


def write_text(path: Path, text: str, mode: Literal["w", "x", "a"] = "w") -> None:
    """Write a file (`w`), a new one with the directories above it (`x`), or append to one (`a`). Exit with `FAILURE` if that fails."""
    try:
        if mode == "x":
            path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, mode, encoding="utf-8", newline="", opener=_without_links) as file:
            file.write(text)
    except OSError as error:
        raise cannot_write(path, error) from None


def _without_links(path: str, flags: int) -> int:
    """Open a file for writing, but do not follow a link that has been put there in the meantime."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)
