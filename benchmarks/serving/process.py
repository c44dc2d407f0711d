"""The driver's side of a worker process. Each request and each response is a line, and waiting has a timeout."""

from __future__ import annotations

import json
import select
import subprocess
from pathlib import Path
from typing import Any, Self

from benchmarks import package


class WorkerLostError(Exception):
    """A worker process took too long, or ended."""


class Process:
    """One worker. Use it as a context manager."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        command = package.command("benchmarks.serving.worker", name, directory)
        with (directory / "worker.log").open("ab") as log:
            self._running = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def send(self, do: str, **arguments: object) -> None:
        """Send a request without waiting for the response."""
        assert self._running.stdin is not None  # noqa: S101
        try:
            self._running.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._running.stdin.flush()
        except BrokenPipeError as error:
            raise WorkerLostError("its process ended") from error

    def receive(self, timeout: float = 120) -> dict[str, Any]:
        """Wait for the response, and return it."""
        stream = self._running.stdout
        assert stream is not None  # noqa: S101
        if not select.select([stream], [], [], timeout)[0]:
            self.close(kill=True)
            raise WorkerLostError(f"took longer than {timeout:.0f} s")
        line = stream.readline()
        if not line:
            raise WorkerLostError(f"its process ended (status {self._running.wait()})")
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self, do: str, timeout: float = 120, **arguments: object) -> dict[str, Any]:
        """Send a request, and return the response."""
        self.send(do, **arguments)
        return self.receive(timeout)

    def close(self, *, kill: bool = False) -> None:
        """End the process. It ends by itself when its input is closed."""
        if kill:
            self._running.kill()
        try:
            # This also closes the pipes.
            self._running.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
