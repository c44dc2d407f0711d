"""Decisions for what rules name: made once, kept while they hold, handed out again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import reduce
from operator import or_

from withhold import native
from withhold.model.decision import Decision, Outcome, Scope
from withhold.model.places import place_of
from withhold.model.policy import Policy
from withhold.model.rule import Rule
from withhold.model.territory_set import TerritorySet
from withhold.model.tweet import Link
from withhold.model.viewer import LocationKey, Viewer
from withhold.semantics import (
    Extent,
    Spoken,
    combine,
    concerning,
    everywhere,
    extent,
    reach_of,
    speaking_key,
    stretch_at,
)
from withhold.snapshot import Snapshot
from withhold.snapshot.cache import Cache

_KEPT_DECISIONS = 65_536
_KEPT_GEOGRAPHIES = 4_096

#: The postings of a subject: those of its accounts, those of its tweets, and those that are not the viewer's own
#: (None unless the policy shows authors what is theirs).
_Named = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...] | None]

_NOTHING: _Named = ((), (), None)

#: A decision, and the instant since which it holds (None: from the beginning).
_Kept = tuple[datetime | None, Decision]


#: Where subjects are withheld, and whether the outcome varies by location.
_Geography = tuple[TerritorySet, bool]


class Decider:
    """One snapshot under one policy. All it holds besides is caches, so threads share it."""

    def __init__(self, snapshot: Snapshot, policy: Policy, asked: int = 0) -> None:
        self.snapshot = snapshot
        self.policy = policy
        #: Which call of `Engine.activate` asked for this one; 0 for the first.
        self.asked = asked
        self._kept: Cache[tuple[_Named, LocationKey | None], _Kept] = Cache(_KEPT_DECISIONS)
        self._geographies: Cache[frozenset[Extent], _Geography] = Cache(_KEPT_GEOGRAPHIES)
        self._visible: _Kept = (None, snapshot.visible)
        # Where viewers can be is some thousand places.
        self._location_keys: dict[LocationKey, LocationKey] = {}
        #: What views in C keep besides, where the tables are in C; None where they are not.
        self.answers = native.view.Answers() if snapshot.is_native else None

    def decide(self, links: Sequence[Link], viewer: Viewer | None, at: datetime) -> Decision:
        """Decide for a viewer, or for whoever may get it (None, R10); ids are checked, `at` is in UTC.

        O(1) for what was asked before at an instant since which nothing has changed.
        """
        return self.kept(links, viewer, at)[1]

    def kept(self, links: Sequence[Link], viewer: Viewer | None, at: datetime) -> _Kept:
        """Decide, and say since when the decision holds (None: always); it does until its `valid_until`."""
        named = self._named(links, viewer)
        if named is _NOTHING:
            return self._visible
        key = (named, viewer.location_key if viewer is not None else None)
        if (kept := self._kept.recall(key)) is not None:
            since, decision = kept
            if (since is None or since <= at) and (decision.valid_until is None or at < decision.valid_until):
                return kept
        kept = self._make(named, viewer, at)
        self._kept.keep(key, kept)
        return kept

    def concerning(self, links: Sequence[Link]) -> list[tuple[Rule, Scope]]:
        """Return every rule that names the subject, whatever its state, and through what."""
        accounts, tweets, _ = self._named(links, None)
        return concerning(self._rules_of(accounts), self._rules_of(tweets))

    def location_key_of(self, viewer: Viewer) -> LocationKey:
        """Return where a viewer is, as one object for all who are there."""
        return self._location_keys.setdefault(viewer.location_key, viewer.location_key)

    def _named(self, links: Sequence[Link], viewer: Viewer | None) -> _Named:
        find_account, find_tweet = self.snapshot.accounts.find, self.snapshot.tweets.find
        accounts: tuple[int, ...] = ()
        tweets: tuple[int, ...] = ()
        for tweet_id, account_id in links:
            if account_id is not None and (posting := find_account(account_id)) is not None:
                accounts += (posting,)
            if tweet_id is not None and (posting := find_tweet(tweet_id)) is not None:
                tweets += (posting,)
        if not accounts and not tweets:
            return _NOTHING
        own = viewer.account_id if viewer is not None and self.policy.author_sees_own else None
        if own is None or all(account_id != own for _, account_id in links):
            return (accounts, tweets, None)
        foreign_accounts, foreign_tweets, _ = self._named([link for link in links if link[1] != own], None)
        return (accounts, tweets, foreign_accounts + foreign_tweets)

    def _make(self, named: _Named, viewer: Viewer | None, at: datetime) -> _Kept:
        accounts, tweets, foreign = named
        rules = concerning(self._rules_of(accounts), self._rules_of(tweets))
        not_own = None if foreign is None else {rule.id for rule in self._rules_of(foreign)}
        in_force = [(rule, scope, extent(reach_of(rule), self.policy)) for rule, scope in rules if rule.in_force(at)]
        here = None if viewer is None else place_of(viewer.location_key)
        certain: list[Spoken] = []
        possible: list[Spoken] = []
        spoken: list[Spoken] = []
        for rule, scope, where in in_force:
            # Without a viewer it is somebody, wherever they are, from whom the rule hides (R10).
            surely, perhaps, hidden = (
                (where.hidden,) * 3
                if here is None
                else (where.surely & here, where.possible & here, where.hidden & here)
            )
            if perhaps:
                one = Spoken(rule, scope, surely != 0, own=not_own is not None and rule.id not in not_own)
                possible.append(one)
                if surely:
                    certain.append(one)
                if hidden:
                    spoken.append(one)
        spoken.sort(key=speaking_key)
        outcome, first = combine(spoken), spoken[0] if spoken else None
        territories, varies = self._geography(frozenset(where for *_, where in in_force))
        since, until = stretch_at((period for rule, _ in rules for period in rule.periods), at)
        return since, Decision(
            outcome=outcome,
            exempt="author" if spoken and outcome is Outcome.VISIBLE else None,
            rule_ids=tuple(each.rule.id for each in spoken),
            scope=first.scope if first else None,
            reason=first.rule.reason if first else None,
            demand=first.rule.demand if first else None,
            territories=territories,
            certain=len(certain) == len(possible) or combine(certain) is combine(possible),
            varies_by_location=varies,
            valid_until=until,
            revision=self.snapshot.revision,
        )

    def _rules_of(self, postings: Iterable[int]) -> Iterator[Rule]:
        return (rule for posting in postings for rule in self.snapshot.rules_of(posting))

    def _geography(self, extents: frozenset[Extent]) -> _Geography:
        found = self._geographies.recall(extents)
        if found is None:
            territories = reduce(or_, (each.territories for each in extents), 0)
            outcomes = sum(map(bool, everywhere(extents).values()))
            found = TerritorySet.of(territories), outcomes > 1
            self._geographies.keep(extents, found)
        return found
