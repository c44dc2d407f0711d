"""Long lists of ids beside a rule file: CSV with the columns `kind,id`, or plain text with one id per line."""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from io import BufferedReader, TextIOWrapper
from itertools import compress
from pathlib import Path

from withhold.errors import CONTROL_CHARACTER, Place, Problem, WithholdError, control_character, excerpt, quoted
from withhold.model.ids import IdSet
from withhold.model.precision import ROUNDED_IDS
from withhold.parsing.id_forms import misread
from withhold.parsing.ids import id_from_text
from withhold.parsing.nodes import bare_return
from withhold.sources.files import more_in
from withhold.sources.ids_block import columns_of, ids_of
from withhold.sources.lossy import Lossy
from withhold.sources.mentions import MOST_PLACES
from withhold.sources.root import Root
from withhold.sources.tables import header_hint, is_text, not_as_wide, not_csv

#: The maximum number of problems of a file that are listed, so that a file full of errors does not exhaust the memory.
MAX_PROBLEMS = 100
#: The maximum number of lines that are quoted from a file that is not a list of ids, because it may be confidential.
_QUOTED_OF_OTHER_FILE = 10
_KINDS = ("account", "tweet")
#: The size of a block of lines that is read at once, in characters.
_BLOCK = 1 << 16
# Other names that exports use for the kinds, besides their plurals.
_SYNONYMS = {
    "user": "account",
    "author": "account",
    "profile": "account",
    "handle": "account",
    "post": "tweet",
    "status": "tweet",
}
_SEVERAL = re.compile(r"[0-9\s,;]+", re.ASCII)
_CSV_HINT = "write `kind,id` as the first line; for a plain list of ids, write `ids_file: {accounts: …}`"


