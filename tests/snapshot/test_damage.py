"""A damaged file is refused with the reason. If it is opened without full verification, it causes no harm."""

from __future__ import annotations

import hashlib
import json
import os
import random
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.implementations import in_c
from withhold import Engine, Place, Rule, RuleSet, Snapshot, SnapshotError, Viewer, WithholdError
from withhold.snapshot import records
from withhold.snapshot.checking import read_header
from withhold.snapshot.format import HEADER_END, MAGIC, OPENING, SECTIONS, VERSION

RULES = RuleSet(
    [
        Rule(id="a", accounts=[5, 6], tweets=[7], withheld_in=["IN"], reason="terms"),
        Rule(id="b", accounts=[6], tweets=range(50, 60), withheld_in=["IN"], reason="terms"),
    ]
)
each_way = pytest.mark.parametrize("native", [False, pytest.param(True, marks=in_c)], ids=["in Python", "in C"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Snapshot.compile(RULES).save(tmp_path / "rules.wh")
    return tmp_path / "rules.wh"


def use(snapshot: Snapshot) -> None:
    """Ask all kinds of questions. Only errors of this library may be raised."""
    view = Engine(snapshot).view(Viewer(country="IN"))
    # Some ids one by one, and all of them in columns and on a page.
    for id_ in (5, 6, 7, 8, 50, 59, 60, 2**62, 2**63 - 1):
        for ask in (view.withholds, lambda tweet, account: view.check(tweet_id=tweet, account_id=account)):
            with suppress(WithholdError):
                ask(id_, id_)
    with suppress(WithholdError):
        view.mask(list(range(1, 70)), list(range(1, 70)))
    with suppress(WithholdError):
        view.filter([(id_, id_) for id_ in range(1, 70)])
    with suppress(WithholdError):
        _ = [(list(rule.accounts), list(rule.tweets), rule) for rule in snapshot.rules]


def test_every_byte_that_is_changed_is_noticed(path: Path) -> None:
    whole = path.read_bytes()
    Snapshot.open(path)
    damaged = path.with_name("damaged.wh")
    for at in range(len(whole)):
        # Alternate between the lowest bit and the highest.
        damaged.write_bytes(whole[:at] + bytes([whole[at] ^ (0x80 if at % 2 else 0x01)]) + whole[at + 1 :])
        with pytest.raises(SnapshotError) as caught:
            Snapshot.open(damaged)
        assert caught.value.code in ("not-a-snapshot", "snapshot-version", "damaged-snapshot")


def test_every_truncation_is_noticed(path: Path) -> None:
    """In memory, with the functions that read an opened file."""
    whole = path.read_bytes()
    for length in range(len(whole)):
        with pytest.raises(SnapshotError):
            read_header(memoryview(whole)[:length], str(path))
    assert read_header(memoryview(whole), str(path)).size == len(whole)


@pytest.mark.parametrize("verify", ["full", "header"])
def test_truncated_and_extended_files_are_refused(path: Path, verify: Any) -> None:
    whole = path.read_bytes()
    damaged = path.with_name("damaged.wh")
    sections = json.loads(whole[OPENING.size : HEADER_END])["sections"].values()
    ends = {0, OPENING.size, HEADER_END, len(whole)} | {
        end for each in sections for end in (each["offset"], each["offset"] + each["length"])
    }
    for length in sorted({near for end in ends for near in (end - 1, end, end + 1) if 0 <= near < len(whole)}):
        damaged.write_bytes(whole[:length])
        with pytest.raises(SnapshotError):
            Snapshot.open(damaged, verify=verify)
    for more in (b"\0", b"x" * 64, whole):
        damaged.write_bytes(whole + more)
        with pytest.raises(SnapshotError, match="bytes instead of"):
            Snapshot.open(damaged, verify=verify)


@each_way
def test_unverified_damage_causes_no_harm(path: Path, native: bool) -> None:
    """Change every byte of every section in some way. The results are wrong answers or errors of this library."""
    whole = path.read_bytes()
    damaged = path.with_name("damaged.wh")
    chance = random.Random(1)
    for at in range(HEADER_END, len(whole)):
        # Alternate between all bits, the lowest bit, and random bits.
        value = (whole[at] ^ 0xFF, whole[at] ^ 1, chance.randrange(256))[at % 3]
        damaged.write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
        try:
            snapshot = Snapshot.open(damaged, verify="header", native=native)
        except SnapshotError:  # the bytes between sections
            continue
        use(snapshot)


@each_way
def test_random_sections_cause_no_harm(path: Path, native: bool) -> None:
    whole = path.read_bytes()
    chance = random.Random(2)
    header = json.loads(whole[OPENING.size : HEADER_END])
    for _ in range(40):
        noise = bytearray(whole)
        for section in header["sections"].values():
            if chance.random() < 0.5:
                noise[section["offset"] : section["offset"] + section["length"]] = chance.randbytes(section["length"])
        path.with_name("noise.wh").write_bytes(noise)
        use(Snapshot.open(path.with_name("noise.wh"), verify="header", native=native))


def changed(whole: bytes, change: Callable[[dict[str, Any], dict[str, bytearray]], None]) -> bytes:
    """Return a changed file with valid digests."""
    header = json.loads(whole[OPENING.size : HEADER_END])
    places = {name: (each["offset"], each["length"]) for name, each in header["sections"].items()}
    sections = {name: bytearray(whole[start : start + length]) for name, (start, length) in places.items()}
    body = bytearray(whole)
    change(header, sections)
    for name, (start, length) in places.items():
        assert len(sections[name]) == length
        body[start : start + length] = sections[name]
        if name in header["sections"]:
            header["sections"][name]["sha256"] = hashlib.sha256(sections[name]).hexdigest()
    padded = json.dumps(header).encode().ljust(HEADER_END - OPENING.size)
    opening = OPENING.pack(MAGIC, VERSION, HEADER_END, hashlib.sha256(padded).digest())
    return opening + padded + bytes(body[HEADER_END:])


def put(name: str, letter: str, at: int, value: int) -> Callable[[dict[str, Any], dict[str, bytearray]], None]:
    def change(_: dict[str, Any], sections: dict[str, bytearray]) -> None:
        struct.pack_into(letter, sections[name], at * struct.calcsize(letter), value)

    return change


def swap_first_two(_: dict[str, Any], sections: dict[str, bytearray]) -> None:
    """Both accounts are in the only bucket, where they must be sorted."""
    ids = sections["accounts.ids"]
    ids[:8], ids[8:16] = ids[8:16], ids[:8]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("accounts.starts", "<I", 0, 1), "`accounts.starts` does not ascend"),
        (put("tweets.starts", "<I", 1, 99), "`tweets.starts` does not ascend"),
        (put("tweets.starts", "<I", 3, 99), "`tweets.starts` does not ascend"),
        (put("tweets.postings", "<I", 2, 3), "`tweets.postings` refers to a rule that does not exist"),
        (put("accounts.postings", "<I", 0, 2**32 - 1), "`accounts.postings` refers to a rule that does not exist"),
        (put("combinations.rules", "<I", 1, 2), "`combinations.rules` refers to a rule that does not exist"),
        (put("combinations.starts", "<Q", 1, 1), "`combinations.starts` does not ascend"),
        (put("combinations.rules", "<I", 1, 0), "a combination that is not two or more rules in order"),
        (
            put("accounts.words", "<Q", 0, 0),
            "`accounts.ids` has an invalid or misplaced id at index 0",
        ),
        (put("accounts.ids", "<q", 0, 0), "`accounts.ids` has an invalid or misplaced id at index 0"),
        (put("tweets.ids", "<q", 3, -5), "`tweets.ids` has an invalid or misplaced id at index 3"),
        (put("tweets.ids", "<q", 3, 2**62), "`tweets.ids` has an invalid or misplaced id at index 3"),
        (swap_first_two, "`accounts.ids` has an invalid or misplaced id"),
        (put("rules.starts", "<Q", 1, 2**63), "`rules.starts` does not ascend"),
    ],
)
@each_way
def test_an_invalid_number_is_refused_although_its_digest_is_valid(
    path: Path, change: Any, message: str, native: bool
) -> None:
    path.write_bytes(changed(path.read_bytes(), change))
    with pytest.raises(SnapshotError) as caught:
        Snapshot.open(path, native=native)
    assert message in str(caught.value)
    use(Snapshot.open(path, verify="header", native=native))


