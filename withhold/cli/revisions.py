"""Rule sets as they stand in a git revision. The repository is read, and its work tree never touched."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path, PurePosixPath

# Names of revisions that can be a folder's; `:/text` and the like cannot.
_PLAIN = re.compile(r"(?!/)(?!.*\.\.)[\w./~^@{}+-]+")
# A revision and a path in it, `main:orders`: the first colon that stands in no braces, as in `HEAD^{/fix: typo}`.
_WITH_PATH = re.compile(r"((?:[^:{]|\{[^}]*\})+):(.*)", re.DOTALL)
_FILE, _LINK = ("100644", "100755"), "120000"


class RevisionError(Exception):
    """What keeps a revision from being read."""


def lay_out(revision: str, rules: Path, into: Path) -> Path:
    """Write what a revision has at `rules` below `into`, and return its path there: `main:rules`.

    A path that the revision brings along goes before; as git reads it, it is seen from the top of the repository unless
    it begins with `./` or `../`. Files are as they were committed, whatever attributes say of archives. Raises
    `RevisionError`.
    """
    hint = "; say with --rules where its rules are"
    named = _WITH_PATH.fullmatch(revision)
    commit = _commit(named[1] if named else revision)
    top = os.path.realpath(_git("rev-parse", "--show-toplevel").decode().rstrip("\n"))
    if named:
        (revision, path), hint = named.groups(), ""
        rules = Path(path) if path.startswith(("./", "../")) else Path(top, path)
    inside = PurePosixPath(Path(os.path.relpath(Path(os.path.realpath(Path.cwd()), rules), top)).as_posix())
    if inside.parts[:1] == ("..",):
        raise RevisionError(f"`{rules}` is not in the repository")
    listed = _git("ls-tree", "-r", "-z", "--full-tree", commit, *([] if inside == PurePosixPath() else [str(inside)]))
    entries = [entry.decode(errors="surrogateescape").split("\t", 1) for entry in listed.split(b"\0") if entry]
    found = {PurePosixPath(path): about.split() for about, path in entries}
    if not found:
        raise RevisionError(f"`{revision}` has no `{inside}`{hint}")
    name = revision if _PLAIN.fullmatch(revision) else commit[:12]
    target = into / f"{name}:{inside}"
    kept = {path: about for path, about in found.items() if about[0] in (*_FILE, _LINK)}
    for path, content in zip(kept, _contents([oid for _, _, oid in kept.values()]), strict=True):
        if ".." in path.parts:
            raise RevisionError(f"`{revision}` has a file whose path is `{path}`")
        file = target / path.relative_to(inside)
        file.parent.mkdir(parents=True, exist_ok=True)
        if kept[path][0] != _LINK:
            file.write_bytes(content)
            continue
        goal = os.fsdecode(content)
        lies = os.path.normpath(str(path.parent / goal))
        if not PurePosixPath(lies).is_relative_to(inside) or lies.startswith(".."):
            raise RevisionError(f"in `{revision}`, `{path}` is a link out of `{inside}`")
        file.symlink_to(goal)
    return target


def is_revision(text: str) -> bool:
    """Tell whether a text names a commit of the repository, if there is one here."""
    try:
        _commit(text)
    except RevisionError:
        return False
    return True


def _commit(text: str) -> str:
    """Return the commit of a revision; raises `RevisionError`, with what git says if it cannot look at all."""
    _git("rev-parse", "--git-dir")
    try:
        return _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}").decode().strip()
    except RevisionError:
        raise RevisionError("the repository has none of that name; is it fetched?") from None


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
        raise RevisionError(f"git cannot be run: {error.strerror}") from None
    if done.returncode:
        raise RevisionError(done.stderr.decode(errors="replace").strip() or "git failed")
    return done.stdout
