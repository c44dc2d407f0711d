"""Random addresses from the networks of a database."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path

import maxminddb

from benchmarks.location.synthetic import SEED
from withhold.location.tree import SearchTree


class Streams:
    """Generate lists of random addresses."""

    def __init__(self, path: Path) -> None:
        with maxminddb.open_database(path) as reader:
            self.networks = [leaf[:3] for leaf in SearchTree(path.read_bytes(), reader.metadata()).leaves()]
        self.rng = random.Random(SEED)
        self.v4 = [leaf for leaf in self.networks if leaf[0] == 4]
        self.v6 = [leaf for leaf in self.networks if leaf[0] == 6]
        self.sizes = list(accumulate(1 << (32 - prefix) for _, _, prefix in self.v4))

    def by_network(self, version: int, count: int) -> list[str]:
        """Return addresses such that all networks are equally likely."""
        return [self._within(*leaf) for leaf in self.rng.choices(self.v4 if version == 4 else self.v6, k=count)]

    def by_space(self, count: int) -> list[str]:
        """Return IPv4 addresses such that all addresses in the networks are equally likely."""
        return [self._within(*leaf) for leaf in self.rng.choices(self.v4, cum_weights=self.sizes, k=count)]

    def zipf(self, clients: int) -> Callable[[int], list[str]]:
        """Return a function that draws from fixed clients by Zipf's law (s = 1); 75% of them are IPv4."""
        pool = self.by_network(4, clients * 3 // 4) + self.by_network(6, clients // 4)
        self.rng.shuffle(pool)
        weights = list(accumulate(1 / rank for rank in range(1, clients + 1)))
        return lambda count: self.rng.choices(pool, cum_weights=weights, k=count)

    def _within(self, version: int, first: int, prefix: int) -> str:
        bits = (32 if version == 4 else 128) - prefix
        return _text(version, first + (self.rng.getrandbits(bits) if bits else 0))


def _text(version: int, value: int) -> str:
    family, size = (socket.AF_INET, 4) if version == 4 else (socket.AF_INET6, 16)
    return socket.inet_ntop(family, value.to_bytes(size, "big"))


def packed(addresses: list[str]) -> tuple[socket.AddressFamily, bytes]:
    """Return addresses of one IP version as their family and their bytes."""
    family = socket.AF_INET6 if ":" in addresses[0] else socket.AF_INET
    return family, b"".join(socket.inet_pton(family, text) for text in addresses)


def batches(family: socket.AddressFamily, addresses: bytes) -> Iterator[list[str]]:
    """Yield the addresses as texts, 500 at a time."""
    size = 4 if family == socket.AF_INET else 16
    for begin in range(0, len(addresses), 500 * size):
        batch = addresses[begin : begin + 500 * size]
        yield [socket.inet_ntop(family, batch[at : at + size]) for at in range(0, len(batch), size)]
