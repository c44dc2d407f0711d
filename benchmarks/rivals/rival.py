"""What a rival is: it loads the columns and answers for a viewer in India now, in the best way that it can."""

from __future__ import annotations

import platform
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import ClassVar

from benchmarks.workload import Columns, Pair

Check = Callable[[int, int], bool]
Page = Callable[[list[Pair]], Sequence[int]]
Mask = Callable[[Sequence[int], Sequence[int]], Sequence[int]]


class LeftOut(Exception):  # noqa: N818
    """Why a rival is not measured here."""


class Rival(ABC):
    """One way to answer, in a process of its own."""

    #: What a reader of the figures should know about how it was used.
    note: ClassVar[str]
    #: What it takes while it loads, from measurements: who would take more than the limit is left out.
    bytes_per_id: ClassVar[int] = 500
    #: The distribution on PyPI, or empty for Python's own.
    package: ClassVar[str] = ""

    @classmethod
    def missing(cls) -> str | None:
        """Return why it cannot be measured on this machine, whatever the size; None if it can."""
        try:
            return version(cls.package) and None if cls.package else None
        except PackageNotFoundError:
            return f"`{cls.package}` is not installed"

    @abstractmethod
    def load(self, columns: Columns, directory: Path) -> None:
        """Take the rules in; `directory` is for files, and is shared by all processes of a size."""

    @abstractmethod
    def check(self, tweet: int, account: int) -> bool:
        """Tell whether the tweet is withheld, by itself or by its author."""

    def page(self, pairs: list[Pair]) -> Sequence[int]:
        """Return the indices of the pairs that are withheld."""
        check = self.check
        return [index for index, (tweet, account) in enumerate(pairs) if check(tweet, account)]

    def checker(self) -> Check:
        """Return what is timed, without a frame around it where there need be none."""
        return self.check

    def masker(self) -> Mask | None:
        """Return what answers two buffers with a truth value each, if there is a better way than a list."""
        return None

    def forget(self) -> None:  # noqa: B027
        """Drop what was kept of answers, so that a cold question is cold."""

    def memory(self, grown: dict[str, int]) -> int:
        """Return the bytes that it holds, of which a server or a file is part; `grown`: what the process took."""
        return grown["rss"]

    def version(self) -> str:
        """Return what is measured."""
        return version(self.package) if self.package else f"of Python {platform.python_version()}"

    def close(self) -> None:  # noqa: B027
        """End what it started."""
