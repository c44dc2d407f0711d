"""The rules in a file, which are read from its sections when they are needed."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial
from mmap import mmap
from typing import NamedTuple

from withhold.errors import Problem, RuleError, SnapshotError, TerritoryError, quoted
from withhold.model.ids import IdSet
from withhold.model.rule import Rule
from withhold.snapshot.codes import check_codes
from withhold.snapshot.format import KINDS, MOST, SECTIONS, Bytes, Header, items_of
from withhold.snapshot.records import content_of, rule_of


class _Inverted(NamedTuple):
    """The tables inverted: from a rule to the ids that it names."""

    #: The ids by kind and posting.
    ids: dict[str, dict[int, array[int]]]
    #: For each rule, the postings of the combinations that contain it.
    shared: dict[int, list[int]]


class StoredRules:
    """Reads the rules of a mapped file or of bytes, and the ids that they name. Rules reference this store, never the reverse.

    Every section is a slice of one memoryview, which counts its slices. Without a GIL the count becomes wrong if
    threads slice and release at the same time, and then the file could be closed while it is read. So the slices are
    made once, and a record is copied from the map or the bytes. This needs no lock, which a forked child could inherit
    locked.
    """

    def __init__(
        self, file: str, content: mmap | bytes, sections: Mapping[str, Bytes], header: Header, *, verified: bool
    ) -> None:
        self.sections, self.counts = sections, header.counts
        self._file, self._verified = file, verified
        self._items = {name: items_of(sections, name) for name in SECTIONS}
        self._content, self._records = content, header.sections["rules.records"].offset
        self.digests = {name: section.sha256 for name, section in header.sections.items()}
        self._territories = header.territories
        self._inverted: _Inverted | None = None

    def read(self, number: int) -> Rule:
        """Return a new `Rule` from a record. Raises `SnapshotError` for an invalid record."""
        record = self._record(number)
        try:
            return rule_of(record, partial(StoredIds, self, number))
        except (RuleError, TerritoryError) as error:
            # The file was opened with `verify="header"`. A code that no longer exists gets a better message.
            check_codes(self._territories, record, self._file)
            raise self.damaged(f"rule {number} is refused: {error.problem.message}") from None
        except (ValueError, TypeError, KeyError, OverflowError, AttributeError, RecursionError):
            raise self.damaged(f"the record of rule {number} is invalid: {quoted(record[:60])}") from None

    def fingerprint(self, posting: int) -> object:
        """Return the content of the rules of a posting in a form for comparison, or None if a record is invalid."""
        try:
            return [content_of(self._record(number)) for number in self.numbers(posting)]
        except (ValueError, RecursionError, AttributeError):
            return None  # `read` reports what is wrong

    def _record(self, number: int) -> bytes:
        start, end = self._bounds("rules.starts", number, "rules.records")
        return self._content[self._records + start : self._records + end]

    def numbers(self, posting: int) -> tuple[int, ...]:
        """Return the numbers of the rules that a posting denotes. Raises `SnapshotError` if it denotes none."""
        if posting < self.counts.rules:
            return (posting,)
        if posting >= self.counts.rules + self.counts.combinations:
            raise self.damaged(f"posting {posting} refers to no rule")
        start, end = self._bounds("combinations.starts", posting - self.counts.rules, "combinations.rules")
        numbers = self._items["combinations.rules"]
        return tuple(numbers[at] for at in range(start, end))

    def postings(self, kind: str) -> Iterable[tuple[int, int]]:
        """Return all ids of a kind, each with its posting."""
        return zip(self._items[f"{kind}.ids"], self._items[f"{kind}.postings"], strict=True)

    def ids_of(self, kind: str, number: int) -> array[int]:
        """Return the ids of a kind that a rule names. The first call is O(ids in the file)."""
        inverted = self._inverted
        if inverted is None:
            inverted = self._inverted = _Inverted({kind: self._by_posting(kind) for kind in KINDS}, self._shared())
        found = array("q")
        for posting in (number, *inverted.shared.get(number, ())):
            found.extend(inverted.ids[kind].get(posting, ()))
        return found

    def _by_posting(self, kind: str) -> dict[int, array[int]]:
        found: defaultdict[int, array[int]] = defaultdict(lambda: array("q"))
        for id_, posting in self.postings(kind):
            found[posting].append(id_)
        return dict(found)

    def _shared(self) -> dict[int, list[int]]:
        found: defaultdict[int, list[int]] = defaultdict(list)
        for posting in range(self.counts.rules, self.counts.rules + self.counts.combinations):
            for number in self.numbers(posting):
                found[number].append(posting)
        return dict(found)

    def _bounds(self, starts: str, number: int, items: str) -> tuple[int, int]:
        """Return the start and end of item `number` in the section `items`, according to the section `starts`."""
        bounds, section = self._items[starts], self._items[items]
        if number + 1 < len(bounds) and (start := bounds[number]) < (end := bounds[number + 1]) <= len(section):
            return start, end
        raise self.damaged(f"entry {number} of section `{starts}` points outside `{items}`")

    def damaged(self, message: str) -> SnapshotError:
        """Return the error for invalid content of the file."""
        hint = "compile it again, with this version" if self._verified else 'open it with `verify="full"`'
        return SnapshotError(Problem("damaged-snapshot", message, self._file, hint))


class StoredIds(IdSet):
    """The ids of a rule, which are read when they are needed. Until then only their number is known."""

    __slots__ = ("_count", "_kind", "_loaded", "_rule", "_store")

    def __init__(self, store: StoredRules, rule: int, kind: str, count: int) -> None:
        """Raise `ValueError` if `count` is not a valid number of ids."""
        if type(count) is not int or not 0 <= count < MOST:
            raise ValueError(f"{count!r} is not a number of ids")
        self._store, self._rule, self._kind, self._count = store, rule, kind, count
        self._loaded: IdSet | None = None

    def __len__(self) -> int:
        return self._count

    def __reduce__(self) -> tuple[object, ...]:
        return IdSet.from_array, (self._ids,)

    @property
    def _ids(self) -> array[int]:  # type: ignore[override]
        if self._loaded is None:
            found = IdSet.from_array(self._store.ids_of(self._kind, self._rule))
            if len(found) != self._count:
                message = f"rule {self._rule} has {len(found):,} {self._kind} instead of {self._count:,}"
                raise self._store.damaged(message)
            self._loaded = found
        return self._loaded._ids
