"""A PostgreSQL server for tests, in a temporary directory and as an unprivileged user.

`WITHHOLD_TEST_POSTGRES` is the directory of its programs. Without it, the tests that need a server are skipped.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

BINARIES = os.environ.get("WITHHOLD_TEST_POSTGRES")
needs_postgres = pytest.mark.skipif(
    not BINARIES, reason="set WITHHOLD_TEST_POSTGRES to the directory of PostgreSQL's programs"
)


class Server:
    """A server with a password on a free port of the loopback interface."""

    def __init__(self) -> None:
        # PostgreSQL refuses to run as root. The directories of pytest cannot be read by other users.
        self._user = "nobody" if os.getuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="withhold-postgres-"))
        self._data = self._folder / "data"
        self._password = token_hex(8)
        self._databases = self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        file = self._folder / "password"
        file.write_text(self._password, encoding="ascii")
        if self._user:
            for path in (self._folder, file):
                shutil.chown(path, self._user)
        options = (
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C",
            "--auth=md5",  # with SCRAM, each connection would take several times as long
            f"--pwfile={file}",
            "-U",
            "tests",
        )
        subprocess.run(self._command("initdb", *options), check=True, user=self._user, cwd="/", capture_output=True)
        self.start()

    def _command(self, program: str, *options: str) -> list[str]:
        return [str(Path(BINARIES or "") / program), "-D", str(self._data), *options]

    def start(self) -> None:
        """Start the server, and wait until it answers. Its log is in a file beside the data."""
        settings = (
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
        )  # killing it loses no written page
        options = [part for setting in settings for part in ("-c", setting)]
        for _ in range(2_400):
            # It exits while a process of a server that was killed is still there.
            if self._process is None or self._process.poll() is not None:
                # Another process may have taken the port. It stays the same once URLs contain it.
                if not self._databases:
                    self._port = _free_port()
                with (self._folder / "log").open("ab") as log:
                    command = self._command("postgres", "-p", str(self._port), *options)
                    self._process = subprocess.Popen(command, user=self._user, cwd="/", stdout=log, stderr=log)
            if self._answers():
                return
            time.sleep(0.05)
        raise AssertionError((self._folder / "log").read_text(encoding="utf-8"))

    def kill(self) -> None:
        """Kill all its processes at once, so that it has no time to finish anything."""
        assert self._process is not None
        # It is stopped first, so that it forks no process that would be missed: one that waits for a lock of a killed one would
        # keep the shared memory, and the server could not start again.
        self._process.send_signal(signal.SIGSTOP)
        for pid in (*_children(self._process.pid), self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)  # end at once: nobody needs the data any more
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:  # it accepts no connection any more, so only its parent is known
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def database(self) -> str:
        """Return the URL of a new database."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql://tests:{self._password}@127.0.0.1:{self._port}/{name}"

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement, and return its rows."""
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def _answers(self) -> bool:
        import psycopg

        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _children(parent: int) -> list[int]:
    """Return the ids of the processes that a process has started."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(file.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]) == parent:
                found.append(int(file.parent.name))
    return found
