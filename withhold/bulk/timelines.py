"""Timelines: where subjects with the same rules are hidden, and at which instants that changes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple

from withhold.model import Outcome, Policy, Reason, Rule
from withhold.model.places import Places
from withhold.semantics import RuleInForce, answer_at, concerning, extent, places_by_outcome, reach_of, sweep
from withhold.snapshot import Snapshot

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(instant: datetime) -> int:
    """Return an aware instant as the number of microseconds since 1970.

    >>> microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (instant - _EPOCH) // _MICROSECOND


class Stretch(NamedTuple):
    """A period throughout which the same rules are in force."""

    #: In microseconds since 1970; None for the first stretch of a timeline, which has no beginning.
    start: int | None
    in_force: tuple[RuleInForce, ...]
    #: The places where the subjects are hidden.
    hidden: Places


class BulkAnswer(NamedTuple):
    """The outcome of a hidden row, with the id, the reason and the demand of the rule that speaks."""

    outcome: Outcome
    rule: str
    reason: Reason
    demand: str | None


class Timelines:
    """Makes the timelines of a snapshot under a policy, and the answers on them. Threads may share it.

    A subject is given by its key, in which the postings of a tweet and its author are one number, and by the key of its source
    if it is a retweet. Without an author to exempt, nothing else determines an answer.
    """

    def __init__(self, snapshot: Snapshot, policy: Policy) -> None:
        self._snapshot, self._policy = snapshot, policy
        self._numbers = count()
        self._stretches: dict[int, list[Stretch]] = {}
        self._answers: dict[tuple[int, int, int], BulkAnswer] = {}

    def make(self, key: int, of_source: int) -> tuple[int, list[Stretch]]:
        """Return the number and the stretches of a new timeline."""
        keys = (key, of_source)
        accounts = self._rules_of((each & 0xFFFF_FFFF) - 1 for each in keys)
        tweets = self._rules_of((each >> 32) - 1 for each in keys)
        rules = [
            RuleInForce(rule, scope, extent(reach_of(rule), self._policy))
            for rule, scope in concerning(accounts, tweets)
        ]
        found = []
        active: dict[int, RuleInForce] = {}
        for period, begun, ended in sweep([each.rule.periods for each in rules]):
            for number in ended:  # first, because a period of a rule may begin when its previous period ends
                del active[number]
            active.update((number, rules[number]) for number in begun)
            outcomes = places_by_outcome(each.extent for each in active.values())
            hidden = outcomes[Outcome.WITHHELD] | outcomes[Outcome.SUSPENDED]
            start = None if period.start is None else microseconds(period.start)
            found.append(Stretch(start, tuple(active.values()), hidden))
        number = next(self._numbers)
        self._stretches[number] = found
        return number, found

    def answer(self, timeline: int, stretch: int, place: int) -> BulkAnswer:
        """Return the answer at a place, given by its bit, where the subjects of a timeline are hidden. O(1) if repeated."""
        key = (timeline, stretch, place)
        found = self._answers.get(key)
        if found is None:
            hiding, outcome, _ = answer_at(self._stretches[timeline][stretch].in_force, 1 << place)
            first = hiding[0].rule
            found = BulkAnswer(outcome, first.id, first.reason, first.demand)
            self._answers[key] = found
        return found

    def _rules_of(self, postings: Iterable[int]) -> Iterable[Rule]:
        return (rule for posting in postings if posting >= 0 for rule in self._snapshot.rules_of(posting))
