"""Headers in every form in which servers and frameworks pass them: they are understood, or the call raises `TypeError`."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from email import message_from_bytes, policy
from http.client import parse_headers
from wsgiref.headers import Headers as WsgirefHeaders

import pytest
import requests.structures
import starlette.datastructures
import starlette.requests
import tornado.httputil
import urllib3
import werkzeug.datastructures
import werkzeug.wrappers
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from withhold.errors import ProxyError
from withhold.location import CDN, CDNS, Resolver, TrustedProxies
from withhold.location.headers import Headers

PEER, P, S = "10.0.0.5", "81.2.69.142", "1.1.1.1"
TRUSTED = TrustedProxies(["10.0.0.0/8"])
Pairs = list[tuple[str, str]]


def on_the_wire(pairs: Pairs) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in pairs).encode("latin-1") + b"\r\n"


def in_bytes(pairs: Pairs) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs]


def joined(pairs: Pairs, spelled: Callable[[str], str] = str) -> dict[str, str]:
    """Return a mapping in which repeated lines are joined, as many servers do."""
    found: dict[str, str] = {}
    for name, value in pairs:
        key = spelled(name)
        found[key] = f"{found[key]},{value}" if key in found else value
    return found


def listed(pairs: Pairs) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name.lower(), []).append(value)
    return found


def wsgi(pairs: Pairs) -> dict[str, object]:
    """Return an environ as `wsgiref` makes it, with variables of the operating system."""
    return {
        "HOST": "a-shell-sets-it",
        "REQUEST_METHOD": "GET",
        "REMOTE_ADDR": PEER,
        "wsgi.version": (1, 0),
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        **joined(pairs, lambda name: "HTTP_" + name.upper().replace("-", "_")),
    }


def meta_of_asgi(pairs: Pairs) -> dict[str, object]:
    """Return `request.META` as Django makes it on an ASGI server."""
    environ = wsgi(pairs)
    return {key: value for key, value in environ.items() if key.isupper() and key != "HOST"} | {
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
    }


def bare_environ(pairs: Pairs) -> dict[str, object]:
    return {key: value for key, value in wsgi(pairs).items() if key.startswith("HTTP_") or key == "REMOTE_ADDR"}


def urllib3_headers(pairs: Pairs) -> urllib3.HTTPHeaderDict:
    made = urllib3.HTTPHeaderDict()
    for name, value in pairs:
        made.add(name, value)
    return made


class DjangoHeaders(Mapping[str, str]):
    """Like `django.http.HttpHeaders`: made from an environ, names in title case, look-up in any case."""

    def __init__(self, pairs: Pairs) -> None:
        self._store = {name.lower(): (name.title(), value) for name, value in joined(pairs, str.lower).items()}

    def __getitem__(self, key: str) -> str:
        return self._store[key.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._store.values())

    def __len__(self) -> int:
        return len(self._store)


class MultiValueDict(dict[str, list[str]]):
    """Like Django's: `items` has the last value of a key only, `lists` has all."""

    def __getitem__(self, key: str) -> str:  # type: ignore[override]
        return super().__getitem__(key)[-1]

    def items(self) -> Iterator[tuple[str, str]]:  # type: ignore[override]
        return ((key, self[key]) for key in self)

    def lists(self) -> Iterable[tuple[str, list[str]]]:
        return dict.items(self)


class HttpxHeaders(DjangoHeaders):
    """Like httpx's, whose `items` joins repeated lines too."""

    def __init__(self, pairs: Pairs) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def multi_items(self) -> Pairs:
        return self._pairs


