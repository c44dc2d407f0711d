"""The middleware behind real uvicorn, while the rules are replaced."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.serving.middleware import sent_from
from withhold import Rule, RuleSet, Snapshot

pytest.importorskip("uvicorn")
HIDING = Snapshot.compile(RuleSet([Rule(id="in-1", accounts=[17, 18], withheld_in=["IN"], reason="legal_demand")]))
SHOWING = Snapshot.compile(RuleSet([Rule(id="us-1", accounts=[17, 18], withheld_in=["US"], reason="legal_demand")]))


@contextmanager
def served(rules: Path, *flags: str) -> Iterator[int]:
    """Serve the application on loopback, and yield the port.

    The server inherits the socket, so no other process can take the port, and the first requests wait until it is ready.
    """
    HIDING.save(rules)
    root = Path(__file__).parents[2]
    environ = {**os.environ, "SERVED_RULES": str(rules), "PYTHONPATH": str(root)}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = [sys.executable, "-m", "uvicorn", "tests.serving.served:app", "--factory", *flags]
        with subprocess.Popen(
            [*command, "--fd", str(listening.fileno()), "--log-level", "critical"],
            cwd=root,
            env=environ,
            pass_fds=[listening.fileno()],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as server:
            try:
                yield listening.getsockname()[1]
            finally:
                server.terminate()


def ask(port: int) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/", headers=sent_from("IN"))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_no_page_is_mixed_while_rules_are_replaced_in_two_workers(tmp_path):
    pages: list[list[bool]] = []
    failures: list[object] = []
    done = threading.Event()

    def load(port: int) -> None:
        while not done.is_set():
            status, body = ask(port)
            if status == 200:
                pages.append(json.loads(body))
            else:
                failures.append(status)

    rules = tmp_path / "rules.wh"
    with served(rules, "--workers", "2", "--no-proxy-headers") as port:
        threads = [threading.Thread(target=load, args=(port,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for snapshot in (SHOWING, HIDING, SHOWING):
                snapshot.save(rules)
                hidden = snapshot is HIDING
                for _ in range(3000):  # until pages of these rules are served
                    seen = len(pages)
                    time.sleep(0.02)
                    if pages[seen:] and all(page[1] is hidden for page in pages[seen:]):
                        break
            for _ in range(3000):  # until the slower worker has started too
                if len({page[0] for page in pages}) == 2:
                    break
                time.sleep(0.02)
            if "websockets" in sys.modules or _has_websockets():
                _check_websocket(port, rules)
        finally:
            done.set()
            for thread in threads:
                thread.join()
    assert failures == []
    assert {tuple(page[1:]) for page in pages} == {(True, True), (False, False)}
    assert len({page[0] for page in pages}) == 2, "both workers answered"


def _has_websockets() -> bool:
    try:
        import websockets.sync.client  # noqa: F401
    except ModuleNotFoundError:
        return False
    return True


def _check_websocket(port: int, rules: Path) -> None:
    """Check that an open websocket sees other rules (A3)."""
    from websockets.sync.client import connect

    with connect(f"ws://127.0.0.1:{port}/", additional_headers=sent_from("IN"), proxy=None) as connection:
        HIDING.save(rules)
        for _ in range(3000):
            connection.send("more")
            if json.loads(connection.recv())[1:] == [True, True]:
                return
            time.sleep(0.01)
    raise AssertionError("the websocket goes on with the former rules")


def test_uvicorn_with_its_default_flags_is_refused(tmp_path):
    with served(tmp_path / "rules.wh") as port:
        assert [ask(port)[0] for _ in range(2)] == [500, 500]
