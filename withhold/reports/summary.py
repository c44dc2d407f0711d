"""Summarize differences: grouped by their changes, and counted by country, by demand and by impressions."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from withhold.engine import Engine, View
from withhold.model.decision import Outcome
from withhold.model.instants import in_iso
from withhold.model.places import place_of, within_any
from withhold.model.policy import Policy
from withhold.model.rule import Period, Reason, Rule
from withhold.model.viewer import Viewer
from withhold.reports.difference import Change, Difference
from withhold.reports.traffic import Impression
from withhold.reports.whereabouts import Whereabouts
from withhold.snapshot import Snapshot
from withhold.snapshot.snapshot import Kind

_ALWAYS = Period()


class Side(NamedTuple):
    """One of two rule sets: its name, as the user gave it, its revision, and its source: `path`, `commit 5fc1695…` or None."""

    name: str
    revision: str
    source: str | None = None


@dataclass(slots=True)
class Block:
    """All subjects of a kind with the same changes, and the rules that cause these changes, by id."""

    kind: Kind
    changes: tuple[Change, ...]
    ids: array[int] = field(default_factory=lambda: array("q"))
    new: dict[str, Rule] = field(default_factory=dict)
    gone: dict[str, Rule] = field(default_factory=dict)
    changed: dict[str, Rule] = field(default_factory=dict)

    def rules(self) -> Iterator[tuple[str, list[Rule]]]:
        """Yield three lists, ordered by id: the rules that name the subjects only now, no longer name them, or changed."""
        for name, found in (("now_names", self.new), ("no_longer_names", self.gone), ("changed", self.changed)):
            yield name, [found[id_] for id_ in sorted(found)]

    def to_dict(self) -> dict[str, object]:
        return {
            "kind": self.kind.removesuffix("s"),
            "count": len(self.ids),
            "ids": list(map(str, self.ids)),
            "outcomes": [change.to_dict() for change in self.changes],
            "rules": {
                name: [{"id": rule.id, "place": str(rule.place) if rule.place else None} for rule in rules]
                for name, rules in self.rules()
            },
        }


class SummaryRow(NamedTuple):
    """The numbers of accounts and tweets that get a different outcome in some countries (or at an unknown location)."""

    where: Whereabouts
    old: Outcome
    new: Outcome
    accounts: int
    tweets: int


class Blamed(NamedTuple):
    """The numbers of accounts and tweets whose outcome changes because of rules with a demand and a jurisdiction.

    Either is None for rules without it.
    """

    demand: str | None
    jurisdiction: str | None
    reason: Reason
    accounts: int
    tweets: int


class Impact(NamedTuple):
    """The number of impressions that get a different outcome at an instant, by country and outcomes, and the total."""

    at: datetime
    impressions: int
    changed: dict[tuple[str | None, Outcome, Outcome], int]

    def to_dict(self) -> dict[str, object]:
        return {
            "at": in_iso(self.at),
            "impressions": self.impressions,
            "changed": [
                {"country": country, "old": old, "new": new, "impressions": count}
                for (country, old, new), count in self.changed.items()
            ],
        }


@dataclass(slots=True)
class Summary:
    """The effects of a change of rules. `audit` has the differences that change no outcome."""

    old: Side
    new: Side
    blocks: list[Block]
    audit: list[Block]
    rows: list[SummaryRow]
    blamed: list[Blamed]
    within: Period = _ALWAYS
    impact: Impact | None = None

    @property
    def counts(self) -> tuple[int, int]:
        """The numbers of accounts and of tweets that get a different outcome."""
        return _counts(self.blocks)

    @property
    def audit_counts(self) -> tuple[int, int]:
        return _counts(self.audit)

    def to_dict(self, *, audit: bool = False) -> dict[str, object]:
        """Return the summary as JSON values. Ids are text, because some readers of JSON round large numbers."""
        impact = self.impact
        return {
            "old": self.old._asdict(),
            "new": self.new._asdict(),
            "from": in_iso(self.within.start),
            "until": in_iso(self.within.end),
            "different": bool(self.blocks or (audit and self.audit)),
            **dict(zip(("accounts", "tweets"), self.counts, strict=True)),
            "changes": [block.to_dict() for block in self.blocks],
            "unnoticed": dict(zip(("accounts", "tweets"), self.audit_counts, strict=True)),
            **({"audit": [block.to_dict() for block in self.audit]} if audit else {}),
            "by_country": [{**row._asdict(), "where": str(row.where)} for row in self.rows],
            "by_demand": [blamed._asdict() for blamed in self.blamed],
            "traffic": impact and impact.to_dict(),
        }


def summarize(old: Side, new: Side, found: Iterable[Difference], within: Period = _ALWAYS) -> Summary:
    """Summarize differences. Those with the most subjects come first."""
    blocks: dict[tuple[Kind, tuple[Change, ...]], Block] = {}
    places: Counter[tuple[Whereabouts, Outcome, Outcome, Kind]] = Counter()
    blamed: defaultdict[tuple[str, str, Reason], Counter[Kind]] = defaultdict(Counter)
    for kind, ids, changes, causes in ((each.kind, each.ids, each.changes, each.causes) for each in found):
        block = blocks.setdefault((kind, changes), Block(kind, changes))
        block.ids.extend(ids)
        for rules, behind in ((block.new, causes.new), (block.gone, causes.gone), (block.changed, causes.changed)):
            rules.update((rule.id, rule) for rule in behind)
        if not changes:
            continue
        where: defaultdict[tuple[Outcome, Outcome], Whereabouts] = defaultdict(Whereabouts)
        for change in changes:
            where[change.old, change.new] |= change.where
        for (was, becomes), there in where.items():
            places[there, was, becomes, kind] += len(ids)
        rules_behind = (*causes.new, *causes.gone, *causes.changed)
        for grounds in {(rule.demand or "", rule.jurisdiction or "", rule.reason) for rule in rules_behind}:
            blamed[grounds][kind] += len(ids)
    for block in blocks.values():
        block.ids = array("q", sorted(block.ids))
    ordered = sorted(blocks.values(), key=lambda block: (block.kind, -len(block.ids), block.ids[0]))
    return Summary(
        old,
        new,
        [block for block in ordered if block.changes],
        [block for block in ordered if not block.changes],
        list(_rows(places)),
        [
            Blamed(demand or None, jurisdiction or None, reason, counts["accounts"], counts["tweets"])
            for (demand, jurisdiction, reason), counts in sorted(blamed.items())
        ],
        within,
    )


def weigh(
    old: Snapshot, new: Snapshot, traffic: Iterable[Impression], at: datetime, policy: Policy | None = None
) -> Impact:
    """Count the impressions that get a different outcome at an instant. A tweet's outcome includes its author's."""
    engines = Engine(old, policy), Engine(new, policy)
    views: dict[str | None, tuple[View, View]] = {}
    changed: Counter[tuple[str | None, Outcome, Outcome]] = Counter()
    total = 0
    for tweet, account, country, count in traffic:
        total += count
        if country not in views:
            viewer = Viewer(country=country)
            views[country] = engines[0].view(viewer, at), engines[1].view(viewer, at)
        before, after = views[country]
        was, becomes = (
            before.check(tweet_id=tweet, account_id=account).outcome,
            after.check(tweet_id=tweet, account_id=account).outcome,
        )
        if was is not becomes and count:
            changed[country, was, becomes] += count
    return Impact(at, total, dict(sorted(changed.items(), key=lambda item: (-item[1], item[0][0] or "", *item[0][1:]))))


def _counts(blocks: Iterable[Block]) -> tuple[int, int]:
    found = Counter({"accounts": 0, "tweets": 0})
    for block in blocks:
        found[block.kind] += len(block.ids)
    return found["accounts"], found["tweets"]


def _rows(places: Counter[tuple[Whereabouts, Outcome, Outcome, Kind]]) -> Iterator[SummaryRow]:
    """Yield the sums by country. Countries in which the same subjects change share a row."""
    by_turn: defaultdict[tuple[Outcome, Outcome], dict[Whereabouts, None]] = defaultdict(dict)
    for there, was, becomes, _ in places:
        by_turn[was, becomes][there] = None
    for (was, becomes), wheres in sorted(by_turn.items()):
        touching: defaultdict[str | None, list[Whereabouts]] = defaultdict(list)
        for there in wheres:
            for country in there.touched():
                touching[country].append(there)
        groups: defaultdict[tuple[Whereabouts, ...], list[str | None]] = defaultdict(list)
        for country, several in touching.items():
            groups[tuple(several)].append(country)
        rows = [
            SummaryRow(
                _united(countries),
                was,
                becomes,
                sum(places[there, was, becomes, "accounts"] for there in several),
                sum(places[there, was, becomes, "tweets"] for there in several),
            )
            for several, countries in groups.items()
        ]
        yield from sorted(rows, key=lambda row: (-row.accounts - row.tweets, str(row.where)))


def _united(countries: Collection[str | None]) -> Whereabouts:
    """Return countries, and None for an unknown location, as one set."""
    unknown = place_of((None, ())) if None in countries else 0
    return Whereabouts(within_any(filter(None, countries)) | unknown)
