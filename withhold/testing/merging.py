"""Join suggested cases about several subjects, and name them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from withhold.model import Rule
from withhold.model.instants import in_iso
from withhold.model.tweet import Link
from withhold.testing.questions import Index
from withhold.testing.suggestion import Suggestion

#: A case is compared with at most this many earlier cases of its file and instant. More would seldom join more.
_COMPARED = 20

#: The name of a case lists at most this many ids of a kind; of more, it has the first one.
_LISTED = 2


def merge(suggestions: Iterable[Suggestion], index: Index) -> list[Suggestion]:
    """Return cases with all expectations of the suggestions, sorted by file and instant, each with a name.

    Two cases for one file and one instant become one if all their expectations are right for the subjects of both.
    O(suggestions).
    """
    found: dict[tuple[Path, datetime], list[Suggestion]] = {}
    rules: dict[tuple[Path, Link], Sequence[Rule]] = {}
    for suggestion in sorted(suggestions, key=lambda suggestion: suggestion.file.path):
        file = suggestion.file
        rules |= {(file.path, link): index.concerning(file, link) for link in suggestion.links}
        cases = found.setdefault((file.path, suggestion.at), [])
        for number in range(max(0, len(cases) - _COMPARED), len(cases)):
            together = cases[number].joined(suggestion)
            if together and all(together.is_right(rules[file.path, link]) for link in together.links):
                cases[number] = together
                break
        else:
            cases.append(suggestion)
    merged = [case for cases in found.values() for case in cases]
    merged.sort(key=lambda case: (case.file.path, case.at))
    taken = {suggestion.file.path: {*suggestion.file.names} for suggestion in merged}
    for case in merged:
        case.it = _free(_name(case), taken[case.file.path])
        taken[case.file.path].add(case.it)
    return merged


def _name(case: Suggestion) -> str:
    """Return the subjects and the instant of a case in words.

    A name contains no text of the rules, so YAML reads it unchanged.
    """
    subjects = []
    for key, ids in case.subjects.items():
        listed = [ids] if isinstance(ids, int) else ids
        kind = key if len(listed) > 1 else key.removesuffix("s")
        named = f"{listed[0]} and {len(listed) - 1} more" if len(listed) > _LISTED else ", ".join(map(str, listed))
        subjects.append(f"{kind} {named}")
    return f"{' and '.join(subjects)} as of {in_iso(case.at)}"


def _free(name: str, taken: set[str]) -> str:
    numbered = (name if count == 1 else f"{name} ({count})" for count in range(1, len(taken) + 2))
    return next(free for free in numbered if free not in taken)
