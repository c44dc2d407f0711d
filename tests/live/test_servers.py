"""Real servers: S3 by moto, HTTPS by nginx with a CA of our own, and Redis. A missing one skips its tests."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest

import withhold.live
from tests.forking import until
from tests.live.material import Material, snapshot
from withhold import LiveError
from withhold.live import Fetcher, Publisher, create_repository, open_spool
from withhold.live.store import Store

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
REDIS = shutil.which("redis-server")
OPENSSL = shutil.which("openssl")


@contextmanager
def running(*command, listening=None):
    """Run a server. nginx inherits a socket as it does when it is upgraded, so no other process can take the port."""
    given = () if listening is None else (listening.fileno(),)
    environ = {**os.environ, "NGINX": "".join(f"{number};" for number in given)}
    quiet = subprocess.DEVNULL
    with subprocess.Popen([*map(str, command)], stdout=quiet, stderr=quiet, env=environ, pass_fds=given) as process:
        try:
            yield
        finally:
            process.terminate()


def accounts(spool):
    return sorted(id_ for id_, _ in open_spool(spool).postings("accounts"))


@pytest.fixture(scope="module")
def endpoint():
    """Run a server of S3 with a bucket, and return its URL."""
    moto, boto3 = pytest.importorskip("moto.server"), pytest.importorskip("boto3")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    keys = {"aws_access_key_id": "secret", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=url, **keys)
    client.create_bucket(Bucket="rules")
    client.close()
    yield url
    server.stop()


@pytest.fixture
def bucket(endpoint, tmp_path, monkeypatch):
    """Return the URL of a store in the bucket."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    return f"s3://rules/{tmp_path.name}"


def test_s3_objects_are_created_and_swapped_on_conditions(bucket):
    store = Store(bucket)
    assert store.get("metadata/a.json") is None
    assert store.create("metadata/a.json", b"1")
    assert store.create("metadata/a.json", b"1"), "as after a request whose answer was lost"
    assert not store.create("metadata/a.json", b"2")
    before = store.get("metadata/a.json")
    assert before is not None
    assert store.swap("metadata/a.json", before, b"3")
    assert store.swap("metadata/a.json", before, b"3"), "as after a request whose answer was lost"
    assert not store.swap("metadata/a.json", before, b"4")
    assert store.list("metadata") == ["metadata/a.json"]
    store.delete("metadata/a.json")
    assert store.list("metadata") == []


def test_rules_are_published_to_s3_and_fetched_while_the_timestamp_is_refreshed(bucket, tmp_path, monkeypatch):
    made = Material(tmp_path / "unused")
    public = {
        "root": [made.root_key.public_key],
        "targets": [made.persons[0].public_key],
        "online": [made.online.public_key],
    }
    root = create_repository(bucket, made.all, public)
    publisher, signers = Publisher(bucket, root), [*made.persons, made.online]
    plain = Store.swap
    raced: list[str] = []

    def swap(self, path, before, content):
        if len(raced) < 2:
            raced.append(path)
            publisher.refresh([made.online])
        return plain(self, path, before, content)

    with Fetcher(bucket, tmp_path / "spool", root) as fetcher:
        publisher.publish(snapshot(1), signers)
        assert fetcher.fetch().state == "fresh"
        monkeypatch.setattr(Store, "swap", swap)
        assert publisher.publish(snapshot(1, 2), signers).version == 3
        assert fetcher.fetch().error is None
    assert (accounts(tmp_path / "spool"), len(raced)) == ([1, 2], 2)


def test_a_bucket_that_does_not_exist_is_reported(bucket, tmp_path):
    made = Material(tmp_path / "unused")
    with pytest.raises(LiveError, match=r"\[(no-repository|store-unavailable)\]") as caught:
        Publisher(bucket.replace("//rules", "//other"), made.root).live()
    assert "secret" not in str(caught.value)


CONFIGURATION = """
daemon off; error_log {folder}/error.log; pid {folder}/pid; {user}
events {{}}
http {{
    access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port} ssl; root {root}; keepalive_timeout 0;
        ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    }}
}}
"""


def openssl(*arguments, folder):
    subprocess.run([str(OPENSSL), *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.skipif(NGINX is None or OPENSSL is None, reason="nginx or openssl is not installed")
def test_rules_are_fetched_by_https_from_a_server_whose_ca_is_known(tmp_path, monkeypatch):
    made = Material(tmp_path / "repository")
    made.publish(1)
    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    usage = ("-addext", "keyUsage=critical,keyCertSign")  # from Python 3.13 on, this is required
    openssl(*new, "-subj", "/CN=our own CA", *usage, "-keyout", "ca.key", "-out", "ca.pem", folder=tmp_path)
    names = ("-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=CA:FALSE")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "server.key", "-out", "server.pem")
    openssl(*new, "-subj", "/CN=localhost", *names, *signed, folder=tmp_path)
    user = "user root;" if Path("/root").owner() == Path(tmp_path).owner() else ""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = listening.getsockname()[1]
        source = f"https://localhost:{port}"
        settings = CONFIGURATION.format(folder=tmp_path, port=port, root=made.folder, user=user)
        (tmp_path / "nginx.conf").write_text(settings)
        stack.enter_context(running(NGINX, "-p", tmp_path, "-c", tmp_path / "nginx.conf", listening=listening))
        with Fetcher(source, tmp_path / "spool", made.root) as fetcher:
            assert "[store-unavailable]" in (fetcher.fetch().error or ""), "nobody knows this CA"
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        with Fetcher(source, tmp_path / "spool", made.root) as fetcher:
            assert fetcher.fetch().error is None
            made.publish(1, 2)
            assert fetcher.fetch().error is None
    assert accounts(tmp_path / "spool") == [1, 2]


@pytest.mark.skipif(REDIS is None, reason="redis-server is not installed")
def test_the_recipe_for_redis_fetches_at_once(tmp_path):
    redis = pytest.importorskip("redis")
    page = Path(withhold.live.__file__).with_name("README.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"^```py\n(def .*?)^```$", page, re.MULTILINE | re.DOTALL)
    made = Material(tmp_path / "repository")
    made.publish(1)

    def connected():
        return redis.Redis(unix_socket_path=path, retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0))

    def answers():
        with suppress(redis.ConnectionError):
            return server.ping()

    with ExitStack() as stack:
        path = stack.enter_context(TemporaryDirectory()) + "/socket"  # that of pytest may be too long
        stack.enter_context(running(REDIS, "--port", 0, "--unixsocket", path, "--save", "", "--dir", tmp_path))
        library = SimpleNamespace(Redis=connected, RedisError=redis.RedisError)
        server = connected()
        assert until(answers)
        given: dict[str, Any] = {
            "Fetcher": Fetcher,
            "redis": library,
            "time": SimpleNamespace(sleep=lambda _: sys.exit()),
        }
        exec(recipe, given)  # noqa: S102  # our own page
        with Fetcher(made.url, tmp_path / "spool", made.root, interval=3600) as fetcher:

            def listen():
                with suppress(SystemExit):
                    given["listen"](fetcher)

            listening = threading.Thread(target=listen, daemon=True)
            listening.start()
            running_ = threading.Thread(target=fetcher.run)
            running_.start()
            assert until(lambda: server.publish("withhold", "new rules"))
            made.publish(1, 2)

            def fetched():
                server.publish("withhold", "new rules")
                return (tmp_path / "spool" / "current").exists() and accounts(tmp_path / "spool") == [1, 2]

            assert until(fetched)
        running_.join()
        server.shutdown(nosave=True)
        listening.join(60)
        server.close()
