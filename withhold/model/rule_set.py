"""A set of rules with unique ids, and a digest that identifies it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

from withhold.errors import Problem, RuleSetError, quoted
from withhold.model.instants import in_iso
from withhold.model.rule import Disclosure, Rule

#: A callback for the progress of loading. Its arguments are the bytes read so far and the total.
Progress = Callable[[int, int], None]


Path = str | os.PathLike[str]


class RuleSet:
    """Valid rules with unique ids. It is immutable, and threads may share it.

    >>> rules = RuleSet([Rule(id="in-1", accounts=[1101], withheld_in=["IN"], reason="legal_demand")])
    >>> len(rules), rules["in-1"].withheld_in
    (1, ('IN',))

    `warnings` are the problems that did not prevent a file from being read, with their places. `files` is the number of
    rule files that were read, including files without rules. `groups` has the codes of the territories in each group that
    the files define, by its name in upper case. Rules contain these codes, so a snapshot does not record the groups.

    Raises `RuleSetError` if two rules have the same id, or if an item is not a `Rule`.
    """

    __slots__ = ("_by_id", "_digest", "files", "groups", "rules", "warnings")

    #: The function that reads files. It is in a higher room, so `withhold/__init__.py` sets it.
    _loader: ClassVar[Callable[[Path, Path | None, Progress | None], RuleSet]]

    def __init__(
        self,
        rules: Iterable[Rule] = (),
        warnings: Sequence[Problem] = (),
        *,
        files: int = 0,
        groups: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> None:
        self.rules = tuple(rules)
        self.warnings = tuple(warnings)
        self.files = files
        self.groups: Mapping[str, tuple[str, ...]] = {name: tuple(codes) for name, codes in groups.items()}
        self._by_id: dict[str, Rule] = {}
        self._digest: str | None = None
        problems = []
        given: tuple[object, ...] = self.rules
        for thing in given:
            if not isinstance(thing, Rule):
                hint = "use `RuleSet.load` to read files"
                raise RuleSetError([Problem("not-a-rule", f"{quoted(thing)} is not a rule", hint=hint)])
        for rule in self.rules:
            if rule.id in self._by_id:
                problems.append(repeated(rule, self._by_id[rule.id]))
            self._by_id.setdefault(rule.id, rule)
        if problems:
            raise RuleSetError(problems, len(self._by_id), len(problems))

    @classmethod
    def load(cls, path: Path, root: Path | None = None, *, progress: Progress | None = None) -> RuleSet:
        """Read a rule file, or all rule files below a directory.

        No file outside `root` is opened, even if a rule file or a link names one. `root` is a directory that contains
        `path`. The default is the directory itself, or the one that contains the file; links are resolved first.

        `progress` is called periodically with the bytes read so far and the total. Loading takes O(n) time, and at
        most about 70 bytes of memory for each id. Text that was read as something other than written (`UK` as `GB`) is
        reported in `.warnings`, and through `warnings.warn` as `RuleSetWarning`.

        Raises `RuleSetError` with every problem of every file, `FileNotFoundError` if `path` or `root` does not exist,
        and `NotADirectoryError` if `root` is not a directory.
        """
        return cls._loader(path, root, progress)

    @property
    def digest(self) -> str:
        """The SHA-256 of the rules' content.

        It does not depend on their order or files. O(n) on first use, then cached.
        """
        if self._digest is None:
            whole = hashlib.sha256()
            for rule in sorted(self.rules, key=lambda rule: rule.id):
                whole.update(json.dumps(rule_values(rule)).encode() + rule.accounts.tobytes() + rule.tweets.tobytes())
            self._digest = whole.hexdigest()
        return self._digest

    @property
    def revision(self) -> str:
        """The first 16 digits of the digest, which decisions contain."""
        return self.digest[:16]

    def __eq__(self, other: object) -> bool:
        return self.digest == other.digest if isinstance(other, RuleSet) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)

    def __len__(self) -> int:
        return len(self.rules)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __getitem__(self, rule_id: str) -> Rule:
        return self._by_id[rule_id]

    def __contains__(self, rule_id: object) -> bool:
        return rule_id in self._by_id

    def __repr__(self) -> str:
        return f"<RuleSet of {len(self)} rules, {self.revision}>"


def repeated(rule: Rule, first: Rule) -> Problem:
    """Return the problem that `rule` has the same id as the `first` rule."""
    where = f"the first is at {first.place}" if first.place else "give each rule its own id"
    return Problem("repeated-rule-id", f"rule id {quoted(rule.id)} is used twice", rule.place, where)


def rule_values(rule: Rule) -> dict[str, object]:
    """Return the content of a rule as JSON values. `accounts` and `tweets` are numbers of ids, not the ids."""
    values: dict[str, object] = {
        "id": rule.id,
        "withheld_in": rule.withheld_in,
        "except_in": rule.except_in,
        "from": in_iso(rule.from_),
        "until": in_iso(rule.until),
        "stays": [[in_iso(bound) for bound in stay] for stay in rule.stays],
        "effect": rule.effect,
        "reason": rule.reason,
        "if_unknown": rule.if_unknown,
        "demand": rule.demand,
        "note": rule.note,
        "accounts": len(rule.accounts),
        "tweets": len(rule.tweets),
    }
    # These keys were added later. Their defaults are left out, so that older rule sets keep their revision.
    if rule.override:
        values["override"] = dict(rule.override)
    if rule.disclosure is not Disclosure.REASON:
        values["disclosure"] = rule.disclosure
    if rule.jurisdiction is not None:
        values["jurisdiction"] = [rule.jurisdiction]  # a list like all codes, so that `snapshot.codes` finds it
    if rule.review_by is not None:
        values["review_by"] = in_iso(rule.review_by)
    if rule.extra:
        values["extra"] = dict(rule.extra)
    return values
