"""Read rule sets from a git revision. The work tree of the repository is never touched."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import NamedTuple

from withhold.cli.git import Objects, RevisionError, check_repository, git
from withhold.cli.tree import NOTHING, CommitTree, Found, OutsideCommitError
from withhold.errors import in_backticks, quoted
from withhold.sources.root import repository_around

# Revisions that can be directory names, unlike `:/text`.
_PLAIN = re.compile(r"(?!/)(?!.*\.\.)[\w./~^@{}+-]+")
# A revision and a path in it, `main:orders`: the first colon outside braces, as in `HEAD^{/fix: typo}`.
_WITH_PATH = re.compile(r"((?:[^:{]|\{[^}]*\})+):(.*)", re.DOTALL)
# A range in the sense of git: `main..HEAD` or `main...HEAD`. A path such as `../rules` is not one.
_RANGE = re.compile(r"(?=..*[^.])(.*?[^/.]|)(\.{2,3})([^/.].*|)", re.DOTALL)
# The suffixes that can follow the name in a revision: `main~2`, `HEAD^{tree}`, `main@{1}`, `main:rules`.
_SUFFIX = re.compile(r"[~^:]|@\{")
_LONGEST = 100


class LaidOut(NamedTuple):
    """The path of rules that were written to a directory, and their root."""

    path: Path
    root: Path


def lay_out(
    revision: str, rules: Path, root: str | None, into: Path, *, commit: str | None = None, alone: bool = False
) -> LaidOut:
    """Write the rules of a revision, and all files inside their root, below `into`. Return the paths of both.

    A path in the revision itself, as in `main:rules`, takes precedence over `rules`. That path and `root` are relative
    to the top of the repository, as in git, unless they begin with `./` or `../`. By default the root is the directory
    of the rules, as in `RuleSet.load`. With `alone`, a single rule file is written without the other files in the
    root, which may be many. `commit` is the commit of the revision, if it is known. Raises `RevisionError`.
    """
    hint = "give the path of its rules with --rules"
    named = _WITH_PATH.fullmatch(revision)
    commit = commit or commit_behind(revision)
    top = os.path.realpath(git("rev-parse", "--show-toplevel").decode().rstrip("\n"))
    if named:
        (revision, path), hint = named.groups(), "name the directory that contains its rules"
        rules = _as_git_reads(path, top)
    with Objects() as objects:
        tree = CommitTree(objects, commit, revision)
        inside, loaded = _find(tree, rules, top)
        if loaded.entry is NOTHING:
            # An empty rule set would hide a misspelt path.
            hint += "; if it has no rules yet, compare with a file that contains `rules: []`"
            raise RevisionError("no-rules-there", f"{quoted(revision)} is a revision without {quoted(inside)}", hint)
        if loaded.entry.is_submodule:
            message = f"in {quoted(revision)}, {quoted(inside)} is a submodule"
            raise RevisionError("submodule", message, "give the path of its own files")
        if root is not None:
            inside, around = _find(tree, _as_git_reads(root, top), top)
        elif loaded.entry.is_folder:
            around = loaded
        else:
            inside = "/".join(loaded.parts[:-1]) or "."
            around = tree.find(inside)
        if not around.entry.is_folder:
            hint = "name a directory of that revision, relative to its top"
            raise RevisionError(
                "no-root-there", f"{quoted(revision)} is a revision without the directory {quoted(inside)}", hint
            )
        if loaded.parts[: len(around.parts)] != around.parts:
            message = f"{quoted('/'.join(loaded.parts))} is outside the root {quoted(inside)}"
            raise RevisionError("outside-rule-set", message, "give a root that contains it")
        plain = _PLAIN.fullmatch(revision) and len(revision) <= _LONGEST
        target = into / f"{revision if plain else commit[:12]}:{inside}"
        path = target.joinpath(*loaded.parts[len(around.parts) :])
        tree.write(around, loaded, target, alone=alone and path != target)
    return LaidOut(path, target)


def _as_git_reads(path: str, top: str) -> Path:
    """Return a path of a revision: relative to the top, or to the current directory if it begins with `./` or `../`."""
    return Path(path) if path == ".." or path.startswith(("./", "../")) else Path(top, path)


def _find(tree: CommitTree, path: Path, top: str) -> tuple[str, Found]:
    """Return a path relative to the top, and its entry in a commit. Raise `RevisionError` if it is outside the repository."""
    inside = Path(os.path.relpath(Path(os.path.realpath(Path.cwd()), path), top)).as_posix()
    try:
        if inside.split("/")[0] != "..":
            return inside, tree.find(inside)
    except OutsideCommitError:
        pass
    hint = "name a directory in it, or check the rules out and give their path"
    raise RevisionError("outside-repository", f"{quoted(str(path))} is not in the repository", hint)


def is_path(given: str) -> bool:
    """Return whether a side of a comparison is a path. Raise `RevisionError` if it may be a git revision as well.

    A commit can contain a directory with any name. One called `origin/main` must not be compared instead of that
    branch. A text that begins with `./`, `../` or `/` is always a path.
    """
    is_there = os.path.exists(given)  # noqa: PTH110  # `Path.exists` raises for a name that is too long
    if given in (".", "..") or given.startswith(("./", "../", f".{os.sep}", f"..{os.sep}")) or os.path.isabs(given):  # noqa: PTH117
        if not is_there:
            raise RevisionError("no-such-path", f"{quoted(given)} is a path, but does not exist", "check its spelling")
        return True
    if not is_there or repository_around(Path.cwd()) is None:
        return is_there
    as_path = f"write {in_backticks(f'./{given}')} for the path"
    try:
        check_repository()
    except RevisionError as error:
        if error.code == "no-git":
            return True
        message = (
            f"{quoted(given)} is a path, and git cannot determine whether it is a revision too: {error.problem.message}"
        )
        raise RevisionError(error.code, message, as_path) from None
    if not _may_be_revision(given):
        return True
    if revision := _unambiguous_name(given):
        as_path += f", or {in_backticks(revision)} for the revision"
    raise RevisionError("path-or-revision", f"{quoted(given)} is a path, and may be a git revision too", as_path)


def _may_be_revision(text: str) -> bool:
    """Return whether git knows a text, the name in front of its suffixes (`main~9`), or both sides of a range (`a..b`).

    A known name is enough, because a suffix may fail in this clone alone: `main~9` does in a shallow one.
    """
    found = _RANGE.fullmatch(text)
    sides = [found[1], found[3]] if found else [text]
    return _is_known(text) or all(_is_known(_SUFFIX.split(side)[0] or "HEAD") for side in sides)


def _is_known(name: str) -> bool:
    try:
        git("rev-parse", "--verify", "--end-of-options", name)
    except RevisionError as error:
        return error.code == "ambiguous-revision"
    return True


def _unambiguous_name(given: str) -> str | None:
    """Return another name of a revision that is not the name of a file, or None if git does not find the revision."""
    named = _WITH_PATH.fullmatch(given)
    revision, path = (named[1], f":{named[2]}") if named else (given, "")
    try:
        commit = commit_of(revision)
    except RevisionError:
        return None
    others = (f"{name}{path}" for name in (f"{revision}^0", commit, f"{commit}^0"))
    return next((other for other in others if not os.path.exists(other)), None)  # noqa: PTH110


def diff_command(text: str) -> str | None:
    """Return the command that compares the two sides of a range, or None if the text is not a range.

    >>> diff_command("main..HEAD"), diff_command("main..."), diff_command("../rules")
    ('withhold diff main HEAD', 'withhold diff "$(git merge-base main HEAD)" HEAD', None)
    """
    found = _RANGE.fullmatch(text)
    if found is None:
        return None
    old, new = (shlex.quote(side or "HEAD") for side in (found[1], found[3]))
    return f"withhold diff {old} {new}" if found[2] == ".." else f'withhold diff "$(git merge-base {old} {new})" {new}'


def commit_behind(side: str) -> str:
    """Return the commit of a revision, or of REVISION:PATH. Raises as `commit_of` does."""
    named = _WITH_PATH.fullmatch(side)
    return commit_of(named[1] if named else side)


def commit_of(text: str) -> str:
    """Return the commit of a revision. Raise `RevisionError`, with the message of git if there is no repository."""
    unread = f"{quoted(text)} is neither a path nor a readable git revision"
    try:
        check_repository()
    except RevisionError as error:
        raise RevisionError(error.code, f"{unread}: {error.problem.message}", error.hint) from None
    try:
        return git("rev-parse", "--verify", "--end-of-options", f"{text}^{{commit}}").decode().strip()
    except RevisionError as error:
        if error.code == "ambiguous-revision":
            raise
        if command := diff_command(text):
            raise RevisionError(
                "revision-range", f"{quoted(text)} is a range, not a revision", f"type `{command}`"
            ) from None
        message = f"{unread}: the repository has no revision of that name"
        raise RevisionError("unknown-revision", message, "check its spelling, or fetch it") from None
