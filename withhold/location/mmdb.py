"""An opened MaxMind DB file: its networks in order, and single look-ups until the networks are sorted.

The file is read into memory and parsed in pure Python. maxminddb's C extension maps the file instead: if a mapped file
is truncated, or overwritten in place (`cp new.mmdb live.mmdb`), the process is killed (SIGBUS). A damaged record can
crash the extension too: version 3.2.0 crashes on an unknown data type (SIGSEGV). The Python reader takes 15 times as
long for a look-up, but it is needed only for seconds.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import maxminddb
from maxminddb.decoder import Decoder

from withhold.errors import GeoIPError, Problem, escaped, in_backticks
from withhold.location.address import Address
from withhold.location.record_place import RecordPlace
from withhold.location.schema import PlaceSchema, Schema
from withhold.location.tree import SEPARATOR, Metadata, SearchTree, let_threads_run
from withhold.watching import FileSignature, signature_of


class RecordReader(Protocol):
    """The methods of maxminddb's readers that are used here."""

    def metadata(self) -> Metadata: ...
    def get_with_prefix_len(self, ip_address: str, /) -> tuple[object, int]: ...
    def __iter__(self) -> Iterator[tuple[object, object]]: ...


#: A network with a record: IP version, first address, prefix length, and the place that the record names. The networks of an
#: IP version are in order. It is a plain tuple, as there are millions.
Leaf = tuple[int, int, int, RecordPlace]


class OpenedDatabase:
    """An opened database, in which maxminddb does each look-up."""

    def __init__(self, name: str, reader: RecordReader) -> None:
        self.name = name
        self.reader = reader
        self.schema: Schema = PlaceSchema("unknown")

    def leaf(self, address: Address) -> tuple[RecordPlace, int]:
        """Return the record of an address and the prefix length of its network, or -1 if the record cannot be read."""
        try:
            record, prefix = self.reader.get_with_prefix_len(str(address))
            return self.schema.read(record), prefix
        except Exception as error:  # noqa: BLE001  # a crafted file can make a reader raise any exception
            return RecordPlace(note=f"has a broken record for it: {_reason(error)}"), -1

    def records(self) -> Iterator[object]:
        """Yield the records, in no particular order."""
        yield from (record for _, record in self.reader)

    def leaves(self) -> Iterator[Leaf]:
        """Yield all networks with a record. Broken data may raise any exception; see `reading`."""
        for at, (network, record) in enumerate(self.reader):
            let_threads_run(at)
            first, prefix = network.network_address, network.prefixlen  # type: ignore[attr-defined]
            yield first.version, int(first), prefix, self.schema.read(record)


class OpenedFile(OpenedDatabase):
    """A file in memory. Each record is decoded once, not once for each network, which is ten times as fast."""

    def __init__(self, name: str, data: bytes, signature: FileSignature) -> None:
        super().__init__(name, maxminddb.open_database(io.BytesIO(data), maxminddb.MODE_FD))
        self.signature = signature
        self._tree = SearchTree(data, self.reader.metadata())
        self._decoder = Decoder(data, self._tree.size + SEPARATOR)

    def records(self) -> Iterator[object]:
        seen: set[int] = set()
        for _, _, _, pointer in self._tree.leaves():
            if pointer not in seen:
                seen.add(pointer)
                yield self._record(pointer)

    def leaves(self) -> Iterator[Leaf]:
        places: dict[int, RecordPlace] = {}
        for version, first, prefix, pointer in self._tree.leaves():
            place = places.get(pointer)
            if place is None:
                place = places[pointer] = self.schema.read(self._record(pointer))
            yield version, first, prefix, place

    def _record(self, pointer: int) -> object:
        return self._decoder.decode(self._tree.size + pointer)[0]


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_file(path: Path) -> tuple[bytes, FileSignature]:
    """Return the contents of a file and its signature.

    Raises `GeoIPError` (`no-database`) if the file is missing, unreadable or not a regular file, and `GeoIPError`
    (`changing-database`) if it was written to while it was read.
    """
    try:
        # Opening a pipe without a writer would block forever.
        with open(path, "rb", opener=_without_waiting) as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                hint = "give the path of the database file itself"
                raise GeoIPError(Problem("no-database", f"{in_backticks(path.name)} is not a regular file", hint=hint))
            data = file.read()
            after = os.fstat(file.fileno())
    except OSError as error:
        reason = error.strerror or str(error)
        raise GeoIPError(
            Problem("no-database", f"{in_backticks(path.name)} cannot be read: {reason.lower()}")
        ) from error
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size) or len(data) != after.st_size:
        hint = "write a new file beside it, then rename it over the old one"
        raise GeoIPError(
            Problem("changing-database", f"{in_backticks(path.name)} was written to while it was being read", hint=hint)
        )
    return data, signature_of(before)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Convert any exception that a reader raises for broken data into a `GeoIPError` (`broken-database`)."""
    try:
        yield
    except GeoIPError:
        raise
    except Exception as error:
        raise GeoIPError(Problem("broken-database", f"{in_backticks(name)} is broken: {_reason(error)}")) from error


def _reason(error: Exception) -> str:
    text = escaped(str(error)).rstrip(".")
    if "Is this a valid MaxMind DB file" in text:  # this message also contains the name of an internal object
        return "it is not a MaxMind DB file"
    return text[:1].lower() + text[1:]
