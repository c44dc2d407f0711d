"""The platform's look-up binds handles to accounts and tweets to authors, and contradicts no order in silence."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.demands.material import ASHA, PROTECTED, TWEET, MemoryLedger, demand
from withhold.demands.commands import Resolution, TargetDecision, decide, receive, resolve
from withhold.demands.intake.entries import Bucket, Entry, Kind, Provenance
from withhold.demands.receiving import Resolved
from withhold.demands.register import Register
from withhold.demands.resolving import look_up
from withhold.demands.transitions import Ruling
from withhold.errors import DemandError


class Platform:
    """A resolver from two mappings, which counts how often it is asked."""

    def __init__(self, accounts, authors):
        self.known, self.written, self.asked = accounts, authors, []

    def accounts(self, handles):
        self.asked.append({*handles})
        return {handle: self.known[handle] for handle in handles if handle in self.known}

    def authors(self, tweets):
        self.asked.append({*tweets})
        return {tweet: self.written[tweet] for tweet in tweets if tweet in self.written}


def ledger_with(*named):
    """Return a ledger with a demand of entries, each a key and the handle in its URL."""
    first: dict[str, int] = {}
    entries = []
    for number, (key, handle) in enumerate(named, 1):
        again = first.get(key)
        first.setdefault(key, number)
        bucket = Bucket.UNIQUE if again is None else Bucket.DUPLICATE
        kind = Kind(key.partition(":")[0])
        entries.append(Entry(number, key, Provenance("a.csv", row=number), bucket, kind, key, handle, (), again))
    ledger: Any = MemoryLedger()
    receive(ledger, ASHA, demand(), entries)
    return ledger


def ask(ledger, platform):
    """Resolve the demand, and return what was found for each entry."""
    found = look_up(platform, Register(ledger).targets("IN-D1"))
    resolve(ledger, ASHA, "IN-D1", found)
    return {each.number: str(each.found) for each in found}


def test_handles_get_accounts_and_tweets_get_authors():
    ledger = ledger_with(
        ("account:@user_1", "User_1"),
        ("account:@user_1", "user_1"),
        ("account:@second", "second"),
        ("account:@gone", "gone"),
        ("account:@unknown", "unknown"),
        (f"tweet:{TWEET}", "User_1"),
        (f"tweet:{TWEET + 1}", None),
        (f"tweet:{TWEET + 2}", None),
        ("hashtag:x", None),
    )
    platform = Platform({"user_1": 7, "second": 7, "gone": None}, {TWEET: 7, TWEET + 1: 8, TWEET + 2: None})
    assert ask(ledger, platform) == {
        1: "resolved",
        3: "resolved",
        4: "not_found",
        6: "resolved",
        7: "resolved",
        8: "not_found",
    }
    assert platform.asked == [{"user_1", "second", "gone", "unknown"}, {TWEET, TWEET + 1, TWEET + 2}]
    targets = Register(ledger).targets("IN-D1")
    assert [targets[number]["bound"] for number in (1, 3, 4, 5)] == ["account:7", "account:7", None, None]
    assert (targets[1]["handle"], targets[1]["key"]) == ("User_1", "account:@user_1")
    assert (targets[3]["state"], targets[3]["duplicate_of"]) == ("duplicate", 1)
    assert [targets[number]["author"] for number in (6, 7, 8)] == ["account:7", "account:8", None]
    assert Register(ledger).demand("IN-D1")["counts"]["duplicate"] == 2


def test_an_id_is_kept_when_its_handle_belongs_to_another_account():
    ledger = ledger_with(("account:5", "user_1"), (f"tweet:{TWEET}", "user_1"))
    assert ask(ledger, Platform({"user_1": 7}, {TWEET: 8})) == {1: "handle_mismatch", 2: "handle_mismatch"}
    targets = Register(ledger).targets("IN-D1")
    assert [(target["bound"], target["author"]) for target in targets.values()] == [
        ("account:5", None),
        (f"tweet:{TWEET}", "account:8"),
    ]


def test_a_handle_that_has_passed_to_another_account_is_reported_and_stays_bound():
    ledger = ledger_with(("account:@user_1", "user_1"))
    assert ask(ledger, Platform({"user_1": 7}, {})) == {1: "resolved"}
    assert ask(ledger, Platform({"user_1": 9}, {})) == {1: "handle_mismatch"}
    assert Register(ledger).targets("IN-D1")[1]["bound"] == "account:7"


HANDLES, IDS = st.sampled_from("abcd"), st.integers(1, 3)
NAMED = st.one_of(
    st.tuples(HANDLES.map("account:@{}".format), HANDLES).map(lambda pair: (pair[0], pair[0][9:])),
    st.tuples(IDS.map("account:{}".format), st.none() | HANDLES),
    st.tuples(IDS.map("tweet:{}".format), st.none() | HANDLES),
)
SOME = st.none() | IDS


@given(st.lists(NAMED, max_size=8), st.dictionaries(HANDLES, SOME), st.dictionaries(IDS, SOME))
def test_each_entry_stays_in_one_bucket_and_no_two_unique_entries_have_one_target(named, accounts, authors):
    ledger = ledger_with(*named)
    for _ in range(2):
        found = ask(ledger, Platform(accounts, authors))
        assert {*found.values()} <= {*map(str, Resolved)}
        targets = Register(ledger).targets("IN-D1").values()
        counts = Register(ledger).demand("IN-D1")["counts"]
        buckets = Counter(target["bucket"] for target in targets)
        assert {name: counts[name] for name in ("unique", "duplicate", "error")} == {
            name: buckets[name] for name in ("unique", "duplicate", "error")
        }
        assert len(targets) == len(named)
        bound = [target["bound"] for target in targets if target["state"] != "duplicate" and target["bound"]]
        assert len(bound) == len({*bound})
        assert [target["handle"] for target in targets] == [handle for _, handle in named]


def test_an_entry_is_not_bound_to_another_kind_or_another_id_unless_a_person_corrects_it():
    ledger = ledger_with(("account:@user_1", "User_1"), ("account:5", None), (f"tweet:{TWEET}", None))
    for number, bound, code in (
        (1, f"tweet:{TWEET}", "other-target"),
        (2, "account:6", "other-target"),
        (3, f"tweet:{TWEET + 1}", "other-target"),
        (3, "account:6", "other-target"),
        (1, "account:01101", "bad-target"),
        (1, "account:１１０１", "bad-target"),
        (1, "account:0", "bad-target"),
        (1, f"account:{2**63}", "bad-target"),
        (1, "account:@user_2", "bad-target"),
        (1, "", "bad-target"),
    ):
        with pytest.raises(DemandError) as caught:
            resolve(ledger, ASHA, "IN-D1", [Resolution(number, bound=bound)])
        assert caught.value.code == code, bound
    with pytest.raises(DemandError) as caught:
        resolve(ledger, ASHA, "IN-D1", [Resolution(3, author="account:007")])
    assert caught.value.code == "bad-target"
    resolve(ledger, ASHA, "IN-D1", [Resolution(2, Resolved.CORRECTED, "account:6")])
    assert Register(ledger).targets("IN-D1")[2]["bound"] == "account:6"


def test_what_a_duplicate_names_is_not_lost_if_the_first_entry_is_corrected():
    ledger = ledger_with(
        ("account:5", None), ("account:5", None), ("account:@user_1", "User_1"), ("account:@user_2", "b")
    )
    resolve(ledger, ASHA, "IN-D1", [Resolution(3, bound="account:5")])
    resolve(ledger, ASHA, "IN-D1", [Resolution(1, Resolved.CORRECTED, "account:6"), Resolution(4, bound="account:5")])
    targets = Register(ledger).targets("IN-D1")
    assert [(each["state"], each["bound"], each["duplicate_of"]) for each in targets.values()] == [
        ("undecided", "account:6", None),
        ("undecided", "account:5", None),
        ("duplicate", "account:5", 2),
        ("duplicate", "account:5", 2),
    ]
    assert Register(ledger).demand("IN-D1")["counts"]["unique"] == 2
    ledger = ledger_with(("account:@user_1", "User_1"), ("account:@user_1", "user_1"))
    resolve(ledger, ASHA, "IN-D1", [Resolution(1, bound="account:5")])
    resolve(ledger, ASHA, "IN-D1", [Resolution(1, bound="account:6")])
    assert Register(ledger).targets("IN-D1")[1]["bound"] == "account:6", "both entries are the handle"


def test_a_new_author_of_a_tweet_in_force_is_stated():
    ledger = ledger_with((f"tweet:{TWEET}", None), (f"tweet:{TWEET + 1}", None))
    resolve(ledger, ASHA, "IN-D1", [Resolution(1, author="account:2")])
    decide(ledger, ASHA, "IN-D1", [({1}, TargetDecision(Ruling.WITHHOLD))], PROTECTED)
    done = resolve(ledger, ASHA, "IN-D1", [Resolution(1, author="account:1"), Resolution(2, author="account:1")])
    assert done.notes == [
        "authors of targets in force that were unknown or others: 1; decide on them again, with the list of protected accounts"
    ]
    with pytest.raises(DemandError) as caught:
        decide(ledger, ASHA, "IN-D1", [({1}, TargetDecision(Ruling.WITHHOLD))], PROTECTED)
    assert caught.value.code == "protected-account"
