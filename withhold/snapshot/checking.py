"""Whether a file is a snapshot that is whole: its header, every bound, and the digests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from operator import le
from struct import calcsize
from typing import Literal

from pydantic import ValidationError

from withhold import native
from withhold.errors import Problem, SnapshotError, shown
from withhold.snapshot.format import (
    HEADER_END,
    KINDS,
    MAGIC,
    OPENING,
    SECTIONS,
    VERSION,
    Bytes,
    Header,
    aligned,
    items_of,
)

#: How much of a file is checked when it is opened.
Verify = Literal["full", "header"]

_COMPILE = "compile it again"


def read_header(data: memoryview, file: str) -> Header:
    """Return the header of a file after checking it, and that all sections are where they can be; O(1).

    Raises `SnapshotError`.
    """

    def refused(code: str, message: str, hint: str | None = _COMPILE) -> SnapshotError:
        return SnapshotError(Problem(code, message, file, hint))

    if data.nbytes < OPENING.size or bytes(data[: len(MAGIC)]) != MAGIC:
        raise refused("not-a-snapshot", "this is no snapshot", "`withhold compile` makes one of a rule set")
    _, version, end, digest = OPENING.unpack_from(data)
    if version != VERSION:
        raise refused("snapshot-version", f"this is a snapshot of format `{version}`, and `{VERSION}` is read here")
    if end != HEADER_END or data.nbytes < HEADER_END:
        raise refused("damaged-snapshot", f"the header does not end at byte `{HEADER_END}`")
    if hashlib.sha256(data[OPENING.size : HEADER_END]).digest() != digest:
        raise refused("damaged-snapshot", "the header has changed since it was written")
    try:
        header = Header.model_validate_json(bytes(data[OPENING.size : HEADER_END]))
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise refused("damaged-snapshot", f"the header does not say what it must: {shown(where)}") from None
    if header.revision != header.digest[:16]:
        raise refused("damaged-snapshot", "the revision is not the beginning of the digest")
    if header.size != data.nbytes:
        raise refused("damaged-snapshot", f"the file has {data.nbytes:,} bytes, and should have {header.size:,}")
    for what in _misplaced(header, data):
        raise refused("damaged-snapshot", what)
    return header


def _misplaced(header: Header, data: memoryview) -> list[str]:
    """Return what is wrong about the sections' places and lengths."""
    if list(header.sections) != list(SECTIONS):
        return ["the sections are not those of this format"]
    wrong = []
    end = HEADER_END
    for name, section in header.sections.items():
        if section.offset != aligned(end) or section.offset + section.length > data.nbytes:
            return [f"section `{name}` is not where it must be"]
        if any(data[end : section.offset]):
            wrong.append(f"the bytes before section `{name}` are not zero")
        end = section.offset + section.length
    if end != data.nbytes:
        return ["there are bytes behind the last section"]
    counts, found = header.counts, {name: section.length for name, section in header.sections.items()}
    right = {"combinations.starts": 8 * (counts.combinations + 1), "rules.starts": 8 * (counts.rules + 1)}
    for kind, ids in (("accounts", counts.accounts), ("tweets", counts.tweets)):
        buckets = max(1, found[f"{kind}.words"] // 8)
        right |= {f"{kind}.words": 8 * buckets, f"{kind}.starts": 4 * (buckets + 1)}
        right |= {f"{kind}.ids": 8 * ids, f"{kind}.postings": 4 * ids}
    wrong += [f"section `{name}` has {found[name]:,} bytes" for name in right if found[name] != right[name]]
    wrong += [f"section `{name}` is cut within a number" for name in found if found[name] % calcsize(SECTIONS[name])]
    return wrong


def verify(header: Header, sections: Mapping[str, Bytes], file: str) -> None:
    """Check the digest of every section, and that every number in it leads somewhere; O(bytes).

    Raises `SnapshotError` for the first section that is wrong.
    """

    def changed(name: str) -> bool:
        return hashlib.sha256(sections[name]).hexdigest() != header.sections[name].sha256

    with ThreadPoolExecutor(2) as threads:  # hashing lets others run
        wrong = [
            f"section `{name}` has changed since it was written"
            for name, found in zip(SECTIONS, threads.map(changed, SECTIONS), strict=True)
            if found
        ]
    for what in wrong or _loose_ends(header, sections):
        raise SnapshotError(Problem("damaged-snapshot", what, file, _COMPILE))


def _loose_ends(header: Header, sections: Mapping[str, Bytes]) -> list[str]:
    counts = header.counts
    ends = {f"{kind}.starts": f"{kind}.ids" for kind in KINDS}
    ends |= {"combinations.starts": "combinations.rules", "rules.starts": "rules.records"}
    wrong = [
        f"section `{name}` does not rise from the beginning of `{within}` to its end"
        for name, within in ends.items()
        if not _rises(items_of(sections, name), len(items_of(sections, within)))
    ]
    limits = {f"{kind}.postings": counts.rules + counts.combinations for kind in KINDS}
    limits["combinations.rules"] = counts.rules
    wrong += [
        f"section `{name}` names a rule that is not there"
        for name, limit in limits.items()
        if _highest(items_of(sections, name)) >= limit
    ]
    return wrong


def _rises(starts: memoryview, end: int) -> bool:
    if starts[0] != 0 or starts[-1] != end:
        return False
    return native.index.rises(starts) if native.AVAILABLE else all(map(le, starts, starts[1:]))


def _highest(numbers: memoryview) -> int:
    return native.index.highest(numbers) if native.AVAILABLE else max(numbers, default=-1)
