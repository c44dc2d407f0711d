"""The contents of a snapshot that was compiled from a rule set in memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import accumulate
from operator import attrgetter

from withhold import native
from withhold.model.protected import KnownProtected
from withhold.model.rule import Rule
from withhold.model.rule_set import RuleSet
from withhold.snapshot.building import index_in_c, postings_by_id, sections_of, table_sections
from withhold.snapshot.codes import territories_here
from withhold.snapshot.format import KINDS, Bytes, Counts, table_of
from withhold.snapshot.records import record_of
from withhold.snapshot.table import DictTable, Table


class Compiled:
    """The rules, numbered in the order of their ids, and their index."""

    def __init__(self, rules: RuleSet, protected: KnownProtected | None, *, in_c: bool) -> None:
        self.rule_set = rules
        self.protected = protected
        self.digest = rules.digest
        self.rule_count = len(rules)
        self.territories = territories_here()
        self._rules = sorted(rules, key=attrgetter("id"))
        self._sections: dict[str, Bytes] = {}
        self.tables: dict[str, Table] = {}
        if in_c:
            self._sections, self._combinations = index_in_c(self._rules)
            self.tables.update({kind: native.index.NativeTable(*table_of(self._sections, kind)) for kind in KINDS})
        else:
            self._named, self._combinations = postings_by_id(self._rules)
            self.tables.update({kind: DictTable(self._named[kind]) for kind in KINDS})

    def rules_of(self, posting: int) -> tuple[Rule, ...]:
        """Return the rules that a posting denotes."""
        alone = posting < len(self._rules)
        numbers = (posting,) if alone else self._combinations[posting - len(self._rules)]
        return tuple(self._rules[number] for number in numbers)

    def fingerprint(self, _: int) -> None:
        """Return None: the rules are in memory, and comparing them costs no more than comparing fingerprints."""

    def postings(self, kind: str) -> Iterable[tuple[int, int]]:
        """Return all ids of a kind, each with its posting."""
        if not self._sections:
            return self._named[kind].items()
        _, _, ids, postings = table_of(self._sections, kind)
        return zip(ids, postings, strict=True)

    def sections(self) -> tuple[dict[str, Bytes], Counts, dict[str, str]]:
        """Return the sections of a file, their counts and their known digests.

        O(ids); about a second for 100,000 rules.
        """
        sections = dict(self._sections)
        if not sections:
            for kind in KINDS:
                ids = sum(len(getattr(rule, kind)) for rule in self._rules)
                sections |= table_sections(self._named[kind], kind, ids)
        records = [record_of(rule) for rule in self._rules]
        sections |= sections_of(self._combinations)
        sections["rules.starts"] = array("Q", accumulate(map(len, records), initial=0))
        sections["rules.records"] = b"".join(records)
        counted = {kind: memoryview(sections[f"{kind}.ids"]).nbytes // 8 for kind in KINDS}
        return sections, Counts(rules=len(records), combinations=len(self._combinations), **counted), {}
