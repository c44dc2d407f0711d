"""Check that a file is an undamaged snapshot: its header, all bounds, and the digests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise
from operator import le
from struct import calcsize
from threading import Thread
from typing import Literal

from pydantic import ValidationError

from withhold import native
from withhold.errors import Problem, SnapshotError, quoted
from withhold.snapshot.buckets import bucket_of, mask_of, mixed
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
    table_of,
)

#: How much of a file to check when it is opened.
Verify = Literal["full", "header"]

_COMPILE = "compile it again"


def read_header(data: memoryview, file: str) -> Header:
    """Return the header of a file after checking it and the positions of all sections. O(1).

    Raises `SnapshotError` if the file is not a snapshot, has another version, or has a damaged header.
    """

    def refused(code: str, message: str, hint: str | None = _COMPILE) -> SnapshotError:
        return SnapshotError(Problem(code, message, file, hint))

    if data.nbytes < OPENING.size or bytes(data[: len(MAGIC)]) != MAGIC:
        raise refused("not-a-snapshot", "this is not a snapshot", "use `withhold compile` to make one from a rule set")
    _, version, end, digest = OPENING.unpack_from(data)
    if version != VERSION:
        raise refused("snapshot-version", f"the snapshot has format `{version}`, but only `{VERSION}` can be read")
    if data.nbytes < HEADER_END:
        raise refused("damaged-snapshot", "the file ends within its header")
    if end != HEADER_END:
        raise refused("damaged-snapshot", f"the header does not end at byte `{HEADER_END}`")
    if hashlib.sha256(data[OPENING.size : HEADER_END]).digest() != digest:
        raise refused("damaged-snapshot", "the header has changed since it was written")
    try:
        header = Header.model_validate_json(bytes(data[OPENING.size : HEADER_END]))
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise refused("damaged-snapshot", f"the header is invalid at {quoted(where)}") from None
    if header.revision != header.digest[:16]:
        raise refused("damaged-snapshot", "the revision is not the beginning of the digest")
    if header.size != data.nbytes:
        raise refused("damaged-snapshot", f"the file has {data.nbytes:,} bytes instead of {header.size:,}")
    for what in _misplaced(header, data):
        raise refused("damaged-snapshot", what)
    return header


def _misplaced(header: Header, data: memoryview) -> list[str]:
    """Return messages about sections with a wrong position or length."""
    if list(header.sections) != list(SECTIONS):
        return ["the sections are not those of this format"]
    wrong = []
    end = HEADER_END
    for name, section in header.sections.items():
        if section.offset != aligned(end) or section.offset + section.length > data.nbytes:
            return [f"section `{name}` is in the wrong place"]
        if any(data[end : section.offset]):
            wrong.append(f"the bytes before section `{name}` are not zero")
        end = section.offset + section.length
    if end != data.nbytes:
        return ["there are bytes after the last section"]
    counts, found = header.counts, {name: section.length for name, section in header.sections.items()}
    right = {"combinations.starts": 8 * (counts.combinations + 1), "rules.starts": 8 * (counts.rules + 1)}
    for kind, ids in (("accounts", counts.accounts), ("tweets", counts.tweets)):
        buckets = max(1, found[f"{kind}.words"] // 8)
        right |= {f"{kind}.words": 8 * buckets, f"{kind}.starts": 4 * (buckets + 1)}
        right |= {f"{kind}.ids": 8 * ids, f"{kind}.postings": 4 * ids}
    wrong += [
        f"section `{name}` has {found[name]:,} bytes instead of {size:,}"
        for name, size in right.items()
        if found[name] != size
    ]
    wrong += [f"section `{name}` ends within a number" for name in found if found[name] % calcsize(SECTIONS[name])]
    return wrong


def verify(header: Header, sections: Mapping[str, Bytes], file: str) -> None:
    """Check the digest of every section, and that every number in it refers to something that exists. O(bytes).

    For the records of rules only the digest is checked. Raises `SnapshotError` for the first problem.
    """

    # Hashing and the functions in C release the GIL. The tables are checked by this thread alone: they are slices of
    # one memoryview, which only one thread at a time may slice or release (see `StoredRules`). No thread pool is
    # used, because none can be started after the main thread has ended, when other threads may still be serving.
    waiting, found = [*SECTIONS], dict[str, str]()

    def hash_some() -> None:
        with suppress(IndexError):  # no section is left
            while True:
                name = waiting.pop()
                found[name] = hashlib.sha256(sections[name]).hexdigest()

    hashing: list[Thread] = []
    try:
        with suppress(RuntimeError):  # no more threads can be started
            for _ in range(2):
                thread = Thread(target=hash_some)
                thread.start()
                hashing.append(thread)
        faults = [what for kind in KINDS for what in _table_faults(header, sections, kind)]
        faults += _rule_faults(header, sections)
    finally:
        for thread in hashing:
            thread.join()
    hash_some()  # the rest
    changed = [name for name in SECTIONS if found.get(name) != header.sections[name].sha256]
    wrong = [*(f"section `{name}` has changed since it was written" for name in changed), *faults]
    if wrong:
        raise SnapshotError(Problem("damaged-snapshot", wrong[0], file, _COMPILE))


def _table_faults(header: Header, sections: Mapping[str, Bytes], kind: str) -> list[str]:
    words, starts, ids, postings = table_of(sections, kind)
    if not _rises(starts, len(ids)):
        return [f"section `{kind}.starts` does not ascend from the start of `{kind}.ids` to its end"]
    if _highest(postings) >= header.counts.rules + header.counts.combinations:
        return [f"section `{kind}.postings` refers to a rule that does not exist"]
    at = native.index.misfit(words, starts, ids) if native.AVAILABLE else _misfit(words, starts, ids)
    return [] if at < 0 else [f"section `{kind}.ids` has an invalid or misplaced id at index {at:,}"]


def _rule_faults(header: Header, sections: Mapping[str, Bytes]) -> list[str]:
    starts, rules = (items_of(sections, f"combinations.{part}") for part in ("starts", "rules"))
    if not _rises(starts, len(rules)):
        return ["section `combinations.starts` does not ascend from the start of `combinations.rules` to its end"]
    if _highest(rules) >= header.counts.rules:
        return ["section `combinations.rules` refers to a rule that does not exist"]
    for start, end in pairwise(starts):
        if end - start < 2 or any(one >= other for one, other in pairwise(rules[start:end])):
            return ["section `combinations.rules` has a combination that is not two or more rules in order"]
    if not _rises(items_of(sections, "rules.starts"), len(sections["rules.records"])):
        return ["section `rules.starts` does not ascend from the start of `rules.records` to its end"]
    return []


def _rises(starts: memoryview, end: int) -> bool:
    if starts[0] != 0 or starts[-1] != end:
        return False
    return native.index.rises(starts) if native.AVAILABLE else all(map(le, starts, starts[1:]))


def _highest(numbers: memoryview) -> int:
    return native.index.highest(numbers) if native.AVAILABLE else max(numbers, default=-1)


def _misfit(words: memoryview, starts: memoryview, ids: memoryview) -> int:
    """Return the index of the first invalid or misplaced id, or -1, as `withhold.native.index.misfit` does."""
    for bucket, (start, end) in enumerate(pairwise(starts)):
        before = 0
        for at, id_ in enumerate(ids[start:end], start):
            bits = mixed(id_)
            mask = mask_of(bits)
            if id_ <= before or bucket_of(bits, len(words)) != bucket or words[bucket] & mask != mask:
                return at
            before = id_
    return -1
