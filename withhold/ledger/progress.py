"""Report the progress of long operations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias, TypeVar

#: A function that is called at intervals with the number of finished rows and the total number of rows.
Progress: TypeAlias = Callable[[int, int], object]

_T = TypeVar("_T")
_STEP = 10_000


def counted(rows: Iterable[_T], progress: Progress | None, whole: int, before: int = 0) -> Iterator[_T]:
    """Yield rows, and report progress every 10,000 rows and at the end. `before` rows were done earlier."""
    done = before
    for done, row in enumerate(rows, before + 1):
        yield row
        if progress is not None and done % _STEP == 0:
            progress(done, whole)
    if progress is not None:
        progress(done, whole)
