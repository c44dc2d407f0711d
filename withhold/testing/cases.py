"""The contents of case files: questions with the expected answers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from withhold.errors import Place, Problem
from withhold.model import Decision, Outcome, Policy, Rule, RuleSet, Viewer
from withhold.model.instants import in_iso
from withhold.model.places import Places
from withhold.model.tweet import Subject, links_of
from withhold.testing.elsewhere import Elsewhere


@dataclass(frozen=True, slots=True)
class Expectation:
    """A viewer, and the expected outcome."""

    viewer: Viewer
    outcome: Outcome
    #: The group of which the viewer's place is a member, or `elsewhere`; None for a place that the case itself names.
    given_as: str | None = None
    #: All places that the viewer represents, for `elsewhere`.
    places: Places = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One subject at one instant, and the outcomes expected for some viewers.

    A case of a file that names several subjects is as many of these, with the same `it` and place.
    """

    it: str
    subject: Subject
    at: datetime
    expect: tuple[Expectation, ...]
    #: The rule that must speak wherever the subject is hidden, or None.
    because: str | None
    place: Place
    elsewhere: Elsewhere | None = None
    #: Whether the case of the file names other subjects too.
    is_one_of_several: bool = False

    @property
    def name(self) -> str:
        """The `it`; with the subject, if the case of the file names several."""
        return f"{self.it} [{self._subject}]" if self.is_one_of_several else self.it

    def __str__(self) -> str:
        """Return the question on one line."""
        return f"{self._subject} at {in_iso(self.at)}"

    @property
    def _subject(self) -> str:
        return ", a retweet of ".join(" by ".join(_named(*link)) for link in links_of(self.subject))


@dataclass(frozen=True)
class CaseFile:
    """The cases of one file, and the rules and the policy that they test."""

    path: Path
    rules_path: Path
    rules: RuleSet
    policy: Policy
    cases: tuple[Case, ...]
    # Several of the following fields have the same type: passed by position, they could be confused without an error.
    _: KW_ONLY
    #: Warnings about values that were not read as written.
    warnings: tuple[Problem, ...] = ()
    #: The indentation of the cases, for suggested cases.
    indent: int = 2
    #: The only rule file whose rules are measured, or None to measure all rules. Other files may define its groups or
    #: name the same subjects.
    only: Path | None = None
    #: The root of the rules, outside which no file is opened, or None if it is the directory of the rules.
    root: Path | None = None
    #: Whether the rules come from a snapshot.
    is_compiled: bool = False

    @cached_property
    def context(self) -> tuple[Path, Policy]:
        """The real path of the rules, and the policy.

        Files that test the same rules in the same way have the same context.
        """
        return Path(os.path.realpath(self.rules_path)), self.policy

    @property
    def measured(self) -> Iterator[Rule]:
        """The rules that coverage and mutation measure."""
        only = None if self.only is None else str(self.only)
        return (rule for rule in self.rules if only is None or (rule.place and rule.place.file == only))

    @cached_property
    def names(self) -> frozenset[str]:
        """The `it` of each case of the file, where it is unique."""
        return frozenset(case.it for case in self.cases)


@dataclass(frozen=True, slots=True)
class Answer:
    """The decision for one expectation."""

    expectation: Expectation
    decision: Decision
    because: str | None

    @property
    def right(self) -> bool:
        wrong_rule = self.because is not None and not self.decision.visible and self.decision.rule_id != self.because
        return self.decision.outcome is self.expectation.outcome and not wrong_rule


@dataclass(frozen=True, slots=True)
class Result:
    """The answers of one case."""

    file: CaseFile
    case: Case
    answers: tuple[Answer, ...]

    @property
    def passed(self) -> bool:
        return all(answer.right for answer in self.answers)


def _named(tweet: int | None, account: int | None) -> Iterator[str]:
    if tweet is not None:
        yield f"tweet {tweet}"
    if account is not None:
        yield f"account {account}"
