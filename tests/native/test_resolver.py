"""Requests are answered in C as in Python, and no input makes the code in C leave its memory.

`tests/location/test_fast_path.py` compares the answers.
"""

from __future__ import annotations

import gc
import sys
from array import array
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from withhold import Viewer, native
from withhold.location import CDNS, TrustedProxies
from withhold.location.address import parse
from withhold.location.headers import Lines
from withhold.location.networks import Networks
from withhold.location.record_place import RecordPlace
from withhold.location.table import DEEP, NetworkTable

if not native.AVAILABLE:
    pytest.skip(native.engine_info().why, allow_module_level=True)
resolver: Any = native.resolver

ODD = """
8.8.2056 8.526344 134744072 0x08080808 010.8.8.8 08.8.8.8 8.8.8.00 8.8.8 8.8.8.8. .8.8.8.8 8..8.8 8.8.8.8.8 256.8.8.8
8.8.8.256 8.8.8.1000 8.8.8.8:80 8.8.8.8/32 +8.8.8.8 -8.8.8.8 8.8.8.8%lo 0.0.0.0 255.255.255.255 1.2.3.4a a.b.c.d ::1
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
    "８.8.8.8",
    "٨.8.8.8",
    "\ud800",
    "8" * 5000,
]

TABLE = NetworkTable(
    Networks([(4, 0x08080800, 24, RecordPlace("GB")), (4, 0x08080900, 25, RecordPlace("IN"))]), [(4, 0x08080A00, 24)]
)
KEYS: Any = {code: Viewer(country=code).location_key for code in ("GB", "IN")}
CHAIN = (b"x-forwarded-for", b"8.8.8.8")


def path(table: object = TABLE, **other: Any) -> Any:
    """Return what a path in C is made from."""
    places = [None, KEYS["GB"], KEYS["IN"]]
    given = {
        "proxies": TrustedProxies(["10.0.0.0/8"]),
        "cdn": CDNS["cloudflare"],
        "database": SimpleNamespace(table=table),
        "cdn_first": True,
        "peers": {"unix:"},
        "cdn_keys": {("IN", None): KEYS["IN"]},
        "text": "text".join,
        "single": False,
        "by_country": True,
        "keys_by_code": places,
        "keys_by_number": places,
    }
    return SimpleNamespace(**given | other)


def table_of(**other: Any) -> Any:
    """Return a table with other memory."""
    run = {name: other.pop(name, getattr(TABLE.networks.v4, name)) for name in ("starts", "numbers", "prefixes")}
    memory = {name: other.get(name, getattr(TABLE, name)) for name in ("cells4", "index4")}
    return SimpleNamespace(**memory, networks=SimpleNamespace(v4=SimpleNamespace(**run)))


@pytest.mark.parametrize("text", ODD)
def test_odd_notations_are_parsed_as_in_python(text: str) -> None:
    wanted = parse(text)
    assert resolver.parse(text) == (wanted.value if wanted is not None and wanted.version == 4 else None)


@settings(max_examples=500)
@given(
    st.lists(st.sampled_from(["0", "1", "9", "10", "25", "255", "256", "00", ".", "", " ", "a"]), max_size=9).map(
        "".join
    )
    | st.ip_addresses(v=4).map(str)
    | st.from_regex(r"\A[0-9.]{7,15}\Z")
)
def test_any_text_is_parsed_as_in_python(text: str) -> None:
    wanted = parse(text)
    assert resolver.parse(text) == (wanted.value if wanted else None)
    assert resolver.parse(text.encode()) == resolver.parse(text)


@pytest.mark.parametrize("peer", ["10.0.0.1", "unix:", "8.8.8.8"])
@pytest.mark.parametrize("headers", [[CHAIN], (CHAIN,), dict([CHAIN]), [("X-Forwarded-For", "1.1.1.1,\t8.8.8.8 ")]])
@pytest.mark.parametrize("account", [None, 7])
def test_usual_requests_are_answered_in_c(peer: str, headers: Any, account: int | None) -> None:
    """Otherwise Python would answer, and nobody would notice."""
    viewer = resolver.FastPath(path(), Viewer).viewer(peer, headers, account, None)
    assert type(viewer) is Viewer
    assert gc.is_tracked(viewer)
    assert (viewer.location_key, viewer.account_id) == (("GB", ()), account)
    assert isinstance(viewer._source, tuple)
    assert viewer._source[1:] == (4, 0x08080800, -1, None, None, None)


def test_a_place_in_a_smaller_network_is_kept_by_its_number() -> None:
    found = resolver.FastPath(path(), Viewer)
    viewer = found.viewer("10.0.0.1", [(b"x-forwarded-for", b"8.8.9.77"), ("cf-ipcountry", "IN")], None, "FR")
    assert viewer.location_key is KEYS["IN"]
    assert viewer._source[1:] == (4, 0x08080900, 2, "IN", None, "FR")
    assert found.viewer("10.0.0.1", [(b"x-forwarded-for", b"8.8.9.200")], None, None) is None  # no record
    assert found.viewer("10.0.0.1", [(b"x-forwarded-for", b"8.8.10.1")], None, None) is None  # elsewhere


@pytest.mark.parametrize(
    "headers",
    [
        *(
            [CHAIN, CHAIN],
            [CHAIN, (b"a", 5)],
            [CHAIN, (5, b"a")],
            [CHAIN, (b"a",)],
            [CHAIN, [b"a", b"b"]],
            [CHAIN, None],
            [CHAIN, "ab"],
        ),
        *(
            [CHAIN, (b"x:", b"")],
            [CHAIN, (b" x", b"")],
            [CHAIN, ("\u212a", "")],
            [CHAIN, (b"Http_x", b"")],
            [CHAIN, (b"\xa0x", b"")],
        ),
        *(
            [(b"host", b"")],
            [],
            None,
            iter([CHAIN]),
            "text",
            {b"x-forwarded-for": [b"8.8.8.8"]},
            [(CHAIN[0], b"10.1.1.1, 10.0.0.1")],
        ),
        *(
            [(CHAIN[0], value)]
            for value in (b"", b",", b"8.8.8.8,", b"8.8.8.8:80", b"::1", b"240.0.0.1", b"\0", b"9" * 99_999, "é")
        ),
        *(
            [CHAIN, (b"cf-ipcountry", b"IN"), (b"CF-IPCountry", b"IN")],
            [CHAIN, (b"cf-region-code", b""), (b"cf-region-code", b"")],
        ),
    ],
)
def test_other_requests_are_left_to_python(headers: Any) -> None:
    assert resolver.FastPath(path(), Viewer).viewer("10.0.0.1", headers, None, None) is None


@pytest.mark.parametrize(
    "given", [("localhost", None, None), ("10.0.0.1", True, None), ("10.0.0.1", 0, None), ("10.0.0.1", None, 5)]
)
def test_other_arguments_are_left_to_python(given: tuple[Any, Any, Any]) -> None:
    peer, account, place = given
    assert resolver.FastPath(path(), Viewer).viewer(peer, [CHAIN], account, place) is None


def test_the_hops_are_counted() -> None:
    few = resolver.FastPath(path(proxies=TrustedProxies(["10.0.0.0/8"], max_hops=2)), Viewer)
    assert few.viewer("10.0.0.1", [(CHAIN[0], b"8.8.8.8, 10.0.0.2")], None, None).country == "GB"
    assert few.viewer("10.0.0.1", [(CHAIN[0], b"8.8.8.8, 10.0.0.3, 10.0.0.2")], None, None) is None


def test_a_viewer_holds_no_references_but_its_own() -> None:
    # New objects, to which nothing else has references.
    text, key, account = "text".join, tuple("GB"), int("1" * 18)
    found = resolver.FastPath(path(text=text, keys_by_code=[None, key]), Viewer)
    pair = (b"x-forwarded-for", b"".join([b"8.8.8", b".8"]))

    def counts() -> list[int]:
        return [sys.getrefcount(thing) for thing in (text, key, account, *pair)]

    before = counts()
    kept = [found.viewer("10.0.0.1", [pair], account, None) for _ in range(1000)]
    assert [now - then for now, then in zip(counts(), before, strict=True)] == [1000, 1000, 1000, 0, 0]
    del kept
    for _ in range(1000):
        found.viewer("10.0.0.1", [pair, pair], account, None)
        found.viewer("localhost", [pair], account, None)
    assert counts() == before


_WORDS = st.sampled_from([0, 1, 2, 3, 4, 5, 1 << 31, (1 << 32) - 1])


@settings(max_examples=60)
@example([0] * 9, [0], [255], 255)
@example([0, (1 << 32) - 1] * 5, [5, 4], [0], DEEP)
@example([1 << 31, 0], [0, 1, 2], [DEEP, DEEP, 1], DEEP)
@given(
    st.lists(_WORDS, min_size=1, max_size=9),
    st.lists(_WORDS, min_size=1, max_size=9),
    st.lists(_WORDS, min_size=1, max_size=9),
    st.sampled_from([0, 1, 3, DEEP, 255]),
)
def test_no_table_makes_a_look_up_leave_its_memory(
    words: list[int], starts: list[int], numbers: list[int], cell: int
) -> None:
    index = array("I", (words * ((1 << 16) // len(words) + 1))[: (1 << 16) + 1])
    broken = table_of(
        cells4=bytes((cell,)) * (1 << 24),
        index4=index,
        starts=array("I", starts),
        numbers=array("I", numbers),
        prefixes=bytearray(25),
    )
    for by_country in (True, False):
        found = resolver.FastPath(path(broken, by_country=by_country), Viewer)
        for value in (0, 1, 0x08080808, 0xEFFFFFFF):
            viewer = found.viewer("10.0.0.1", [(CHAIN[0], str(IPv4Address(value)))], None, None)
            assert viewer is None or viewer.country in ("GB", "IN")


@pytest.mark.parametrize(
    "other",
    [
        {"cells4": TABLE.cells4[:-1]},
        {"cells4": memoryview(TABLE.cells4 * 2)[::2]},
        {"index4": TABLE.index4[:-1]},
        {"index4": array("Q", TABLE.index4)},
        {"starts": array("I")},
        {"starts": memoryview(b"x" * 9)[1:].cast("I")},
        {"numbers": array("i", [0])},
        {"prefixes": b""},
    ],
    ids=lambda other: next(iter(other)),
)
def test_memory_of_another_form_is_refused(other: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not the memory of a table"):
        resolver.FastPath(path(table_of(**other)), Viewer)


def test_the_memory_is_held_while_the_path_exists() -> None:
    starts = array("I", TABLE.networks.v4.starts)
    found = resolver.FastPath(path(table_of(starts=starts)), Viewer)
    with pytest.raises(BufferError):
        starts.append(1)
    del found
    starts.append(1)


@pytest.mark.parametrize("cls", [object, type("Other", (dict,), {"__slots__": Viewer.__slots__})])
def test_only_a_plain_class_with_slots_is_accepted(cls: type) -> None:
    with pytest.raises((TypeError, KeyError)):
        resolver.FastPath(path(), cls)


def test_threads_share_a_path() -> None:
    found = resolver.FastPath(path(), Viewer)
    peers = ["8.8.8.8", "8.8.9.1"] * 2000
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: [found.viewer(peer, [CHAIN], 7, None).country for peer in peers], range(4)))
    assert answers == [["GB", "IN"] * 2000] * 4


# Some names differ in their case, look like variables of an environ, or are not names of headers.
NAMES = st.sampled_from(
    [
        "x-a",
        "X-A",
        "Host",
        "cookie",
        "http_host",
        "HTTP_X_A",
        "http",
        "HTTP-x",
        "ht_p_x-a",
        "x-a:",
        "-x",
        "\tx-a",
        "x\xa0",
        "\xa0x-a",
        "\x1fx-a",
        "İ-x",
        "REMOTE_ADDR",
        "x_a",
    ]
) | st.text(max_size=5)
VALUES = st.sampled_from(["a", "ä", b"a", b"\xff", None, ["a", "b"], 5]) | st.text(max_size=3)


@settings(deadline=None)
@given(
    st.lists(st.tuples(NAMES | NAMES.map(lambda name: name.encode("latin-1", "replace")), VALUES)),
    st.sampled_from([list, tuple]),
)
def test_header_lines_are_read_as_in_python(pairs: list[Any], kind: Any) -> None:
    found = resolver.lines(kind(pairs))
    if found is not None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(native, "AVAILABLE", False)
            wanted = Lines.of(kind(pairs))
        assert [*found] == wanted.names()
        assert all(Lines(((name, value) for value in found[name]), str).get(name) == wanted.get(name) for name in found)
        assert wanted.names() == Lines.of(kind(pairs)).names()
        assert not wanted.get("HTTP_X_A")


def test_header_lines_in_other_forms_are_left_to_python() -> None:
    usual: list[Any] = [(b"x-a", b"1"), ("X-A", "2"), ("host", b"h")]
    assert resolver.lines(usual) == resolver.lines(tuple(usual)) == {"x-a": [b"1", "2"], "host": [b"h"]}
    for odd in (("a", "b", "c"), ["a", "b"], "ab", None, ("x-b", 1), (1, "x-b"), ("x-b:", "1"), ("HTTP_X_B", "1")):
        assert resolver.lines([*usual, odd]) is None
    assert resolver.lines([("host", "h")]) is resolver.lines(iter(usual)) is None
    assert resolver.lines([]) == resolver.lines(()) == {}
