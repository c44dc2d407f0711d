"""A B-tree in a mapped file."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import lmdb

from benchmarks.rivals.rival import Rival
from benchmarks.workload import HERE, NOW_SECONDS, SECONDS, Columns


class Lmdb(Rival):
    """A database for tweets and one for accounts, with ids as keys of eight bytes, and one read transaction."""

    note = "checks dates; one rule for each id; the file is mapped and shared between processes"
    package = "lmdb"

    def load(self, columns: Columns, directory: Path) -> None:
        # Each worker has its own file, because its memory includes the file.
        self.path = path = directory / f"rules-{os.getpid()}.lmdb"
        self.environment = lmdb.open(
            str(path), map_size=2**24 + 256 * len(columns), max_dbs=2, sync=False, lock=False, readahead=False
        )
        self.tweets, self.accounts = (self.environment.open_db(name) for name in (b"tweets", b"accounts"))
        ordered = sorted(zip(columns.ids, columns.on_accounts, columns.places, columns.windows, strict=True))
        key, value = struct.Struct(">Q").pack, struct.Struct("<Bqq").pack
        for number, database in enumerate((self.tweets, self.accounts)):
            rows = ((key(id_), value(place, *SECONDS[window])) for id_, on, place, window in ordered if on == number)
            with self.environment.begin(db=database, write=True) as transaction:
                transaction.cursor().putmulti(rows, append=True)
        self.key, self.value = key, struct.Struct("<Bqq").unpack
        self.reading = self.environment.begin(buffers=True)
        self.get = self.reading.get

    def check(self, tweet: int, account: int) -> bool:
        found = self.get(self.key(tweet), None, self.tweets)
        if found is not None and self._applies(found):
            return True
        found = self.get(self.key(account), None, self.accounts)
        return found is not None and self._applies(found)

    def _applies(self, found: Any) -> bool:
        place, start, end = self.value(found)
        return place in HERE and start <= NOW_SECONDS < end

    def memory(self, grown: dict[str, int]) -> int:
        return grown["own"] + (self.path / "data.mdb").stat().st_blocks * 512

    def close(self) -> None:
        self.reading.abort()
        self.environment.close()
