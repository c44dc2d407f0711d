"""Subjects: tweets, the tweets that they retweet or quote, and pairs of ids."""

from __future__ import annotations

import copy
import pickle
from typing import Any, Self

import pytest

from tests.implementations import in_c
from withhold import Engine, Policy, RuleSet, Settle, SubjectIdError, SubjectIdTypeError, Tweet, Viewer, WithholdError
from withhold.model.tweet import links_of

PLAIN = Tweet(20, 2)
QUOTED = Tweet(30, 3)


class TestTweet:
    def test_the_links_of_a_retweet_include_all_that_it_retweets(self) -> None:
        """R8: the retweet and its author, the source and its author."""
        assert Tweet(10, 1, retweet_of=PLAIN).links() == ((10, 1), (20, 2))
        assert Tweet(5, 6, retweet_of=Tweet(10, 1, retweet_of=PLAIN)).links() == ((5, 6), (10, 1), (20, 2))

    def test_a_quote_is_not_among_the_links(self) -> None:
        """R8: it is decided separately."""
        assert Tweet(10, 1, quoted=QUOTED).links() == ((10, 1),)
        assert Tweet(10, 1, retweet_of=Tweet(20, 2, quoted=QUOTED)).links() == ((10, 1), (20, 2))

    def test_the_quote_that_a_page_shows(self) -> None:
        assert PLAIN.quotes() == ()
        assert Tweet(10, 1, quoted=QUOTED).quotes() == (QUOTED,)
        assert Tweet(10, 1, retweet_of=Tweet(20, 2, quoted=QUOTED)).quotes() == (QUOTED,)
        assert Tweet(10, 1, retweet_of=Tweet(20, 2, quoted=QUOTED), quoted=PLAIN).quotes() == (PLAIN, QUOTED)

    def test_a_tweet_is_a_value(self) -> None:
        assert Tweet(10, 1, retweet_of=PLAIN) == Tweet(10, 1, retweet_of=Tweet(20, 2))
        assert len({PLAIN, Tweet(20, 2), QUOTED}) == 2

    @pytest.mark.parametrize("key", ["id", "account_id"])
    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            (0, SubjectIdError),
            (2**63, SubjectIdError),
            (True, SubjectIdTypeError),
            ("5", SubjectIdTypeError),
            (5.0, SubjectIdTypeError),
            (None, SubjectIdTypeError),
        ],
    )
    def test_both_ids_are_ids(self, key: str, value: Any, kind: type[WithholdError]) -> None:
        with pytest.raises(kind, match="account_id" if key == "account_id" else "tweet_id"):
            Tweet(**{"id": 20, "account_id": 2} | {key: value})

    @pytest.mark.parametrize("key", ["retweet_of", "quoted"])
    @pytest.mark.parametrize("value", [5, "20", (20, 2), {"id": 20}])
    def test_a_retweeted_or_quoted_tweet_is_a_tweet(self, key: str, value: Any) -> None:
        """Otherwise `links` would fail in the middle of a page with an `AttributeError`."""
        with pytest.raises((TypeError, ValueError)):
            Tweet(20, 2, **{key: value})


X = Tweet(1, 2)


