"""A case that would notice unnoticed changes, as text to paste."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from withhold.errors import Place, quoted
from withhold.model import Outcome, Rule, Viewer
from withhold.model.ids import in_json
from withhold.model.instants import in_iso
from withhold.model.tweet import Link
from withhold.model.viewer import LocationKey
from withhold.testing.cases import Case, CaseFile, Expectation
from withhold.testing.mutants import Mutant
from withhold.testing.questions import Question
from withhold.testing.viewers import place_name


@dataclass(slots=True)
class Suggestion:
    """One subject at one instant, and the right outcomes at places where a change would be noticed."""

    file: CaseFile
    link: Link
    at: datetime
    expect: dict[LocationKey, Outcome] = field(default_factory=dict)
    notices: list[Mutant] = field(default_factory=list)

    @property
    def it(self) -> str:
        """A name that no other case of the file has."""
        tweet, account = self.link
        name = f"{f'tweet {tweet}' if account is None else f'account {account}'} as of {in_iso(self.at)}"
        taken = self.file.names
        return next(free for count in range(1, len(taken) + 2) if (free := _counted(name, count)) not in taken)

    def question(self, rules: Iterable[Rule]) -> Question:
        """Return the case as a question. `rules` are the rules that name its subject."""
        expect = tuple(
            Expectation(Viewer(country=country, subdivisions=inside), outcome)
            for (country, inside), outcome in self.expect.items()
        )
        case = Case("", self.link, self.at, expect, None, Place(str(self.file.path)))
        return Question(self.file, case, (self.link,), tuple(rules))

    def lines(self, indent: int) -> Iterator[str]:
        """Yield the YAML of the case as an indented item, after comments on the changes that it would notice."""
        before = " " * indent
        yield from (f"{before}# {quoted(mutant.rule.id)} {mutant.change}" for mutant in self.notices)
        yield f"{before}- it: {self.it}"
        tweet, account = self.link
        yield f"{before}  account: {account}" if account is not None else f"{before}  tweet: {tweet}"
        yield f"{before}  at: {in_iso(self.at)}"
        yield f"{before}  expect: {{{', '.join(f'{place}: {outcome}' for place, outcome in self._expected())}}}"

    def to_dict(self) -> dict[str, object]:
        """Return the case as JSON values. Ids are text, which case files accept in quotes."""
        tweet, account = self.link
        subject = {"account": in_json(account)} if account is not None else {"tweet": in_json(tweet)}
        notices = [{"rule_id": mutant.rule.id, "change": mutant.change} for mutant in self.notices]
        case = {"it": self.it, **subject, "at": in_iso(self.at), "expect": dict(self._expected())}
        return {"case": case, "notices": notices}

    def _expected(self) -> Iterator[tuple[str, Outcome]]:
        return ((place_name(*place), outcome) for place, outcome in self.expect.items())


def _counted(name: str, count: int) -> str:
    return name if count == 1 else f"{name} ({count})"
