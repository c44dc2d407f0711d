"""The native look-up parses and answers as Python does, and survives any input."""

from __future__ import annotations

import gc
import pickle
import random
import sys
from array import array
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from withhold import native
from withhold.location import GeoIP, Location
from withhold.location.address import Transition, parse
from withhold.location.database import Database
from withhold.location.location import Evidence
from withhold.location.networks import Networks
from withhold.location.record_place import NO_RECORD, RecordPlace
from withhold.location.table import DEEP, NetworkTable

if not native.AVAILABLE:
    pytest.skip(native.engine_info().why, allow_module_level=True)
addresses: Any = native.addresses

ODD = """
8.8.2056 8.526344 134744072 0x08080808 010.8.8.8 08.8.8.8 8.8.8.00 8.8.8 8.8.8.8. .8.8.8.8 8..8.8 8.8.8.8.8 256.8.8.8
8.8.8.256 8.8.8.1000 8.8.8.8:80 8.8.8.8/32 +8.8.8.8 -8.8.8.8 8.8.8.8%lo 0.0.0.0 255.255.255.255 1.2.3.4a a.b.c.d
: :: ::: :::: ::1 1:: :1 1: ::1: :1:: 1::2 1:::2 1::2::3 ::1::2 :: ::ffff ::10000 ::g ::-1 ::0x1 ::1%lo fe80::1%eth0
1:2:3:4:5:6:7 1:2:3:4:5:6:7: 1:2:3:4:5:6:7:: ::1:2:3:4:5:6:7 1:2:3:4:5:6:7:8 1:2:3:4:5:6:7:8: 1:2:3:4:5:6:7:8::
::1:2:3:4:5:6:7:8 1:2:3:4::5:6:7:8 1:2:3:4:5:6:7:8:9 1:2:3:4::5:6:7 :1:2:3:4:5:6:7:8 01:2:3:4:5:6:7:8 00001:2:3:4:5:6:7:8
::8.8.8.8 ::ffff:8.8.8.8 ::ffff:010.8.8.8 ::ffff:8.8.8 ::ffff:8.8.8.8. ::8.8.8.8:1 ::8.8.8.8:: 8.8.8.8:: 8.8.8.8::1
1:2:3:4:5:6:8.8.8.8 1:2:3:4:5:6:7:8.8.8.8 1:2:3:4:5::8.8.8.8 1:2:3:4:5:6::8.8.8.8 ::1:2:3:4:5:6:8.8.8.8 ::a.8.8.8
::1:2:3:4:5:8.8.8.8 ::0008.8.8.8 ::1234.8.8.8 ::.8.8.8 ::8.8.8.256 ABCD:EF01::aBcD [::1] [::1]:80 2001:DB8::/32
0000:0000:0000:0000:0000:ffff:255.255.255.255 0000:0000:0000:0000:0000:ffff:255.255.255.2555
""".split()  # noqa: SIM905
ODD += [
    "",
    " ",
    " 8.8.8.8",
    "8.8.8.8 ",
    "8.8.8.8\n",
    "8.8.8.8\0",
    "8.8.8\0.8",
    "\0",
    "::1\0",
    "::\0",
    "1:\0:2",
    "::1\n",
]
ODD += ["８.8.8.8", "٨.8.8.8", "8。8。8。8", "::ａ", "::１", "\ud800", "::\udcff", "8.8.8.8\udcff", "é", "８" * 7]
ODD += ["8" * 5000, ":" * 46, "." * 45, "0" * 45, "1:" * 22, "8." * 22, "8.8.8.8" + "\0" * 38]

_LETTERS = st.sampled_from("0123456789abcdefABCDEFgGxX.:%/ -+_\0é")
_GROUP = st.integers(0, 0xFFFF).flatmap(lambda value: st.sampled_from([f"{value:x}", f"{value:X}", f"{value:04x}"]))
_LAST = st.one_of(_GROUP, st.ip_addresses(v=4).map(str))


