"""A MaxMind DB file, opened: its networks in order, and its answers until they are sorted.

The file is read into memory, and only pure Python looks at it. maxminddb's C extension maps a file instead, and
writing over a mapped file in place, as `cp new.mmdb live.mmdb` does, or cutting it short, kills the process with
SIGBUS. Nor is the extension safe from a file with a damaged record: version 3.2.0 ends the process for an unknown
data type (SIGSEGV). The Python reader takes 15 times as long for an answer, for the seconds that it is needed.
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
from withhold.location.schema import PlaceSchema, RecordPlace, Schema
from withhold.location.tree import SEPARATOR, Metadata, SearchTree, let_others


class RecordReader(Protocol):
    """maxminddb's reader, in C or in Python, or anything alike."""

    def metadata(self) -> Metadata: ...
    def get_with_prefix_len(self, ip_address: str, /) -> tuple[object, int]: ...
    def __iter__(self) -> Iterator[tuple[object, object]]: ...


#: A network that has a record: IP version, first address, prefix length, and what the record says. The
#: networks of an IP version come in order. A bare tuple, as there are millions.
Leaf = tuple[int, int, int, RecordPlace]


class OpenedDatabase:
    """An opened database: every answer costs a look-up by maxminddb."""

    def __init__(self, name: str, reader: RecordReader) -> None:
        self.name = name
        self.reader = reader
        self.schema: Schema = PlaceSchema("unknown")

    def leaf(self, address: Address) -> tuple[RecordPlace, int]:
        """Return what is said of an address, and the prefix length. A broken record says nothing, and has -1."""
        try:
            record, prefix = self.reader.get_with_prefix_len(str(address))
            return self.schema.read(record), prefix
        except Exception as error:  # noqa: BLE001  # whatever a crafted file makes a reader raise
            return RecordPlace(note=f"which is broken there: {_said(error)}"), -1

    def records(self) -> Iterator[object]:
        """Yield the records."""
        yield from (record for _, record in self.reader)

    def leaves(self) -> Iterator[Leaf]:
        """Yield every network that has a record; raises whatever the first broken thing makes the reader raise."""
        for at, (network, record) in enumerate(self.reader):
            let_others(at)
            first, prefix = network.network_address, network.prefixlen  # type: ignore[attr-defined]
            yield first.version, int(first), prefix, self.schema.read(record)


class OpenedFile(OpenedDatabase):
    """A database in memory. Its records are decoded once each, not once for each network: ten times as fast."""

    def __init__(self, name: str, data: bytes, signature: tuple[int, int, int, int, int]) -> None:
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


def signature_of(found: os.stat_result) -> tuple[int, int, int, int, int]:
    """Return what is different when a file is another, or has been written to."""
    # The time of the inode as well: a copy may keep the other time, and the size may be the same.
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_file(path: Path) -> tuple[bytes, tuple[int, int, int, int, int]]:
    """Read a file that nobody writes to meanwhile; return it and its signature.

    Raises `GeoIPError` if it is missing, is no regular file or was changed.
    """
    try:
        # A pipe without a writer keeps its reader waiting for ever.
        with open(path, "rb", opener=_without_waiting) as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                hint = "give the file itself, which is read again when it changes"
                raise GeoIPError(Problem("no-database", f"{in_backticks(path.name)} is no regular file", hint=hint))
            data = file.read()
            after = os.fstat(file.fileno())
    except OSError as error:
        reason = error.strerror or str(error)
        raise GeoIPError(
            Problem("no-database", f"{in_backticks(path.name)} cannot be read: {reason.lower()}")
        ) from error
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size) or len(data) != after.st_size:
        hint = "write the new file beside it, then rename it over the old one"
        raise GeoIPError(
            Problem("changing-database", f"{in_backticks(path.name)} was written to while it was read", hint=hint)
        )
    return data, signature_of(before)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn whatever a broken file makes a reader raise into a `GeoIPError`."""
    try:
        yield
    except GeoIPError:
        raise
    except Exception as error:
        raise GeoIPError(Problem("broken-database", f"{in_backticks(name)} is broken: {_said(error)}")) from error


def _said(error: Exception) -> str:
    text = escaped(str(error)).rstrip(".")
    if "Is this a valid MaxMind DB file" in text:  # around the name of an object that means nothing to a reader
        return "this is no MaxMind DB file"
    return text[:1].lower() + text[1:]
