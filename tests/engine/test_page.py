"""Pages: what is visible, what is hidden and why, and where a quoted tweet is hidden."""

from __future__ import annotations

from array import array

import pytest

from tests.engine.material import engine as engine
from tests.engine.material import view as view
from withhold import NOT_A_TWEET, Tweet


class TestPage:
    def test_withheld_items_have_their_indices(self, view):
        page = view.filter([(1, 2), (3, 17), (20, 5), (4, 5)])
        assert page.visible == [(1, 2), (4, 5)]
        assert [(index, decision.rule_id) for index, decision in page.hidden] == [(1, "in-1"), (2, "in-2")]

    def test_an_empty_page(self, view):
        page = view.filter([])
        assert (page.visible, page.hidden, page.tombstones, page.subjects) == ([], [], [], {})
        assert view.mask([], []) == bytearray()

    def test_any_iterable_and_the_list_itself_is_left_alone(self, view):
        items = [(3, 17), (4, 5)]
        assert view.filter(iter(items)).visible == [(4, 5)]
        assert items == [(3, 17), (4, 5)]
        assert view.filter([[3, 17], [4, 5]]).visible == [[4, 5]]

    def test_a_key_that_fails_fails_the_page(self, view):
        """Even with `StopIteration`, which would only end a `map`."""
        authors = iter([5])
        with pytest.raises(StopIteration):
            view.filter([21, 22, 23], key=lambda tweet: (tweet, next(authors)))

    def test_many_hits_on_a_large_page(self, view):
        items = [(number, 17 if number % 3 else 18) for number in range(2, 5002)]
        page = view.filter(items)
        assert page.visible == [item for item in items if item[1] == 18 and item[0] != 20]
        assert [index for index, _ in page.hidden] == sorted(index for index, _ in page.hidden)
        assert [items[index] for index, _ in page.hidden] == [i for i in items if i[1] == 17 or i[0] == 20]

    def test_a_key_for_everything_else(self, view):
        items = [{"tweet": 20, "by": 5}, {"tweet": 21, "by": 5}]
        page = view.filter(items, key=lambda item: (item["tweet"], item["by"]))
        assert (page.visible, page.subjects) == (items[1:], {0: (20, 5)})
        assert view.filter(items, key=lambda item: Tweet(item["tweet"], item["by"])).visible == items[1:]

    def test_pairs_and_tweets_on_one_page(self, view):
        page = view.filter([(3, 17), Tweet(4, 5), Tweet(20, 5), (6, 7)])
        assert page.visible == [Tweet(4, 5), (6, 7)]

    def test_a_quote_is_shown_with_a_tombstone_in_it(self, view):
        quoting = Tweet(4, 5, quoted=Tweet(20, 6))
        page = view.filter([(1, 2), quoting])
        assert page.visible == [(1, 2), quoting]
        assert [(index, path, decision.rule_id) for index, path, decision in page.tombstones] == [
            (1, ("quoted",), "in-2")
        ]

    def test_the_path_leads_to_the_outermost_hidden_quote(self, view):
        hidden, plain = Tweet(20, 6), Tweet(40, 6)
        for tweet, path in (
            (Tweet(4, 5, quoted=hidden), ("quoted",)),
            (Tweet(4, 5, retweet_of=Tweet(6, 5, quoted=hidden)), ("retweet_of", "quoted")),
            (Tweet(4, 5, quoted=Tweet(6, 5, quoted=hidden)), ("quoted", "quoted")),
            (
                Tweet(4, 5, quoted=Tweet(6, 5, retweet_of=Tweet(7, 5, quoted=hidden))),
                ("quoted", "retweet_of", "quoted"),
            ),
            (Tweet(4, 5, quoted=plain, retweet_of=Tweet(6, 5, quoted=hidden)), ("retweet_of", "quoted")),
            (
                Tweet(4, 5, quoted=Tweet(6, 5, quoted=hidden), retweet_of=Tweet(6, 5, quoted=hidden)),
                ("retweet_of", "quoted"),
            ),
        ):
            ((index, found, decision),) = view.filter([(1, 2), tweet]).tombstones
            assert (index, found, decision.rule_id) == (1, path, "in-2")
            assert view.check_tweet(tweet).hidden_quote() == (path, decision)

    def test_all_hidden_quotes_have_their_paths(self, view):
        hidden, plain = Tweet(20, 6, quoted=Tweet(3, 17)), Tweet(40, 6)
        source = Tweet(6, 5, quoted=Tweet(7, 5, quoted=hidden))
        tweet = Tweet(4, 5, quoted=Tweet(8, 5, quoted=plain, retweet_of=Tweet(9, 5, quoted=hidden)), retweet_of=source)
        found = view.check_tweet(tweet).hidden_quotes()
        assert {path: decision.rule_id for path, decision in found.items()} == {
            ("quoted", "retweet_of", "quoted"): "in-2",
            ("retweet_of", "quoted", "quoted"): "in-2",
        }
        for path in found:
            inner = tweet
            for name in path:
                inner = getattr(inner, name)
            assert inner is hidden
        assert view.check_tweet(Tweet(4, 5, quoted=plain)).hidden_quotes() == {}

    def test_a_tweet_that_is_quoted_again_and_again_is_decided_once(self, view):
        tweet = Tweet(20, 6)
        for number in range(1_000, 1_060):
            tweet = Tweet(number, 5, quoted=tweet, retweet_of=tweet)
        assert view.check_tweet(tweet).freshness.varies_by == "country"
        assert [index for index, _ in view.filter([tweet]).hidden] == [0]

    def test_an_advertisement_is_kept(self, view):
        items = [{"ad": 1}, {"id": 20, "by": 5}, {"ad": 2}, {"id": 21, "by": 5}]
        page = view.filter(items, key=lambda item: NOT_A_TWEET if "ad" in item else (item["id"], item["by"]))
        assert page.visible == [items[0], items[2], items[3]]
        assert [index for index, _ in page.hidden] == [1]

    def test_an_item_without_ids_is_an_error_that_names_it(self, view):
        """A key such as `dict.get` returns None for an item that it does not know."""
        ids = {"a": (1, 2)}
        with pytest.raises(
            ValueError, match=r"^item 1 \(`str`\): `None` is neither a tweet nor a pair .*`NOT_A_TWEET`"
        ):
            view.filter(["a", "b"], key=ids.get)
        with pytest.raises(ValueError, match=r"^item 2 \(`NoneType`\): `None` is neither a tweet nor a pair"):
            view.filter([(1, 2), (3, 4), None])
        with pytest.raises(TypeError, match=r"^item 1 \(`tuple`\): account_id `'17'` is not an int \[id-not-an-int\]"):
            view.filter([(1, 2), (3, "17")])
        with pytest.raises(ValueError, match=r"^item 0 \(`dict`\): tweet_id `0` is not between"):
            view.filter([{}], key=lambda _: (0, 5))

    def test_a_page_is_no_collection(self, view):
        page = view.filter([(1, 2), (3, 17)])
        for use in (lambda: bool(page), lambda: len(page), lambda: list(page), lambda: [*page]):
            with pytest.raises(
                TypeError, match=r"\[page-is-no-collection\]; use `.visible`, `.hidden` or `.tombstones`"
            ):
                use()
        with pytest.raises(TypeError, match="not subscriptable"):
            page[0]
        assert not hasattr(page, "__dict__")
        assert page == view.filter([(1, 2), (3, 17)])
        assert page != view.filter([(1, 2)])

    @pytest.mark.parametrize("kind", ["list", "tuple", "q", "Q", "memoryview"])
    def test_mask_reads_buffers_and_sequences(self, view, kind):
        def made(ids):
            if kind in ("list", "tuple"):
                return {"list": list, "tuple": tuple}[kind](ids)
            return memoryview(array("q", ids)) if kind == "memoryview" else array(kind, ids)

        assert view.mask(made([20, 21, 22]), made([1, 17, 3])) == bytearray([1, 1, 0])

    def test_mask_refuses_anything_but_columns_of_ints(self, view):
        square = memoryview(array("B", bytes(8))).cast("B", (2, 4))
        for bad in (array("d", [20.0]), square):
            with pytest.raises(TypeError, match="is a buffer of"):
                view.mask(bad, bad)
        with pytest.raises(ValueError, match="uneven-ids"):
            view.mask([1, 2], [3])