@st.composite
def spelling(draw: st.DrawFn) -> str:
    """Draw an IPv6 address in any spelling, or a text that is nearly one."""
    groups = [draw(_GROUP) for _ in range(draw(st.integers(0, 8)))]
    if draw(st.booleans()):
        groups.append(draw(_LAST))
    if draw(st.booleans()):
        at = draw(st.integers(0, len(groups)))
        return ":".join(groups[:at]) + "::" + ":".join(groups[at:])
    return ":".join(groups)


VALID = st.one_of(st.ip_addresses().map(str), st.ip_addresses(v=6).map(lambda found: found.exploded), spelling())


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = draw(VALID)
    for _ in range(draw(st.integers(1, 3))):
        at, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
        text = text[:at] + draw(st.text(_LETTERS, max_size=2)) + text[draw(st.sampled_from((at, at + 1, end))) :]
    return text


def assert_parsed_alike(text: str) -> None:
    found = parse(text)
    assert addresses.parse(text) == (None if found is None else tuple(found))


@pytest.mark.parametrize("text", ODD)
def test_odd_notations_are_parsed_as_in_python(text: str) -> None:
    assert_parsed_alike(text)


@settings(max_examples=1000)
@given(st.one_of(VALID, mutated(), st.text(_LETTERS, max_size=48), st.text(st.characters(codec=None), max_size=48)))
def test_any_text_is_parsed_as_in_python(text: str) -> None:
    assert_parsed_alike(text)


def test_all_short_texts_are_parsed_as_in_python() -> None:
    texts = [""]
    for _ in range(5):
        texts = [text + letter for text in texts for letter in ":.1f"] + [""]
        for text in texts:
            assert_parsed_alike(text)
            assert_parsed_alike(f"1:2:3:4:5:{text}")
            assert_parsed_alike(f"8.8.{text}")


class Text(str):
    __slots__ = ()


STRANGE = (None, 8, 8.8, b"8.8.8.8", ["8.8.8.8"], IPv4Address("8.8.8.8"), Text("8.8.8.8"), object(), str)


@pytest.mark.parametrize("thing", STRANGE, ids=lambda thing: type(thing).__name__)
def test_objects_other_than_plain_text_are_left_to_python(thing: object) -> None:
    assert addresses.parse(thing) is None
    lookup = addresses.Lookup(table_of([(4, 0, 0, RecordPlace("GB"))]), Location)
    assert lookup.locate("8.8.8.8", None).country == "GB"
    assert lookup.locate(thing, None) is lookup.country(thing) is None


@pytest.mark.parametrize("letter", ["8", ":", "\0", "é", "\ud800", "\U0001f30d"])
def test_ten_million_characters_are_not_an_address(letter: str) -> None:
    assert addresses.parse(letter * 10_000_000) is None


def table_of(
    leaves: Iterable[tuple[int, int, int, RecordPlace]], hidden: Iterable[tuple[int, int, int]] = ()
) -> NetworkTable:
    return NetworkTable(Networks(leaves), hidden)


def answering(table: NetworkTable, module: Any) -> GeoIP:
    geoip = GeoIP.__new__(GeoIP)
    geoip._database = Database(
        "a.mmdb",
        table.networks,
        table,
        Transition(),
        frozenset((4, 6)),
        native=module and module.Lookup(table, Location),
    )
    return geoip


@st.composite
def cut(draw: st.DrawFn, version: int) -> list[tuple[int, int, int, RecordPlace]]:
    """Draw adjacent networks in order, as in a database: repeated halves around a few addresses."""
    bits = 32 if version == 4 else 128
    inside = draw(st.lists(st.sampled_from(NEAR[version]), min_size=1, max_size=3))
    depth = draw(st.integers(0, bits))
    leaves: list[tuple[int, int, int, RecordPlace]] = []
    ahead = [(0, 0)]
    while ahead:
        first, prefix = ahead.pop()
        if prefix < depth and any(value >> (bits - prefix) == first >> (bits - prefix) for value in inside):
            ahead += [(first + (1 << (bits - prefix - 1)), prefix + 1), (first, prefix + 1)]
        elif draw(st.integers(0, 3)):
            leaves.append((version, first, prefix, RecordPlace(draw(st.sampled_from(["GB", "IN", None])))))
    return leaves


