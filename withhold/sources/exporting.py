"""Write rule files and the lists of ids beside them. The same rules give the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from withhold.errors import Problem, RuleSetError, escaped_path
from withhold.model.instants import in_iso
from withhold.model.rule import Disclosure, Effect, Rule

# libyaml's writer is five times as fast, but PyYAML may have been built without it. It escapes emoji.
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
#: Rules with more ids than this keep them in a list beside the rule file.
_LISTED = 20
_LISTS = "targets"


def mark_of(command: str) -> str:
    """Return the first line of each file that a command writes.

    It shows the command later that it may replace the file.
    """
    return f"# Written by `{command}`. Do not edit: the next export replaces it."


def rule_files(rules: Mapping[str, Iterable[Rule]], command: str) -> dict[str, str]:
    """Return the text of each rule file and list by its path. `rules` has the rules of each file, by name without suffix.

    Ids of rules must be unique, and consist of letters, digits and `.:_-`.
    """
    files: dict[str, str] = {}
    for name, found in rules.items():
        entries = []
        for rule in found:
            entry = _entry(rule)
            if len(rule.accounts) + len(rule.tweets) > _LISTED:
                path = f"{_LISTS}/{rule.id.replace(':', '@')}.csv"
                files[path] = f"{mark_of(command)}\nkind,id\n{''.join(_rows(rule))}"
                entry["ids_file"] = path
                entry = {key: value for key, value in entry.items() if key not in ("accounts", "tweets")}
            entries.append(entry)
        text = yaml.dump({"rules": entries}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
        files[f"{name}.yaml"] = f"{mark_of(command)}\n{text}"
    return files


def _rows(rule: Rule) -> Iterable[str]:
    for kind, ids in (("account", rule.accounts), ("tweet", rule.tweets)):
        yield from (f"{kind},{id_}\n" for id_ in ids)


def _entry(rule: Rule) -> dict[str, Any]:
    """Return a rule as the keys of a rule file. Ids are quoted, which states that all their digits were checked."""
    values = {
        "id": rule.id,
        "accounts": list(map(str, rule.accounts)),
        "tweets": list(map(str, rule.tweets)),
        "ids_file": None,
        "withheld_in": list(rule.withheld_in),
        "except_in": list(rule.except_in),
        "from": in_iso(rule.from_),
        "until": in_iso(rule.until),
        "stays": [{"from": in_iso(stay.start), "until": in_iso(stay.end)} for stay in rule.stays],
        "effect": str(rule.effect) if rule.effect is not Effect.WITHHOLD else None,
        "reason": str(rule.reason),
        "if_unknown": None if rule.if_unknown is None else str(rule.if_unknown),
        "demand": rule.demand,
        "jurisdiction": rule.jurisdiction,
        "disclosure": str(rule.disclosure) if rule.disclosure is not Disclosure.REASON else None,
        "review_by": in_iso(rule.review_by),
        "note": rule.note,
        "override": dict(rule.override),
        **dict(rule.extra),
    }
    return {name: value for name, value in values.items() if value}


def write_files(folder: Path, files: Mapping[str, str], command: str) -> list[Path]:
    """Write rule files into a directory, remove those that the command left there before, and return the removed ones.

    Raises `RuleSetError`, and writes nothing, if the directory has a rule file or list that the command did not write,
    because the rules would be mixed.
    """
    there = [path for path in (*_files_in(folder), *_files_in(folder / _LISTS)) if path.suffix != ".md"]
    foreign = [path for path in there if not _is_ours(path, command)]
    if foreign:
        what, hint = f"`{command}` did not write this file", "give a directory without other files"
        raise RuleSetError([Problem("foreign-file", what, escaped_path(path), hint) for path in foreign])
    folder.mkdir(parents=True, exist_ok=True)
    if any(path.startswith(f"{_LISTS}/") for path in files):
        (folder / _LISTS).mkdir(exist_ok=True)
    # Lists are written first, so that no rule file names a missing list.
    for path, text in sorted(files.items(), key=lambda item: not item[0].startswith(f"{_LISTS}/")):
        temporary = folder / f"{path}.tmp"
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(folder / path)
    removed = [path for path in there if path.relative_to(folder).as_posix() not in files]
    for stale in removed:
        stale.unlink()
    return removed


def _files_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() or path.is_symlink())


def _is_ours(path: Path, command: str) -> bool:
    """Return whether a command wrote a file."""
    try:
        with path.open(encoding="utf-8") as file:
            return not path.is_symlink() and file.readline().rstrip("\n") == mark_of(command)
    except (OSError, UnicodeDecodeError):
        return False
