"""Read rule files into one rule set, or raise an error with all their problems."""

from __future__ import annotations

import errno
import os
import re
import stat
import warnings
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from withhold.errors import (
    CONTROL_CHARACTER,
    Place,
    Problem,
    RuleError,
    RuleSetError,
    RuleSetWarning,
    control_character,
    in_order,
    quoted,
)
from withhold.model.ids import NO_IDS, IdSet
from withhold.model.precision import ROUNDED_IDS, Sign
from withhold.model.rule import Disclosure, Reason, Rule
from withhold.model.rule_set import Progress, RuleSet, repeated
from withhold.parsing.formats import ENDINGS, READERS
from withhold.parsing.nodes import Node, Quoted, refused
from withhold.parsing.strict import read_model, unknown_keys
from withhold.sources.entry import Groups, RuleEntry
from withhold.sources.files import decoded, rule_files, size_of, unreadable
from withhold.sources.groups import read_groups, read_otherwise
from withhold.sources.ids_file import IdsFile
from withhold.sources.lossy import Lossy
from withhold.sources.mentions import Mentions
from withhold.sources.root import Root, check_named, check_relative
from withhold.territories import GROUPS, Resolved

#: The maximum number of keys that are quoted from a file that is not a rule file, because it may be confidential.
_QUOTED_OF_OTHER_FILE = 10
_ID = re.compile(r"[0-9]{16,19}", re.ASCII)
# The codes for missing subjects and territories, which may be in the file but unreadable.
_ABSENT = ("no-subjects", "no-territory")
_Layout = tuple[tuple[str, int, int], ...]


def load_files(
    path: str | os.PathLike[str],
    root: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    mentions: Mentions | None = None,
) -> RuleSet:
    """Read a rule file or a directory of rule files: see `RuleSet.load`. `mentions` gets the places of its ids."""
    if root is not None and not stat.S_ISDIR(_stat(root).st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "the root is not a directory", str(root))
    _stat(path)
    inside = Root(path, root)
    if not inside.holds(os.path.realpath(path)):
        message = f"cannot read it: it is outside the root {quoted(str(root))}"
        raise RuleSetError([Problem("outside-rule-set", message, Place(str(path)), "give a root that contains it")])
    return load_inside(path, inside, progress, mentions)


def load_inside(
    path: str | os.PathLike[str], root: Root, progress: Progress | None = None, mentions: Mentions | None = None
) -> RuleSet:
    """Read a rule file or a directory of rule files. `root` opens every file."""
    place = Place(str(path))
    reading = _Reading(root, progress, mentions or Mentions())
    documents: list[Node] = []
    rules: list[Rule] = []
    with reading.reporting_size(place):
        files = rule_files(Path(path), reading.root, reading.problems)
        reading.expect(files)
        documents += (node for file in files if (node := reading.document(file)) is not None)
        groups = read_groups(documents, reading.problems, reading.warnings)
        for node in documents:
            with reading.reporting_size(node.place):
                rules += reading.rules(node, groups)
    if reading.problems:
        raise RuleSetError(in_order(reading.problems), len(rules), reading.refused)
    for problem in reading.warnings:
        warnings.warn(str(problem), RuleSetWarning, stacklevel=5)
    defined = {name: [found.code for found in members] for name, members in groups.items() if name not in GROUPS}
    return RuleSet(rules, in_order(reading.warnings), files=len(files), groups=defined)


def _stat(path: str | os.PathLike[str]) -> os.stat_result:
    """Return the status of a path. Raises `FileNotFoundError` if it does not exist, otherwise `RuleSetError`."""
    try:
        found = os.stat(path)  # noqa: PTH116
        check_named(path)
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError) and not os.path.lexists(path):
            raise  # a missing or empty path is the caller's mistake
        raise RuleSetError([unreadable(error, Place(str(path)))]) from None
    return found


class _IdList(NamedTuple):
    """The ids of a list, or the problem with opening it."""

    problems: list[Problem]
    warnings: list[Problem] = []  # noqa: RUF012  # never changed
    accounts: IdSet = NO_IDS
    tweets: IdSet = NO_IDS
    mentions: list[Place] = []  # noqa: RUF012  # never changed

    def for_another_rule(self) -> _IdList:
        """Return the result for another rule with the same list.

        One problem is enough to refuse that rule, and the others have been reported already.
        """
        empty = [problem for problem in self.warnings if problem.code == "empty-list"]
        return self._replace(problems=self.problems[:1], warnings=empty)