NEAR = {
    4: [0x08080808, 0x080808FF, 0x08090000, 0xFFFFFFFF, 0],
    6: [0x20010DB8 << 96, (0x20010DB8 << 96) | (1 << 64), (0x2A02D500 << 96) | 0xFFFF, (1 << 128) - 1],
}


@settings(max_examples=60)
@given(cut(4), cut(6), st.data())
def test_look_ups_give_the_same_answers_as_python(
    v4: list[tuple[int, int, int, RecordPlace]], v6: list[tuple[int, int, int, RecordPlace]], data: st.DataObject
) -> None:
    near = st.sampled_from([(4, value) for value in NEAR[4]] + [(6, value) for value in NEAR[6]])
    hidden = []
    for version, value in data.draw(st.lists(near, max_size=3)):
        bits = 32 if version == 4 else 128
        rest = bits - data.draw(st.integers(8, bits))
        hidden.append((version, value >> rest << rest, bits - rest))
    table = table_of([*v4, *v6], hidden)
    ours, pure = answering(table, addresses), answering(table, None)
    asked = {(version, value) for version, values in NEAR.items() for value in values}
    for version, first, prefix, _ in (*v4, *v6, *((*found, None) for found in hidden)):
        bits = 32 if version == 4 else 128
        last = first + (1 << (bits - prefix)) - 1
        asked |= {(version, value) for value in (first - 1, first, last, last + 1) if 0 <= value < 1 << bits}
    for version, value in asked:
        text = str(IPv4Address(value) if version == 4 else IPv6Address(value))
        assert ours.country(text) == pure.country(text) == ours.locate(text).country, text
        assert ours.locate(text).evidence == pure.locate(text).evidence


def assert_answered_alike(
    leaves: list[tuple[int, int, int, RecordPlace]], more: Iterable[tuple[int, int]] = ()
) -> None:
    """Assert that both give the same answers for the ends of each network, the addresses beside it, and `more`."""
    table = table_of(leaves)
    ours, pure = answering(table, addresses), answering(table, None)
    asked = {*more, *ENDS}
    for version, first, prefix, _ in leaves:
        bits = 32 if version == 4 else 128
        after = first + (1 << (bits - prefix))
        near = (first - 1, first, after - 1, after)
        asked |= {(version, value) for value in near if 0 <= value < 1 << bits}
    for version, value in asked:
        text = str(IPv4Address(value) if version == 4 else IPv6Address(value))
        assert ours.country(text) == pure.country(text) == ours.locate(text).country, text


ENDS = [(version, value) for version, bits in ((4, 32), (6, 128)) for value in (0, (1 << bits) - 1)]
GB, IN, DE = RecordPlace("GB"), RecordPlace("IN"), RecordPlace("DE")


def beside(
    version: int, first: int, prefix: int, places: Iterable[RecordPlace]
) -> list[tuple[int, int, int, RecordPlace]]:
    step = 1 << ((32 if version == 4 else 128) - prefix)
    return [(version, first + at * step, prefix, place) for at, place in enumerate(places)]


