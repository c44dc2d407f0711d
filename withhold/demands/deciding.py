"""Decide what happens to each target of a demand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from withhold.demands import safeguards
from withhold.demands.fold import Data, effect_key
from withhold.demands.receiving import unknown_target
from withhold.demands.recording import Clerk, Command, Done, instant_text, record
from withhold.demands.safeguards import Safeguard, check_overrides, territories
from withhold.demands.transitions import (
    BY_RULE,
    Ground,
    Ruling,
    TargetState,
    Verb,
    check_demand,
    check_target,
    is_expressible,
    place_of,
)
from withhold.demands.vocabulary import Authenticity
from withhold.errors import Problem, TerritoryError, did_you_mean, quoted
from withhold.ledger import Ledger
from withhold.model.policy import Settle
from withhold.model.protected import Category, Protected
from withhold.model.rule import LINES, describe_control_character
from withhold.model.territory_set import NOWHERE, TerritorySet
from withhold.territories import WORLD, expand

#: The targets of a command: their numbers, a state of targets, or None for the default of the command.
Targets = Collection[int] | TargetState | None


@dataclass(frozen=True, slots=True)
class TargetDecision:
    """A decision on some targets. Without `withheld_in`, it applies to the geography that the demand requests.

    `override` maps codes of safeguards to reasons. `effective_at` is the instant at which it takes effect, by default
    the instant of recording.

    >>> TargetDecision(Ruling.REFUSE, ground=Ground.PROTECTED_SPEECH, category=Category.JOURNALIST).ruling.acts
    False
    """

    ruling: Ruling
    ground: Ground | None = None
    category: Category | None = None
    withheld_in: tuple[str, ...] = ()
    except_in: tuple[str, ...] = ()
    if_unknown: Settle | None = None
    effective_at: datetime | None = None
    until: datetime | None = None
    rationale: str | None = None
    override: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> TargetDecision:
        """Return the decision that an event records, without the instant at which it was to take effect."""
        ruling, if_unknown = Ruling(data["ruling"]), data.get("if_unknown")
        return cls(
            ruling,
            None if data.get("ground") is None else Ground(data["ground"]),
            None if data.get("category") is None else Category(data["category"]),
            () if ruling.is_worldwide else tuple(data.get("withheld_in", ())),
            tuple(data.get("except_in", ())),
            None if if_unknown is None else Settle(if_unknown),
            None,
            _instant(data.get("until")),
            data.get("rationale"),
            data.get("override", {}),
        )

    def data(self, fields: Mapping[str, Any]) -> Data:
        """Return the decision as JSON values, with its geography. Instants are text of fixed width."""
        values = {name: None if value is None else str(value) for name, value in asdict(self).items()}
        data: Data = {name: values[name] for name in ("ruling", "ground", "category", "if_unknown", "rationale")}
        data["effective_at"] = instant_text(self.effective_at, "effective_at")
        data["until"] = instant_text(self.until, "until")
        if self.ruling.is_worldwide:
            data["withheld_in"] = [WORLD]
        elif self.ruling.acts:
            requested = fields["requested"]
            data["withheld_in"] = _codes(self.withheld_in) or requested["withheld_in"]
            data["except_in"] = _codes(self.except_in) if self.withheld_in else requested.get("except_in")
            data["until"] = data["until"] or instant_text(_instant(requested.get("until")), "until")
        return {name: value for name, value in data.items() if value}


def _codes(given: Iterable[str]) -> list[str]:
    return sorted({found.code for code in given for found in expand(code)})


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def decide(
    ledger: Ledger,
    clerk: Clerk,
    demand_id: str,
    decisions: Sequence[tuple[Targets, TargetDecision]],
    protected: Iterable[Protected] | None = None,
) -> Done:
    """Record decisions on targets, by default on all targets without a decision.

    A decision to which a safeguard applies is only proposed, and waits for `approve`. A decision that is already
    effective or proposed records nothing.
    """
    instant, known = ledger.recorded_at(), safeguards.by_key(protected)

    def build(command: Command) -> None:
        demand = command.demand()
        if command.refuse(check_demand(demand_id, demand, "decide")):
            return
        targets = command.targets()
        seen: set[int] = set()
        for chosen, decision in decisions:
            judge = Judge(command, demand, decision, known, instant)
            if command.refuse(*judge.contradictions()):
                continue
            verb = Verb.ACT if decision.ruling.acts else Verb.DECLINE
            for number in chosen_targets(command, targets, chosen, (TargetState.UNDECIDED, TargetState.DEFERRED)):
                if number in seen:
                    hint = "keep one of the two decisions"
                    place = place_of(demand_id, number)
                    command.refuse(Problem("decided-twice", "the command decides on the target twice", place, hint))
                elif not command.refuse(check_target(demand_id, number, targets[number], verb)):
                    judge.decide(number, targets[number])
                seen.add(number)
        command.pass_over(target for number, target in targets.items() if number not in seen)

    content = ["decide", demand_id, [[listed(chosen), asdict(decision)] for chosen, decision in decisions]]
    return record(ledger, clerk, demand_id, build, content)


def listed(chosen: Targets) -> object:
    """Return the targets of a command as JSON values."""
    return chosen if chosen is None or isinstance(chosen, str) else sorted(chosen)


def chosen_targets(
    command: Command, targets: Mapping[int, Data], chosen: Targets, default: Collection[TargetState]
) -> Iterator[int]:
    """Yield the numbers of the targets that a command concerns."""
    if chosen is None or isinstance(chosen, TargetState):
        states = default if chosen is None else (chosen,)
        yield from (number for number, target in targets.items() if target["state"] in states)
        return
    for number in sorted(chosen):
        if number in targets:
            yield number
        else:
            command.refuse(unknown_target(command.id, number, len(targets)))


class Judge:
    """Checks one decision, new or proposed, for all targets that it concerns."""

    def __init__(
        self,
        command: Command,
        demand: Data,
        decision: TargetDecision,
        protected: Mapping[str, Protected] | None,
        instant: str,
    ) -> None:
        self.command, self.decision, self.instant = command, decision, instant
        self.fields: Mapping[str, Any] = demand["fields"]
        self.protected = protected
        self.problems: list[Problem] = []
        try:
            self.data = decision.data(self.fields)
        except TerritoryError as error:
            self.problems.append(error.problem)
            self.data = {"ruling": str(decision.ruling)}
        self.geography = self._of_geography()
        self.policy = list(safeguards.of_policy(decision.ruling, command.states.get("policy", "")))

    def _of_geography(self) -> list[Safeguard]:
        if self.problems or self.decision.ruling is not Ruling.WITHHOLD:
            return []
        return safeguards.of_geography(self.fields, self.data["withheld_in"], self.data.get("except_in", ()))

    def contradictions(self) -> Iterator[Problem]:
        """Yield the problems of the decision that do not depend on its target."""
        yield from self.problems
        ruling, data = self.decision.ruling, self.data
        if ruling in (Ruling.REFUSE, Ruling.NO_ACTION_POSSIBLE) and self.decision.ground is None:
            yield self._wrong("no-ground", f"`{ruling}` needs a ground", did_you_mean("", Ground))
        if (self.decision.ground is Ground.PROTECTED_SPEECH) != (self.decision.category is not None):
            hint = f"a category is one of {', '.join(f'`{category}`' for category in Category)}"
            yield self._wrong("bad-category", "`protected_speech` and a category need each other", hint)
        if (self.decision.withheld_in or self.decision.except_in) and (not ruling.acts or ruling.is_worldwide):
            yield self._wrong(
                "bad-geography",
                f"`{ruling}` has no geography",
                "leave it out: only a ruling that is limited to territories has one",
            )
        elif ruling.acts and not ruling.is_worldwide and not self.problems:
            requested = self.fields["requested"]
            asked = territories(requested["withheld_in"], requested.get("except_in", ()))
            granted = territories(data["withheld_in"], data.get("except_in", ()))
            if not granted:
                yield self._wrong("bad-geography", "it applies nowhere", "check `except_in`")
            elif beyond := granted - asked:
                hint = "grant at most what is requested; if the authority asks for more, use `amend`"
                yield self._wrong("beyond-request", f"the authority did not request it in {quoted(str(beyond))}", hint)
        begins = data.get("effective_at") or self.instant
        if ruling.acts and data.get("until") is not None and data["until"] <= begins:
            yield self._wrong("empty-period", f"it would end at {data['until']}, before it begins", "correct `until`")
        if ruling.acts and self.fields.get("authenticity") == Authenticity.FORGED:
            yield self._wrong("forged-demand", "the demand is forged", "refuse it with the ground `forged`")
        for code in self.decision.override:
            if code not in safeguards.OVERRIDABLE:
                hint = did_you_mean(code, safeguards.OVERRIDABLE)
                yield self._wrong("unknown-safeguard", f"there is no safeguard {quoted(code)} to override", hint)
        texts = {"rationale": self.decision.rationale, **self.decision.override}
        for name, text in texts.items():
            if text is not None and (not text.strip() or text != text.strip()):
                yield self._wrong("bad-text", f"`{name}` is empty, or has spaces around it", "write the reason")
            elif text is not None and (found := describe_control_character(name, text, LINES)):
                yield self._wrong("control-character", *found)

    def _wrong(self, code: str, message: str, hint: str) -> Problem:
        return Problem(code, message, f"demand {self.command.id}", hint)

    def safeguards(self, target: Data, effects: Sequence[Data]) -> list[Safeguard]:
        """Return the safeguards that apply to the decision for a target with the given effects."""
        if not self.decision.ruling.acts:
            return []
        found = [*self.geography, *self.policy]
        concerned = safeguards.of_target(target["bound"], target["author"], self.protected)
        if concerned is not None:
            found.append(concerned)
        if effects:
            begins = self.data.get("effective_at") or self.instant
            covers = _covers(self.data)
            found += safeguards.of_lift(
                self.fields, any(not covers(effect) for effect in effects if _lasts(effect, begins))
            )
        return found

    def decide(self, number: int, target: Data) -> None:
        command, data, place = self.command, self.data, place_of(self.command.id, number)
        if self.decision.ruling.acts and target["bound"] is None:
            hint = "bind the entry with `resolve`, or decide `no_action_possible`"
            command.refuse(Problem("not-resolved", "the entry is not bound to an account or a tweet", place, hint))
            return
        if self.decision.ruling is Ruling.SUSPEND and not is_expressible(target["bound"]):
            message = f"only accounts and tweets can be suspended, not {quoted(target['bound'])}"
            command.refuse(Problem("cannot-suspend", message, place, "decide `remove`, `deamplify` or `other`"))
            return
        effects = effects_of(command, number, target)
        found = self.safeguards(target, effects)
        if command.refuse(*check_overrides(found, self.decision.override, place)):
            return
        override = {
            each.code: self.decision.override[each.code] for each in found if each.code in self.decision.override
        }
        decided = {**data, "override": override} if override else data
        if self._repeats(target, decided, effects):
            command.done.unchanged += 1
            return
        command.done.stated.update({each.code for each in found})
        second = sorted({each.code for each in found})
        listed = None if self.protected is None else len(self.protected)
        word = f"{'proposed: ' if second else ''}{self.decision.ruling}"
        if self.decision.ruling.acts and not (is_expressible(target["bound"]) and self.decision.ruling in BY_RULE):
            word += " (by no rule)"
        command.add(
            "target.decided",
            word,
            number=number,
            second=second,
            protected_accounts=listed,
            identity="asserted",
            **decided,
        )

    def _repeats(self, target: Data, decided: Data, effects: Sequence[Data]) -> bool:
        """Return whether a decision is already effective when it would begin, or proposed to begin then."""
        proposal, begins = target["proposal"], decided.get("effective_at") or self.instant
        if proposal is not None:
            alike = proposal["verb"] == "decide" and _terms(proposal) == _terms(decided)
            return alike and max(proposal.get("effective_at") or "", self.instant) == max(begins, self.instant)
        current = target["ruling"]
        if current is None or target["state"] in (TargetState.LIFTED, TargetState.REVOKED):
            return False
        if target["state"] == TargetState.IN_FORCE and not any(_lasts(effect, self.instant) for effect in effects):
            return False  # it has expired
        return bool(current["from"] <= begins) and _terms(current) == _terms(decided)


def _terms(decision: Data) -> Data:
    """Return the values in which equal decisions agree."""
    names = ("ruling", "ground", "category", "withheld_in", "except_in", "if_unknown", "until", "override")
    return {name: decision[name] for name in names if decision.get(name)}


def effects_of(command: Command, number: int, target: Data) -> list[Data]:
    """Return the effects of a target, ended ones included."""
    found = (command.states.get("effect", effect_key(f"{command.id}/{number}", start)) for start in target["effects"])
    return [effect for effect in found if effect is not None]


def end_of(effect: Data) -> str | None:
    """Return when an effect ends, or None if its end is not known."""
    end: str | None = effect["ended"]["at"] if effect["ended"] else effect["until"]
    return end


def _lasts(effect: Data, instant: str) -> bool:
    end = end_of(effect)
    return end is None or end > max(instant, effect["from"])


def _covers(data: Data) -> Callable[[Data], bool]:
    """Return a function that returns whether the decision still hides everything that an effect hides."""
    until, places = data.get("until"), _places(tuple(data["withheld_in"]), tuple(data.get("except_in") or ()))
    unknown = _for_unknown(data)

    def covers(effect: Data) -> bool:
        if effect["effect"] == Ruling.SUSPEND:
            return bool(data["ruling"] == Ruling.SUSPEND)
        there = _places(tuple(effect["withheld_in"] or ()), tuple(effect["except_in"] or ()))
        end = end_of(effect)
        return (
            data["ruling"] in (Ruling.SUSPEND, Ruling.WITHHOLD)
            and (data["ruling"] == Ruling.SUSPEND or (not there - places and unknown >= _for_unknown(effect)))
            and (until is None or (end is not None and end <= until))
        )

    return covers


def _for_unknown(data: Data) -> int:
    """Return the effect on viewers of unknown location (R3, R4): 2 withholds, 1 leaves it to the policy, 0 shows."""
    if WORLD in data["withheld_in"] and not data.get("except_in"):
        return 2
    settle = data.get("if_unknown") or (Settle.WITHHOLD if data.get("except_in") else None)
    return 1 if settle is None else 2 if settle == Settle.WITHHOLD else 0


@lru_cache(maxsize=256)
def _places(withheld_in: tuple[str, ...], except_in: tuple[str, ...]) -> TerritorySet:
    return territories(withheld_in, except_in) if withheld_in else NOWHERE
