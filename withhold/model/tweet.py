"""The things that are asked about: tweets, accounts, and what a retweet brings with it."""

from __future__ import annotations

from dataclasses import dataclass

from withhold.errors import Problem, SubjectIdError, SubjectTypeError, quoted
from withhold.model.ids import check_id

#: One piece of content and its author; either may be unknown, not both.
Link = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class Tweet:
    """A tweet, its author, and what it retweets or quotes; a value.

    >>> Tweet(id=20, account_id=2, retweet_of=Tweet(id=10, account_id=1)).links()
    ((20, 2), (10, 1))

    Raises `SubjectIdTypeError` or `SubjectIdError` for anything but ids, and `SubjectTypeError` for anything but tweets.
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
        """Return (tweet, author) of this tweet and of what it retweets: all that can withhold it (R8)."""
        chain: list[Link] = []
        tweet: Tweet | None = self
        while tweet is not None:
            chain.append((tweet.id, tweet.account_id))
            tweet = tweet.retweet_of
        return tuple(chain)

    def quotes(self) -> tuple[Tweet, ...]:
        """Return the quoted tweets that a page shows in this one: its own, then that of what it retweets (R8).

        What those quote in turn is in their own `quotes()`.
        """
        found: list[Tweet] = []
        tweet: Tweet | None = self
        while tweet is not None:
            if tweet.quoted is not None:
                found.append(tweet.quoted)
            tweet = tweet.retweet_of
        return tuple(found)


#: What `Engine.check` takes: a tweet, or a pair (tweet_id, account_id) of which one may be None.
Subject = Tweet | Link


def links_of(subject: Subject) -> tuple[Link, ...]:
    """Return the checked links of a tweet or a pair; raises as `Tweet` does, and for a subject without ids.

    >>> links_of((None, 1101))
    ((None, 1101),)
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
    """Check the two ids of a subject; raises as `links_of` does."""
    if tweet_id is None and account_id is None:
        message = "a subject needs a tweet_id, an account_id or both"
        raise SubjectIdError(Problem("no-subject", message, hint="give the id of what is asked about"))
    return (
        None if tweet_id is None else check_id(tweet_id, "tweet_id"),
        None if account_id is None else check_id(account_id, "account_id"),
    )
