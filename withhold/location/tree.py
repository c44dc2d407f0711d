"""The search tree of a MaxMind DB file, read network by network (format 2.0, "Binary Search Tree Section")."""

from __future__ import annotations

import sys
import time
from array import array
from collections.abc import Iterator
from typing import Protocol

from withhold.location.address import V4_BITS, V6_BITS

SEPARATOR = 16  # zero bytes between the search tree and the data
_PAUSE = 2048  # nodes


class Metadata(Protocol):
    """The part of maxminddb's metadata that is used here."""

    @property
    def database_type(self) -> str: ...
    @property
    def ip_version(self) -> int: ...
    @property
    def node_count(self) -> int: ...
    @property
    def record_size(self) -> int: ...


class SearchTree:
    """The search tree of a file as one array of 32-bit records, two for each node."""

    def __init__(self, data: bytes, about: Metadata) -> None:
        self.count = about.node_count
        self.ip_version = about.ip_version
        self.size = self.count * about.record_size // 4
        tree = data[: self.size]
        words = bytearray(8 * self.count)
        if about.record_size == 24:
            for byte in range(3):
                words[1 + byte :: 8] = tree[byte::6]
                words[5 + byte :: 8] = tree[3 + byte :: 6]
        elif about.record_size == 28:
            # The middle byte contains the highest four bits of both records.
            words[0::8] = tree[3::7].translate(bytes(byte >> 4 for byte in range(256)))
            words[4::8] = tree[3::7].translate(bytes(byte & 15 for byte in range(256)))
            for byte in range(3):
                words[1 + byte :: 8] = tree[byte::7]
                words[5 + byte :: 8] = tree[4 + byte :: 7]
        else:
            words[:] = tree
        self.records = array("I", bytes(words))
        if sys.byteorder == "little":
            self.records.byteswap()

    def leaves(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield the IP version, first address, prefix length and data offset of each network, first IPv4, then IPv6.

        Raises `ValueError` for a tree that is damaged.
        """
        if self.ip_version == 4:
            yield from ((4, *leaf) for leaf in self._under(0, V4_BITS, -1))
            return
        node = depth = 0
        while depth < V6_BITS - V4_BITS and node < self.count:
            node, depth = self.records[2 * node], depth + 1
        yield from ((4, *leaf) for leaf in self._under(node, V4_BITS, -1))
        # In MaxMind's trees `::ffff:0:0/96`, `2002::/16` and `2001::/32` are aliases of the IPv4 tree, not IPv6
        # networks. If all of IPv4 is one leaf, there are no aliases: other networks may have the same record.
        yield from ((6, *leaf) for leaf in self._under(0, V6_BITS, node if node < self.count else -1))

    def _under(self, root: int, bits: int, alias: int) -> Iterator[tuple[int, int, int]]:
        records, count = self.records, self.count
        limit = 4 * count + 1_000  # a damaged tree whose branches meet again may be endless, but not deep
        stack = [(root, 0, 0)]
        visited = 0
        while stack:
            node, first, prefix = stack.pop()
            if node == alias and prefix:
                continue
            if node >= count:
                if node > count:
                    if node < count + SEPARATOR:
                        raise ValueError("a network points to the gap before the data")
                    yield first, prefix, node - count
                continue
            visited += 1
            if prefix == bits or visited > limit:
                raise ValueError("the search tree contains a cycle")
            let_threads_run(visited)
            prefix += 1
            stack.append((records[2 * node + 1], first | 1 << (bits - prefix), prefix))
            stack.append((records[2 * node], first, prefix))


def let_threads_run(count: int) -> None:
    """Let other threads run at every 2,048th `count`."""
    # Otherwise they wait up to 5 ms (`sys.getswitchinterval`) for a thread that only computes.
    if count % _PAUSE == _PAUSE - 1:
        time.sleep(0)