@pytest.mark.parametrize(
    "leaves",
    {
        "no network": [],
        "one network for all": [(4, 0, 0, GB), (6, 0, 0, IN)],
        "one at both ends": [
            (4, 0, 24, GB),
            (4, 0xFFFFFF00, 24, IN),
            (6, 0, 48, GB),
            (6, (1 << 128) - (1 << 80), 48, IN),
        ],
        "single addresses at both ends": [(version, value, 32 if version == 4 else 128, GB) for version, value in ENDS],
        "a /16 that continues the last one": [
            (4, 0x08080000, 16, GB),
            (4, 0x08090000, 16, GB),
            (4, 0x080A0000, 16, IN),
        ],
        "no country between two of the same": beside(4, 0x08080000, 24, [GB, RecordPlace(None), GB]),
        "a different country in each /24": beside(4, 0x08080000, 24, [GB, IN] * 128 + [GB]),
        "the last /24 of a /16": [(4, 0x0808FF00, 24, GB), (4, 0x08090000, 17, IN)],
        "the last /24 of a /16, in parts": [(4, 0x0808FF00, 25, GB), (4, 0x0808FF80, 25, IN), (4, 0x08090000, 24, IN)],
        "two /24s in parts": beside(4, 0x08080000, 26, [GB, IN, DE, GB, IN, IN, GB, GB]),
        "/16s that continue the last one": beside(6, 0x2400 << 112, 16, [GB, GB, IN, IN]),
        "a /12 over many /16s": [(6, 0x2600 << 112, 12, GB), (6, 0x2610 << 112, 16, IN)],
        "the last /24 of a /16 of IPv6": [(6, 0x2400FF << 104, 24, GB), (6, 0x240100 << 104, 24, IN)],
        "the last /48 of a /24": [(6, 0x2400_00FF_FFFF << 80, 48, GB), (6, 0x2400_0100 << 96, 32, IN)],
        "the last /48 of a /24, in parts": [(6, 0x2400_00FF_FFFF_8000 << 64, 49, GB), (6, 0x2400_0100 << 96, 24, IN)],
        "a /128 in the last /48 of a /24": [(6, (0x2400_0100 << 96) - 1, 128, GB), (6, 0x2400_0100 << 96, 48, IN)],
        "a /64 at the beginning of a /48": beside(6, 0x2400_0000_0001 << 80, 64, [GB, GB, IN]),
        "/48s in parts": beside(6, 0x2400_0000_0001 << 80, 50, [GB, IN, DE, GB, IN, IN, GB, GB, DE]),
        **{
            f"{count} /48s of a /24": beside(6, 0x2400_0001 << 96, 48, ([GB, IN] * 50)[:count])
            for count in (14, 15, 16, 17, 31, 32, 33, 100)
        },
    }.items(),
    ids=lambda case: case[0],
)
def test_runs_end_where_their_networks_end(leaves: tuple[str, list[tuple[int, int, int, RecordPlace]]]) -> None:
    assert_answered_alike(leaves[1], [(4, 0x0808FFFF), (6, (0x2400_0100 << 96) - 1), (6, 0x2605 << 112)])


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([(4, 0x08080000, 14, 27), (4, 0xFFF80000, 13, 26), (4, 0, 15, 32)]),
    st.sampled_from(
        [(6, 0x2400 << 112, 22, 34), (6, 0x2400_00FF_FF << 88, 40, 52), (6, (1 << 128) - (1 << 84), 44, 67)]
    ),
    st.integers(0, 1 << 32),
    st.floats(0.6, 0.95),
)
def test_hundreds_of_small_networks_are_found_as_in_python(
    v4: tuple[int, int, int, int], v6: tuple[int, int, int, int], seed: int, odds: float
) -> None:
    """Hundreds of adjacent networks of few countries, so many continue the country of the one before."""
    rng = random.Random(seed)
    leaves: list[tuple[int, int, int, RecordPlace]] = []
    for version, start, top, deepest in (v4, v6):
        bits, ahead, most = 32 if version == 4 else 128, [(start, top)], len(leaves) + 400
        while ahead:
            first, prefix = ahead.pop()
            if prefix < deepest and len(leaves) < most and rng.random() < odds:
                ahead += [(first + (1 << (bits - prefix - 1)), prefix + 1), (first, prefix + 1)]
            elif rng.random() < 0.9:
                leaves.append((version, first, prefix, rng.choice((GB, IN, DE))))
    assert_answered_alike(leaves)


