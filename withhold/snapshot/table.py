"""From an id to its posting: the seam at which a mapped file can take the place of a dict."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Protocol

from withhold.model.rule import Rule
from withhold.snapshot.posting import Posting


class Table(Protocol):
    """All that the engine asks of an index. Must be safe to share between threads."""

    @property
    def named(self) -> AbstractSet[int]:
        """The ids that rules name, and 0 and 1 besides: a first question that most ids end."""

    def find(self, id_: int, /) -> Posting | None:
        """Return the posting of an id, or None if no rule names it. O(1)."""


class DictTable:
    """A table in memory; about 150 bytes an id.

    `named` are its ids as a set, in front of it: a set answers "no" in half the time of a dict.
    """

    __slots__ = ("find", "named", "postings")

    def __init__(self, postings: dict[int, Posting]) -> None:
        self.postings = postings
        # INVARIANT (unchecked ids): 0 and 1 are always named. `False == 0` and `True == 1`, so the serving calls,
        # which let what is not named pass without looking at its type, stop at these, and check.
        self.named = frozenset(postings) | {0, 1}
        # The dict's own method, without a Python frame around it.
        self.find = postings.get


def compile_postings(
    named: Iterable[tuple[Rule, Iterable[int]]], interned: dict[tuple[int, ...], Posting]
) -> DictTable:
    """Turn (rule, ids) around: each id to the posting of all rules that name it. O(ids).

    `interned` maps the identities of rules to the one posting of them, and may be shared between tables.
    """
    postings: dict[int, Posting] = {}
    for rule, ids in named:
        # Most ids of a rule stand in no other, or in the same others: one step for each distinct posting.
        grown: dict[Posting | None, Posting] = {}
        for id_ in ids:
            before = postings.get(id_)
            after = grown.get(before)
            if after is None:
                rules = (*before.rules, rule) if before else (rule,)
                after = grown[before] = interned.setdefault(tuple(map(id, rules)), Posting(rules))
            postings[id_] = after
    return DictTable(postings)
