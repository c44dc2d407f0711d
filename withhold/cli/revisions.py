"""Read rule sets from a git revision. The work tree of the repository is never touched."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import NamedTuple

from withhold.cli.git import Objects, RevisionError, git
from withhold.cli.tree import NOTHING, CommitTree, Found, OutsideCommitError
from withhold.errors import quoted

# Revisions whose name can be the name of a folder; `:/text` and the like cannot.
_PLAIN = re.compile(r"(?!/)(?!.*\.\.)[\w./~^@{}+-]+")
# A revision and a path in it, `main:orders`: the first colon outside braces, as in `HEAD^{/fix: typo}`.
_WITH_PATH = re.compile(r"((?:[^:{]|\{[^}]*\})+):(.*)", re.DOTALL)
# What git calls a range, `main..HEAD` or `main...HEAD`; a path such as `../rules` is not one.
_RANGE = re.compile(r"(?=..*[^.])(.*?[^/.]|)(\.{2,3})([^/.].*|)", re.DOTALL)
_LONGEST = 100


class LaidOut(NamedTuple):
    """The path of rules that were written to a folder, and their root."""

    path: Path
    root: Path


def lay_out(revision: str, rules: Path, root: str | None, into: Path) -> LaidOut:
    """Write the rules of a revision, and all files inside their root, below `into`; return the paths of both.

    A path in the revision itself, as in `main:rules`, takes precedence over `rules`. That path and `root` are relative to the
    top of the repository, as in git, unless they begin with `./` or `../`. By default the root is the folder of the rules, as
    in `RuleSet.load`. Raises `RevisionError`.
    """
    hint = "give the path of its rules with --rules"
    named = _WITH_PATH.fullmatch(revision)
    commit = commit_of(named[1] if named else revision)
    top = os.path.realpath(git("rev-parse", "--show-toplevel").decode().rstrip("\n"))
    if named:
        (revision, path), hint = named.groups(), "name the folder that has its rules"
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
            hint = "name a folder of that revision, relative to its top"
            raise RevisionError(
                "no-root-there", f"{quoted(revision)} is a revision without the folder {quoted(inside)}", hint
            )
        if loaded.parts[: len(around.parts)] != around.parts:
            message = f"{quoted('/'.join(loaded.parts))} is outside the root {quoted(inside)}"
            raise RevisionError("outside-rule-set", message, "name a root around it")
        plain = _PLAIN.fullmatch(revision) and len(revision) <= _LONGEST
        target = into / f"{revision if plain else commit[:12]}:{inside}"
        path = target.joinpath(*loaded.parts[len(around.parts) :])
        lists = True
        if root is None and path != target:
            # A single file needs nothing else of its folder, which may be large, unless it names lists of ids.
            tree.write(around, loaded, target, alone=True)
            if lists := b"ids_file" in path.read_bytes():
                path.unlink()
                target.rmdir()
        if lists:
            tree.write(around, loaded, target)
    return LaidOut(path, target)


def _as_git_reads(path: str, top: str) -> Path:
    """Return a path of a revision: relative to the top, or to the current folder if it begins with `./` or `../`."""
    return Path(path) if path == ".." or path.startswith(("./", "../")) else Path(top, path)


def _find(tree: CommitTree, path: Path, top: str) -> tuple[str, Found]:
    """Return a path relative to the top, and its entry in a commit. Raise `RevisionError` if it is outside the repository."""
    inside = Path(os.path.relpath(Path(os.path.realpath(Path.cwd()), path), top)).as_posix()
    try:
        if inside.split("/")[0] != "..":
            return inside, tree.find(inside)
    except OutsideCommitError:
        pass
    hint = "name a folder in it, or check the rules out and give their path"
    raise RevisionError("outside-repository", f"{quoted(str(path))} is not in the repository", hint)


def is_revision(text: str) -> bool:
    """Return whether a text names a commit of the repository of the current folder."""
    try:
        commit_of(text)
    except RevisionError:
        return False
    return True


def as_two(text: str) -> str | None:
    """Return the command that compares the two sides of a range; None if the text is not a range.

    >>> as_two("main..HEAD"), as_two("main..."), as_two("../rules")
    ('withhold diff main HEAD', 'withhold diff "$(git merge-base main HEAD)" HEAD', None)
    """
    found = _RANGE.fullmatch(text)
    if found is None:
        return None
    old, new = (shlex.quote(side or "HEAD") for side in (found[1], found[3]))
    return f"withhold diff {old} {new}" if found[2] == ".." else f'withhold diff "$(git merge-base {old} {new})" {new}'


def commit_of(text: str) -> str:
    """Return the commit of a revision. Raise `RevisionError`, with the message of git if there is no repository."""
    unread = f"{quoted(text)} is neither a path nor a readable git revision"
    try:
        git("rev-parse", "--git-dir")
    except RevisionError as error:
        raise RevisionError(error.code, f"{unread}: {error.problem.message}", error.hint) from None
    try:
        return git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}").decode().strip()
    except RevisionError:
        if two := as_two(text):
            raise RevisionError(
                "revision-range", f"{quoted(text)} is a range, not a revision", f"type `{two}`"
            ) from None
        message = f"{unread}: the repository has no revision of that name"
        raise RevisionError("unknown-revision", message, "check its spelling, or fetch it") from None
