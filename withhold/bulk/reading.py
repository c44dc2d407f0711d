"""Read files of rows in batches: Parquet and CSV, alone or in folders, with columns from the names of the folders."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

from withhold.bulk.columns import Columns
from withhold.bulk.extras import pa
from withhold.errors import Problem, TrafficError, quoted

#: The most rows of a batch. A batch of rows with many columns takes a few hundred megabytes.
BATCH = 1 << 19
_SUFFIXES = (".parquet", ".csv")
#: The name of the folder with the rows in which a column is null.
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, slots=True)
class Input:
    """A file of rows. `values` has the columns that come from the names of its folders, such as `country=IN`."""

    path: Path
    relative: Path
    size: int
    values: Mapping[str, str | None]

    def open(self, columns: Columns) -> Reader:
        """Open the file, whose columns have the names in `columns`. Raises `OSError` or an exception of pyarrow."""
        if self.path.suffix.lower() == ".csv":
            return _CsvFile(self.path, columns)
        return _ParquetFile(self.path)

    def columns_of(self, batch: Any, columns: Columns) -> dict[str, Any]:
        """Return the columns of a batch as the arguments of `mask`, with those from the names of folders."""
        for name in columns:
            if name is not None and name in self.values and name not in batch.schema.names:
                indices = pa.repeat(pa.scalar(0, pa.int8()), len(batch))
                value = pa.array([self.values[name]], pa.string())
                column: Any = pa.DictionaryArray.from_arrays(indices, value)
                if name in (columns.tweet, columns.account, columns.retweet_of, columns.retweeted_account):
                    column = column.cast(pa.string()).cast(pa.int64())
                batch = batch.append_column(name, column)
        return columns.of(batch)


class Reader(Protocol):
    """An open file."""

    schema: Any
    #: The compression with which a copy should be written.
    compression: str

    def batches(self) -> Iterator[tuple[Any, float]]:
        """Yield record batches, each with the share of the file that has been read after it."""

    def close(self) -> None:
        """Close the file."""


def inputs(path: Path) -> tuple[list[Input], list[Path]]:
    """Return a file, or all files of rows in a folder in a stable order, and the other files in the folder.

    Names that begin with `_` or `.` are left out. Raises `TrafficError` if there is no file of rows.
    """
    if not path.is_dir():
        return [Input(path, Path(path.name), path.stat().st_size, {})], []
    found: list[Input] = []
    others: list[Path] = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith(("_", ".")))
        for name in sorted(names):
            file = Path(folder, name)
            relative = file.relative_to(path)
            if name.startswith(("_", ".")):
                continue
            if name.lower().endswith(_SUFFIXES):
                found.append(Input(file, relative, file.stat().st_size, _values(relative)))
            else:
                others.append(file)
    if not found:
        message = "the folder has no file of rows"
        raise TrafficError(Problem("no-rows", message, str(path), f"their names end in {' or '.join(_SUFFIXES)}"))
    return found, others


def _values(relative: Path) -> dict[str, str | None]:
    """Return the values in the names of folders, as Hive and Spark write them."""
    parts = (part.partition("=") for part in relative.parent.parts)
    return {unquote(name): None if value == _NO_VALUE else unquote(value) for name, sign, value in parts if sign}


class _ParquetFile:
    def __init__(self, path: Path) -> None:
        from pyarrow import parquet

        self._file = parquet.ParquetFile(path)
        self.schema = self._file.schema_arrow
        metadata = self._file.metadata
        has_columns = metadata.num_row_groups and metadata.num_columns
        written = metadata.row_group(0).column(0).compression.lower() if has_columns else "snappy"
        self.compression = "none" if written == "uncompressed" else written

    def batches(self) -> Iterator[tuple[Any, float]]:
        read = 0
        for batch in self._file.iter_batches(batch_size=BATCH):
            read += len(batch)
            yield batch, read / self._file.metadata.num_rows

    def close(self) -> None:
        self._file.close()


class _CsvFile:
    compression = "snappy"

    def __init__(self, path: Path, columns: Columns) -> None:
        from pyarrow import csv as arrow_csv

        ids = (columns.tweet, columns.account, columns.retweet_of, columns.retweeted_account)
        header, comments = _header(path)
        kinds = {name: pa.int64() if name in ids else pa.string() for name in header}
        if columns.at in kinds:
            kinds[columns.at] = pa.timestamp("us", "UTC")
        # Without an explicit type, a column gets the type of its first values, and a later value of another type is an
        # error.
        options = arrow_csv.ConvertOptions(
            column_types=kinds, strings_can_be_null=True, quoted_strings_can_be_null=True, null_values=[""]
        )
        self._file = path.open("rb")
        self._size = path.stat().st_size
        how = arrow_csv.ReadOptions(block_size=1 << 24, skip_rows=comments)
        try:
            self._reader = arrow_csv.open_csv(self._file, read_options=how, convert_options=options)
        except BaseException:
            self._file.close()
            raise
        self.schema = self._reader.schema

    def batches(self) -> Iterator[tuple[Any, float]]:
        for batch in self._reader:
            yield batch, min(1.0, self._file.tell() / self._size)

    def close(self) -> None:
        self._reader.close()
        self._file.close()


def _header(path: Path) -> tuple[list[str], int]:
    """Return the names of the columns of a CSV file, and the number of lines before them, which begin with `#`."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        comments = 0
        line = file.readline()
        while line.startswith("#"):
            comments += 1
            line = file.readline()
        header = next(csv.reader([line]), [])
    if repeated := [name for name in header if header.count(name) > 1]:
        hint = "the first line names the columns: name each once"
        raise TrafficError(Problem("repeated-column", f"the column {quoted(repeated[0])} is repeated", str(path), hint))
    return header, comments