class _Reading:
    """The state of one call of `load`: the problems and warnings found so far."""

    def __init__(self, root: Root, progress: Progress | None, mentions: Mentions) -> None:
        self.root = root
        self._mentions = mentions
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.refused = 0
        self._first: dict[str, Rule] = {}
        self._layouts: dict[_Layout, _Layout] = {}
        #: The lists of ids read so far, by real path, kind, and whether the rule declares the ids exact.
        self._lists: dict[tuple[str, str | None, bool], _IdList] = {}
        self._progress = progress
        self._done = self._known = 0

    @contextmanager
    def reporting_size(self, place: Place) -> Iterator[None]:
        """Report a file as a problem if it is too large for the memory or the stack."""
        try:
            yield
        except (MemoryError, RecursionError) as error:
            what = "stack" if isinstance(error, RecursionError) else "memory"
            hint = "check why it is so large, or split it"
            self.problems.append(Problem("too-large", f"there is not enough {what} to read this", place, hint))

    def document(self, file: Path) -> Node | None:
        """Return the mapping in a file. If there is none, add a problem and return None."""
        node: Node | None = None
        with self.reporting_size(Place(str(file))):
            node = self._document(file)
        return node  # noqa: RET504  # None after a problem

    def _document(self, file: Path) -> Node | None:
        try:
            text = self._text(file)
            read = READERS.get(file.suffix.lower())
            if read is None:
                hint = f"they end in {ENDINGS}"
                raise refused("unknown-format", "this is not a rule file", Place(str(file)), hint)
            node = read(text, str(file))
            if node is None or node.pairs is None:
                message = "the file is empty" if node is None else "a rule file must be a mapping"
                raise refused("bad-rule-file", message, Place(str(file)), "write `rules:` and a list below it")
        except RuleSetError as error:
            self.problems += error.problems
            return None
        self.problems += node.repeated_keys()
        unknown = list(unknown_keys(node, ["groups", "rules"]))
        if len(unknown) > _QUOTED_OF_OTHER_FILE and len(unknown) >= len(node.pairs):
            message = f"this is not a rule file: it has neither `rules` nor `groups`, and {len(unknown):,} other keys"
            unknown[_QUOTED_OF_OTHER_FILE:] = [
                Problem("bad-rule-file", message, node.place, "remove it from the directory")
            ]
        self.problems += unknown
        if not node.pairs:
            self.problems.append(Problem("bad-rule-file", "the file has no rules", node.place, "write `rules: []`"))
        return node

    def rules(self, document: Node, groups: Groups) -> list[Rule]:
        """Return the valid rules of a file, and add the problems of the others."""
        read: list[tuple[Rule, set[Sign]]] = []
        lossy = Lossy("quote the id", f"quote the ids, or override `{ROUNDED_IDS}` in the rules")
        for node in document.all("rules"):
            if node.items is None:
                hint = "write `- id: …` below it, or `rules: []`"
                self.problems.append(Problem("bad-rules", "`rules` must be a list", node.place, hint))
            for item in node.items or ():
                signs = _signs(item, lossy)
                rule, problems = self._rule(item, groups)
                self.problems += problems
                if rule is None:
                    self.refused += 1
                else:
                    read.append((rule, signs))
        problems, doubts = lossy.problems()
        self.problems += problems
        self.warnings += doubts
        lost = lossy.lost()
        kept = [rule for rule, signs in read if not signs & lost]
        self.refused += len(read) - len(kept)
        return kept

    def _rule(self, node: Node, groups: Groups) -> tuple[Rule | None, list[Problem]]:
        """Return a rule and no problems, or None and all its problems."""
        entry, problems = read_model(RuleEntry, node, groups)
        if entry is None:
            return None, problems
        exact = ROUNDED_IDS in entry.override
        # A name with a control character was reported already, and its file is not opened.
        named = [(kind, name) for kind, name in entry.ids_file if control_character(name.strip()) is None]
        lists = [self._ids_file(node, kind, name, exact=exact) for kind, name in named]
        problems += (problem for found in lists for problem in found.problems)
        has_no_ids = (
            not entry.accounts and not entry.tweets and not any(found.accounts or found.tweets for found in lists)
        )
        for problem in (problem for found in lists for problem in found.warnings):
            if has_no_ids and problem.code == "empty-list":  # the rule has no other subjects
                problems.append(replace(problem, severity="error"))
            else:
                self.warnings.append(problem)
        try:
            rule = Rule(
                id=entry.id or "?",  # if there are problems, the id and the reason may be None
                accounts=_union(entry.accounts, [found.accounts for found in lists]),
                tweets=_union(entry.tweets, [found.tweets for found in lists]),
                withheld_in=self._codes(node, "withheld_in", entry),
                except_in=self._codes(node, "except_in", entry),
                from_=entry.from_,
                until=entry.until,
                stays=[(stay.from_, stay.until) for stay in entry.stays],
                effect=entry.effect,
                reason=entry.reason or Reason.LEGAL_DEMAND,
                if_unknown=entry.if_unknown,
                demand=entry.demand,
                jurisdiction=self._jurisdiction(node, entry),
                disclosure=entry.disclosure or Disclosure.REASON,
                review_by=entry.review_by,
                note=entry.note,
                override=entry.override,
                extra=entry.extra,
                place=node.place,
                layout=self._layout(node),
            )
        except RuleError as error:
            # Unreadable values are not reported as missing, and control characters are reported once.
            reported = {problem.code for problem in problems}
            problems += [
                Problem(problem.code, problem.message, node.at([name.rstrip("_")]).place, problem.hint)
                for problem, name in error.found
                if not (problems and problem.code in _ABSENT) and problem.code not in reported & {CONTROL_CHARACTER}
            ]
            return None, problems
        if problems:
            return None, problems
        if (first := self._first.setdefault(rule.id, rule)) is not rule:
            return None, [repeated(rule, first)]
        self._note_mentions(node, entry, rule, lists)
        return rule, []

    def _note_mentions(self, node: Node, entry: RuleEntry, rule: Rule, lists: list[_IdList]) -> None:
        """Record where a rule names the ids to find."""
        places: list[Place] = []
        for kind, sought in self._mentions.sought.items():
            if sought is not None and sought in getattr(rule, f"{kind}s"):
                written = node.get(f"{kind}s")
                items = [] if written is None else written.as_list
                numbers = getattr(entry, f"{kind}s")
                places += (item.place for item, id_ in zip(items, numbers, strict=False) if id_ == sought)
        self._mentions.note(rule.id, [*places, *(place for found in lists for place in found.mentions)])

    def _layout(self, node: Node) -> _Layout:
        """Return the places of a rule's keys, relative to the rule. Rules with the same layout share one object."""
        keys = (key for key, _ in node.pairs or ())
        found = tuple((str(key.text), key.place.line - node.place.line, key.place.column) for key in keys)
        return self._layouts.setdefault(found, found)

    def _ids_file(self, node: Node, kind: str | None, name: str, *, exact: bool) -> _IdList:
        """Return the content of a list of ids. Each list is read once for all rules."""
        path = Path(node.place.file).parent / name
        try:
            check_relative(name)
            key = self.root.real(path), kind, exact
            if (known := self._lists.get(key)) is not None:
                return known
            self.expect([Path(key[0])])
            sought = self._mentions.sought
            found = IdsFile(path, kind, self._advance, exact=exact, root=self.root, sought=sought)
        except (OSError, ValueError) as error:
            return _IdList([unreadable(error, node.at(["ids_file"]).place, f" the ids file {quoted(name)}")])
        self._close(path)
        ids = _IdList(found.problems, found.warnings, found.accounts, found.tweets, found.mentions)
        self._lists[key] = ids.for_another_rule()
        return ids

    def _codes(self, node: Node, name: str, entry: RuleEntry) -> list[str]:
        written = node.get(name)
        items = [] if written is None else written.as_list
        territories: tuple[tuple[Resolved, ...], ...] = getattr(entry, name)
        for item, found in zip(items, territories, strict=False):
            if len(found) == 1:  # members of groups were reported where the group lists them
                self.warnings += read_otherwise(found, item.place)
        # A group may be named many times. It is the same object each time, so it is expanded once.
        different = {id(found): found for found in territories}.values()
        return list(dict.fromkeys(resolved.code for found in different for resolved in found))

    def _jurisdiction(self, node: Node, entry: RuleEntry) -> str | None:
        found = entry.jurisdiction
        if found is None:
            return None
        if found.alias:
            self.warnings += read_otherwise([found], node.at(["jurisdiction"]).place)
        return found.code

    def _text(self, file: Path) -> str:
        place = Place(str(file))
        try:
            data = self.root.read(file)
        except (OSError, ValueError) as error:
            raise RuleSetError([unreadable(error, place)]) from None
        self._advance(len(data))
        self._close(file)
        return decoded(data, file)

    def expect(self, files: Iterable[Path]) -> None:
        """Add the sizes of files to the number of bytes to read."""
        self._known += sum(map(size_of, files))

    def _advance(self, read: int) -> None:
        """Report the number of bytes that have been read from the current file."""
        if self._progress is not None:
            self._progress(self._done + read, self._known)

    def _close(self, file: Path) -> None:
        self._done += size_of(file)


def _union(own: Sequence[int], lists: list[IdSet]) -> IdSet:
    """Return all ids as one set. Rules whose only ids are one list share the set of that list."""
    found = [ids for ids in lists if ids]
    if not own and len(found) == 1:
        return found[0]
    ids = array("q", own)
    for more in found:
        ids.extend(more)
    return IdSet.from_array(ids)


def _signs(node: Node, lossy: Lossy) -> set[Sign]:
    """Count the unquoted ids of a rule, unless it declares them exact, and return their signs of lost digits."""
    override = node.get("override")
    if override is not None and override.get(ROUNDED_IDS) is not None:
        return set()
    found = set()
    for written in (value for kind in ("accounts", "tweets") for value in node.all(kind)):
        for item in written.as_list:
            if item.text is None or isinstance(item.text, Quoted) or not _ID.fullmatch(item.text):
                continue
            found.add(lossy.see(int(item.text), lambda: item.place))  # noqa: B023  # called at once
    return {sign for sign in found if sign is not None}
