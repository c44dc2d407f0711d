"""`withhold init`: write the files of a new repository of rules."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from withhold.cli import options
from withhold.cli.init_files import FILES
from withhold.cli.output import show
from withhold.cli.render import Format
from withhold.cli.writing import check_folder, write_text
from withhold.errors import escaped_path

_NEXT = (
    "withhold lint rules",
    "withhold test rules --mutate",
)


@dataclass(frozen=True, slots=True)
class InitResult:
    """The files that were written to a directory."""

    directory: Path

    def to_dict(self) -> dict[str, object]:
        purposes = {name: file.purpose for name, file in FILES.items()}
        return {"directory": str(self.directory), "files": purposes, "next": list(_NEXT)}

    def __str__(self) -> str:
        width = max(map(len, FILES))
        files = (f"  {name:<{width}}  {file.purpose}" for name, file in FILES.items())
        head = f"wrote {len(FILES)} files to {escaped_path(self.directory)}:"
        there = [] if self.directory == Path() else [f"  cd {shlex.quote(escaped_path(self.directory))}"]
        return "\n".join([head, *files, "next:", *there, *(f"  {line}" for line in _NEXT)])


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="[DIRECTORY]", help="Where to write them; by default the current directory.")
    ] = Path(),
    form: Annotated[Format, options.formats()] = Format.TEXT,
) -> None:
    """Write the files of a new repository of rules: a rule, its cases, a workflow and a hook for commits.

    An existing file is never replaced: if one exists, nothing is written, and the exit status is 2.
    """
    paths = {directory / name: file.text for name, file in FILES.items()}
    for path in paths:
        check_folder(path, "DIRECTORY")
    if existing := [escaped_path(path) for path in paths if path.exists() or path.is_symlink()]:
        raise typer.BadParameter(
            f"nothing was written, because these exist: {', '.join(existing)}", param_hint="'DIRECTORY'"
        )
    for path, text in paths.items():
        write_text(path, text, mode="x")
    show(InitResult(directory), form)
