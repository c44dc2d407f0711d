"""Events into rules with periods, and rules into events.

A rule of an import has one reason and one territory, because each country withholds under its own law, and all subjects with
the same period. Its id contains the form, the beginning, the territory and the reason, so a later import gives the same
id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

from withhold.model.instants import in_iso
from withhold.model.precision import ROUNDED_IDS, looks_rounded
from withhold.model.rule import Reason, Rule
from withhold.model.rule_set import RuleSet
from withhold.territories import WORLD
from withhold.wire.event import Event, Kind, Term

_EXACT = "each id was read as text, or shows no sign of rounding among all ids of its file"
_EVERYWHERE = "the source withholds in every country"
_NO_DEMAND = "the source names no demand"


class Span(NamedTuple):
    """A period in which a term applies to a subject."""

    term: Term
    start: datetime
    end: datetime | None


def rules_of(events: Iterable[Event], form: str) -> RuleSet:
    """Return the rules that state the same as events, sorted by id. The order of events matters only at the same
    instant.

    Takes O(n log n) time.
    """
    tracks: defaultdict[tuple[Kind, int, str], list[Event]] = defaultdict(list)
    for event in events:
        tracks[event.kind, event.id, event.track].append(event)
    alike: defaultdict[Span, dict[Kind, set[int]]] = defaultdict(lambda: {"accounts": set(), "tweets": set()})
    for (kind, id_, _), found in tracks.items():
        for span in spans(found):
            alike[span][kind].add(id_)
    rules = (_rule(form, span, ids) for span, ids in alike.items())
    return RuleSet(sorted(rules, key=lambda rule: rule.id))


def spans(events: list[Event]) -> Iterator[Span]:
    """Yield the periods of the terms of one track, whose events are in the order of their file."""
    if len(events) > 1:
        events = sorted(events, key=lambda event: event.at)
    open_: dict[Term, datetime] = {}
    for at, event in enumerate(events):
        end = events[at + 1].at if at + 1 < len(events) else None
        if end == event.at:  # the next event replaces it at once
            continue
        yield from _closed(open_, [term for term in open_ if term not in event.terms], event.at)
        if event.until is not None and (end is None or event.until < end):
            end = event.until
            if end > event.at:
                open_ |= {term: event.at for term in event.terms if term not in open_}
            yield from _closed(open_, list(open_), max(end, event.at))
        else:
            open_ |= {term: event.at for term in event.terms if term not in open_}
    yield from (Span(term, start, None) for term, start in open_.items())


def _closed(open_: dict[Term, datetime], terms: list[Term], at: datetime) -> Iterator[Span]:
    """Remove terms from the open ones, and yield their spans."""
    for term in terms:
        if (start := open_.pop(term)) < at:
            yield Span(term, start, at)


def _rule(form: str, span: Span, ids: dict[Kind, set[int]]) -> Rule:
    term = span.term
    override = {}
    if term.reason is Reason.LEGAL_DEMAND:
        override["unnamed-demand"] = _NO_DEMAND
    if term.reason.local and WORLD in term.withheld_in:
        override |= {"worldwide-for-one-country": _EVERYWHERE, "unnamed-jurisdiction": _EVERYWHERE}
    if looks_rounded([*ids["accounts"], *ids["tweets"]]):
        override[ROUNDED_IDS] = _EXACT
    return Rule(
        id=_id(form, span),
        accounts=ids["accounts"],
        tweets=ids["tweets"],
        withheld_in=term.withheld_in,
        except_in=term.except_in,
        from_=span.start,
        until=span.end,
        reason=term.reason,
        if_unknown=term.if_unknown,
        jurisdiction=term.jurisdiction,
        override=override,
    )


def _id(form: str, span: Span) -> str:
    """Return an id that no other span of the form has. It contains letters, digits, `:`, `.` and `-`."""
    term = span.term
    parts = [form, _compact(span.start), ".".join(term.withheld_in), term.reason.value]
    if term.except_in:
        codes = ".".join(term.except_in)
        parts[2] += f"-except-{codes if len(codes) < 30 else sha256(codes.encode()).hexdigest()}"
    if span.end is not None:
        parts.append(_compact(span.end))
    return ":".join(parts)


def _compact(instant: datetime) -> str:
    return str(in_iso(instant.astimezone(UTC))).replace("-", "").replace(":", "")