def header_without(key: str) -> Any:
    return lambda header, _: header.pop(key)


def header_with(value: Any, *keys: str) -> Any:
    def change(header: dict[str, Any], _: object) -> None:
        for key in keys[:-1]:
            header = header[key]
        header[keys[-1]] = value

    return change


@pytest.mark.parametrize("verify", ["full", "header"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (header_without("size"), "is invalid at `size`"),
        (header_with(-1, "counts", "rules"), "is invalid at `counts.rules`"),
        (header_with(True, "counts", "rules"), "is invalid at `counts.rules`"),
        (header_with(1.0, "size"), "is invalid at `size`"),
        (header_with("yesterday", "created"), "is invalid at `created`"),
        (header_with("0" * 63, "digest"), "is invalid at `digest`"),
        (header_with("0" * 16, "revision"), "the revision is not the beginning of the digest"),
        (header_with(7, "extra"), "is invalid at `extra`"),
        (header_with(10**6, "size"), "bytes instead of 1,000,000"),
        (header_with(3, "counts", "rules"), "section `rules.starts` has 24 bytes"),
        (header_with(9, "counts", "accounts"), "section `accounts.ids` has"),
        (header_with(0, "sections", "tweets.ids", "length"), "is in the wrong place"),
        (header_with(2**62, "sections", "rules.records", "length"), "is in the wrong place"),
        (header_with(2**70, "sections", "rules.records", "offset"), "is in the wrong place"),
        (header_with(4097, "sections", "accounts.words", "offset"), "is in the wrong place"),
        (header_with({}, "sections"), "the sections are not those of this format"),
    ],
)
def test_an_invalid_header_is_refused(path: Path, change: Any, message: str, verify: Any) -> None:
    path.write_bytes(changed(path.read_bytes(), change))
    with pytest.raises(SnapshotError) as caught:
        Snapshot.open(path, verify=verify)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("record", [b"{}", b"[]", b"\xff\xfe", b"null", b"[" * 10_000, b'{"id": 5}'])
