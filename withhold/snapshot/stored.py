"""The rules of a file, read from its sections when they are asked for."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from mmap import mmap
from typing import NamedTuple

from withhold.errors import Problem, RuleError, SnapshotError, TerritoryError, quoted
from withhold.model.rule import Rule
from withhold.snapshot.codes import check_codes
from withhold.snapshot.format import KINDS, SECTIONS, Bytes, Header, items_of
from withhold.snapshot.records import rule_of, spoken


class _Turned(NamedTuple):
    """The tables turned around, for those who ask a rule whom it names."""

    #: By kind and posting, all ids.
    ids: dict[str, dict[int, array[int]]]
    #: By rule, the postings of the combinations that it is part of.
    shared: dict[int, list[int]]


class StoredRules:
    """What rules there are and whom they name. Rules that are read hold this, which holds none of them.

    Every section is a part of one memoryview, which counts its parts. Without a GIL it miscounts those that threads take
    and leave together, and lets the file go while it is read. So the views are made once, to be indexed, and a record is
    cut out of the map itself. That takes no lock either, which a process that is forked meanwhile would find taken.
    """

    def __init__(
        self, file: str, mapped: mmap, sections: Mapping[str, Bytes], header: Header, *, verified: bool
    ) -> None:
        self.sections, self.counts = sections, header.counts
        self._file, self._verified = file, verified
        self._items = {name: items_of(sections, name) for name in SECTIONS}
        self._mapped, self._records = mapped, header.sections["rules.records"].offset
        self.digests = {name: section.sha256 for name, section in header.sections.items()}
        self._territories = header.territories
        self._turned: _Turned | None = None

    def read(self, number: int) -> Rule:
        """Return a rule, made anew; raises `SnapshotError` for a record that is none."""
        record = self._record(number)
        try:
            return rule_of(record, self, number)
        except (RuleError, TerritoryError) as error:
            # A code of no territory, in a file that says that its codes are those of today, and was opened by its header.
            check_codes(self._territories, record, self._file)
            raise self.damaged(f"rule {number} is refused: {error.problem.message}") from None
        except (ValueError, TypeError, KeyError, OverflowError, AttributeError, RecursionError):
            raise self.damaged(f"rule {number} is no rule: {quoted(record[:60])}") from None

    def fingerprint(self, posting: int) -> object:
        """Return what the rules of a posting say, in a form that compares; None if a record is none."""
        try:
            return [spoken(self._record(number)) for number in self.numbers(posting)]
        except (ValueError, RecursionError, AttributeError):
            return None  # `read` says what is wrong

    def _record(self, number: int) -> bytes:
        start, end = self._bounds("rules.starts", number, "rules.records")
        return self._mapped[self._records + start : self._records + end]

    def numbers(self, posting: int) -> tuple[int, ...]:
        """Return the numbers of the rules that a posting stands for; raises `SnapshotError` if it stands for none."""
        if posting < self.counts.rules:
            return (posting,)
        if posting >= self.counts.rules + self.counts.combinations:
            raise self.damaged(f"posting {posting} stands for no rule")
        start, end = self._bounds("combinations.starts", posting - self.counts.rules, "combinations.rules")
        numbers = self._items["combinations.rules"]
        return tuple(numbers[at] for at in range(start, end))

    def postings(self, kind: str) -> Iterable[tuple[int, int]]:
        """Return all ids of a kind, each with its posting."""
        return zip(self._items[f"{kind}.ids"], self._items[f"{kind}.postings"], strict=True)

    def ids_of(self, kind: str, number: int) -> array[int]:
        """Return the ids of a kind that a rule names. O(ids) for the first rule that is asked."""
        turned = self._turned
        if turned is None:
            turned = self._turned = _Turned({kind: self._by_posting(kind) for kind in KINDS}, self._shared())
        found = array("q")
        for posting in (number, *turned.shared.get(number, ())):
            found.extend(turned.ids[kind].get(posting, ()))
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
        """Return where the items of a section start and end, which another section says."""
        bounds, section = self._items[starts], self._items[items]
        if number + 1 < len(bounds) and (start := bounds[number]) < (end := bounds[number + 1]) <= len(section):
            return start, end
        raise self.damaged(f"item {number} of section `{starts}` lies outside of `{items}`")

    def damaged(self, message: str) -> SnapshotError:
        """Return the error to raise for what should not be in a file."""
        hint = "compile it again, with this version" if self._verified else 'open it with `verify="full"`'
        return SnapshotError(Problem("damaged-snapshot", message, self._file, hint))
