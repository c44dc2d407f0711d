"""Explanations of decisions for people: every rule that names the subject, with its state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from withhold.engine.decider import Decider
from withhold.errors import Place, escaped, name_in_text
from withhold.model.decision import Decision, Scope
from withhold.model.ids import in_json
from withhold.model.instants import in_iso
from withhold.model.places import place_of
from withhold.model.policy import Policy
from withhold.model.rule import Disclosure, Rule, territories_of
from withhold.model.territory_set import TerritorySet
from withhold.model.tweet import Link, Subject, links_of
from withhold.model.viewer import Viewer
from withhold.semantics import extent, reach_of
from withhold.snowflake import instant_of
from withhold.territories import WORLD, is_subdivision, name_of


class State(StrEnum):
    """The state of a rule for one viewer at one instant."""

    APPLIES = "applies"
    UNCERTAIN = "uncertain"
    ELSEWHERE = "elsewhere"
    STAYED = "stayed"
    NOT_YET = "not yet in force"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule that names the subject, its state, and the reason for the state in words."""

    rule: Rule
    scope: Scope
    state: State
    why: str
    #: The places in files that name the subject. Only commands that read files know them.
    named_at: tuple[Place, ...] = ()

    def to_dict(self) -> dict[str, object]:
        return {
            "rule_id": self.rule.id,
            "state": self.state,
            "why": self.why,
            "scope": self.scope,
            **rule_facts(self.rule),
            "named_at": list(map(str, self.named_at)),
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, and every rule that names the subject. `str()` is for people, `to_dict()` for programs."""

    links: tuple[Link, ...]
    viewer: Viewer
    at: datetime
    decision: Decision
    rules: tuple[RuleState, ...]

    def to_dict(self) -> dict[str, object]:
        """Return the explanation as JSON values, with ids as text."""
        return {
            "subject": subject_values(self.links),
            "made": [in_iso(_created(tweet)) for tweet, _ in self.links],
            "viewer": {**self.viewer.to_dict(), "account_id": in_json(self.viewer.account_id)},
            "where": _place(self.viewer),
            "at": in_iso(self.at),
            "decision": self.decision.to_dict(),
            "rules": [rule.to_dict() for rule in self.rules],
        }

    def with_places(self, places: Callable[[str], tuple[Place, ...]]) -> Explanation:
        """Return the explanation with the places that name the subject. `places` returns those in a rule, by its id."""
        return replace(self, rules=tuple(replace(found, named_at=places(found.rule.id)) for found in self.rules))

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        decision = self.decision
        yield f"{_subject(self.links)} is {decision.outcome.value.upper()} for a viewer in {_place(self.viewer)}"
        yield f"  at          {in_iso(self.at)}"
        yield f"  location    {escaped(self.viewer.signal or 'source not given')}"
        if decision.exempt:
            yield "  exempt      shown because the viewer is the author"
        if decision.rule_id:
            yield f"  because of  rule {name_in_text(decision.rule_id)} on the {decision.scope}: {grounds(decision)}"
        yield f"  withheld    {where(decision.territories)}"
        yield f"  available   {where(decision.available_in)}"
        yield f"  certain     {'yes' if decision.certain else 'no: a more precise location could change the answer'}"
        elsewhere = (
            "some viewers elsewhere get a different answer"
            if decision.varies_by_location
            else "the same for all viewers"
        )
        yield f"  elsewhere   {elsewhere}"
        yield f"  holds       {'until ' + str(in_iso(decision.valid_until)) if decision.valid_until else 'until the rules change'}"
        count = len(self.rules)
        yield f"  named by    {count} rule{'' if count == 1 else 's'} of revision {decision.revision}{':' if count else ''}"
        for found in self.rules:
            rule = found.rule
            yield f"    - {name_in_text(rule.id)}: {found.state.upper()}, {found.why}"
            yield f"      {rule.effect}s the {found.scope} {where(territories_text(rule))}, {period_text(rule)}; {grounds(rule)}"
            if rule.disclosure is not Disclosure.REASON:
                yield f"      disclosure: {rule.disclosure}"
            if rule.review_by:
                yield f"      review by {in_iso(rule.review_by)}"
            if rule.note:
                yield from _prose_lines("note", rule.note)
            for code, reason in rule.override:
                yield from _prose_lines(f"override of {escaped(code)}", reason)
            for key, text in rule.extra:
                yield from _prose_lines(key, text)
            if rule.place:
                yield f"      read from {rule.place}"
            if found.named_at:
                yield f"      named at {', '.join(map(str, found.named_at))}"


def explain(decider: Decider, subject: Subject, viewer: Viewer, at: datetime) -> Explanation:
    """Return the explanation of the answer of `Decider.decide`."""
    links = links_of(subject)
    decision = decider.decide(links, viewer, at)
    states = [_state(rule, scope, viewer, at, decider.policy) for rule, scope in decider.concerning(links)]
    # The rules of the decision come first, in the order of R7. The others are sorted by state and id.
    order = {rule_id: rank for rank, rule_id in enumerate(decision.rule_ids)}
    states.sort(key=lambda found: (order.get(found.rule.id, len(order)), list(State).index(found.state), found.rule.id))
    return Explanation(links, viewer, at, decision, tuple(states))


def _state(rule: Rule, scope: Scope, viewer: Viewer, at: datetime, policy: Policy) -> RuleState:
    if not_now := not_in_force(rule, at):
        return RuleState(rule, scope, *not_now)
    where, here = extent(reach_of(rule), policy), place_of(viewer.location_key)
    if not where.possible & here:
        return RuleState(rule, scope, State.ELSEWHERE, "the viewer is not in its territory")
    if not where.surely & here:
        does = "withholds" if where.hidden & here else "shows"
        by = (
            "the rule's `if_unknown`"
            if rule.if_unknown
            else "its allow-list"
            if rule.except_in
            else "the engine's policy"
        )
        why = f"the viewer may or may not be in its territory; {by} {does}"
        return RuleState(rule, scope, State.UNCERTAIN, why)
    return RuleState(rule, scope, State.APPLIES, "in force, and the viewer is in its territory")


def not_in_force(rule: Rule, at: datetime) -> tuple[State, str] | None:
    """Return why a rule is not in force at an instant in UTC, as a state and in words, or None if it is in force."""
    if rule.until is not None and at >= rule.until:
        return State.ENDED, f"it ended at {in_iso(rule.until)}"
    if rule.in_force(at):
        return None
    starts = next((period.start for period in rule.periods if period.start and period.start > at), None)
    if rule.from_ is not None and at < rule.from_:
        why = f"it comes into force at {in_iso(starts)}" if starts else "it will be stayed when it comes into force"
        return State.NOT_YET, why
    end = f"until {in_iso(starts or rule.until)}" if starts or rule.until else "without end"
    return State.STAYED, f"it is stayed {end}"


# Invisible characters that prose needs: no-break and wide spaces, and the zero-width joiner and non-joiner.
_PROSE = "\u00a0\u202f\u3000\u200c\u200d"


def _prose_lines(name: str, text: str) -> Iterator[str]:
    """Yield lines of prose from a rule file. A bar marks each further line, so none can imitate the explanation."""
    first, *others = (escaped(line.expandtabs(4), keep=_PROSE) for line in text.split("\n"))
    yield f"      {name}: {first}"
    yield from (f"        | {line}".rstrip() for line in others)


def rule_facts(rule: Rule) -> dict[str, object]:
    """Return the content of a rule, without its id and its subjects, as JSON values."""
    return {
        "effect": rule.effect,
        "territories": territories_text(rule),
        "from": in_iso(rule.from_),
        "until": in_iso(rule.until),
        "stays": [{"from": in_iso(stay.start), "until": in_iso(stay.end)} for stay in rule.stays],
        "if_unknown": rule.if_unknown,
        "reason": rule.reason,
        "demand": rule.demand,
        "jurisdiction": rule.jurisdiction,
        "disclosure": rule.disclosure,
        "review_by": in_iso(rule.review_by),
        "note": rule.note,
        "override": dict(rule.override),
        "extra": dict(rule.extra),
        "place": str(rule.place) if rule.place else None,
    }


def where(territories: TerritorySet | str) -> str:
    """Return territories, or their text, as a phrase.

    >>> where(TerritorySet(["IN"])), where(TerritorySet())
    ('in IN', 'nowhere')
    """
    text = str(territories)
    return text if text == "nowhere" else f"in {text}"


def territories_text(rule: Rule) -> str:
    """Return the territories where a rule withholds, as the text of `territories_of(rule)`."""
    codes = rule.withheld_in
    if rule.except_in or WORLD in codes or any(map(is_subdivision, codes)):
        return str(territories_of(rule))
    return ", ".join(codes)  # reading the ISO data of all subdivisions takes a tenth of a second


def subject_values(links: Sequence[Link]) -> list[dict[str, object]]:
    """Return a subject as JSON values: the tweet or account, and the tweets that it retweets. Ids are text.

    >>> subject_values([(1355667106821046272, 17)])
    [{'tweet_id': '1355667106821046272', 'account_id': '17'}]
    """
    return [{"tweet_id": in_json(tweet), "account_id": in_json(account)} for tweet, account in links]


def _created(tweet: int | None) -> datetime | None:
    created = None if tweet is None else instant_of(tweet)
    return created.replace(microsecond=0) if created and created.year < 2100 else None


def _subject(links: tuple[Link, ...]) -> str:
    return ", a retweet of ".join(_link(tweet, account) for tweet, account in links)


def _link(tweet: int | None, account: int | None) -> str:
    if tweet is None:
        return f"account {account}"
    created = _created(tweet)
    when = f" (created {in_iso(created)})" if created else ""
    return f"tweet {tweet}{when}" + (f" by account {account}" if account is not None else "")


def _place(viewer: Viewer) -> str:
    if viewer.country is None:
        return "an unknown location"
    codes = (viewer.country, *viewer.subdivisions)
    return ", ".join(f"{name_of(code)} ({code})" for code in reversed(codes))


def period_text(rule: Rule) -> str:
    """Return the period of a rule as a phrase, with the number of its stays."""
    start = f"from {in_iso(rule.from_)}" if rule.from_ else "from the beginning"
    stays = f", stayed {len(rule.stays)} times" if len(rule.stays) > 1 else ", stayed once" if rule.stays else ""
    return f"{start} {'until ' + str(in_iso(rule.until)) if rule.until else 'without end'}{stays}"


def grounds(of: Rule | Decision) -> str:
    """Return the reason, the demand and the jurisdiction of a rule, or of the rule that speaks in a decision."""
    demand = f", demand {name_in_text(of.demand)}" if of.demand else ""
    jurisdiction = f", jurisdiction {of.jurisdiction}" if of.jurisdiction else ""
    return f"{str(of.reason).replace('_', ' ')}{demand}{jurisdiction}"
