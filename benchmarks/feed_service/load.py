"""Put a load on the home timeline with `wrk`: `python -m benchmarks.feed_service.load`.

uvicorn serves the timeline of `cost.py` in one worker: without the library, without it again, and with it. The two equal
applications show how much of a difference is noise, so this is for scale only; `cost.py` measures what the library costs.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

from benchmarks import package
from benchmarks.feed_service.app import RESOLVER
from benchmarks.feed_service.cost import NAMED, SHOWN, App, filtered, home, rules
from withhold import Engine
from withhold.serving.asgi import WithholdMiddleware

ROUNDS, SECONDS, CONNECTIONS = 7, 4, 8
CONTENDERS = {"without": "plain", "without, again": "plain", "with": "withheld"}
_OPTIONS = ["--factory", "--no-access-log", "--no-proxy-headers", "--log-level", "error", "--lifespan", "off"]
_HEADERS = {"CF-IPCountry": "IN", "X-Forwarded-For": "192.0.2.1", "Accept": "application/json"}
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
_LATENCY = re.compile(r"^\s+(50|99)%\s+([0-9.]+)(us|ms|s)$", re.MULTILINE)
_RATE = re.compile(r"^Requests/sec:\s+([0-9.]+)$", re.MULTILINE)


def over_http(app: App) -> App:
    """Return an ASGI application that answers with the bytes which `app` sends."""

    async def answered(scope: Any, receive: Any, send: Any) -> None:
        async def reply(body: bytes) -> None:
            length = (b"content-length", str(len(body)).encode())
            await send({"type": "http.response.start", "status": 200, "headers": [length]})
            await send({"type": "http.response.body", "body": body})

        await app(scope, receive, reply)

    return answered


def plain() -> App:
    """Return the timeline without the library."""
    return over_http(home)


def withheld() -> App:
    """Return the timeline with what the viewer may see."""
    return WithholdMiddleware(over_http(filtered()), Engine(rules()), RESOLVER)


@contextmanager
def served(factory: str) -> Iterator[str]:
    """Serve an application by uvicorn, and yield its URL."""
    # A socket that uvicorn inherits would be without TCP_NODELAY, and each answer would take 40 ms.
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", f"benchmarks.feed_service.load:{factory}", *_OPTIONS]
    with subprocess.Popen([*command, "--port", str(port)]) as process:  # noqa: S603
        try:
            for _ in range(100):
                with socket.socket() as found:
                    if not found.connect_ex(("127.0.0.1", port)):
                        break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()


def check(url: str, *, hides: bool) -> None:
    """Exit unless the timeline hides the authors whom rules name, or shows them."""
    with urlopen(Request(url, headers=_HEADERS)) as answer:  # noqa: S310
        shown = {*json.load(answer)}
    hidden = {post.account for post in SHOWN if post.id not in shown}
    if not ({*NAMED} <= hidden if hides else not hidden):
        sys.exit("stopped: the page shows what it must not show, or hides too much")


def load(wrk: str, url: str) -> tuple[float, float, float]:
    """Return the requests a second, and the 50th and the 99th percentile of latency in milliseconds."""
    options = ["--latency", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}"]
    command = [wrk, *options, *(f"-H{name}: {value}" for name, value in _HEADERS.items()), url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    rate, latency = _RATE.search(text), {found[0]: found[1:] for found in _LATENCY.findall(text)}
    if rate is None or "Non-2xx" in text or "Socket errors" in text:
        sys.exit(f"stopped: {text}")
    middle, high = (float(latency[part][0]) * _MILLISECONDS[latency[part][1]] for part in ("50", "99"))
    return float(rate[1]), middle, high


def main() -> None:
    """Measure, and print a table."""
    package.begin()
    wrk = shutil.which("wrk")
    if wrk is None:
        sys.exit("install wrk")
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in CONTENDERS}
    for turn in range(ROUNDS):
        for name in random.Random(turn).sample([*CONTENDERS], len(CONTENDERS)):
            with served(CONTENDERS[name]) as url:
                check(url, hides=name == "with")
                load(wrk, url)  # until caches are warm
                found[name].append(load(wrk, url))
    print(
        f"{CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS} s each; medians, and the ratios to `without` in the same round"
    )
    for name, rounds in found.items():
        columns = zip(*rounds, strict=True)
        rate, middle, high = map(statistics.median, columns)
        ratios = [one[1] / other[1] for one, other in zip(rounds, found["without"], strict=True)]
        print(
            f"{name:16}{rate:8,.0f} requests/s   p50 {middle:.2f} ms   p99 {high:.2f} ms   "
            f"p50 ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
