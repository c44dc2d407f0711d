"""Decide exactly whether a change of a rule affects any viewer, and find a viewer who would notice it.

Answers change only at the edges of rules in time, and between places that rules distinguish. If the answer for a
tweet with its author changes, the answer for one of them alone changes too. So it is enough to ask about each id of
the rule, at each edge and before the first, from each of these places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_
from typing import NamedTuple

from withhold.engine.reference import Reference
from withhold.model import Outcome, Period, Policy, Rule, RuleSet, Viewer
from withhold.model.places import Places, location_of, place_of, within_any
from withhold.model.tweet import Link
from withhold.model.viewer import LocationKey
from withhold.semantics import Extent, extent, places_by_outcome, reach_of, sweep
from withhold.territories import WORLD, country_of
from withhold.testing.questions import names, narrowed

#: The instant to ask about if the rules have no edges.
ANY = datetime(2021, 1, 1, tzinfo=UTC)


class Witness(NamedTuple):
    """A question whose answer changes: subject, place and instant, with the right outcome."""

    link: Link
    place: LocationKey
    at: datetime
    outcome: Outcome


def find(rule: Rule, mutated: Rule | None, link: Link, others: Iterable[Rule], policy: Policy) -> Witness | None:
    """Return a witness of the change from `rule` to `mutated` for a subject, or None if there is none.

    `others` are the other rules that name the subject. Viewers are not logged in. The reference verifies the witness,
    and a disagreement raises `RuntimeError`.
    """
    if mutated is not None and not names(mutated, [link]):
        mutated = None
    others = list(others)
    changed = [] if mutated is None else [mutated]
    rules = [rule, *changed, *others]
    extents = [extent(reach_of(found), policy) for found in rules]
    # The extents in force with the rule, and with the changed rule.
    in_force: tuple[Counter[Extent], Counter[Extent]] = (Counter(), Counter())
    for stretch, begun, ended in sweep([found.periods for found in rules]):
        for numbers, more in ((begun, 1), (ended, -1)):
            for number in numbers:
                for side, missing in zip(in_force, (range(1, 1 + len(changed)), range(1)), strict=True):
                    if number not in missing:
                        side[extents[number]] += more
        if (at := _instant_in(stretch)) is None:
            continue
        before, after = (places_by_outcome(+side) for side in in_force)
        if here := _first_place(reduce(or_, (before[outcome] & ~after[outcome] for outcome in Outcome)), rules):
            outcome = next(outcome for outcome in Outcome if before[outcome] & here)
            return _verified(Witness(link, location_of(here), at, outcome), rule, mutated, others, policy)
    return None


def _instant_in(stretch: Period) -> datetime | None:
    """Return an instant of a stretch, or None if it has none in the range of `datetime`."""
    if stretch.start is not None or stretch.end is None:
        return stretch.start or ANY
    with suppress(OverflowError):
        return stretch.end - timedelta(seconds=1)
    return None


def _first_place(places: Places, rules: Iterable[Rule]) -> Places:
    """Return one of the places, or 0 if there is none.

    A country that a rule names is preferred, and the unknown location comes last.
    """
    named = within_any(
        country_of(code) for rule in rules for code in (*rule.withheld_in, *rule.except_in) if code != WORLD
    )
    known = places & ~place_of((None, ()))
    first = known & named or known or places
    return first & -first


def _verified(witness: Witness, rule: Rule, mutated: Rule | None, others: list[Rule], policy: Policy) -> Witness:
    country, subdivisions = witness.place
    viewer = Viewer(country=country, subdivisions=subdivisions)
    answers = []
    for changing in (rule, mutated):
        rules = [*others, *([] if changing is None else [changing])]
        narrow = RuleSet(narrowed(found, [witness.link]) for found in rules)
        reference = Reference(narrow, policy, places=[witness.place])  # no other place concerns the outcome
        answers.append(reference.check(witness.link, viewer, witness.at).outcome)
    if answers[0] is not witness.outcome or answers[0] is answers[1]:
        raise RuntimeError(f"the reference disagrees on {witness}: {answers}")
    return witness
