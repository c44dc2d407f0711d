"""Events that a form can express are unchanged when they are converted to text, rules and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.material import AT, LAST, normalised, read_text
from withhold import Reason
from withhold.territories import WORLD
from withhold.wire import WRITTEN, Event, Form, Kind, Term, rules_of, write
from withhold.wire.codes import x_term

CODES = ("DE", "FR", "IN", "NO", "XK", WORLD)
LEGAL = [x_term(Reason.LEGAL_DEMAND, code) for code in CODES]
COPYRIGHT = [x_term(Reason.COPYRIGHT, code) for code in CODES]
LOCAL = [x_term(Reason.LOCAL_LAW, code) for code in CODES if code != WORLD]
DMCA, UNVIEWABLE = x_term(Reason.COPYRIGHT, WORLD), x_term(Reason.TERMS, WORLD)

INSTANTS = [AT + timedelta(milliseconds=250, hours=hour) for hour in range(4)]
INSTANTS += [datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 8, 13, 1, 2, 3, 4567, tzinfo=UTC)]
#: An id that a double cannot hold, its rounded form, and others.
NUMBERS = [601430178305220608, 601430178305220600, 17, 2**63 - 1]


def some(*terms: Term) -> st.SearchStrategy[frozenset[Term]]:
    return st.frozensets(st.sampled_from(terms))


def sayable(form: str, kind: str) -> st.SearchStrategy[frozenset[Term]]:
    """Generate the lists of terms that a form can express."""
    plain = some(*LEGAL, DMCA)
    match form, kind:
        case ("v1", _) | ("v2", "tweets"):
            found = plain | some(*COPYRIGHT)
        case "labels", _:
            found = some(UNVIEWABLE)
        case "takedowns", "tweets":
            found = some(*LEGAL, *LOCAL, DMCA)
        case "takedowns", _:
            found = some(*LEGAL, *LOCAL)
        case "buzzfeed", _:
            found = plain | st.just(frozenset({UNVIEWABLE}))
        case _:
            found = plain
    return found.filter(bool) if form in ("v2", "compliance") else found


@st.composite
def histories(draw: st.DrawFn, form: Form) -> list[Event]:
    only: dict[str, list[Kind]] = {"labels": ["tweets"], "buzzfeed": ["accounts"]}
    kinds = only.get(form.name, ["accounts", "tweets"])
    found = []
    for _ in range(draw(st.integers(0, 8))):
        kind = draw(st.sampled_from(kinds))
        at = draw(st.sampled_from(INSTANTS)) if form.dated else AT
        found.append(Event(kind, draw(st.sampled_from(NUMBERS)), at, draw(sayable(form.name, kind))))
    return found


@pytest.mark.parametrize("form", WRITTEN.values(), ids=lambda form: form.name)
def test_events_to_rules_to_events_is_the_identity(form):
    @settings(max_examples=40)
    @given(histories(form))
    def check(events: list[Event]) -> None:
        wanted = normalised(events)
        rules = rules_of(events, form.name)
        written = write(form, rules, LAST)
        assert written.problems == []
        again = read_text(form.name, "\n".join(written.lines))
        assert (again.problems, again.refused) == ([], 0)
        assert normalised(again.events) == wanted
        assert rules_of(again.events, form.name) == rules

    check()


#: Rows of takedown labels always hold an instant, so only the other forms depend on `at`.
@pytest.mark.parametrize("form", [form for form in WRITTEN.values() if not form.dated], ids=lambda form: form.name)
def test_a_form_without_instants_has_the_state_at_the_instant(form):
    events = [Event("accounts", 17, at, frozenset({term})) for at, term in zip(INSTANTS, LEGAL, strict=False)]
    for number, at in enumerate(INSTANTS[:4]):
        lines = write(form, rules_of(events, form.name), at).lines
        (found,) = read_text(form.name, "\n".join(lines), at).events
        assert found == events[number]._replace(at=at)


@st.composite
def labelled(draw: st.DrawFn) -> list[Event]:
    """Generate events that expire, and that belong to independent tracks."""
    instants = st.integers(0, 6).map(lambda hour: AT + timedelta(hours=hour))
    return draw(
        st.lists(
            st.builds(
                Event,
                st.just("tweets"),
                st.just(1),
                instants,
                some(*LEGAL[:2]),
                st.none() | instants,
                st.sampled_from("ab"),
            ),
            max_size=6,
        )
    )


@given(labelled())
def test_rules_withhold_what_the_events_state_at_every_instant(events):
    rules = rules_of(events, "bluesky")
    for half in range(14):
        at = AT + timedelta(minutes=30 * half)
        wanted: set[Term] = set()
        for track in "ab":
            # The definition: the last event at or before the instant holds, unless it has expired.
            before = [event for event in events if event.track == track and event.at <= at]
            last = max(before, key=lambda event: event.at, default=None)
            if last is not None:
                last = [event for event in before if event.at == last.at][-1]
                wanted |= last.terms if last.until is None or at < last.until else frozenset()
        assert {code for rule in rules if rule.in_force(at) for code in rule.withheld_in} == {
            code for term in wanted for code in term.withheld_in
        }