def test_an_invalid_record_is_reported_when_it_is_read(path: Path, record: bytes) -> None:
    whole = path.read_bytes()
    header = json.loads(whole[OPENING.size : HEADER_END])
    start = header["sections"]["rules.records"]["offset"]
    path.write_bytes((whole[:start] + record.ljust(len(whole) - start))[: len(whole)])
    view = Engine(Snapshot.open(path, verify="header")).view(Viewer(country="IN"))
    with pytest.raises(SnapshotError, match=r"the record of rule \d is invalid"):
        view.withholds(99, 5)
    assert view.withholds(99, 99) is False


class TestOtherFiles:
    @pytest.mark.parametrize("content", [b"", b"rules: []\n", b"WITHHOLD", b"WITHHELD" + bytes(5000), bytes(5000)])
    def test_a_file_that_is_not_a_snapshot(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "rules.wh").write_bytes(content)
        with pytest.raises(SnapshotError) as caught:
            Snapshot.open(tmp_path / "rules.wh")
        assert caught.value.code == "not-a-snapshot"

    def test_another_version(self, path: Path) -> None:
        whole = bytearray(path.read_bytes())
        struct.pack_into("<I", whole, 8, VERSION + 1)
        path.write_bytes(whole)
        with pytest.raises(
            SnapshotError, match=f"the snapshot has format `{VERSION + 1}`, but only `{VERSION}` can be read"
        ) as caught:
            Snapshot.open(path)
        assert caught.value.code == "snapshot-version"

    def test_an_unknown_verify(self, path: Path) -> None:
        with pytest.raises(ValueError, match="verify must be `full` or `header`, not `ful`"):
            Snapshot.open(path, verify="ful")  # type: ignore[arg-type]

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="only where pipes have names")
    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(SnapshotError, match="this is a pipe or a device"):
            Snapshot.open(tmp_path / "pipe")

    def test_a_missing_file_or_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            Snapshot.open(tmp_path / "none.wh")
        with pytest.raises(OSError):  # noqa: PT011  # its name depends on the system
            Snapshot.open(tmp_path)


def test_a_repeated_rule_is_reported_when_all_are_read(path: Path) -> None:
    def change(_: object, sections: dict[str, bytearray]) -> None:
        records = sections["rules.records"]
        records[:] = records.replace(b'"id": "b"', b'"id": "a"')

    path.write_bytes(changed(path.read_bytes(), change))
    snapshot = Snapshot.open(path)
    with pytest.raises(SnapshotError, match="rule id `a` is used twice"):
        _ = snapshot.rules


def test_all_sections_are_in_a_file(path: Path) -> None:
    """So the tests above have changed every kind of number."""
    header = json.loads(path.read_bytes()[OPENING.size : HEADER_END])
    assert {name for name, each in header["sections"].items() if each["length"]} == set(SECTIONS)


def test_saving_a_damaged_snapshot_keeps_the_damage_detectable(path: Path) -> None:
    whole = path.read_bytes()
    header = json.loads(whole[OPENING.size : HEADER_END])
    start = header["sections"]["rules.records"]["offset"]
    records = whole[start:].replace(b'"IN"', b'"FR"')
    path.write_bytes(whole[:start] + records)
    copy = path.with_name("copy.wh")
    opened = Snapshot.open(path, verify="header")
    opened.save(copy)
    with pytest.raises(SnapshotError, match="has changed since it was written"):
        Snapshot.open(copy)
    # Compiling the damaged rules gives another rule set, with another revision.
    Snapshot.compile(opened.rules).save(copy)
    assert Snapshot.open(copy).revision != opened.revision


