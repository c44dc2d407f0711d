"""Sources that fail or never end: over HTTP, after a fork, and processes that are killed between any two steps."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from base64 import b64encode
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from urllib3 import ProxyManager

from tests import forking
from tests.live.hosts import in_memory as in_memory
from tests.live.material import Material, snapshot
from withhold import LiveError
from withhold.live import Fetcher, Receipts, open_spool, web
from withhold.live.store import Store


class Server(ThreadingHTTPServer):
    """A web server for a repository, which misbehaves for paths that contain `bad`."""

    daemon_threads = True

    def __init__(self, made):
        super().__init__(("127.0.0.1", 0), Handler)
        self.made = made
        self.folder, self.how, self.bad, self.ending = made.folder, "well", "", threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/rules"


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.server.folder / self.path.removeprefix("/rules/")
        how = self.server.how if self.server.bad in self.path else "well"
        content = path.read_bytes() if path.is_file() else None
        if how == "hang":
            self.server.ending.wait(60)
            return
        if how.isdigit():
            self.send_response(int(how))
            self.send_header("location", f"http://127.0.0.1:{self.server.server_port}/elsewhere/x.json")
            content = b"{}"
        elif content is None:
            self.send_response(404)
            content = b""
        else:
            self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if how == "truncate" and content:  # an empty answer is whole, so its connection must stay open
            content = content[: len(content) // 2]
            self.close_connection = True
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    made = Material(tmp_path / "repository")
    made.publish(1)
    with Server(made) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.ending.set()
        server.shutdown()
        thread.join()


def accounts(spool):
    return sorted(id_ for id_, _ in open_spool(spool).postings("accounts"))


@pytest.mark.parametrize("bad", ["timestamp", "3.snapshot", "3.targets", ".wh.zst", "root"])
@pytest.mark.parametrize("how", ["403", "404", "500", "302", "truncate", "hang"])
def test_a_source_that_fails_changes_nothing(server, tmp_path, monkeypatch, how, bad):
    with Fetcher(server.url, tmp_path / "spool", server.made.root) as fetcher:
        assert fetcher.fetch().state == "fresh"
    server.made.publish(1, 2)
    server.how, server.bad = how, bad
    if how == "hang":  # only here, because on a busy machine a good answer may take as long
        monkeypatch.setitem(web.LIMITS, "read", 0.3)
    with Fetcher(server.url, tmp_path / "spool", server.made.root, interval=0.001) as fetcher:
        status = fetcher.fetch()
        if bad == "root" and how in ("403", "404", "truncate"):  # there is no newer root
            assert (status.error, accounts(tmp_path / "spool")) == (None, [1, 2])
            return
        assert status.error is not None
        assert (status.version, accounts(tmp_path / "spool")) == (2, [1])
        server.how = "well"
        while fetcher.fetch().error is not None:
            pass
        assert accounts(tmp_path / "spool") == [1, 2]


def test_a_web_server_is_only_read(server):
    made = server.made
    publisher = type(made.publisher)(server.url, made.root)
    assert publisher.live().version == 2
    for made_to_write in (lambda: Receipts(server.url, "web-1"), lambda: Store(server.url, create=True)):
        with pytest.raises(LiveError, match=r"\[store-read-only\]"):
            made_to_write()
    with pytest.raises(LiveError, match=r"\[store-read-only\]"):
        publisher.publish(snapshot(1, 2), [*made.persons, made.online])
    assert made.live_accounts() == [1]


BYTE = b"x"
ENDLESS = {
    "an error": (b"HTTP/1.1 500 Error\r\n\r\n", BYTE * 65536),
    "an error, slowly": (b"HTTP/1.1 500 Error\r\ncontent-length: 99999\r\n\r\n", BYTE),
    "a missing file": (b"HTTP/1.1 404 Missing\r\n\r\n", BYTE * 65536),
    "a redirect": (b"HTTP/1.1 302 Found\r\nlocation: /\r\n\r\n", BYTE * 65536),
    "a request to come again": (b"HTTP/1.1 503 Busy\r\nretry-after: 99\r\n\r\n", BYTE * 65536),
    "a file": (b"HTTP/1.1 200 OK\r\n\r\n", BYTE * 65536),
    "a file, slowly": (b"HTTP/1.1 200 OK\r\n\r\n", BYTE),
    "the length of a piece": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1" * 65536),
    "trailers": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n" * 9999),
    "a header": (b"HTTP/1.1 200 OK\r\n", BYTE * 65536),
    "a header, slowly": (b"HTTP/1.1 404 Missing\r\na", BYTE),
    "promises of an answer": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_an_answer_without_end_costs_little_memory_and_time(monkeypatch, what):
    head, piece = ENDLESS[what]
    monkeypatch.setattr(web, "LIMITS", {"connect": 5.0, "read": 0.1, "file": 0.2})

    def answer(connection):
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(head)
            while True:
                connection.sendall(piece)
                time.sleep(0.01 if len(piece) == 1 else 0)

    def read(source):
        with source.open("metadata/timestamp.json") as (_, pieces):
            for _ in pieces:
                pass

    def serve():
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=listening.accept()[:1], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = threading.Thread(target=serve)
        serving.start()
        source = web.WebServer(f"http://127.0.0.1:{listening.getsockname()[1]}/rules")
        tracemalloc.start()
        try:
            with pytest.raises(OSError):  # noqa: PT011  # which one depends on chance
                read(source)
        finally:
            largest = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            listening.shutdown(socket.SHUT_RDWR)
        serving.join()
    assert largest < 2_000_000


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"HTTP_PROXY": "http://a:1"}, None),
        ({"HTTPS_PROXY": "http://user:a%40b@proxy:1"}, "http://user:a%40b@proxy:1"),
        ({"https_proxy": "proxy:3128"}, "http://proxy:3128"),
        ({"https_proxy": "proxy:3128", "no_proxy": "example"}, None),
    ],
)
def test_the_proxy_of_the_environment_is_used(monkeypatch, environment, proxy):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    pools = web.WebServer("https://rules.example/prod")._pools()
    assert (pools.proxy and pools.proxy.url) == proxy
    if isinstance(pools, ProxyManager) and proxy != "http://proxy:3128":
        assert pools.proxy_headers == {"proxy-authorization": "Basic " + b64encode(b"user:a@b").decode()}


@pytest.mark.parametrize(
    ("proxy", "reason"), [(None, ""), ("http://127.0.0.1:1", "Unable to connect to proxy; ")], ids=["directly", "proxy"]
)
def test_a_server_that_cannot_be_reached_is_reported_for_readers(tmp_path, monkeypatch, proxy, reason):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    if proxy is not None:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
    made = Material(tmp_path / "repository")
    with Fetcher("https://127.0.0.1:1/rules", tmp_path / "spool", made.root) as fetcher:
        error = fetcher.fetch().error or ""
    assert error.startswith(f"`https://127.0.0.1:1/rules` failed: `{reason}Failed to establish a new connection: ")
    assert "host=" not in error


SCRIPT = """
import _strptime, itertools, os, random, shutil, signal, sys, time
from tuf.api.metadata import Metadata
from withhold import Snapshot
from withhold.live import Fetcher, open_spool

