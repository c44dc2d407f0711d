"""A rule is redundant if another one withholds the same subjects, from the same viewers, at the same times."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from withhold.errors import quoted
from withhold.lint.check import Check, Context, Finding
from withhold.lint.spans import Spans
from withhold.lint.supersets import supersets
from withhold.model.ids import IdSet
from withhold.model.policy import Policy, Settle
from withhold.model.rule import Effect, Rule
from withhold.semantics import Reach, extent, partition, reach_of

_EFFECTS = list(Effect)  # from the mildest to the severest
# The maximum number of rules with which a rule is compared in each step: by ids, by the viewers they reach, by periods.
_COMPARED = 1000


def _find(context: Context) -> Iterator[Finding]:
    found = shadows([rule for rule in context.rules if rule.periods])
    for rule in context.rules:
        if (other := found.get(rule.id)) is None:
            continue
        passed = [rule.id]
        while other.id in found:  # in a chain of shadowed rules, name the one that is not shadowed itself
            passed.append(other.id)
            other = found[other.id]
        found.update(dict.fromkeys(passed, other))
        where = f"; the other one is at {other.place}" if other.place else ""
        hint = f"delete one of the two rules, or add an override that states why both are needed{where}"
        message = f"rule {quoted(other.id)} withholds everything that this rule withholds"
        if rule.demand != other.demand:
            yield Finding(rule, f"{message}, for another demand", hint, severity="note")
        elif rule.jurisdiction != other.jurisdiction:
            yield Finding(rule, f"{message}, for another jurisdiction", hint, severity="note")
        elif rule.disclosure is not other.disclosure:
            yield Finding(rule, f"{message}, with another disclosure", hint, severity="note")
        else:
            yield Finding(rule, message, hint)


def shadows(rules: list[Rule]) -> dict[str, Rule]:
    """Return a mapping from the id of each shadowed rule to a rule that covers it.

    If rules cover each other, the first one counts as not shadowed. Rules are grouped by their ids and by the viewers
    they reach. A group is compared only with itself and with groups that have at least the same ids and viewers. One
    sweep over time then compares the periods. If thousands of rules share their ids, each is compared with only
    a few hundred of them, beginning with those that reach the most places. So a shadowed rule among thousands may be
    missed, but no rule is reported by mistake.
    """
    reach = hidden_by(rules)
    groups: dict[tuple[IdSet, IdSet], dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, rule in enumerate(rules):
        if reach[number]:
            groups[rule.accounts, rule.tweets][reach[number]].append(number)
    by_reach = list(groups.values())
    around = supersets([_signed(accounts, tweets) for accounts, tweets in groups])
    spans = Spans(rules)
    found: dict[str, Rule] = {}
    widest = [sorted(group, key=int.bit_count, reverse=True)[:_COMPARED] for group in by_reach]
    for group, larger in zip(by_reach, around, strict=True):
        each = _COMPARED // len(larger) or 1
        among = [(mask, by_reach[other][mask]) for other in larger for mask in widest[other][:each]]
        for mask, own in group.items():
            others = (rules_ for wide, rules_ in among if wide & mask == mask and rules_ is not own)
            covered = spans.covered(own, chain(own, islice(chain.from_iterable(others), _COMPARED)))
            found.update((rules[number].id, rules[by]) for number, by in covered)
    return found


def hidden_by(rules: Sequence[Rule]) -> list[int]:
    """Return for each rule a bit set of the viewers from whom it hides its subjects, under either policy.

    There is one bit for each severity of effect, each policy and each set of places that the rules do not distinguish. A
    rule covers another one if it has all of its bits.
    """
    extents = {
        reach: [extent(reach, Policy(unknown_location=settle)) for settle in Settle] for reach in map(reach_of, rules)
    }
    cells = [place for place, _ in partition(chain.from_iterable(extents.values()))]

    def number(reach: Reach) -> int:
        found = 0
        for severity in range(len(_EFFECTS)):
            for each in extents[reach]:
                mask = each.hidden if _EFFECTS.index(reach.effect) >= severity else 0
                found = found << len(cells) | sum(1 << at for at, place in enumerate(cells) if mask & place)
        return found

    numbers = {reach: number(reach) for reach in extents}
    return [numbers[reach_of(rule)] for rule in rules]


def _signed(accounts: IdSet, tweets: IdSet) -> array[int]:
    """Return the ids of both kinds in one list. Tweet ids are negative, as an account may have the same number."""
    ids = array("q", accounts)
    ids.extend(-tweet for tweet in tweets)
    return ids


CHECK = Check(
    code="shadowed",
    severity="warning",
    summary="A rule should not be made redundant by another.",
    rationale="Another rule withholds all the subjects of this rule, from all its viewers, at all its times, so this rule "
    "changes no outcome. If the two answer different demands or jurisdictions, both may be needed, and this is a note.",
    find=_find,
)
