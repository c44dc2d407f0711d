"""Run cases. One view for each viewer and instant answers all their questions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from withhold.engine import Engine, View
from withhold.errors import escaped
from withhold.model import Decision, Tweet, Viewer
from withhold.model.tweet import Subject
from withhold.testing.cases import Answer, Case, CaseFile, Result
from withhold.testing.viewers import place_of


class Runner:
    """Runs the cases of one file with an engine."""

    def __init__(self, file: CaseFile, engine: Engine) -> None:
        self._file = file
        self.engine = engine
        self._views: dict[tuple[Viewer, datetime], View] = {}

    def run(self, case: Case) -> Result:
        """Return the result of one case."""
        answers = [
            Answer(expected, self._decide(case.subject, expected.viewer, case.at), case.because)
            for expected in case.expect
        ]
        return Result(self._file, case, tuple(answers))

    def run_all(self) -> Iterator[Result]:
        """Yield the results of the file's cases, in the order of the file."""
        return map(self.run, self._file.cases)

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


def _wrong(result: Result) -> Iterator[str]:
    for answer in result.answers:
        if not answer.right:
            expected, got = answer.expectation.outcome, answer.decision
            where = place_of(answer.expectation.viewer)
            other = (
                f"got {got.outcome}" if got.outcome is not expected else f"got it by rule {escaped(str(got.rule_id))}"
            )
            yield f"{where}: expected {expected}, {other}"


def _lines(result: Result, engine: Engine) -> Iterator[str]:
    case = result.case
    yield f"{case.place}: {escaped(case.it)}"
    yield f"  {case}"
    width = max(len(place_of(answer.expectation.viewer)) for answer in result.answers)
    for answer in result.answers:
        expected, got = answer.expectation.outcome, answer.decision
        where = place_of(answer.expectation.viewer).ljust(width)
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