SMALL = table_of(
    [
        (4, 0x08080800, 24, RecordPlace("GB")),
        (4, 0x08080900, 25, RecordPlace("IN")),
        (6, 0x20010DB8 << 96, 32, RecordPlace("DE")),
    ],
    [(4, 0x08080A00, 24)],
)
PARTS = ("codes", "cells4", "index4", "starts4", "codes4", "index6", "starts6", "codes6")


def parts(**other: object) -> SimpleNamespace:
    return SimpleNamespace(**{name: getattr(SMALL, name) for name in PARTS} | other)


def test_a_location_equals_the_one_that_python_makes() -> None:
    ours, pure = answering(SMALL, addresses), answering(SMALL, None)
    for text in ("8.8.8.8", "8.8.9.1", "8.8.9.200", "2001:db8::1", "2001:db9::1", "8.8.10.1", "x"):
        mine, its = ours.locate(text), pure.locate(text)
        assert type(mine) is type(its) is Location
        assert (mine, mine.country, mine._address) == (its, its.country, its._address)
        assert hash(mine) == hash(its)
        assert pickle.loads(pickle.dumps(mine)) == its  # noqa: S301
        assert gc.is_tracked(mine)


def test_a_look_up_holds_no_references_but_those_of_its_location() -> None:
    # New objects, to which nothing else has references.
    text, source, code = ".".join("8888"), Evidence("GB"), "".join("GB")
    lookup = addresses.Lookup(parts(codes=[None, code]), Location)
    assert lookup.country(text) is code

    def counts() -> list[int]:
        return [sys.getrefcount(thing) for thing in (text, source, code)]

    before = counts()
    kept = [lookup.locate(text, source) for _ in range(1000)]
    assert [now - then for now, then in zip(counts(), before, strict=True)] == [1000] * 3
    del kept
    for _ in range(1000):
        lookup.country(text)
        lookup.locate("x", source)
    assert counts() == before


def test_the_buffers_are_held_while_the_look_up_exists() -> None:
    starts4 = array("I", SMALL.starts4)
    lookup = addresses.Lookup(parts(starts4=starts4), Location)
    with pytest.raises(BufferError):
        starts4.append(1)
    assert lookup.country("8.8.8.8") == "GB"
    del lookup
    starts4.append(1)


_WORDS = st.sampled_from([0, 1, 2, 3, 4, 5, 1 << 31, (1 << 32) - 1])


