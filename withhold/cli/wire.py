"""`withhold import` and `withhold export`: other systems' forms into rules, and rules into these forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from withhold.cli import options
from withhold.cli.collection import no_garbage_collection
from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import err, out, print_problems, refuse, show
from withhold.cli.render import Format
from withhold.cli.render.wording import counted
from withhold.cli.results import Refusal, problem_values
from withhold.cli.writing import check_rules_folder, rules_written
from withhold.errors import RuleSetError, WireError, quoted
from withhold.wire import FORMS, WRITTEN, Form, Kind, Read, load_ids, read, rules_of, write

if TYPE_CHECKING:
    from withhold.model import RuleSet

_COMMAND = "withhold import {}"
#: The maximum number of problems that `export` prints.
_LISTED = 100


def _form_option(known: Mapping[str, Form]) -> object:
    def find(text: str) -> Form:
        if text not in known:
            raise typer.BadParameter(f"{quoted(text)} is not one of {', '.join(f'`{name}`' for name in known)}")
        return known[text]

    help_ = "; ".join(f"{form.name}: {form.what}" for form in known.values())
    return typer.Argument(metavar="FORM", parser=find, help=f"{help_}.")


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The events of a file, and the rules that were written for them, or None."""

    found: Read
    rules: RuleSet | None
    output: Path
    files: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        found = self.found
        return {
            "form": found.form.name,
            "given": found.given,
            "read": found.read,
            "refused": found.refused,
            "skipped": dict(sorted(found.skipped.items())),
            "aliases": dict(sorted(found.aliases.items())),
            "rules": None if self.rules is None else len(self.rules),
            "revision": None if self.rules is None else self.rules.revision,
            "files": list(self.files),
            "removed": list(self.removed),
            "problems": list(map(problem_values, found.problems)),
        }

    def __str__(self) -> str:
        found = self.found
        lines = [*map(str, found.problems)]
        if found.refused > len(found.problems):
            lines.append(f"… and {found.refused - len(found.problems):,} more")
        lines += [f"warning: {alias} ({count:,})" for alias, count in sorted(found.aliases.items())]
        lines.append(
            f"{found.form.name}: {counted(record=found.given)}, {found.read:,} read, {found.refused:,} refused"
        )
        if found.skipped:
            kinds = ", ".join(f"{kind} ({count:,})" for kind, count in sorted(found.skipped.items()))
            lines.append(f"without effect: {kinds}")
        if self.rules is None:
            lines.append("no record was read, so nothing was written")
        else:
            files = rules_written(self.output, self.files, self.removed)
            lines.append(f"rules: {len(self.rules):,}, revision {self.rules.revision}; {files}")
        return "\n".join(lines)


def import_(
    form: Annotated[Form, _form_option(FORMS)],
    file: Annotated[typer.FileBinaryRead, typer.Argument(metavar="FILE", help="The events; `-` is standard input.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIRECTORY", help="Where to write the rules.")],
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="INSTANT",
            help="The instant of events without an instant: the time at which the file was made.",
        ),
    ] = None,
    ids: Annotated[
        Path | None,
        typer.Option(
            "--ids",
            metavar="FILE",
            help="A table of another system's ids: a CSV file with the columns theirs, kind and id.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    format_: Annotated[Format, options.formats()] = Format.TEXT,
) -> None:
    """Read events in another system's form, and write the rules that follow from them, with their periods.

    Malformed records are counted and reported, the others are read, and the exit status is 1. Afterwards the directory
    has only the rules of this file; it does not change if no record was read. The same file gives the same bytes.
    """
    check_rules_folder(output)
    instant = options.instant_of(at)
    try:
        found = _read(form, file, instant, None if ids is None else load_ids(ids))
    except WireError as error:
        if error.code in _USAGE:
            raise typer.BadParameter(f"{error.problem.message}; {error.hint}", param_hint=_USAGE[error.code]) from None
        raise refuse(Refusal(error, Path(_name(file))), format_) from None
    result = ImportResult(found, None, output)
    if found.read:
        from withhold.sources import exporting

        command = _COMMAND.format(form.name)
        with no_garbage_collection():
            rules = rules_of(found.events, form.name)
            files = exporting.rule_files({form.name: rules}, command)
        try:
            removed = exporting.write_files(output, files, command)
        except RuleSetError as error:
            raise refuse(Refusal(error, output), format_) from None
        result = ImportResult(found, rules, output, tuple(sorted(files)), tuple(map(str, removed)))
    show(result, format_)
    raise typer.Exit(ExitCode.FAILURE if found.refused or not found.read else ExitCode.FINE)


#: The options without which some forms cannot be read, by the code of the problem.
_USAGE = {"no-instant": "'--at'", "no-table-of-ids": "'--ids'"}


def _read(form: Form, file: BinaryIO, at: datetime | None, ids: Mapping[str, tuple[Kind, int]] | None) -> Read:
    with no_garbage_collection():
        return read(form, file, _name(file), at=at, theirs=ids)


def _name(file: BinaryIO) -> str:
    return str(getattr(file, "name", "standard input"))


def export(
    form: Annotated[Form, _form_option(WRITTEN)],
    rules: options.Rules,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="INSTANT", help="Write what was withheld up to this instant; by default now."),
    ] = None,
    root: options.Root = None,
    no_config: options.NoConfig = False,
) -> None:
    """Print what is withheld in another system's form: each change, or the present state if the form has no instants.

    What the form cannot express is reported to standard error. If something was left out, the exit status is 1.
    """
    when = options.instant_of(at) or datetime.now(UTC)
    root = root or options.configuration_of(rules, Format.TEXT, no_config=no_config).root
    written = write(form, options.load_rules(rules, root, Format.TEXT), when)
    for line in written.lines:
        out().file.write(f"{line}\n")
    print_problems(written.problems[:_LISTED])
    if len(written.problems) > _LISTED:
        err().print(f"… and {len(written.problems) - _LISTED:,} more")
    raise typer.Exit(ExitCode.FINE if written.complete else ExitCode.FAILURE)
