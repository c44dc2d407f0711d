"""Read lists of protected accounts (`protected.yaml`), as strictly as rules."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo

from withhold.errors import Place, Problem, RuleSetError, in_order
from withhold.model.protected import Category, Protected
from withhold.parsing.nodes import Node, Quoted, refused
from withhold.parsing.strict import Id, Sparse, one_of, problem, read_model, reads, unknown_keys
from withhold.parsing.yaml_file import read_yaml
from withhold.sources.files import decoded, unreadable
from withhold.sources.lossy import Lossy
from withhold.sources.root import Root, check_named

_HINT = "write `protected:` and below it `- {account: …, category: …}`"


def _name(text: str, _: ValidationInfo) -> str:
    if not text.strip():
        raise problem("bad-value", "`name` is empty", "write some text, or leave the key out")
    return text.strip()


class ProtectedEntry(Sparse):
    """A protected account as it is written."""

    called, written, wrong_kind = "a protected account", "- {account: …, category: …}", "bad-protected"

    account: Id = Field(examples=["1101"], description="The id of the account.")
    category: Annotated[Category, one_of(Category)] = Field(examples=["journalist"], description="Why it is protected.")
    name: Annotated[str, reads(_name)] | None = Field(None, description="Whose account it is, for messages.")


def read_protected(files: Iterable[str | os.PathLike[str]], root: Root | None = None) -> list[Protected]:
    """Return the protected accounts of all files. Raises `RuleSetError` with every problem.

    Without a `root`, each file may be anywhere: its name comes from the caller, not from a rule set.
    """
    problems: list[Problem] = []
    found: dict[int, Protected] = {}
    for file in map(Path, files):
        lossy = Lossy("quote the id", "quote the ids")
        for node in _entries(file, root, problems):
            entry, wrong = read_model(ProtectedEntry, node)
            problems += wrong
            if entry is None or wrong:
                continue
            written = node.at(["account"])
            if entry.account in found:
                message = f"account `{entry.account}` is listed twice"
                problems.append(Problem("repeated-protected", message, written.place, "keep one of the two"))
            found[entry.account] = Protected(entry.account, entry.category, entry.name)
            if not isinstance(written.text, Quoted):
                lossy.see(entry.account, lambda: written.place)  # noqa: B023  # called at once
        problems += lossy.problems()[0]
    if problems:
        raise RuleSetError(in_order(problems))
    return list(found.values())


def _entries(file: Path, root: Root | None, problems: list[Problem]) -> list[Node]:
    """Return the entries of a file. Add the problems of the file itself to `problems`."""
    try:
        check_named(file)
        node = read_yaml(decoded((root or Root(file)).read(file), file), str(file))
        if node is None or node.pairs is None:
            raise refused("bad-protected", "this is not a list of protected accounts", Place(str(file)), _HINT)
    except RuleSetError as error:
        problems += error.problems
        return []
    except (OSError, ValueError) as error:
        problems.append(unreadable(error, Place(str(file))))
        return []
    problems += (*node.repeated_keys(), *unknown_keys(node, ["protected"]))
    entries = node.get("protected")
    if entries is None or entries.items is None:
        place = node.place if entries is None else entries.place
        problems.append(Problem("bad-protected", "`protected` must be a list", place, f"{_HINT}, or `protected: []`"))
        return []
    return entries.items