class TestArguments:
    """C code reads a call without a tuple and a dict for its arguments. The result must be that of any other call."""

    @pytest.mark.parametrize(
        ("positional", "named"),
        [
            ((20, 2), {}),
            ((20,), {"account_id": 2}),
            ((), {"id": 20, "account_id": 2}),
            ((), {"account_id": 2, "id": 20}),
            ((20, 2, None, None), {}),
            ((20, 2), {"quoted": None, "retweet_of": None}),
        ],
    )
    def test_in_any_form(self, positional: Any, named: Any) -> None:
        made = Tweet(*positional, **named)
        assert (made.id, made.account_id, made.retweet_of, made.quoted) == (20, 2, None, None)
        assert made == PLAIN

    @pytest.mark.parametrize(
        ("positional", "named", "inside"),
        [
            ((20, 2, X), {}, (X, None)),
            ((20, 2, None, X), {}, (None, X)),
            ((20, 2), {"quoted": X}, (None, X)),
            ((20, 2, X), {"quoted": PLAIN}, (X, PLAIN)),
            ((20,), {"quoted": X, "account_id": 2, "retweet_of": PLAIN}, (PLAIN, X)),
            # A name that is made at run time is not interned.
            ((20, 2), {b"retweet_of".decode(): X}, (X, None)),
        ],
    )
    def test_with_other_tweets(self, positional: Any, named: Any, inside: Any) -> None:
        made = Tweet(*positional, **named)
        assert (made.retweet_of, made.quoted) == inside

    @pytest.mark.parametrize(
        ("positional", "named"),
        [
            ((), {}),
            ((20,), {}),
            ((), {"id": 20}),
            ((20, 2, None, None, None), {}),
            ((20, 2), {"id": 20}),
            ((20, 2), {"account_id": 2}),
            ((20, 2, None), {"retweet_of": X}),
            ((20, 2, X), {"retweet_of": None}),
            ((20, 2, None, None), {"quoted": X}),
            ((20, 2), {"text": "x"}),
            ((20,), {"account_id": 2, "author": 2}),
            ((), {"author": 2, "id": 20, "account_id": 2}),
        ],
    )
    def test_wrong_arguments_are_refused(self, positional: Any, named: Any) -> None:
        with pytest.raises(TypeError):
            Tweet(*positional, **named)

    def test_integers_of_other_types_become_ints(self) -> None:
        class Number(int):
            pass

        made = Tweet(Number(20), account_id=Number(2))
        assert (type(made.id), type(made.account_id), made) == (int, int, PLAIN)
        assert Tweet(2**63 - 1, 1).id == 2**63 - 1

    def test_nothing_can_be_changed(self) -> None:
        for name in ("id", "account_id", "retweet_of", "quoted", "text"):
            with pytest.raises(AttributeError):
                setattr(PLAIN, name, 5)
            with pytest.raises(AttributeError):
                delattr(PLAIN, name)

    def test_no_tweet_without_ids(self) -> None:
        for make in (lambda: Tweet.__new__(Tweet), lambda: object.__new__(Tweet)):
            try:
                made = make()
            except TypeError:
                continue
            with pytest.raises(AttributeError):  # in Python; never a tweet that no rule names
                made.links()

    def test_a_subclass_is_constructed_as_any_class(self) -> None:
        class Texted(Tweet):
            text = ""

            def __init__(self, id: int, account_id: int, *more: Any) -> None:  # noqa: A002
                super().__init__(id, account_id, *more)
                self.text = "x"

        made = Texted(20, 2)
        assert (made.id, made.text, isinstance(made, Tweet)) == (20, "x", True)
        assert made != PLAIN

    def test_a_subclass_that_changes_the_ids_in_init_is_not_ignored(self) -> None:
        class Decoded(Tweet):
            def __init__(self, id: int, account_id: int) -> None:  # noqa: A002
                super().__init__(id + 1, account_id)

        try:
            made = Decoded(19, 2)
        except TypeError as error:
            assert "pass them to `__new__`" in str(error)  # noqa: PT017  # only in C
        else:
            assert made.id == 20

    @in_c
    def test_a_subclass_may_have_other_arguments(self) -> None:
        class OfRow(Tweet):
            def __new__(cls, row: dict[str, int]) -> Self:
                return super().__new__(cls, row["id"], row["author"])  # type: ignore[call-arg]

        made = OfRow({"id": 20, "author": 2})
        assert made.links() == PLAIN.links()


