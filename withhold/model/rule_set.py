"""Rules with unique ids, and a digest that says which rules these are."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar

from withhold.errors import Problem, RuleSetError, quoted
from withhold.model.instants import in_iso
from withhold.model.rule import Rule

#: Called while a rule set loads, with the bytes read so far and the bytes in all.
Progress = Callable[[int, int], None]


Path = str | os.PathLike[str]


class RuleSet:
    """Valid rules with unique ids; immutable, and safe to share between threads.

    >>> rules = RuleSet([Rule(id="in-1", accounts=[1101], withheld_in=["IN"], reason="legal_demand")])
    >>> len(rules), rules["in-1"].withheld_in
    (1, ('IN',))

    `warnings` are the problems that did not keep a file from being read, with their places. Raises
    `RuleSetError` if two rules have one id.
    """

    __slots__ = ("_by_id", "_digest", "rules", "warnings")

    #: Reads files. What can is in a room above this one, so the package puts the two together (`withhold/__init__`).
    _loader: ClassVar[Callable[[Path, Path | None, Progress | None], RuleSet]]

    def __init__(self, rules: Iterable[Rule] = (), warnings: Sequence[Problem] = ()) -> None:
        self.rules = tuple(rules)
        self.warnings = tuple(warnings)
        self._by_id: dict[str, Rule] = {}
        self._digest: str | None = None
        problems = []
        given: tuple[object, ...] = self.rules
        for thing in given:
            if not isinstance(thing, Rule):
                hint = "`RuleSet.load` reads files"
                raise RuleSetError([Problem("not-a-rule", f"{quoted(thing)} is not a rule", hint=hint)])
        for rule in self.rules:
            if rule.id in self._by_id:
                problems.append(repeated(rule, self._by_id[rule.id]))
            self._by_id.setdefault(rule.id, rule)
        if problems:
            raise RuleSetError(problems, len(self._by_id), len(problems))

    @classmethod
    def load(cls, path: Path, root: Path | None = None, *, progress: Progress | None = None) -> RuleSet:
        """Read a rule file (`.yaml`, `.yml`, `.json`), or all of them below a directory.

        No file outside of `root` is opened, whatever the files or links among them name: `root` is a folder around
        `path`; by default the directory itself, or the folder of the file, where their real paths are.

        `progress` is called now and then with the bytes read so far and the bytes in all. Takes O(n) time,
        and about 70 bytes of memory for each id at the highest point. What was read otherwise than it was
        written is in `.warnings`, and is given to `warnings.warn` as `RuleSetWarning`.

        Raises `RuleSetError` with every problem of every file, and `OSError` only if `path` or `root` is missing.
        """
        return cls._loader(path, root, progress)

    @property
    def digest(self) -> str:
        """SHA-256 over what the rules say: equal whatever the order and the files. O(n) once."""
        if self._digest is None:
            whole = hashlib.sha256()
            for rule in sorted(self.rules, key=lambda rule: rule.id):
                whole.update(json.dumps(said_by(rule)).encode() + rule.accounts.tobytes() + rule.tweets.tobytes())
            self._digest = whole.hexdigest()
        return self._digest

    @property
    def revision(self) -> str:
        """The first 16 digits of the digest: what decisions carry."""
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
    """Return the problem of a rule whose id another has already."""
    where = f"the first is at {first.place}" if first.place else "ids are unique in a rule set"
    return Problem("repeated-rule-id", f"rule id {quoted(rule.id)} is used twice", rule.place, where)


def said_by(rule: Rule) -> dict[str, object]:
    """Return what a rule says, in values that JSON has, with the number of its ids in their place."""
    said: dict[str, object] = {
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
    # A key that came later says nothing where it is empty: what was written before it keeps its revision.
    if rule.override:
        said["override"] = dict(rule.override)
    return said
