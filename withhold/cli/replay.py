"""`withhold replay`: answer the questions of a decision log again, with other rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from withhold.cli import options
from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import print_problems, show
from withhold.cli.render import Format
from withhold.cli.render.wording import DIFFERENCES, counted, enumerated
from withhold.cli.results import TableResult, problem_values
from withhold.errors import Problem, escaped_path, name_in_text
from withhold.model.instants import in_iso
from withhold.model.tweet import Link
from withhold.reports.replay import Behind, Replayed, Turn
from withhold.reports.replay import replay as replayed
from withhold.serving.log_record import LoggedPage, read_log
from withhold.sources.files import more_in

#: The number of refused lines that are listed.
_LISTED = 100
_REASONS = {
    "sampled_out": "outside the share that is logged",
    "dropped": "dropped, because too many were waiting or the log was closed",
    "mask_failed": "their mask failed",
    "failed": "they could not be written",
}


@dataclass(slots=True)
class ReplayResult:
    """The answers of other rules to the questions of a log.

    `refused` lines were not read; the first of them are in `problems`.
    """

    log: Path
    found: Replayed
    whole: bool
    refused: int = 0
    problems: list[Problem] = field(default_factory=list)

    def to_dict(self) -> dict[str, object]:
        problems = list(map(problem_values, self.problems))
        return {"log": str(self.log), **self.found.to_dict(), "refused": self.refused, "problems": problems}

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        found = self.found
        period = f" from {in_iso(found.first)} to {in_iso(found.last)}" if found.first else ""
        yield f"{escaped_path(self.log)} ({counted(page=found.pages)}{period}) → revision {found.revision}"
        for revision, pages in found.answered_by.most_common():
            yield f"  {counted(page=pages)} answered by {revision}"
        yield ""
        turns = found.ordered()
        for turn, behind in turns if self.whole else turns[:DIFFERENCES]:
            yield from self._turn(turn, behind)
        if len(turns) > DIFFERENCES and not self.whole:
            yield f"… and {len(turns) - DIFFERENCES:,} more tweets: --all lists every one"
        if turns:
            yield ""
        share = f" ({found.changed / found.hits:.2%})" if found.changed else ""
        yield f"hits that get a different outcome: {found.changed:,} of {found.hits:,}{share}"
        if found.other_rules:
            yield f"hits that other rules hide, with the same outcome: {found.other_rules:,}"
        for table in self._tables() if turns else ():
            yield ""
            yield str(table)
        if unknown := [*self._unknown()]:
            yield ""
            yield "not in the log:"
            yield from unknown

    def _turn(self, turn: Turn, behind: Behind) -> Iterator[str]:
        where = enumerated(
            [f"{country or 'unknown location'} ({count:,})" for country, count in behind.countries.most_common()],
            whole=self.whole,
        )
        yield f"{_subject(turn.links)}: {turn.old} → {turn.new} in {where}"
        for phrase, rules in (
            ("no longer hidden by", behind.old_rules - behind.new_rules),
            ("now hidden by", behind.new_rules - behind.old_rules),
        ):
            if rules:
                yield f"  {phrase}: {enumerated(sorted(map(name_in_text, rules)), whole=self.whole)}"

    def _tables(self) -> Iterator[TableResult]:
        rows = [
            {
                "country": row["country"] or "unknown location",
                "change": f"{row['old']} → {row['new']}",
                "hits": f"{row['hits']:,}",
                "tweets": f"{row['tweets']:,}",
            }
            for row in self.found.by_country()
        ]
        yield TableResult(("country", "change", "hits", "tweets"), rows)
        rows = [
            {
                "no longer hides": name_in_text(str(row["rule"])),
                "hits": f"{row['hits']:,}",
                "tweets": f"{row['tweets']:,}",
            }
            for row in self.found.by_rule()
        ]
        if rows:
            yield TableResult(("no longer hides", "hits", "tweets"), rows)

    def _unknown(self) -> Iterator[str]:
        found = self.found
        if found.visible or found.hits:
            yield f"  {counted(**{'visible item': found.visible})}, and the quotes in hidden ones: these rules may hide some of them"
        if found.not_named:
            yield f"  the ids of {counted(hit=found.not_named)}, which could not be asked about"
        if found.without_account:
            yield f"  the viewers of {counted(hit=found.without_account)}: an author may see their own"
        for reason, pages in sorted(found.left_out.items()):
            if pages:
                yield f"  {counted(page=pages)}: {_REASONS.get(reason, reason)}"
        if self.refused:
            yield f"  {counted(line=self.refused)} that could not be read"


def replay(
    log: Annotated[
        Path,
        typer.Argument(metavar="LOG", help="A decision log, in JSON Lines; or a pipe.", exists=True, dir_okay=False),
    ],
    rules: options.Rules,
    root: options.Root = None,
    no_config: options.NoConfig = False,
    whole: Annotated[bool, typer.Option("--all", help="List every tweet, rule and country.")] = False,
    form: Annotated[Format, options.formats()] = Format.TEXT,
) -> None:
    """Decide each hidden item of a decision log again, and list the items that get a different answer from RULES.

    The place of the viewer, the instant and the policy are those of the log. The log has no ids of items that were
    shown, so the result cannot show which of them RULES would hide. Exits with 1 if a line cannot be read; the others
    are replayed.
    """
    root = root or options.configuration_of(rules, form, no_config=no_config).root
    snapshot = options.load_snapshot(rules, root, form)
    result = ReplayResult(log, Replayed(snapshot.revision), whole)

    def pages() -> Iterator[LoggedPage]:
        with log.open("rb") as file:  # opened once, since it may be a pipe
            for record in read_log(file, str(log)):
                if isinstance(record, LoggedPage):
                    yield record
                else:
                    result.refused += 1
                    if len(result.problems) < _LISTED:
                        result.problems.append(record)

    result.found = replayed(snapshot, pages())
    if left := result.refused - len(result.problems):
        result.problems.append(more_in(log, left))
    print_problems(result.problems)
    show(result, form)
    if result.refused:
        raise typer.Exit(ExitCode.FAILURE)


def _subject(links: tuple[Link, ...]) -> str:
    return ", a retweet of ".join(f"tweet {tweet} by account {account}" for tweet, account in links)