class IdsFile:
    """The ids of one file, read as a stream: eight bytes of memory for each id, and about 60 while they are sorted.

    `accounts` and `tweets` contain the valid ids, and `problems` describes the others. `mentions` has the places of the
    `sought` ids. If the rule declares that the ids are `exact`, they are not checked for lost digits. Raises `OSError`
    if the file cannot be opened or is outside the `root`. Errors in its content do not raise.
    """

    def __init__(
        self,
        path: Path,
        kind: str | None,
        advance: Callable[[int], None],
        *,
        exact: bool = False,
        root: Root | None = None,
        sought: Mapping[str, int | None] | None = None,
    ) -> None:
        self.path = path
        self._sought = sought or {}
        self.mentions: list[Place] = []
        self._exact = exact
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._unlisted = 0
        #: The number of lines that are not ids, and the place of the first one that is not quoted.
        self._not_ids = 0
        self._unquoted_from = Place(str(path))
        self._advance = advance
        self._ids: dict[str, array[int]] = {name: array("q") for name in _KINDS}
        # The lines of the current record, from which the columns of its problems are computed, and the number of the
        # first line.
        self._record: list[str] = []
        self._line = 1
        #: Reads a block of lines that all have the usual form. None before the first line is known.
        self._read_block: Callable[[list[str]], tuple[list[str], list[int]] | None] | None = None
        self._lossy = Lossy(
            "list it in the rule file itself, in quotes", f"override `{ROUNDED_IDS}` in the rule", MAX_PROBLEMS
        )
        # Invalid UTF-8 becomes characters that are not digits, and is then reported as a bad id.
        with (
            (root or Root(path)).open(path) as raw,
            TextIOWrapper(raw, "utf-8-sig", "replace", newline="") as text,
        ):
            readable = kind is None or is_text(raw.peek(1024)[:1024])
            lines = self._lines(text, raw)
            try:
                if not readable:
                    self._report("not-utf-8", "this is not UTF-8 text", hint="save it as text, in UTF-8")
                else:
                    self._read(self._columns(lines) if kind is None else self._plain(lines, kind.removesuffix("s")))
            except csv.Error as error:
                message, hint = not_csv(error)
                self._report("bad-csv", message, hint=hint)
        good = sum(map(len, self._ids.values()))
        if self._not_ids > max(good, _QUOTED_OF_OTHER_FILE):
            self._report_other_file(good)
        elif readable and not good and not self.problems:
            hint = "export it again, or remove `ids_file` from the rule"
            message = "the list has no ids" if kind else "the list has no ids below its first line"
            self.warnings.append(Problem("empty-list", message, Place(str(path)), hint, "warning"))
        if self._unlisted:
            self.problems.append(more_in(path, self._unlisted))

    @property
    def accounts(self) -> IdSet:
        return IdSet.from_array(self._ids["account"])

    @property
    def tweets(self) -> IdSet:
        return IdSet.from_array(self._ids["tweet"])

    def _read(self, rows: Iterator[tuple[str, str, int]]) -> None:
        sought = frozenset(self._sought.values())
        for kind, text, at in rows:
            ids = self._ids.get(kind)
            if ids is None:
                singular = kind.removesuffix("es" if kind.endswith("ses") else "s").removesuffix("_id")
                known = _SYNONYMS.get(kind) or _SYNONYMS.get(singular, singular)
                hint = f"did you mean `{known}`?" if known in _KINDS else "write `account` or `tweet`"
                self._report("unknown-kind", f"unknown kind {excerpt(kind)}", hint=hint)
                continue
            try:
                number = id_from_text(text)
            except WithholdError as error:
                remedy = error.hint
                if error.code == "bad-id":
                    remedy = remedy if misread(text) else self._hint(text)
                    self._not_ids += 1
                    if self._not_ids == _QUOTED_OF_OTHER_FILE + 1:
                        self._unquoted_from = self._place(at)
                self._report(error.code, error.problem.message, at, remedy)
                continue
            ids.append(number)
            if number in sought and number == self._sought[kind] and len(self.mentions) < MOST_PLACES:
                self.mentions.append(self._place(at))
            if not self._exact:
                self._lossy.see(number, lambda: self._place(at))  # noqa: B023  # called at once
        problems, warnings = self._lossy.problems()
        self.problems += problems
        self.warnings += warnings
        self._unlisted += self._lossy.unreported

    def _columns(self, lines: Iterator[str]) -> Iterator[tuple[str, str, int]]:
        """Yield the kind, the id and the number of the id's column for each record."""
        rows = csv.reader(lines, strict=True)  # an unclosed quote would swallow the ids after it
        header = [name.strip().lower() for name in next(rows, [])]
        if header.count("kind") != 1 or header.count("id") != 1:
            message = "the columns `kind` and `id` are missing, or repeated"
            self._report("bad-csv-header", message, hint=header_hint(header, "kind,id") or _CSV_HINT)
            return
        kind_at, id_at, width = header.index("kind"), header.index("id"), len(header)
        self._next_record()
        if header == ["kind", "id"]:
            self._read_block = columns_of
        for row in rows:
            if len(row) == width:
                kind, text = row[kind_at], row[id_at].strip()
                if kind not in self._ids:
                    kind = kind.strip().lower()
                if kind or text or any(map(str.strip, row)):
                    yield kind, text, id_at
            elif any(map(str.strip, row)):
                message, hint = not_as_wide(row, width)
                self._report("bad-csv", message, hint=hint)
            self._next_record()

    def _plain(self, lines: Iterator[str], kind: str) -> Iterator[tuple[str, str, int]]:
        def read_block(lines: list[str]) -> tuple[list[str], list[int]] | None:
            ids = ids_of(lines)
            return None if ids is None else ([kind] * len(ids), ids)

        self._read_block = read_block
        for line in lines:
            text = line.partition("#")[0].strip()
            if text:
                yield kind, text, 0
            self._next_record()

    def _lines(self, lines: TextIOWrapper, raw: BufferedReader) -> Iterator[str]:
        """Yield the lines that are not read as part of a block. The first block is one line, which may be a header."""
        before, number, has_bare_return = "", 0, False
        while block := lines.readlines(_BLOCK if number else 1):
            self._advance(raw.tell())
            if not before.endswith("\r") and self._has_read(block):
                number += len(block)
                continue
            for line in block:
                if before.endswith("\r") and not has_bare_return:
                    has_bare_return = True
                    self.problems.append(bare_return(Place(str(self.path), number)))
                before, number = line, number + 1
                self._record.append(line)
                if line.startswith("#") and len(self._record) == 1:
                    if letter := control_character(line.rstrip("\r\n"), "\t"):
                        message = f"the comment contains the control character {quoted(letter)}"
                        self._report(CONTROL_CHARACTER, message, hint="delete it: it can hide part of the file")
                    self._next_record()
                else:
                    yield line
        self._advance(raw.tell())

    def _has_read(self, block: list[str]) -> bool:
        """Read a block of lines, unless one of them has an unusual form or a sought id, or is inside a record."""
        found = self._read_block(block) if self._read_block is not None and not self._record else None
        if found is None or not frozenset(self._sought.values()).isdisjoint(found[1]):
            return False
        kinds, ids = found
        for kind in {*kinds}:
            self._ids[kind].extend(compress(ids, map(kind.__eq__, kinds)))
        if not self._exact:
            # The column of an id is 1, or after a kind and a comma.
            self._lossy.see_all(ids, lambda at: Place(str(self.path), self._line + at, block[at].find(",") + 2))
        self._line += len(block)
        return True

    def _next_record(self) -> None:
        self._line += len(self._record)
        self._record.clear()

    def _place(self, column: int = 0) -> Place:
        """Return the place where the text of a column of the record begins, after any blanks."""
        text = "".join(self._record)
        start, quoted = 0, False
        for at, letter in enumerate(text):
            if column == 0:
                break
            quoted ^= letter == '"'
            if letter == "," and not quoted:
                start, column = at + 1, column - 1
        start += len(text[start:]) - len(text[start:].lstrip(" \t"))
        before = text[:start]
        line = before.count("\n") + before.replace("\r\n", "").count("\r")
        return Place(str(self.path), self._line + line, start - max(before.rfind("\n"), before.rfind("\r")))

    def _hint(self, text: str) -> str:
        """Return the hint for a line that is not an id in any known form."""
        if _SEVERAL.fullmatch(text):
            return "write one id per line"
        words = {word.strip(" \"'").lower() for word in re.split("[,;\t|]", text)}
        if self._line > 1 or words.isdisjoint(("id", "ids", "kind", "account", "tweet", "account_id", "tweet_id")):
            return "ids are decimal digits"
        if "kind" in words:
            return "this is CSV: write `ids_file:` and its path, without the kind"
        return "write `#` before the first line: plain lists have no header"

    def _report_other_file(self, good: int) -> None:
        """Report once that the file is not a list of ids, instead of every such line except the first ones."""
        strange = [problem for problem in self.problems if problem.code == "bad-id"]
        self._unlisted -= self._not_ids - len(strange)
        cut = {id(problem) for problem in strange[_QUOTED_OF_OTHER_FILE:]}
        self.problems = [problem for problem in self.problems if id(problem) not in cut]
        message = f"this is not a list of ids: {self._not_ids:,} of {self._not_ids + good:,} lines are not ids"
        hint = "name a file with one id per line, or with the columns `kind` and `id`"
        self.problems.append(Problem("no-id-list", message, self._unquoted_from, hint))

    def _report(self, code: str, message: str, column: int = 0, hint: str | None = None) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(code, message, self._place(column), hint))
        else:
            self._unlisted += 1
