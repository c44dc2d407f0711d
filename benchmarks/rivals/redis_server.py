"""A server on the same machine, with one round trip over a Unix socket for each question or page."""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import redis

from benchmarks.rivals.rival import LeftOut, Rival
from benchmarks.workload import IN_FORCE, PLACES, Columns, Pair


class RedisServer(Rival):
    """A set for each country with tweets and accounts as nine bytes; worldwide ones are in every set."""

    note = "no dates, no reasons, no unknown locations; SMISMEMBER, one round trip for a page of any length"
    package = "redis"
    bytes_per_id = 400

    @classmethod
    def missing(cls) -> str | None:
        return super().missing() or (None if shutil.which("redis-server") else "no `redis-server` on the path")

    def load(self, columns: Columns, directory: Path) -> None:  # noqa: ARG002
        program = shutil.which("redis-server") or "redis-server"
        self.home = tempfile.TemporaryDirectory(prefix="redis-")
        socket = f"{self.home.name}/socket"
        options = ["--port", "0", "--unixsocket", socket, "--dir", self.home.name, "--save", "", "--appendonly", "no"]
        self.server = subprocess.Popen([program, *options, "--maxmemory", "4gb"], stdout=subprocess.DEVNULL)  # noqa: S603
        self.client: Any = redis.Redis(unix_socket_path=socket)
        self._wait()
        pipeline, member = self.client.pipeline(transaction=False), struct.Struct(">BQ").pack
        for number, country in enumerate(PLACES[:-1]):
            rows = iter(
                member(on_account, id_)
                for on_account, id_, place, window in columns.rows()
                if place in (number, len(PLACES) - 1) and IN_FORCE[window]
            )
            while part := tuple(islice(rows, 5_000)):
                pipeline.sadd(country, *part).execute()
        self.member = member
        self.ask = self.client.execute_command

    def _wait(self) -> None:
        for _ in range(100):
            try:
                self.client.ping()
            except redis.ConnectionError:
                time.sleep(0.05)
            else:
                return
        raise LeftOut("`redis-server` did not start within 5 s")

    def check(self, tweet: int, account: int) -> bool:
        return 1 in self.ask("SMISMEMBER", "IN", self.member(0, tweet), self.member(1, account))

    def page(self, pairs: list[Pair]) -> Sequence[int]:
        member = self.member
        members = [member(side, id_) for pair in pairs for side, id_ in enumerate(pair)]
        flags = self.ask("SMISMEMBER", "IN", *members)
        return [index for index, either in enumerate(zip(flags[::2], flags[1::2], strict=True)) if 1 in either]

    def memory(self, grown: dict[str, int]) -> int:
        return grown["rss"] + int(self.client.info("memory")["used_memory"])

    def version(self) -> str:
        return f"{self.client.info('server')['redis_version']}, client {super().version()}"

    def close(self) -> None:
        self.client.close()
        self.server.terminate()
        self.server.wait(10)
        self.home.cleanup()
