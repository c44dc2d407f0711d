"""Every life cycle: no sequence of commands reaches a forbidden state, and rules answer according to the decisions."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.demands.material import ENTRIES, HOUR, JOURNALIST, PROTECTED, TWEET, demand, received
from withhold import Engine, Viewer
from withhold.demands.commands import (
    Clerk,
    Resolution,
    TargetDecision,
    amend,
    approve,
    decide,
    effected,
    lift,
    log,
    reject,
    resolve,
    revoke,
    set_policy,
)
from withhold.demands.register import Register
from withhold.demands.safeguards import OVERRIDABLE
from withhold.demands.transitions import Ground, Ruling, TargetState, demand_state
from withhold.demands.vocabulary import LogEntry
from withhold.errors import DemandError
from withhold.lint import lint
from withhold.model.protected import Category

DEMANDS = ("IN-D1", "IN-C1")
VIEWERS = {"IN": Viewer(country="IN"), "PK": Viewer(country="PK"), "US": Viewer(country="US")}
#: Subjects that a viewer may ask about: tweet, account.
SUBJECTS = (
    (None, 1),
    (None, 2),
    (None, 3),
    (None, 4),
    (TWEET, 9),
    (TWEET + 1, 1),
    (TWEET + 2, 2),
)
REASON = "reviewed by counsel"


@dataclass
class Timeline:
    """The state of an entry in the model: from each instant on, its territories, `suspend`, or nothing."""

    points: list[tuple[datetime, Any]] = field(default_factory=list)

    def at(self, instant: datetime) -> Any:
        values = [value for begins, value in self.points if begins <= instant]
        return values[-1] if values else None

    def begin(self, instant: datetime, value: Any, until: datetime | None = None) -> None:
        self.points = [point for point in self.points if point[0] < instant]
        self.points.append((instant, value))
        if until is not None:
            self.points.append((until, None))

    def revoke(self, instant: datetime) -> None:
        now = self.at(instant)
        later = [(begins, value if value == "suspend" else None) for begins, value in self.points if begins > instant]
        self.points = [point for point in self.points if point[0] < instant]
        self.points += [(instant, now if now == "suspend" else None), *later]


few = st.sets(st.integers(1, len(ENTRIES)), min_size=1, max_size=3)
readable = st.sets(st.integers(1, 7), min_size=1, max_size=2)
clerks = st.sampled_from(["asha", "Ravi", "Ravi", " ASHA "])
hours = st.sampled_from([None, None, None, 0, 1, 2, 4])
overrides = st.sampled_from(
    [{}, {"protected-account": REASON}, *3 * [dict.fromkeys(OVERRIDABLE, REASON)], {"court-order": REASON}]
)
withholdings: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    ruling=st.just(Ruling.WITHHOLD),
    withheld_in=st.sampled_from([("IN",), ("IN",), ("IN", "PK"), (), ("IN-DL",)]),
)
declined = st.sampled_from(
    [
        {"ruling": Ruling.REFUSE, "ground": Ground.PROTECTED_SPEECH, "category": Category.ACTIVIST},
        {"ruling": Ruling.NO_ACTION_POSSIBLE, "ground": Ground.GONE},
        {"ruling": Ruling.DEFER},
    ]
)
others = st.sampled_from(
    [{"ruling": each} for each in (Ruling.SUSPEND, Ruling.SUSPEND, Ruling.REMOVE, Ruling.DEAMPLIFY)]
)
which = st.sampled_from(DEMANDS)
lists = st.sampled_from([PROTECTED, PROTECTED, PROTECTED, None])
_LIFTED = st.sampled_from([None, None, TargetState.IN_FORCE, TargetState.OUTSIDE])
#: What each step needs.
STEPS = {
    "decide": (
        which,
        readable,
        st.one_of(withholdings, withholdings, others, declined),
        overrides,
        clerks,
        hours,
        hours,
        lists,
    ),
    "decide all": (which, st.none(), withholdings, overrides, clerks, hours, hours, lists),
    "decide again": (
        which,
        st.sampled_from([TargetState.LIFTED, TargetState.IN_FORCE]),
        st.one_of(withholdings, others),
        overrides,
        clerks,
        hours,
        hours,
        lists,
    ),
    "decide on anything": (which, few, st.one_of(withholdings, declined), overrides, clerks, hours, hours, lists),
    "approve": (which, st.one_of(st.none(), few), clerks),
    "reject": (which, clerks),
    "lift": (which, st.one_of(_LIFTED, readable), overrides, clerks, hours),
    "revoke": (which, hours),
    "resolve": (which, st.sampled_from([8, 8, 2, 5]), st.sampled_from([2, 4])),
    "what changes no rule": (which,),
    "set policy": (st.sampled_from([(), ("withhold",), ("suspend", "lift")]),),
    "amend": (),
}
#: How often each is tried.
WEIGHTS = {"decide": 6, "decide all": 3, "decide again": 3, "approve": 6, "lift": 4, "resolve": 2}
steps = st.lists(
    st.sampled_from([name for name in STEPS for _ in range(WEIGHTS.get(name, 1))]).flatmap(
        lambda name: st.tuples(st.just(name), *STEPS[name])
    ),
    min_size=8,
    max_size=16,
)


class World:
    """A ledger with two demands, and a model of the decisions. Every step changes both."""

    def __init__(self) -> None:
        asked = "{withheld_in: [WORLD]}"
        self.ledger: Any = received(demand("IN-D1", requested=asked), demand("IN-C1", type="court", requested=asked))
        self.model = {(each, number): Timeline() for each in DEMANDS for number in range(1, len(ENTRIES) + 1)}
        self.bound = {number: key for number, (key, _) in enumerate(ENTRIES, 1)}
        self.past: list[tuple[datetime, dict[Any, str]]] = []
        for each in DEMANDS:  # begin with something to lift, to revoke and to decide again
            made = {"ruling": Ruling.WITHHOLD, "withheld_in": ("IN",)}
            self.decide(each, {1, 2, 6}, made, dict.fromkeys(OVERRIDABLE, REASON), "asha", None, None, PROTECTED)
            self.approve(each, {1, 2}, "Ravi")

    def states(self, demand_id: str) -> dict[int, dict[str, Any]]:
        return Register(self.ledger).targets(demand_id)

    def at(self, hours: int | None) -> datetime | None:
        return None if hours is None else self.ledger.now + hours * HOUR

    def decide(self, which, chosen, made, override, who, begins, lasts, protected):
        until = None if lasts is None else (self.at(begins) or self.ledger.now) + lasts * HOUR
        decision = TargetDecision(**made, override=override, effective_at=self.at(begins), until=until)
        before = self.states(which)
        decide(self.ledger, Clerk(who), which, [(chosen, decision)], protected)
        self.follow(which, before, decision)

    def approve(self, which, chosen, who):
        before = self.states(which)
        approve(self.ledger, Clerk(who), which, chosen, PROTECTED)
        for number, target in self.states(which).items():
            proposal = before[number]["proposal"]
            if proposal is not None and target["proposal"] is None:
                assert proposal["actor"].strip().lower() != who.strip().lower()
                decision = TargetDecision.of(proposal) if proposal["verb"] == "decide" else None
                at = proposal.get("effective_at")
                begins = self.ledger.now if at is None else max(datetime.fromisoformat(at), self.ledger.now)
                self.apply(which, number, decision, begins)

    def reject(self, which, who):
        reject(self.ledger, Clerk(who), which, REASON)

    def lift(self, which, chosen, override, who, begins):
        sequence = self.ledger.head.sequence
        lift(self.ledger, Clerk(who), which, REASON, chosen, effective_at=self.at(begins), override=override)
        for event in self.ledger.events(sequence):
            if not event.data["second"]:
                self.apply(which, event.data["number"], None, self.at(begins) or self.ledger.now)

    def revoke(self, which, begins):
        done = revoke(self.ledger, Clerk("asha"), which, "letter of 12 February", effective_at=self.at(begins))
        if done.recorded:
            for number in self.bound:
                self.model[which, number].revoke(self.at(begins) or self.ledger.now)

    def resolve(self, which, number, account):
        resolve(self.ledger, Clerk("asha"), which, [Resolution(number, bound=f"account:{account}")])

    def what_changes_no_rule(self, which):
        log(self.ledger, Clerk("asha"), which, LogEntry.NONCOMPLIANCE_NOTICE, "seven years")
        effected(self.ledger, Clerk("asha"), which, {"at": "2021-02-01"})

    def set_policy(self, two):
        set_policy(self.ledger, Clerk("asha"), two)

    def amend(self):
        amend(self.ledger, Clerk("asha"), demand("IN-D1", requested="{withheld_in: [IN, PK]}"), "second letter")

    def follow(self, which, before, decision):
        """Apply a decision to the model. Decisions that wait for a second person change nothing yet."""
        head = self.ledger.head.sequence
        for event in self.ledger.events(head - len(before) if head > len(before) else 0):
            if event.kind == "target.decided" and event.data["batch"] == self.last_batch() and not event.data["second"]:
                self.apply(which, event.data["number"], decision, decision.effective_at or self.ledger.now)

    def last_batch(self) -> int:
        last: int = self.ledger.all[-1].data["batch"]
        return last if self.ledger.all[-1].recorded_at == self.ledger.recorded_at() else -1

    def apply(self, which, number, decision, begins):
        value: Any = None
        if decision is not None and decision.ruling is Ruling.SUSPEND:
            value = "suspend"
        elif decision is not None and decision.ruling is Ruling.WITHHOLD and number != 7:
            given = decision.withheld_in or self.requested(which)
            value = frozenset(given)
        acts = decision is None or decision.ruling.acts or self.model[which, number].points
        if acts:
            self.model[which, number].begin(begins, value, decision.until if decision and value else None)

    def requested(self, which):
        return Register(self.ledger).demand(which)["fields"]["requested"]["withheld_in"]

    def outcomes(self, instant):
        """Return the outcome that follows from the decisions, without any rule."""
        bound = {(which, number): each["bound"] for which in DEMANDS for number, each in self.states(which).items()}
        values = [(bound[entry], value) for entry, line in self.model.items() if (value := line.at(instant))]
        answers = {}
        for (tweet, account), place in product(SUBJECTS, VIEWERS):
            concern = [value for key, value in values if key in (f"account:{account}", f"tweet:{tweet}")]
            withheld = any(value & {place, "WORLD"} for value in concern if value != "suspend")
            outcome = "suspended" if "suspend" in concern else "withheld" if withheld else "visible"
            answers[(tweet, account), place] = outcome
        return answers

    def answers(self, engine, instant):
        return {
            (subject, place): engine.check(subject, viewer, instant).outcome.value
            for subject in SUBJECTS
            for place, viewer in VIEWERS.items()
        }

    def rules_answer_as_the_decisions_say(self):
        rules = Register(self.ledger).rule_set()
        engine = Engine(rules)
        for instant in (self.ledger.now, self.ledger.now + 3 * HOUR):
            assert self.answers(engine, instant) == self.outcomes(instant)
        for instant, answers in self.past[-2:]:
            assert self.answers(engine, instant) == answers, "nothing rewrites the past"
        self.past.append((self.ledger.now, self.answers(engine, self.ledger.now)))
        assert [str(each) for each in lint(rules, PROTECTED) if each.severity == "error"] == []
        self.ledger.now += HOUR

    def no_state_is_forbidden(self):
        events = {event.sequence: event for event in self.ledger.all}
        assert {
            key: data for kind in ("demand", "target", "effect", "subject") for key, data in self.ledger.states(kind)
        } == {
            key: data
            for kind in ("demand", "target", "effect", "subject")
            for key, data in self.ledger.folded().scan(kind)
        }
        for which, state in Register(self.ledger).demands():
            found = self.states(which)
            counted = [target["state"] for target in found.values()]
            assert state["tally"] == {each: counted.count(each) for each in set(counted)}
            counts = state["counts"]
            assert counts["entries"] == sum(
                counts[each] for each in ("unique", "duplicate", "error", "blank", "ignored")
            )
            assert state["pending"] == sum(target["proposal"] is not None for target in found.values())
            assert demand_state(state) != "implemented" or "undecided" not in counted
            for number, target in found.items():
                for start in target["effects"]:
                    effect = self.ledger.state("effect", f"{which}/{number}/{start}")
                    self.check_effect(which, target, effect, events)

    def check_effect(self, which, target, effect, events):
        assert effect["subject"] == target["bound"]
        second = effect["approved"] is not None
        if second:
            people = {events[effect[each]].actor.strip().lower() for each in ("decided", "approved")}
            assert len(people) == 2
        override = effect["override"] or {}
        if f"account:{JOURNALIST}" in (effect["subject"], target["author"]):
            assert second
            assert events[effect["decided"]].data.get("protected_accounts") is None or "protected-account" in override
            assert "protected-account" in override, "the approver's list is read again"
        if effect["effect"] == "withhold" and {"PK", "WORLD"} & {*effect["withheld_in"]}:
            assert second
            assert {"beyond-its-country", "worldwide-for-one-country"} & {*override}
        ended = effect["ended"]
        if ended is not None and ended["how"] == "lifted" and which == "IN-C1":
            people = {events[ended[each]].actor.strip().lower() for each in ("decided", "sequence")}
            assert len(people) == 2 or ended["at"] >= (effect["until"] or "9")


@given(steps)
@settings(max_examples=30)
def test_no_sequence_of_commands_reaches_a_forbidden_state(taken):
    world = World()
    for name, *given_values in taken:
        with suppress(DemandError):
            getattr(world, METHODS.get(name, name.replace(" ", "_")))(*given_values)
        world.no_state_is_forbidden()
        world.rules_answer_as_the_decisions_say()


METHODS = {"decide all": "decide", "decide again": "decide", "decide on anything": "decide"}
