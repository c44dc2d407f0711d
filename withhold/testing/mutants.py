"""Mutants: rules with one change, which good cases would notice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from withhold.errors import WithholdError
from withhold.model import Effect, Period, Rule, Settle
from withhold.model.instants import in_iso
from withhold.territories import WORLD

#: A list of at most this length counts as written by hand, and each of its ids is dropped once. From a longer list, at
#: most this many of the ids that cases mention are dropped, and one other id unless cases mention at least two: cases
#: that notice two missing ids would notice the others too.
SHORT_LIST = 20

_SECOND = timedelta(seconds=1)

#: The ids to drop, one at a time, by the name of their list.
Drop = Mapping[str, Sequence[int]]


class Mutant(NamedTuple):
    """A rule, its change, and the changed rule (None if the rule is removed)."""

    rule: Rule
    change: str
    mutated: Rule | None


class Alternatives:
    """Interchangeable mutants: cases need to notice only one. `asked` are those that concern what cases ask about."""

    __slots__ = ("_further", "asked")

    def __init__(self, asked: Iterable[Mutant], further: Callable[[], Iterable[Mutant]] = tuple) -> None:
        self.asked = list(asked)
        self._further = further

    def further(self) -> Iterator[Mutant]:
        """Yield the mutants to try if a case could not notice any in `asked`."""
        yield from self._further()


def mutants(rule: Rule, drop: Drop) -> Iterator[Mutant]:
    """Yield every mutant of a rule once, except invalid rules."""
    yield Mutant(rule, "without the rule", None)
    seen = {_fingerprint(rule)}
    for change, fields in _changes(rule, drop):
        try:
            mutated = replace(rule, **fields)
        except WithholdError:
            continue
        if (fingerprint := _fingerprint(mutated)) not in seen:
            seen.add(fingerprint)
            yield Mutant(rule, change, mutated)


def ids_to_drop(ids: Collection[int], mentioned: Collection[int]) -> list[int]:
    """Return the ids of a list to drop, one at a time; `mentioned` are the ids in cases."""
    if len(ids) <= SHORT_LIST:
        return sorted(ids)
    known = sorted(id_ for id_ in mentioned if id_ in ids)[:SHORT_LIST]
    other = next((id_ for id_ in ids if id_ not in mentioned), None)
    return known if len(known) > 1 or other is None else [*known, other]


def _changes(rule: Rule, drop: Drop) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in ("withheld_in", "except_in"):
        codes = getattr(rule, name)
        yield from ((f"without {code} in `{name}`", {name: [c for c in codes if c != code]}) for code in codes)
    if rule.except_in:
        yield "without `except_in`", {"except_in": ()}
    for name, what in (("accounts", "account"), ("tweets", "tweet")):
        for id_ in drop[name]:
            yield f"without {what} {id_}", {name: [other for other in getattr(rule, name) if other != id_]}
    for field in ("from_", "until"):
        key, bound = f"`{field.rstrip('_')}`", getattr(rule, field)
        if bound is not None:
            yield f"without {key}", {field: None}
            yield from ((f"with {key} a second {word}", {field: moved}) for word, moved in _moved(bound))
    for index, stay in enumerate(rule.stays):
        others = [*rule.stays[:index], *rule.stays[index + 1 :]]
        yield f"without the stay {bounds(stay)}", {"stays": others}
        for side, bound in stay._asdict().items():
            for word, moved in _moved(bound) if bound is not None else ():
                change = f"with the {side} of a stay, {in_iso(bound)}, a second {word}"
                yield change, {"stays": [*others, stay._replace(**{side: moved})]}
    for effect in Effect:
        if effect is not rule.effect:
            everywhere = {"withheld_in": (WORLD,), "except_in": ()} if effect.worldwide else {}
            yield f"with `effect: {effect}`", {"effect": effect, **everywhere}
    # One of the two is the present behaviour of the rule, so it is equivalent.
    yield from ((f"with `if_unknown: {settle}`", {"if_unknown": settle}) for settle in Settle)


def _moved(bound: datetime) -> Iterator[tuple[str, datetime]]:
    for by, word in ((_SECOND, "later"), (-_SECOND, "earlier")):
        with suppress(OverflowError):  # beyond the years of `datetime`
            yield word, bound + by


def bounds(stay: Period) -> str:
    """Return the bounds of a stay in words."""
    start, end = (in_iso(bound) for bound in stay)
    return " ".join(f"{word} {bound}" for word, bound in (("from", start), ("until", end)) if bound)


def _fingerprint(rule: Rule) -> tuple[object, ...]:
    """Return the values in which two mutants must differ to be tried separately."""
    where = (rule.withheld_in, rule.except_in, rule.from_, rule.until, rule.stays)
    return (*where, rule.effect, rule.if_unknown, tuple(rule.accounts), tuple(rule.tweets))
