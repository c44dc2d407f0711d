"""Rule sets as they stand in a git revision. The repository is read, and its work tree never touched."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import NamedTuple

from withhold.cli.git import Objects, RevisionError, git
from withhold.cli.tree import NOTHING, CommitTree, Found, OutsideCommitError
from withhold.errors import quoted

# Names of revisions that can be a folder's; `:/text` and the like cannot.
_PLAIN = re.compile(r"(?!/)(?!.*\.\.)[\w./~^@{}+-]+")
# A revision and a path in it, `main:orders`: the first colon that stands in no braces, as in `HEAD^{/fix: typo}`.
_WITH_PATH = re.compile(r"((?:[^:{]|\{[^}]*\})+):(.*)", re.DOTALL)
# What git calls a range, `main..HEAD` or `main...HEAD`; a path such as `../rules` is none.
_RANGE = re.compile(r"(?=..*[^.])(.*?[^/.]|)(\.{2,3})([^/.].*|)", re.DOTALL)
_LONGEST = 100


class LaidOut(NamedTuple):
    """Rules that were written to a folder, and their root."""

    path: Path
    root: Path


def lay_out(revision: str, rules: Path, root: str | None, into: Path) -> LaidOut:
    """Write what a revision has at `rules` below `into`, and all else inside the root, and return both: `main:rules`.

    A path that the revision brings along goes before; as git reads it, it is seen from the top of the repository unless
    it begins with `./` or `../`, and so is `root`. Without a `root` it is the folder of the rules, as in `RuleSet.load`.
    Raises `RevisionError`.
    """
    hint = "say with --rules where its rules are"
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
            # Nothing at all would be easy to take for no rules, where a folder is only misspelt.
            hint += "; if there were none yet, compare with a file that says `rules: []`"
            raise RevisionError(
                "no-rules-there", f"{quoted(revision)} is a revision that has no {quoted(inside)}", hint
            )
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
            hint = "name a folder of that revision, from its top"
            raise RevisionError(
                "no-root-there", f"{quoted(revision)} is a revision without the folder {quoted(inside)}", hint
            )
        if loaded.parts[: len(around.parts)] != around.parts:
            message = f"{quoted('/'.join(loaded.parts))} is outside of the root {quoted(inside)}"
            raise RevisionError("outside-rule-set", message, "name a root around it")
        plain = _PLAIN.fullmatch(revision) and len(revision) <= _LONGEST
        target = into / f"{revision if plain else commit[:12]}:{inside}"
        path = target.joinpath(*loaded.parts[len(around.parts) :])
        lists = True
        if root is None and path != target:
            # A file alone may lie in a large folder, of which it needs nothing unless it names lists.
            tree.write(around, loaded, target, alone=True)
            if lists := b"ids_file" in path.read_bytes():
                path.unlink()
                target.rmdir()
        if lists:
            tree.write(around, loaded, target)
    return LaidOut(path, target)


def _as_git_reads(path: str, top: str) -> Path:
    """Return a path of a revision: seen from the top, or from the current folder if it begins with `./` or `../`."""
    return Path(path) if path == ".." or path.startswith(("./", "../")) else Path(top, path)


def _find(tree: CommitTree, path: Path, top: str) -> tuple[str, Found]:
    """Return a path as seen from the top, and what a commit has there; raises `RevisionError` if that is outside."""
    inside = Path(os.path.relpath(Path(os.path.realpath(Path.cwd()), path), top)).as_posix()
    try:
        if inside.split("/")[0] != "..":
            return inside, tree.find(inside)
    except OutsideCommitError:
        pass
    hint = "name a folder in it, or lay the rules out and give their path"
    raise RevisionError("outside-repository", f"{quoted(str(path))} is not in the repository", hint)


def is_revision(text: str) -> bool:
    """Tell whether a text names a commit of the repository, if there is one here."""
    try:
        commit_of(text)
    except RevisionError:
        return False
    return True


def as_two(text: str) -> str | None:
    """Return how the two sides of a range are given to `withhold diff`; None for what is no range.

    >>> as_two("main..HEAD"), as_two("main..."), as_two("../rules")
    ('withhold diff main HEAD', 'withhold diff "$(git merge-base main HEAD)" HEAD', None)
    """
    found = _RANGE.fullmatch(text)
    if found is None:
        return None
    old, new = (shlex.quote(side or "HEAD") for side in (found[1], found[3]))
    return f"withhold diff {old} {new}" if found[2] == ".." else f'withhold diff "$(git merge-base {old} {new})" {new}'


def commit_of(text: str) -> str:
    """Return the commit of a revision; raises `RevisionError`, with what git says if it cannot look at all."""
    unread = f"{quoted(text)} is no path, and no git revision that can be read"
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
        message = f"{unread}: the repository has none of that name"
        raise RevisionError("unknown-revision", message, "is it spelt so, and fetched?") from None
