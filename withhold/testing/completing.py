"""Suggest all missing cases. A single mutation run suggests only the first case for a rule without cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from withhold.testing.cases import CaseFile
from withhold.testing.merging import merge
from withhold.testing.mutation import Mutation, mutate
from withhold.testing.questions import Index
from withhold.testing.suggestion import Suggestion
from withhold.testing.suite import Library


def complete(files: Sequence[CaseFile], library: Library, first: Mutation) -> tuple[list[Suggestion], Mutation]:
    """Return cases that make the suite notice each change that has an effect, and the mutation result with these cases.

    `first` is the mutation without them. All cases of the files must pass.
    """
    own, found, result = {file.path: file for file in files}, list[Suggestion](), first
    while result.suggestions:
        while result.suggestions:
            found += result.suggestions
            result = mutate(Index(_with(files, found), library), only=result.open)
        for suggestion in found:
            suggestion.file = own[suggestion.file.path]
        found = merge(found, Index(files, library))
        result = mutate(Index(_with(files, found), library))
    return found, result


def _with(files: Sequence[CaseFile], suggestions: Sequence[Suggestion]) -> list[CaseFile]:
    """Return the files with suggested cases added."""
    added = {file.path: [*file.cases] for file in files}
    for suggestion in suggestions:
        added[suggestion.file.path] += suggestion.cases()
    return [replace(file, cases=tuple(added[file.path])) for file in files]
