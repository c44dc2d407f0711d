from typing import Any

# `Any` replaces types of higher rooms, which are in `withhold.model.tweet.Tweet`.

class FastTweet:
    id: Any
    account_id: Any
    retweet_of: Any
    quoted: Any

    def __init__(self, id: int, account_id: int, retweet_of: Any = None, quoted: Any = None) -> None: ...  # noqa: A002

def construct_quickly(cls: type[FastTweet]) -> None: ...
