"""The subjects of questions: tweets with the tweets that they retweet or quote, and accounts."""

from __future__ import annotations

from dataclasses import dataclass

from withhold.errors import Problem, SubjectIdError, SubjectTypeError, quoted
from withhold.model.ids import check_id
from withhold.model.nested import Nested

#: The ids of a tweet and of its author. One of the two may be None.
Link = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Tweet(Nested):
    """A tweet, its author, and the tweets that it retweets or quotes. Immutable.

    >>> Tweet(id=20, account_id=2, retweet_of=Tweet(id=10, account_id=1)).links()
    ((20, 2), (10, 1))

    Raises `SubjectIdTypeError` or `SubjectIdError` for an invalid id, and `SubjectTypeError` if `retweet_of` or
    `quoted` is neither a `Tweet` nor None.
    """

    id: int
    account_id: int
    retweet_of: Tweet | None = None
    quoted: Tweet | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", check_id(self.id, "tweet_id"))
        object.__setattr__(self, "account_id", check_id(self.account_id, "account_id"))
        inside: tuple[object, ...] = (self.retweet_of, self.quoted)
        for tweet in inside:
            if tweet is not None and not isinstance(tweet, Tweet):
                raise SubjectTypeError(Problem("not-a-tweet", f"{quoted(tweet)} is not a tweet", hint="use `Tweet`"))

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
        return subject.links()
    given: object = subject
    if not isinstance(given, tuple | list) or len(given) != 2:
        message = f"{quoted(subject)} is neither a tweet nor a pair (tweet_id, account_id)"
        raise SubjectIdError(Problem("not-a-subject", message))
    tweet_id, account_id = given
    return (link(tweet_id, account_id),)


def link(tweet_id: int | None, account_id: int | None) -> Link:
    """Return the link of two ids after checking them. Raises the errors of `links_of`."""
    if tweet_id is None and account_id is None:
        message = "a subject needs a tweet_id, an account_id or both"
        raise SubjectIdError(Problem("no-subject", message, hint="pass at least one of them"))
    return (
        None if tweet_id is None else check_id(tweet_id, "tweet_id"),
        None if account_id is None else check_id(account_id, "account_id"),
    )
