"""Rules and lists of a revision stay inside its root, whatever its trees contain."""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.cli.repositories import (
    LIST,
    LISTED,
    RULES,
    WITHHELD,
    commit,
    diff,
    enter_repository,
    file,
    folder,
    git,
    outcome,
    tree,
)
from withhold.cli.git import Objects, RevisionError
from withhold.cli.tree import CommitTree

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not there")


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch):
    return enter_repository(tmp_path, monkeypatch)


@pytest.mark.parametrize("where", ["folder", "file"])
def test_b2_lists_of_a_revision_are_read_inside_the_root_alone(repository, where):
    rules = "rules" if where == "folder" else "rules/in.yaml"
    entries = [folder("lists", file("a.csv", LIST)), folder("rules", file("in.yaml", LISTED % "../lists/a.csv"))]
    code, printed = outcome(*entries, rules=rules)
    assert (code, "[outside-rule-set]" in printed) == (4, True), printed
    for root in (".", "./.", str(repository)):
        code, printed = outcome(*entries, rules=rules, root=root)
        assert (code, WITHHELD in printed) == (0, True), printed
    for root, status, reported in (
        ("lists", 2, f"`{rules}` is outside the root `lists`"),
        ("rules", 4, "[outside-rule-set]"),
        ("nowhere", 2, "[no-root-there]"),
        ("rules/in.yaml", 2, "[no-root-there]"),
        ("..", 2, "[outside-repository]"),
        ("", 2, "it is empty"),
    ):
        oid = commit(tree(*entries))
        found = diff(oid, oid, "--rules", rules, "--root", root)
        assert (found.exit_code, reported in found.output) == (status, True), found.output


def test_b2_the_root_is_seen_from_the_top_and_the_rules_from_the_current_folder(repository, monkeypatch):
    entries = [folder("lists", file("a.csv", LIST)), folder("rules", file("in.yaml", LISTED % "../lists/a.csv"))]
    oid = commit(tree(folder("all", *entries)))
    (repository / "sub").mkdir()
    (repository / "none.yaml").rename(repository / "sub" / "none.yaml")
    monkeypatch.chdir(repository / "sub")
    for root in ("all", "../all"):
        found = diff(oid, oid, "--rules", "../all/rules", "--root", root)
        assert found.exit_code == 0, found.output
    found = diff(f"{oid}:all/rules/in.yaml", f"{oid}:../all/rules", "--root", "all")
    assert found.exit_code == 0, found.output
    found = diff("none.yaml", oid, "--rules", "../all/rules", "--root", "all")
    assert (found.exit_code, "`all` is not a directory on disk" in found.output) == (2, True), found.output


def test_b2_a_file_of_a_revision_is_read_with_the_lists_beside_it():
    entries = [file("in.yaml", LISTED % "lists/a.csv"), folder("lists", file("a.csv", LIST)), file("b.yaml", "broken")]
    for root in (None, "."):
        code, printed = outcome(*entries, rules="in.yaml", root=root)
        assert (code, WITHHELD in printed) == (0, True), printed
    code, printed = outcome(folder("rules", *entries), rules="rules/in.yaml")
    assert (code, "rules/in.yaml:2:3" in printed) == (0, True), printed


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("in.yaml", LISTED.replace("ids_file", r'"ids\x5ffile"') % "lists/a.csv"),
        ("in.yaml", LISTED.replace("ids_file", r'"\u0069ds_fil\U00000065"') % "lists/a.csv"),
        (
            "in.yaml",
            'rules:\n- id: a\n  ? "ids\\\n    _file"\n  : lists/a.csv\n  withheld_in: IN\n  reason: terms\n',
        ),
        (
            "in.json",
            r'{"rules": [{"id": "a", "ids\u005ffile": "lists/a.csv", "withheld_in": "IN", "reason": "terms"}]}',
        ),
    ],
)
def test_b2_a_file_of_a_revision_is_read_with_its_lists_however_their_key_is_spelt(name, rules):
    oid = commit(tree(folder("rules", file(name, rules), folder("lists", file("a.csv", LIST)))))
    found = diff("none.yaml", f"{oid}:rules/{name}")
    assert (found.exit_code, WITHHELD in found.output) == (0, True), found.output


def test_b2_a_file_of_a_revision_without_lists_needs_nothing_beside_it(monkeypatch):
    monkeypatch.setattr("withhold.cli.tree._MOST_FILES", 3)
    aliased = RULES.replace("IN", "UK")
    oid = commit(tree(*(file(f"{number}.txt", "") for number in range(9)), file("in.yaml", aliased + "# ids_file\n")))
    found = diff("none.yaml", f"{oid}:in.yaml")
    assert (found.exit_code, "account 17: GB visible → withheld" in found.stdout) == (0, True), found.output
    assert found.stderr.count("`UK` was read as `GB`") == 1, "a file is read once, and warns once"


