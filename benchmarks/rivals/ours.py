"""`withhold` itself: in C from a mapped file, as in production, and in Python."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

from benchmarks.rivals.rival import Check, LeftOut, Mask, Rival
from benchmarks.snapshots import FILE
from benchmarks.workload import NOW, VIEWER, Columns, Pair
from withhold import Engine, Snapshot, engine_info
from withhold.native.package import this_package


class Ours(Rival):
    """The base of all implementations of `withhold`."""

    note = "checks dates; unknown locations and reasons; `filter` also returns the visible items and a decision for each withheld one"

    @classmethod
    def missing(cls) -> str | None:
        return None

    @abstractmethod
    def snapshot(self, columns: Columns, path: Path) -> Snapshot:
        """Return the snapshot to measure."""

    def version(self) -> str:
        # The version of the imported package, which need not be the installed one.
        return this_package().version

    def load(self, columns: Columns, directory: Path) -> None:
        self.file = directory / FILE
        self.view = Engine(self.snapshot(columns, self.file)).view(VIEWER, NOW)

    def check(self, tweet: int, account: int) -> bool:
        return self.view.withholds(tweet, account)

    def checker(self) -> Check:
        return self.view.withholds

    def page(self, pairs: list[Pair]) -> Sequence[int]:
        return [index for index, _ in self.view.filter(pairs).hidden]

    def masker(self) -> Mask:
        return self.view.mask


class Native(Ours):
    """In C, from a file."""

    note = f"{Ours.note}; mapped from a file that was compiled beforehand"

    @classmethod
    def missing(cls) -> str | None:
        return None if engine_info().native else engine_info().why

    def snapshot(self, columns: Columns, path: Path) -> Snapshot:  # noqa: ARG002
        if not engine_info().native:
            raise LeftOut(engine_info().why)
        return Snapshot.open(path, verify="header", native=True)

    def memory(self, grown: dict[str, int]) -> int:
        return grown["own"] + self.file.stat().st_size


class MappedInPython(Native):
    """In Python, from the same file."""

    note = f"{Native.note}, and read in Python"

    @classmethod
    def missing(cls) -> str | None:
        return None

    def snapshot(self, columns: Columns, path: Path) -> Snapshot:  # noqa: ARG002
        return Snapshot.open(path, verify="header", native=False)


class InPython(Ours):
    """In Python, compiled from the rules while loading."""

    note = f"{Ours.note}; compiled in the process, which keeps the rules"
    bytes_per_id = 1_500

    def snapshot(self, columns: Columns, path: Path) -> Snapshot:  # noqa: ARG002
        return Snapshot.compile(columns.rule_set(), native=False)
