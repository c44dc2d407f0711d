"""The lists of protected accounts (`protected.yaml`) that stand beside rules; read as strictly as those."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from withhold.errors import Place, Problem, RuleError, RuleSetError, WithholdError, in_order
from withhold.model.protected import Category, Protected
from withhold.model.rule import choice
from withhold.parsing.ids import id_from_text
from withhold.parsing.nodes import Node, Quoted, missing_key, refused
from withhold.parsing.yaml_file import read_yaml
from withhold.sources.entry import unknown_keys
from withhold.sources.files import decoded, unreadable
from withhold.sources.lossy import Lossy
from withhold.sources.root import Root

_KEYS = ["account", "category", "name"]
_HINT = "write `protected:` and below it `- {account: …, category: …}`"


def read_protected(files: Iterable[str | os.PathLike[str]], root: Root | None = None) -> list[Protected]:
    """Return the protected of all files, each account once; raises `RuleSetError` with every problem.

    Without a `root`, each file may be anywhere: its name comes from the caller, not from a rule set.
    """
    problems: list[Problem] = []
    found: dict[int, Protected] = {}
    for file in map(Path, files):
        lossy = Lossy("quote the id", "quote the ids")
        for item in _entries(file, root or Root(file), problems):
            protected = _protected(item, problems)
            if protected is None:
                continue
            written = item.at(["account"])
            if protected.account in found:
                message = f"account `{protected.account}` is listed twice"
                problems.append(Problem("repeated-protected", message, written.place, "keep one of the two"))
            found[protected.account] = protected
            if not isinstance(written.text, Quoted):
                lossy.see(protected.account, lambda: written.place)  # noqa: B023  # called at once
        problems += lossy.told()[0]
    if problems:
        raise RuleSetError(in_order(problems))
    return list(found.values())


def _entries(file: Path, root: Root, problems: list[Problem]) -> list[Node]:
    """Return the entries of a file, after telling what is wrong around them."""
    try:
        node = read_yaml(decoded(root.read(file), file), str(file))
        if node is None or node.pairs is None:
            raise refused("bad-protected", "this is no list of protected accounts", Place(str(file)), _HINT)
    except RuleSetError as error:
        problems += error.problems
        return []
    except (OSError, ValueError) as error:
        problems.append(unreadable(error, Place(str(file))))
        return []
    problems += node.repeated_keys()
    problems += unknown_keys(node, ["protected"])
    listed = node.get("protected")
    if listed is None or listed.items is None:
        place = node.place if listed is None else listed.place
        problems.append(Problem("bad-protected", "`protected` must be a list", place, f"{_HINT}, or `protected: []`"))
        return []
    return listed.items


def _protected(node: Node, problems: list[Problem]) -> Protected | None:
    """Return one entry, or None after telling all that is wrong with it."""
    before = len(problems)
    if node.pairs is None:
        problems.append(Problem("bad-protected", "a protected account must be a mapping", node.place, _HINT))
        return None
    problems += (*node.repeated_keys(), *node.controls())
    problems += unknown_keys(node, _KEYS)
    texts = {name: value.text for name in _KEYS if (value := node.get(name)) is not None and not value.absent}
    for name in ("account", "category"):
        if name not in texts:
            problems.append(missing_key(name, node.place))
    account, category = 0, Category.NEWS_MEDIA
    for name, text in texts.items():
        place = node.at([name]).place
        if text is None or not text.strip():
            problems.append(
                Problem("bad-value", f"`{name}` must be one text", place, "write one value that is not empty")
            )
            continue
        try:
            if name == "account":
                account = id_from_text(text, "account")
            elif name == "category":
                category = choice(Category, text, "category")
        except RuleError as error:
            problems += [Problem(found.code, found.message, place, found.hint) for found, _ in error.found]
        except WithholdError as error:
            problems.append(Problem(error.code, error.problem.message, place, error.hint))
    listed_as = texts.get("name")
    return Protected(account, category, listed_as and listed_as.strip()) if len(problems) == before else None
