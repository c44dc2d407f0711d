"""The effects of a change of rules: which subjects get a different outcome, where and when. Nothing is sampled.

Accounts and tweets are compared one by one. The outcome of a tweet is the severest of its own, its author's and those
of the tweets that it retweets (R5, R6, R8). So it changes only if one of these changes. The exemption of authors (R9)
is not considered.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from withhold.model.decision import Outcome
from withhold.model.instants import in_iso
from withhold.model.places import Places
from withhold.model.policy import Policy
from withhold.model.rule import Period, Rule
from withhold.reports.whereabouts import Whereabouts
from withhold.semantics import Extent, extent, places_by_outcome, reach_of, sweep
from withhold.snapshot import Snapshot
from withhold.snapshot.snapshot import Kind

#: Everything that a rule states, except the ids that it names and its place.
_statement = attrgetter(
    *("id", "withheld_in", "except_in", "from_", "until", "stays", "effect", "reason", "if_unknown"),
    *("demand", "jurisdiction", "disclosure", "review_by", "note", "override", "extra"),
)

_ALWAYS = Period()


class Change(NamedTuple):
    """A change from one outcome to another, for viewers at some places during a period."""

    where: Whereabouts
    old: Outcome
    new: Outcome
    period: Period

    def __str__(self) -> str:
        return self.worded(str(self.where))

    def worded(self, where: str) -> str:
        """Return the change as text, with `where` as the text for the places."""
        return f"{where} {self.old} → {self.new}{bounds_text(self.period) or ' always'}"

    def to_dict(self) -> dict[str, object]:
        """Return the change as JSON values."""
        territories, only, but = self.where.worded()
        return {
            "where": str(self.where),
            "territories": str(territories),
            "unknown_location": self.where.unknown,
            "no_subdivision_known": {"also": only, "not": but},
            "old": self.old,
            "new": self.new,
            "from": in_iso(self.period.start),
            "until": in_iso(self.period.end),
        }


def bounds_text(period: Period) -> str:
    """Return the bounds as text, such as ` from 2021-02-10T05:00:00Z`. It is empty for a period without bounds."""
    bounds = zip(("from", "until"), period, strict=True)
    return "".join(f" {word} {in_iso(bound)}" for word, bound in bounds if bound is not None)


@dataclass(frozen=True, slots=True)
class Causes:
    """The rules that cause a difference: those that name the subject only now, no longer name it, or changed."""

    new: tuple[Rule, ...]
    gone: tuple[Rule, ...]
    changed: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Subjects that share their old rules and their new rules, and whose new rules differ from the old ones.

    `ids` are accounts or tweets, ascending. If `changes` is empty, the rules differ without changing an outcome: in
    their id, reason, demand, jurisdiction, disclosure, review, note, override or extra keys, or because one of them is redundant.
    """

    kind: Kind
    ids: array[int]
    changes: tuple[Change, ...]
    causes: Causes


class _Meaning(NamedTuple):
    """The effect of a rule: where and when it applies. Outcomes depend on nothing else."""

    extent: Extent
    periods: tuple[Period, ...]


_Meanings = frozenset[_Meaning]


def differences(
    old: Snapshot, new: Snapshot, policy: Policy | None = None, within: Period = _ALWAYS
) -> Iterator[Difference]:
    """Yield the differences of `new` from `old`: accounts first, ordered by the lowest id of each difference.

    If no difference has changes, no viewer anywhere gets a different outcome at any time (`within` a period). O(ids),
    and about 10 µs for each distinct set of rules on either side.

    >>> from withhold import Rule, RuleSet
    >>> old = Rule(id="in-1", accounts=[1101, 1102], withheld_in="IN", reason="local_law")
    >>> new = Rule(id="in-1", accounts=[1101, 1102], withheld_in=["IN", "TR"], reason="local_law")
    >>> for found in differences(*(Snapshot.compile(RuleSet([rule])) for rule in (old, new))):
    ...     print(found.kind, list(found.ids), *found.changes)
    accounts [1101, 1102] TR visible → withheld always
    """
    policy = policy or Policy()
    known: dict[tuple[_Meanings, _Meanings], tuple[Change, ...]] = {}
    kinds: tuple[Kind, ...] = ("accounts", "tweets")
    for kind in kinds:
        found = []
        for (before, after), ids in _paired(old, new, kind).items():
            if before is not None and after is not None:
                fingerprint = old.fingerprint(before)
                if fingerprint is not None and fingerprint == new.fingerprint(after):
                    continue
            rules = old.rules_of(before) if before is not None else ()
            others = new.rules_of(after) if after is not None else ()
            if list(map(_statement, rules)) == list(map(_statement, others)):
                continue
            meanings, new_meanings = _meanings_of(rules, policy), _meanings_of(others, policy)
            key = (frozenset(meanings.values()), frozenset(new_meanings.values()))
            if key not in known:
                known[key] = tuple(_changes(*key, within)) if key[0] != key[1] else ()
            causes = _causes(rules, others, meanings, new_meanings) if known[key] else _causes(rules, others)
            found.append(Difference(kind, array("q", sorted(ids)), known[key], causes))
        yield from sorted(found, key=lambda difference: difference.ids[0])


