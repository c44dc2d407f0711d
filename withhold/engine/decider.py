"""Decisions on ids that rules name. Each is made once, and returned from a cache while it is valid."""

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
    ReachingRule,
    combine,
    concerning,
    extent,
    places_by_outcome,
    reach_of,
    speaking_key,
    stretch_at,
)
from withhold.snapshot import Snapshot
from withhold.snapshot.cache import Cache

_KEPT_DECISIONS = 65_536
_KEPT_GEOGRAPHIES = 4_096

#: The postings of a subject's accounts, those of its tweets, and those of all its ids that are not the viewer's own
#: (None if no id is, or if the policy does not exempt authors).
_Postings = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...] | None]

_NO_POSTINGS: _Postings = ((), (), None)

#: A decision, and the instant from which it is valid (None: always, up to its `valid_until`).
_Kept = tuple[datetime | None, Decision]

#: The territories where subjects are withheld, and whether the outcome varies by location.
_Geography = tuple[TerritorySet, bool]


class Decider:
    """Decides from one snapshot under one policy. Everything else in it is a cache, so threads may share it."""

    def __init__(self, snapshot: Snapshot, policy: Policy, activation: int = 0) -> None:
        self.snapshot = snapshot
        self.policy = policy
        #: The number of the call of `Engine.activate` that created this; 0 if `Engine()` created it.
        self.activation = activation
        self._kept: Cache[tuple[_Postings, LocationKey | None], _Kept] = Cache(_KEPT_DECISIONS)
        self._geographies: Cache[frozenset[Extent], _Geography] = Cache(_KEPT_GEOGRAPHIES)
        self._visible: _Kept = (None, snapshot.visible)
        # This dict needs no limit, because viewers can only be at a few thousand places.
        self._location_keys: dict[LocationKey, LocationKey] = {}
        #: The cache of the views in C, or None if the tables are not in C.
        self.answers = native.view.Answers() if snapshot.is_native else None

    def decide(self, links: Sequence[Link], viewer: Viewer | None, at: datetime) -> Decision:
        """Decide for a viewer, or for viewers anywhere if `viewer` is None (R10).

        The ids must be checked, and `at` must be in UTC. O(1) if the same question was asked before and no rule of the
        subject has come into force or gone out of force since.
        """
        return self.kept(links, viewer, at)[1]

    def kept(self, links: Sequence[Link], viewer: Viewer | None, at: datetime) -> _Kept:
        """Return the decision with the instant from which it is valid; it is valid up to its `valid_until`."""
        postings = self._postings_of(links, viewer)
        if postings is _NO_POSTINGS:
            return self._visible
        key = (postings, viewer.location_key if viewer is not None else None)
        if (kept := self._kept.recall(key)) is not None:
            since, decision = kept
            if (since is None or since <= at) and (decision.valid_until is None or at < decision.valid_until):
                return kept
        kept = self._make(postings, viewer, at)
        self._kept.keep(key, kept)
        return kept

    def concerning(self, links: Sequence[Link]) -> list[tuple[Rule, Scope]]:
        """Return every rule that names the subject, in force or not, with its scope."""
        accounts, tweets, _ = self._postings_of(links, None)
        return concerning(self._rules_of(accounts), self._rules_of(tweets))

    def location_key_of(self, viewer: Viewer) -> LocationKey:
        """Return the location of a viewer; all viewers at one location get the same object."""
        return self._location_keys.setdefault(viewer.location_key, viewer.location_key)

    def _postings_of(self, links: Sequence[Link], viewer: Viewer | None) -> _Postings:
        find_account, find_tweet = self.snapshot.accounts.find, self.snapshot.tweets.find
        accounts: tuple[int, ...] = ()
        tweets: tuple[int, ...] = ()
        for tweet_id, account_id in links:
            if account_id is not None and (posting := find_account(account_id)) is not None:
                accounts += (posting,)
            if tweet_id is not None and (posting := find_tweet(tweet_id)) is not None:
                tweets += (posting,)
        if not accounts and not tweets:
            return _NO_POSTINGS
        own = viewer.account_id if viewer is not None and self.policy.author_sees_own else None
        if own is None or all(account_id != own for _, account_id in links):
            return (accounts, tweets, None)
        other_accounts, other_tweets, _ = self._postings_of([link for link in links if link[1] != own], None)
        return (accounts, tweets, other_accounts + other_tweets)

    def _make(self, postings: _Postings, viewer: Viewer | None, at: datetime) -> _Kept:
        accounts, tweets, others = postings
        rules = concerning(self._rules_of(accounts), self._rules_of(tweets))
        not_own = None if others is None else {rule.id for rule in self._rules_of(others)}
        in_force = [(rule, scope, extent(reach_of(rule), self.policy)) for rule, scope in rules if rule.in_force(at)]
        here = None if viewer is None else place_of(viewer.location_key)
        certain: list[ReachingRule] = []
        possible: list[ReachingRule] = []
        hiding: list[ReachingRule] = []
        for rule, scope, where in in_force:
            # Without a viewer, a rule counts if it hides the subject from a viewer anywhere (R10).
            surely, perhaps, hidden = (
                (where.hidden,) * 3
                if here is None
                else (where.surely & here, where.possible & here, where.hidden & here)
            )
            if perhaps:
                one = ReachingRule(rule, scope, surely != 0, own=not_own is not None and rule.id not in not_own)
                possible.append(one)
                if surely:
                    certain.append(one)
                if hidden:
                    hiding.append(one)
        hiding.sort(key=speaking_key)
        outcome, first = combine(hiding), hiding[0] if hiding else None
        territories, varies = self._geography(frozenset(where for *_, where in in_force))
        since, until = stretch_at((period for rule, _ in rules for period in rule.periods), at)
        return since, Decision(
            outcome=outcome,
            exempt="author" if hiding and outcome is Outcome.VISIBLE else None,
            rule_ids=tuple(each.rule.id for each in hiding),
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
            outcomes = sum(map(bool, places_by_outcome(extents).values()))
            found = TerritorySet.of(territories), outcomes > 1
            self._geographies.keep(extents, found)
        return found
