"""One row for each form in which orders write targets, with what it must become.

`Source` states whether the form was read in a source, recalled, or inferred; None: a rule of this library.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Source(StrEnum):
    READ = "read"
    RECALLED = "recalled"
    INFERRED = "inferred"


class Case(NamedTuple):
    """Text in a column with a header, the key that it must get (None for an error), and the codes of its notes."""

    text: str
    key: str | None
    notes: tuple[str, ...] = ()
    header: str = "URL"
    source: Source | None = None


ID = "1355667106821046275"  # a tweet of 31 January 2021
T = f"tweet:{ID}"
U = "account:@user_1"


def ids(text: str, key: str | None, *notes: str, header: str = "tweet id", source: Source | None = None) -> Case:
    return Case(text, key, notes, header, source)


CASES = [
    Case("@User_1", U, source=Source.READ),
    Case("User_1", U, (), "handle", Source.READ),
    Case("User_1", None, ("bare-word",)),
    Case("nil", None, ("placeholder",), "handle"),
    Case("Some Name", None, ("not-a-target",), "handle"),
    Case("＠User_1", U, ("fullwidth-sign",), source=Source.READ),
    Case("@sixteen_letters_", "account:@sixteen_letters_", ("long-handle",), source=Source.READ),
    Case("@a_handle_of_21_letters", None, ("bad-handle",), source=Source.READ),
    Case("@a-b", None, ("bad-handle",), source=Source.READ),
    *(
        Case(text, U)
        for text in (
            "https://twitter.com/User_1/",
            "https://mobile.twitter.com/User_1",
            "https://m.twitter.com/User_1",
            "https://www.twitter.com/User_1",
            "https://x.com/User_1",
            "http://twitter.com/User_1",
            "https://twitter.com:443/User_1",
            "HTTPS://TWITTER.COM/USER_1",
            "twitter.com/User_1",
            "https://twitter.com/User_1?lang=en",
            "https://twitter.com/intent/user?screen_name=User_1",
        )
    ),
    Case("twitter.com/12345", "account:@12345", ("all-digits-handle",), source=Source.READ),
    Case("12345", "account:@12345", ("all-digits-handle",), "handle"),
    Case("https://twitter.com/i/user/12345", "account:12345"),
    Case("https://twitter.com/intent/user?user_id=12345", "account:12345"),
    *(
        Case(f"https://twitter.com{path}", T)
        for path in (
            f"/u/status/{ID}",
            f"/u/status/{ID}?s=20&t=abc",
            f"/u/statuses/{ID}",
            f"/statuses/{ID}",
            f"/i/web/status/{ID}",
            f"/i/status/{ID}",
            f"/#!/u/status/{ID}",
            f"/u/status/{ID}/photo/1",
            f"/u/status/{ID}/analytics",
        )
    ),
    *(
        Case(f"https://twitter.com/u/status/{ID}{after}", T, ("stripped",))
        for after in '.,)]"…।\u00a0\u200b\u200e\ufeff'
    ),
    *(Case(f"https://twitter.com/u/status/{ID}{chr(after)}", T, ("stripped",)) for after in range(0x202A, 0x202F)),
    *(Case(f"https://twitter.com/u/status/{ID}{chr(after)}", T, ("stripped",)) for after in range(0x2066, 0x206A)),
    *(
        Case(text, None, ("stripped", "truncated"))
        for text in (
            "https://twitter.com/User_1…",
            "@User_1...",
            "https://twitter.com/u/status/13556671068…",
            "https://twitter.com/i/user/1101…",
            "#Farmers…",
        )
    ),
    Case(f"https://twitter.com/u/status/{ID}?s=2…", T, ("stripped",)),
    Case("@\u202e1_resu", None, ("reordered-text",)),
    Case(f"https://twitter.com/u/status/20/../{ID}", None, ("broken-url",)),
    Case("https://twitter.com/search?q=%00x", None, ("control-character",)),
    Case("https://twitter.com/User_1/lists/%0ax", None, ("control-character",)),
    Case("https://twitter.com/User_1/with_replies", U, ("cites-tab",)),
    Case("https://twitter.com/User_1/media", U, ("cites-tab",)),
    Case("https://twitter.com/hashtag/Farmers?src=x", "hashtag:farmers"),
    Case("https://twitter.com/search?q=%23Farmers", "hashtag:farmers"),
    Case("#Farmers", "hashtag:farmers"),
    Case("#किसान", "hashtag:किसान"),
    Case("Farmers", "hashtag:farmers", (), "hashtag"),
    Case("https://twitter.com/search?q=two+words", "search:two words", ("manual",)),
    Case("https://twitter.com/i/lists/12", "list:12"),
    Case("https://twitter.com/User_1/lists/Some", "list:@user_1/some"),
    *(
        Case(f"https://twitter.com/{path}", None, ("reserved-path",))
        for path in ("home", "i/flow/login", "settings", "search", "intent/tweet")
    ),
    Case("@home", None, ("reserved-path",)),
    Case("t.co/abc", None, ("needs-expansion",)),
    Case("pic.twitter.com/abc", None, ("needs-expansion",)),
    *(
        Case(f"https://{host}/u/status/{ID}", None, ("off-platform",))
        for host in ("nitter.net", "nitter.example.org", "vxtwitter.com", "fxtwitter.com", "netflix.com")
    ),
    Case("https://web.archive.org/web/2021/https://twitter.com/u", None, ("off-platform",)),
    Case(
        "https://safelinks.example/?url=https%3A%2F%2Ftwitter.com%2Fu", None, ("off-platform",), source=Source.RECALLED
    ),
    *(
        Case(text, None, ("suspicious-host",))
        for text in (
            "https://twitter.com.evil.example/u",
            "twitter.com@evil.example/u",
            "https://twitter.com@evil.example/u",
            "https://twіtter.com/u",
            "https://xn--twtter-q9a.com/u",
            "https://twitter.com:8443/u",
        )
    ),
    Case("hxxps://twitter[.]com/User_1", U, ("defanged",)),
    ids("1.35E+18", None, "precision-lost"),
    ids("1356123456789010000", None, "precision-suspect", source=Source.READ),
    ids("1356123456789012480.0", None, "id-not-text"),
    ids(f"'{ID}", T, "unwrapped"),
    ids(f'="{ID}"', T, "unwrapped"),
    Case('=HYPERLINK("https://x.com/User_1","x")', U, ("unwrapped",)),
    Case('=HYPERLINK("https://x.com/User_1","https://twitter.com/user_1")', U, ("unwrapped",)),
    Case('=HYPERLINK("https://x.com/User_1";"@user_2")', None, ("other-link",)),
    Case("=A1&B1", None, ("formula",)),
    Case("#NAME?", None, ("spreadsheet-error",), source=Source.RECALLED),
    ids("1,355,667,106,821,046,275", T, "grouped-digits"),
    ids("1355667106 821046275", T, "grouped-digits"),
    ids("1,355,667", None, "grouped-digits"),
    *(ids(text, None, "non-ascii-digits") for text in ("१३५६", "１３５６", "²")),
    *(ids(text, None, "id-out-of-range") for text in (str(2**63), "0", "-5", "0x1F")),
    ids("1999999999999999999", None, "id-in-future"),
    Case("https://twitter.com/u/status/1999999999999999999", None, ("id-in-future",)),
    ids("20", "tweet:20", source=Source.RECALLED),  # a sequential id has no instant
    ids("1101", "account:1101", header="user id"),
    ids(ID, None, "unknown-id-kind", header="URL"),
    Case("12. @User_1", U),
    Case("https://twitter.com/User_1 (reply)", U, ("extra-text",)),
    Case(f"https://twitter.com/u/sta tus/{ID}", T, ("rejoined",)),
    Case("https://twitter.com/u/status/", None, ("broken-url",)),
    Case("office@ministry.example", None, ("not-a-target",)),
]
