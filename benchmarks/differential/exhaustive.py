"""All questions about a small world.

Random questions prove nothing, but these prove that no answer about this world is wrong.

Rules in this world name six codes: `WORLD`, a country, and a country with regions and provinces. Viewers are at nine
places. For rules with these codes, every other place is equivalent to one of the nine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import combinations, combinations_with_replacement, product
from typing import NamedTuple

from withhold import Effect, Policy, Reason, Rule, RuleSet, Scope, Settle, Tweet, Viewer
from withhold.model import Period
from withhold.model.tweet import Subject
from withhold.model.viewer import LocationKey

#: IT-62 and IT-25 are regions of IT, and IT-RM is a province of IT-62.
CODES = ("WORLD", "US", "IT", "IT-62", "IT-RM", "IT-25")
#: One place of each kind that the codes distinguish. IN, IT-LT (in IT-62) and IT-45 are siblings that no rule names.
PLACES: tuple[LocationKey, ...] = (
    (None, ()),
    ("US", ()),
    ("IN", ()),
    ("IT", ()),
    ("IT", ("IT-62",)),
    ("IT", ("IT-RM",)),
    ("IT", ("IT-LT",)),
    ("IT", ("IT-25",)),
    ("IT", ("IT-45",)),
)
#: The smallest territory around each code, written by hand. Expected patterns are computed from it.
_AROUND = {
    **dict.fromkeys(("US", "IN", "IT"), "WORLD"),
    **dict.fromkeys(("IT-62", "IT-25", "IT-45"), "IT"),
    **dict.fromkeys(("IT-RM", "IT-LT"), "IT-62"),
}
VIEWERS = tuple(Viewer(country=country, subdivisions=known) for country, known in PLACES)
NOW = datetime(2021, 6, 1, tzinfo=UTC)
POLICIES = tuple(Policy(unknown_location=settle) for settle in Settle)
SETTLES = (None, *Settle)

#: `withheld_in` and `except_in`.
Text = tuple[tuple[str, ...], tuple[str, ...]]


class Question(NamedTuple):
    subject: Subject
    viewer: Viewer
    at: datetime


class Batch(NamedTuple):
    """Questions to one rule set under one policy."""

    name: str
    rules: RuleSet
    policy: Policy
    questions: Iterable[Question]


class Kind(NamedTuple):
    """The meaning of a rule's territories, effect and `if_unknown` at the nine places, under both policies."""

    #: Whether the rule reaches each place: yes, no or uncertain.
    pattern: tuple[bool | None, ...]
    #: The rule's decision if uncertain; None leaves it to the policy.
    settle: Settle | None
    effect: Effect = Effect.WITHHOLD


def texts() -> Iterator[Text]:
    """Yield all combinations of a `withheld_in` and an `except_in`."""
    sets = [codes for size in range(len(CODES) + 1) for codes in combinations(CODES, size)]
    yield from product(sets[1:], sets)


def pattern(text: Text) -> tuple[bool | None, ...]:
    """Return whether a rule with these territories reaches each place (R3), in Kleene's logic: "or" is the maximum."""
    truth = {0: False, 1: None, 2: True}
    withheld_in, except_in = text
    found = []
    for country, known in PLACES:
        place = known[0] if known else country or "WORLD"
        listed = max(_is_in(place, code) for code in withheld_in)
        excepted = max((_is_in(place, code) for code in except_in), default=0)
        found.append(truth[min(listed, 2 - excepted)])
    return tuple(found)


def _is_in(place: str, code: str) -> int:
    """Return whether a place is in a territory (T4): 2 for yes, 1 for unknown, 0 for no."""
    return 2 if code in _chain(place) else 1 if place in _chain(code) else 0


@cache
def _chain(code: str) -> tuple[str, ...]:
    return (code, *_chain(_AROUND[code])) if code in _AROUND else (code,)


@cache
def kinds() -> dict[Kind, list[tuple[Text, Settle | None]]]:
    """Return each kind of rule with the texts and the `if_unknown` that give it."""
    found: dict[Kind, list[tuple[Text, Settle | None]]] = {}
    for text in texts():
        reached = pattern(text)
        for if_unknown in SETTLES:
            settle = if_unknown or (Settle.WITHHOLD if text[1] else None)
            found.setdefault(Kind(reached, settle), []).append((text, if_unknown))
    worldwide: Text = (("WORLD",), ())
    found[Kind(pattern(worldwide), None, Effect.SUSPEND)] = [(worldwide, settle) for settle in SETTLES]
    return found


