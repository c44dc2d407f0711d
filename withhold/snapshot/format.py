"""The snapshot file format. This docstring specifies it completely, so that programs in other languages can read it.

All numbers are little-endian. The file begins with 4096 bytes::

    offset  bytes
         0      8  `WITHHOLD`
         8      4  version of the format, unsigned: 1
        12      4  offset of the end of the header, unsigned: 4096
        16     32  SHA-256 of the header
        48   4048  the header: JSON in UTF-8, padded with spaces

The digest includes the padding. The header is an object with these keys:

- `digest` (text): the SHA-256 of the rules' content, as `withhold.model.rule_set` computes it.
- `revision` (text): the first 16 digits of the digest. Decisions contain it.
- `created` (ISO 8601 text, or null): when the file was made, if the caller of `save` passed it. Nothing else in a file
  depends on the time or the machine: with the same version of pycountry, equal rules from the same files give equal
  bytes.
- `protected`, present if lists of protected accounts were read when the rules were compiled: the number of `accounts`
  on them, and `sha256`, a digest of the lists as `withhold.model.protected` computes it. The file does not contain the
  accounts, and its revision does not depend on them.
- `territories` (an object, or null): the versions of the territory data in which the codes were valid: the version of
  `pycountry`, and the edition of this library's own `table`. Files from before 2026-11 do not have this key.
- `counts`: the number of `rules`, the numbers of distinct `accounts` and `tweets` that they name, and the number of
  `combinations` (see below).
- `size`: the size of the whole file in bytes.
- `sections`: an object with an entry `{"offset", "length", "sha256"}`, in bytes, for each of the sections below, in
  that order. Each section is at the first multiple of 64 after the end of the previous one, or of the header. The bytes
  between sections are zero, and there are none after the last section.

`accounts.words`, `accounts.starts`, `accounts.ids`, `accounts.postings`, and the same four for `tweets`
    The tables. `ids` (64 bits each, signed, positive, ascending within a bucket) has the ids of one bucket after
    another, and `postings` (32 bits) has the posting of each id. `starts` (32 bits) has the index in both at which each
    bucket starts, and one more entry for the end of the last bucket. `words` (64 bits) has the filter of each bucket.
    `withhold/snapshot/buckets.py` defines the bucket of an id, and the bits that it sets in the filter. Buckets may be
    empty. The number of buckets is the number of ids divided by four, rounded up, and at least one; an id counts once
    for each rule that names it.
`combinations.starts`, `combinations.rules`
    A posting below the number of rules is the number of the only rule that names the id. Any other posting, minus the
    number of rules, is the number of a combination of two or more rules. Their numbers are in `rules` (32 bits),
    ascending, from the index that `starts` (64 bits) gives for the combination up to that of the next one. Combinations
    are sorted by the numbers of their rules, compared one after another.
`rules.starts`, `rules.records`
    The rules, numbered from 0 and sorted by their ids (by Unicode code point). Each is a JSON object in `records`, from
    the offset that `starts` (64 bits) gives for it up to that of the next one. It has the keys of a rule file except
    `ids_file`, with null for absent values. Keys that were added later are present only if the rule has them: `override`,
    `disclosure` if it is not `reason`, `jurisdiction`, `review_by`, and `extra`, an object with the keys that begin with `x-`
    and their texts. Codes are lists, with groups replaced by their countries; `jurisdiction` is a list of one code, which may be `EU`. `stays` are pairs [from, until]. `accounts` and `tweets` are the numbers of ids
    that the rule names. `place` is [file, line, column] of the rule, or null.
"""

from __future__ import annotations

import hashlib
import json
import struct
from array import array
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, TypeAlias

from pydantic import Field

from withhold.model.instants import in_iso
from withhold.model.protected import KnownProtected
from withhold.parsing.strict import Strict

MAGIC = b"WITHHOLD"
VERSION = 1
HEADER_END = 4096
ALIGNMENT = 64
OPENING = struct.Struct("<8sII32s")

KINDS = ("accounts", "tweets")
_TABLE = {"words": "Q", "starts": "I", "ids": "q", "postings": "I"}
#: The sections, each with the type of its items in the notation of `struct`.
SECTIONS: Mapping[str, str] = {
    **{f"{kind}.{part}": letter for kind in KINDS for part, letter in _TABLE.items()},
    "combinations.starts": "Q",
    "combinations.rules": "I",
    "rules.starts": "Q",
    "rules.records": "B",
}

#: The number of ids of one kind in a file is below this, because 32-bit numbers index them.
MOST = 2**31

#: The types that a section can have. Sections are created in memory or read from a file.
Bytes: TypeAlias = "bytes | bytearray | memoryview | array[int]"

_Count = Annotated[int, Field(ge=0, strict=True)]
_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Section(Strict):
    """The position and length of a section in bytes, and its digest."""

    offset: _Count
    length: _Count
    sha256: _Digest


class Counts(Strict):
    """The numbers of rules, accounts, tweets and combinations."""

    rules: _Count
    accounts: _Count
    tweets: _Count
    combinations: _Count


class Protection(Strict):
    """The number of protected accounts, and the digest of their lists."""

    accounts: Annotated[_Count, Field(lt=2**63)]
    sha256: _Digest


class Territories(Strict):
    """The versions of the territory data in which the codes of a file were valid."""

    pycountry: str
    table: str


class Header(Strict):
    """The header of a file."""

    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    digest: _Digest
    created: datetime | None
    territories: Territories | None = None
    counts: Counts
    size: _Count
    sections: dict[str, Section]
    protected: Protection | None = None


def lay_out(
    sections: Mapping[str, Bytes],
    counts: Counts,
    digests: Mapping[str, str],
    digest: str,
    created: datetime | None,
    protected: KnownProtected | None,
    territories: Territories | None,
) -> Iterator[Bytes]:
    """Yield a file piece by piece: its header, then the sections with the padding between them. O(bytes).

    `digests` has the digests that are already known.
    """
    found: dict[str, Section] = {}
    end = HEADER_END
    for name in SECTIONS:
        length = memoryview(sections[name]).nbytes
        sha256 = digests.get(name) or hashlib.sha256(sections[name]).hexdigest()
        found[name] = Section(offset=aligned(end), length=length, sha256=sha256)
        end = found[name].offset + length
    header = {
        "revision": digest[:16],
        "digest": digest,
        "created": in_iso(created),
        **({} if protected is None else {"protected": protected._asdict()}),
        "territories": territories and territories.model_dump(),
        "counts": counts.model_dump(),
        "size": end,
        "sections": {name: section.model_dump() for name, section in found.items()},
    }
    padded = json.dumps(header).encode().ljust(HEADER_END - OPENING.size)
    yield OPENING.pack(MAGIC, VERSION, HEADER_END, hashlib.sha256(padded).digest()) + padded
    at = HEADER_END
    for name, section in found.items():
        yield bytes(section.offset - at)
        yield sections[name]
        at = section.offset + section.length


def aligned(offset: int) -> int:
    """Return the first aligned offset at or after an offset."""
    return -(-offset // ALIGNMENT) * ALIGNMENT


def items_of(sections: Mapping[str, Bytes], name: str) -> memoryview:
    """Return the items of a section."""
    return memoryview(sections[name]).cast("B").cast(SECTIONS[name])  # type: ignore[call-overload, no-any-return]


def table_of(sections: Mapping[str, Bytes], kind: str) -> tuple[memoryview, ...]:
    """Return the words, starts, ids and postings of a table."""
    return tuple(items_of(sections, f"{kind}.{part}") for part in _TABLE)