CARRIERS: dict[str, Callable[[Pairs], object]] = {
    "pairs": list,
    "pairs in a tuple": tuple,
    "an iterator": iter,
    "pairs that are lists": lambda pairs: [list(pair) for pair in pairs],
    "items of a dict": lambda pairs: joined(pairs).items(),
    "ASGI": in_bytes,
    "h11, hypercorn": lambda pairs: tuple(in_bytes(pairs)),
    "a dict": joined,
    "a dict of bytes": lambda pairs: dict(in_bytes([*joined(pairs, str.lower).items()])),
    "a dict of lists (cloud functions)": listed,
    "a dict of tuples": lambda pairs: {name: tuple(values) for name, values in listed(pairs).items()},
    "a dict with None for what is missing": lambda pairs: {**joined(pairs), "X-Absent": None},
    "Falcon": lambda pairs: joined(pairs, str.upper),
    "WSGI": wsgi,
    "Django's META in ASGI": meta_of_asgi,
    "an environ of text": bare_environ,
    "pairs of an environ of text": lambda pairs: list(bare_environ(pairs).items()),
    "web2py": lambda pairs: {key.lower(): value for key, value in bare_environ(pairs).items()},
    "http.server": lambda pairs: parse_headers(io.BytesIO(on_the_wire(pairs))),
    "email": lambda pairs: message_from_bytes(on_the_wire(pairs)),
    "email, today's policy": lambda pairs: message_from_bytes(on_the_wire(pairs), policy=policy.HTTP),
    "wsgiref": lambda pairs: WsgirefHeaders(list(pairs)),
    "Django": DjangoHeaders,
    "Django's multi-valued dictionary": lambda pairs: MultiValueDict(listed(pairs)),
    "httpx": HttpxHeaders,
    "werkzeug": lambda pairs: werkzeug.datastructures.Headers(list(pairs)),
    "werkzeug, Flask": lambda pairs: werkzeug.datastructures.EnvironHeaders(wsgi(pairs)),
    "werkzeug's multi-valued dictionary": lambda pairs: werkzeug.datastructures.MultiDict(list(pairs)),
    "Starlette": lambda pairs: starlette.datastructures.Headers(raw=in_bytes(pairs)),
    "Starlette, mutable": lambda pairs: starlette.datastructures.MutableHeaders(raw=in_bytes(pairs)),
    "Tornado": lambda pairs: tornado.httputil.HTTPHeaders.parse(on_the_wire(pairs).decode("latin-1").rstrip("\r\n")),
    "aiohttp": lambda pairs: CIMultiDictProxy(CIMultiDict(pairs)),
    "requests": lambda pairs: requests.structures.CaseInsensitiveDict(joined(pairs, str.lower)),
    "urllib3": urllib3_headers,
}

#: Names of headers that a viewer may send to make the headers look like another form.
FORGED_NAMES = st.sampled_from(
    [
        *(
            "HTTP_X_FORWARDED_FOR",
            "http_x_forwarded_for",
            "X_Forwarded_For",
            "REQUEST_METHOD",
            "REMOTE_ADDR",
            "Headers",
        ),
        *("wsgi.version", "wsgi.multithread", "wsgi.input", "asgi", "type", "Forwarded", "X-Forwarded-Fo", "HOST-"),
    ]
)
FORGED = st.lists(st.tuples(FORGED_NAMES, st.sampled_from([S, "1", "GET", "http", "(1, 0)", "a=b"])), max_size=4)
HOPS = st.lists(st.sampled_from([S, "2001:db8::1", "unknown", "_x", "garbage"]), max_size=3)


@given(st.sampled_from(sorted(CARRIERS)), FORGED, HOPS, st.sampled_from(["X-Forwarded-For", "x-forwarded-for"]))
def test_d7_and_d8_every_form_is_read_and_none_is_mistaken_for_another(
    name: str, forged: Pairs, hops: list[str], spelled: str
) -> None:
    if "environ" in name or name in ("WSGI", "Django's META in ASGI", "web2py", "werkzeug, Flask"):
        # Servers write these, and no header can reach a variable of another name.
        forged = [(key, value) for key, value in forged if "_" not in key and "." not in key]
    pairs = [("Host", "a.example"), *forged, *((spelled, hop) for hop in [*hops, P]), ("Accept", "*/*")]
    assert TRUSTED.client(PEER, CARRIERS[name](pairs)) == P  # type: ignore[arg-type]