def test_a_file_that_is_saved_again_is_the_same(path: Path) -> None:
    Snapshot.open(path).save(path.with_name("copy.wh"))
    assert path.with_name("copy.wh").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("count", [b"11", b"99", b"-1", b'""', b"{}"])
def test_a_wrong_number_of_ids_in_a_record_is_reported_when_it_is_read(path: Path, count: bytes) -> None:
    def change(_: object, sections: dict[str, bytearray]) -> None:
        records = sections["rules.records"]
        assert records.count(b'"tweets": 10') == 1
        records[:] = records.replace(b'"tweets": 10', b'"tweets": ' + count)

    path.write_bytes(changed(path.read_bytes(), change))
    with pytest.raises(SnapshotError) as caught:
        _ = [list(rule.tweets) for rule in Snapshot.open(path).rules]
    assert caught.value.code == "damaged-snapshot"
    with pytest.raises(SnapshotError):
        Snapshot.compile(Snapshot.open(path).rules)


def test_an_impossible_number_of_ids_in_a_record_is_reported(path: Path) -> None:
    def change(_: object, sections: dict[str, bytearray]) -> None:
        records = sections["rules.records"]
        start = records.index(b'{"id": "b"')
        values = json.loads(records[start:]) | {"tweets": 10**20}
        records[start:] = json.dumps(values, separators=(",", ":")).encode().ljust(len(records) - start)

    path.write_bytes(changed(path.read_bytes(), change))
    view = Engine(Snapshot.open(path)).view(Viewer(country="IN"))
    with pytest.raises(SnapshotError, match=r"the record of rule \d is invalid"):
        view.withholds(50, 50)


ODD_PLACES = [
    *(Place(file) for file in ("a\0b.yaml", "\ud800.yaml", "a/" * 3000, "ä" * 2100)),
    *(Place("in.yaml", line) for line in (0, -3, 10**30, 2**31)),
    *(Place("in.yaml", 1, column) for column in (0, -3, 10**30, 2**31)),
]


@pytest.mark.parametrize("place", ODD_PLACES, ids=lambda place: ascii(str(place))[:30])
def test_b7_a_place_that_no_file_has_is_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    rules = RuleSet([Rule(id="a", accounts=[5], withheld_in=["IN"], reason="terms", place=place)])
    path = tmp_path / "r.wh"
    with monkeypatch.context() as patched:
        patched.setattr(records, "_place", Place)
        Snapshot.compile(rules).save(path)
    with pytest.raises(SnapshotError) as caught:
        list(Snapshot.open(path).rules)
    assert caught.value.code == "damaged-snapshot"
    view = Engine(Snapshot.open(path, verify="header")).view(Viewer(country="IN"))
    with pytest.raises(SnapshotError):
        view.check(account_id=5)
    Snapshot.compile(rules).save(path)
    assert [rule.place for rule in Snapshot.open(path).rules] == [None], "the place is not written either"


@pytest.mark.parametrize("place", [Place(""), Place("a\udcff.yaml", 2**31 - 1, 2**31 - 1), Place("a\nb/ä.yaml", 7, 18)])
def test_b7_the_place_of_a_rule_is_read_as_it_was_written(tmp_path: Path, place: Place) -> None:
    """Names of files may have bytes that are not UTF-8, and newlines."""
    rules = RuleSet([Rule(id="a", accounts=[5], withheld_in=["IN"], reason="terms", place=place)])
    Snapshot.compile(rules).save(tmp_path / "r.wh")
    assert [rule.place for rule in Snapshot.open(tmp_path / "r.wh").rules] == [place]


@pytest.mark.parametrize("count", [-1, 2**63, 10**1000, True, 1.0, "1"], ids=lambda count: str(count)[:5])
def test_b7_a_count_that_nothing_has_is_damage(path: Path, count: object) -> None:
    whole = path.read_bytes()
    header = json.loads(whole[OPENING.size : HEADER_END])
    header["protected"] = {"accounts": count, "sha256": "0" * 64}
    text = json.dumps(header).encode().ljust(HEADER_END - OPENING.size)
    magic, version, end, _ = OPENING.unpack_from(whole)
    path.write_bytes(OPENING.pack(magic, version, end, hashlib.sha256(text).digest()) + text + whole[HEADER_END:])
    with pytest.raises(SnapshotError) as caught:
        Snapshot.open(path)
    assert caught.value.code == "damaged-snapshot"