source, spool, root, first, last, moments = *sys.argv[1:4], *map(int, sys.argv[4:])
root = open(root, "rb").read()
# What is imported here is not imported by every child.
Metadata.from_bytes(root).verify_delegate("root", Metadata.from_bytes(root))
Snapshot.open(spool + ".before/current").rules
EVENTS = ("open", "os.rename", "os.remove", "os.symlink", "os.mkdir", "os.listdir", "os.scandir", "fcntl.flock")

def fetch(step=None, after=None):
    '''Fetch in a child, which is killed before a step that touches a file, or after some seconds. Return whether it was.'''
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        left = itertools.count()
        def kill(event, arguments):
            if event in EVENTS and next(left) == step:
                os.kill(os.getpid(), signal.SIGKILL)
        with Fetcher(source, spool, root) as fetcher:
            os.write(write, b"x")
            if step is not None:
                sys.addaudithook(kill)
            os._exit(0 if fetcher.fetch().error is None else 1)
    os.close(write)
    os.read(read, 1)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    os.close(read)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])

def begin():
    shutil.rmtree(spool, ignore_errors=True)
    shutil.copytree(spool + ".before", spool, symlinks=True)

def accounts():
    return [] if not os.path.exists(spool + "/current") else sorted(id_ for id_, _ in open_spool(spool).postings("accounts"))

