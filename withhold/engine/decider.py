"""Decisions on ids that rules name. Each is made once, then returned from a cache while it is valid."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import NamedTuple

from withhold import native
from withhold.model.decision import Decision, Outcome, Scope
from withhold.model.freshness import Freshness, VariesBy, answer_revision
from withhold.model.places import place_of
from withhold.model.policy import Policy
from withhold.model.rule import Disclosure, Rule
from withhold.model.territory_set import TerritorySet
from withhold.model.tweet import Link
from withhold.model.viewer import LocationKey, Viewer
from withhold.semantics import (
    Extent,
    RuleInForce,
    answer_at,
    concerning,
    extent,
    narrowest,
    places_by_outcome,
    reach_of,
    stretch_at,
    varies_by,
)
from withhold.snapshot import Snapshot
from withhold.snapshot.cache import Cache

_KEPT_DECISIONS = 65_536
_KEPT_GEOGRAPHIES = 4_096
#: How many decisions are dropped at a time, which takes a fifth of a millisecond, and the seconds in between.
_DROPPED, _PAUSE = 100, 0.0005


class _Postings(NamedTuple):
    """The postings of the ids of a subject. Subjects with equal postings get equal decisions."""

    accounts: tuple[int, ...] = ()
    tweets: tuple[int, ...] = ()
    #: If the policy exempts authors: the postings of all ids that are not the viewer's own. None if no id is.
    not_own: tuple[int, ...] | None = None
    #: If the policy exempts authors: for each known author, the postings of all ids that are not theirs.
    not_of_authors: tuple[tuple[int, ...], ...] = ()


_NO_POSTINGS = _Postings()

#: The territories where subjects are withheld, and whether the outcome varies by location.
_Geography = tuple[TerritorySet, bool]


class Decider:
    """Decides from one snapshot under one policy. Its only mutable parts are caches, so threads may share it."""

    def __init__(self, snapshot: Snapshot, policy: Policy, activation: int = 0) -> None:
        self.snapshot = snapshot
        self.policy = policy
        #: The number of the call of `Engine.activate` that created this; 0 if `Engine()` created it.
        self.activation = activation
        self.answer_revision = answer_revision(snapshot.revision, policy)
        self._kept: Cache[tuple[_Postings, LocationKey | None], Decision] = Cache(_KEPT_DECISIONS)
        self._geographies: Cache[frozenset[Extent], _Geography] = Cache(_KEPT_GEOGRAPHIES)
        # Equal values are one object, so that joining those of a page takes no time.
        self._freshness: Cache[Freshness, Freshness] = Cache(_KEPT_GEOGRAPHIES)
        #: The shared answer for all ids that no rule names (A2).
        self.visible = Decision(
            outcome=Outcome.VISIBLE,
            revision=snapshot.revision,
            freshness=Freshness(answer_revision=self.answer_revision),
        )
        #: The cache of the views in C, or None if the tables are not in C.
        self.answers = native.view.Answers() if snapshot.is_native else None

    def decide(self, links: Sequence[Link], viewer: Viewer | None, at: datetime) -> Decision:
        """Decide for a viewer, or for viewers anywhere if `viewer` is None (R10).

        The ids must be checked, and `at` must be in UTC. O(1) if the same question was asked before and no rule of the
        subject has come into force or gone out of force since.
        """
        postings = self._postings_of(links, viewer)
        if postings is _NO_POSTINGS:
            return self.visible
        key = (postings, viewer.location_key if viewer is not None else None)
        if (decision := self._kept.recall(key)) is not None:
            since, until = decision.freshness.since, decision.valid_until
            if (since is None or since <= at) and (until is None or at < until):
                return decision
        decision = self._make(postings, viewer, at)
        self._kept.keep(key, decision)
        return decision

    def empty(self) -> None:
        """Drop the cached decisions. Call this once another decider is in use; older views can still ask this one.

        Freeing all decisions of a large cache at once would hold the GIL for tens of milliseconds, and pages would wait.
        So this drops a few at a time, and sleeps in between.
        """
        if self.answers is not None:
            self.answers.clear()
        while self._kept.drop(_DROPPED):
            time.sleep(_PAUSE)

    def concerning(self, links: Sequence[Link]) -> list[tuple[Rule, Scope]]:
        """Return every rule that names the subject, in force or not, with its scope."""
        accounts, tweets = self._find(links)
        return concerning(self._rules_of(accounts), self._rules_of(tweets))

    def _postings_of(self, links: Sequence[Link], viewer: Viewer | None) -> _Postings:
        accounts, tweets = self._find(links)
        if not accounts and not tweets:
            return _NO_POSTINGS
        if viewer is None or not self.policy.author_sees_own:
            return _Postings(accounts, tweets)
        not_of: dict[int, tuple[int, ...]] = {}
        for _, author in links:
            if author is not None and author not in not_of:
                others = self._find([link for link in links if link[1] != author])
                not_of[author] = others[0] + others[1]
        own = None if viewer.account_id is None else not_of.get(viewer.account_id)
        return _Postings(accounts, tweets, own, tuple(not_of.values()))

    def _find(self, links: Sequence[Link]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the postings of the accounts of a subject, and those of its tweets."""
        find_account, find_tweet = self.snapshot.accounts.find, self.snapshot.tweets.find
        accounts: tuple[int, ...] = ()
        tweets: tuple[int, ...] = ()
        for tweet_id, account_id in links:
            if account_id is not None and (posting := find_account(account_id)) is not None:
                accounts += (posting,)
            if tweet_id is not None and (posting := find_tweet(tweet_id)) is not None:
                tweets += (posting,)
        return accounts, tweets

    def _make(self, postings: _Postings, viewer: Viewer | None, at: datetime) -> Decision:
        rules = concerning(self._rules_of(postings.accounts), self._rules_of(postings.tweets))
        in_force = [
            RuleInForce(rule, scope, extent(reach_of(rule), self.policy)) for rule, scope in rules if rule.in_force(at)
        ]
        named = {rule.id for rule, *_ in in_force}
        own = frozenset[str]() if postings.not_own is None else self._own(named, postings.not_own)
        here = None if viewer is None else place_of(viewer.location_key)
        hiding, outcome, certain = answer_at(in_force, here, own)
        first = hiding[0] if hiding else None
        territories, varies = self._geography(frozenset(each.extent for each in in_force))
        disclosed = [each.extent for each in in_force if each.rule.disclosure is not Disclosure.NONE]
        since, until = stretch_at((period for rule, _ in rules for period in rule.periods), at)
        own_of_authors = [found for others in postings.not_of_authors if (found := self._own(named, others))]
        freshness = Freshness(
            since=since,
            valid_until=until,
            varies_by=VariesBy.NONE if viewer is None else varies_by(in_force, own_of_authors),
            personal=bool(in_force and postings.not_of_authors),
            answer_revision=self.answer_revision,
        )
        return Decision(
            outcome=outcome,
            exempt="author" if hiding and outcome is Outcome.VISIBLE else None,
            rule_ids=tuple(each.rule.id for each in hiding),
            scope=first.scope if first else None,
            reason=first.rule.reason if first else None,
            demand=first.rule.demand if first else None,
            jurisdiction=first.rule.jurisdiction if first else None,
            disclosure=narrowest(each.rule.disclosure for each in hiding),
            territories=territories,
            disclosed_in=territories if len(disclosed) == len(in_force) else self._geography(frozenset(disclosed))[0],
            certain=certain,
            varies_by_location=varies,
            valid_until=until,
            revision=self.snapshot.revision,
            freshness=self._interned(freshness),
        )

    def _own(self, named: set[str], not_own: Sequence[int]) -> frozenset[str]:
        """Return the rules of `named` that name no id of others."""
        return frozenset(named - {rule.id for rule in self._rules_of(not_own)})

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

    def _interned(self, freshness: Freshness) -> Freshness:
        found = self._freshness.recall(freshness)
        if found is None:
            self._freshness.keep(freshness, freshness)
            return freshness
        return found