@pytest.mark.parametrize("name", CARRIERS)
def test_every_line_of_a_repeated_header_is_seen(name: str) -> None:
    pairs = [
        ("Host", "a"),
        ("X-Forwarded-For", S),
        ("Accept", "*/*"),
        ("X-Forwarded-For", P),
        ("X-Forwarded-For", PEER),
    ]
    assert TRUSTED.client(PEER, CARRIERS[name](pairs)) == P  # type: ignore[arg-type]
    # A header with a single value must not have two lines.
    twice = [("Host", "a"), ("CF-IPCountry", "KE"), ("CF-IPCountry", "KE"), ("CF-Connecting-IP", S)] * 2
    found = CDNS["cloudflare"].read(CARRIERS[name](twice))  # type: ignore[arg-type]
    assert found is not None
    assert found.country is None
    single = TrustedProxies(["10.0.0.0/8"], header="cf-connecting-ip")
    assert single.client(PEER, CARRIERS[name](twice)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("name", CARRIERS)
def test_the_headers_of_a_cdn_are_read_in_every_form(name: str) -> None:
    pairs = [("Host", "a"), ("CF-IPCountry", "GB"), ("CF-Region-Code", "ENG"), ("X-Forwarded-For", P)]
    resolver = Resolver(proxies=TRUSTED, cdn="cloudflare")
    viewer = resolver.viewer(PEER, CARRIERS[name](pairs))  # type: ignore[arg-type]
    assert viewer.location_key == ("GB", ("GB-ENG",))


def test_d7_the_variables_of_a_cgi_program_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_X_FORWARDED_FOR", P)
    assert TRUSTED.client(PEER, os.environ) == P


def test_d8_there_may_be_no_headers() -> None:
    nothings: list[Headers] = [None, {}, [], ()]
    for nothing in nothings:
        assert TRUSTED.client(PEER, nothing) is None
        assert TRUSTED.client(P, nothing) == P


SCOPE = {"type": "http", "asgi": {"version": "3.0"}, "method": "GET", "path": "/", "headers": in_bytes([("Host", "a")])}


class Request:
    """Like the requests of aiohttp, Falcon, Tornado and others."""

    headers: Mapping[str, str] = {"X-Forwarded-For": P}


@pytest.mark.parametrize(
    "wrong",
    [
        SCOPE,
        {**SCOPE, "headers": []},
        starlette.requests.Request(SCOPE),
        werkzeug.wrappers.Request(wsgi([])),
        Request(),
        {"version": "2.0", "headers": {"x-forwarded-for": P}, "requestContext": {}},
        *("X-Forwarded-For: 81.2.69.142", b"x", bytearray(b"x"), 7, object(), ["X-Forwarded-For: 81.2.69.142"]),
        *([("X-Forwarded-For", P, True)], {"X-Forwarded-For": 7}, {1: "a"}, [("X-Forwarded-For", object())], {"ab"}),
        *({"type": "http", "headers": []}, {"headers": ()}, {"raw_headers": "X-Forwarded-For: 81.2.69.142"}),
        *({"X_FORWARDED_FOR": P}, {"host": "a", "x_forwarded_for": P}, {"Host": "a", "CF_Connecting_IP": P}),
        *([("X-Forwarded-For:", P)], [(" X-Forwarded-For", P)], [(b"x-forwarded-for:", b"a")]),
        *({**os.environ, "REQUEST_METHOD": "GET", "HTTP_X_FORWARDED_FOR": P, "HOST": "box"},),
        *({**bare_environ([("X-Forwarded-For", P)]), name: "a"} for name in ("HOST", "VIA", "TE", "my-variable")),
        *([("X-Forwarded-For", [1])], {"X-Forwarded-For": {"a": P}}, [(7, "a")], list(wsgi([]).items())),
    ],
    ids=lambda wrong: f"{type(wrong).__name__}",
)
@pytest.mark.parametrize("peer", [PEER, P])
def test_d7_any_other_form_is_a_type_error_that_lists_what_to_pass(wrong: object, peer: str) -> None:
    resolver = Resolver(proxies=TRUSTED, cdn="cloudflare")
    for call in (TRUSTED.client, TRUSTED.trace, resolver.resolve, resolver.viewer):
        with pytest.raises(TypeError, match=r"\[bad-headers\]; pass `request.headers`.*`request.META`"):
            call(peer, wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="bad-headers"):
        CDNS["cloudflare"].read(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["Host", "host", "X-Forwarded-For", "X-FORWARDED-FOR", "Forwarded", "FORWARDED"])
@pytest.mark.parametrize("forged", ["HTTP_X_FORWARDED_FOR", "X_Forwarded_For", "raw_headers"])
def test_d7_names_that_a_viewer_sends_cause_no_mistake_and_no_error(name: str, forged: str) -> None:
    written = {name: "for=81.2.69.142" if name.lower() == "forwarded" else P, "User-Agent": "a"}
    headers = {**written, "REQUEST_METHOD": "GET", "REMOTE_ADDR": PEER, "wsgi.version": "(1, 0)", forged: S}
    header = "x-forwarded-for" if name.lower() == "host" else name.lower()
    client = TrustedProxies(["10.0.0.0/8"], header=header).client
    for carried in (headers, list(headers.items()), {key: [value] for key, value in headers.items()}):
        assert client(PEER, carried) == (None if name.lower() == "host" else P)
    del headers["User-Agent"]
    if name.lower() != "host":
        assert client(PEER, headers) == P


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.binary(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
        max_leaves=8,
    )
)
def test_any_object_is_read_or_raises_a_type_error(thing: object) -> None:
    try:
        trace = TRUSTED.trace(PEER, thing)  # type: ignore[arg-type]
    except TypeError as error:
        assert "[bad-headers]" in str(error)  # noqa: PT017
    else:
        assert trace.address is None


