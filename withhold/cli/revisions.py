"""Rule sets as they stand in a git revision. The repository is read, and its work tree never touched."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path, PurePosixPath

from withhold.errors import Problem, WithholdError, shown

# Names of revisions that can be a folder's; `:/text` and the like cannot.
_PLAIN = re.compile(r"(?!/)(?!.*\.\.)[\w./~^@{}+-]+")
# A revision and a path in it, `main:orders`: the first colon that stands in no braces, as in `HEAD^{/fix: typo}`.
_WITH_PATH = re.compile(r"((?:[^:{]|\{[^}]*\})+):(.*)", re.DOTALL)
# What git calls a range, `main..HEAD` or `main...HEAD`; a path such as `../rules` is none.
_RANGE = re.compile(r"(?=..*[^.])(.*?[^/.]|)(\.{2,3})([^/.].*|)", re.DOTALL)
_FILE, _LINK = ("100644", "100755"), "120000"


class RevisionError(WithholdError):
    """What keeps a revision from being read."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(Problem(code, message, hint=hint))


def lay_out(revision: str, rules: Path, into: Path) -> Path:
    """Write what a revision has at `rules` below `into`, and return its path there: `main:rules`.

    A path that the revision brings along goes before; as git reads it, it is seen from the top of the repository unless
    it begins with `./` or `../`. Files are as they were committed, whatever attributes say of archives. Raises
    `RevisionError`.
    """
    hint = "say with --rules where its rules are"
    named = _WITH_PATH.fullmatch(revision)
    commit = commit_of(named[1] if named else revision)
    top = os.path.realpath(_git("rev-parse", "--show-toplevel").decode().rstrip("\n"))
    if named:
        (revision, path), hint = named.groups(), "name the folder that has its rules"
        rules = Path(path) if path.startswith(("./", "../")) else Path(top, path)
    inside = PurePosixPath(Path(os.path.relpath(Path(os.path.realpath(Path.cwd()), rules), top)).as_posix())
    if inside.parts[:1] == ("..",):
        message = f"{shown(str(rules))} is not in the repository"
        raise RevisionError(
            "outside-repository", message, "name a folder in it, or lay the rules out and give their path"
        )
    listed = _git("ls-tree", "-r", "-z", "--full-tree", commit, *([] if inside == PurePosixPath() else [str(inside)]))
    entries = [entry.decode(errors="surrogateescape").split("\t", 1) for entry in listed.split(b"\0") if entry]
    found = {PurePosixPath(path): about.split() for about, path in entries}
    if not found:
        # Nothing at all would be easy to take for no rules, where a folder is only misspelt.
        hint += "; if there were none yet, compare with a file that says `rules: []`"
        raise RevisionError("no-rules-there", f"{shown(revision)} is a revision that has no {shown(str(inside))}", hint)
    name = revision if _PLAIN.fullmatch(revision) else commit[:12]
    target = into / f"{name}:{inside}"
    kept = {path: about for path, about in found.items() if about[0] in (*_FILE, _LINK)}
    for path, content in zip(kept, _contents([oid for _, _, oid in kept.values()]), strict=True):
        if ".." in path.parts:
            message = f"{shown(revision)} has a file whose path is {shown(str(path))}"
            raise RevisionError("outside-repository", message, "git would not check it out either")
        file = target / path.relative_to(inside)
        file.parent.mkdir(parents=True, exist_ok=True)
        if kept[path][0] != _LINK:
            file.write_bytes(content)
            continue
        goal = os.fsdecode(content)
        lies = os.path.normpath(str(path.parent / goal))
        if not PurePosixPath(lies).is_relative_to(inside) or lies.startswith(".."):
            message = f"in {shown(revision)}, {shown(str(path))} is a link out of {shown(str(inside))}"
            raise RevisionError("link-outside", message, "only what lies below that is read: name a folder around both")
        file.symlink_to(goal)
    return target


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
    unread = f"{shown(text)} is no path, and no git revision that can be read"
    try:
        _git("rev-parse", "--git-dir")
    except RevisionError as error:
        raise RevisionError(error.code, f"{unread}: {error.problem.message}", error.hint) from None
    try:
        return _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}").decode().strip()
    except RevisionError:
        if two := as_two(text):
            raise RevisionError(
                "revision-range", f"{shown(text)} is a range, not a revision", f"type `{two}`"
            ) from None
        message = f"{unread}: the repository has none of that name"
        raise RevisionError("unknown-revision", message, "is it spelt so, and fetched?") from None


def _contents(oids: list[str]) -> list[bytes]:
    """Return what objects hold: `<oid> blob <size>`, a line feed, the bytes, a line feed, one after the other."""
    given = _git("cat-file", "--batch", asked="".join(f"{oid}\n" for oid in oids).encode())
    found, at = [], 0
    for _ in oids:
        start = given.index(b"\n", at) + 1
        end = start + int(given[at:start].split()[2])
        found.append(given[start:end])
        at = end + 1
    return found


def _git(*arguments: str, asked: bytes | None = None) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], input=asked, capture_output=True, check=False)  # noqa: S603, S607
    except OSError as error:
        raise RevisionError("no-git", f"git cannot be run: {error.strerror}", "install it, or give paths") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip() or "git failed"
        raise RevisionError("git-failed", said, "give paths, or revisions of the repository that this is run in")
    return done.stdout
