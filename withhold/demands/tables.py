"""Tables that people fill in: `decisions.csv`, in which lawyers decide, and lists of handles with their accounts.

Both have the columns that `withhold demands show --format csv` prints, and further columns. There is a row for each
entry. Columns that only describe an entry are ignored.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from withhold.demands.deciding import TargetDecision, Targets
from withhold.demands.fold import Data
from withhold.demands.receiving import Resolution, Resolved
from withhold.demands.recording import refusal
from withhold.demands.transitions import Ground, Ruling, TargetState
from withhold.errors import DemandError, Place, Problem, RuleSetError, WithholdError, did_you_mean, quoted
from withhold.model.instants import parse_instant
from withhold.model.policy import Settle
from withhold.model.protected import Category
from withhold.parsing.ids import id_from_text
from withhold.sources.files import decoded, unreadable
from withhold.sources.tables import not_csv
from withhold.territories import resolve

_Choice = TypeVar("_Choice", bound=StrEnum)
_Value = TypeVar("_Value")
_OVERRIDE = "override:"
#: Columns that describe an entry.
_DESCRIBING = (
    "kind",
    "raw",
    "handle",
    "account",
    "tweet",
    "author",
    "state",
    "decided",
    "found",
    "rule",
    "effected",
    "proposed",
    "notes",
)
_DECISION = (
    *("decision", "ground", "category", "withheld_in", "except_in", "if_unknown", "effective_at", "until", "rationale"),
)


class _Row:
    """A row of a table, whose cells are read by column. Problems with the cells are added to `problems`."""

    def __init__(self, cells: Mapping[str, str], place: Place, problems: list[Problem]) -> None:
        self.cells, self.place, self.problems = cells, place, problems

    def text(self, name: str) -> str | None:
        """Return the text of a cell, or None if it is blank or missing."""
        return self.cells.get(name, "").strip() or None

    def read(self, name: str, read: Callable[[str], _Value]) -> _Value | None:
        """Return the value that `read` returns for a cell, or None."""
        text = self.text(name)
        try:
            return None if text is None else read(text)
        except WithholdError as error:
            self.wrong(error.code, error.problem.message, error.hint)
            return None

    def choice(self, name: str, kind: type[_Choice]) -> _Choice | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            return kind(text.lower().replace(" ", "_"))
        except ValueError:
            self.wrong("bad-value", f"`{name}` {quoted(text)} is unknown", did_you_mean(text, kind))
            return None

    def codes(self, name: str) -> tuple[str, ...]:
        """Return codes of territories, separated by blanks, commas or semicolons."""
        found = []
        for code in (self.text(name) or "").replace(",", " ").replace(";", " ").split():
            try:
                found.append(resolve(code).code)
            except WithholdError as error:
                self.wrong(error.code, error.problem.message, error.hint)
        return tuple(found)

    def wrong(self, code: str, message: str, hint: str | None) -> None:
        self.problems.append(Problem(code, message, self.place, hint))


def read_decisions(path: Path, targets: Mapping[int, Data]) -> Sequence[tuple[Targets, TargetDecision]]:
    """Read decisions on the targets of a demand. Rows without a decision are passed over.

    A row names its entry by `number`, or by `target`: the entry as received, or its account or tweet. If a row has
    both, they must agree. Raises `DemandError` with every problem of the table.
    """
    problems: list[Problem] = []
    index = _Index(targets)
    found: dict[str, tuple[set[int], TargetDecision]] = {}
    for row in _rows(path, ("number", "target"), _DECISION, problems, needed="decision"):
        ruling = row.choice("decision", Ruling)
        if ruling is None:
            continue
        number = index.find(row)
        overrides = {name.removeprefix(_OVERRIDE): row.text(name) for name in row.cells if name.startswith(_OVERRIDE)}
        decision = TargetDecision(
            ruling,
            row.choice("ground", Ground),
            row.choice("category", Category),
            row.codes("withheld_in"),
            row.codes("except_in"),
            row.choice("if_unknown", Settle),
            row.read("effective_at", parse_instant),
            row.read("until", parse_instant),
            row.text("rationale"),
            {code: reason for code, reason in overrides.items() if reason is not None},
        )
        if number is not None:
            found.setdefault(repr(decision), (set(), decision))[0].add(number)
    if problems:
        raise refusal(problems)
    return list(found.values())


def read_resolutions(path: Path, targets: Mapping[int, Data]) -> tuple[list[Resolution], int]:
    """Return the resolutions in a table, and the number of rows that concern no entry.

    The columns are `account`, `tweet`, `author` and `found` (by default `resolved`). A row names its entries by `number`, by
    `handle` (every entry with that handle that awaits its account), or by `tweet` alone (to give its author). It binds
    each of them to an account or to a tweet, not to both. Raises `DemandError` with every problem of the table.
    """
    problems: list[Problem] = []
    handles, tweets = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
    for number, target in targets.items():
        if target["state"] != TargetState.DUPLICATE:
            handles[str(target["key"]).removeprefix("account:")].append(number)
            tweets[str(target["bound"])].append(number)
    found: dict[int, Resolution] = {}
    others = 0
    names = ("number", "handle", "tweet")
    for row in _rows(path, names, ("account", "author", "found"), problems, needed="account author found"):
        result = row.choice("found", Resolved) or Resolved.RESOLVED
        account, tweet, author = (row.read(name, id_from_text) for name in ("account", "tweet", "author"))
        if tweet is not None and (account is not None or row.text("handle") is not None):
            hint = "write the author of a tweet into `author`, in a row without a handle"
            row.wrong("bound-to-two", "the row names an account and a tweet", hint)
            continue
        bound = f"account:{account}" if account is not None else f"tweet:{tweet}" if tweet is not None else None
        if (entry := row.read("number", id_from_text)) is not None:
            numbers = [entry]
        elif (handle := row.text("handle")) is not None:
            numbers = [*handles.get(f"@{handle.lstrip('@').lower()}", ())]
        else:
            numbers = [*tweets.get(str(bound), ())]
        if not numbers:
            others += 1
        writer = None if author is None else f"account:{author}"
        for each in numbers:
            resolution = Resolution(each, result, bound, writer)
            if found.setdefault(each, resolution) != resolution:
                row.wrong("bound-twice", f"an earlier row binds entry {each} differently", "keep one of the rows")
    if problems:
        raise refusal(problems)
    return list(found.values()), others


class _Index:
    """The entries of a demand, by the names that a row may use for them."""

    def __init__(self, targets: Mapping[int, Data]) -> None:
        self._targets = targets
        self._names = defaultdict[str, list[int]](list)
        for number, target in targets.items():
            if target["state"] != TargetState.DUPLICATE:
                for name in {target["raw"].strip(), target["key"], target["bound"]} - {None, ""}:
                    self._names[name].append(number)

    def find(self, row: _Row) -> int | None:
        """Return the number of the entry of a row, or None with a problem."""
        text, number = row.text("target"), row.read("number", id_from_text)
        named = self._names.get(text or "", [])
        if number is not None:
            if text is not None and number not in named:
                row.wrong("other-target", f"entry {number} is not {quoted(text)}", "check whether rows were shifted")
                return None
            return number
        if len(named) == 1:
            return named[0]
        message = f"{len(named)} entries are called {quoted(text)}" if named else f"no entry is called {quoted(text)}"
        row.wrong("unknown-target", message, "give the `number` of the entry")
        return None


def _rows(
    path: Path, naming: Sequence[str], wanted: Sequence[str], problems: list[Problem], needed: str
) -> Iterator[_Row]:
    """Yield the rows of a table with a header. Its cells are separated by commas, semicolons or tabs."""
    try:
        text = decoded(path.read_bytes(), path)
    except RuleSetError as error:
        raise DemandError(*error.problems) from None
    except (OSError, ValueError) as error:
        raise DemandError(unreadable(error, Place(str(path)))) from None
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        yield from _below(rows, header, path, naming, wanted, problems, needed)
    except csv.Error as error:
        message, hint = not_csv(error)
        problems.append(Problem("bad-csv", message, Place(str(path), rows.line_num), hint))


def _below(
    rows: Iterator[list[str]],
    header: list[str],
    path: Path,
    naming: Sequence[str],
    wanted: Sequence[str],
    problems: list[Problem],
    needed: str,
) -> Iterator[_Row]:
    known = tuple(dict.fromkeys((*naming, *wanted, *_DESCRIBING)))
    top = Place(str(path))
    for name in header:
        if name and name not in known and not name.startswith(_OVERRIDE):
            problems.append(Problem("unknown-column", f"unknown column {quoted(name)}", top, did_you_mean(name, known)))
        if name and header.count(name) > 1:
            problems.append(Problem("repeated-column", f"column {quoted(name)} is repeated", top, "keep one"))
    if not any(name in header for name in naming) or not any(name in header for name in needed.split()):
        hint = f"write a header with one of `{'`, `'.join(naming)}` and one of `{'`, `'.join(needed.split())}`"
        problems.append(Problem("bad-csv-header", "columns are missing", top, hint))
        return
    line = 2
    for row in rows:
        place = Place(str(path), line)
        line = getattr(rows, "line_num", line) + 1
        if len(row) > len(header) and any(cell.strip() for cell in row[len(header) :]):
            problems.append(
                Problem("bad-csv", "the row has more cells than the header", place, "export the table again")
            )
        elif any(cell.strip() for cell in row):
            yield _Row(dict(zip(header, row, strict=False)), place, problems)
