"""The people and posts of the example, and its rules. A real service has them in databases and rule files."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from operator import attrgetter

from withhold import NOT_A_TWEET, Rule, RuleSet, Tweet
from withhold.model import NotATweet

#: Names by account id. Some are written from right to left.
PEOPLE = {
    11: "Asha Rao",
    12: "محمد الفارس",
    13: "Dana Weiss",
    14: "דוד כהן",
    15: "Farmers' Voice",
    16: "Lena Hoffmann",
    17: "Kisan Ekta",
    18: "José Álvarez",
    19: "Buy Followers",
}
TEXTS = (
    "The council publishes its minutes tonight.",
    "Rain until Thursday, then sun.",
    "صباح الخير من عمّان",
    "שבוע טוב לכולם",
    "Long read: how a border became a market.",
    "Tractors reach the ring road at noon. Bring water.",
)


FIRST = 1_360_000_000_000_000_000


@dataclass(frozen=True)
class Post:
    """A post, the post that it retweets, and the post that it quotes. An advertisement has no author."""

    id: int
    account: int
    text: str
    retweet_of: Post | None = None
    quoted: Post | None = None

    #: The ids of the post as this library wants them. They are made with the post, not for each page.
    tweet: Tweet | NotATweet = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        inner = [found.tweet if found else None for found in (self.retweet_of, self.quoted)]
        tweet = Tweet(self.id, self.account, *inner) if self.account else NOT_A_TWEET  # type: ignore[arg-type]
        object.__setattr__(self, "tweet", tweet)


#: The key of pages of posts. A function in Python would take longer.
TWEET = attrgetter("tweet")


def posts(count: int = 500) -> dict[int, Post]:
    """Return posts by id, the newest first. Every fifth one is a retweet, and every fifth one a quote."""
    chance = random.Random(2021)
    accounts = list(PEOPLE)
    made: list[Post] = []
    for number in range(count):
        id_ = FIRST + number
        inner = chance.choice(made) if made and number % 5 < 2 else None
        inner = inner if inner is not None and inner.account and inner.retweet_of is None else None
        retweeted, quoted = (inner, None) if number % 5 == 0 else (None, inner)
        if number % 29 == 28:
            made.append(Post(id_, 0, "Shoes for every road. Today only."))
        else:
            made.append(Post(id_, chance.choice(accounts), chance.choice(TEXTS), retweeted, quoted))
    # The newest ones quote and repost what India has withheld.
    newest = iter(range(FIRST + count, FIRST + count + 9))
    demanded, lawful = Post(next(newest), 17, TEXTS[-1]), Post(next(newest), 15, "Sit-in at the toll plaza, day 12.")
    quoting = Post(next(newest), 13, "Worth reading before tonight.", None, demanded)
    made += [
        demanded,
        lawful,
        quoting,
        Post(next(newest), 12, TEXTS[2], None, lawful),
        Post(next(newest), 11, "", quoting),
    ]
    return {post.id: post for post in reversed(made)}


def rules(shown: dict[int, Post]) -> RuleSet:
    """Return rules like those of February 2021, and one that nobody may know of."""
    some = [post.id for post in shown.values() if post.account == 16][:3]
    return RuleSet(
        [
            Rule(
                id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand", demand="IN-D1", disclosure="full"
            ),
            Rule(id="in-2", accounts=[15], withheld_in=["IN"], reason="local_law", demand="IN-D2"),
            Rule(id="eu-1", tweets=some[:1], withheld_in=["EU"], reason="copyright"),
            Rule(id="us-1", tweets=some[1:2], withheld_in=["US-MS"], reason="local_law", if_unknown="show"),
            Rule(id="x-1", tweets=some[2:], withheld_in=["IN", "TR"], reason="legal_demand", disclosure="none"),
            Rule(id="s-1", accounts=[19], effect="suspend", reason="terms"),
        ]
    )
