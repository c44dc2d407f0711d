"""Write a synthetic location database of about a million networks in the form of GeoIP2-Country, from a seed.

Records are as large as MaxMind's: they have names in eight languages, a continent and a registered country. The tree
has MaxMind's aliases: `::ffff:0:0/96`, `2002::/16` and `2001::/32` lead to IPv4. Sizes of networks roughly follow the
routing table: blocks are halved at random, neighbours often share a country, and most of IPv6 is empty. The countries
are random. The writer is our own because mmdb_writer takes minutes for this many networks.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from withhold.territories import countries

SEED = 20210210
#: Increase this when the content changes, so that an old cached file is not used.
EDITION = 3
_EMPTY = None
#: The types of numbers in the metadata that do not have 32 bits: 5 is 16 bits, and 9 is 64 bits.
_KINDS = {
    "binary_format_major_version": 5,
    "binary_format_minor_version": 5,
    "build_epoch": 9,
    "ip_version": 5,
    "record_size": 5,
}
_LANGUAGES = ("de", "en", "es", "fr", "ja", "pt-BR", "ru", "zh-CN")


class Tree:
    """A search tree and a data section under construction."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.nodes: list[tuple[int | None, int | None]] = []
        self.data = bytearray()
        self.codes = [code for code in countries() if code != "XK"]
        # As in reality, a few countries have most of the networks.
        self.weights = [1 / rank for rank in range(1, len(self.codes) + 1)]
        self._continent = self._append(_map({"code": "XA", "geoname_id": 6255147, "names": _names("Continent")}))
        self._countries = {
            code: self._append(_map({"geoname_id": 10_000 + at, "iso_code": code, "names": _names(countries()[code])}))
            for at, code in enumerate(self.codes)
        }
        self._records: dict[tuple[str, str], int] = {}

    def pick(self) -> str:
        return self.rng.choices(self.codes, self.weights)[0]

    def _append(self, item: bytes) -> int:
        self.data += item
        return len(self.data) - len(item)

    def record(self, country: str) -> int:
        """Return a leaf as the negative offset of its record. In 2.2% of records the registered country differs."""
        registered = self.pick() if self.rng.random() < 0.022 else country
        if (country, registered) not in self._records:
            parts = {
                "continent": self._continent,
                "country": self._countries[country],
                "registered_country": self._countries[registered],
            }
            body = b"".join(_text(key) + _pointer(at) for key, at in parts.items())
            self._records[country, registered] = self._append(_header(7, len(parts)) + body)
        return -1 - self._records[country, registered]

    def node(self, left: int | None, right: int | None) -> int | None:
        if left == right and (left is _EMPTY or left < 0):
            return left
        self.nodes.append((left, right))
        return len(self.nodes) - 1

    def grow(self, prefix: int, bits: int, country: str, odds: Callable[[int], tuple[float, float]]) -> int | None:
        """Halve a block at random; `odds(prefix)` returns the probabilities of a split and of an empty block."""
        split, empty = odds(prefix)
        chance = self.rng.random()
        if chance < split and prefix < bits:
            halves = (country if self.rng.random() < 0.75 else self.pick() for _ in range(2))
            return self.node(*[self.grow(prefix + 1, bits, half, odds) for half in halves])
        if chance < split + empty:
            return _EMPTY
        record = self.record(country)
        if bits == 128 and prefix >= 32 and self.rng.random() < 0.0005:
            return self.drill(prefix, self.rng.choice((64, 65, 112, 128)), record)
        return record

    def drill(self, prefix: int, to: int, record: int) -> int | None:
        """Put a small network of another country into an IPv6 network, as real databases have, down to /128."""
        if prefix >= to:
            return self.record(self.pick())
        inner = self.drill(prefix + 1, to, record)
        return self.node(record, inner) if self.rng.random() < 0.5 else self.node(inner, record)

    def top(self, path: str, roots: Mapping[str, int | None]) -> int | None:
        """Join subtrees into one tree. The key of a root is its path in bits."""
        if path in roots:
            return roots[path]
        if not any(root.startswith(path) for root in roots):
            return _EMPTY
        return self.node(self.top(path + "0", roots), self.top(path + "1", roots))


