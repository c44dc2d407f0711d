"""Write rules in the form of another system, and report everything that the form cannot express."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

from withhold.errors import Problem, WireError, quoted
from withhold.model.instants import utc
from withhold.model.policy import Settle
from withhold.model.rule import Disclosure, Rule, territories_of
from withhold.model.rule_set import RuleSet
from withhold.wire.codes import x_term
from withhold.wire.event import Event, Kind, Term
from withhold.wire.forms import Form

_KINDS: tuple[Kind, Kind] = ("accounts", "tweets")
#: The instant of rules without a beginning: instants in these forms begin in 1970.
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Written:
    """The lines of a file, without line feeds, and what the form cannot express.

    A problem with severity `error` reports something that was not written, and a `warning` reports lost meaning.
    """

    lines: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether nothing was left out."""
        return all(problem.severity != "error" for problem in self.problems)


def write(form: Form, rules: RuleSet, at: datetime) -> Written:
    """Return the withholding up to an instant in a form: each change, or the last state if events have no instant.

    Takes O(events) time and memory. No form has demands, notes or the outcome for viewers of unknown location; the ids
    of rules are lost too. Rules with `disclosure: none` are not written, because others read these forms. Raises
    `WireError` for a form that is not in `WRITTEN`.
    """
    if form.write is None:
        raise WireError(Problem("cannot-say", f"the form `{form.name}` can only be read", form.name))
    written, until = Written(), utc(at, "at")
    events = sorted(_events(form, rules, until, written.problems), key=lambda event: (event.at, event.kind, event.id))
    if not form.dated:
        last = {(event.kind, event.id): event for event in events}
        events = [last[key] for key in sorted(last)]
    records = (form.write(event, written.problems) for event in events)
    lines = _csv(form.columns, records) if form.columns else map(_json, filter(None, records))
    written.lines += lines
    return written


def _json(record: dict[str, object]) -> str:
    return json.dumps(record, separators=(",", ":"))


def _csv(columns: Sequence[str], records: Iterator[dict[str, object] | None]) -> Iterator[str]:
    with io.StringIO() as text:
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(columns)
        rows.writerows([record[column] for column in columns] for record in records if record is not None)
        yield from text.getvalue().splitlines()


def _events(form: Form, rules: RuleSet, until: datetime, problems: list[Problem]) -> Iterator[Event]:
    """Yield the events of each subject, in order."""
    said = [_said(form, rule, problems) for rule in rules]
    subjects: dict[Kind, defaultdict[int, list[int]]] = {kind: defaultdict(list) for kind in _KINDS}
    for number, rule in enumerate(rules):
        for kind in _KINDS:
            if said[number][kind]:
                for id_ in getattr(rule, kind):
                    subjects[kind][id_].append(number)

    @cache
    def changes(kind: Kind, numbers: tuple[int, ...]) -> list[tuple[datetime, frozenset[Term]]]:
        named = [(rules.rules[number], said[number][kind]) for number in numbers]
        return list(_changes(named, until))

    for kind in _KINDS:
        for id_, numbers in subjects[kind].items():
            for at, terms in changes(kind, tuple(numbers)):
                yield Event(kind, id_, at, terms)


def _changes(
    rules: Sequence[tuple[Rule, frozenset[Term]]], until: datetime
) -> Iterator[tuple[datetime, frozenset[Term]]]:
    """Yield the instants at which the terms of some rules change, with the terms from then on."""
    instants = {bound for rule, _ in rules for period in rule.periods for bound in (period.start or _FIRST, period.end)}
    before: frozenset[Term] = frozenset()
    for instant in sorted(max(bound, _FIRST) for bound in instants if bound is not None and bound <= until):
        terms = frozenset().union(*(terms for rule, terms in rules if rule.in_force(instant)))
        if terms != before:
            yield instant, terms
        before = terms


def _said(form: Form, rule: Rule, problems: list[Problem]) -> dict[Kind, frozenset[Term]]:
    """Return the terms of a rule that a form can express, by kind of subject, and report the others."""
    name = f"rule {quoted(rule.id)}"
    nothing: dict[Kind, frozenset[Term]] = dict.fromkeys(_KINDS, frozenset())
    if rule.effect.worldwide:
        problems.append(Problem("cannot-say", f"a suspension cannot be written in the form `{form.name}`", name))
        return nothing
    if rule.disclosure is Disclosure.NONE:
        hint = "inform those who may know of it in another way"
        problems.append(Problem("secret-rule", "the rule is secret, and others read this form", name, hint))
        return nothing
    said: dict[Kind, frozenset[Term]] = {}
    for kind in _KINDS:
        if not getattr(rule, kind):
            said[kind] = frozenset()
            continue
        wanted = {x_term(rule.reason, code) for code in territories_of(rule)}
        nearest = {term: form.say(kind, term) for term in wanted}
        left_out = sorted(term.withheld_in[0] for term, near in nearest.items() if near is None)
        if left_out:
            codes = ", ".join(f"`{code}`" for code in left_out)
            message = f"{kind} withheld in {codes} for `{rule.reason}` cannot be written in the form `{form.name}`"
            problems.append(Problem("cannot-say", message, name))
        changed = {near.reason for term, near in nearest.items() if near is not None and near.reason is not term.reason}
        if changed:
            message = f"the reason `{rule.reason}` of {kind} is written as `{min(changed)}`"
            problems.append(Problem("lost-in-form", message, name, severity="warning"))
        said[kind] = frozenset(near for near in nearest.values() if near is not None)
    if any(said.values()):
        problems += _losses(rule, name)
    return said


def _losses(rule: Rule, name: str) -> Iterator[Problem]:
    if rule.if_unknown is Settle.WITHHOLD or (rule.except_in and rule.if_unknown is None):
        message = "its effect on viewers of unknown location is lost"
        yield Problem("lost-in-form", message, name, severity="warning")
    if any(period.start is None or period.start < _FIRST for period in rule.periods):
        message = f"it begins before {_FIRST.year}, and is written as if it began then"
        yield Problem("lost-in-form", message, name, severity="warning")
