"""The files to which suggested cases are added, and the lines to paste.

Pasted there, the cases load together with the existing ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from withhold.errors import COMMAND, RuleSetError, escaped
from withhold.model import Policy
from withhold.parsing.yaml_file import read_yaml
from withhold.sources.files import CASES, decoded
from withhold.testing.cases import CaseFile
from withhold.testing.suggestion import Suggestion


class Addition(NamedTuple):
    """Cases to add to the end of a case file, or to a new case file, which also needs the rules and the policy."""

    path: Path
    file: CaseFile
    is_new: bool
    suggestions: list[Suggestion]

    @property
    def cases(self) -> int:
        """The number of cases, one for each subject."""
        return sum(len(suggestion.links) for suggestion in self.suggestions)

    @property
    def rules(self) -> str | None:
        """The value of `rules` for a new file: the path of the rules, relative to its directory."""
        if not self.is_new:
            return None
        return Path(os.path.relpath(self.file.rules_path, self.path.parent)).as_posix()

    @property
    def root(self) -> str | None:
        """The value of `root` for a new file, or None if it is the directory of the rules."""
        rules = os.path.realpath(self.file.rules_path)
        folder = rules if os.path.isdir(rules) else os.path.dirname(rules)  # noqa: PTH112, PTH120
        if not self.is_new or self.file.root is None or os.path.realpath(self.file.root) == folder:
            return None
        return Path(os.path.relpath(self.file.root, self.path.parent)).as_posix()

    @property
    def policy(self) -> dict[str, object] | None:
        """The value of `policy` for a new file, or None for the default policy."""
        policy = self.file.policy
        if not self.is_new or policy == Policy():
            return None
        return {"unknown_location": policy.unknown_location.value, "author_sees_own": policy.author_sees_own}

    def lines(self, *, with_reasons: bool = True) -> Iterator[str]:
        """Yield the YAML to paste; with comments on the changes that each case would notice, unless they are unwanted."""
        unreviewed = f"# unreviewed: suggested from the rules of revision {self.file.rules.revision}"
        if self.is_new:
            yield unreviewed
        if self.rules is not None:
            yield f"rules: {_quoted(self.rules)}"
            if self.root is not None:
                yield f"root: {_quoted(self.root)}"
            if self.policy is not None:
                yield f"policy: {{{', '.join(f'{key}: {str(value).lower()}' for key, value in self.policy.items())}}}"
            yield "cases:"
        indent = 2 if self.is_new else self.file.indent
        if not self.is_new:
            yield f"{' ' * indent}{unreviewed}"
        for suggestion in self.suggestions:
            if with_reasons:
                yield from suggestion.reasons(indent)
            yield from suggestion.lines(indent)

    def to_dicts(self) -> Iterator[dict[str, object]]:
        """Yield the JSON values of each case, with the file to which to add it."""
        where = {"file": str(self.path), "rules": self.rules, "policy": self.policy}
        where["revision"] = self.file.rules.revision
        if self.root is not None:
            where["root"] = self.root
        return ({**where, **suggestion.to_dict()} for suggestion in self.suggestions)


def additions(suggestions: Iterable[Suggestion]) -> list[Addition]:
    """Return suggested cases, grouped by the files to which to add them."""
    found: list[Addition] = []
    taken = {suggestion.file.path for suggestion in suggestions}
    for _, grouped in groupby(suggestions, key=lambda suggestion: suggestion.file.path):
        several = list(grouped)
        file = several[0].file
        addition = Addition(file.path, file, not file.cases, several)
        if not addition.is_new and not _can_be_appended(addition):
            addition = Addition(free_path(file.path, taken), file, True, several)
            taken.add(addition.path)
        found.append(addition)
    return found


def free_path(path: Path, taken: Iterable[Path]) -> Path:
    """Return `path` if it neither exists nor is `taken`, otherwise a similar path for a new case file.

    >>> str(free_path(Path("no-folder/in.cases.yaml"), [Path("no-folder/IN.cases.yaml")]))
    'no-folder/in-2.cases.yaml'
    """
    # Some file systems ignore case.
    names = {str(other).casefold() for other in taken}
    stem = path.name.removesuffix(CASES[0]).removesuffix(CASES[1])
    count = 1
    while os.path.lexists(path) or str(path).casefold() in names:
        count += 1
        path = path.with_name(f"{stem}-{count}{CASES[0]}")
    return path


def _can_be_appended(addition: Addition) -> bool:
    """Return whether appending the cases to the file adds them to its cases, and changes nothing else."""
    file = addition.file
    try:
        text = decoded(file.path.read_bytes(), file.path)
        together = "\n".join([text.removesuffix("\n"), *addition.lines(), ""])
        before, after = (read_yaml(each, str(file.path)) for each in (text, together))
    except OSError:  # the cases were not read from a file
        return True
    except RuleSetError:
        return False
    if before is None or after is None:
        return False
    keys = [[(key.text, key.place) for key, _ in root.pairs or ()] for root in (before, after)]
    items: Sequence[object] = [item.plain() for item in after.at(["cases"]).items or ()]
    old: Sequence[object] = [item.plain() for item in before.at(["cases"]).items or ()]
    names = [dict.get(item, "it") if isinstance(item, dict) else None for item in items[len(old) :]]
    wanted = [suggestion.it for suggestion in addition.suggestions]
    return keys[0] == keys[1] and list(items[: len(old)]) == list(old) and names == wanted


def _quoted(text: str) -> str:
    """Return text in double quotes, escaped so that YAML reads it unchanged.

    Characters that `errors.escaped` escapes are escaped too, so that no CI system takes the line for a command.

    >>> _quoted("ä b/#\\n"), _quoted("##[error]")
    ('"ä b/#\\\\U0000000a"', '"\\\\U00000023#[error]"')
    """
    plain = (f"\\U{ord(letter):08x}" if letter in '"\\' or escaped(letter) != letter else letter for letter in text)
    return COMMAND.sub(f"\\\\U{ord('#'):08x}", f'"{"".join(plain)}"')