def _odds_v4(prefix: int) -> tuple[float, float]:
    if prefix < 16:
        return 0.985, 0.005
    return (0.635, 0.01) if prefix < 24 else (0.06, 0.02)


def _odds_v6(prefix: int) -> tuple[float, float]:
    if prefix < 32:
        return 0.845, 0.09
    return (0.40, 0.25) if prefix < 48 else (0.30, 0.1)


def _bits(value: int, length: int) -> str:
    return f"{value:0{length}b}"


def write(path: Path, scale: float = 1.0) -> None:
    """Write the database. A smaller `scale` gives fewer networks; 0.05 gives about 50,000."""
    tree = Tree(random.Random(SEED))
    v4_blocks = {
        _bits(octet, 8): tree.grow(8, 32, tree.pick(), _odds_v4)
        for octet in range(1, 224)
        if octet not in (10, 127) and octet / 224 < scale
    }
    v4 = tree.top("", v4_blocks)
    roots = {"0" * 96: v4, "0" * 80 + "1" * 16: v4, _bits(0x2002, 16): v4, _bits(0x20010000, 32): v4}
    for low, high in ((0x2400, 0x240F), (0x2600, 0x260F), (0x2800, 0x2803), (0x2A00, 0x2A13), (0x2C0E, 0x2C0F)):
        for block in range(low, low + max(1, int((high - low + 1) * scale))):
            roots[_bits(block, 16)] = tree.grow(16, 128, tree.pick(), _odds_v6)
    tree.top("", roots)
    path.write_bytes(_database(tree))


def _database(tree: Tree) -> bytes:
    # Nodes are numbered from the leaves up, but the root must be node 0.
    count = len(tree.nodes)

    def entry(child: int | None) -> bytes:
        number = count if child is None else count + 15 - child if child < 0 else count - 1 - child
        return number.to_bytes(3, "big")

    search = b"".join(entry(left) + entry(right) for left, right in reversed(tree.nodes))
    about: dict[str, object] = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1612915200,
        "database_type": "GeoIP2-Country",
        "description": {"en": "synthetic"},
        "ip_version": 6,
        "languages": list(_LANGUAGES),
        "node_count": count,
        "record_size": 24,
    }
    return search + bytes(16) + bytes(tree.data) + b"\xab\xcd\xefMaxMind.com" + _map(about)


def _header(kind: int, size: int) -> bytes:
    extra = b"" if size < 29 else bytes([size - 29])
    size = min(size, 29)
    return (bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])) + extra


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _header(2, len(encoded)) + encoded


def _pointer(offset: int) -> bytes:
    if offset < 2048:
        return bytes([0x20 | offset >> 8, offset & 255])
    return bytes([0x38]) + offset.to_bytes(4, "big")


def _map(items: Mapping[str, object]) -> bytes:
    return _header(7, len(items)) + b"".join(
        _text(key) + _value(value, _KINDS.get(key, 6)) for key, value in items.items()
    )


def _value(value: object, kind: int = 6) -> bytes:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        packed = value.to_bytes((value.bit_length() + 7) // 8, "big")
        return _header(kind, len(packed)) + packed
    if isinstance(value, list):
        return _header(11, len(value)) + b"".join(map(_value, value))
    if isinstance(value, dict):
        return _map(value)
    raise TypeError(value)


def _names(name: str) -> dict[str, str]:
    """Return a name in eight languages and their scripts, because the cost of decoding depends on the bytes."""
    letters = [ord(letter) % 26 for letter in name[:20]]
    scripts = {"ja": (0x30A1, 0.6), "ru": (0x430, 1.0), "zh-CN": (0x4E00, 0.3)}
    names = dict.fromkeys(_LANGUAGES, name[:20])
    for language, (first, share) in scripts.items():
        names[language] = "".join(chr(first + letter) for letter in letters[: max(2, int(len(letters) * share))])
    return names


def cached(scale: float = 1.0) -> Path:
    """Return the path of the database in the temporary directory. Write it if it does not exist."""
    path = Path(tempfile.gettempdir()) / f"withhold-synthetic-{EDITION}-{scale:g}.mmdb"
    if not path.exists():
        print(f"writing {path.name}, which takes about 10 s at full size …", file=sys.stderr, flush=True)
        partial = path.with_suffix(".partial")
        write(partial, scale)
        partial.replace(path)
    return path
