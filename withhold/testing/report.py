"""The results of the cases of several files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from withhold.engine import Engine
from withhold.engine.explain import subject_values
from withhold.model.ids import in_json
from withhold.model.instants import in_iso
from withhold.model.tweet import links_of
from withhold.testing.cases import CaseFile, Result
from withhold.testing.coverage import Coverage, Share, share
from withhold.testing.mutation import Mutation
from withhold.testing.pasting import Addition, additions
from withhold.testing.running import places_of
from withhold.testing.viewers import place_of


@dataclass(slots=True)
class FileResults:
    """One case file and its results."""

    file: CaseFile
    engine: Engine
    results: list[Result]

    @property
    def failed(self) -> list[Result]:
        return [result for result in self.results if not result.passed]


@dataclass(slots=True)
class Report:
    """All results of `withhold test`."""

    files: list[FileResults]
    coverage: list[Coverage] | None = None
    mutation: Mutation | None = None
    #: The cases that were written to files, and the mutation with them; None if they were not requested.
    written: tuple[list[Addition], Mutation] | None = None
    #: Rule files that no case file tests; None if they were not searched.
    uncovered: list[Path] | None = None
    #: The minimum shares of tried sides and noticed changes, in percent; None if there is no minimum.
    fail_under: float | None = None
    mutation_threshold: float | None = None

    @property
    def cases(self) -> int:
        return sum(len(tested.results) for tested in self.files)

    @property
    def failures(self) -> int:
        return sum(len(tested.failed) for tested in self.files)

    @property
    def tried(self) -> Share | None:
        return None if self.coverage is None else share(self.coverage)

    @property
    def noticed(self) -> Share | None:
        return None if self.mutation is None else Share(self.mutation.killed, self.mutation.counted)

    @property
    def additions(self) -> list[Addition]:
        """Cases that would notice the unnoticed changes, by the files to which to add them."""
        if self.written is not None:
            return self.written[0]
        return [] if self.mutation is None else additions(self.mutation.suggestions)

    def shortfalls(self) -> Iterator[tuple[str, str]]:
        """Yield each measure that is below its threshold, with a message.

        An empty measure is below every threshold except 0, unless there are no rules at all.
        """
        if not self.uncovered and not any(tested.file.rules for tested in self.files):
            return
        asked = (("coverage", self.tried, self.fail_under), ("mutation", self.noticed, self.mutation_threshold))
        for what, found, least in asked:
            if found is not None and least is not None and not found.reaches(least):
                yield what, f"{found} is less than the required {least:g}%"

    @property
    def fine(self) -> bool:
        """Whether all cases passed, and no share is below its threshold."""
        return not self.failures and not any(self.shortfalls())

    def to_dict(self) -> dict[str, object]:
        """Return the report as JSON values."""
        found: dict[str, object] = {
            "fine": self.fine,
            "fail_under": self.fail_under,
            "mutation_threshold": self.mutation_threshold,
            "cases": self.cases,
            "failed": self.failures,
            "files": [
                {
                    "file": str(tested.file.path),
                    "rules": str(tested.file.rules_path),
                    "revision": tested.file.rules.revision,
                    "cases": [_case(result, tested.engine) for result in tested.results],
                }
                for tested in self.files
            ],
            "coverage": None,
            "mutation": None,
        }
        if self.uncovered is not None:
            found["uncovered"] = [str(path) for path in self.uncovered]
        if self.coverage is not None:
            tried, sides = share(self.coverage)
            rules = [rule.to_dict() for rule in self.coverage]
            found["coverage"] = {"tried": tried, "sides": sides, "rules": rules}
        if self.mutation is not None:
            found["mutation"] = {
                "changes": self.mutation.counted,
                "noticed": self.mutation.killed,
                "equivalent": len(self.mutation.equivalent),
                "survivors": [
                    {
                        "rule_id": mutant.rule.id,
                        "place": str(mutant.rule.place) if mutant.rule.place else None,
                        "change": mutant.change,
                    }
                    for mutant in self.mutation.survivors
                ],
                "untested": [
                    {
                        "rule_id": rule.id,
                        "place": str(rule.place) if rule.place else None,
                        "changes": changes,
                    }
                    for rule, changes in self.mutation.untested
                ],
                "suggestions": [each for addition in self.additions for each in addition.to_dicts()],
            }
        if self.written is not None:
            added, after = self.written
            found["written"] = {
                "files": [{"file": str(addition.path), "cases": addition.cases} for addition in added],
                "changes": after.counted,
                "noticed": after.killed,
            }
        return found


def _case(result: Result, engine: Engine) -> dict[str, object]:
    case = result.case
    return {
        "it": case.it,
        "place": str(case.place),
        "subject": subject_values(links_of(case.subject)),
        "at": in_iso(case.at),
        "passed": result.passed,
        "because": case.because,
        "answers": [
            {
                "viewer": place_of(answer.expectation.viewer),
                "given_as": answer.expectation.given_as,
                "places": None if answer.right else places_of(answer.expectation),
                "viewer_account": in_json(answer.expectation.viewer.account_id),
                "expected": answer.expectation.outcome,
                "got": answer.decision.outcome,
                "rule_id": answer.decision.rule_id,
                "right": answer.right,
                "explanation": None
                if answer.right
                else engine.explain(case.subject, answer.expectation.viewer, case.at).to_dict(),
            }
            for answer in result.answers
        ],
    }
