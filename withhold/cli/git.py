"""Git, asked for objects as they are stored: nothing is checked out, and no attribute, filter or hook applies."""

from __future__ import annotations

import os
import subprocess
from types import TracebackType
from typing import IO, Literal, Self

from withhold.errors import Problem, WithholdError, quoted

# What git is asked is about the repository that the current folder is in, whatever a hook around this one has set.
_KEPT = ("GIT_CONFIG", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_EXEC_PATH")
_SET = {
    "GIT_NO_REPLACE_OBJECTS": "1",  # a commit is what its hash says
    # A partial clone fetches what it lacks by a command from its configuration: nothing that is only read here may run one.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_OPTIONAL_LOCKS": "0",
}
_CHUNK = 1 << 20


class RevisionError(WithholdError):
    """What keeps a revision from being read."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(Problem(code, message, hint=hint))


def git(*arguments: str) -> bytes:
    """Return what a git command prints; raises `RevisionError` with what it says, if it fails."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False, env=_environment())  # noqa: S603, S607
    except OSError as error:
        raise _no_git(error) from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip() or "git failed"
        raise RevisionError("git-failed", said, "give paths, or revisions of the repository that this is run in")
    return done.stdout


class Objects:
    """The objects of the repository, each read when it is asked for, by one process."""

    def __enter__(self) -> Self:
        command = ["git", "cat-file", "--batch"]
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(  # noqa: S603
                command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=_environment()
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
        """Return what an object holds; raises `RevisionError` if it is of another kind, or has more bytes than `most`."""
        return self._taken(self._ask(name, kind, most))

    def copy(self, name: str, file: IO[bytes], most: int) -> int:
        """Write what a blob holds to a file, and return its size; raises as `read` does."""
        size = left = self._ask(name, "blob", most)
        while left:
            left -= file.write(self._taken(min(left, _CHUNK), end=left <= _CHUNK))
        if not size:
            self._taken(0)
        return size

    def _ask(self, name: str, kind: str, most: int) -> int:
        """Return the size of an object, whose bytes come next: `<oid> blob <size>`, a line feed, the bytes, a line feed."""
        given, found = self._process.stdin, self._process.stdout
        assert given is not None  # noqa: S101
        assert found is not None  # noqa: S101
        try:
            given.write(f"{name}\n".encode())
            given.flush()
            head = found.readline().split()
        except OSError:
            head = []
        if len(head) != 3:
            hint = "fetch it: a clone that is partial lacks some files"
            raise RevisionError("missing-object", f"the repository has no object {quoted(name)}", hint)
        if head[1] != kind.encode():
            message = f"{quoted(name)} is a {head[1].decode()} where a {kind} is expected"
            raise RevisionError("damaged-tree", message, "no tool of git writes such a commit")
        if int(head[2]) > most:
            message = f"the {kind} {quoted(name)} has {int(head[2]):,} bytes, and at most {most:,} are read"
            raise RevisionError("too-large", message, "name a folder of rules, or a smaller root")
        return int(head[2])

    def _taken(self, size: int, *, end: bool = True) -> bytes:
        found = self._process.stdout
        assert found is not None  # noqa: S101
        data = found.read(size + end)
        if len(data) < size + end:
            raise RevisionError("git-failed", "git ended early", "see what `git fsck` says")
        return data[:size]


def _environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name.startswith(_KEPT)}
    return own | _SET


def _no_git(error: OSError) -> RevisionError:
    return RevisionError("no-git", f"git cannot be run: {error.strerror}", "install it, or give paths")
