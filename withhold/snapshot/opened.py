"""A snapshot's contents, in a file that is mapped: what is not asked for is not read."""

from __future__ import annotations

import mmap
import os
import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from threading import Lock
from typing import get_args

from cachetools import FIFOCache, cachedmethod

from withhold import native
from withhold.errors import Problem, SnapshotError, shown
from withhold.model.rule import Rule
from withhold.model.rule_set import RuleSet
from withhold.snapshot.checking import Verify, read_header, verify
from withhold.snapshot.format import KINDS, MAGIC, Bytes, Counts, items_of, table_of
from withhold.snapshot.records import rule_of
from withhold.snapshot.table import MappedTable, Table

#: Rules that are kept after they were read from their records.
_KEPT = 4096


class Opened:
    """A file, mapped. A rule is read when it is asked for, and its ids when those are."""

    def __init__(self, path: str | os.PathLike[str], how: Verify, *, in_c: bool) -> None:
        if how not in get_args(Verify):
            raise ValueError(f"verify is `full` or `header`, not {shown(how)} [bad-verify]")
        self.file = os.fspath(path)
        data = _mapped(Path(path))
        header = read_header(data, self.file)
        self.digest, self._counts = header.digest, header.counts
        self._sections: Mapping[str, Bytes] = {
            name: data[section.offset : section.offset + section.length] for name, section in header.sections.items()
        }
        if how == "full":
            verify(header, self._sections, self.file)
        table = native.index.Table if in_c else MappedTable
        self.tables: dict[str, Table] = {kind: table(*table_of(self._sections, kind)) for kind in KINDS}
        self._kept: FIFOCache[int, Rule] = FIFOCache(_KEPT)
        self._lock = Lock()

    @cached_property
    def rule_set(self) -> RuleSet:
        """All rules, read from their records. O(rules), and their ids are read together when some are asked for."""
        return RuleSet(self._read(number) for number in range(self._counts.rules))

    def rules_of(self, posting: int) -> tuple[Rule, ...]:
        """Return the rules that a posting stands for; raises `SnapshotError` if it stands for none."""
        return tuple(map(self._rule, self._numbers(posting)))

    def sections(self) -> tuple[Mapping[str, Bytes], Counts]:
        """Return what a file of this has."""
        return self._sections, self._counts

    def postings(self, kind: str) -> Iterable[tuple[int, int]]:
        """Return all ids of a kind, each with its posting."""
        _, _, ids, postings = table_of(self._sections, kind)
        return zip(ids, postings, strict=True)

    @cachedmethod(attrgetter("_kept"), lock=attrgetter("_lock"))
    def _rule(self, number: int) -> Rule:
        return self._read(number)

    def _read(self, number: int) -> Rule:
        record = bytes(self._within("rules.starts", number, "rules.records"))
        try:
            return rule_of(record, self, number)
        except (ValueError, TypeError, KeyError, OverflowError, AttributeError, RecursionError):
            raise self._damaged(f"rule {number} is no rule: {shown(record[:60])}") from None

    def _numbers(self, posting: int) -> tuple[int, ...]:
        if posting < self._counts.rules:
            return (posting,)
        if posting >= self._counts.rules + self._counts.combinations:
            raise self._damaged(f"posting {posting} stands for no rule")
        return tuple(self._within("combinations.starts", posting - self._counts.rules, "combinations.rules"))

    def _within(self, starts: str, number: int, items: str) -> memoryview:
        """Return the items of a section that another says where they start."""
        bounds, section = items_of(self._sections, starts), items_of(self._sections, items)
        if number + 1 < len(bounds) and (start := bounds[number]) < (end := bounds[number + 1]) <= len(section):
            return section[start:end]
        raise self._damaged(f"item {number} of section `{starts}` lies outside of `{items}`")

    def ids_of(self, kind: str, number: int) -> array[int]:
        """Return the ids of a kind that a rule names. O(ids) for the first rule that is asked."""
        found = array("q")
        for posting in (number, *self._shared.get(number, ())):
            found.extend(self._by_posting[kind].get(posting, ()))
        return found

    @cached_property
    def _by_posting(self) -> dict[str, dict[int, array[int]]]:
        """By kind and posting, all ids: the tables turned around, for those who ask a rule whom it names. O(ids)."""
        found: dict[str, dict[int, array[int]]] = {}
        for kind in KINDS:
            ids: defaultdict[int, array[int]] = defaultdict(lambda: array("q"))
            for id_, posting in self.postings(kind):
                ids[posting].append(id_)
            found[kind] = dict(ids)
        return found

    @cached_property
    def _shared(self) -> dict[int, list[int]]:
        """By rule, the postings of the combinations that it is part of."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        for posting in range(self._counts.rules, self._counts.rules + self._counts.combinations):
            for number in self._numbers(posting):
                found[number].append(posting)
        return dict(found)

    def _damaged(self, message: str) -> SnapshotError:
        return SnapshotError(Problem("damaged-snapshot", message, self.file, 'open it with `verify="full"`'))


def is_snapshot(path: Path) -> bool:
    """Tell whether there is a file that begins as a snapshot does, whatever its name."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _mapped(path: Path) -> memoryview:
    if sys.byteorder == "big":
        message = "this machine is big-endian, and a snapshot is little-endian"
        raise SnapshotError(Problem("wrong-byte-order", message, str(path), "load the rule files"))
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise SnapshotError(Problem("not-a-snapshot", "the file is empty", str(path)))
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
