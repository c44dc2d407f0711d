"""The base class of rivals. A rival loads rules, and answers questions for a viewer in India as fast as it can."""

from __future__ import annotations

import platform
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import ClassVar

from benchmarks.workload import Columns, Pair

Check = Callable[[int, int], bool]
Mask = Callable[[Sequence[int], Sequence[int]], Sequence[int]]


class LeftOut(Exception):  # noqa: N818
    """A rival cannot be measured; the message gives the reason."""


class Rival(ABC):
    """One way to answer questions, measured in its own process."""

    #: A note on how it was used, for readers of the results.
    note: ClassVar[str]
    #: The measured peak of memory per id while loading. A rival that would exceed the limit is left out.
    bytes_per_id: ClassVar[int] = 500
    #: The name of its package, or empty for the standard library.
    package: ClassVar[str] = ""

    @classmethod
    def missing(cls) -> str | None:
        """Return the reason why it cannot be measured on this machine at any size, or None."""
        try:
            return version(cls.package) and None if cls.package else None
        except PackageNotFoundError:
            return f"`{cls.package}` is not installed"

    @abstractmethod
    def load(self, columns: Columns, directory: Path) -> None:
        """Load the rules. All processes of a size share `directory` for their files."""

    @abstractmethod
    def check(self, tweet: int, account: int) -> bool:
        """Return whether the tweet or its author is withheld."""

    def page(self, pairs: list[Pair]) -> Sequence[int]:
        """Return the indices of the withheld pairs."""
        check = self.check
        return [index for index, (tweet, account) in enumerate(pairs) if check(tweet, account)]

    def checker(self) -> Check:
        """Return the function to time, if possible without a Python frame around it."""
        return self.check

    def masker(self) -> Mask | None:
        """Return a function from two buffers to one flag for each pair, or None if buffers have no advantage."""
        return None

    def forget(self) -> None:  # noqa: B027
        """Discard cached answers, so that cold questions are cold."""

    def memory(self, grown: dict[str, int]) -> int:
        """Return its memory in bytes, including a server or a file; `grown` is the growth of the process."""
        return grown["rss"]

    def version(self) -> str:
        """Return the version."""
        return version(self.package) if self.package else f"of Python {platform.python_version()}"

    def close(self) -> None:  # noqa: B027
        """Stop everything that it started."""