def test_b3_a_list_with_an_absolute_path_is_refused_in_revisions_and_here(tmp_path, repository):
    (repository / "lists").mkdir()
    oids = []
    for listed in (LIST, "kind,id\naccount,18\n"):
        (repository / "lists" / "a.csv").write_text(listed, encoding="utf-8")
        (repository / "rules").mkdir(exist_ok=True)
        rules = LISTED % (repository / "lists" / "a.csv")
        (repository / "rules" / "in.yaml").write_text(rules, encoding="utf-8")
        git("add", "--all")
        git("commit", "--quiet", "--message", "change")
        oids.append(git("rev-parse", "HEAD"))
    for sides in (("HEAD~1", "HEAD"), ("HEAD~1", "rules"), ("rules", "rules")):
        for root in ([], ["--root", "."]):
            found = diff(*sides, *root)
            assert (found.exit_code, "[outside-rule-set]" in found.output) == (4, True), found.output


NAMES = st.sampled_from(
    [
        "in.yaml",
        "IN.yaml",
        "a",
        "A",
        "b",
        "é",
        "e\u0301",
        "..",
        ".",
        "",
        ".git",
        ".GIT",
        "a\\b",
        "a/b",
        "c:d",
        "x\ny",
        "a.",
    ]
)
TARGETS = st.lists(st.sampled_from(["..", "a", "b", "in.yaml", ".", "", "é", "nowhere"]), max_size=5).map("/".join)
ENTRIES = st.recursive(
    st.one_of(st.binary(max_size=3), TARGETS),
    lambda inner: st.lists(st.tuples(NAMES, inner), max_size=5),
    max_leaves=12,
)
BAD = {"..", ".", "", ".git", ".GIT", "a\\b", "a/b", "x\ny"}


class Held:
    """The objects of a repository, in memory."""

    def __init__(self):
        self.objects = {}

    def put(self, content):
        oid = f"{len(self.objects):040x}"
        self.objects[oid] = content
        return oid

    def made(self, value):
        """Return the mode and the hash of a file (bytes), a link (text) or a directory (a list)."""
        if isinstance(value, bytes):
            return "100644", self.put(value)
        if isinstance(value, str):
            return "120000", self.put(value.encode())
        lines = [(name, *self.made(inner)) for name, inner in value]
        data = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(oid) for name, mode, oid in lines)
        return "40000", self.put(data)

    def read(self, name, _kind, _most):
        return self.objects[name]

    def copy(self, name, file, _most):
        return file.write(self.objects[name])


def _names(value):
    """Yield the names in each directory."""
    if isinstance(value, list):
        yield [name for name, _ in value]
        for _, inner in value:
            yield from _names(inner)


@given(st.lists(st.tuples(NAMES, ENTRIES), max_size=5))
@example([("a", "/nowhere"), ("a", [("b", b"x")])])
@example([("a", "../.."), ("b", [("in.yaml", "../a/x")])])
@example([("a", "b"), ("b", [("in.yaml", b"1")])])
def test_b1_whatever_a_tree_says_files_are_written_inside_or_it_is_refused(entries):
    held = Held()
    top = held.made(entries)[1]
    held.objects[f"{'0' * 40}^{{tree}}"] = held.objects[top]
    with TemporaryDirectory() as made:
        target = Path(made, "around", "target")
        tree = CommitTree(cast(Objects, held), "0" * 40, "main")
        root = tree.find(".")
        try:
            tree.write(root, root, target)
            refused = False
        except RevisionError as error:
            refused = True
            assert error.hint  # noqa: PT017
        assert {path.relative_to(made).parts[:2] for path in Path(made).rglob("*")} <= {
            ("around",),
            ("around", "target"),
        }
        written = list(target.rglob("*")) if target.exists() else []
        assert all(path.is_dir() or path.is_file() for path in written)
        assert not any(path.is_symlink() for path in written)
        alike = [
            [unicodedata.normalize("NFC", name).casefold().rstrip(".") for name in names] for names in _names(entries)
        ]
        if any(len(set(names)) < len(names) for names in alike) or any(BAD & set(names) for names in _names(entries)):
            assert refused
        if not refused:
            for name, value in entries:
                if isinstance(value, bytes):
                    assert (target / name).read_bytes() == value
