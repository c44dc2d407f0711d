"""The coverage of a rule by cases: viewers inside and outside its territories, and instants beyond its bounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from withhold.model import Period, Policy, Rule
from withhold.model.instants import in_iso
from withhold.model.places import Places, everywhere, within_any
from withhold.semantics import Extent, extent, reach_of
from withhold.testing.questions import Index, Question

SPEAKS = "deciding"
_INSIDE, _OUTSIDE = "a viewer inside", "a viewer outside"
_EXCEPTED, _UNCERTAIN = "an excepted viewer", "a viewer who may be inside"
_BEFORE, _AFTER = "before it begins", "after it ends"

_FIRST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The sides of one rule, and the sides that cases have tried."""

    rule: Rule
    sides: tuple[str, ...]
    tried: frozenset[str]
    cases: int

    @property
    def speaks(self) -> bool:
        """Whether the rule hides a subject in some case."""
        return SPEAKS in self.tried

    @property
    def untried(self) -> tuple[str, ...]:
        return tuple(side for side in self.sides if side not in self.tried)

    def to_dict(self) -> dict[str, object]:
        """Return the coverage as JSON values."""
        return {
            "rule_id": self.rule.id,
            "place": str(self.rule.place) if self.rule.place else None,
            "cases": self.cases,
            "speaks": self.speaks,
            "tried": [side for side in self.sides if side in self.tried],
            "untried": list(self.untried),
        }


def coverage(index: Index) -> list[Coverage]:
    """Return the coverage of every rule that is measured, in the order of the rules."""
    found = []
    for key, rule in index.rules.items():
        questions = index.questions.get(key, [])
        sides = tuple(_sides(rule))
        tried = {side for question in questions for side in _tried(rule, question)}
        found.append(Coverage(rule, sides, frozenset(tried), len(questions)))
    return found


class Share(NamedTuple):
    """A part of a whole.

    >>> str(Share(199, 200)), str(Share(0, 0))
    ('99% (199 of 200)', 'none (0 of 0)')
    """

    part: int
    whole: int

    def __str__(self) -> str:
        # Rounded down, so that 100% means all.
        percent = f"{100 * self.part // self.whole}%" if self.whole else "none"
        return f"{percent} ({self.part:,} of {self.whole:,})"

    def reaches(self, least: float) -> bool:
        """Return whether this is at least `least` percent. A share of nothing only reaches 0 percent.

        >>> Share(1, 2).reaches(50), Share(1, 2).reaches(50.1), Share(0, 0).reaches(1)
        (True, False, False)
        """
        return self.part * 100 >= least * self.whole if self.whole else least == 0


def share(found: Iterable[Coverage]) -> Share:
    """Return how many of all sides were tried."""
    listed = list(found)
    return Share(sum(len(rule.sides) - len(rule.untried) for rule in listed), sum(len(rule.sides) for rule in listed))


def _sides(rule: Rule) -> Iterator[str]:
    """Yield the sides of a rule that a case can try, with some viewer at some instant."""
    if not any(_share_an_instant(period) for period in rule.periods):
        return
    where = extent(reach_of(rule), Policy())
    speaks = where.hidden != 0
    if speaks:
        yield SPEAKS
    yield from (side for side, places in _places_of_sides(rule, where).items() if places)
    if not speaks:  # the bounds in time make no difference to anybody
        return
    if rule.from_ is not None and rule.from_ > _FIRST:
        yield _BEFORE
    if rule.until is not None:
        yield _AFTER
    whole = Period(rule.from_, rule.until)
    yield from (_in_stay(stay) for stay in dict.fromkeys(rule.stays) if _share_an_instant(stay, whole))


def _places_of_sides(rule: Rule, where: Extent) -> dict[str, Places]:
    excepted = within_any(rule.except_in)
    outside = everywhere() & ~where.possible & ~excepted
    uncertain = where.possible & ~where.surely
    return {_INSIDE: where.surely, _OUTSIDE: outside, _EXCEPTED: excepted, _UNCERTAIN: uncertain}


def _tried(rule: Rule, question: Question) -> Iterator[str]:
    where = extent(reach_of(rule), question.file.policy)
    at, here = question.case.at, question.places()
    if rule.in_force(at):
        yield from (side for side, places in _places_of_sides(rule, where).items() if places & here)
        if where.hidden & here:
            yield SPEAKS
    elif where.hidden & here:  # the bounds in time make no difference to other viewers
        if rule.from_ is not None and at < rule.from_:
            yield _BEFORE
        elif rule.until is not None and at >= rule.until:
            yield _AFTER
        else:
            yield from (_in_stay(stay) for stay in rule.stays if stay.covers(at))


def _share_an_instant(*periods: Period) -> bool:
    """Return whether the periods have an instant in common."""
    begins = max(period.start or _FIRST for period in periods)
    return all(period.end is None or begins < period.end for period in periods)


def _in_stay(stay: Period) -> str:
    bounds = [f"{word} {in_iso(bound)}" for word, bound in (("from", stay.start), ("until", stay.end)) if bound]
    return " ".join(["in the stay", *bounds])
