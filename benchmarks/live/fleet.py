"""A store that nginx serves, a fetcher, and processes that serve, on one machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from withhold import Snapshot
from withhold.live import LiveStatus, Publisher, Spool, create_repository

_NGINX = """
daemon off; error_log {folder}/error.log; pid {folder}/pid; {user}
events {{}}
http {{
    access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{ listen 127.0.0.1:{port}; root {folder}/store; }}
}}
"""


class Fleet:
    """A repository in `folder`, the URL at which nginx serves it, and the spool of a host."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._signers = [CryptoSigner(Ed25519PrivateKey.generate()) for _ in range(3)]
        roles = ("root", "targets", "online")
        public = {role: [signer.public_key] for role, signer in zip(roles, self._signers, strict=True)}
        store = (folder / "store").as_uri()
        self.root = create_repository(store, self._signers, public)
        (folder / "root.json").write_bytes(self.root)
        self._publisher, self.spool = Publisher(store, self.root), Spool(folder / "spool")
        self._folder, self._stack = folder, stack
        self.source = self._serve()

    def publish(self, snapshot: Snapshot) -> int:
        """Publish a snapshot, and return its version."""
        return self._publisher.publish(snapshot, self._signers).version

    def fetch(self, every: str) -> None:
        """Start `withhold fetch`."""
        command = [sys.executable, "-m", "withhold", "fetch", self.source, "--spool", str(self.spool.path)]
        start(self._stack, [*command, "--trust", str(self._folder / "root.json"), "--every", every])

    def status(self) -> LiveStatus:
        """Return the status that the fetcher has written."""
        return self.spool.read_status()

    def _serve(self) -> str:
        nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        if nginx is None:
            sys.exit("install nginx")
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        user = "user root;" if os.geteuid() == 0 else ""
        configuration = _NGINX.format(folder=self._folder, port=port, user=user)
        (self._folder / "nginx.conf").write_text(configuration, encoding="utf-8")
        start(self._stack, [nginx, "-p", str(self._folder), "-c", str(self._folder / "nginx.conf")])
        return f"http://127.0.0.1:{port}"


def start(stack: ExitStack, command: list[str]) -> subprocess.Popen[str]:
    """Start a process, which ends with the measurement."""
    process = subprocess.Popen(  # noqa: S603
        command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    stack.callback(process.kill)
    return process


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, at most a minute."""
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            sys.exit("stopped: a worker has not activated a version within a minute")
        time.sleep(0.1)  # the workers report when they have activated a version, so this changes no figure
