"""The subjects of questions: tweets with the tweets that they retweet or quote, and accounts."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, Final

from withhold import native
from withhold.errors import Problem, SubjectIdError, SubjectTypeError, quoted
from withhold.model.ids import MAX_ID, check_id
from withhold.model.nested import Nested

#: The ids of a tweet and of its author. One of the two may be None.
Link = tuple[int | None, int | None]


class PythonTweet:
    """The attributes of `Tweet` in Python. `FastTweet` in `withhold.native.tweet` has the same in C."""

    __slots__ = ("_account_id", "_id", "_quoted", "_retweet_of")

    def __init__(
        self,
        id: int,  # noqa: A002
        account_id: int,
        retweet_of: Tweet | None = None,
        quoted: Tweet | None = None,
    ) -> None:
        if not (
            type(id) is int is type(account_id)
            and 0 < id <= MAX_ID
            and 0 < account_id <= MAX_ID
            and (retweet_of is None or isinstance(retweet_of, Tweet))
            and (quoted is None or isinstance(quoted, Tweet))
        ):
            id, account_id = Tweet._checked(id, account_id, retweet_of, quoted)  # noqa: A001
        self._id, self._account_id, self._retweet_of, self._quoted = id, account_id, retweet_of, quoted

    @property
    def id(self) -> int:
        return self._id

    @property
    def account_id(self) -> int:
        return self._account_id

    @property
    def retweet_of(self) -> Tweet | None:
        return self._retweet_of

    @property
    def quoted(self) -> Tweet | None:
        return self._quoted


if TYPE_CHECKING:
    _Attributes = PythonTweet
else:
    _Attributes = native.tweet.FastTweet if native.AVAILABLE else PythonTweet


class Tweet(_Attributes, Nested):
    """A tweet, its author, and the tweets that it retweets or quotes. Immutable.

    >>> Tweet(id=20, account_id=2, retweet_of=Tweet(id=10, account_id=1)).links()
    ((20, 2), (10, 1))

    Raises `SubjectIdTypeError` or `SubjectIdError` for an invalid id, and `SubjectTypeError` if `retweet_of` or
    `quoted` is neither a `Tweet` nor None.
    """

    __slots__ = ()
    __match_args__ = ("id", "account_id", "retweet_of", "quoted")

    @staticmethod
    def _checked(id: object, account_id: object, *inside: object) -> tuple[int, int]:  # noqa: A002
        """Return the ids as ints. Raises the errors of the class."""
        ids = check_id(id, "tweet_id"), check_id(account_id, "account_id")
        for tweet in inside:
            if tweet is not None and not isinstance(tweet, Tweet):
                raise SubjectTypeError(Problem("not-a-tweet", f"{quoted(tweet)} is not a tweet", hint="use `Tweet`"))
        return ids

    def links(self) -> tuple[Link, ...]:
        """Return the (tweet, author) ids of this tweet and of each tweet that it retweets (R8)."""
        chain: list[Link] = []
        tweet: Tweet | None = self
        while tweet is not None:
            chain.append((tweet.id, tweet.account_id))
            tweet = tweet.retweet_of
        return tuple(chain)

    def quotes(self) -> tuple[Tweet, ...]:
        """Return the quoted tweets that a page shows in this one (R8).

        These are its own quote, then that of the tweet that it retweets. For quotes within quotes, call `quotes()` of
        the quoted tweets.
        """
        found: list[Tweet] = []
        tweet: Tweet | None = self
        while tweet is not None:
            if tweet.quoted is not None:
                found.append(tweet.quoted)
            tweet = tweet.retweet_of
        return tuple(found)

    def quotes_by_path(self) -> Iterator[tuple[tuple[str, ...], Tweet]]:
        """Yield each of `quotes()` with the names of the attributes that lead to it, such as `("quoted",)`.

        The names are empty for a tweet that only the `quotes` of a subclass has.
        """
        quotes = self.quotes()
        paths: dict[int, tuple[str, ...]] = {}
        path: tuple[str, ...] = ()
        tweet: Tweet | None = self
        while tweet is not None and len(paths) < len(quotes):
            if tweet.quoted is not None:
                paths.setdefault(id(tweet.quoted), (*path, "quoted"))
            path, tweet = (*path, "retweet_of"), tweet.retweet_of
        return ((paths.get(id(quote), ()), quote) for quote in quotes)


if not TYPE_CHECKING and native.AVAILABLE:
    native.tweet.construct_quickly(Tweet)


class NotATweet(Enum):
    """The class of `NOT_A_TWEET`."""

    NOT_A_TWEET = "not a tweet"


#: What a `key` of `View.filter` returns for an item that is no tweet, such as an advertisement. The page keeps the item.
NOT_A_TWEET: Final = NotATweet.NOT_A_TWEET


#: The subject of `Engine.check`: a tweet, or a pair (tweet_id, account_id) in which one id may be None.
Subject = Tweet | Link


def links_of(subject: Subject) -> tuple[Link, ...]:
    """Return the checked links of a tweet or a pair.

    >>> links_of((None, 1101))
    ((None, 1101),)

    Raises `SubjectIdTypeError` for an id that is not an int, and `SubjectIdError` for an id out of range, for a subject
    without ids and for anything but a tweet or a pair.
    """
    if isinstance(subject, Tweet):
        # A subclass may have other attributes, or return other links.
        return tuple([link(*ids) for ids in subject.links()]) or (link(None, None),)
    given: object = subject
    if not isinstance(given, tuple | list) or len(given) != 2:
        message = f"{quoted(subject)} is neither a tweet nor a pair (tweet_id, account_id)"
        raise SubjectIdError(Problem("not-a-subject", message))
    tweet_id, account_id = given
    return (link(tweet_id, account_id),)


def link(tweet_id: int | None, account_id: int | None) -> Link:
    """Return the link of two ids after checking them. Raises the errors of `links_of`."""
    if type(tweet_id) is int is type(account_id) and 0 < tweet_id <= MAX_ID and 0 < account_id <= MAX_ID:
        return tweet_id, account_id
    if tweet_id is None and account_id is None:
        message = "a subject needs a tweet_id, an account_id or both"
        raise SubjectIdError(Problem("no-subject", message, hint="pass at least one of them"))
    return (
        None if tweet_id is None else check_id(tweet_id, "tweet_id"),
        None if account_id is None else check_id(account_id, "account_id"),
    )
