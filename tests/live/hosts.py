"""Hosts that fetch from a repository, and somebody who publishes without the checks of `Publisher`."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tuf.api.metadata import Metadata, Targets

from tests.live.material import Material
from withhold import LiveError
from withhold.live import Fetcher, open_spool
from withhold.live.release import object_path
from withhold.live.repository import meta_of, serialized
from withhold.live.store import Store
from withhold.live.trusted import TIMESTAMP

_OPEN: list[Fetcher] = []


@pytest.fixture(autouse=True)
def closed():
    """Close every fetcher after a test."""
    yield
    while _OPEN:
        _OPEN.pop().close()


def fetcher(*arguments, **options):
    _OPEN.append(Fetcher(*arguments, **options))
    return _OPEN[-1]


@pytest.fixture
def made(tmp_path):
    found = Material(tmp_path / "repository")
    found.publish(1)
    return found


@pytest.fixture
def host(made, tmp_path):
    """A host that has fetched version 2."""
    host = Host(made, tmp_path / "spool")
    assert host.fetch() == "fresh"
    return host


class Host:
    def __init__(self, made, spool, **options):
        self.made, self.spool, self.options = made, spool, {"interval": 0.001, **options}
        self.fetcher = fetcher(made.url, spool, made.root, **self.options)

    def fetch(self):
        """Fetch once, and return the state and the code of the error."""
        status = self.fetcher.fetch()
        error = "" if status.error is None else f" {status.error.partition('[')[2].partition(']')[0]}"
        return f"{status.state}{error}"

    def again(self, **options):
        """Return the host after a restart of the fetcher."""
        self.fetcher.close()
        return Host(self.made, self.spool, **{**self.options, **options})

    @property
    def accounts(self):
        try:
            return sorted(id_ for id_, _ in open_spool(self.spool).postings("accounts"))
        except LiveError:
            return None

    @property
    def version(self):
        return self.fetcher.status().version


@pytest.fixture
def in_memory():
    """A directory in memory, if there is one, for tests that write thousands of files."""
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:  # noqa: S108
        yield Path(folder)


def calls(monkeypatch, name):
    """Return a list to which the paths are added that a method of stores is called with."""
    paths: list[str] = []
    plain = getattr(Store, name)

    def called(self, path, *rest):
        paths.append(path)
        return plain(self, path, *rest)

    monkeypatch.setattr(Store, name, called)
    return paths


def forge(made, change=lambda targets: None, signers=None, content=None):
    """Publish as somebody who has keys and does not care about the checks of `Publisher`."""
    repository = made.publisher.repository
    live = repository.read().targets.signed
    forged = Targets.from_dict(live.to_dict())
    forged.version = repository.free_version("targets", live.version)
    target = forged.targets["rules.wh.zst"]
    if content is not None:
        target.length, target.hashes = len(content), {"sha256": hashlib.sha256(content).hexdigest()}
        made.publisher.store.put(object_path(target), content)
    change(forged)
    metadata = Metadata(forged)
    for signer in made.persons if signers is None else signers:
        metadata.sign(signer, append=True)
    written = serialized(metadata)
    made.publisher.store.put(f"metadata/{forged.version}.targets.json", written)
    now, root = repository.read(), repository.read().root.signed
    meta = {"targets.json": meta_of(forged.version, written)}
    snapshot = meta_of(*repository.write_snapshot(now.snapshot.signed.version, meta, [made.online], [root]))
    timestamp = repository.timestamp(now.timestamp.signed.version + 1, snapshot)
    made.publisher.store.put(TIMESTAMP, serialized(repository.sign(root, timestamp, [made.online])))
    return forged.version


_WRITES = ("put", "create", "swap", "delete")


@contextmanager
def interrupted(monkeypatch, step):
    """Interrupt the work before the given change of a store, counted from 0."""
    left = count()

    def changed(plain):
        def change(self, *arguments):
            if next(left) == step:
                raise KeyboardInterrupt
            return plain(self, *arguments)

        return change

    with monkeypatch.context() as patch:
        for name in _WRITES:
            patch.setattr(Store, name, changed(getattr(Store, name)))
        yield


def steps_of(made, work):
    """Return how many times work changes a store, which is put back."""
    before, writes = made.folder.with_name("before"), []
    shutil.copytree(made.folder, before)
    with pytest.MonkeyPatch.context() as patch:
        for name in _WRITES:
            plain = getattr(Store, name)

            def change(self, *arguments, plain=plain):
                writes.append(arguments[0])
                return plain(self, *arguments)

            patch.setattr(Store, name, change)
        work()
    shutil.rmtree(made.folder)
    before.rename(made.folder)
    return len(writes)
