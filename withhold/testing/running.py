"""Run cases. One view for each viewer and instant answers all their questions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import reduce
from operator import or_

from withhold.engine import Engine, View
from withhold.engine.decider import Decider
from withhold.errors import escaped
from withhold.model import Decision, Tweet, Viewer
from withhold.model.tweet import Subject, links_of
from withhold.testing.cases import Answer, Case, CaseFile, Expectation, Result
from withhold.testing.elsewhere import ELSEWHERE, codes_of
from withhold.testing.viewers import place_of

#: The maximum number of places that a line about a group or about `elsewhere` lists.
_LISTED = 8


class Runner:
    """Runs the cases of one file with an engine."""

    def __init__(self, file: CaseFile, engine: Engine) -> None:
        self._file = file
        self.engine = engine
        self._decider = Decider(engine.snapshot, file.policy)
        self._views: dict[tuple[Viewer, datetime], View] = {}

    def run(self, case: Case) -> Result:
        """Return the result of one case."""
        answers = [
            Answer(expected, self._decide(case.subject, expected.viewer, case.at), case.because)
            for expected in (*case.expect, *self._elsewhere(case))
        ]
        return Result(self._file, case, tuple(answers))

    def run_all(self) -> Iterator[Result]:
        """Yield the results of the file's cases, in the order of the file."""
        return map(self.run, self._file.cases)

    def _elsewhere(self, case: Case) -> Iterator[Expectation]:
        if case.elsewhere is None:
            return
        concerning = self._decider.concerning(links_of(case.subject))
        in_force = [rule for rule, _ in concerning if rule.in_force(case.at)]
        for viewer, places in case.elsewhere.representatives(in_force, self._file.policy):
            yield Expectation(viewer, case.elsewhere.outcome, ELSEWHERE, places)

    def _decide(self, subject: Subject, viewer: Viewer, at: datetime) -> Decision:
        view = self._views.get((viewer, at))
        if view is None:
            view = self._views[viewer, at] = self.engine.view(viewer, at)
        return (
            view.check_tweet(subject).decision
            if isinstance(subject, Tweet)
            else view.check(tweet_id=subject[0], account_id=subject[1])
        )


def failure(result: Result, engine: Engine) -> str:
    """Return the expected and actual outcomes of a failed case at each place, with an explanation of each wrong answer."""
    return "\n".join(_lines(result, engine))


def summary(result: Result) -> str:
    """Return the expected and actual outcomes of a failed case where they differ, on one line."""
    return "; ".join(_wrong(result))


def places_of(expectation: Expectation) -> list[str]:
    """Return the codes of the places that an answer to an expectation applies to."""
    return codes_of(expectation.places) if expectation.places else [place_of(expectation.viewer)]


def _wrong(result: Result) -> Iterator[str]:
    for where, answer in _together(result):
        if not answer.right:
            expected, got = answer.expectation.outcome, answer.decision
            other = (
                f"got {got.outcome}" if got.outcome is not expected else f"got it by rule {escaped(str(got.rule_id))}"
            )
            yield f"{where}: expected {expected}, {other}"


def _lines(result: Result, engine: Engine) -> Iterator[str]:
    case = result.case
    yield f"{case.place}: {escaped(case.it)}"
    yield f"  {case}"
    together = list(_together(result))
    width = max(len(where) for where, _ in together)
    for place, answer in together:
        expected, got = answer.expectation.outcome, answer.decision
        where = place.ljust(width)
        by = f" by rule {escaped(str(got.rule_id))}" if not got.visible else ""
        if got.outcome is not expected:
            yield f"  {where}  expected {expected}, got {got.outcome}{by}"
        elif not answer.right:
            yield f"  {where}  {expected} as expected, but{by} and not by {escaped(str(case.because))}"
        else:
            yield f"  {where}  {expected} as expected"
    explained: set[Decision] = set()
    for answer in result.answers:
        if not answer.right and answer.decision not in explained:
            explained.add(answer.decision)
            explanation = engine.explain(case.subject, answer.expectation.viewer, case.at)
            yield from (f"    {line}" for line in str(explanation).splitlines())


def _together(result: Result) -> Iterator[tuple[str, Answer]]:
    """Yield the answers, each with its place in words; for a group or `elsewhere`, one of each kind of answers."""
    alike: dict[object, list[Answer]] = {}
    for number, answer in enumerate(result.answers):
        given_as = answer.expectation.given_as
        got = None if answer.right else (answer.decision.outcome, answer.decision.rule_id)
        alike.setdefault(number if given_as is None else (given_as, got), []).append(answer)
    kinds = [answers[0].expectation.given_as for answers in alike.values()]
    for answers in alike.values():
        first = answers[0]
        if (given_as := first.expectation.given_as) is None:
            yield place_of(first.expectation.viewer), first
        elif kinds.count(given_as) == 1:
            yield escaped(given_as), first
        elif first.right:
            yield f"{escaped(given_as)} otherwise", first
        else:
            yield f"{escaped(given_as)} ({_listed(answers)})", first


def _listed(answers: list[Answer]) -> str:
    """Return the places of several answers, and the number of those left out."""
    expected = [answer.expectation for answer in answers]
    places = reduce(or_, (each.places for each in expected))
    codes = codes_of(places) if places else [place_of(each.viewer) for each in expected]
    more = f" and {len(codes) - _LISTED} more" if len(codes) > _LISTED else ""
    return f"{', '.join(codes[:_LISTED])}{more}"
