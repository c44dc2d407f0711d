"""Rule files in, one rule set out: everything that is right, or everything that is wrong."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

from withhold.errors import Place, Problem, RuleError, RuleSetError, RuleSetWarning, TerritoryError
from withhold.model.ids import IdSet
from withhold.model.rule import Rule
from withhold.model.rule_set import Progress, RuleSet, repeated
from withhold.sources.entry import RuleEntry, read_entry, unknown_key
from withhold.sources.ids_file import IdsFile, lost, size_of
from withhold.sources.json_file import read_json
from withhold.sources.nodes import Node, Quoted, refused
from withhold.sources.precision import Precision
from withhold.sources.yaml_file import read_yaml
from withhold.territories import ALIASES, GROUPS, WORLD, Resolved, countries, expand, is_subdivision

_TAKEN = (WORLD, *ALIASES, "XX", "XY")
_ID = re.compile(r"[0-9]{16,19}", re.ASCII)
_READERS = {".yaml": read_yaml, ".yml": read_yaml, ".json": read_json}


def load(path: str | os.PathLike[str], progress: Progress | None = None) -> RuleSet:
    """Read a rule file or a directory of them; see `RuleSet.load`."""
    path = Path(path)
    path.stat()  # a path that is not there is the caller's mistake, not the rule set's
    reading = _Reading(progress)
    documents = [node for file in _files(path) if (node := reading.document(file)) is not None]
    groups = reading.groups(documents)
    rules = [rule for node in documents for rule in reading.rules(node, groups)]
    if reading.problems:
        problems = sorted(dict.fromkeys(reading.problems), key=_by_place)
        raise RuleSetError(problems, len(rules), reading.refused)
    for problem in reading.warnings:
        warnings.warn(str(problem), RuleSetWarning, stacklevel=4)
    return RuleSet(rules, sorted(reading.warnings, key=_by_place))


def _files(path: Path) -> list[Path]:
    """Return the rule files at `path`, in the order of their names: part by part, whatever the file system says."""
    if not path.is_dir():
        return [path]
    found = [file for file in path.rglob("*") if file.suffix.lower() in _READERS and file.is_file()]
    seen = [file for file in found if not any(part.startswith(".") for part in file.relative_to(path).parts)]
    if not seen:
        raise refused("no-rule-files", "there is no rule file here", Place(str(path)), "they end in `.yaml` or `.json`")
    return sorted(seen, key=lambda file: file.relative_to(path).parts)


def _by_place(problem: Problem) -> tuple[bool, Place]:
    place = problem.place if isinstance(problem.place, Place) else Place("")
    return problem.code == "more-problems", place


class _Reading:
    """What one call of `load` has found so far."""

    def __init__(self, progress: Progress | None) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.refused = 0
        self._first: dict[str, Rule] = {}
        self._progress = progress
        self._done = self._known = 0

    def document(self, file: Path) -> Node | None:
        """Return the mapping that a file holds, or None after telling what is wrong with it."""
        try:
            text = self._text(file)
            read = _READERS.get(file.suffix.lower())
            if read is None:
                hint = "they end in `.yaml`, `.yml` or `.json`"
                raise refused("unknown-format", "this is not a rule file", Place(str(file)), hint)
            node = read(text, str(file))
            if node is None or node.pairs is None:
                message = "the file is empty" if node is None else "a rule file must be a mapping"
                raise refused("bad-rule-file", message, Place(str(file)), "write `rules:` and a list below it")
        except RuleSetError as error:
            self.problems += error.problems
            return None
        self.problems += node.repeated_keys()
        for key, _ in node.pairs:
            if key.text not in ("groups", "rules"):
                self.problems.append(unknown_key(key, ["groups", "rules"]))
        if not node.pairs:
            self.problems.append(Problem("bad-rule-file", "the file has no rules", node.place, "write `rules: []`"))
        return node

    def groups(self, documents: Iterable[Node]) -> Mapping[str, tuple[str, ...]]:
        """Return the groups of all files and those that are known anyway, by their names in upper case."""
        found = dict(GROUPS)
        for node in (value for document in documents for value in document.all("groups") if not value.absent):
            if node.pairs is None:
                self.problems.append(Problem("bad-groups", "`groups` must be a mapping", node.place))
            self.problems += node.repeated_keys()
            for key, value in node.pairs or ():
                name = str(key.text).strip().upper()
                if name in found or name in _TAKEN or name in countries() or "-" in name:
                    hint = "a name is given once in a rule set, and is not a territory's"
                    self.problems.append(Problem("taken-group", f"the name `{key.text}` is taken", key.place, hint))
                else:
                    found[name] = self._members(value)
        return found

    def rules(self, document: Node, groups: Mapping[str, tuple[str, ...]]) -> list[Rule]:
        """Return the good rules of a file, and tell what is wrong with the others."""
        read: list[tuple[Rule, list[Problem]]] = []
        precision = Precision()
        rounded: list[Problem] = []
        for node in document.all("rules"):
            if node.items is None:
                hint = "write `- id: …` below it, or `rules: []`"
                self.problems.append(Problem("bad-rules", "`rules` must be a list", node.place, hint))
            for item in node.items or ():
                suspects = _rounded(item, precision)
                rounded += suspects
                try:
                    read.append((self._rule(item, read_entry(item, groups)), suspects))
                except RuleSetError as error:
                    self.problems += error.problems
                    self.refused += 1
        if not precision.is_lost():
            return [rule for rule, _ in read]
        self.problems += rounded
        kept = [rule for rule, suspects in read if not suspects]
        self.refused += len(read) - len(kept)
        return kept

    def _rule(self, node: Node, entry: RuleEntry) -> Rule:
        accounts = IdSet(entry.accounts)
        tweets = IdSet(entry.tweets)
        problems: list[Problem] = []
        for kind, name in entry.ids_file:
            try:
                listed = IdsFile(Path(node.place.file).parent / name, kind, self._advance)
            except (OSError, ValueError) as error:
                reason = (getattr(error, "strerror", None) or str(error)).lower()
                place = node.at(["ids_file"]).place
                problems.append(Problem("unreadable-file", f"cannot read the ids file `{name}`: {reason}", place))
                continue
            self._close(listed.path)
            problems += listed.problems
            # The list of a rule that names no ids itself is taken as it is, without a set between.
            accounts = IdSet(accounts | listed.accounts) if accounts else listed.accounts
            tweets = IdSet(tweets | listed.tweets) if tweets else listed.tweets
        try:
            made = Rule(
                id=entry.id,
                accounts=accounts,
                tweets=tweets,
                withheld_in=self._codes(node, "withheld_in", entry),
                except_in=self._codes(node, "except_in", entry),
                from_=entry.from_,
                until=entry.until,
                stays=[(stay.from_, stay.until) for stay in entry.stays],
                effect=entry.effect,
                reason=entry.reason,
                if_unknown=entry.if_unknown,
                demand=entry.demand,
                note=entry.note,
                place=node.place,
            )
        except RuleError as error:
            place = node.at([error.field.rstrip("_")]).place
            # Ids that could not be read are no reason to say that there are none.
            if not (problems and error.code == "no-subjects"):
                problems.append(Problem(error.code, error.problem.message, place, error.hint))
        if problems:
            raise RuleSetError(problems, 0, 1)
        if (first := self._first.setdefault(made.id, made)) is not made:
            raise RuleSetError([repeated(made, first)], 0, 1)
        return made

    def _members(self, node: Node) -> tuple[str, ...]:
        members: list[str] = []
        for item in node.items if node.items is not None else [node]:
            try:
                found = expand(item.text) if item.text is not None else ()
            except TerritoryError as error:
                self.problems.append(Problem(error.code, error.problem.message, item.place, error.hint))
                continue
            if not found or any(code == WORLD or is_subdivision(code) for code, _ in found):
                self.problems.append(Problem("bad-group", "a group lists countries", item.place))
            self._warn(found, item.place)
            members += (resolved.code for resolved in found)
        if not (node.items if node.items is not None else [node]):
            self.problems.append(Problem("bad-group", "the group is empty", node.place))
        return tuple(dict.fromkeys(members))

    def _codes(self, node: Node, name: str, entry: RuleEntry) -> list[str]:
        written = node.get(name)
        items = [] if written is None else written.items if written.items is not None else [written]
        territories: list[tuple[Resolved, ...]] = getattr(entry, name)
        for item, found in zip(items, territories, strict=False):
            self._warn(found, item.place)
        return [resolved.code for found in territories for resolved in found]

    def _warn(self, found: Iterable[Resolved], place: Place) -> None:
        for code, alias in found:
            if alias:
                message = f"`{alias}` was read as `{code}`"
                self.warnings.append(Problem("territory-alias", message, place, severity="warning"))

    def _text(self, file: Path) -> str:
        place = Place(str(file))
        try:
            data = file.read_bytes()
        except OSError as error:
            raise refused("unreadable-file", f"cannot read it: {(error.strerror or '').lower()}", place) from None
        self._advance(len(data))
        self._close(file)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = data[: error.start].decode("utf-8-sig", errors="replace")
            line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
            raise refused("not-utf-8", "this is not UTF-8", Place(str(file), line, column)) from None

    def _advance(self, read: int) -> None:
        """Tell how far the current file is read, in bytes."""
        if self._progress is not None:
            self._progress(self._done + read, max(self._known, self._done + read))

    def _close(self, file: Path) -> None:
        self._done += size_of(file)


def _rounded(node: Node, precision: Precision) -> list[Problem]:
    """Count the unquoted ids of a rule, and return what is to be told of them if ids have lost digits."""
    found = []
    for written in (value for kind in ("accounts", "tweets") for value in node.all(kind)):
        for item in [written] if written.items is None else written.items:
            if item.text is None or isinstance(item.text, Quoted) or not _ID.fullmatch(item.text):
                continue
            if precision.looks_rounded(int(item.text)):
                found.append(lost(int(item.text), item.place))
    return found
