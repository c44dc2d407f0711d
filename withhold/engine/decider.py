"""Decisions for what rules name: made once, kept while they hold, handed out again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from withhold import native
from withhold.engine.reach import Geography, Reach
from withhold.model.decision import Decision, Outcome, Scope
from withhold.model.policy import Policy
from withhold.model.rule import Reason, Rule
from withhold.model.tweet import Link
from withhold.model.viewer import Standpoint, Viewer
from withhold.snapshot import Snapshot
from withhold.snapshot.cache import Cache

_KEPT_DECISIONS = 65_536
_KEPT_GEOGRAPHIES = 4_096
_REASONS = {reason: rank for rank, reason in enumerate(Reason)}

#: The postings of a subject: those of its accounts, those of its tweets, and those that are not the viewer's own
#: (None unless the policy shows authors what is theirs).
_Named = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...] | None]

_NOTHING: _Named = ((), (), None)

#: A decision, and the instant since which it holds (None: from the beginning).
_Kept = tuple[datetime | None, Decision]


class Decider:
    """One snapshot under one policy. All it holds besides is caches, so threads share it."""

    def __init__(self, snapshot: Snapshot, policy: Policy, asked: int = 0) -> None:
        self.snapshot = snapshot
        self.policy = policy
        #: Which call of `Engine.activate` asked for this one; 0 for the first.
        self.asked = asked
        self._kept: Cache[tuple[_Named, Standpoint | None], _Kept] = Cache(_KEPT_DECISIONS)
        self._geographies: Cache[frozenset[Reach], Geography] = Cache(_KEPT_GEOGRAPHIES)
        self._visible: _Kept = (None, snapshot.visible)
        # Where viewers can be is some thousand places.
        self._standpoints: dict[Standpoint, Standpoint] = {}
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
        key = (named, viewer.standpoint if viewer is not None else None)
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
        return self._scoped(accounts, tweets)

    def standpoint_of(self, viewer: Viewer) -> Standpoint:
        """Return where a viewer is, as one object for all who are there."""
        return self._standpoints.setdefault(viewer.standpoint, viewer.standpoint)

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
        accounts, tweets, others = named
        concerning = self._scoped(accounts, tweets)
        not_own = {rule.id for posting in others or () for rule in self.snapshot.rules_of(posting)}
        lifted = set() if others is None else {rule.id for rule, _ in concerning} - not_own
        in_force = [(rule, scope, Reach.of(rule, self.policy)) for rule, scope in concerning if rule.in_force(at)]
        geography = self._geography(frozenset(reach for _, _, reach in in_force))
        certainly: list[_Speaks] = []
        perhaps: list[_Speaks] = []
        said: list[tuple[Rule, Scope, bool, _Speaks]] = []
        for rule, scope, reach in in_force:
            reached = reach in geography.felt if viewer is None else reach.reaches(viewer.standpoint)
            if reached is not False:
                speaks = _Speaks(reach.suspends, rule.id in lifted)
                (perhaps if reached is None else certainly).append(speaks)
                if reached or reach.withholds_unknown:
                    said.append((rule, scope, reached is True, speaks))
        said.sort(key=_order)
        outcome = _outcome(speaks for *_, speaks in said)
        first = said[0] if said else None
        edges = {bound for rule, _ in concerning for period in rule.periods for bound in period if bound is not None}
        decision = Decision(
            outcome=outcome,
            exempt="author" if said and outcome is Outcome.VISIBLE else None,
            rule_ids=tuple(rule.id for rule, *_ in said),
            scope=first[1] if first else None,
            reason=first[0].reason if first else None,
            demand=first[0].demand if first else None,
            territories=geography.territories,
            certain=_outcome(certainly) == _outcome(certainly + perhaps),
            varies_by_location=geography.varies,
            valid_until=min((edge for edge in edges if edge > at), default=None),
            revision=self.snapshot.revision,
        )
        return max((edge for edge in edges if edge <= at), default=None), decision

    def _scoped(self, accounts: Iterable[int], tweets: Iterable[int]) -> list[tuple[Rule, Scope]]:
        """Return the rules of postings once each; one that names account and tweet acts through the account (R7)."""
        found: dict[str, tuple[Rule, Scope]] = {}
        for scope, postings in ((Scope.ACCOUNT, accounts), (Scope.TWEET, tweets)):
            for rule in (rule for posting in postings for rule in self.snapshot.rules_of(posting)):
                found.setdefault(rule.id, (rule, scope))
        return list(found.values())

    def _geography(self, reaches: frozenset[Reach]) -> Geography:
        found = self._geographies.recall(reaches)
        if found is None:
            found = Geography.of(reaches)
            self._geographies.keep(reaches, found)
        return found


class _Speaks(NamedTuple):
    """What a rule that reaches the viewer does to them: it suspends or withholds, unless it is lifted for authors."""

    suspends: bool
    lifted: bool


def _outcome(speaking: Iterable[_Speaks]) -> Outcome:
    """R5, R6, R9."""
    outcome = Outcome.VISIBLE
    for suspends, lifted in speaking:
        if suspends:
            return Outcome.SUSPENDED
        if not lifted:
            outcome = Outcome.WITHHELD
    return outcome


def _order(said: tuple[Rule, Scope, bool, _Speaks]) -> tuple[object, ...]:
    """R7."""
    rule, scope, certain, speaks = said
    rank = (not speaks.suspends, scope is Scope.TWEET, not certain, _REASONS[rule.reason])
    return (*rank, rule.from_ is not None, rule.from_, rule.id)
