"""Unpack a snapshot, and stop at the size that its publishers have signed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import IO

import zstandard

from withhold.errors import LiveError, Problem
from withhold.live.release import Release

#: The largest snapshot that is downloaded or unpacked, in bytes.
LARGEST = 8 << 30
#: The most memory for the window of zstd, in bytes. The level at which snapshots are packed needs less.
_WINDOW = 8 << 20
_PIECE = 1 << 20


def unpack(packed: IO[bytes] | bytes, release: Release) -> Iterator[bytes]:
    """Yield the content of a packed snapshot. Raises `LiveError` (`undecodable`, `larger-than-allowed`, `wrong-content`).

    The size and the hash are checked at the end, so trust no piece before that.
    """
    hashed, left = hashlib.sha256(), release.bytes
    try:
        with zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(packed) as reader:
            while piece := reader.read(_PIECE):
                left -= len(piece)
                if left < 0:
                    message = f"the unpacked snapshot has more than the {release.bytes:,} bytes that were signed"
                    raise LiveError(Problem("larger-than-allowed", message))
                hashed.update(piece)
                yield piece
    except zstandard.ZstdError as error:
        raise LiveError(Problem("undecodable", f"the snapshot cannot be unpacked: {error}")) from None
    if left or hashed.hexdigest() != release.sha256:
        raise LiveError(Problem("wrong-content", "the unpacked snapshot is not the one that was signed"))