@settings(max_examples=60)
@example([0] * 9, [0], [255], 255)
@example([0, (1 << 32) - 1] * 5, [5, 4], [0], DEEP)
@example([1 << 31, 0], [0, 1, 2], [DEEP, DEEP, 1], DEEP)
@given(
    st.lists(_WORDS, min_size=1, max_size=9),
    st.lists(_WORDS, min_size=1, max_size=9),
    st.lists(st.integers(0, 255), min_size=1, max_size=9),
    st.sampled_from([0, 1, DEEP, 255]),
)
def test_no_table_makes_a_look_up_leave_its_memory(
    words: list[int], starts: list[int], codes: list[int], cell: int
) -> None:
    """With a broken table Python may use an index from the end. The native look-up has no answer then, and Python decides."""
    index = array("I", (words * ((1 << 16) // len(words) + 1))[: (1 << 16) + 1])
    broken = parts(
        cells4=bytes((cell,)) * (1 << 24),
        index4=index,
        starts4=array("I", starts),
        codes4=bytes(codes),
        index6=[index] * (1 << 16),
        starts6=array("Q", starts),
        codes6=bytes(codes),
    )
    lookup = addresses.Lookup(broken, Location)
    for value in (0, 1, 0x08080808, (1 << 32) - 1):
        high = IPv6Address(value << 96)
        assert lookup.country(str(IPv4Address(value))) in (*SMALL.codes, None)
        assert lookup.country(str(high)) in (*SMALL.codes, None)
        assert lookup.country(str(IPv6Address((1 << 128) - 1 - value))) in (*SMALL.codes, None)


@pytest.mark.parametrize(
    "other",
    [
        {"cells4": SMALL.cells4[:-1]},
        {"cells4": memoryview(SMALL.cells4 * 2)[::2]},
        {"index4": SMALL.index4[:-1]},
        {"index4": array("Q", SMALL.index4)},
        {"index4": array("i", SMALL.index4)},
        {"starts4": array("I")},
        {"starts4": memoryview(b"x" * 9)[1:].cast("I")},
        {"starts6": array("I", [0])},
        {"codes4": b""},
        {"codes6": array("I", [0])},
        {"index6": [array("I", [0])] * (1 << 16)},
    ],
    ids=lambda other: next(iter(other)),
)
def test_buffers_of_another_form_are_refused(other: dict[str, object]) -> None:
    addresses.Lookup(parts(), Location)
    with pytest.raises(ValueError, match="not the memory of a table"):
        addresses.Lookup(parts(**other), Location)
    for name in other:
        with pytest.raises(TypeError):
            addresses.Lookup(parts(**{name: 8}), Location)


def test_missing_indexes_mean_no_record() -> None:
    finer = table_of([(6, 0x20010DB8 << 96, 49, RecordPlace("DE"))])
    networks = {name: getattr(finer, name) for name in ("codes", "starts6", "codes6")}
    assert addresses.Lookup(parts(**networks, index6=finer.index6), Location).country("2001:db8::1") == "DE"
    assert addresses.Lookup(parts(**networks, index6=[]), Location).country("2001:db8::1") is None


@pytest.mark.parametrize("starts", [[1, 2, 3], [0, 2, 2], [0, 3, 2]], ids=str)
def test_networks_out_of_order_are_found_by_their_index(starts: list[int]) -> None:
    index: list[array[int] | None] = [None] * (1 << 16)
    index[0] = array("I", [1] * 5 + [2] * ((1 << 16) - 4))
    given = array("Q", [start << 32 for start in starts])
    lookup = addresses.Lookup(parts(index6=index, starts6=given, codes6=bytes((2, 1, 2))), Location)
    assert lookup.country("0:4::") == SMALL.codes[1] == "GB"


class Other(dict[str, object]):
    __slots__ = ("_address", "_country", "_source")


class Named:
    _address = _country = _source = Location.__dict__["_address"]


@pytest.mark.parametrize("cls", [Other, Named], ids=lambda cls: cls.__name__)
def test_only_a_plain_class_with_slots_is_accepted(cls: type) -> None:
    with pytest.raises(TypeError, match="not the slot of a plain class"):
        addresses.Lookup(parts(), cls)


@pytest.mark.parametrize("arguments", [(), (1,), (1, 2), (SMALL, None), (SMALL, object), (None, Location)])
def test_a_look_up_cannot_be_made_from_wrong_arguments(arguments: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, AttributeError, KeyError)):
        addresses.Lookup(*arguments)


def test_threads_share_a_look_up() -> None:
    geoip = answering(SMALL, addresses)
    texts = ["8.8.8.8", "8.8.9.1", "2001:db8::1", "9.9.9.9", "x"] * 2000
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: [geoip.locate(text).country for text in texts], range(4)))
    assert found == [["GB", "IN", "DE", None, None] * 2000] * 4


def test_a_database_without_a_native_look_up_uses_python() -> None:
    geoip = answering(SMALL, addresses)
    geoip._database = replace(geoip._database, native=None)
    assert geoip.locate("8.8.8.8").country == geoip.country("8.8.8.8") == "GB"
    assert NO_RECORD.country is geoip.locate("8.8.10.1").country is None
