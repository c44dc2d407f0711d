"""A rule of which another does all, to everybody and at all times, changes no decision: one of the two is too much."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from withhold.errors import quoted
from withhold.lint.check import Check, Finding, Given
from withhold.lint.spans import Spans
from withhold.lint.supersets import supersets
from withhold.model.ids import IdSet
from withhold.model.policy import Policy, Settle
from withhold.model.rule import Effect, Rule
from withhold.semantics import Reach, alike, extent, reach_of

# With how many others a rule is compared at most, by each of what they name, from whom they withhold, and when.
_COMPARED = 1000


def _find(given: Given) -> Iterator[Finding]:
    found = shadows([rule for rule in given.rules if rule.periods])
    for rule in given.rules:
        if (other := found.get(rule.id)) is None:
            continue
        passed = [rule.id]
        while other.id in found:  # of a row of rules, name the one that stays
            passed.append(other.id)
            other = found[other.id]
        found.update(dict.fromkeys(passed, other))
        where = f"; the other is at {other.place}" if other.place else ""
        hint = f"drop one of them, or say in an override why both stand{where}"
        if rule.demand != other.demand:
            message = f"rule {quoted(other.id)} withholds all of this too, for another demand"
            yield Finding(rule, message, hint, severity="note")
        else:
            yield Finding(rule, f"rule {quoted(other.id)} withholds all of this too", hint)


def shadows(rules: list[Rule]) -> dict[str, Rule]:
    """Return for each rule that another covers that other rule, by the id of the first.

    Of rules that cover each other the first one stays. Rules are put together by what they name and from whom they
    withhold; only those that share these, or have more, are compared, and by their times in one sweep. Of thousands that
    share them, each is compared with some hundreds, those that withhold from most first.
    """
    reach = hidden_by(rules)
    groups: dict[tuple[IdSet, IdSet], dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, rule in enumerate(rules):
        if reach[number]:
            groups[rule.accounts, rule.tweets][reach[number]].append(number)
    listed = list(groups.values())
    around = supersets([_signed(accounts, tweets) for accounts, tweets in groups])
    spans = Spans(rules)
    found: dict[str, Rule] = {}
    widest = [sorted(group, key=int.bit_count, reverse=True)[:_COMPARED] for group in listed]
    for group, larger in zip(listed, around, strict=True):
        each = _COMPARED // len(larger) or 1
        among = [(mask, listed[other][mask]) for other in larger for mask in widest[other][:each]]
        for mask, own in group.items():
            others = (rules_ for wide, rules_ in among if wide & mask == mask and rules_ is not own)
            covered = spans.covered(own, chain(own, islice(chain.from_iterable(others), _COMPARED)))
            found.update((rules[number].id, rules[by]) for number, by in covered)
    return found


def hidden_by(rules: Sequence[Rule]) -> list[int]:
    """Return for each rule whom it hides its subjects from, under either policy, and from whom it suspends them.

    A number has a bit for each set of places that the rules do not tell apart, so one rule does all that another does
    if it has all of its bits.
    """
    extents = {
        reach: [extent(reach, Policy(unknown_location=settle)) for settle in Settle] for reach in map(reach_of, rules)
    }
    cells = [place for place, _ in alike(chain.from_iterable(extents.values()))]

    def number(reach: Reach) -> int:
        found = 0
        for suspends in (False, True):
            for each in extents[reach]:
                mask = each.hidden if reach.effect is Effect.SUSPEND or not suspends else 0
                found = found << len(cells) | sum(1 << at for at, place in enumerate(cells) if mask & place)
        return found

    numbers = {reach: number(reach) for reach in extents}
    return [numbers[reach_of(rule)] for rule in rules]


def _signed(accounts: IdSet, tweets: IdSet) -> array[int]:
    """Return the ids of both kinds in one list; an account and a tweet may have the same number."""
    ids = array("q", accounts)
    ids.extend(-tweet for tweet in tweets)
    return ids


CHECK = Check(
    code="shadowed",
    severity="warning",
    says="A rule must not be shadowed by another.",
    why="Another rule withholds all that it names, from everybody it does, whenever it does, so that it changes no outcome. "
    "Two demands for the same are a good reason, and make this a note.",
    find=_find,
)
