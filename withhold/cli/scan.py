"""`withhold scan`: copy files of rows with the answer for each row."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from withhold.cli import options
from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import err, print_problems, show
from withhold.cli.render import Format
from withhold.cli.results import TableResult, problem_values
from withhold.cli.writing import cannot_write, check_folder
from withhold.engine import Engine
from withhold.errors import RuleSetWarning, TrafficError, did_you_mean, escaped_path, quoted
from withhold.model.instants import in_iso

if TYPE_CHECKING:
    from withhold.bulk.columns import Columns
    from withhold.bulk.scan import Scanned


@dataclass(frozen=True, slots=True)
class ScanResult:
    """The rows that were scanned into `output`, for one instant or, if `at` is None, for the instant of each row."""

    output: Path
    revision: str
    at: datetime | None
    found: Scanned

    def to_dict(self) -> dict[str, object]:
        found = self.found
        return {
            "output": str(self.output),
            "revision": self.revision,
            "at": in_iso(self.at),
            "files": found.files,
            "files_kept": found.kept,
            "files_failed": [str(path) for path in found.failed],
            "files_not_read": [str(path) for path in found.others],
            "rows": found.rows,
            "hidden": found.hidden,
            "nulls": found.nulls,
            "refused": found.refused,
            "groups": self._groups(),
            "problems": list(map(problem_values, found.problems)),
        }

    def _groups(self) -> list[Mapping[str, object]]:
        found = sorted(self.found.groups.items(), key=lambda each: (-each[1], str(each[0])))
        return [{**group._asdict(), "rows": rows} for group, rows in found]

    def __str__(self) -> str:
        found = self.found
        files = f"{found.files:,} file{'s' if found.files != 1 else ''}"
        kept = f" ({found.kept:,} scanned before)" if found.kept else ""
        failed = f", {len(found.failed):,} failed" if found.failed else ""
        when = "the instant of each row" if self.at is None else in_iso(self.at)
        lines = [f"{escaped_path(self.output)}: {files}{kept}{failed}; revision {self.revision}, {when}"]
        without = f"{found.nulls:,} without an id or an instant, {found.refused:,} invalid"
        lines.append(f"{found.rows:,} rows: {found.hidden:,} hidden, {without}")
        groups = [{**group, "country": group["country"] or "unknown"} for group in self._groups()]
        if found.others:
            names = ", ".join(map(escaped_path, found.others[:3]))
            more = f" and {len(found.others) - 3:,} more" if len(found.others) > 3 else ""
            lines.append(f"not read, because their names do not end in .parquet or .csv: {names}{more}")
        if groups:
            lines.append(str(TableResult(("country", "reason", "demand", "rows"), groups)))
        return "\n".join(lines)


def scan(
    rules: options.Rules,
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="A file in Parquet or CSV, or a folder of such files.", exists=True)
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="PATH", help="Where to write the copy, in Parquet; a folder if INPUT is a folder."
        ),
    ],
    columns: Annotated[
        str,
        typer.Option(
            "--columns",
            metavar="NAMES",
            help="The names of the columns, such as tweet=id,account=author,country=cc; also subdivision, retweet_of and "
            "retweeted_account.",
        ),
    ] = "",
    at: options.At = None,
    at_column: Annotated[
        str | None, typer.Option("--at-column", metavar="NAME", help="The column with the instant of each row.")
    ] = None,
    only_hidden: Annotated[bool, typer.Option("--only-hidden", help="Copy only the hidden rows.")] = False,
    invalid: Annotated[
        str,
        typer.Option(
            "--invalid",
            metavar="[raise|null]",
            help="What to do with rows whose ids or codes do not exist: refuse the file, or leave them without an answer.",
        ),
    ] = "raise",
    threads: Annotated[int, typer.Option("--threads", min=1, help="The number of threads.")] = os.cpu_count() or 1,
    unknown_location: options.UnknownLocation = None,
    root: options.Root = None,
    no_config: options.NoConfig = False,
    form: Annotated[Format, options.formats()] = Format.TEXT,
) -> None:
    """Copy files of rows with the answer for each row, in constant memory, and count the hidden rows.

    The copy has the columns of the input and `hidden`, `hidden_rule`, `hidden_reason` and `hidden_demand`. The rules are those of
    RULES, at the instant given by --at or --at-column, by default now. With either option, an interrupted scan
    continues: it keeps copies that an earlier scan made, if neither the file nor the rules have changed. A damaged or
    invalid file is reported, the others are scanned, and the exit status is 1.
    """
    try:
        from withhold.bulk.scan import CannotWriteError, Scan
    except ImportError as error:
        err().print(str(error), style="red")
        raise typer.Exit(ExitCode.FAILURE) from None
    if at is not None and at_column is not None:
        raise typer.BadParameter("give one of the two", param_hint="'--at' and '--at-column'")
    if invalid not in ("raise", "null"):
        raise typer.BadParameter(f"{quoted(invalid)} is not one of `raise`, `null`", param_hint="'--invalid'")
    named = _columns(columns, at_column)
    _check_output(source, output)
    instant = None if at_column is not None else options.instant_of(at) or datetime.now(UTC)
    configuration = options.configuration_of(rules, form, no_config=no_config)
    policy = options.policy_of(configuration, unknown_location, author_sees_own=False)
    engine = Engine(options.load_snapshot(rules, root or configuration.root, form), policy)
    question = Scan(
        engine=engine,
        columns=named,
        at=instant,
        resume=at is not None or at_column is not None,
        errors="null" if invalid == "null" else "raise",
        only_hidden=only_hidden,
        threads=threads,
    )
    parts = (TextColumn("scanning"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    try:
        with (
            Progress(*parts, console=err(), transient=True, disable=not err().is_terminal) as bar,
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("always", RuleSetWarning)
            task = bar.add_task("", total=None)
            found = question.run(source, output, lambda done, total: bar.update(task, completed=done, total=total))
    except CannotWriteError as error:
        raise cannot_write(str(error.filename), error) from None
    except TrafficError as error:
        print_problems(error.problems)
        raise typer.Exit(ExitCode.FAILURE) from None
    for warning in dict.fromkeys(str(each.message) for each in caught):
        err().print(f"warning: {warning}", style="yellow")
    print_problems(found.problems)
    show(ScanResult(output, engine.snapshot.revision, instant, found), form)
    raise typer.Exit(ExitCode.FAILURE if found.failed else ExitCode.FINE)


def _columns(text: str, at_column: str | None) -> Columns:
    """Return the names of the columns that an option gives. Raise a usage error for anything else."""
    from withhold.bulk.columns import Columns

    known = [name for name in Columns._fields if name != "at"]
    named: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        key, sign, name = map(str.strip, part.partition("="))
        if not sign or not name:
            hint = "write `tweet=id,account=author,country=cc`"
            raise typer.BadParameter(f"{quoted(part)} names no column; {hint}", param_hint="'--columns'")
        if key not in known or key in named:
            wrong = "is given twice" if key in named else "is not known"
            hint = "give it with --at-column" if key == "at" else did_you_mean(key, known)
            raise typer.BadParameter(f"{quoted(key)} {wrong}; {hint}", param_hint="'--columns'")
        named[key] = name
    if ("retweet_of" in named) != ("retweeted_account" in named):
        raise typer.BadParameter("give both `retweet_of` and `retweeted_account`", param_hint="'--columns'")
    return Columns(**named, at=at_column)


def _check_output(source: Path, output: Path) -> None:
    """Exit with a usage error if the copies could be read as inputs, or are of another kind than the input."""
    check_folder(output)
    inside = output.resolve().is_relative_to(source.resolve())
    wrong = None
    if inside:
        wrong = "it is the input, or inside it"
    elif source.is_dir() and output.is_file():
        wrong = "it is a file, but the input is a folder"
    elif not source.is_dir() and output.is_dir():
        wrong = "it is a folder, but the input is a file"
    if wrong:
        raise typer.BadParameter(f"{escaped_path(output)}: {wrong}", param_hint="'--output'")