@pytest.mark.parametrize("peer", [("10.0.0.5", 4711), b"10.0.0.5", 7, ["10.0.0.5"]])
def test_a_peer_that_is_not_text_is_a_type_error(peer: object) -> None:
    with pytest.raises(TypeError, match=r"\[bad-peer\]; pass its host alone"):
        TRUSTED.client(peer, {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("HTTP_X_FORWARDED_FOR", "did you mean `x-forwarded-for`?"),
        ("http_x_real_ip", "did you mean `x-real-ip`?"),
        ("x_forwarded_for", "did you mean `x-forwarded-for`?"),
        ("X-Forwarded-For:", "did you mean `x-forwarded-for`?"),
        ("", "write it like `x-forwarded-for`"),
        ("x forwarded", "write it like `x-forwarded-for`"),
        (b"x-real-ip", "write it like `x-forwarded-for`"),
        (None, "write it like `x-forwarded-for`"),
    ],
)
def test_a_name_that_no_header_can_have_is_refused_in_the_settings(name: object, hint: str) -> None:
    with pytest.raises(ProxyError) as caught:
        TrustedProxies(["10.0.0.0/8"], header=name)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.hint) == ("bad-header", hint)
    with pytest.raises(ProxyError, match="bad-header"):
        CDN(name="own", country_header=name)  # type: ignore[arg-type]


def test_settings_that_would_leave_every_viewer_unknown_are_refused() -> None:
    for hops in (0, -1, "16", None, 1.5):
        with pytest.raises(ProxyError, match="bad-max-hops"):
            TrustedProxies(["10.0.0.0/8"], max_hops=hops)  # type: ignore[arg-type]
    for cdn in (7, {"name": "cloudflare"}, CDN):
        with pytest.raises(ProxyError, match="unknown-cdn"):
            Resolver(proxies=TRUSTED, cdn=cdn)  # type: ignore[arg-type]
