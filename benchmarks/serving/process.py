"""A worker as the driver sees it: a line down, a line up, and an end to patience."""

from __future__ import annotations

import json
import select
import subprocess
from pathlib import Path
from typing import Any, Self

from benchmarks import package


class WorkerLostError(Exception):
    """A worker took too long, or ended."""


class Process:
    """One worker; use it as a context manager."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        command = package.command("benchmarks.serving.worker", name, directory)
        with (directory / "worker.log").open("ab") as log:
            self._running = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def tell(self, do: str, **said: object) -> None:
        """Say what to do, and do not wait."""
        assert self._running.stdin is not None  # noqa: S101
        try:
            self._running.stdin.write(json.dumps({"do": do, **said}) + "\n")
            self._running.stdin.flush()
        except BrokenPipeError as error:
            raise WorkerLostError("its process ended") from error

    def hear(self, patience: float = 120) -> dict[str, Any]:
        """Wait for the answer."""
        stream = self._running.stdout
        assert stream is not None  # noqa: S101
        if not select.select([stream], [], [], patience)[0]:
            self.close(kill=True)
            raise WorkerLostError(f"took longer than {patience:.0f} s")
        line = stream.readline()
        if not line:
            raise WorkerLostError(f"its process ended (status {self._running.wait()})")
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self, do: str, patience: float = 120, **said: object) -> dict[str, Any]:
        """Say what to do, and wait for the answer."""
        self.tell(do, **said)
        return self.hear(patience)

    def close(self, *, kill: bool = False) -> None:
        """End the process: it ends by itself when nobody speaks to it any more."""
        if kill:
            self._running.kill()
        try:
            # This closes the pipes as well.
            self._running.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
