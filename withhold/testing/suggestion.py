"""A case that would notice unnoticed changes, as text to paste."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from withhold.errors import Place, quoted
from withhold.model import Outcome, Rule, Viewer
from withhold.model.ids import in_json
from withhold.model.instants import in_iso
from withhold.model.places import Places, location_of, place_of, within, within_any
from withhold.model.tweet import Link
from withhold.model.viewer import LocationKey
from withhold.semantics import extent, places_by_outcome, reach_of
from withhold.territories import GROUPS, WORLD
from withhold.testing.cases import Case, CaseFile, Expectation
from withhold.testing.elsewhere import ELSEWHERE, Elsewhere, codes_of, places_elsewhere
from withhold.testing.mutants import Mutant
from withhold.testing.questions import Question
from withhold.testing.viewers import UNKNOWN, place_name
from withhold.testing.witness import Witness

#: If `elsewhere` would be right only after the case names more further places than this, the case names the witness
#: instead.
_NAMED = 40

#: The width to which the lists of a case are wrapped.
_WIDTH = 100


@dataclass(slots=True)
class Suggestion:
    """Subjects at one instant, and the right outcomes at places where a change would be noticed.

    The mutation suggests a case for one subject at a time; `merge` joins them.
    """

    file: CaseFile
    links: list[Link]
    at: datetime
    expect: dict[LocationKey, Outcome] = field(default_factory=dict)
    elsewhere: Outcome | None = None
    notices: list[Mutant] = field(default_factory=list)
    #: A name that no other case of the file has; `merge` sets it.
    it: str = ""

    def add(self, witness: Witness, changed: Rule, rules: Iterable[Rule]) -> None:
        """Expect the outcome of a witness. `rules` are all that name the subject, and `changed` is the rule to test.

        For a place that the rule does not name, all places elsewhere are expected to have this outcome, if the case need
        only name a few others.
        """
        outcomes = self._outcomes(rules)
        named = within_any(code for code in (*changed.withheld_in, *changed.except_in) if code != WORLD)
        here = place_of(witness.place)
        if self.elsewhere is None and witness.place[0] is not None and not named & here:
            expect = self._with_others(witness.outcome, outcomes)
            if len(expect) - len(self.expect) <= _NAMED:
                self.expect, self.elsewhere = expect, witness.outcome
        if self.elsewhere is None or not here & places_elsewhere(self.expect, self.elsewhere):
            self.expect[witness.place] = witness.outcome
            if self.elsewhere is not None:  # the place may lie in another one with its own expected outcome
                self.expect = self._with_others(self.elsewhere, outcomes)

    def _with_others(self, outcome: Outcome, outcomes: dict[Outcome, Places]) -> dict[LocationKey, Outcome]:
        """Return expectations with one outcome for all places elsewhere: each place with another outcome is named."""
        expect = dict(self.expect)
        while others := places_elsewhere(expect, outcome) & ~outcomes[outcome]:
            for other, places in outcomes.items():
                for code in codes_of(others & places):
                    expect[location_of(within(code) & -within(code))] = other
        return expect

    def joined(self, other: Suggestion) -> Suggestion | None:
        """Return one case in place of two of the same file and instant, or None if they contradict each other.

        For a subject it may expect more than the original case, so it must be verified with `is_right`.
        """
        both = {self.elsewhere, other.elsewhere} - {None}
        if len(both) > 1 or any(
            other.expect.get(place, outcome) is not outcome for place, outcome in self.expect.items()
        ):
            return None
        return Suggestion(
            self.file,
            [*dict.fromkeys([*self.links, *other.links])],
            self.at,
            {**self.expect, **other.expect},
            self.elsewhere or other.elsewhere,
            [*self.notices, *other.notices],
        )

    def is_right(self, rules: Iterable[Rule]) -> bool:
        """Return whether all expected outcomes are those of a subject that the rules name."""
        outcomes = self._outcomes(rules)
        if any(not place_of(place) & outcomes[outcome] for place, outcome in self.expect.items()):
            return False
        return self.elsewhere is None or not places_elsewhere(self.expect, self.elsewhere) & ~outcomes[self.elsewhere]

    def _outcomes(self, rules: Iterable[Rule]) -> dict[Outcome, Places]:
        policy = self.file.policy
        return places_by_outcome(extent(reach_of(rule), policy) for rule in rules if rule.in_force(self.at))

    def cases(self) -> Iterator[Case]:
        """Yield the case of each subject."""
        expect = tuple(
            Expectation(Viewer(country=country, subdivisions=inside), outcome)
            for (country, inside), outcome in self.expect.items()
        )
        elsewhere = None
        if self.elsewhere is not None:
            elsewhere = Elsewhere(places_elsewhere(self.expect, self.elsewhere), self.elsewhere)
        for link in self.links:
            place = Place(str(self.file.path))
            yield Case(self.it, link, self.at, expect, None, place, elsewhere, len(self.links) > 1)

    def question(self, rules: Iterable[Rule]) -> Question:
        """Return the case of the only subject as a question. `rules` are the rules that name the subject."""
        (case,) = self.cases()
        return Question(self.file, case, (*self.links,), tuple(rules))

    @property
    def subjects(self) -> dict[str, int | list[int]]:
        """The keys of the case that name its subjects."""
        ids = {
            "account": sorted(account for _, account in self.links if account is not None),
            "tweet": sorted(tweet for tweet, _ in self.links if tweet is not None),
        }
        if len(self.links) == 1:
            return {kind: listed[0] for kind, listed in ids.items() if listed}
        return {f"{kind}s": listed for kind, listed in ids.items() if listed}

    def lines(self, indent: int) -> Iterator[str]:
        """Yield the YAML of the case as an indented item."""
        before = " " * indent
        yield f"{before}- it: {self.it}"
        for key, ids in self.subjects.items():
            if isinstance(ids, list):
                yield from _wrapped(f"{before}  {key}: ", [*map(str, ids)], "[]")
            else:
                yield f"{before}  {key}: {ids}"
        yield f"{before}  at: {in_iso(self.at)}"
        yield from _wrapped(f"{before}  expect: ", [f"{place}: {outcome}" for place, outcome in self._expected()], "{}")

    def reasons(self, indent: int) -> Iterator[str]:
        """Yield comments on the changes that the case would notice."""
        return (f"{' ' * indent}# {quoted(mutant.rule.id)} {mutant.change}" for mutant in self.notices)

    def to_dict(self) -> dict[str, object]:
        """Return the case as JSON values. Ids are text, which case files accept in quotes."""
        subjects = {
            key: [*map(in_json, ids)] if isinstance(ids, list) else in_json(ids) for key, ids in self.subjects.items()
        }
        notices = [{"rule_id": mutant.rule.id, "change": mutant.change} for mutant in self.notices]
        case = {"it": self.it, **subjects, "at": in_iso(self.at), "expect": dict(self._expected())}
        return {"case": case, "notices": notices}

    def _expected(self) -> Iterator[tuple[str, Outcome]]:
        """Yield the places in the form of a case file: the members of a group together, `elsewhere` and `unknown` last."""
        left = dict(self.expect)
        for group, members in sorted(GROUPS.items(), key=lambda named: -len(named[1])):
            keys = [(code, ()) for code in members]
            outcomes = {left.get(key) for key in keys}
            if len(outcomes) == 1 and None not in outcomes:
                yield group, left[keys[0]]
                for key in keys:
                    del left[key]
        unknown = left.pop((None, ()), None)
        yield from ((place_name(*place), outcome) for place, outcome in left.items())
        if self.elsewhere is not None:
            yield ELSEWHERE, self.elsewhere
        if unknown is not None:
            yield UNKNOWN, unknown


def _wrapped(head: str, parts: Sequence[str], brackets: str) -> Iterator[str]:
    """Yield a key with a list or a mapping of parts in brackets, on as many lines as are necessary.

    `withhold fmt` would indent the lines in the same way.
    """
    line = head + brackets[0]
    indentation = " " * (len(head) - len(head.lstrip()) + 2)
    for part in (*(f"{part}, " for part in parts[:-1]), f"{parts[-1]}{brackets[1]}"):
        if len(line) + len(part.rstrip()) > _WIDTH:
            yield line.rstrip()
            line = indentation
        line += part
    yield line
