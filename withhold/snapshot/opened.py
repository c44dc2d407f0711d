"""The contents of a snapshot in a mapped file or in bytes, read only when they are needed."""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Iterable, Mapping
from io import BufferedReader
from pathlib import Path
from typing import get_args

from withhold import native
from withhold.errors import Problem, RuleSetError, SnapshotError, quoted
from withhold.model.protected import KnownProtected
from withhold.model.rule import Rule
from withhold.model.rule_set import RuleSet
from withhold.snapshot.cache import Cache
from withhold.snapshot.checking import Verify, read_header, verify
from withhold.snapshot.codes import check_codes, territories_here
from withhold.snapshot.format import KINDS, MAGIC, Bytes, Counts, table_of
from withhold.snapshot.stored import StoredRules
from withhold.snapshot.table import MappedTable, Table

#: The territory codes in records of at most this size are always checked, which takes a tenth of a millisecond.
_SMALL = 1 << 16
_COMPILE = "use `withhold compile` to make a snapshot"
#: The number of rules that are cached after they are read from their records.
_KEPT = 4096


#: The bytes of a snapshot file.
Content = mmap.mmap | bytes


class OpenedSnapshot:
    """A mapped file, or bytes. Rules and their ids are read when they are needed. `file` is its name in messages."""

    def __init__(self, content: Content, file: str, how: Verify, *, in_c: bool) -> None:
        if sys.byteorder == "big":
            message = "this machine is big-endian, and snapshots are little-endian"
            raise SnapshotError(Problem("wrong-byte-order", message, file, "load the rule files instead"))
        if how not in get_args(Verify):
            raise ValueError(f"verify must be `full` or `header`, not {quoted(how)} [bad-verify]")
        if not len(content):
            raise SnapshotError(Problem("not-a-snapshot", "the file is empty", file, _COMPILE))
        data = memoryview(content)
        header = read_header(data, file)
        sections: dict[str, Bytes] = {
            name: data[section.offset : section.offset + section.length] for name, section in header.sections.items()
        }
        if how == "full":
            verify(header, sections, file)
        small = header.sections["rules.records"].length <= _SMALL
        if how == "full" or small or header.territories != territories_here():
            check_codes(header.territories, sections["rules.records"], file)
        table = native.index.NativeTable if in_c else MappedTable
        self.digest = header.digest
        known = header.protected
        self.protected = None if known is None else KnownProtected(known.accounts, known.sha256)
        self.territories = header.territories
        self.rule_count = header.counts.rules
        self.tables: dict[str, Table] = {kind: table(*table_of(sections, kind)) for kind in KINDS}
        self._stored = StoredRules(file, content, sections, header, verified=how == "full")
        self._kept: Cache[int, Rule] = Cache(_KEPT)
        self._rule_set: RuleSet | None = None

    # Not a `cached_property`: in Python 3.11 its lock is shared by all instances, so one file would wait for another.
    @property
    def rule_set(self) -> RuleSet:
        """All rules, read from their records.

        O(rules) on first use. The ids are read together when any of them are needed.
        """
        if self._rule_set is None:
            try:
                self._rule_set = RuleSet(self._stored.read(number) for number in range(self._stored.counts.rules))
            except RuleSetError as error:
                raise self._stored.damaged(error.problem.message) from None
        return self._rule_set

    def rules_of(self, posting: int) -> tuple[Rule, ...]:
        """Return the rules that a posting denotes. Raises `SnapshotError` if it denotes none."""
        return tuple(map(self._rule, self._stored.numbers(posting)))

    def sections(self) -> tuple[Mapping[str, Bytes], Counts, Mapping[str, str]]:
        """Return the sections, their counts and the digests from the header.

        The digests are not computed again, so that damage is also detected in a file copied from this one.
        """
        return self._stored.sections, self._stored.counts, self._stored.digests

    def postings(self, kind: str) -> Iterable[tuple[int, int]]:
        """Return all ids of a kind, each with its posting."""
        return self._stored.postings(kind)

    def fingerprint(self, posting: int) -> object:
        """Return the content of the rules of a posting. This takes a fifth of the time of creating the rules."""
        return self._stored.fingerprint(posting)

    def _rule(self, number: int) -> Rule:
        rule = self._kept.recall(number)
        if rule is None:
            rule = self._stored.read(number)
            self._kept.keep(number, rule)
        return rule


def is_snapshot(path: Path) -> bool:
    """Return whether `path` is a file that begins like a snapshot. Its name does not matter."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:  # unreadable: the loader reports why
        return False


def content_at(path: str | os.PathLike[str], *, mapped: bool) -> Content:
    """Return the bytes of a file, mapped or in memory. Raises `SnapshotError` for a pipe or a device, and `OSError`."""
    at = Path(path)
    if at.exists() and not at.is_file() and not at.is_dir():  # opening it could block forever
        raise SnapshotError(Problem("not-a-snapshot", "this is a pipe or a device, not a file", str(at), _COMPILE))
    with at.open("rb") as file:
        return map_file(file) if mapped else file.read()


def map_file(file: BufferedReader) -> Content:
    """Return the bytes of an open file, mapped unless it is empty, because an empty file cannot be mapped."""
    if not os.fstat(file.fileno()).st_size:
        return b""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