def _paired(old: Snapshot, new: Snapshot, kind: Kind) -> dict[tuple[int | None, int | None], array[int]]:
    """Return the ids by their postings on both sides. Ids that share both postings are compared once."""
    pairs: defaultdict[tuple[int | None, int | None], array[int]] = defaultdict(lambda: array("q"))
    find_old, find_new = getattr(old, kind).find, getattr(new, kind).find
    for id_, posting in old.postings(kind):
        pairs[posting, find_new(id_)].append(id_)
    for id_, posting in new.postings(kind):
        if find_old(id_) is None:
            pairs[None, posting].append(id_)
    return pairs


def _meanings_of(rules: Iterable[Rule], policy: Policy) -> dict[str, _Meaning]:
    return {rule.id: _Meaning(extent(reach_of(rule), policy), rule.periods) for rule in rules}


def _causes(
    old: Iterable[Rule],
    new: Iterable[Rule],
    old_meanings: dict[str, _Meaning] | None = None,
    new_meanings: dict[str, _Meaning] | None = None,
) -> Causes:
    """Return the rules that differ between the sides.

    With meanings, return only those whose difference can change outcomes.
    """
    before, after = {rule.id: rule for rule in old}, {rule.id: rule for rule in new}
    gone = [rule for rule in before.values() if rule.id not in after]
    added = [rule for rule in after.values() if rule.id not in before]
    changed = [rule for rule in after.values() if rule.id in before and _statement(rule) != _statement(before[rule.id])]
    if old_meanings is not None and new_meanings is not None:
        once, now = set(old_meanings.values()), set(new_meanings.values())
        gone = [rule for rule in gone if old_meanings[rule.id] not in now]
        added = [rule for rule in added if new_meanings[rule.id] not in once]
        changed = [rule for rule in changed if old_meanings[rule.id] != new_meanings[rule.id]]
    return Causes(tuple(added), tuple(gone), tuple(changed))


def _changes(old: _Meanings, new: _Meanings, within: Period) -> list[Change]:
    """Return where and when outcomes differ: periods that are as long as possible, each with all places that share it."""
    found: defaultdict[tuple[Outcome, Outcome, Period], Places] = defaultdict(int)
    # The places that differ up to the current stretch, by both outcomes and the beginning of the difference.
    differing: dict[tuple[Outcome, Outcome, datetime | None], Places] = {}
    meanings = [*(old | new)]
    in_force: tuple[Counter[Extent], Counter[Extent]] = (Counter(), Counter())
    # Looked up once, because hashing a meaning takes time proportional to the number of its periods.
    sides = [[extents for side, extents in zip((old, new), in_force, strict=True) if each in side] for each in meanings]
    for stretch, begun, ended in sweep([meaning.periods for meaning in meanings], within):
        for numbers, more in ((begun, 1), (ended, -1)):
            for number in numbers:
                for extents in sides[number]:
                    extents[meanings[number].extent] += more
        before, after = (places_by_outcome(+extents) for extents in in_force)
        now = {
            (was, becomes): before[was] & after[becomes] for was in before for becomes in after if was is not becomes
        }
        for (was, becomes, start), places in [*differing.items()]:
            still = places & now[was, becomes]
            if ended_there := places & ~still:
                found[was, becomes, Period(start, stretch.start)] |= ended_there
            if still:
                differing[was, becomes, start] = still
                now[was, becomes] &= ~still
            else:
                del differing[was, becomes, start]
        differing |= {(*turn, stretch.start): places for turn, places in now.items() if places}
    for (was, becomes, start), places in differing.items():
        found[was, becomes, Period(start, within.end)] |= places
    changes = [
        Change(Whereabouts(places), was, becomes, period) for (was, becomes, period), places in found.items() if places
    ]
    return sorted(changes, key=_by_period)


def _by_period(change: Change) -> tuple[bool, datetime | int, bool, datetime | int, str, str]:
    start, end = change.period
    return (start is not None, start or 0, end is None, end or 0, f"{change.old} {change.new}", str(change.where))