chance, duration = random.Random(moments), 0.02
killed = 0
for number in itertools.count(first):
    if number >= last and killed >= moments:
        break
    kill = {"step": number} if number < last else {"after": chance.random() * duration}
    begin()
    if fetch(**kill):
        killed += 1
        duration *= 1.1
    else:
        duration *= 0.8  # the kill came too late
    assert accounts() in ([1], [1, 2]), (kill, accounts())
    fetch()
    assert accounts() == [1, 2], (kill, accounts())
    names = {name for name in os.listdir(spool) if not name.endswith(".wh")}
    assert names == {"current", "lock", "metadata", "status.json", "workers"}, (kill, names)
    assert not [name for name in os.listdir(spool + "/metadata") if name.startswith("tmp")], kill
print(killed)
"""


def killed(folder, first, last, moments):
    """Kill fetchers before some steps, and at some random moments. Return how many were killed before they had ended."""
    made = Material(folder / "repository")
    made.publish(1)
    with Fetcher(made.url, folder / "spool", made.root) as fetcher:
        fetcher.fetch()
    (folder / "spool").rename(folder / "spool.before")
    made.publish(1, 2)
    (folder / "root.json").write_bytes(made.root)
    arguments = (made.url, folder / "spool", folder / "root.json", first, last, moments)
    return int(forking.output(SCRIPT, *arguments, may_warn=True))


@pytest.mark.parametrize("first", range(0, 60, 15))
def test_a_fetcher_that_is_killed_at_any_step_leaves_old_or_new_rules(in_memory, first):
    assert killed(in_memory, first, first + 15, 0) == 15 or first == 45, "there are about 55 steps"


@pytest.mark.parametrize("moments", range(23, 29))
def test_a_fetcher_that_is_killed_at_any_moment_leaves_old_or_new_rules(in_memory, moments):
    assert killed(in_memory, 0, 0, moments) == moments


CHILDREN = """
import os, sys, threading, time
from withhold.live import Fetcher
source, spool, root = sys.argv[1:]
fetcher = Fetcher(source, spool, open(root, "rb").read(), interval=0.01)
if sys.argv[1].startswith("http"):
    fetcher.fetch()  # its connection is kept open
    fetcher._unlock()  # as if it had ended
children = []
for number in range(2):
    if (child := os.fork()) == 0:
        threading.Thread(target=fetcher.run, daemon=True).start()
        while fetcher.status().version != 3:
            time.sleep(0.01)
        fetcher.close()
        os._exit(0)
    children.append(child)
print("forked", flush=True)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_fetchers_that_were_made_before_a_fork_run_in_the_children(server, tmp_path, scheme):
    (tmp_path / "root.json").write_bytes(server.made.root)
    source = server.made.url if scheme == "file" else server.url
    command = [sys.executable, "-c", CHILDREN, source, tmp_path / "spool", tmp_path / "root.json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"forked\n"
        server.made.publish(1, 2)
        assert process.wait(60) == 0
    assert accounts(tmp_path / "spool") == [1, 2]


FORKED = """
import json, os, sys, threading
from withhold.live import Fetcher
source, spool, root = sys.argv[1:4]
fetcher = Fetcher(source, spool, open(root, "rb").read())
threading.Thread(target=fetcher.run, daemon=True).start()
while fetcher.spool.read_status().contact is None:  # the child reads what the parent has written
    pass
read, write = os.pipe()
if os.fork() == 0:
    status = fetcher.fetch()
    new = Fetcher(source, spool + "2", open(root, "rb").read())
    web = Fetcher(sys.argv[4], spool + "3", open(root, "rb").read())
    os.write(write, json.dumps([str(status), new.fetch().error, web.fetch().error]).encode())
    os._exit(0)
os.wait()
sys.stdout.write(os.read(read, 10000).decode())
fetcher.close()
second = Fetcher(source, spool, open(root, "rb").read())
assert second.fetch().state == "fresh" and second._lock is not None, "the child has not kept the lock"
"""


def test_a_forked_process_reports_what_its_parent_fetches_and_never_hangs(server, tmp_path):
    made = server.made
    (tmp_path / "root.json").write_bytes(made.root)
    arguments = (made.url, tmp_path / "spool", tmp_path / "root.json", server.url)
    inherited, new, web = json.loads(forking.output(FORKED, *arguments, may_warn=True))
    assert inherited.startswith("fresh: version 2")
    assert "[store-after-fork]" in new
    assert web is None, "threads are needed only by other stores than web servers"
    assert os.path.realpath(tmp_path / "spool" / "current").endswith(".wh")
