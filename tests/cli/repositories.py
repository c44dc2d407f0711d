"""Git repositories with arbitrary trees, for the tests of revisions."""

from __future__ import annotations

import hashlib
import os
import subprocess
import zlib
from pathlib import Path

from typer.testing import CliRunner

from withhold.cli.app import app

RULES = "rules:\n- {id: a, accounts: [17], withheld_in: IN, reason: terms}\n"
LISTED = "rules:\n- {id: a, ids_file: %s, withheld_in: IN, reason: terms}\n"
LIST = "kind,id\naccount,17\n"
NONE = "rules: []\n"


def git(*arguments: str) -> str:
    names = dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"), "n")
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607
        check=True,
        capture_output=True,
        env={**os.environ, **names, **alone},
    )
    return done.stdout.decode().strip()


def stored(kind: str, data: bytes) -> str:
    """Store an object unchanged, even if git would reject it."""
    whole = f"{kind} {len(data)}\0".encode() + data
    oid = hashlib.sha1(whole).hexdigest()  # noqa: S324  # it is the name that git gives it
    path = Path(".git", "objects", oid[:2], oid[2:])
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(zlib.compress(whole, 1))
    return oid


def blob(content: bytes | str) -> str:
    return stored("blob", content.encode() if isinstance(content, str) else content)


def tree(*entries: tuple[str, str, str]) -> str:
    return stored("tree", b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(oid) for mode, name, oid in entries))


def commit(oid: str) -> str:
    by = "n <e> 1612953000 +0000"
    return stored("commit", f"tree {oid}\nauthor {by}\ncommitter {by}\n\nmade by hand\n".encode())


def file(name: str, content: bytes | str = RULES) -> tuple[str, str, str]:
    return "100644", name, blob(content)


def link(name: str, target: bytes | str) -> tuple[str, str, str]:
    return "120000", name, blob(target)


def folder(name: str, *entries: tuple[str, str, str]) -> tuple[str, str, str]:
    return "40000", name, tree(*entries)


def diff(*arguments: str):
    return CliRunner().invoke(app, ["diff", *arguments])


def enter_repository(tmp_path, monkeypatch):
    """Return a new repository, which becomes the current directory."""
    there = tmp_path / "repository"
    there.mkdir()
    monkeypatch.chdir(there)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    git("init", "--quiet", ".")
    (there / "none.yaml").write_text(NONE, encoding="utf-8")
    return there


def outcome(*entries, root=None, rules="rules"):
    """Return the exit status and the output of a comparison of a commit's rules with an empty rule set."""
    given = ["none.yaml", commit(tree(*entries)), "--rules", rules]
    found = diff(*given) if root is None else diff(*given, "--root", root)
    return found.exit_code, found.output


WITHHELD = "account 17: IN visible → withheld"
