"""Read objects from git as they are stored: nothing is checked out, and no attribute, filter or hook applies."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

from withhold.errors import Problem, WithholdError, quoted

# The variables of git that are kept. Others are dropped, because a hook that runs this command may have set another
# repository.
_KEPT = ("GIT_CONFIG", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_EXEC_PATH")
_SET = {
    # Read the objects that the hashes name, and the parents that the commits name.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    # A partial clone would fetch missing objects by a command from its configuration. Reading must not run commands.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",  # git's messages are parsed
}
_OPTIONS = (
    # A directory in a commit can look like a repository, and git would read it instead of the repository around it.
    *("-c", "safe.bareRepository=explicit"),
    *("-c", "core.warnAmbiguousRefs=true"),
    *("-c", "core.commitGraph=false"),  # a copy of the parents of commits, which may be wrong
    *("-c", "advice.graftFileDeprecated=false"),
)
_AMBIGUOUS = re.compile(rb"^(?:warning: refname|error: short (?:object ID|SHA1)) (.*) is ambiguous", re.MULTILINE)
_CHUNK = 1 << 20


class RevisionError(WithholdError):
    """A revision that cannot be read."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(Problem(code, message, hint=hint))


def git(*arguments: str) -> bytes:
    """Return the output of a git command. Raise `RevisionError` with its message if it fails or finds a name ambiguous."""
    try:
        done = subprocess.run(_command(*arguments), capture_output=True, check=False, env=_environment())  # noqa: S603
    except OSError as error:
        raise _no_git(error) from None
    if found := _AMBIGUOUS.search(done.stderr):
        message = f"{quoted(os.fsdecode(found[1]).strip(chr(39)))} is ambiguous in this repository"
        hint = "write it in full, such as `refs/remotes/origin/main`, or the full id of the commit"
        raise RevisionError("ambiguous-revision", message, hint)
    if done.returncode:
        message = " ".join(done.stderr.decode(errors="replace").split()) or "git failed"
        raise RevisionError(
            "git-failed", message, "give paths, or revisions of the repository of the current directory"
        )
    return done.stdout


def check_repository() -> None:
    """Raise `RevisionError` unless git finds a repository by a `.git` in the current directory or above it.

    A commit can hold anything but a `.git`, so a repository without one may be a part of somebody's commit.
    """
    found = os.fsdecode(git("rev-parse", "--absolute-git-dir")).rstrip("\n")
    if os.path.basename(found) == ".git":  # noqa: PTH119
        return
    here = Path(os.path.realpath(Path.cwd()))
    for folder in (here, *here.parents):
        if os.path.lexists(folder / ".git"):
            named = os.fsdecode(git("rev-parse", "--resolve-git-dir", str(folder / ".git"))).rstrip("\n")
            if os.path.realpath(named) == os.path.realpath(found):
                return
            break
    message = f"git found the repository {quoted(found)}, but no `.git` leads to it"
    raise RevisionError(
        "planted-repository", message, "run this in another directory; this one may be part of a commit"
    )


class Objects:
    """The objects of the repository, read on demand by one process of git."""

    def __enter__(self) -> Self:
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(  # noqa: S603
                _command("cat-file", "--batch"), stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=_environment()
            )
        except OSError as error:
            raise _no_git(error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()  # it may be in the middle of an object
        self._process.communicate()

    def read(self, name: str, kind: Literal["tree", "blob"], most: int) -> bytes:
        """Return the content of an object. Raise `RevisionError` if it has another kind, or more than `most` bytes."""
        return self._receive(self._request(name, kind, most))

    def copy(self, name: str, file: IO[bytes], most: int) -> int:
        """Write the content of a blob to a file, and return its size. Raise as `read` does."""
        size = left = self._request(name, "blob", most)
        while left:
            left -= file.write(self._receive(min(left, _CHUNK), end=left <= _CHUNK))
        if not size:
            self._receive(0)
        return size

    def _request(self, name: str, kind: str, most: int) -> int:
        """Request an object, and return its size. Git answers `<oid> blob <size>`, a line feed, the bytes, a line feed."""
        to_git, from_git = self._process.stdin, self._process.stdout
        assert to_git is not None  # noqa: S101
        assert from_git is not None  # noqa: S101
        try:
            to_git.write(f"{name}\n".encode())
            to_git.flush()
            head = from_git.readline().split()
        except OSError:
            head = []
        if len(head) != 3:
            hint = "fetch it: a partial clone lacks some objects"
            raise RevisionError("missing-object", f"the repository has no object {quoted(name)}", hint)
        if head[1] != kind.encode():
            message = f"{quoted(name)} is a {head[1].decode()} where a {kind} is expected"
            raise RevisionError("damaged-tree", message, "git never writes such a commit")
        if int(head[2]) > most:
            message = f"the {kind} {quoted(name)} has {int(head[2]):,} bytes, and at most {most:,} are read"
            raise RevisionError("too-large", message, "give a directory of rules, or a smaller root")
        return int(head[2])

    def _receive(self, size: int, *, end: bool = True) -> bytes:
        found = self._process.stdout
        assert found is not None  # noqa: S101
        data = found.read(size + end)
        if len(data) < size + end:
            raise RevisionError("git-failed", "git exited early", "check the repository with `git fsck`")
        return data[:size]


def _command(*arguments: str) -> list[str]:
    return [_program(), *_OPTIONS, *arguments]


def _program() -> str:
    """Return the path of git. Raises `FileNotFoundError`.

    Only absolute directories of the search path are used. Windows also searches the current directory, which a commit
    can fill, and so does a search path with `.` or an empty part.
    """
    name = "git.exe" if sys.platform == "win32" else "git"
    for folder in filter(os.path.isabs, os.get_exec_path()):
        if found := shutil.which(os.path.join(folder, name)):  # noqa: PTH118
            return found
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def _environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name.startswith(_KEPT)}
    return own | _SET


def _no_git(error: OSError) -> RevisionError:
    return RevisionError("no-git", f"git cannot be run: {error.strerror}", "install it, or give paths")
