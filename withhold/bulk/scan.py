"""Copy files of rows with the answer for each row, or only the hidden rows, in constant memory."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from withhold.bulk.answers import Answers, Errors, Group, answered
from withhold.bulk.columns import Columns
from withhold.bulk.extras import pa
from withhold.bulk.kernel import kernel_of
from withhold.bulk.reading import Input, Reader, inputs
from withhold.engine import Engine
from withhold.errors import Problem, TrafficError, WithholdError, quoted
from withhold.model.instants import in_iso

_Item = TypeVar("_Item")

#: The columns that a scan adds. The rule is the one that speaks.
ADDED = ("hidden", "hidden_rule", "hidden_reason", "hidden_demand")
#: The metadata key of a copy for the question that its rows answer, and their counts.
_KEY = b"withhold.scan"
#: A function that is called with the number of bytes read so far and the total size of the files.
Progress = Callable[[int, int], None]


@dataclass
class Scanned:
    """The counts of the scanned files, and the problems of the other files."""

    rows: int = 0
    hidden: int = 0
    #: Rows without an answer: an id or an instant is null; a code or an id does not exist.
    nulls: int = 0
    refused: int = 0
    groups: Counter[Group] = field(default_factory=Counter)
    files: int = 0
    #: The number of files that an earlier scan had copied.
    kept: int = 0
    #: The files that were not scanned, and why.
    failed: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    #: The files in the folder that are not files of rows, judging by their names.
    others: list[Path] = field(default_factory=list)

    def add(self, other: Scanned) -> None:
        """Add the counts of a file."""
        self.rows, self.hidden = self.rows + other.rows, self.hidden + other.hidden
        self.nulls, self.refused = self.nulls + other.nulls, self.refused + other.refused
        self.groups.update(other.groups)
        self.files += 1

    def count(self, rows: Answers) -> None:
        """Add the counts of some rows."""
        self.rows += rows.rows
        self.hidden += sum(len(part.found.rows) // 8 for part in rows.parts)
        self.nulls += rows.nulls
        self.refused += rows.refused
        self.groups.update(rows.groups())

    def to_json(self) -> dict[str, Any]:
        """Return the counts of a file as JSON values."""
        groups = [[*group, rows] for group, rows in self.groups.items()]
        return {name: getattr(self, name) for name in ("rows", "hidden", "nulls", "refused")} | {"groups": groups}

    @classmethod
    def from_json(cls, counts: dict[str, Any]) -> Scanned:
        """Return the counts of a file that `to_json` returned."""
        groups = Counter({Group(*group): rows for *group, rows in counts.pop("groups")})
        return cls(**counts, groups=groups, kept=1)


class CannotWriteError(OSError):
    """A copy cannot be written, so the other files are not scanned either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A question about the rows of files, with the options for the answers."""

    engine: Engine
    columns: Columns
    #: The instant of all rows; None if a column has the instant of each row.
    at: datetime | None
    #: Whether a copy that answers the same question about the same file is kept.
    resume: bool
    errors: Errors = "raise"
    #: Whether to copy only the hidden rows.
    only_hidden: bool = False
    threads: int = 1

    def run(self, source: Path, output: Path, progress: Progress = lambda _done, _total: None) -> Scanned:
        """Scan a file into the file `output`, or each file in a folder into one of the same name in the folder `output`.

        A copy is written under another name and renamed when it is complete. A file that is damaged, lacks a column or has
        invalid rows is reported in the result, and the others are scanned. Raises `TrafficError` if there is no file, and
        `CannotWriteError`.
        """
        files, others = inputs(source)
        total, done = sum(file.size for file in files), 0
        found = Scanned(others=others)
        for file in files:
            name = file.relative if file.path.suffix.lower() == ".parquet" else f"{file.relative}.parquet"
            target = output / name if source.is_dir() else output

            def report(share: float, file: Input = file, before: int = done) -> None:
                progress(before + int(share * file.size), total)

            try:
                counts = self._kept(file, target) or self._copy(file, target, report)
            except CannotWriteError:
                raise
            except (pa.ArrowException, OSError, WithholdError) as error:
                found.failed.append(file.path)
                found.problems += _problems(error, file.path)
            else:
                found.add(counts)
                found.kept += counts.kept
            done += file.size
            progress(done, total)
        return found

    def _question(self, file: Input) -> dict[str, Any]:
        """Return everything that determines the answers for a file, as JSON values."""
        return {
            "answer_revision": self.engine.answer_revision,
            "columns": [*self.columns],
            "at": in_iso(self.at),
            "errors": self.errors,
            "only_hidden": self.only_hidden,
            "size": file.size,
            "modified": file.path.stat().st_mtime_ns,
            "values": dict(file.values),
        }

    def _kept(self, file: Input, target: Path) -> Scanned | None:
        """Return the counts of a complete copy. Return None if there is none, or if it answers another question.

        Raises `TrafficError` if the target is a file that no scan has written.
        """
        if not os.path.lexists(target):
            return None
        from pyarrow import parquet

        written = None
        with suppress(pa.ArrowException, OSError):
            written = (parquet.read_metadata(target).metadata or {}).get(_KEY)
        if written is None:
            message = f"{quoted(str(target))} exists, and no scan wrote it"
            raise TrafficError(Problem("not-a-scan", message, str(file.path), "remove it, or write to another path"))
        found: dict[str, Any] = json.loads(written)
        same = self.resume and found["question"] == self._question(file)
        return Scanned.from_json(found["counts"]) if same else None

    def _copy(self, file: Input, target: Path, report: Callable[[float], None]) -> Scanned:
        """Write a copy of a file with the answers, and return its counts."""
        with closing(file.open(self.columns)) as reader:
            return self._copy_rows(file, reader, target, report)

    def _copy_rows(self, file: Input, reader: Reader, target: Path, report: Callable[[float], None]) -> Scanned:
        from pyarrow import parquet

        question = self._question(file)
        if taken := [name for name in ADDED if name in reader.schema.names]:
            hint = "the copy adds columns of these names: rename that of the file"
            raise TrafficError(Problem("column-exists", f"the file has the column {quoted(taken[0])}", None, hint))
        kinds = [pa.bool_(), *[pa.string()] * 3]
        schema = pa.schema([*reader.schema, *map(pa.field, ADDED, kinds)], reader.schema.metadata)
        part = target.with_name(f".{target.name}.part")
        found = Scanned()
        try:
            with _writing(part):
                target.parent.mkdir(parents=True, exist_ok=True)
                writer = parquet.ParquetWriter(part, schema, compression=reader.compression)
            try:
                with closing(_ahead(self._answered(file, reader, schema))) as batches:
                    for batch, answers, share in batches:
                        with _writing(part):
                            writer.write_batch(batch)
                        found.count(answers)
                        report(share)
                writer.add_key_value_metadata({_KEY: json.dumps({"question": question, "counts": found.to_json()})})
            finally:
                with _writing(part):
                    writer.close()
            with _writing(target):
                part.replace(target)
        finally:
            with suppress(OSError):  # if it is complete, it was renamed
                part.unlink()
        return found

    def _answered(self, file: Input, reader: Reader, schema: Any) -> Iterator[tuple[Any, Answers, float]]:
        """Yield the record batches of a copy, with their answers and the share of the file that has been read."""
        kernel, first, name = kernel_of(self.engine), 1, f"{file.path}, "
        for batch, share in reader.batches():
            columns = file.columns_of(batch, self.columns)
            answers = answered(kernel, columns, self.at, self.errors, self.threads, first=first, name=name)
            why = answers.decisions()
            added = (why.hidden, why.rule, why.reason, why.demand)
            copied = pa.RecordBatch.from_arrays([*batch.columns, *added], names=schema.names)
            if self.only_hidden:  # before the columns with the reasons are converted to text
                copied = copied.filter(why.hidden)
            yield copied.cast(schema), answers, share
            first += len(batch)


def _ahead(items: Iterator[_Item]) -> Generator[_Item, None, None]:
    """Yield the items of an iterator, while another thread makes the next one."""
    with ThreadPoolExecutor(1) as pool:
        step = partial(next, items, None)
        coming = pool.submit(step)
        while (item := coming.result()) is not None:
            coming = pool.submit(step)
            yield item


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Raise `CannotWriteError` instead of an `OSError`."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise CannotWriteError(error.errno, reason, str(path)) from error


def _problems(error: Exception, path: Path) -> list[Problem]:
    """Return why a file was not scanned. Its name is in the place of each problem."""
    if isinstance(error, WithholdError):
        problems = error.problems if isinstance(error, TrafficError) else (error.problem,)
        return [problem if problem.place else replace(problem, place=str(path)) for problem in problems]
    kind, code = ("CSV", "bad-csv") if path.suffix.lower() == ".csv" else ("Parquet", "bad-parquet")
    message = f"this {kind} file cannot be read: {quoted(str(error))}"
    return [Problem(code, message, str(path), "write it again")]
