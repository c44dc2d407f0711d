"""Answer the questions of a decision log again, with other rules, and summarize the differences."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from withhold.engine import Engine
from withhold.engine.explain import subject_values
from withhold.model import Link, Outcome, Policy
from withhold.model.instants import in_iso
from withhold.model.tweet import links_of
from withhold.serving.log_record import LoggedHit, LoggedPage
from withhold.snapshot import Snapshot


class Turn(NamedTuple):
    """A hidden tweet with those that it retweets, its logged outcome, and its outcome by the other rules."""

    links: tuple[Link, ...]
    old: Outcome
    new: Outcome


@dataclass(slots=True)
class Behind:
    """The hits of a turn by country (None: unknown), the rules that hid the tweet, and those that hide it now."""

    countries: Counter[str | None] = field(default_factory=Counter)
    old_rules: set[str] = field(default_factory=set)
    new_rules: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Replayed:
    """The answers of the rules of a revision to the questions of a decision log. A hit is a hidden item or quote on a
    page.

    | attribute | meaning |
    |---|---|
    | `pages`, `hits`, `first`, `last` | the pages that were read, the hits on them, and the instants of the first and of the last page |
    | `answered_by` | the pages by the revision of rules and policy that answered them |
    | `turns` | the tweets that get another outcome |
    | `other_rules` | the hits that are hidden by other rules, with the same outcome |
    | `not_named` | the hits whose ids are not in the log, so that they could not be asked about |
    | `visible` | the items that were shown: their ids are not in the log, and the other rules may hide some |
    | `without_account` | the hits that an author may see, as the policy allows, where the log has no accounts of viewers |
    | `left_out` | the pages that were left out of the log, by reason, as far as the log records them |
    """

    revision: str
    pages: int = 0
    hits: int = 0
    first: datetime | None = None
    last: datetime | None = None
    answered_by: Counter[str] = field(default_factory=Counter)
    turns: defaultdict[Turn, Behind] = field(default_factory=lambda: defaultdict(Behind))
    other_rules: int = 0
    not_named: int = 0
    visible: int = 0
    without_account: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def changed(self) -> int:
        """The number of hits that get another outcome."""
        return sum(behind.countries.total() for behind in self.turns.values())

    def by_country(self) -> list[dict[str, object]]:
        """Return the hits and the different tweets that get another outcome, by country, the most hits first."""
        hits = Counter[tuple[str | None, Outcome, Outcome]]()
        tweets = Counter[tuple[str | None, Outcome, Outcome]]()
        for (_, old, new), behind in self.turns.items():
            for country, count in behind.countries.items():
                hits[country, old, new] += count
                tweets[country, old, new] += 1
        ordered = sorted(hits, key=lambda key: (-hits[key], key[0] or "", *key[1:]))
        return [
            {"country": key[0], "old": key[1], "new": key[2], "hits": hits[key], "tweets": tweets[key]}
            for key in ordered
        ]

    def by_rule(self) -> list[dict[str, object]]:
        """Return the hits and the different tweets that get another outcome, by the rules that hid them and no longer do."""
        hits, tweets = Counter[str](), Counter[str]()
        for behind in self.turns.values():
            for rule in behind.old_rules - behind.new_rules:
                hits[rule] += behind.countries.total()
                tweets[rule] += 1
        return [
            {"rule": rule, "hits": hits[rule], "tweets": tweets[rule]}
            for rule in sorted(hits, key=lambda rule: (-hits[rule], rule))
        ]

    def ordered(self) -> list[tuple[Turn, Behind]]:
        """Return the turns, those with the most hits first."""
        return sorted(self.turns.items(), key=lambda item: (-item[1].countries.total(), str(item[0])))

    def to_dict(self) -> dict[str, object]:
        """Return the whole result as JSON values, with ids as text."""
        return {
            "revision": self.revision,
            "pages": self.pages,
            "hits": self.hits,
            "first": in_iso(self.first),
            "last": in_iso(self.last),
            "answered_by": dict(self.answered_by),
            "different": bool(self.turns),
            "hits_changed": self.changed,
            "changes": [
                {
                    "subject": subject_values(turn.links),
                    "old": turn.old,
                    "new": turn.new,
                    "hits": [{"country": country, "hits": count} for country, count in behind.countries.most_common()],
                    "old_rules": sorted(behind.old_rules),
                    "new_rules": sorted(behind.new_rules),
                }
                for turn, behind in self.ordered()
            ],
            "by_country": self.by_country(),
            "by_rule": self.by_rule(),
            "other_rules": self.other_rules,
            "not_in_the_log": {
                "visible_items": self.visible,
                "hits_without_ids": self.not_named,
                "hits_without_account": self.without_account,
                "pages_left_out": dict(self.left_out),
            },
        }


def replay(rules: Snapshot, pages: Iterable[LoggedPage]) -> Replayed:
    """Decide each hidden tweet of a log again: for the same place, instant and policy, with other rules. O(hits).

    >>> from datetime import UTC, datetime
    >>> from withhold import Outcome, Policy, RuleSet, Viewer
    >>> hit = LoggedHit((20, 17), Outcome.WITHHELD, ("in-1",))
    >>> page = LoggedPage(
    ...     datetime(2021, 2, 10, tzinfo=UTC), "8f0c-show", Policy(), Viewer(country="IN"), False, 9, [hit], Counter()
    ... )
    >>> found = replay(Snapshot.compile(RuleSet([])), [page])
    >>> found.by_country(), found.visible
    ([{'country': 'IN', 'old': <Outcome.WITHHELD: 'withheld'>, 'new': <Outcome.VISIBLE: 'visible'>, 'hits': 1, 'tweets': 1}], 9)
    """
    engines: dict[Policy, Engine] = {}
    found = Replayed(rules.revision)
    for page in pages:
        engine = engines.get(page.policy)
        if engine is None:
            engine = engines[page.policy] = Engine(rules, page.policy)
        found.pages += 1
        found.hits += len(page.hits)
        found.visible += page.visible
        found.left_out.update(page.left_out)
        found.answered_by[page.answer_revision] += 1
        found.first = min(filter(None, (found.first, page.at)))
        found.last = max(filter(None, (found.last, page.at)))
        if page.policy.author_sees_own and not page.has_account:
            found.without_account += len(page.hits)
        for hit in page.hits:
            _ask(engine, page, hit, found)
    return found


def _ask(engine: Engine, page: LoggedPage, hit: LoggedHit, found: Replayed) -> None:
    if hit.subject is None:
        found.not_named += 1
        return
    decision = engine.check(hit.subject, page.viewer, page.at)
    if decision.outcome is not hit.outcome:
        behind = found.turns[Turn(links_of(hit.subject), hit.outcome, decision.outcome)]
        behind.countries[page.viewer.country] += 1
        behind.old_rules.update(hit.rule_ids)
        behind.new_rules.update(decision.rule_ids)
    elif set(decision.rule_ids) != set(hit.rule_ids):
        found.other_rules += 1
