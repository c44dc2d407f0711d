"""The snapshot file: what stands where, so that another language can read it.

All numbers are little-endian. The file begins with 4096 bytes::

    offset  bytes
         0      8  `WITHHOLD`
         8      4  version of the format, unsigned: 1
        12      4  where the header ends, unsigned: 4096
        16     32  SHA-256 of the header
        48   4048  the header: JSON in UTF-8, and blanks behind it

The digest is of the blanks too. The header is an object with the keys

- `digest` (text): SHA-256 over what the rules say, as `withhold.model.rule_set` computes it; `revision`: its first 16
  digits, as decisions carry them;
- `created` (ISO 8601 text, or null): when the file was made, if its maker said so. Nothing else in a file depends on
  when or where it is made, so that equal rules from the same files give equal bytes with the same version of pycountry;
- `protected`, if lists of protected accounts were known when the rules were compiled: how many `accounts` they list, and
  `sha256`, a digest of the lists, as `withhold.model.protected` computes it. The file does not say who they are, and
  its revision does not depend on them;
- `territories` (an object, or null): by which list the codes of territories were valid: the version of `pycountry`, and the
  edition of this library's own `table`. Files from before 2026-11 do not have the key;
- `counts`: how many `rules` there are, how many `accounts` and `tweets` they name, each counted once, and how many
  `combinations`, see below;
- `size`: of the whole file in bytes;
- `sections`: an object with an entry `{"offset", "length", "sha256"}`, in bytes, for each of the sections that follow, in
  that order, each at the first multiple of 64 behind what stands before it. Bytes between are zero, and there are none
  behind the last section.

`accounts.words`, `accounts.starts`, `accounts.ids`, `accounts.postings`, and the same four of `tweets`
    The tables. `ids` (64 bits each, signed and positive, ascending in each bucket) and `postings` (32) run side by side,
    bucket by bucket; `starts` (32) says where each bucket starts, with one entry more for the end of the last; `words`
    (64) has the filter of each. `withhold/snapshot/buckets.py` says which bucket an id is in, and which bits of its
    word are set. A bucket may be empty. There are as many as there are words: one for every four ids, rounded up, at
    least one, where an id counts as often as rules name it.
`combinations.starts`, `combinations.rules`
    A posting below the number of rules is the number of the only rule that names the id. One from there on is, less the
    number of rules, the number of a combination: the ascending numbers of two rules or more stand in `rules` (32) from
    its `starts` (64) on, up to the next. Combinations are in the order of these numbers.
`rules.starts`, `rules.records`
    The rules in the order of their ids, letter by letter of Unicode, numbered from 0: rule by rule an object in JSON,
    from its `starts` (64) on. It has the keys of a rule file, all of them but `ids_file` and null where there is nothing,
    and `override` only where there is some; codes are in lists, and groups are the countries that they stand for;
    `stays` are pairs [from, until]; `accounts` and `tweets` are how many ids of the kind the rule names; and `place` is
    file, line and column of where it was read, or null.
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
#: The sections, and what their items are, in the letters of `struct`.
SECTIONS: Mapping[str, str] = {
    **{f"{kind}.{part}": letter for kind in KINDS for part, letter in _TABLE.items()},
    "combinations.starts": "Q",
    "combinations.rules": "I",
    "rules.starts": "Q",
    "rules.records": "B",
}

#: What numbers of 32 bits count: more ids of a kind there are in no file.
MOST = 2**31

#: A section, as it is made or read.
Bytes: TypeAlias = "bytes | bytearray | memoryview | array[int]"

_Count = Annotated[int, Field(ge=0, strict=True)]
_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Section(Strict):
    """Where a section lies, in bytes, and its digest."""

    offset: _Count
    length: _Count
    sha256: _Digest


class Counts(Strict):
    """How many there are of what."""

    rules: _Count
    accounts: _Count
    tweets: _Count
    combinations: _Count


class Protection(Strict):
    """How many protected accounts were known, and the digest of their lists."""

    accounts: _Count
    sha256: _Digest


class Territories(Strict):
    """The list by which the codes of a file were valid."""

    pycountry: str
    table: str


class Header(Strict):
    """What a file says of itself."""

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
    """Yield a file piece by piece: its header, then the sections with what stands between. O(bytes).

    `digests` are those of sections, as far as they are known.
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
    """Return the first place for a section at or behind an offset."""
    return -(-offset // ALIGNMENT) * ALIGNMENT


def items_of(sections: Mapping[str, Bytes], name: str) -> memoryview:
    """Return a section as the numbers it has."""
    return memoryview(sections[name]).cast("B").cast(SECTIONS[name])  # type: ignore[call-overload, no-any-return]


def table_of(sections: Mapping[str, Bytes], kind: str) -> tuple[memoryview, ...]:
    """Return the words, starts, ids and postings of a table."""
    return tuple(items_of(sections, f"{kind}.{part}") for part in _TABLE)