def part_of(batch: Batch, part: int, of: int) -> Batch:
    """Return part number `part` of a batch that is split into `of` parts."""
    questions = list(batch.questions)
    return batch._replace(questions=questions[part * len(questions) // of : (part + 1) * len(questions) // of])


def singles() -> Iterator[Batch]:
    """Yield single rules: all combinations of territories and `if_unknown`, and the suspension."""
    for if_unknown in SETTLES:
        named = [(text, Effect.WITHHOLD) for text in texts()] + [((("WORLD",), ()), Effect.SUSPEND)]
        rules = RuleSet(
            rule(f"r{at}", text, if_unknown, effect, at, [at]) for at, (text, effect) in enumerate(named, 1)
        )
        subjects = [(None, at) for at in range(1, len(rules) + 1)]
        for policy in POLICIES:
            name = f"single rules, if_unknown {if_unknown or 'left out'}, policy {policy.unknown_location}"
            yield Batch(name, rules, policy, _questions(subjects))


#: The ways in which two rules concern a subject: they name different ids of it, or both name the same id.
WAYS = (
    "account and tweet",
    "tweet and account",
    "one tweet",
    "one account",
    "retweet and its source",
    "retweeter and author of the source",
)
_OTHER = 1_000_000


def pairs(way: int, policy: Policy, start: int = 0, step: int = 1) -> Batch:
    """Return all pairs of kinds, including a kind with itself, or every `step`-th of them.

    The territories and reasons that represent a kind differ by side, way and start.
    """
    numbered = list(enumerate(kinds().items()))
    both = list(combinations_with_replacement(range(len(numbered)), 2))[start::step]
    together: dict[tuple[int, int], list[int]] = {}
    for at, pair in enumerate(both):
        for side in (0, 1):
            together.setdefault((side, pair[side]), []).append(_together(at))
    rules = []
    for at, (kind, written) in numbered:
        for side in (0, 1):
            turn = 7 * way + 5 * start + 3 * side
            text, if_unknown = written[turn % len(written)]
            # In a quarter of the pairs the reasons are equal, so the id decides which rule speaks.
            rule_id = f"{'ab'[(at + side) % 2]}{at:03}{side}"
            ids = [_alone(side, at), *together.get((side, at), ())]
            rules.append(rule(rule_id, text, if_unknown, kind.effect, at + turn, ids))
    subjects = [_subject(way, at, *pair) for at, pair in enumerate(both)]
    return Batch(f"pairs, {WAYS[way]}, policy {policy.unknown_location}", RuleSet(rules), policy, _questions(subjects))


def pairs_in_part(part: int, of: int) -> Iterator[Batch]:
    """Yield one part of all pairs for each policy. For each policy, the rules concern a subject in a different way."""
    for at, policy in enumerate(POLICIES):
        yield pairs((part + at) % len(WAYS), policy, part, of)


def _alone(side: int, kind: int) -> int:
    return 1 + 2 * kind + side


def _together(pair: int) -> int:
    return 1_000 + pair


def _subject(way: int, pair: int, first: int, second: int) -> Subject:
    one, two, both = _alone(0, first), _alone(1, second), _together(pair)
    subjects: tuple[Subject, ...] = (
        (two, one),
        (one, two),
        (both, None),
        (_OTHER, both),
        Tweet(one, _OTHER, Tweet(two, _OTHER)),
        Tweet(_OTHER, one, Tweet(_OTHER + 1, two)),
    )
    return subjects[way]


HOURS = tuple(NOW + timedelta(hours=hour) for hour in range(4))
_TICK = timedelta(microseconds=1)
#: Each hour, and the instants just before and just after it.
INSTANTS = tuple(hour + tick for hour in HOURS for tick in (-_TICK, timedelta(), _TICK))
#: Every second instant forward, then the others backward, so that cached decisions are read in both directions.
_THERE_AND_BACK = INSTANTS[::2] + INSTANTS[::-2]
_Times = tuple[Period, tuple[Period, ...]]


def times(stays: int) -> list[_Times]:
    """Return all periods between the hours, including open ones, each with all combinations of at most `stays` stays."""
    bounds = (None, *HOURS)
    periods = [Period(start, end) for start, end in product(bounds, bounds) if not (start and end and end <= start)]
    return [
        (period, chosen)
        for period in periods
        for size in range(stays + 1)
        for chosen in combinations_with_replacement(periods, size)
    ]


def in_force(times: _Times) -> tuple[bool, ...]:
    """Return whether a rule is in force at each instant (R1)."""
    period, stays = times
    return tuple(_covers(period, at) and not any(_covers(stay, at) for stay in stays) for at in INSTANTS)


def _covers(period: Period, at: datetime) -> bool:
    start, end = period
    return not (start and at < start) and not (end and at >= end)


def instants(stays: int) -> Batch:
    """Return single rules with all periods and stays, at all instants."""
    rules = RuleSet(timed(f"r{at:04}", each, [at]) for at, each in enumerate(times(stays), 1))
    subjects = [(None, at) for at in range(1, len(rules) + 1)]
    return Batch("single rules at edges", rules, Policy(), _questions(subjects, VIEWERS[1:2], _THERE_AND_BACK))


def pairs_of_instants() -> Batch:
    """Return all pairs of rules with different times, and each rule paired with itself, at all instants."""
    distinct = list({in_force(each): each for each in times(2)}.values())
    rules = [
        timed(f"{'ab'[side]}{at:02}", each, [_alone(side, at)]) for at, each in enumerate(distinct) for side in (0, 1)
    ]
    both = combinations_with_replacement(range(len(distinct)), 2)
    subjects = [(_alone(1, second), _alone(0, first)) for first, second in both]
    return Batch("pairs at edges", RuleSet(rules), Policy(), _questions(subjects, VIEWERS[1:2], _THERE_AND_BACK))


#: The effects of rules on authors: certain, suspended, and uncertain for an unknown location, then shown or withheld.
_EFFECTS: tuple[tuple[str, Settle | None, Effect], ...] = (
    ("WORLD", None, Effect.WITHHOLD),
    ("WORLD", None, Effect.SUSPEND),
    ("US", Settle.SHOW, Effect.WITHHOLD),
    ("US", Settle.WITHHOLD, Effect.WITHHOLD),
)


def authors(*, sees_own: bool, effects: int = len(_EFFECTS), viewers: Sequence[Viewer] = VIEWERS[:2]) -> Batch:
    """Return all pairs of rules on two tweets and two accounts, one of them the viewer's, for tweets and retweets."""
    parts = [chosen for size in range(1, 5) for chosen in combinations(range(4), size)]
    variants = list(product(_EFFECTS[:effects], parts))
    rules, questions = [], []
    for block, pair in enumerate(combinations_with_replacement(variants, 2)):
        ids = range(10 * block + 1, 10 * block + 5)
        first, second, own, other = ids
        for side, ((code, if_unknown, effect), chosen) in enumerate(pair):
            rule_id, names = f"{block:04}{'ab'[side]}", [ids[at] for at in chosen]
            rules.append(
                Rule(
                    id=rule_id,
                    tweets=[id_ for id_ in names if id_ in (first, second)],
                    accounts=[id_ for id_ in names if id_ in (own, other)],
                    withheld_in=code,
                    if_unknown=if_unknown,
                    effect=effect,
                    reason=_REASONS[(block + side) % len(_REASONS)],
                )
            )
        subjects: list[Subject] = [(first, None), (None, own), (None, other), (first, own), (first, other)]
        subjects += [Tweet(first, by, Tweet(second, of)) for by, of in product((own, other), repeat=2)]
        who = [
            Viewer(country=viewer.country, subdivisions=viewer.subdivisions, account_id=account)
            for viewer in viewers
            for account in (None, own)
        ]
        questions += list(_questions(subjects, who))
    name = f"authors {'see' if sees_own else 'do not see'} their own"
    return Batch(name, RuleSet(rules), Policy(author_sees_own=sees_own), questions)


def orders() -> Batch:
    """Return all pairs of rules that differ in the keys of R7, for a viewer of unknown location."""
    effects = (("WORLD", Effect.SUSPEND), ("WORLD", Effect.WITHHOLD), ("US", Effect.WITHHOLD))
    variants = list(product(effects, Scope, Reason, (None, *HOURS[:2])))
    rules = [
        Rule(
            id=f"{'ab'[(at + side) % 2]}{at:02}",
            accounts=[_alone(side, at)] if scope is Scope.ACCOUNT else [],
            tweets=[_alone(side, at)] if scope is Scope.TWEET else [],
            withheld_in=code,
            effect=effect,
            reason=reason,
            from_=start,
            demand=f"D{at}{side}",
        )
        for at, ((code, effect), scope, reason, start) in enumerate(variants)
        for side in (0, 1)
    ]
    subjects: list[Subject] = []
    for first, second in product(range(len(variants)), repeat=2):
        one, two = _alone(0, first), _alone(1, second)
        subjects.append(Tweet(one, one, Tweet(two, two)))
    policy = Policy(unknown_location=Settle.WITHHOLD)
    return Batch("which rule speaks", RuleSet(rules), policy, _questions(subjects, VIEWERS[:1], HOURS[2:3]))


_REASONS = tuple(Reason)


def _questions(
    subjects: Iterable[Subject], viewers: Sequence[Viewer] = VIEWERS, at: Sequence[datetime] = (NOW,)
) -> Iterator[Question]:
    return (Question(subject, viewer, instant) for subject in subjects for instant in at for viewer in viewers)


def rule(rule_id: str, text: Text, if_unknown: Settle | None, effect: Effect, number: int, ids: list[int]) -> Rule:
    """Return a rule on accounts and tweets with the same ids; `number` varies its reason and demand."""
    return Rule(
        id=rule_id,
        accounts=ids,
        tweets=ids,
        withheld_in=text[0],
        except_in=text[1],
        if_unknown=if_unknown,
        effect=effect,
        reason=_REASONS[number % len(_REASONS)],
        demand=f"D{rule_id}" if number % 2 else None,
    )


def timed(rule_id: str, times: _Times, ids: list[int]) -> Rule:
    """Return a rule in the US with these times."""
    (start, end), stays = times
    return Rule(
        id=rule_id, accounts=ids, tweets=ids, withheld_in="US", reason="terms", from_=start, until=end, stays=stays
    )


def everything() -> Iterator[Batch]:
    """Yield every batch."""
    yield from singles()
    for way, policy in product(range(len(WAYS)), POLICIES):
        yield pairs(way, policy)
    yield orders()
    yield instants(stays=2)
    yield pairs_of_instants()
    for sees_own in (False, True):
        yield authors(sees_own=sees_own)
