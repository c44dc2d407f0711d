"""`withhold fmt`: give rule files, case files and lists of protected accounts the same indentation and spacing."""

from __future__ import annotations

import difflib
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from withhold.cli import options
from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import err, refuse, show
from withhold.cli.render import Format
from withhold.cli.render.wording import counted
from withhold.cli.results import Refusal
from withhold.cli.writing import check_folder, write_text
from withhold.errors import Place, Problem, RuleSetError, escaped, escaped_path, in_order, missing_extra
from withhold.sources.files import decoded, unreadable
from withhold.sources.root import Root
from withhold.testing.suite import folders, may_have_keys

_ENDINGS = (".yaml", ".yml")
_KEYS = ("rules", "groups", "cases", "protected")


@dataclass(frozen=True, slots=True)
class FmtResult:
    """The files whose layout was changed or, with `check`, would be, each with its lines before and after."""

    files: int
    changed: dict[Path, tuple[str, str]]
    check: bool
    diff: bool

    @property
    def writes(self) -> bool:
        return not (self.check or self.diff)

    def to_dict(self) -> dict[str, object]:
        changed = [{"file": str(path), "diff": "".join(self._lines(path))} for path in self.changed]
        return {
            "fine": not (self.check and self.changed),
            "written": self.writes,
            "files": self.files,
            "unchanged": self.files - len(self.changed),
            "changed": changed,
        }

    def __str__(self) -> str:
        does = "formatted" if self.writes else "would be formatted"
        if self.diff:
            lines = [escaped(line.rstrip("\r\n")) for path in self.changed for line in self._lines(path)]
        else:
            lines = [f"{does}: {escaped_path(path)}" for path in self.changed]
        left = self.files - len(self.changed)
        return "\n".join([*lines, f"{counted(file=len(self.changed))} {does}, {left:,} unchanged"])

    def _lines(self, path: Path) -> Iterator[str]:
        old, new = (text.splitlines(keepends=True) for text in self.changed[path])
        return difflib.unified_diff(old, new, str(path), str(path))


def fmt(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PATHS]...",
            help="Files, or directories of files; by default the current directory.",
            exists=True,
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing, and exit with 1 if a file would be changed.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print the changes as a diff, and write nothing.")] = False,
    form: Annotated[Format, options.formats()] = Format.TEXT,
) -> None:
    """Format the indentation and spacing of rule files, case files and lists of protected accounts in YAML.

    Keys keep their order, values keep their quotes and brackets, and comments stay. If a file cannot be formatted
    without another change, it is refused, and nothing is written. Exits with 4 if a file is refused.
    """
    try:
        from withhold.cli.layout import formatted  # loads ruamel.yaml, which no other command needs
    except ModuleNotFoundError as error:
        err().print(str(missing_extra(error, "cli")), style="red")
        raise typer.Exit(ExitCode.FAILURE) from None
    problems: list[Problem] = []
    changed: dict[Path, tuple[str, str]] = {}
    files = dict.fromkeys(_files(paths or [Path()], problems))
    for path in files:
        try:
            data = Root(path).read(path)
            mark = "\ufeff" if data.startswith(BOM_UTF8) else ""
            text = decoded(data, path)
            new = formatted(text, str(path))
        except RuleSetError as error:
            problems += error.problems
        except (OSError, ValueError) as error:
            problems.append(unreadable(error, Place(str(path))))
        else:
            if new != text:
                changed[path] = (mark + text, mark + new)
    if problems:
        refused = RuleSetError(in_order(problems))
        raise refuse(Refusal(refused, (paths or [Path()])[0], "no file was written", what="formatting"), form)
    result = FmtResult(len(files), changed, check=check, diff=diff)
    for path, (_, new) in changed.items() if result.writes else ():
        write_text(path, new)
    show(result, form)
    if check and changed:
        raise typer.Exit(ExitCode.FAILURE)


def _files(paths: Iterable[Path], problems: list[Problem]) -> Iterator[Path]:
    """Yield the given files, and the YAML files in the given directories whose keys are those of `withhold`."""
    for path in paths:
        check_folder(path, "PATHS")
        if path.is_symlink() and not path.is_dir():
            message = f"{escaped_path(path)} is a link; give the path of its target"
            raise typer.BadParameter(message, param_hint="'PATHS'")
        if not path.is_dir():
            yield path
        for folder in folders(path):
            try:
                inside = sorted(folder.iterdir())
            except OSError as error:
                problems.append(unreadable(error, Place(str(folder))))
                continue
            yield from (file for file in inside if _is_ours(file))


def _is_ours(file: Path) -> bool:
    usual = (
        file.suffix.lower() in _ENDINGS and not file.name.startswith(".") and file.is_file() and not file.is_symlink()
    )
    return usual and may_have_keys(file, Root(file), _KEYS)