class TestSubjects:
    @pytest.mark.parametrize(
        ("subject", "links"),
        [
            ((20, 2), ((20, 2),)),
            ([20, 2], ((20, 2),)),
            ((20, None), ((20, None),)),
            ((None, 2), ((None, 2),)),
            (PLAIN, ((20, 2),)),
        ],
    )
    def test_a_tweet_or_a_pair(self, subject: Any, links: tuple[tuple[int | None, int | None], ...]) -> None:
        assert links_of(subject) == links

    @pytest.mark.parametrize("subject", [20, None, "abc", (20,), (20, 2, 3), (), {}, "2" * 9999])
    def test_anything_else_is_an_error(self, subject: Any) -> None:
        with pytest.raises(SubjectIdError, match="is neither a tweet nor a pair") as caught:
            links_of(subject)
        assert caught.value.code == "not-a-subject"
        assert len(str(caught.value)) < 200

    def test_a_subject_has_an_id(self) -> None:
        with pytest.raises(SubjectIdError, match=r"needs a tweet_id, an account_id or both \[no-subject\]"):
            links_of((None, None))

    @pytest.mark.parametrize("pair", [("20", "2"), (20, True), (2.0, 2)])
    def test_ids_that_are_not_ints_are_type_errors(self, pair: Any) -> None:
        with pytest.raises(SubjectIdTypeError):
            links_of(pair)


class TestPolicy:
    def test_the_defaults_are_those_of_the_contract(self) -> None:
        """R4, R9."""
        assert Policy() == Policy(unknown_location="show", author_sees_own=False)
        assert Policy().unknown_location is Settle.SHOW

    @pytest.mark.parametrize("value", ["hide", "", None, True, "SHOW", []])
    def test_unknown_location_is_withhold_or_show(self, value: Any) -> None:
        with pytest.raises(ValueError, match="unknown_location must be `withhold` or `show`"):
            Policy(unknown_location=value)

    @pytest.mark.parametrize("value", ["no", "false", "", 0, None])
    def test_author_sees_own_is_true_or_false(self, value: Any) -> None:
        """`author_sees_own="false"`, from an environment variable, would show withheld content."""
        with pytest.raises((TypeError, ValueError)):
            Policy(author_sees_own=value)


def deep(levels: int, key: str) -> Tweet:
    tweet: Tweet | None = None
    for number in range(1, levels + 1):
        inside: dict[str, Any] = {key: tweet}
        tweet = Tweet(number, 1, **inside)
    assert tweet is not None
    return tweet


@pytest.mark.parametrize("key", ["quoted", "retweet_of"])
def test_c2_a_tweet_with_thousands_of_quotes_or_retweets_is_a_value_as_any_other(key: str) -> None:
    one, same, other = deep(3_000, key), deep(3_000, key), deep(2_999, key)
    assert (one == same, hash(one) == hash(same), one == other, one != other) == (True, True, False, True)
    inside: dict[str, Any] = {key: Tweet(2_999, 1)}
    assert one != Tweet(3_000, 1, **inside)
    for again in (pickle.loads(pickle.dumps(one)), copy.copy(one), copy.deepcopy(one)):  # noqa: S301  # our own
        assert again == one
    assert len(repr(one)) < 1_000
    decisions = Engine(RuleSet()).view(Viewer.unknown()).check_tweet(one)
    assert pickle.loads(pickle.dumps(decisions)) == copy.deepcopy(decisions) == decisions  # noqa: S301
    assert hash(decisions) == hash(copy.copy(decisions))
    assert len(repr(decisions)) < 5_000


def test_c2_a_tweet_that_occurs_again_and_again_in_another_is_looked_at_once() -> None:
    twice, again = Tweet(1, 1), Tweet(1, 1)
    for number in range(2, 100):
        twice, again = (Tweet(number, 1, inner, inner) for inner in (twice, again))
    assert (twice == again, hash(twice) == hash(again)) == (True, True)
    assert copy.deepcopy(twice) == twice
    assert len(repr(twice)) < 2_000


def test_c2_a_tweet_is_shown_as_it_is_written_and_equal_to_no_other_kind() -> None:
    tweet = Tweet(3, 1, Tweet(2, 1), quoted=Tweet(1, 1))
    assert eval(repr(tweet)) == tweet  # noqa: S307  # our own
    assert tweet != Tweet(3, 1, quoted=Tweet(2, 1), retweet_of=Tweet(1, 1))
    assert tweet != (3, 1, Tweet(2, 1), Tweet(1, 1))
    assert pickle.loads(pickle.dumps(tweet)).quoted == Tweet(1, 1)  # noqa: S301
