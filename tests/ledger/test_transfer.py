"""An export is read back as it was written, and any change of it is found."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any, cast

import pytest

from tests.ledger.material import WHO, Balances, added, codes, run_sql
from tests.ledger.test_verification import fill
from withhold.ledger import EMPTY, Ledger, LedgerError, NewEvent, export, import_, verify
from withhold.ledger.replay import Replay
from withhold.ledger.transfer import _record


def exported(ledger):
    stream = BytesIO()
    assert export(ledger, stream) == ledger.head
    return stream.getvalue()


@pytest.fixture
def empty(tmp_path):
    with Ledger.open(f"sqlite:///{tmp_path}/copy.db", [Balances()], create=True) as opened:
        yield opened


def test_a_ledger_is_moved_to_another_database_with_its_states(ledger, empty):
    heads = fill(ledger)
    ledger.append([NewEvent("added", {"name": "\u2028\x85\r\v\x1c नमस्ते", "amount": -(2**63), "more": "\0"})], **WHO)
    written = exported(ledger)
    assert import_(empty, BytesIO(written)) == ledger.head
    assert list(empty.events()) == list(ledger.events())
    assert sorted(empty.states("balance")) == sorted(ledger.states("balance"))
    assert verify(empty, heads[2]).states == 4
    assert exported(empty) == written
    # It is used like the first one: keys that were used are known, and the chain goes on.
    assert empty.append([added("a", 2), added("b", note='x,"}\\')], **WHO, key="k-1") == heads[2]
    assert empty.append([added("a")], **WHO).sequence == 8


def test_an_export_is_canonical_lines_and_an_end(ledger):
    fill(ledger)
    *lines, end, nothing = exported(ledger).split(b"\n")
    assert (len(lines), nothing) == (6, b"")
    assert json.loads(end) == {"events": 6, "head": ledger.head.hash}
    for line, event in zip(lines, ledger.events(), strict=True):
        assert json.loads(line) == event._asdict()
        assert line == json.dumps(event._asdict(), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def test_an_empty_ledger_is_one_line(ledger, empty):
    written = exported(ledger)
    assert written == b'{"events":0,"head":"%s"}\n' % EMPTY.hash.encode()
    assert import_(empty, BytesIO(written)) == EMPTY


def test_a_ledger_that_has_events_is_not_imported_into(ledger, empty):
    fill(ledger)
    written = exported(ledger)
    head = empty.append([added("z")], **WHO)
    with pytest.raises(LedgerError, match="ledger-not-empty"):
        import_(empty, BytesIO(written))
    assert (empty.head, verify(empty).states) == (head, 1)


def test_a_ledger_of_other_folds_is_not_imported_into(ledger, empty, tmp_path):
    fill(ledger)
    with Ledger.open(f"sqlite:///{tmp_path}/copy.db") as without:
        with pytest.raises(LedgerError, match="projection-outdated"):
            import_(without, BytesIO(exported(ledger)))
        assert without.head == EMPTY


class _NoDatabase:
    def execute(self, *_):
        pass


def problems(text):
    """Return the problems of an export, without a database."""
    return list(_record(cast("Any", _NoDatabase()), BytesIO(text), Replay([Balances()])))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    with Ledger.open(f"sqlite:///{tmp_path_factory.mktemp('small')}/orders.db", create=True) as ledger:
        ledger.append([NewEvent("added", {"name": "é", "amount": 10, "more": [None, True, "a\\\n"]})], **WHO, key="k")
        ledger.append([added("b")], **WHO, history="on paper")
        return exported(ledger)


def test_every_bit_that_is_flipped_is_found(small):
    assert problems(small) == []
    for place in range(len(small)):
        for bit in range(8):
            flipped = bytearray(small)
            flipped[place] ^= 1 << bit
            assert problems(bytes(flipped)), (place, bit)


def test_every_truncation_insertion_and_deletion_of_a_byte_is_found(small):
    for place in range(len(small)):
        for changed in (small[:place], small[:place] + small[place + 1 :], small[place:]):
            assert (changed == small) or problems(changed), place
        for byte in (b"\n", b" ", b"\r", b"0", b"}"):
            assert problems(small[:place] + byte + small[place:]), place
    for more in (b"\n", b" ", b"x", b"{}\n", b"\0", small):
        assert problems(small + more)


def test_every_line_that_is_removed_repeated_or_moved_is_found(ledger):
    fill(ledger)
    lines = exported(ledger).splitlines(keepends=True)
    for place in range(len(lines)):
        rest = lines[:place] + lines[place + 1 :]
        assert problems(b"".join(rest))
        for other in range(len(lines)):
            moved = [*rest[:other], lines[place], *rest[other:]]
            assert moved == lines or problems(b"".join(moved))
            assert problems(b"".join([*lines[:other], lines[place], *lines[other:]]))


REWRITTEN = {
    "lines of Windows": lambda text: text.replace(b"\n", b"\r\n"),
    "no last line feed": lambda text: text.rstrip(b"\n"),
    "a byte order mark": lambda text: b"\xef\xbb\xbf" + text,
    "capital digits": lambda text: text.upper(),
    "spaces": lambda text: text.replace(b":", b": "),
    "escapes": lambda text: text.replace("é".encode(), b"\\u00e9"),
    "half a surrogate pair": lambda text: text.replace("é".encode(), b"\\ud800"),
    "another form of a letter": lambda text: text.replace("é".encode(), "e\u0301".encode()),
    "latin-1": lambda text: text.decode().encode("latin-1"),
    "utf-16": lambda text: text.decode().encode("utf-16"),
    "a float": lambda text: text.replace(b":10,", b":10.0,"),
    "a negative zero": lambda text: text.replace(b":10,", b":-0,"),
    "a huge number": lambda text: text.replace(b":10,", b":" + b"9" * 5000 + b","),
    "too many levels": lambda text: text.replace(b":10,", b":" + b"[" * 9999 + b"]" * 9999 + b","),
    "another order of keys": lambda text: text.replace(b'"amount":10,', b"").replace(
        '"é"'.encode(), '"é","amount":10'.encode()
    ),
    "a key twice": lambda text: text.replace(b'"amount":10,', b'"amount":10,"amount":10,'),
    "another field": lambda text: text.replace(b'{"actor"', b'{"a":1,"actor"'),
    "no field": lambda text: text.replace(b'"history":null,', b""),
    "a list as data": lambda text: text.replace(b'{"amount":1,"name":"b"}', b"[]"),
    "no data": lambda text: text.replace(b'{"amount":1,"name":"b"}', b"null"),
    "a number as text": lambda text: text.replace(b'"sequence":1', b'"sequence":"1"'),
    "true as a number": lambda text: text.replace(b'"sequence":1', b'"sequence":true'),
    "an actor that is no text": lambda text: text.replace(b'"asha"', b"7"),
    "nothing": lambda _: b"",
    "only the end": lambda text: text[text.rindex(b'{"events"') :],
    "the end of an empty ledger": lambda text: (
        text[: text.rindex(b'{"events"')] + b'{"events":0,"head":"%s"}\n' % (b"0" * 64)
    ),
}


@pytest.mark.parametrize("rewritten", REWRITTEN)
def test_an_export_that_was_written_again_by_something_else_is_refused(rewritten, small, empty):
    changed = REWRITTEN[rewritten](small)
    assert changed != small
    with pytest.raises(LedgerError) as raised:
        import_(empty, BytesIO(changed))
    assert set(codes(raised.value)) <= {"bad-export", "event-changed", "event-missing"}
    assert (empty.head, list(empty.states("balance"))) == (EMPTY, [])


def test_an_import_that_is_refused_late_records_nothing(ledger, empty, monkeypatch):
    monkeypatch.setattr("withhold.ledger.transfer.PAGE", 2)
    fill(ledger)
    lines = exported(ledger).splitlines(keepends=True)
    for broken in (lines[:-1], [*lines, b"x"], [*lines[:5], *lines[6:]], [*lines[:3], b"{}\n", *lines[4:]]):
        with pytest.raises(LedgerError):
            import_(empty, broken)
        assert (empty.head, list(empty.states("balance"))) == (EMPTY, [])
    assert import_(empty, lines) == ledger.head


def test_all_problems_are_reported_with_their_lines(ledger, empty):
    fill(ledger)
    lines = exported(ledger).splitlines(keepends=True)
    lines[1] = lines[1].replace(b"asha", b"ravi")
    lines[4] = b"x\n"
    with pytest.raises(LedgerError) as raised:
        import_(empty, lines)
    found = [(problem.code, problem.place) for problem in raised.value.problems]
    assert found == [("event-changed", "line 2"), ("bad-export", "line 5"), ("event-missing", "line 6")]


def test_values_that_no_command_records_are_not_imported(ledger, empty):
    """Their hashes are right: somebody made the chain again."""
    from withhold.ledger.event import Row, hash_of, line

    data = f'{{"amount":{2**63},"name":"a"}}'
    row = Row(1, "a", "t", "2021-02-01T09:00:00.000000Z", "added", data, None, None, None, EMPTY.hash, "")
    row = row._replace(hash=hash_of(row))
    end = b'{"events":1,"head":"%s"}' % row.hash.encode()
    with pytest.raises(LedgerError, match="exceeds 64 bits"):
        import_(empty, [line(row).encode() + b"\n", end + b"\n"])
    assert empty.head == EMPTY


def test_a_damaged_ledger_can_be_exported_and_the_export_shows_where(ledger, url, empty):
    fill(ledger)
    run_sql(
        url,
        *(f"DROP TRIGGER {name}" for name in _triggers(url)),
        "UPDATE ledger_events SET actor = 'x' WHERE sequence = 4",
    )
    with Ledger.open(url, [Balances()], read_only=True) as opened:
        written = exported(opened)
    with pytest.raises(LedgerError, match=r"line 4: .*event-changed"):
        import_(empty, BytesIO(written))


def _triggers(url):
    if url.startswith("sqlite"):
        return ["ledger_events_update"]
    return ["ledger_events_change ON ledger_events"]
