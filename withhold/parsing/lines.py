"""Read files line by line in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import BinaryIO


def bounded_lines(file: BinaryIO, longest: int, first: int = 1) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line with its number, from `first` on. A line of more than `longest` bytes is skipped, and yields None."""
    for number, line in enumerate(iter(partial(file.readline, longest + 1), b""), first):
        if len(line) <= longest or line.endswith(b"\n"):
            yield number, line
        else:
            while (rest := file.readline(longest)) and not rest.endswith(b"\n"):
                pass
            yield number, None
