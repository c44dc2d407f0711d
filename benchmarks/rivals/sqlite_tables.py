"""A database in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.rivals.rival import Rival
from benchmarks.workload import HERE, NOW_SECONDS, SECONDS, Columns, Pair


class Sqlite(Rival):
    """A table for tweets and one for accounts, with the id as primary key and prepared statements."""

    note = "checks dates; in memory; a page takes two queries that return the withheld ids"

    def load(self, columns: Columns, directory: Path) -> None:  # noqa: ARG002
        self.database = sqlite3.connect(":memory:", isolation_level=None)
        ordered = sorted(zip(columns.ids, columns.on_accounts, columns.places, columns.windows, strict=True))
        for number, table in enumerate(("tweets", "accounts")):
            self.database.execute(f"create table {table} (id integer primary key, place integer, start, end)")
            rows: Iterator[tuple[int, ...]] = (
                (id_, place, *SECONDS[window]) for id_, on, place, window in ordered if on == number
            )
            self.database.execute("begin")
            self.database.executemany(f"insert into {table} values (?, ?, ?, ?)", rows)  # noqa: S608
            self.database.execute("commit")
        applies = f"place in ({', '.join(map(str, sorted(HERE)))}) and start <= {NOW_SECONDS} and {NOW_SECONDS} < end"
        self.applies = applies
        tweets, accounts = (f"exists (select 1 from {t} where id = ? and {applies})" for t in ("tweets", "accounts"))  # noqa: S608
        self.one = f"select {tweets} or {accounts}"
        self.execute = self.database.execute

    def check(self, tweet: int, account: int) -> bool:
        return bool(self.execute(self.one, (tweet, account)).fetchone()[0])

    def page(self, pairs: list[Pair]) -> Sequence[int]:
        tweets = self._named("tweets", [tweet for tweet, _ in pairs])
        accounts = self._named("accounts", [account for _, account in pairs])
        return [index for index, (tweet, account) in enumerate(pairs) if tweet in tweets or account in accounts]

    def _named(self, table: str, ids: list[int]) -> set[int]:
        marks = ",".join("?" * len(ids))
        query = f"select id from {table} where id in ({marks}) and {self.applies}"  # noqa: S608
        return {id_ for (id_,) in self.execute(query, ids)}

    def version(self) -> str:
        return sqlite3.sqlite_version
