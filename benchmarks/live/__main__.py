"""Publish rules again and again, and measure how long it takes until every process of a host answers by them.

nginx serves the store, `withhold fetch` polls it, and workers serve from the spool. Times are those of the reports that
workers write, on one machine with one clock. A figure is printed only if every worker has activated every version.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from benchmarks import package
from withhold import Engine, Rule, RuleSet, Snapshot
from withhold.live import Fetcher, Publisher, Spool, Worker, create_repository, open_spool
from withhold.live.worker import reports

_NGINX = """
daemon off; error_log {folder}/error.log; pid {folder}/pid; {user}
events {{}}
http {{
    access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{ listen 127.0.0.1:{port}; root {folder}/store; }}
}}
"""


def main() -> None:
    """Run the measurement, and print its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--ids", type=int, default=1_000_000)
    parser.add_argument("--publications", type=int, default=200)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--interval", default="1s", help="of the fetcher")
    parser.add_argument("--worker", metavar="SPOOL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        serve(options.worker)
        return
    package.begin()
    with tempfile.TemporaryDirectory(prefix="withhold-live-") as folder, ExitStack() as stack:
        measure(Path(folder), options, stack)


def serve(spool: str) -> None:
    """Serve from a spool, and print the cost of an activation when standard input ends.

    Earlier snapshots stay in memory, as they do while requests still use them.
    """
    engine = Engine(open_spool(spool))
    with Worker(engine, spool):
        sys.stdin.read()
    kept, costs = [engine.snapshot], []
    for _ in range(5):
        gc.collect()
        memory, began = private_memory(), time.perf_counter()
        engine.activate(Snapshot.open(Spool(spool).current, verify="header"))
        costs.append(((time.perf_counter() - began) * 1e3, (private_memory() - memory) / 1e6))
        kept.append(engine.snapshot)
    print(*(statistics.median(column) for column in zip(*costs, strict=True)))


def private_memory() -> int:
    """Return the bytes of memory that this process cannot share: those of mapped files can be."""
    rows = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return sum(int(row.split()[1]) * 1024 for row in rows if row.startswith("Private_Dirty"))


def measure(folder: Path, options: argparse.Namespace, stack: ExitStack) -> None:
    """Publish, and print the times until all workers answered."""
    signers = [CryptoSigner(Ed25519PrivateKey.generate()) for _ in range(3)]
    public = {role: [signer.public_key] for role, signer in zip(("root", "targets", "online"), signers, strict=True)}
    store = (folder / "store").as_uri()
    root = create_repository(store, signers, public)
    (folder / "root.json").write_bytes(root)
    publisher, spool = Publisher(store, root), Spool(folder / "spool")
    snapshots = [rules_of(options.ids, turn) for turn in range(2)]
    publisher.publish(snapshots[1], signers)
    source = serve_store(folder, stack)
    fetch = [sys.executable, "-m", "withhold", "fetch", source, "--spool", str(spool.path)]
    fetch += ["--trust", str(folder / "root.json"), "--every", options.interval]
    start(stack, fetch)
    wait_for(lambda: spool.installed() is not None)
    worker = [sys.executable, "-m", "benchmarks.live", "--worker", str(spool.path)]
    workers = [start(stack, worker) for _ in range(options.workers)]
    wait_for(lambda: len(versions(spool)) == options.workers)
    times, publishing = [], []
    for turn in range(options.publications):
        began = datetime.now(UTC)
        version = publisher.publish(snapshots[turn % 2], signers).version
        published = datetime.now(UTC)
        wait_for(lambda version=version: versions(spool) == [version] * options.workers)  # type: ignore[misc]
        last = max(report.activated for report in reports(spool) if report is not None and report.activated is not None)
        publishing.append((published - began).total_seconds())
        times.append((last - published).total_seconds())
    print(
        f"{options.ids:,} ids, {options.workers} workers, {options.publications} publications, every {options.interval}"
    )
    print(f"publishing itself: median {statistics.median(publishing):.2f} s")
    print(f"published → active in all: median {statistics.median(times):.2f} s, worst {max(times):.2f} s")
    costs = [tuple(map(float, each.communicate(timeout=60)[0].split())) for each in workers]
    milliseconds, megabytes = (max(column) for column in zip(*costs, strict=True))
    print(f"an activation, in the slowest worker: {milliseconds:.2f} ms, {megabytes:.2f} MB that it does not share")
    idle(source, folder, root)


def idle(source: str, folder: Path, root: bytes) -> None:
    """Print the time of a poll that finds nothing new."""
    with Fetcher(source, folder / "idle", root) as fetcher:
        fetcher.fetch()
        polls = []
        for _ in range(50):
            began = time.perf_counter()
            status = fetcher.fetch()
            polls.append(time.perf_counter() - began)
            if status.error is not None:
                sys.exit(f"stopped: {status.error}")
    print(f"an idle poll: median {statistics.median(polls) * 1e3:.1f} ms")


def rules_of(ids: int, turn: int) -> Snapshot:
    """Return a snapshot with a thousandth as many rules as ids; the turn changes one of them."""
    size = 1000
    rules = [
        Rule(
            id=f"r-{first}",
            accounts=range(first + 1 + (turn if first == 0 else 0), first + size),
            withheld_in=["IN" if first % 2 else "TR"],
            reason="legal_demand",
        )
        for first in range(0, ids, size)
    ]
    return Snapshot.compile(RuleSet(rules))


def serve_store(folder: Path, stack: ExitStack) -> str:
    """Serve the store by nginx, and return its URL."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        sys.exit("install nginx")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port, user=user), encoding="utf-8")
    start(stack, [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    return f"http://127.0.0.1:{port}"


def start(stack: ExitStack, command: list[str]) -> subprocess.Popen[str]:
    """Start a process, which ends with the measurement."""
    process = subprocess.Popen(  # noqa: S603
        command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    stack.callback(process.kill)
    return process


def versions(spool: Spool) -> list[int | None]:
    """Return the version of each worker that reports."""
    return [None if report is None else report.version for report in reports(spool)]


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, at most a minute."""
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            sys.exit("stopped: a worker has not activated a version within a minute")
        time.sleep(0.1)  # the workers report when they have activated a version, so this changes no figure


if __name__ == "__main__":
    main()
